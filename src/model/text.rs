//! Text from outside.

/// The longest text from outside that is kept, in characters.
const LONGEST: usize = 400;

/// `text` as it may reach a terminal: every control character (C0, C1, DEL) and every invisible or direction-changing format character
/// becomes a visible `�` or a space, and what is past 400 characters is cut with `…`.
///
/// Text from servers is hostile: an escape sequence in a member's name or an error must not move the cursor of the one who reads it.
pub fn clean(text: &str) -> String {
    let mut out: String = text
        .trim()
        .chars()
        .take(LONGEST)
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '\u{FFFD}',
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}' => '\u{FFFD}',
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' => '\u{FFFD}',
            c => c,
        })
        .collect();
    if text.trim().chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn nothing_that_moves_a_cursor_gets_through() {
        let hostile = "a\u{1b}[2Jb\u{9b}31mc\u{7f}\u{202e}d\r\ne\0";
        let cleaned = clean(hostile);
        assert!(cleaned.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{cleaned:?}");
        assert!(cleaned.starts_with('a') && cleaned.contains("[2Jb"), "{cleaned:?}");
    }

    #[test]
    fn a_megabyte_is_cut() {
        assert_eq!(clean(&"x".repeat(1 << 20)).chars().count(), 401);
    }
}
