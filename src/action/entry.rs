//! What the audit holds: a line before an action, and one after it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Check, Outcome};
use crate::model::Time;

/// A line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The same for both lines of an action.
    pub id: String,
    /// When the line was written.
    pub at: Time,
    /// Patroni's scope.
    pub cluster: String,
    /// The operation's name.
    pub operation: String,
    /// Before or after.
    #[serde(flatten)]
    pub event: Event,
}

/// Before or after.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// The order is about to go out.
    Begin(Box<Beginning>),
    /// The outcome.
    End {
        /// DONE, REFUSED, FAILED or UNKNOWN.
        outcome: Outcome,
        /// Why it is called that.
        sentence: String,
        /// What Patroni answered.
        reply: Option<String>,
        /// Seconds from the order to each step that was seen.
        phases: BTreeMap<String, f64>,
        /// For how long writes were away on each route, milliseconds; `null` where that is not known.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        downtime_ms: BTreeMap<String, Option<u64>>,
        /// What was noted on the way.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
    },
}

impl Event {
    /// An end of which there is no more to say.
    pub(super) fn end(outcome: Outcome, sentence: String) -> Self {
        let (phases, downtime_ms) = (BTreeMap::new(), BTreeMap::new());
        Self::End { outcome, sentence, reply: None, phases, downtime_ms, notes: Vec::new() }
    }
}

/// What is written down before an order goes out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Beginning {
    /// What it is.
    pub sentence: String,
    /// Whom it is done to, if it is one member.
    pub member: Option<String>,
    /// Who: user, number, groups, before sudo, SSH client, host.
    pub who: Value,
    /// The number of the process.
    pub pid: u32,
    /// The exact order.
    pub request: Value,
    /// The line of patronictl that does the same.
    pub patronictl: Option<String>,
    /// The checks, as they were made.
    pub checks: Vec<Check>,
    /// Red checks that were passed over.
    pub overridden: Vec<String>,
    /// What was answered when it asked.
    pub answered: String,
    /// Why, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When somebody is to be reminded of it, if that is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Time>,
    /// The request that a second person has approved, if that was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<SecondPerson>,
}

/// Who has approved what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecondPerson {
    /// The request's name.
    pub request: String,
    /// Its hash.
    pub sha256: String,
    /// Who has approved it, by the owner of the approval's file; `null`: nobody yet.
    pub approved_by: Option<String>,
}
