//! Words in lines, no number without its unit.

use unicode_segmentation::UnicodeSegmentation;

use super::format::{display_width, head};

/// What stands behind a number and is nothing without it.
const UNITS: [&str; 13] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "%", "ms", "s", "min", "h", "d"];

/// Words in lines of at most `width` columns; a word that is longer is broken, and a number stays with its unit.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for mut word in words(text, width) {
        if !line.is_empty() && display_width(&line) + 1 + display_width(&word) > width {
            lines.push(std::mem::take(&mut line));
        }
        while display_width(&word) > width {
            let mut first = head(&word, width);
            if first.is_empty() {
                // A character wider than the line: it takes a line of its own, and the buffer cuts it.
                first = word.graphemes(true).take(1).collect();
            }
            word = word.split_off(first.len());
            lines.push(first);
        }
        if !line.is_empty() && !word.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// The words of a text; a number with its unit is one, where that fits in a line.
fn words(text: &str, width: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let unit = word.trim_end_matches([',', '.', ';', ':', ')', '/']);
        let before = words.last_mut().filter(|before| UNITS.contains(&unit) && is_number(before));
        match before {
            Some(number) if display_width(number) + 1 + display_width(word) <= width => {
                number.push(' ');
                number.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// `12`, `(24576`, `<10`: not yet with a unit.
fn is_number(word: &str) -> bool {
    word.trim_start_matches(['(', '<', '~', '+', '-']).starts_with(|c: char| c.is_ascii_digit()) && !word.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_long_ones_broken() {
        assert_eq!(wrap("psg1 no longer answers", 10), ["psg1 no", "longer", "answers"]);
        assert_eq!(wrap("0123456789abc x", 10), ["0123456789", "abc x"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("日本", 1), ["日", "本"]);
    }

    #[test]
    fn a_number_stays_with_its_unit() {
        assert_eq!(wrap("full in 3 h if it goes on", 9), ["full in", "3 h if it", "goes on"]);
        assert_eq!(wrap("behind (64 MB), 12 s", 10), ["behind", "(64 MB),", "12 s"]);
        assert_eq!(wrap("12 MB", 4), ["12", "MB"], "there is no room for it");
        assert_eq!(wrap("plan B s", 6), ["plan B", "s"], "no number, no unit");
    }
}
