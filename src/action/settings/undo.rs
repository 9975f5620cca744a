//! The way back to what was before the last edit of ours.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Change;
use super::change::{at, put};
use crate::action::{Check, Entry, Event, Outcome};
use crate::model::{Time, listed};

/// An edit that is to be taken back, as the audit has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// When it was made.
    pub at: Time,
    changes: Vec<Change>,
}

/// The part of an audited order that matters here.
#[derive(Debug, Deserialize)]
struct Request {
    changes: Vec<Change>,
}

impl Undo {
    /// The last edit of a cluster's configuration that was done, or of which nobody knows whether it was.
    pub fn last(entries: &[Entry], scope: &str) -> Option<Self> {
        let failed = |id: &str| {
            let ends = entries.iter().filter(|entry| entry.id == id);
            ends.filter_map(|entry| match &entry.event {
                Event::End { outcome, .. } => Some(*outcome),
                Event::Begin(_) => None,
            })
            .any(|outcome| matches!(outcome, Outcome::Refused | Outcome::Failed))
        };
        entries.iter().rev().filter(|entry| entry.cluster == scope && !failed(&entry.id)).find_map(|entry| match &entry.event {
            Event::Begin(begin) if entry.operation == "edit-config" => {
                let request: Request = serde_json::from_value(begin.request.clone()).ok()?;
                Some(Self { at: entry.at, changes: request.changes })
            }
            _ => None,
        })
    }

    /// The configuration with what was before.
    pub(super) fn applied(&self, mut settings: Map<String, Value>) -> Map<String, Value> {
        for change in self.changes.iter().rev().filter(|change| !change.masked) {
            put(&mut settings, &change.path, change.before.clone());
        }
        settings
    }

    /// Whether everything is as the edit has left it.
    pub(super) fn checks(&self, now: &Value) -> Vec<Check> {
        const ID: &str = "undo";
        let names = |which: &dyn Fn(&&Change) -> bool| self.changes.iter().filter(which).map(Change::name).collect::<Vec<_>>();
        let masked = names(&|change| change.masked);
        let moved = names(&|change| !change.masked && at(now, &change.path) != change.after.as_ref());
        let mut all = Vec::new();
        if !masked.is_empty() {
            let told = format!("what {} was before is not in the audit, as it may be a secret", listed(&masked));
            all.push(Check::impossible(ID, told));
        }
        if !moved.is_empty() {
            let told = format!("{} is not as that edit has left it: somebody changed it since, or the edit was never made", listed(&moved));
            all.push(Check::impossible(ID, told));
        }
        if all.is_empty() {
            all.push(Check::green(ID, format!("all is as the edit of {} has left it", self.at)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Light;
    use serde_json::json;

    #[test]
    fn the_way_back_leads_to_what_was_and_only_from_where_the_edit_led_to() {
        let before = json!({"ttl": 30, "slots": {"a": 1}, "postgresql": {"parameters": {"work_mem": "4MB"}}});
        let after = json!({"ttl": 20, "postgresql": {"parameters": {"work_mem": "4MB", "x.y": 2}}, "failsafe_mode": true});
        let undo = Undo { at: Time::from_micros(0), changes: Change::between(&before, &after) };
        let settings = after.as_object().cloned().expect("a table");
        assert_eq!(Value::Object(undo.applied(settings)), before);
        assert_eq!(undo.checks(&after)[0].light, Light::Green);
        let mut moved = after.clone();
        moved["ttl"] = json!(25);
        let check = &undo.checks(&moved)[0];
        assert!(check.light == Light::Red && check.sentence.starts_with("ttl is not as that edit"), "{check:?}");
        let secret = json!({"standby_cluster": {"restore_command": "TOKEN=x get"}});
        let changes = Change::between(&json!({}), &secret).into_iter().map(Change::without_secrets).collect();
        let undo = Undo { at: Time::from_micros(0), changes };
        assert!(undo.checks(&secret)[0].sentence.contains("may be a secret"));
    }
}
