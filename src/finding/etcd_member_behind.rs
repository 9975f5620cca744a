//! `etcd-member-behind`: an etcd member does not keep up with the others, or does not apply what it has.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Cluster, EtcdStatus, EtcdTrend, Level, SourceId, SourceKind, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "etcd-member-behind",
        runbook: None,
        fires: "an etcd member's raft index is behind another's by more than the limit `etcd_behind` (1000 entries), or it has received more \
                entries than that and not applied them, in three readings in a row (6 s). Two indices are compared only when the other member \
                was read first, so that what was written between the two readings is no lag. A learner is given 12 readings (24 s).",
        matters: "A member that lags counts for the majority, but until it has caught up it helps nobody: if another one fails, every write waits for it. What it tells of itself, to a Patroni that asks only it, is old. etcd refuses writes when 5000 entries are not applied.",
        next: &[
            "Look at its disk (etcd-slow, iostat) and at its network to the raft leader.",
            "In its log: \"apply request took too long\", \"slow fdatasync\", \"leader failed to send out heartbeat\".",
            "If it does not catch up, take it out of the cluster, delete its data, and add it anew while the others are well.",
        ],
    }],
};

/// Readings in a row until it counts, two seconds apart.
const READINGS: usize = 3;
/// The same for a learner: it begins with nothing, and catching up is what it is for.
const LEARNER_READINGS: usize = 12;

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    cluster.etcd_now(now).values().filter_map(|(endpoint, status)| judge(case, endpoint, status)).collect()
}

fn judge(case: &Case<'_>, endpoint: &str, status: &EtcdStatus) -> Option<Finding> {
    let Case { cluster, limits, .. } = *case;
    let trend = cluster.etcd_trends.get(endpoint)?;
    let name = cluster.etcd_name(status.member_id);
    let (what, needed) = match cluster.etcd_learns(status) {
        true => (format!("the etcd learner {name}"), LEARNER_READINGS),
        false => (format!("the etcd member {name}"), READINGS),
    };
    let over = |n: &u64| *n > limits.etcd_behind;
    let limit = limits.etcd_behind;
    let behind = trend.behind.held(needed, over);
    let unapplied = trend.unapplied.held(needed, over);
    let mut sentence = match (behind, unapplied) {
        (Some(n), _) => format!("{what} is {n} entries behind the others (limit {limit})"),
        (None, Some(n)) => format!("{what} has {n} entries that it has not applied (limit {limit})"),
        (None, None) => return None,
    };
    if needed == LEARNER_READINGS {
        sentence += "; it has no vote, and cannot be given one before it has caught up";
    }
    let at = cluster.etcd.get(endpoint).and_then(|seen| seen.at());
    Some(
        Finding::new("etcd-member-behind", Level::Warning, sentence)
            .about(name)
            .because(evidence(endpoint, status, trend, at))
            .because(farthest(cluster, status, case.now)),
    )
}

fn evidence(endpoint: &str, status: &EtcdStatus, trend: &EtcdTrend, at: Option<Time>) -> Vec<Evidence> {
    let source = || SourceId::new(SourceKind::Etcd, endpoint);
    let mut all = vec![Evidence::new(source(), "raft index", status.raft_index, at)];
    if status.raft_applied_index > 0 {
        all.push(Evidence::new(source(), "raft applied index", status.raft_applied_index, at));
    }
    if let Some(behind) = trend.behind.last() {
        all.push(Evidence::new(source(), "entries behind for certain", behind, trend.behind.at()));
    }
    all
}

/// What the member that is farthest says.
fn farthest(cluster: &Cluster, status: &EtcdStatus, now: Time) -> Option<Evidence> {
    let answering = cluster.etcd_now(now);
    let (endpoint, other) = answering.values().filter(|(_, s)| s.member_id != status.member_id).max_by_key(|(_, s)| s.raft_index)?;
    let at = cluster.etcd.get(*endpoint).and_then(|seen| seen.at());
    Some(Evidence::new(SourceId::new(SourceKind::Etcd, *endpoint), "raft index", other.raft_index, at))
}
