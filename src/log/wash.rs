//! From bytes that anybody may have written to text that may reach a terminal.

use std::borrow::Cow;

use crate::model::washed;

/// What a tabulator becomes; PostgreSQL begins the lines of a long statement with one.
const TAB: &str = "    ";

/// Bytes as text; what is no UTF-8 becomes `�`.
pub(super) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Text without anything that moves a cursor, hides itself or turns the direction of what follows.
pub(super) fn clean_line(text: &str) -> String {
    let text = text.trim_end_matches(['\r', '\n', ' ', '\t']);
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    washed(&text.replace('\t', TAB))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_hides_or_turns_becomes_visible() {
        let hostile = b"a\x1b[2J\x9b31m\x07\0b\xe2\x80\xaec\xff\td\xc2\x9b]0;x\r";
        let text = clean_line(&decoded(hostile));
        assert!(text.chars().all(|c| !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c)), "{text:?}");
        assert!(text.starts_with("a\u{FFFD}[2J") && text.contains("    d"), "{text:?}");
        assert_eq!(clean_line("\tselect 1  \r"), "    select 1");
    }
}
