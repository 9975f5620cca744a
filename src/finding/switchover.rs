//! `switchover`: what was asked for is under way, and for how long writes have been away.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, leader_disagreement, spoken};
use crate::model::{Cluster, Handover, Level, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "switchover",
        fires: "the key failover in etcd asks the leader to hand over, now and not later, or has led to another leader; until the new leader's PostgreSQL \
                accepts writes and every write route leads to it. While it takes no longer than the limit `switchover`, what belongs to it (no leader \
                key, a write route without a server, the old leader's PostgreSQL stopped) is a warning; afterwards each is as bad as without it, \
                and so is this one if clients cannot write.",
        matters: "Clients cannot write from the moment at which the old leader stops until HAProxy has seen the new one. It was asked for, and usually \
                  takes 5 to 11 seconds, most of which HAProxy waits for its checks.",
        next: &[
            "Within the limit: wait. Do not ask for it a second time, and do not restart anything meanwhile.",
            "Still accepting writes after a while: the old leader makes a checkpoint, or its Patroni has not come to it yet; read its log.",
            "Longer, and writes are away: see whether the old leader still stops, whether anybody has the leader key, and where HAProxy sends writes.",
        ],
    }],
};

/// The switchover that is under way, if it has not taken longer than the limit.
pub(super) fn in_time(case: &Case<'_>) -> Option<Handover> {
    case.cluster.handover(case.now).filter(|handover| case.now.since(handover.seen) <= case.limits.switchover)
}

/// Whether writes are away, as far as somebody says.
fn away(cluster: &Cluster, handover: &Handover, now: Time) -> Option<bool> {
    if cluster.holder() != Some(&handover.from) {
        return Some(true);
    }
    let member = cluster.members.get(&handover.from)?;
    let stopped = member.sql.error().filter(|error| error.kind.is_absence()).map(|_| true);
    let by_rest = || member.rest_now(now).filter(|rest| !rest.state.serves()).map(|_| true);
    member.writable(now).map(|writable| !writable).or(stopped).or_else(by_rest)
}

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, limits, .. } = *case;
    let Some(handover) = cluster.handover(now).filter(|_| cluster.dcs_current(now)) else { return Vec::new() };
    let lasting = now.since(handover.seen);
    let late = lasting > limits.switchover;
    let standby_cluster = cluster.config().is_some_and(|c| c.standby_cluster);
    let writes = match away(cluster, &handover, now) {
        _ if standby_cluster => "",
        Some(true) => "; writes are away",
        Some(false) => &format!("; {} still accepts writes", handover.from),
        None => "; whether writes are away is not known",
    };
    let from = &handover.from;
    let to = handover.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
    let least = if handover.since.is_none() { " at least" } else { "" };
    let sentence = if late {
        format!("the switchover from {from}{to} is not over after {}{least} (limit {}){writes}", spoken(lasting), spoken(limits.switchover))
    } else if lasting < MOMENT {
        format!("switchover from {from}{to} under way{writes}")
    } else {
        format!("switchover from {from}{to} under way, {}{least}{writes}", spoken(lasting))
    };
    let accepts = away(cluster, &handover, now) == Some(false);
    let severity = if late && !accepts { Level::Critical } else { Level::Warning };
    let key = match cluster.dcs.keys.pending_failover() {
        Some(asked) => {
            let from = asked.leader.as_deref().unwrap_or("whoever leads");
            format!("from {from} to {}", asked.candidate.as_deref().unwrap_or("whoever can"))
        }
        None => "done with".to_owned(),
    };
    let key = Evidence::dcs(cluster, "failover key", key);
    vec![Finding::new("switchover", severity, sentence).because([key]).because(leader_disagreement::evidence(cluster, now))]
}

/// What lasts for less has no number.
const MOMENT: Duration = Duration::from_secs(1);
