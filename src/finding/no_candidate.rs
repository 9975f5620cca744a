//! `no-candidate`: if the leader died now, nobody could take over; or there is none, and nobody can.

use super::forecast::{Outcome, Reason};
use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::Level;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "no-candidate",
        runbook: Some("leader-down"),
        fires: "of the members other than the leader none could take over now, by the checks that Patroni itself makes: before a request \
                (reachable, nofailover, watchdog, synchronous set) and in the race for the leader key (maximum_lag_on_failover, timeline, \
                votes). While the cluster is paused or etcd has no quorum, those have findings of their own.",
        matters: "The next fault of the leader is an outage until somebody has acted by hand. A switchover is impossible as well.",
        next: &[
            "Read the reason beside each member's name; `enter` on a member shows all of them.",
            "Behind: see in the pane Lag whether it catches up. Not in the synchronous set: see whether it streams.",
            "nofailover: ask who set the tag, and why.",
            "Without a leader: bring the last leader back before you force a replica, for its data is complete.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, forecast, now, limits } = *case;
    // While one gives way to another as asked, all others wait, and that is as it should be.
    if cluster.asked_since(now).is_some_and(|at| now.since(at) < limits.switchover) {
        return Vec::new();
    }
    let general = forecast.standings.values().any(|s| s.reasons.iter().any(Reason::general));
    // A cluster of one never had a candidate: that is how it was built.
    if forecast.outcome != Outcome::Nobody || general || forecast.standings.is_empty() {
        return Vec::new();
    }
    let (severity, sentence) = match &forecast.leader {
        Some(leader) => (Level::Warning, format!("if {leader} died now, nobody could take over: {}", forecast.reasons())),
        None => (Level::Critical, format!("nobody can take over: {}", forecast.reasons())),
    };
    let mut finding = Finding::new("no-candidate", severity, sentence);
    for (name, standing) in &forecast.standings {
        let Some(member) = cluster.members.get(name) else { continue };
        for reason in &standing.reasons {
            finding.evidence.push(Evidence::rest(member, reason.code(), reason.told()));
        }
    }
    let limit = cluster.config().and_then(|c| c.maximum_lag_on_failover).unwrap_or(super::forecast::MAXIMUM_LAG);
    finding.evidence.push(Evidence::dcs(cluster, "maximum_lag_on_failover", format!("{limit} bytes")));
    // Each member is judged by what the others said: who accepted writes when the leader key went may have stopped with that.
    let heard = cluster.members.values().filter(|m| m.rest.error().is_none() && m.rest_now(now).is_some()).map(|m| m.rest.at());
    vec![finding.comparing(heard.chain([cluster.leaderless_since]))]
}
