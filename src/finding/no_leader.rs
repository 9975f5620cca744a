//! `no-leader`: there is no leader key.

use super::{Case, Evidence, Explanation, Finding, Rule, listed, switchover};
use crate::model::{Level, Member, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "no-leader",
        runbook: Some("leader-down"),
        fires: "etcd, by a majority, holds no leader key. It is a warning while failsafe mode holds a leader that cannot reach etcd (it says \
                failsafe_mode_is_active, and its PostgreSQL accepts writes on the newest timeline), and while a leader hands over as asked, \
                known to be within the limit `switchover`; not when somebody accepts writes meanwhile, when the members' keys are gone as well, or when nobody will take over \
                because the cluster is paused and no candidate is named.",
        matters: "Nobody may accept writes. A replica that is allowed to takes the key within loop_wait; while the cluster is paused nobody does.",
        next: &[
            "Look at the forecast: who can take over, and for everybody else why not.",
            "Wait for one loop_wait: an election takes seconds.",
            "If nobody can: bring the last leader back (its data is complete) before you force a replica.",
            "If somebody accepts writes without the key, stop that first; unless failsafe mode holds it: then bring back its way to etcd.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    if !cluster.dcs_current(now) || cluster.holder().is_some() {
        return Vec::new();
    }
    let keys = &cluster.dcs.keys;
    // Who accepted writes before the key was gone may have stopped with it.
    let since = |m: &Member| cluster.leaderless_since.is_none_or(|gone| m.sql.at().is_some_and(|read| read >= gone));
    let writes = |m: &&Member| m.writable(now) == Some(true) && since(m) && !cluster.told_under_its_new_name(m, now);
    let writers: Vec<&str> = cluster.members.values().filter(writes).map(|m| m.name.as_str()).collect();
    let last_word: Vec<&str> = cluster.members.values().filter(|m| m.writable(now) == Some(true)).map(|m| m.name.as_str()).collect();
    let paused = cluster.config().is_some_and(|c| c.paused);
    // While the cluster is paused, only a candidate who is named takes over, and only at once.
    let named = || keys.pending_failover().is_some_and(|asked| asked.candidate.is_some() && asked.scheduled_at.is_none());
    let handover = switchover::in_time(case).filter(|h| (!paused || named()) && last_word.iter().all(|name| *name == h.from));
    let failsafe = cluster.failsafe_leader(now);
    let (severity, sentence, value) = if keys.members.is_empty() && keys.initialize.is_none() && cluster.members.is_empty() {
        (Level::Critical, format!("etcd holds no cluster named {}: nothing is under its keys", cluster.scope), "no keys")
    } else if keys.initialize.as_deref().is_none_or(str::is_empty) && cluster.members.values().all(|m| !m.present) {
        (Level::Critical, format!("the cluster {} is gone from etcd: neither members nor a leader", cluster.scope), "absent")
    } else if let Some(leader) = failsafe {
        let sentence = format!("{leader} accepts writes without the leader key: failsafe mode holds it as long as every member answers it");
        (Level::Warning, sentence, "absent")
    } else if !writers.is_empty() {
        let accept = if writers.len() == 1 { "accepts" } else { "accept" };
        (Level::Critical, format!("nobody holds the leader key, yet {} {accept} writes", listed(&writers)), "absent")
    } else if let Some(handover) = &handover {
        let to = handover.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
        let then = if last_word.is_empty() { ": clients cannot write" } else { "" };
        (Level::Warning, format!("nobody leads while {} hands over{to} as asked{then}", handover.from), "absent")
    } else if !last_word.is_empty() {
        // Asked again within a second: in failsafe mode, or without a watchdog, it may well accept writes.
        (Level::Critical, "nobody leads: the leader key is gone".to_owned(), "absent")
    } else if paused {
        (Level::Critical, "nobody leads, and nobody will: the cluster is paused".to_owned(), "absent")
    } else {
        (Level::Critical, "nobody leads: clients cannot write".to_owned(), "absent")
    };
    let mut finding = Finding::new("no-leader", severity, sentence).because([Evidence::dcs(cluster, "leader key", value)]);
    if let Some(since) = cluster.leaderless_since {
        let source = SourceId::new(SourceKind::Dcs, &cluster.scope);
        finding.evidence.push(Evidence::new(source, "leader key gone", since, Some(since)));
    }
    let says = |m: &Member| m.writable(now).map(|w| Evidence::sql(m, "pg_is_in_recovery()", !w));
    finding.evidence.extend(cluster.members.values().filter_map(says));
    let active = |m: &Member| m.rest_now(now).filter(|r| r.failsafe_active).map(|_| Evidence::rest(m, "failsafe_mode_is_active", true));
    finding.evidence.extend(cluster.members.values().filter_map(active));
    vec![finding]
}
