//! `leader-cannot-write`: the holder of the leader key does not accept writes, by its own word.

use super::{Case, Evidence, Explanation, Finding, Rule, spoken, switchover};
use crate::model::{Level, Member, Phase, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "leader-cannot-write",
        runbook: Some("leader-down"),
        fires: "the holder of the leader key says that its PostgreSQL is in recovery, more than 3 s after it has taken the key (a promotion takes \
                less than one); or its Patroni says that PostgreSQL starts, stops, has crashed or failed. Not in a standby cluster, whose leader \
                is in recovery by design. During a switchover that is known to be within the limit `switchover` it is a warning.",
        matters: "While it holds the key nobody else takes over, and clients cannot write. patronictl list calls it the leader all the same.",
        next: &[
            "Read the log of PostgreSQL on it, then Patroni's: recovery may be long after a crash, or it fails for a reason that stands there.",
            "Stopping that does not end: look whether it waits for the archiver or for a client that does not go.",
            "Start failed: Patroni gives the key up by itself once primary_start_timeout (300 s) has passed; with a healthy replica, a failover is quicker.",
            "In recovery without end: look for a standby.signal or a recovery that waits for WAL that never comes.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    judge(case).into_iter().collect()
}

/// The finding, if there is one; the rules that would say the same in other words ask it.
pub(super) fn judge(case: &Case<'_>) -> Option<Finding> {
    let Case { cluster, now, .. } = *case;
    let member = cluster.members.get(cluster.holder_now(now)?)?;
    if cluster.config().is_some_and(|c| c.standby_cluster) || cluster.promoting(now) {
        return None;
    }
    let why = why(member, now)?;
    let name = &member.name;
    let others = cluster.members.values().any(|m| m.name != *name && m.writable(now) == Some(true));
    let finding = if let Some(handover) = switchover::in_time(case) {
        let sentence = if handover.from == *name {
            let who = handover.to.unwrap_or_else(|| "somebody".to_owned());
            format!("{name} hands over as asked: clients cannot write until {who} takes over")
        } else {
            format!("{name} takes over as asked: clients cannot write until it is promoted")
        };
        Finding::new("leader-cannot-write", Level::Warning, sentence)
    } else {
        let then = if others { "" } else { ": clients cannot write" };
        Finding::new("leader-cannot-write", Level::Critical, format!("{name} holds the leader key, but {why}{then}"))
    };
    let key = Evidence::dcs(cluster, "leader key", name);
    let state = member.standing_now(now).map(|s| Evidence::rest(member, "state", format!("{}, seen since {}", s.state.0, s.since)));
    let recovery = member.sql_now(now).map(|s| Evidence::sql(member, "pg_is_in_recovery()", s.in_recovery));
    Some(finding.about(name).because([key]).because(state).because(recovery).because(Evidence::errors(member)))
}

/// Why it cannot write, by its own word: PostgreSQL's, else Patroni's.
fn why(member: &Member, now: Time) -> Option<String> {
    match member.writable(now) {
        Some(true) => return None,
        Some(false) => return Some("its PostgreSQL is in recovery".to_owned()),
        None => {}
    }
    let standing = member.standing_now(now)?;
    let lasting = now.since(standing.down_since?);
    let span = if lasting.as_secs() < 5 { String::new() } else { format!(" for {}", spoken(lasting)) };
    match standing.state.phase() {
        Phase::Serves | Phase::Unknown => None,
        _ => Some(format!("its PostgreSQL does not serve{span}: Patroni calls it {}", standing.state.0)),
    }
}
