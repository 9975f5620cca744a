//! `replica-not-streaming`: a replica runs, but receives nothing.

use super::{Case, Evidence, Explanation, Finding, Rule, settling};
use crate::model::{Cluster, Level, Member, Role, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "replica-not-streaming",
        runbook: Some("replica-not-streaming"),
        fires: "a replica runs, but neither Patroni nor pg_stat_wal_receiver says that it streams.",
        matters: "It falls further behind with every write, and its slot on the leader keeps WAL until the disk is full.",
        next: &[
            "Read PostgreSQL's log on the replica: a missing segment, a wrong password, and a timeline that has parted are the usual reasons.",
            "If WAL is missing that nobody has, reinitialise the replica.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    // Without a leader that serves nobody can stream, and who follows another one needs a moment; that has findings of its own.
    let Some(leader) = cluster.leader_now(now).and_then(|name| cluster.members.get(name)) else { return Vec::new() };
    let served = match (leader.sql_now(now), leader.rest_now(now)) {
        (Some(_), _) => leader.sql.at(),
        (None, Some(rest)) if rest.state.serves() => leader.rest.at(),
        _ => None,
    };
    if served.is_none() || settling(cluster, now) {
        return Vec::new();
    }
    let found = cluster.members.values().filter_map(|member| judge(cluster, member, now));
    // The leader must have served after the replica was seen without a stream.
    found
        .map(|finding| {
            let seen: Vec<_> = finding.evidence.iter().map(|e| e.at).collect();
            finding.comparing(seen).comparing([served])
        })
        .collect()
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
