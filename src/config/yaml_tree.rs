//! YAML text to a located tree, read as Patroni's PyYAML reads it: YAML 1.1 booleans, anchors, merge keys.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle};

use super::diagnostic::Diagnostic;
use super::node::{Entry, Kind, Node, Scalar, Value};
use super::origin::Origin;

/// Aliases copy what they name: a few lines can stand for billions of values. A patroni.yml has hundreds.
const MOST_NODES: usize = 100_000;
/// Deeper nesting than this by aliases is refused; the parser has the same limit for what is written out.
const DEEPEST: usize = 250;

/// Parses one document. An empty file gives a null node.
pub(crate) fn parse(path: &Arc<Path>, text: &str) -> Result<Node, Diagnostic> {
    let mut builder = Builder { path, open: Vec::new(), anchors: HashMap::new(), nodes: 0, root: None };
    let mut documents = 0;
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|e| Diagnostic::new(builder.at(e.marker()), sentence(&e.info())))?;
        let at = builder.at(&span.start);
        match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return Err(Diagnostic::new(at, "a second YAML document begins here")
                        .hint("one file describes one cluster: remove the `---` line and what follows"));
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                let scalar = scalar(text.into_owned(), style == ScalarStyle::Plain);
                builder.add(anchor, Node { at, value: Value::Scalar(scalar) }, 1, 0)?;
            }
            Event::SequenceStart(_, anchor, _) => builder.open(anchor, at, Frame::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => builder.open(anchor, at, Frame::Table(Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => builder.close()?,
            Event::Alias(id) => builder.alias(id, at)?,
            _ => {}
        }
    }
    let empty = Origin::File { path: Arc::clone(path), line: 1, col: 1 };
    let null = Value::Scalar(Scalar { text: String::new(), kind: Kind::Null, plain: true });
    Ok(builder.root.unwrap_or(Node { at: empty, value: null }))
}

fn sentence(info: &str) -> String {
    format!("this is not YAML: {}", info.lines().next().unwrap_or("syntax error"))
}

/// A plain (unquoted) scalar by YAML 1.1's rules, which are PyYAML's.
fn scalar(text: String, plain: bool) -> Scalar {
    let kind = if !plain {
        Kind::Text
    } else {
        match text.to_ascii_lowercase().as_str() {
            "" | "~" | "null" => Kind::Null,
            "true" | "yes" | "on" => Kind::Bool(true),
            "false" | "no" | "off" => Kind::Bool(false),
            number if number.parse::<i64>().is_ok() => Kind::Integer,
            number if number.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) && number.parse::<f64>().is_ok() => Kind::Float,
            _ => Kind::Text,
        }
    };
    Scalar { text, kind, plain }
}

enum Frame {
    List(Vec<Node>),
    Table(Vec<Entry>, Option<Node>),
}

struct Open {
    at: Origin,
    anchor: usize,
    frame: Frame,
    /// How many nodes are inside, itself included; how deep they go below it.
    nodes: usize,
    depth: usize,
}

struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

struct Builder<'p> {
    path: &'p Arc<Path>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    root: Option<Node>,
}

impl Builder<'_> {
    fn at(&self, mark: &Marker) -> Origin {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Origin::File { path: Arc::clone(self.path), line: count(mark.line().max(1)), col: count(mark.col() + 1) }
    }

    fn open(&mut self, anchor: usize, at: Origin, frame: Frame) {
        self.open.push(Open { at, anchor, frame, nodes: 1, depth: 0 });
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.frame {
            Frame::List(items) => Value::List(items),
            Frame::Table(entries, _) => Value::Table(merged(entries)),
        };
        self.add(open.anchor, Node { at: open.at, value }, open.nodes, open.depth)
    }

    fn alias(&mut self, id: usize, at: Origin) -> Result<(), Diagnostic> {
        let Some(known) = self.anchors.get(&id) else {
            return Err(Diagnostic::new(at, "this alias names an anchor that contains it"));
        };
        self.nodes += known.nodes;
        if self.nodes > MOST_NODES || self.open.len() + known.depth > DEEPEST {
            return Err(Diagnostic::new(at, "the aliases of this file unfold without end"));
        }
        let (node, nodes, depth) = (known.node.clone(), known.nodes, known.depth);
        self.add(0, node, nodes, depth)
    }

    fn add(&mut self, anchor: usize, node: Node, nodes: usize, depth: usize) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Diagnostic::new(node.at, "more values than any configuration has"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes, depth });
            self.nodes += nodes;
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        parent.nodes += nodes;
        parent.depth = parent.depth.max(depth + 1);
        match &mut parent.frame {
            Frame::List(items) => items.push(node),
            Frame::Table(entries, key) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push(Entry { key: key_text(&key), key_at: key.at, value: node }),
            },
        }
        Ok(())
    }
}

/// A list or a table as a key is legal YAML; no key of ours looks like that.
fn key_text(key: &Node) -> String {
    match &key.value {
        Value::Scalar(s) => s.text.clone(),
        _ => String::new(),
    }
}

/// `<<: *defaults` adds the keys of another table that this one does not have.
fn merged(entries: Vec<Entry>) -> Vec<Entry> {
    let (merges, mut own): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|e| e.key == "<<");
    for merge in merges {
        let tables = match merge.value.value {
            Value::List(items) => items,
            _ => vec![merge.value],
        };
        for table in tables {
            if let Value::Table(more) = table.value {
                let new: Vec<Entry> = more.into_iter().filter(|e| own.iter().all(|mine| mine.key != e.key)).collect();
                own.extend(new);
            }
        }
    }
    own
}
