//! `restart-loop`: a member's PostgreSQL is started again and again.

use super::{Case, Evidence, Explanation, Finding, Rule, spoken};
use crate::model::{Level, SourceId, Start};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "restart-loop",
        runbook: None,
        fires: "the start time of a member's PostgreSQL (pg_postmaster_start_time, by SQL or by REST) was seen to change as often as the limit \
                `restarts` (3 times) within the limit `restarts_within` (10 min). Starts that fail are not among them: those are `stuck`.",
        matters: "Each start ends every session on the member, and of the leader it is an outage. Something stops it each time: the kernel for \
                  want of memory, a crash, a script, or Patroni itself.",
        next: &[
            "Read PostgreSQL's log on it: what stands before each start says who ended it (signal 9: killed; immediate or fast shutdown request: asked to).",
            "Look for the kernel's out-of-memory killer: journalctl -k.",
            "Read Patroni's log at the same moments.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, limits, .. } = *case;
    let mut found = Vec::new();
    for member in cluster.members.values() {
        let starts = member.starts.within(limits.restarts_within, now);
        let Some(last) = starts.last().filter(|_| starts.len() >= limits.restarts) else { continue };
        let sentence = format!(
            "the PostgreSQL of {} was started {} times within {}, last {} ago",
            member.name,
            starts.len(),
            spoken(limits.restarts_within),
            spoken(now.since(last.at))
        );
        let told = |s: &Start| Evidence::new(SourceId::new(s.by, &member.name), "postmaster started", s.started, Some(s.at));
        let evidence: Vec<Evidence> = starts.iter().map(told).collect();
        found.push(Finding::new("restart-loop", Level::Warning, sentence).about(&member.name).because(evidence));
    }
    found
}
