//! TOML text to a located tree.

use std::path::Path;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, quote};
use super::node::{Entry, Kind, Node, Scalar, Value};
use super::origin::Origin;

/// Parses `text`. The parser recovers from mistakes, so all of them are reported, and the tree is what could be
/// read. The flag says whether the tree can be trusted for a second look: after a duplicate key it can, after any
/// other syntax mistake a further complaint could be an echo of the first.
pub(crate) fn parse(path: &Arc<Path>, text: &str, out: &mut Vec<Diagnostic>) -> (Node, bool) {
    let lines = Lines::new(path, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut sound = true;
    for error in &errors {
        let start = error.span().map_or(0, |s| s.start);
        let message = match (error.message(), error.span().and_then(|span| text.get(span))) {
            ("duplicate key", Some(key)) => format!("{} is given twice", quote(key)),
            (other, _) => {
                sound = false;
                other.replace('\n', " ")
            }
        };
        out.push(Diagnostic::new(lines.at(start), message));
    }
    let node = Node { at: lines.at(0), value: table_value(&lines, table.get_ref()) };
    (node, sound)
}

fn table_value(lines: &Lines<'_>, table: &DeTable<'_>) -> Value {
    let mut entries: Vec<(usize, Entry)> = table
        .iter()
        .map(|(key, value)| {
            let start = key.span().start;
            let entry = Entry {
                key: key.get_ref().to_string(),
                key_at: lines.at(start),
                value: Node { at: lines.at(value.span().start), value: value_of(lines, value.get_ref()) },
            };
            (start, entry)
        })
        .collect();
    // The map is sorted by name; clusters are offered, and mistakes reported, in the order of the file.
    entries.sort_by_key(|(start, _)| *start);
    Value::Table(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn value_of(lines: &Lines<'_>, value: &DeValue<'_>) -> Value {
    let scalar = |text: String, kind| Value::Scalar(Scalar { text, kind, plain: kind != Kind::Text });
    match value {
        DeValue::String(s) => scalar(s.to_string(), Kind::Text),
        // The plain decimal form whatever the radix; beyond 64 bits the text as it stands, which no reader accepts.
        DeValue::Integer(i) => {
            let decimal = i64::from_str_radix(i.as_str(), i.radix()).map(|n| n.to_string());
            scalar(decimal.unwrap_or_else(|_| i.to_string()), Kind::Integer)
        }
        DeValue::Float(f) => scalar(f.to_string(), Kind::Float),
        DeValue::Boolean(b) => scalar(b.to_string(), Kind::Bool(*b)),
        DeValue::Datetime(d) => scalar(d.to_string(), Kind::Date),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| Node { at: lines.at(item.span().start), value: value_of(lines, item.get_ref()) }).collect())
        }
        DeValue::Table(table) => table_value(lines, table),
    }
}

/// Byte offsets to lines and columns.
struct Lines<'t> {
    path: &'t Arc<Path>,
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(path: &'t Arc<Path>, text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { path, text, starts }
    }

    fn at(&self, offset: usize) -> Origin {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let before = self.text.get(self.starts[line - 1]..offset).unwrap_or_default();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Origin::File { path: Arc::clone(self.path), line: count(line), col: count(before.chars().count() + 1) }
    }
}
