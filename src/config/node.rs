//! A parsed file as a tree in which every key and value knows its place. TOML and YAML both become this.

use super::origin::Origin;

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub at: Origin,
    pub value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key with its value. Keys may repeat in YAML; the reader of the key decides what that means.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub key: String,
    pub key_at: Origin,
    pub value: Node,
}

/// Text as it was written, and what the format takes it for.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub text: String,
    pub kind: Kind,
    /// Whether it was written without quotes, so that the format decides what it is.
    pub plain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Bool(bool),
    Integer,
    Float,
    Date,
    Null,
}

impl Node {
    /// "a string", "a list" ... for messages.
    pub fn kind_name(&self) -> &'static str {
        match &self.value {
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Scalar(s) => match s.kind {
                Kind::Text => "a string",
                Kind::Bool(_) => "a boolean",
                Kind::Integer => "an integer",
                Kind::Float => "a number",
                Kind::Date => "a date",
                Kind::Null => "nothing",
            },
        }
    }

    /// YAML's `key:` with nothing behind it.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(s) if s.kind == Kind::Null)
    }
}
