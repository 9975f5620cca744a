//! `replica-not-streaming`: a replica runs, but receives nothing.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Cluster, Level, Member, Role, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "replica-not-streaming",
        fires: "a replica runs, but neither Patroni nor pg_stat_wal_receiver says that it streams.",
        matters: "It falls further behind with every write, and its slot on the leader keeps WAL until the disk is full.",
        next: &[
            "Read PostgreSQL's log on the replica: a missing segment, a wrong password, and a timeline that has parted are the usual reasons.",
            "If WAL is missing that nobody has, reinitialise the replica.",
        ],
        runbook: Some("replace-replica"),
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    // Without a leader nobody can stream; that has a finding of its own.
    if cluster.leader_now(now).is_none() {
        return Vec::new();
    }
    cluster.members.values().filter_map(|member| judge(cluster, member, now)).collect()
}

fn judge(cluster: &Cluster, member: &Member, now: Time) -> Option<Finding> {
    if !matches!(cluster.role(&member.name, now), Role::Replica | Role::SyncStandby | Role::QuorumStandby) {
        return None;
    }
    let rest = member.rest_now(now).filter(|r| r.state.0 == "running" && r.tells_replication_state() != Some(false));
    let by_rest = rest.map(|r| r.replication_state.as_deref() == Some("streaming"));
    let by_sql = member.sql_now(now).map(|s| s.receiver.as_ref().is_some_and(|r| r.status.as_deref().is_none_or(|s| s == "streaming")));
    let unsaid = rest.is_some_and(|r| r.replication_state.is_none() && r.tells_replication_state().is_none());
    if (unsaid && by_sql != Some(false)) || by_rest.or(by_sql) != Some(false) {
        return None;
    }
    let how = member.rest_now(now).and_then(|r| r.replication_state.clone()).unwrap_or_else(|| "not streaming".to_owned());
    let sentence = format!("{} runs, but does not stream from anybody: it falls behind", member.name);
    let mut finding = Finding::new("replica-not-streaming", Level::Warning, sentence).about(&member.name);
    finding.evidence.extend(member.rest_now(now).map(|_| Evidence::rest(member, "replication_state", how)));
    finding.evidence.extend(member.sql_now(now).map(|s| {
        let value = s.receiver.as_ref().map_or("no row".to_owned(), |r| r.status.clone().unwrap_or_else(|| "present".to_owned()));
        Evidence::sql(member, "pg_stat_wal_receiver", value)
    }));
    Some(finding)
}
