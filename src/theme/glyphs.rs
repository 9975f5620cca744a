//! Signs, and what stands in for them where there is only ASCII.

use crate::model::Level;

/// The sign of a level; the four differ by shape, not only by colour.
pub fn sign(level: Level) -> &'static str {
    match level {
        Level::Ok => "●",
        Level::Unknown => "?",
        Level::Warning => "▲",
        Level::Critical => "✖",
    }
}

/// The ASCII character that stands in for `c`. The picture is drawn once and each cell translated, so that no pane has to think of it.
pub fn ascii(c: char) -> char {
    match c {
        ' '..='~' => c,
        '●' => '*',
        '○' => 'o',
        '◐' => '~',
        '▲' => '!',
        '■' => '#',
        '□' => 'o',
        '◆' => '+',
        '◇' => 'x',
        '▼' => 'v',
        '▽' => 'u',
        '✖' => 'X',
        '▸' | '›' | '→' => '>',
        '◂' | '‹' | '←' => '<',
        '─' | '–' | '—' | '┄' | '╴' | '╶' => '-',
        '━' | '═' => '=',
        '│' | '┃' | '┆' | '║' => '|',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╭' | '╮' | '╰' | '╯' => '+',
        '╔' | '╗' | '╚' | '╝' | '╠' | '╣' | '╦' | '╩' | '╬' => '+',
        '∞' => '8',
        '▁' => '_',
        '▂' => '.',
        '▃' => ':',
        '▄' => '-',
        '▅' => '=',
        '▆' => '+',
        '▇' => '%',
        '█' => '#',
        '·' => '|',
        '…' => '~',
        '×' => 'x',
        '≥' => '>',
        '≤' => '<',
        '“' | '”' => '"',
        '‘' | '’' => '\'',
        '\u{a0}' => ' ',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_differ_in_ascii_too() {
        let levels = [Level::Ok, Level::Unknown, Level::Warning, Level::Critical];
        let signs: Vec<char> = levels.iter().flat_map(|level| sign(*level).chars().map(ascii)).collect();
        assert_eq!(signs, ['*', '?', '!', 'X']);
    }

    #[test]
    fn nothing_but_ascii_comes_out() {
        for c in ('\0'..='\u{3000}').chain(['\u{FFFD}', '🙂']) {
            assert!((' '..='~').contains(&ascii(c)), "{c:?}");
        }
    }
}
