//! What is asked before an order is given: each check a colour with its reason.

mod airflow;
mod candidate;
mod cluster;
mod member;

pub(super) use airflow::{airflow, airflow_told};
pub(super) use candidate::{at_its_time, candidate, candidates, loss};
pub(super) use cluster::{archiver, leader, no_request, not_paused, quorum, routes, servers, transactions};
pub(super) use member::{answers, is_leader, not_busy, rest_of_cluster, sql};

use serde::{Deserialize, Serialize};

/// The colour of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Light {
    /// As it should be.
    Green,
    /// It can be done, and somebody should know this.
    Amber,
    /// It must not be done, or would fail.
    Red,
}

/// A check with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// A stable name: `candidate-lag`. `--override` takes it.
    pub id: String,
    /// The colour.
    pub light: Light,
    /// The reason, one sentence without a full stop.
    pub sentence: String,
    /// Whether Patroni itself would do it all the same, so that who insists may.
    pub patroni_would: bool,
    /// Bytes of WAL that would be lost, where that is what it judges; `None` also: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<u64>,
}

impl Check {
    fn new(id: &str, light: Light, sentence: impl Into<String>, patroni_would: bool) -> Self {
        Self { id: id.to_owned(), light, sentence: sentence.into(), patroni_would, loss: None }
    }

    /// It is as it should be.
    pub fn green(id: &str, sentence: impl Into<String>) -> Self {
        Self::new(id, Light::Green, sentence, true)
    }

    /// Somebody should know this.
    pub fn amber(id: &str, sentence: impl Into<String>) -> Self {
        Self::new(id, Light::Amber, sentence, true)
    }

    /// Patroni would do it, and it must not be done lightly.
    pub fn red(id: &str, sentence: impl Into<String>) -> Self {
        Self::new(id, Light::Red, sentence, true)
    }

    /// Patroni would not do it.
    pub fn impossible(id: &str, sentence: impl Into<String>) -> Self {
        Self::new(id, Light::Red, sentence, false)
    }
}
