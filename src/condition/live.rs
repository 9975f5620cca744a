//! The values that a condition rests on, for whoever waits for it.

use cel::Program;
use cel::common::ast::{EntryExpr, Expr};
use serde_json::Value as Json;

use super::facts;
use crate::document::Document;
use crate::model::clean;

/// A value of the document under the words that stand for it: `cluster.leader`, in a list `psg2.state`.
type Found<'d> = Vec<(String, &'d Json)>;

/// A name that stands for something within the condition.
type Names<'d> = Vec<(String, Found<'d>)>;

/// Each value that the condition looks at, with its name, in the order in which it stands there; of lists one for each element. Nothing of a
/// text that is no condition.
pub fn live(condition: &str, document: &Document) -> Vec<(String, String)> {
    let (Ok(program), Ok(json)) = (Program::compile(condition), facts::json(document)) else { return Vec::new() };
    let mut told: Vec<(String, String)> = Vec::new();
    walk(&program.expression().expr, &json, &mut Vec::new(), &mut told);
    told
}

fn walk<'d>(expression: &Expr, document: &'d Json, names: &mut Names<'d>, told: &mut Vec<(String, String)>) {
    match expression {
        Expr::Ident(_) | Expr::Select(_) => {
            for (name, value) in resolve(expression, document, names) {
                let shown = match value {
                    Json::Null => "not known".to_owned(),
                    Json::Bool(_) | Json::Number(_) => value.to_string(),
                    Json::String(text) => clean(text),
                    Json::Array(_) | Json::Object(_) => continue,
                };
                if !told.iter().any(|(known, _)| *known == name) {
                    told.push((name, shown));
                }
            }
        }
        Expr::Call(call) => {
            call.target.iter().for_each(|target| walk(&target.expr, document, names, told));
            call.args.iter().for_each(|arg| walk(&arg.expr, document, names, told));
        }
        Expr::List(list) => list.elements.iter().for_each(|element| walk(&element.expr, document, names, told)),
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(pair) = &entry.expr {
                    walk(&pair.value.expr, document, names, told);
                }
            }
        }
        Expr::Comprehension(each) => {
            let range = resolve(&each.iter_range.expr, document, names);
            let unknown = range.iter().filter(|(_, value)| value.is_null());
            told.extend(unknown.map(|(name, _)| (name.clone(), "not known".to_owned())));
            let elements = range.into_iter().filter_map(|(_, value)| value.as_array()).flatten().enumerate();
            let named = elements.map(|(n, element)| {
                let name = ["name", "instance", "code", "subject"].iter().find_map(|key| element.get(key)?.as_str());
                (name.map_or_else(|| format!("{}", n + 1), clean), element)
            });
            names.push((each.iter_var.clone(), named.collect()));
            walk(&each.loop_step.expr, document, names, told);
            names.pop();
        }
        _ => {}
    }
}

/// What a path leads to.
fn resolve<'d>(expression: &Expr, document: &'d Json, names: &Names<'d>) -> Found<'d> {
    match expression {
        Expr::Ident(name) => match names.iter().rev().find(|(known, _)| known == name) {
            Some((_, found)) => found.clone(),
            None => document.get(name).map(|value| (name.clone(), value)).into_iter().collect(),
        },
        Expr::Select(select) => {
            let of = resolve(&select.operand.expr, document, names);
            of.into_iter().filter_map(|(name, value)| Some((format!("{name}.{}", select.field), value.get(&select.field)?))).collect()
        }
        _ => Vec::new(),
    }
}
