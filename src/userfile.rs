//! A user's TOML file (keymap, theme) as located entries, and the mistakes in it.
//!
//! Every entry keeps its place, so that a mistake found later, a key that is no key or a colour that is no colour, is told as
//! `path:line:col` like a mistake of syntax. A bad entry is skipped visibly; the rest of the file counts.

use std::fmt;

use strsim::osa_distance;
use toml::de::{DeTable, DeValue};

/// A mistake in a user's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as it was named.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.path, self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// A value of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A table.
    Table(Vec<Entry>),
    /// A list, each value with where it begins, in bytes.
    List(Vec<(Value, usize)>),
    /// Anything else, by the name of its kind.
    Other(&'static str),
}

impl Value {
    /// The kind in words, for "expected a string, found a table".
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Bool(_) => "a boolean",
            Value::Table(_) => "a table",
            Value::List(_) => "a list",
            Value::Other(kind) => kind,
        }
    }
}

/// A key with its value, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key begins, in bytes.
    pub key_at: usize,
    /// The value.
    pub value: Value,
    /// Where the value begins, in bytes.
    pub value_at: usize,
}

/// A file being read: where mistakes go.
#[derive(Debug)]
pub struct Reader<'t> {
    path: &'t str,
    text: &'t str,
    mistakes: Vec<Mistake>,
    /// Where the first mistake of syntax is, in bytes: what is found behind it can be its consequence alone.
    broken: Option<usize>,
}

impl<'t> Reader<'t> {
    /// Parses `text`; mistakes of syntax are noted, and what could be read is returned.
    pub fn parse(path: &'t str, text: &'t str) -> (Self, Vec<Entry>) {
        let mut reader = Self::at(path, text);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            reader.mistake(error.span().map_or(0, |s| s.start), error.message().replace('\n', " "), None);
        }
        reader.broken = errors.iter().map(|error| error.span().map_or(0, |s| s.start)).min();
        (reader, entries(table.get_ref()))
    }

    /// A reader of a file that was parsed before.
    pub fn at(path: &'t str, text: &'t str) -> Self {
        Self { path, text, mistakes: Vec::new(), broken: None }
    }

    /// Notes a mistake at byte `at`; not where a mistake of syntax before it may be all that is wrong.
    pub fn mistake(&mut self, at: usize, message: impl Into<String>, hint: Option<String>) {
        // What the parser made up to go on has no place.
        if self.broken.is_some_and(|broken| at >= broken || at == 0) {
            return;
        }
        let at = at.min(self.text.len());
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        let message = crate::model::clean(&message.into());
        self.mistakes.push(Mistake { path: self.path.to_owned(), line, column, message, hint });
    }

    /// Whether a mistake was found so far.
    pub fn has_mistakes(&self) -> bool {
        !self.mistakes.is_empty()
    }

    /// The mistakes, in the order in which they were found.
    pub fn finish(self) -> Vec<Mistake> {
        self.mistakes
    }
}

fn entries(table: &DeTable<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_at: key.span().start,
            value: value_of(value.get_ref()),
            value_at: value.span().start,
        })
        .collect();
    // The parser's map is sorted by name; the order of the file is what its author sees.
    entries.sort_by_key(|entry| entry.key_at);
    entries
}

fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Other("a number beyond 64 bits"),
        },
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Table(table) => Value::Table(entries(table)),
        DeValue::Float(_) => Value::Other("a float"),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(values) => Value::List(values.iter().map(|value| (value_of(value.get_ref()), value.span().start)).collect()),
    }
}

/// The allowed word nearest to a mistyped one, when one is near.
pub fn nearest<'w>(word: &str, allowed: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let limit = (word.chars().count() / 3).max(1);
    allowed.into_iter().map(|w| (osa_distance(word, w), w)).filter(|(d, _)| *d <= limit).min_by_key(|(d, _)| *d).map(|(_, w)| w)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_says_its_place_in_characters() {
        let (mut reader, entries) = Reader::parse("k.toml", "[global]\n\"é\" = 3\n");
        let Value::Table(global) = &entries[0].value else { panic!("no table: {entries:?}") };
        reader.mistake(global[0].value_at, "expected a string", Some("write \"quit\"".to_owned()));
        assert_eq!(reader.finish()[0].to_string(), "k.toml:2:7: expected a string (write \"quit\")");
    }

    #[test]
    fn what_can_be_read_of_a_broken_file_is_kept() {
        let (reader, entries) = Reader::parse("k.toml", "a = \"1\"\nb = = 2\nc = \"3\"\n");
        assert!(entries.iter().any(|e| e.key == "a") && entries.iter().any(|e| e.key == "c"), "{entries:?}");
        let mistakes = reader.finish();
        assert_eq!(mistakes.first().map(|m| m.line), Some(2), "{mistakes:?}");
    }

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        assert_eq!(nearest("qiut", ["quit", "help"]), Some("quit"));
        assert_eq!(nearest("qiux", ["quit", "help"]), None);
        assert_eq!(nearest("quitt", ["quit", "help"]), Some("quit"));
        assert_eq!(nearest("sort-nex", ["sort-next", "sort-reverse"]), Some("sort-next"));
        assert_eq!(nearest("zzz", ["quit", "help"]), None);
    }
}
