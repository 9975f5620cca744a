//! `oom-killed`: the kernel of a node has killed a process for want of memory.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, spoken};
use crate::model::{Host, Level, OomRise, SourceId, SourceKind, Time};

/// For how long it is told.
const TOLD: Duration = Duration::from_secs(3600);

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "oom-killed",
        runbook: None,
        fires: "the kernel's count of processes that were killed for want of memory (oom_kill of /proc/vmstat) has risen on a node while \
                pgbaton looked, within the last hour. What was killed before that is in the member's details and no finding: nobody tells when.",
        matters: "When the kernel kills a process of PostgreSQL's, all sessions end and it recovers from a crash; when it kills the postmaster, \
                  Patroni or etcd, the member is down. What has happened once happens again under the same load.",
        next: &[
            "See whom it hit: journalctl -k -g 'Out of memory' on the node, or dmesg -T.",
            "Look at what uses the memory: work_mem times sessions, huge pages, another program on the same node.",
            "Set vm.overcommit_memory to 2, as PostgreSQL's manual has it: then a query fails, and no process is killed.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    case.cluster.hosts.iter().filter_map(|(name, host)| judge(case, name, host)).collect()
}

fn judge(case: &Case<'_>, name: &str, host: &Host) -> Option<Finding> {
    let OomRise { before, now, after, until } = host.oom.filter(|rise| case.now.since(rise.until) <= TOLD)?;
    let processes = match now.saturating_sub(before) {
        1 => "a process".to_owned(),
        count => format!("{count} processes"),
    };
    let ago = case.now.since(until);
    let when = if ago < Duration::from_secs(60) { "just now".to_owned() } else { format!("the last one {} ago", spoken(ago)) };
    // Whether it was PostgreSQL's the count does not tell; a start that followed is worth a word.
    let member = case.cluster.members.get(name);
    let started = member.and_then(|m| m.sql_now(case.now)?.postmaster_start).filter(|at| *at >= after);
    let then = started.map_or(String::new(), |_| "; its PostgreSQL has started again since".to_owned());
    let sentence = format!("the kernel of {name} has killed {processes} for want of memory, {when}{then}");
    let source = SourceId::new(SourceKind::Host, name);
    let mut evidence = vec![Evidence::new(source, "oom_kill", format!("{before}, then {now}"), Some(until))];
    evidence.extend(member.zip(started).map(|(member, at): (_, Time)| Evidence::sql(member, "postmaster start", at)));
    Some(Finding::new("oom-killed", Level::Warning, sentence).about(name).because(evidence))
}
