//! `sync-missing`: synchronous replication is asked for, and no standby is synchronous.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, SETTLING, listed, settling};
use crate::model::{Cluster, Level, Member, StandbyNames, SyncSets, Time};

/// How long commits must hang: a standby that connects anew is there within a second.
const HANGING: Duration = Duration::from_secs(3);
/// Patroni's default for `loop_wait`, seconds.
const LOOP_WAIT: u32 = 10;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "sync-missing",
        runbook: None,
        fires: "synchronous_mode is on, and pg_stat_replication on the leader has fewer synchronous standbys than synchronous_standby_names asks for (after 3 s: critical), or none while synchronous_standby_names is empty (after three times loop_wait). Our user sees who is synchronous with pg_monitor only; without it nothing is found.",
        matters: "When the names are set, every commit on the leader waits until a standby is there: clients hang. Patroni takes a missing standby out of the names at its next loop, unless synchronous_mode_strict is on. When they are empty, clients can write, but what they commit can be lost in a failover.",
        next: &[
            "Get a replica to stream from the leader again: see the other findings, then PostgreSQL's log on the replica.",
            "Look for the tag nosync, and for maximum_lag_on_syncnode, which keep a replica out of the synchronous set.",
            "With synchronous_mode_strict, and if no replica will be back soon: to let clients write without a second copy, patronictl edit-config -s synchronous_mode_strict=false. Think first.",
        ],
    }],
};

/// After how long Patroni has had its turn: its next loop, two where it waits for one after a promotion, and the time for the loop itself.
pub(super) fn turn(cluster: &Cluster) -> Duration {
    let loop_wait = cluster.config().and_then(|c| c.loop_wait).unwrap_or(LOOP_WAIT);
    (Duration::from_secs(loop_wait.into()) * 3).max(SETTLING)
}

/// Whether the leader key changed hands within this time.
pub(super) fn led_for_less(cluster: &Cluster, now: Time, span: Duration) -> bool {
    cluster.leader_since.is_some_and(|at| now.since(at) < span)
}

/// What the three parties say, as evidence.
pub(super) fn evidence(cluster: &Cluster, leader: &Member, sets: &SyncSets) -> Vec<Evidence> {
    let key: Vec<&String> = sets.key.iter().collect();
    let names = leader.sql.last().and_then(|sql| sql.settings.synchronous_standby_names.clone()).unwrap_or_default();
    vec![
        Evidence::dcs(cluster, "sync key", format!("leader {}, standbys {}", sets.key_leader.as_deref().unwrap_or("none"), listed(&key))),
        Evidence::sql(leader, "synchronous_standby_names", if names.is_empty() { "empty".to_owned() } else { names }),
        Evidence::sql(leader, "synchronous in pg_stat_replication", listed(&sets.connected)),
    ]
}

fn check(case: &Case<'_>) -> Vec<Finding> {
    case.cluster.sync_sets(case.now).and_then(|sets| judge(case, &sets)).into_iter().collect()
}

/// Whether commits hang by this rule; `commits-hang` asks, which would say the same.
pub(super) fn hangs(case: &Case<'_>) -> bool {
    let found = case.cluster.sync_sets(case.now).and_then(|sets| judge(case, &sets));
    found.is_some_and(|finding| finding.severity == Level::Critical)
}

fn judge(case: &Case<'_>, sets: &SyncSets) -> Option<Finding> {
    let Case { cluster, now, .. } = *case;
    let leader = cluster.members.get(&sets.leader)?;
    let name = &leader.name;
    let finding = if sets.hang() && cluster.sync_watch.hangs.lasts(now, HANGING) && !settling(cluster, now) {
        let (number, names) = (
            sets.names.number(),
            match &sets.names {
                StandbyNames::These(_, names) => listed(&names.iter().collect::<Vec<_>>()),
                StandbyNames::Anybody(_) | StandbyNames::Nobody => "any standby".to_owned(),
            },
        );
        let sentence = match (number, sets.connected.len()) {
            (1, _) => format!("commits on {name} hang: they wait for {names}, and no standby is synchronous"),
            (_, 0) => format!("commits on {name} hang: they wait for {number} of {names}, and none is synchronous"),
            (_, 1) => format!("commits on {name} hang: they wait for {number} of {names}, and only 1 is synchronous"),
            (_, there) => format!("commits on {name} hang: they wait for {number} of {names}, and only {there} are synchronous"),
        };
        Finding::new("sync-missing", Level::Critical, sentence)
    } else if sets.alone() && cluster.sync_watch.alone.lasts(now, turn(cluster)) && !led_for_less(cluster, now, turn(cluster)) {
        let sentence = format!("no standby of {name} is synchronous, though synchronous_mode is on: a failover can lose commits");
        Finding::new("sync-missing", Level::Warning, sentence)
    } else {
        return None;
    };
    Some(finding.because(evidence(cluster, leader, sets)))
}
