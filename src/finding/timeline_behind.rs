//! `timeline-behind`: a replica is on another timeline than the leader.

use super::{Case, Evidence, Explanation, Finding, Rule, settling};
use crate::model::Level;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "timeline-behind",
        fires: "a replica is on another timeline than the leader, longer than a change of leader needs to settle.",
        matters: "It does not follow the leader: it cannot take over and receives nothing.",
        next: &[
            "Read Patroni's log on it: pg_rewind is tried first, and the log says why it failed.",
            "If it cannot be rewound, reinitialise it. Before that, think whether it holds writes that the leader does not have.",
        ],
        runbook: Some("replace-replica"),
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let Some(leader) = cluster.leader_now(now) else { return Vec::new() };
    let Some(of_leader) = cluster.timeline(leader, now) else { return Vec::new() };
    // A replica follows to the new timeline at its Patroni's next loop.
    if settling(cluster, now) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for member in cluster.members.values().filter(|m| m.name != leader) {
        let Some(timeline) = cluster.timeline(&member.name, now).filter(|t| *t != of_leader) else { continue };
        let sentence = format!("{} is on timeline {timeline}, the leader on {of_leader}: it cannot follow nor take over", member.name);
        let of = |m: &crate::model::Member, value| match m.sql_now(now) {
            Some(_) => Evidence::sql(m, "timeline", value),
            None => Evidence::rest(m, "timeline", value),
        };
        let mut finding = Finding::new("timeline-behind", Level::Warning, sentence).about(&member.name).because([of(member, timeline)]);
        finding.evidence.extend(cluster.members.get(leader).map(|m| of(m, of_leader)));
        let read: Vec<_> = finding.evidence.iter().map(|e| e.at).collect();
        let finding = finding.comparing(read);
        found.push(finding);
    }
    found
}
