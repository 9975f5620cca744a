//! Typed reading of one table. Every complaint has a place; reading goes on after it.

use super::diagnostic::{Diagnostic, nearest, one_of, quote};
use super::node::{Entry, Kind, Node, Value};
use super::origin::{Origin, Setting};

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// pgbaton's own file: a string is a string, and it is not empty.
    Strict,
    /// A file of Patroni's: an empty value is an absent one, `yes` is a boolean, a bare number can be a name.
    Patroni,
}

/// One table, with its name as it appears in messages (`clusters.x.etcd`).
pub(crate) struct Section<'n> {
    pub name: String,
    pub at: Origin,
    entries: &'n [Entry],
    manner: Manner,
}

impl<'n> Section<'n> {
    /// The table that `node` is; a complaint when it is something else.
    pub fn of(node: &'n Node, name: impl Into<String>, manner: Manner, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let name = name.into();
        match &node.value {
            Value::Table(entries) => Some(Self { name, at: node.at.clone(), entries, manner }),
            _ if manner == Manner::Patroni && node.is_null() => None,
            _ => {
                let message = match name.as_str() {
                    "" => format!("expected keys with values, found {}", node.kind_name()),
                    name => format!("expected a table for {}, found {}", quote(name), node.kind_name()),
                };
                out.push(Diagnostic::new(node.at.clone(), message));
                None
            }
        }
    }

    /// Complains about every key that is not in `known`.
    pub fn only(&self, known: &[&str], out: &mut Vec<Diagnostic>) {
        for entry in self.entries.iter().filter(|e| !known.contains(&e.key.as_str())) {
            let place = if self.name.is_empty() { String::new() } else { format!(" in {}", quote(&self.name)) };
            let hint = match nearest(&entry.key, known) {
                Some(key) => format!("did you mean `{key}`?"),
                None => format!("the keys here are {}", one_of(known).replace(" or ", " and ")),
            };
            let message = format!("unknown key {}{place}", quote(&entry.key));
            out.push(Diagnostic::new(entry.key_at.clone(), message).hint(hint));
        }
    }

    /// The keys of this table with their values, for a table whose keys are names.
    pub fn entries(&self) -> &'n [Entry] {
        self.entries
    }

    /// `clusters.x.etcd` and `endpoints` make `clusters.x.etcd.endpoints`.
    pub fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// The value of a key. A key given twice is a complaint, and the last one counts, as PyYAML has it.
    pub fn get(&self, key: &str, out: &mut Vec<Diagnostic>) -> Option<&'n Node> {
        let mut found = self.entries.iter().filter(|e| e.key == key);
        let first = found.next()?;
        let mut last = first;
        for again in found {
            let line = first.key_at.line_col().map_or(String::new(), |(line, _)| format!(" (first on line {line})"));
            out.push(Diagnostic::new(again.key_at.clone(), format!("{} is given twice{line}", quote(&self.path(key)))));
            last = again;
        }
        (self.manner == Manner::Strict || !last.value.is_null()).then_some(&last.value)
    }

    /// A table inside this one.
    pub fn table(&self, key: &str, out: &mut Vec<Diagnostic>) -> Option<Section<'n>> {
        let node = self.get(key, out)?;
        Section::of(node, self.path(key), self.manner, out)
    }

    /// A string.
    pub fn text(&self, key: &str, out: &mut Vec<Diagnostic>) -> Option<Setting<String>> {
        let node = self.get(key, out)?;
        self.node_text(node, &self.path(key), out)
    }

    /// A string that is this node.
    pub fn node_text(&self, node: &Node, path: &str, out: &mut Vec<Diagnostic>) -> Option<Setting<String>> {
        match &node.value {
            Value::Scalar(s)
                if s.kind == Kind::Text || (self.manner == Manner::Patroni && s.kind != Kind::Null && !matches!(s.kind, Kind::Bool(_))) =>
            {
                if s.text.trim().is_empty() {
                    if self.manner == Manner::Strict {
                        out.push(
                            Diagnostic::new(node.at.clone(), format!("{} is empty", quote(path)))
                                .hint("leave it out if there is nothing to say"),
                        );
                    }
                    return None;
                }
                Some(Setting::new(s.text.clone(), node.at.clone()))
            }
            _ => {
                let mut complaint = wrong_type(node, path, "a string");
                if let Value::Scalar(s) = &node.value
                    && s.kind != Kind::Null
                    && !path.ends_with("password")
                {
                    complaint = complaint.hint(format!("put it in quotes: \"{}\"", s.text.escape_debug()));
                }
                out.push(complaint);
                None
            }
        }
    }

    /// A boolean. In Patroni's manner also the words that it takes for one.
    pub fn boolean(&self, key: &str, out: &mut Vec<Diagnostic>) -> Option<Setting<bool>> {
        let node = self.get(key, out)?;
        let value = match &node.value {
            Value::Scalar(s) => match s.kind {
                Kind::Bool(b) => Some(b),
                _ if self.manner == Manner::Patroni => patroni_bool(&s.text),
                _ => None,
            },
            _ => None,
        };
        match value {
            Some(value) => Some(Setting::new(value, node.at.clone())),
            None => {
                out.push(wrong_type(node, &self.path(key), "a boolean").hint("the values are `true` and `false`"));
                None
            }
        }
    }

    /// A whole number from 0 to `most`.
    pub fn count(&self, key: &str, most: u32, out: &mut Vec<Diagnostic>) -> Option<Setting<u32>> {
        let node = self.get(key, out)?;
        match &node.value {
            Value::Scalar(s) if s.kind == Kind::Integer || (self.manner == Manner::Patroni && s.kind == Kind::Text) => {
                match s.text.trim().parse::<u32>().ok().filter(|n| *n <= most) {
                    Some(n) => return Some(Setting::new(n, node.at.clone())),
                    None => {
                        let message = format!("{} is {}", quote(&self.path(key)), quote(&s.text));
                        out.push(Diagnostic::new(node.at.clone(), message).hint(format!("a whole number from 0 to {most} is expected")));
                    }
                }
            }
            _ => out.push(wrong_type(node, &self.path(key), "a whole number")),
        }
        None
    }

    /// A list of strings; one string is a list of one.
    pub fn texts(&self, key: &str, out: &mut Vec<Diagnostic>) -> Option<Vec<Setting<String>>> {
        let node = self.get(key, out)?;
        let path = self.path(key);
        match &node.value {
            Value::List(items) => {
                let entry = |(n, item)| self.node_text(item, &format!("{path}[{n}]"), out);
                Some(items.iter().enumerate().filter_map(entry).collect())
            }
            Value::Scalar(s) if s.kind == Kind::Text => self.node_text(node, &path, out).map(|one| vec![one]),
            _ => {
                out.push(wrong_type(node, &path, "a list of strings"));
                None
            }
        }
    }
}

/// "`a.b` must be X, found Y".
pub(crate) fn wrong_type(node: &Node, path: &str, expected: &str) -> Diagnostic {
    Diagnostic::new(node.at.clone(), format!("{} must be {expected}, found {}", quote(path), node.kind_name()))
}

/// The words Patroni takes for a boolean (`patroni/utils.py`, parse_bool).
pub(crate) fn patroni_bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}
