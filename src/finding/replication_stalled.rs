//! `replication-stalled`: a replica counts as streaming, and nothing arrives.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, settling, spoken};
use crate::model::{Level, Member, size};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "replication-stalled",
        runbook: Some("lag-high"),
        fires: "a replica's receiver calls itself streaming, and for longer than the limit `replication_stall` has received nothing, though the leader had written more \
                all that time; or the leader has heard nothing from it (reply_time in pg_stat_replication stands still) for longer than \
                wal_receiver_status_interval (10 s) and that limit.",
        matters: "Patroni and PostgreSQL go on calling it streaming until wal_receiver_timeout and wal_sender_timeout (60 s each): it falls behind with every \
                  write, what is not received would be lost in a failover, and commits that wait for it hang.",
        next: &[
            "If it is every replica of the leader: look at the network between the leader and the others, PostgreSQL's port first.",
            "If it is one: look at its host (frozen, disk full or slow), then at its walreceiver and its log.",
            "Do not switch over to it before it has caught up.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let leader = cluster.leader_now(now).filter(|_| !settling(cluster, now)).and_then(|name| cluster.members.get(name));
    let Some(leader) = leader else { return Vec::new() };
    let others = cluster.members.values().filter(|m| m.name != leader.name && cluster.renamed(m, now).is_none());
    others.filter_map(|member| judge(case, leader, member)).collect()
}

fn judge(case: &Case<'_>, leader: &Member, member: &Member) -> Option<Finding> {
    let Case { now, limits, .. } = *case;
    let name = &member.name;
    // Of one whose PostgreSQL does not answer us either, others tell.
    let sql = member.sql_now(now).filter(|sql| sql.in_recovery)?;
    let receiver = sql.receiver.as_ref().filter(|r| r.status.as_deref().is_none_or(|status| status == "streaming"))?;
    let stall = member.stall.zip(member.stalled_for()).filter(|(_, lasting)| *lasting >= limits.replication_stall);
    let interval = sql.settings.status_interval.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.into()));
    let silent = leader.sql_now(now).and(leader.unheard_from(name));
    let mute = silent.zip(interval).filter(|(silent, interval)| *silent >= *interval + limits.replication_stall);
    let written = leader.sql_now(now).and_then(|sql| sql.current_lsn);
    let sentence = match (&stall, &mute) {
        (Some((stall, lasting)), _) => {
            let lacks = written.map(|at| size(at.bytes_since(stall.received))).unwrap_or_else(|| "an unknown amount".to_owned());
            format!(
                "{name} counts as streaming, but has received nothing for {}, and lacks {lacks} of what {} wrote",
                spoken(*lasting),
                leader.name
            )
        }
        (None, Some((silent, interval))) => {
            let usual = spoken(*interval);
            format!("{name} counts as streaming, but {} has not heard from it for {} (each {usual} is usual)", leader.name, spoken(*silent))
        }
        (None, None) => return None,
    };
    let mut finding = Finding::new("replication-stalled", Level::Warning, sentence).about(name);
    let status = receiver.status.as_deref().unwrap_or("present");
    finding.evidence.push(Evidence::sql(member, "pg_stat_wal_receiver", status));
    finding
        .evidence
        .extend(stall.map(|(stall, _)| Evidence::sql(member, "received, no more since", format!("{} at {}", stall.received, stall.since))));
    finding.evidence.extend(written.map(|at| Evidence::sql(leader, "pg_current_wal_lsn()", at)));
    finding.evidence.extend(
        silent.map(|silent| Evidence::sql(leader, "its last word in pg_stat_replication", format!("{} ago or longer", spoken(silent)))),
    );
    Some(finding)
}
