//! `pending-restart`: a changed setting waits for a restart.

use super::{Evidence, Finding};
use crate::model::{Cluster, Level, PendingChange, Time};

pub(super) fn check(cluster: &Cluster, now: Time) -> Vec<Finding> {
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
