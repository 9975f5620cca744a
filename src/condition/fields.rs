//! Fields that a condition asks for and the document does not have: what no cluster will ever answer.

use std::sync::LazyLock;

use cel::Program;
use cel::common::ast::{EntryExpr, Expr};
use serde_json::Value as Json;

use crate::document::Document;

/// The document's schema.
static SCHEMA: LazyLock<Json> = LazyLock::new(|| schemars::schema_for!(Document).to_value());

/// A field that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Its name, as it was written.
    pub field: String,
    /// Of what: `cluster`, or the document itself.
    pub of: Option<String>,
    /// What there is.
    pub known: Vec<String>,
}

/// What a part of the condition is, by the schema; `None`: that cannot be said, and so nothing of it is judged.
type Kind<'s> = Option<&'s Json>;

/// The fields of a condition that the document does not have, each once. Nothing of a text that is no condition.
pub fn unknown_fields(condition: &str) -> Vec<Unknown> {
    let Ok(program) = Program::compile(condition) else { return Vec::new() };
    let mut found = Vec::new();
    walk(&program.expression().expr, &mut Vec::new(), &mut found);
    found
}

fn walk(expression: &Expr, names: &mut Vec<(String, Kind<'static>)>, found: &mut Vec<Unknown>) -> Kind<'static> {
    match expression {
        Expr::Ident(name) => match names.iter().rev().find(|(known, _)| known == name) {
            Some((_, kind)) => *kind,
            None if name.starts_with('@') => None,
            None => field(Some(&*SCHEMA), name, None, found),
        },
        Expr::Select(select) => {
            let of = walk(&select.operand.expr, names, found);
            field(of, &select.field, path(&select.operand.expr), found)
        }
        Expr::Call(call) => {
            for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                walk(&part.expr, names, found);
            }
            None
        }
        Expr::List(list) => {
            for element in &list.elements {
                walk(&element.expr, names, found);
            }
            None
        }
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(pair) = &entry.expr {
                    walk(&pair.value.expr, names, found);
                }
            }
            None
        }
        Expr::Comprehension(each) => {
            let range = walk(&each.iter_range.expr, names, found);
            let element = range.and_then(|range| range.get("items")).and_then(resolved);
            names.push((each.iter_var.clone(), element));
            for part in [&each.accu_init, &each.loop_cond, &each.loop_step, &each.result] {
                // What CEL counts in has a name of its own.
                names.push((each.accu_var.clone(), None));
                walk(&part.expr, names, found);
                names.pop();
            }
            names.pop();
            None
        }
        _ => None,
    }
}

/// What a field is; one that is not there is found.
fn field(of: Kind<'static>, name: &str, whose: Option<String>, found: &mut Vec<Unknown>) -> Kind<'static> {
    let fields = of?.get("properties")?.as_object()?;
    if let Some(field) = fields.get(name) {
        return resolved(field);
    }
    let unknown = Unknown { field: name.to_owned(), of: whose, known: fields.keys().cloned().collect() };
    if !found.contains(&unknown) {
        found.push(unknown);
    }
    None
}

/// A schema without its references, and without the null that a value may be.
fn resolved(schema: &'static Json) -> Kind<'static> {
    if let Some(name) = schema.get("$ref").and_then(Json::as_str) {
        return SCHEMA.pointer(name.strip_prefix('#')?).and_then(resolved);
    }
    match schema.get("anyOf").and_then(Json::as_array) {
        Some(any) => any.iter().find(|one| one.get("type").and_then(Json::as_str) != Some("null")).and_then(resolved),
        None => Some(schema),
    }
}

/// `cluster.leader`, as it was written.
fn path(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) => Some(format!("{}.{}", path(&select.operand.expr)?, select.field)),
        _ => None,
    }
}
