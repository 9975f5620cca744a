//! `pending-restart`: a changed setting waits for a restart.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Level, PendingChange};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "pending-restart",
        runbook: Some("rolling-restart"),
        fires: "Patroni says that a changed setting takes effect only after a restart of PostgreSQL on this member.",
        matters: "The member runs with old settings. A restart or a failover at a bad moment brings the new ones in unawares.",
        next: &[
            "See which settings wait (old and new value in the evidence).",
            "Restart the replicas first, switch over, then restart the old leader.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let mut found = Vec::new();
    for member in cluster.members.values() {
        let Some(rest) = member.rest_now(now).filter(|r| r.pending_restart) else { continue };
        let changes: Vec<String> = rest.pending_changes.iter().map(told).collect();
        let why = if changes.is_empty() { String::new() } else { format!(": {}", changes.join(", ")) };
        let sentence = format!("{} runs with old settings until it is restarted{why}", member.name);
        let evidence = Evidence::rest(member, "pending_restart", if changes.is_empty() { "true".to_owned() } else { changes.join(", ") });
        found.push(Finding::new("pending-restart", Level::Warning, sentence).about(&member.name).because([evidence]));
    }
    found
}

fn told(change: &PendingChange) -> String {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "unset".to_owned());
    format!("{} {} -> {}", change.parameter, side(&change.old), side(&change.new))
}
