//! `diverged`: a replica has WAL that the leader's history does not have.

use super::{Case, Evidence, Explanation, Finding, Rule, settling};
use crate::model::{Cluster, Level, Lsn, Member, PatroniStatus, PostgresStatus, Time, size};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "diverged",
        runbook: Some("replace-replica"),
        fires: "a member that does not lead is on a timeline that the leader's parted from, and its own position lies beyond the point at which \
                they part (by the history in etcd), longer than a change of leader needs to settle. One whose position lies before that point \
                can still follow: that is `timeline-behind`.",
        matters: "It cannot follow the leader, take over, or be caught up by any WAL. What it holds beyond the fork exists nowhere else: a rewind \
                  or a new copy drops it.",
        next: &[
            "Find out whether somebody needs what it wrote beyond the fork: it was acknowledged to a client if the member led then. Keep its data directory until that is known.",
            "With use_pg_rewind, Patroni rewinds it by itself at a start; read its log for why that did not happen or failed.",
            "Else reinitialise it: patronictl reinit.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    case.cluster.members.values().filter_map(|member| judge(case.cluster, member, case.now)).collect()
}

/// The finding on one member, if there is one; `timeline-behind` asks it.
pub(super) fn judge(cluster: &Cluster, member: &Member, now: Time) -> Option<Finding> {
    let name = &member.name;
    // Two that write at once have a worse name.
    if cluster.holder_now(now) == Some(name) || settling(cluster, now) || cluster.writers(now).iter().any(|m| m.name == *name) {
        return None;
    }
    let (timeline, _) = cluster.timeline_sure(name, now)?;
    let fork = cluster.fork(timeline, now)?;
    let (at, position) = position(member, now)?;
    let beyond = at.bytes_since(fork);
    if beyond == 0 {
        return None;
    }
    let sentence = format!(
        "{name} has {} that the leader does not have: its timeline {timeline} ended at {fork}, it needs a rewind or a new copy",
        size(beyond)
    );
    let history = Evidence::dcs(cluster, "history", format!("timeline {timeline} ended at {fork}"));
    Some(Finding::new("diverged", Level::Warning, sentence).about(name).because([position, history]))
}

/// Up to where it has WAL: PostgreSQL's word, else Patroni's.
fn position(member: &Member, now: Time) -> Option<(Lsn, Evidence)> {
    let sql = member.sql_now(now).and_then(|s| PostgresStatus::wal_held(s).or(s.current_lsn));
    let rest = member.rest_now(now).and_then(|r| PatroniStatus::wal_held(r).or(r.location));
    let by_sql = sql.map(|at| (at, Evidence::sql(member, "position", at)));
    by_sql.or_else(|| rest.map(|at| (at, Evidence::rest(member, "position", at))))
}
