//! `timeline-behind`: a replica is on another timeline than the leader.

use super::{Case, Evidence, Explanation, Finding, Rule, diverged, settling};
use crate::model::{Level, Member, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "timeline-behind",
        runbook: None,
        fires: "a replica is on another timeline than the leader, longer than a change of leader needs to settle, and it is not known to have \
                WAL beyond the point at which the two part (that would be `diverged`).",
        matters: "It does not follow the leader: it cannot take over and receives nothing.",
        next: &[
            "Read Patroni's log on it: pg_rewind is tried first, and the log says why it failed.",
            "If it cannot be rewound, reinitialise it. Before that, think whether it holds writes that the leader does not have.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let Some(leader) = cluster.leader_now(now) else { return Vec::new() };
    let Some((of_leader, by_leader)) = cluster.timeline_sure(leader, now) else { return Vec::new() };
    // A replica follows to the new timeline at its Patroni's next loop.
    if settling(cluster, now) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for member in cluster.members.values().filter(|m| m.name != leader) {
        let Some((timeline, by)) = cluster.timeline_sure(&member.name, now).filter(|(t, _)| *t != of_leader) else { continue };
        // One that writes beside the leader is a split brain.
        let writes = cluster.writers(now).iter().any(|m| m.name == member.name);
        if writes || diverged::judge(cluster, member, now).is_some() {
            continue;
        }
        let sentence = format!("{} is on timeline {timeline}, the leader on {of_leader}: it cannot follow nor take over", member.name);
        let of = |m: &Member, by, value| match by {
            SourceKind::Sql => Evidence::sql(m, "timeline", value),
            _ => Evidence::rest(m, "timeline", value),
        };
        let mut finding = Finding::new("timeline-behind", Level::Warning, sentence).about(&member.name).because([of(member, by, timeline)]);
        finding.evidence.extend(cluster.members.get(leader).map(|m| of(m, by_leader, of_leader)));
        let read: Vec<_> = finding.evidence.iter().map(|e| e.at).collect();
        let finding = finding.comparing(read);
        found.push(finding);
    }
    found
}
