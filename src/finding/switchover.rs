//! `switchover`: what was asked for is under way, and for how long writes have been away.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, leader_disagreement, spoken};
use crate::model::{Cluster, Handover, Level, Member, RouteKind, Time, size};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "switchover",
        runbook: None,
        fires: "the key failover in etcd asks the holder of the leader key to hand over, now and not later, or has led to another \
                leader; until the new leader's PostgreSQL accepts writes and every write route leads to it, or, once the limit `switchover` is over, one. \
                While it takes no longer than that limit, counted from when it was asked for or due, what belongs to it (no leader key, a write route without a server, the old leader's PostgreSQL stopped) is a warning; \
                afterwards each is as bad as without it, and so is this one if clients cannot write. One that was there when pgbaton came and \
                was not scheduled may have lasted for any time: nothing is lessened by it, unless a replica has replayed a commit that is no older than the limit, \
                by the old leader's clock, which its host has told.",
        matters: "Clients cannot write from the moment at which the old leader stops until HAProxy has seen the new one. It was asked for, and usually \
                  takes 5 to 11 seconds, most of which HAProxy waits for its checks.",
        next: &[
            "Within the limit: wait. Do not ask for it a second time, and do not restart anything meanwhile.",
            "Still accepting writes after a while: the old leader makes a checkpoint, or its Patroni has not come to it yet; read its log.",
            "The new leader has something to replay: if that does not become less, its startup process hangs (`ps` shows it in state T or D) or a query on it stands in the way; nobody writes before that is over.",
            "Longer, and writes are away: see whether the old leader still stops, whether anybody has the leader key, and where HAProxy sends writes.",
        ],
    }],
};

/// The switchover that is under way, if it is known that it has not taken longer than the limit: for a check that comes anew each time, one
/// that hangs would otherwise be new each time. Of one whose beginning nobody saw that is known when a commit is younger: writes have been away
/// for no longer.
pub(super) fn in_time(case: &Case<'_>) -> Option<Handover> {
    let since = |h: &Handover| h.since.or(h.wrote.as_ref().map(|(_, at)| *at));
    case.cluster.handover(case.now).filter(|h| since(h).is_some_and(|since| case.now.since(since) <= case.limits.switchover))
}

/// Where writes are.
enum Writes {
    /// The old leader takes them.
    Stay,
    /// Nobody takes them.
    Away,
    /// Nobody takes them: this new leader has the key, and so many bytes to replay first.
    Replaying(String, u64),
    /// This new leader would take them, and no route leads there.
    Unrouted(String),
    /// This new leader takes them on some routes.
    Arriving(String),
    /// Nobody says.
    Unknown,
}

impl Writes {
    fn of(cluster: &Cluster, handover: &Handover, now: Time) -> Self {
        let Some(holder) = cluster.holder().and_then(|holder| cluster.members.get(holder)) else { return Self::Away };
        if holder.name != handover.from {
            let arrives = cluster.routes(now).iter().any(|r| r.kind == RouteKind::Write && r.right(cluster, now) == Some(true));
            return match (cluster.takes_writes(holder, now), arrives) {
                (Some(true), true) => Self::Arriving(holder.name.clone()),
                (Some(true), false) => Self::Unrouted(holder.name.clone()),
                (Some(false), _) => to_replay(holder, now).map_or(Self::Away, |bytes| Self::Replaying(holder.name.clone(), bytes)),
                (None, _) => Self::Unknown,
            };
        }
        let stopped = holder.sql.error().is_some_and(|error| error.kind.is_absence());
        match holder.writable(now) {
            Some(true) => Self::Stay,
            Some(false) => Self::Away,
            None if stopped || holder.rest_now(now).is_some_and(|rest| !rest.state.serves()) => Self::Away,
            None => Self::Unknown,
        }
    }

    fn told(&self, from: &str) -> String {
        match self {
            Self::Stay => format!("; {from} still accepts writes"),
            Self::Away => "; writes are away".to_owned(),
            Self::Replaying(to, bytes) => format!("; writes are away: {to} has {} to replay before it accepts them", size(*bytes)),
            Self::Unrouted(to) => format!("; writes are away: {to} accepts them, but no route leads there yet"),
            Self::Arriving(to) => format!("; {to} accepts writes, but not every route leads there yet"),
            Self::Unknown => "; whether writes are away is not known".to_owned(),
        }
    }
}

/// What a member has received and not replayed, bytes; `None`: nothing, or it does not say so now.
fn to_replay(member: &Member, now: Time) -> Option<u64> {
    let sql = member.sql_now(now).filter(|sql| sql.in_recovery)?;
    Some(sql.receive_lsn?.bytes_since(sql.replay_lsn?)).filter(|bytes| *bytes > 0)
}

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, limits, .. } = *case;
    let Some(handover) = cluster.handover(now).filter(|_| cluster.dcs_current(now)) else { return Vec::new() };
    let lasting = now.since(handover.seen);
    let late = lasting > limits.switchover;
    // The routes tell the rest.
    if late && handover.arrived {
        return Vec::new();
    }
    let standby_cluster = cluster.config().is_some_and(|c| c.standby_cluster);
    let writes = Writes::of(cluster, &handover, now);
    let from = &handover.from;
    // Nobody writes to a standby cluster.
    let mut told = if standby_cluster { String::new() } else { writes.told(from) };
    let wrote = handover.wrote.as_ref().filter(|_| handover.since.is_none() && matches!(writes, Writes::Away | Writes::Replaying(..)));
    if let (Some((_, at)), false) = (wrote, standby_cluster) {
        // What is a part of a second counts as one.
        told += &format!(", for {} at most", spoken(now.since(*at) + MOMENT));
    }
    let to = handover.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
    let least = if handover.since.is_none() { " at least" } else { "" };
    let sentence = if late {
        format!("the switchover from {from}{to} is not over after {}{least} (limit {}){told}", spoken(lasting), spoken(limits.switchover))
    } else if lasting < MOMENT {
        format!("switchover from {from}{to} under way{told}")
    } else {
        format!("switchover from {from}{to} under way, {}{least}{told}", spoken(lasting))
    };
    let bad = match writes {
        _ if standby_cluster => false,
        Writes::Stay | Writes::Arriving(_) => false,
        Writes::Away | Writes::Replaying(..) | Writes::Unrouted(_) => in_time(case).is_none(),
        Writes::Unknown => late,
    };
    let severity = if bad { Level::Critical } else { Level::Warning };
    let key = match cluster.dcs.keys.pending_failover() {
        Some(asked) => {
            let from = asked.leader.as_deref().unwrap_or("whoever leads");
            format!("from {from} to {}", asked.candidate.as_deref().unwrap_or("whoever can"))
        }
        None => "done with".to_owned(),
    };
    let key = Evidence::dcs(cluster, "failover key", key);
    let commit = wrote.map(|(source, at)| Evidence::new(source.clone(), "newest commit replayed", at, Some(*at)));
    let told = leader_disagreement::evidence(cluster, now);
    vec![Finding::new("switchover", severity, sentence).because([key]).because(commit).because(told)]
}

/// What lasts for less has no number.
const MOMENT: Duration = Duration::from_secs(1);
