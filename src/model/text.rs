//! Text from outside, and words in sentences.

use std::time::Duration;

/// The longest text from outside that is kept, in characters.
const LONGEST: usize = 400;

/// `text` as it may reach a terminal: every control character (C0, C1, DEL) and every invisible or direction-changing format character
/// becomes a visible `�` or a space, and what is past 400 characters is cut with `…`.
///
/// Text from servers is hostile: an escape sequence in a member's name or an error must not move the cursor of the one who reads it.
pub fn clean(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => washed(&text[..end]) + "…",
        None => washed(text),
    }
}

/// The same, whole: for what somebody is to agree to.
pub fn washed(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '\u{FFFD}',
            // What turns lines and directions.
            '\u{2028}'..='\u{202E}' | '\u{FFF9}'..='\u{FFFB}' => '\u{FFFD}',
            // What Unicode lets nobody see, among it what makes the character before wider on some terminals only.
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' => '\u{FFFD}',
            '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' => '\u{FFFD}',
            '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' => '\u{FFFD}',
            '\u{E0000}'..='\u{E0FFF}' => '\u{FFFD}',
            c => c,
        })
        .collect()
}

/// Names that a sentence can bear.
const NAMED: usize = 5;

/// `psg2`, `psg2 and psg3`, `psg2, psg3 and psg4`; of more than five the first four and how many more there are.
pub fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let (named, last) = match names {
        [] => return "nobody".to_owned(),
        [one] => return one.as_ref().to_owned(),
        [most @ .., last] if names.len() <= NAMED => (most, last.as_ref().to_owned()),
        more => (&more[..NAMED - 1], format!("{} more", more.len() - (NAMED - 1))),
    };
    let named: Vec<&str> = named.iter().map(AsRef::as_ref).collect();
    format!("{} and {last}", named.join(", "))
}

/// A number with what is counted: `1 session`, `2 sessions`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A span in a sentence, in two units: `45 s`, `12 min`, `5 h 07 min`, `3 d 04 h`.
pub fn spoken(span: Duration) -> String {
    match span.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3600 => format!("{} min", s / 60),
        s @ 3600..86400 => format!("{} h {:02} min", s / 3600, s / 60 % 60),
        s => format!("{} d {:02} h", s / 86400, s / 3600 % 24),
    }
}

/// `24 kB`, `4.2 MB`: powers of 1024, as PostgreSQL's `pg_size_pretty` has them.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..=10_239 => format!("{bytes} B"),
        10_240..=1_048_575 => format!("{} kB", bytes / 1024),
        1_048_576..=1_073_741_823 => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GB", bytes as f64 / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use super::{clean, listed};

    #[test]
    fn a_sentence_bears_five_names() {
        let names: Vec<String> = (1..=300).map(|n| format!("m{n}")).collect();
        assert_eq!(listed(&names[..0]), "nobody");
        assert_eq!(listed(&names[..1]), "m1");
        assert_eq!(listed(&names[..2]), "m1 and m2");
        assert_eq!(listed(&names[..5]), "m1, m2, m3, m4 and m5");
        assert_eq!(listed(&names), "m1, m2, m3, m4 and 296 more");
    }

    #[test]
    fn nothing_that_moves_a_cursor_gets_through() {
        let hostile = "a\u{1b}[2Jb\u{9b}31mc\u{7f}\u{202e}d\r\ne\0";
        let cleaned = clean(hostile);
        assert!(cleaned.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{cleaned:?}");
        assert!(cleaned.starts_with('a') && cleaned.contains("[2Jb"), "{cleaned:?}");
    }

    /// A digit with the last of them is two columns wide on some terminals.
    #[test]
    fn nothing_that_is_not_seen_stays_unseen() {
        for hidden in ['\u{34F}', '\u{115F}', '\u{206F}', '\u{3164}', '\u{1D173}', '\u{E0101}', '\u{FE0F}'] {
            assert_eq!(clean(&format!("1{hidden}2")), "1\u{FFFD}2", "{hidden:?}");
        }
    }

    #[test]
    fn a_megabyte_is_cut() {
        assert_eq!(clean(&"x".repeat(1 << 20)).chars().count(), 401);
    }
}
