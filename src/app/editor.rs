//! Text that is typed, edited as readline does, with what was typed before.

use std::collections::BTreeMap;

use unicode_segmentation::UnicodeSegmentation;

use super::Wanted;
use crate::command::CommandId;

/// How many texts of each kind are remembered.
const KEPT: usize = 50;

/// What a text is typed for; each kind has its own history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The filter of a pane.
    Filter,
    /// The search in the help.
    Search,
    /// The search for a command.
    Palette,
    /// The search in the logs.
    LogSearch,
    /// A time that the logs are to be shown of.
    LogTime,
    /// The file that lines of the logs are saved to.
    LogSave,
    /// The answer to a question before a plan.
    Words(Wanted),
    /// The word that confirms a plan, or that secrets are shown; it is never remembered, and nothing is put into it but by typing.
    Answer,
}

/// Where in the text one is, what was cut out, and what was typed before. One text is typed at a time.
#[derive(Debug, Clone, Default)]
pub struct Editor {
    /// Bytes behind the cursor: a text that is put in from elsewhere is typed on at its end.
    behind: usize,
    cut: String,
    /// Whether the last edit cut something out, so that the next one adds to it.
    cutting: bool,
    past: BTreeMap<Field, Vec<String>>,
    /// How far back one has gone, from 1, and what was typed before that.
    back: usize,
    draft: String,
}

impl Editor {
    /// A text begins to be typed.
    pub(super) fn begin(&mut self) {
        (self.behind, self.back, self.cutting) = (0, 0, false);
        self.draft.clear();
    }

    /// What stands before the cursor and what behind.
    pub fn split<'t>(&self, text: &'t str) -> (&'t str, &'t str) {
        let mut at = text.len().saturating_sub(self.behind);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.split_at(at)
    }

    /// Puts characters in at the cursor, so many that the whole is not longer than `longest` characters.
    pub(super) fn insert(&mut self, text: &mut String, new: &str, longest: usize) {
        let room = longest.saturating_sub(text.chars().count());
        let at = self.split(text).0.len();
        // Cleaning trims, but a typed space counts.
        let new: String = new.chars().map(|c| if c.is_control() { ' ' } else { c }).take(room).collect();
        text.insert_str(at, &new);
        (self.back, self.cutting) = (0, false);
    }

    /// Does what a command of the scope `text` does to a text; whether it is such a command.
    pub(super) fn edit(&mut self, text: &mut String, command: CommandId, longest: usize) -> bool {
        let (before, after) = self.split(text);
        let (at, before_len) = (before.len(), before.len());
        let chain = std::mem::take(&mut self.cutting);
        let (from, to) = match command {
            CommandId::CursorLeft => return self.go(text, before.graphemes(true).next_back().map_or(at, |c| at - c.len())),
            CommandId::CursorRight => return self.go(text, after.graphemes(true).next().map_or(at, |c| at + c.len())),
            CommandId::CursorStart => return self.go(text, 0),
            CommandId::CursorEnd => return self.go(text, text.len()),
            CommandId::WordLeft => return self.go(text, word_before(before)),
            CommandId::WordRight => return self.go(text, at + word_behind(after)),
            CommandId::Yank => {
                let cut = std::mem::take(&mut self.cut);
                self.insert(text, &cut, longest);
                self.cut = cut;
                return true;
            }
            CommandId::EraseChar => (before.graphemes(true).next_back().map_or(at, |c| at - c.len()), at),
            CommandId::EraseNext => (at, after.graphemes(true).next().map_or(at, |c| at + c.len())),
            CommandId::EraseWord => {
                let kept = before.trim_end();
                (kept.rfind(char::is_whitespace).map_or(0, |space| space + kept[space..].chars().next().map_or(1, char::len_utf8)), at)
            }
            CommandId::EraseWordNext => (at, at + word_behind(after)),
            CommandId::EraseStart => (0, at),
            CommandId::EraseEnd => (at, text.len()),
            _ => return false,
        };
        let gone: String = text.drain(from..to).collect();
        self.behind = text.len() - from;
        self.back = 0;
        // A single character that is erased is gone; what is longer is kept, and what is cut out in one go is kept as one.
        if !matches!(command, CommandId::EraseChar | CommandId::EraseNext) && !gone.is_empty() {
            self.cut = match (chain, from < before_len) {
                (false, _) => gone,
                (true, true) => gone + &self.cut,
                (true, false) => std::mem::take(&mut self.cut) + &gone,
            };
            self.cutting = true;
        }
        true
    }

    fn go(&mut self, text: &str, at: usize) -> bool {
        self.behind = text.len() - at;
        true
    }

    /// Remembers a text that was typed to its end.
    pub(super) fn keep(&mut self, field: Field, text: &str) {
        if text.trim().is_empty() || field == Field::Answer {
            return;
        }
        let past = self.past.entry(field).or_default();
        past.retain(|old| old != text);
        past.push(text.to_owned());
        if past.len() > KEPT {
            past.remove(0);
        }
    }

    /// Goes through what was typed before, one older or one newer.
    pub(super) fn recall(&mut self, field: Field, text: &mut String, older: bool) {
        let past = self.past.get(&field).map(Vec::as_slice).unwrap_or_default();
        let back = if older { (self.back + 1).min(past.len()) } else { self.back.saturating_sub(1) };
        if back == self.back {
            return;
        }
        if self.back == 0 {
            self.draft.clone_from(text);
        }
        *text = match back.checked_sub(1).and_then(|n| past.iter().rev().nth(n)) {
            Some(old) => old.clone(),
            None => std::mem::take(&mut self.draft),
        };
        (self.back, self.behind, self.cutting) = (back, 0, false);
    }
}

/// Where the word before the end of this text begins, in bytes; words are of letters and digits.
fn word_before(before: &str) -> usize {
    let kept = before.trim_end_matches(|c: char| !c.is_alphanumeric());
    kept.trim_end_matches(char::is_alphanumeric).len()
}

/// How far the end of the first word is, in bytes.
fn word_behind(after: &str) -> usize {
    let left = after.trim_start_matches(|c: char| !c.is_alphanumeric());
    after.len() - left.trim_start_matches(char::is_alphanumeric).len()
}

#[cfg(test)]
mod tests {
    use CommandId::{
        CursorEnd, CursorLeft, CursorRight, CursorStart, EraseChar, EraseEnd, EraseNext, EraseStart, EraseWord, EraseWordNext, WordLeft,
        WordRight, Yank,
    };

    use super::*;

    /// The text after these commands, with `|` where the cursor is. It begins where `|` stands in `text`.
    fn after(text: &str, commands: &[CommandId]) -> String {
        let mut editor = Editor { behind: text.split_once('|').map_or(0, |(_, behind)| behind.len()), ..Editor::default() };
        let mut typed = text.replace('|', "");
        for command in commands {
            assert!(editor.edit(&mut typed, *command, 100), "{command}");
        }
        let (before, behind) = editor.split(&typed);
        format!("{before}|{behind}")
    }

    #[test]
    fn each_key_does_what_readline_does() {
        let table: &[(&str, &[CommandId], &str)] = &[
            ("one two|", &[CursorStart], "|one two"),
            ("|one two", &[CursorEnd], "one two|"),
            ("one two|", &[CursorLeft, CursorLeft], "one t|wo"),
            ("|one", &[CursorLeft], "|one"),
            ("one|", &[CursorRight], "one|"),
            ("|one", &[CursorRight], "o|ne"),
            ("one two-three|", &[WordLeft], "one two-|three"),
            ("one two-three|", &[WordLeft, WordLeft, WordLeft, WordLeft], "|one two-three"),
            ("|one two", &[WordRight], "one| two"),
            ("one| two", &[WordRight], "one two|"),
            ("one t|wo", &[EraseChar], "one |wo"),
            ("|one", &[EraseChar], "|one"),
            ("one t|wo", &[EraseNext], "one t|o"),
            ("one|", &[EraseNext], "one|"),
            ("one two-three|", &[EraseWord], "one |"),
            ("one two  |three", &[EraseWord], "one |three"),
            ("|one two", &[EraseWordNext], "| two"),
            ("one t|wo", &[EraseStart], "|wo"),
            ("one t|wo", &[EraseEnd], "one t|"),
            ("one two|", &[EraseWord, CursorStart, Yank], "two|one "),
            ("one two three|", &[EraseWord, EraseWord, Yank, Yank], "one two threetwo three|"),
            ("one| two", &[EraseEnd, EraseStart, Yank], "one two|"),
            ("one two|", &[EraseWord, CursorStart, EraseWordNext, Yank], "one| "),
            // One character is what looks like one, however many it is made of.
            ("e\u{301}|", &[EraseChar], "|"),
            ("日本|", &[CursorLeft, EraseChar], "|本"),
            ("👩‍💻x|", &[CursorLeft, CursorLeft], "|👩‍💻x"),
        ];
        for (text, commands, expected) in table {
            assert_eq!(after(text, commands), *expected, "{text} {commands:?}");
        }
    }

    #[test]
    fn what_is_put_in_stands_at_the_cursor_and_the_whole_has_an_end() {
        let (mut editor, mut text) = (Editor::default(), "ad".to_owned());
        editor.edit(&mut text, CursorLeft, 5);
        editor.insert(&mut text, "b\nc and more", 5);
        assert_eq!((text.as_str(), editor.split(&text)), ("ab cd", ("ab c", "d")));
    }

    #[test]
    fn each_kind_of_text_has_its_own_past_and_what_was_begun_is_not_lost() {
        let mut editor = Editor::default();
        for text in ["one", "two", "one", " "] {
            editor.keep(Field::Filter, text);
        }
        editor.keep(Field::Answer, "card");
        let mut text = "begun".to_owned();
        let mut seen = Vec::new();
        for older in [true, true, true, false, false, false] {
            editor.recall(Field::Filter, &mut text, older);
            seen.push(text.clone());
        }
        assert_eq!(seen, ["one", "two", "two", "one", "begun", "begun"]);
        for field in [Field::Search, Field::Answer] {
            editor.recall(field, &mut text, true);
            assert_eq!(text, "begun");
        }
    }
}
