//! Reading one table of the inventory: every complaint has a place, and reading goes on after it.

use crate::userfile::{Entry, Reader, Value, nearest};

/// A table.
pub(super) struct Table<'e> {
    /// Its name in messages; empty: the file itself.
    name: &'e str,
    /// Where it begins.
    pub at: usize,
    pub entries: &'e [Entry],
}

impl<'e> Table<'e> {
    /// The file itself.
    pub fn top(entries: &'e [Entry]) -> Self {
        Self { name: "", at: 0, entries }
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// Complains about keys that are not known.
    pub fn only(&self, reader: &mut Reader<'_>, known: &[&str]) {
        for entry in self.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let hint = match nearest(&entry.key, known.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("the keys here are {}", known.join(", ")),
            };
            reader.mistake(entry.key_at, format!("unknown key \"{}\"", self.path(&entry.key)), Some(hint));
        }
    }

    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&'e Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// A table inside of it.
    pub fn table(&self, reader: &mut Reader<'_>, key: &'e str) -> Option<Table<'e>> {
        let entry = self.get(key)?;
        match &entry.value {
            Value::Table(entries) => Some(Table { name: &entry.key, at: entry.key_at, entries }),
            other => {
                reader.mistake(entry.value_at, format!("expected a table, found {}", other.kind()), None);
                None
            }
        }
    }

    /// A text and where it stands.
    pub fn text(&self, reader: &mut Reader<'_>, key: &str) -> Option<(&'e str, usize)> {
        text(reader, self.get(key)?)
    }

    /// `true` or `false`.
    pub fn switch(&self, reader: &mut Reader<'_>, key: &str) -> Option<bool> {
        let entry = self.get(key)?;
        match entry.value {
            Value::Bool(on) => Some(on),
            ref other => {
                reader.mistake(entry.value_at, format!("expected true or false, found {}", other.kind()), None);
                None
            }
        }
    }

    /// A list of texts, each with where it stands.
    pub fn texts(&self, reader: &mut Reader<'_>, key: &str) -> Vec<(&'e str, usize)> {
        let Some(entry) = self.get(key) else { return Vec::new() };
        let Value::List(values) = &entry.value else {
            reader.mistake(entry.value_at, format!("expected a list of strings, found {}", entry.value.kind()), None);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (value, at) in values {
            match value {
                Value::Text(text) => texts.push((text.as_str(), *at)),
                other => reader.mistake(*at, format!("expected a string, found {}", other.kind()), None),
            }
        }
        texts
    }

    /// Complains that a key is not there.
    pub fn missing(&self, reader: &mut Reader<'_>, key: &str, hint: &str) {
        reader.mistake(self.at, format!("\"{}\" is missing", self.path(key)), Some(hint.to_owned()));
    }
}

/// The text of an entry and where it stands.
pub(super) fn text<'e>(reader: &mut Reader<'_>, entry: &'e Entry) -> Option<(&'e str, usize)> {
    match &entry.value {
        Value::Text(text) => Some((text, entry.value_at)),
        other => {
            reader.mistake(entry.value_at, format!("expected a string, found {}", other.kind()), None);
            None
        }
    }
}
