//! `[limits]` and `[clusters.NAME.limits]` of pgbaton.toml.

use super::diagnostic::{Diagnostic, quote};
use super::draft::LimitsDraft;
use super::node::{Kind, Node, Value};
use super::pgbaton_toml::Reader;
use super::section::{Section, wrong_type};
use crate::finding::{Amount, LIMITS};
use crate::model::quantity::{self, SIZE, SPAN};

impl Reader<'_> {
    /// The table `limits` inside `table`; nothing is limited otherwise than usual when there is none.
    pub fn limits(&mut self, table: &Section<'_>) -> LimitsDraft {
        let mut draft = LimitsDraft::default();
        let Some(section) = table.table("limits", self.out) else { return draft };
        let known: Vec<&str> = LIMITS.iter().map(|limit| limit.key).collect();
        section.only(&known, self.out);
        for limit in LIMITS {
            let Some(node) = section.get(limit.key, self.out) else { continue };
            let path = section.path(limit.key);
            let value = match limit.amount {
                Amount::Bytes(field) => self.amount(node, &path, "a size", SIZE, quantity::size).map(|v| *field(&mut draft.values) = v),
                Amount::Span(field) => self.amount(node, &path, "a time", SPAN, quantity::span).map(|v| *field(&mut draft.values) = v),
                Amount::Share(field) => self.amount(node, &path, "a share", SHARE, share).map(|v| *field(&mut draft.values) = v),
                Amount::Times(field) => {
                    self.amount(node, &path, "a whole number above 0", COUNT, times).map(|v| *field(&mut draft.values) = v)
                }
                Amount::Count(field) => {
                    self.amount(node, &path, "a whole number above 0", COUNT, count).map(|v| *field(&mut draft.values) = v)
                }
            };
            if value.is_some() && limit.beyond(&draft.values) {
                let most = limit.most_told().unwrap_or_default();
                let message = format!("{} is more than pgbaton remembers", quote(&path));
                self.out.push(Diagnostic::new(node.at.clone(), message).hint(format!("at most {most} can be set")));
            }
            if value.is_some() {
                draft.origins.insert(limit.key, node.at.clone());
            }
        }
        draft
    }

    /// A number, or a string that `read` makes one of.
    fn amount<T>(&mut self, node: &Node, path: &str, what: &str, hint: &str, read: fn(&str) -> Option<T>) -> Option<T> {
        let text = match &node.value {
            Value::Scalar(scalar) if matches!(scalar.kind, Kind::Text | Kind::Integer | Kind::Float) => &scalar.text,
            _ => {
                self.out.push(wrong_type(node, path, what).hint(hint));
                return None;
            }
        };
        let value = read(text);
        if value.is_none() {
            self.out.push(Diagnostic::new(node.at.clone(), format!("{} is {}, which is not {what}", quote(path), quote(text))).hint(hint));
        }
        value
    }
}

const SHARE: &str = "a share is a number above 0 and up to 1, as 0.8, or \"80%\"";
const COUNT: &str = "write it without quotes and without a point, as 1000";

fn share(text: &str) -> Option<f64> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (share > 0.0 && share <= 1.0).then_some(share)
}

fn times(text: &str) -> Option<usize> {
    text.parse().ok().filter(|n| *n > 0)
}

fn count(text: &str) -> Option<u64> {
    text.parse().ok().filter(|n| *n > 0)
}
