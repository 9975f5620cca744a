//! What a rule is.

use super::forecast::Forecast;
use super::{Finding, Limits};
use crate::model::{Cluster, Time};

/// What a rule judges: the cluster at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The moment.
    pub now: Time,
    /// From where on something is too much.
    pub limits: &'a Limits,
    /// Who would take over.
    pub forecast: &'a Forecast,
}

/// A rule: a pure function from a case to findings, and what the codes mean that it may give.
pub(super) struct Rule {
    /// What it finds.
    pub check: fn(&Case<'_>) -> Vec<Finding>,
    /// The codes of what it finds.
    pub codes: &'static [Explanation],
}

/// What stands behind a code, for `pgbaton explain` and for the one who opens a finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The code; stable, part of what scripts rely on.
    pub code: &'static str,
    /// The runbook that answers it, of those that come with pgbaton.
    pub runbook: Option<&'static str>,
    /// When it fires: what was seen, by whom.
    pub fires: &'static str,
    /// Why it matters.
    pub matters: &'static str,
    /// What to do next, in the order in which to do it. A word in capitals stands for a name, which the finding puts in.
    pub next: &'static [&'static str],
}
