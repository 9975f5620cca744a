//! `sync-set-mismatch`: the parties do not name the same standbys as synchronous.

use super::sync_missing::{evidence, led_for_less, turn};
use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{Level, StandbyNames, SyncSets};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "sync-set-mismatch",
        runbook: None,
        fires: "synchronous_mode is on, and for longer than three times loop_wait the DCS key sync, synchronous_standby_names on the leader, and the synchronous standbys in pg_stat_replication have not been the same, or the key was written for another leader. Our user sees who is synchronous with pg_monitor only; without it nothing is found.",
        matters: "Patroni promotes whom the key names. If commits do not wait for that standby, a failover to it loses them; if they wait for one that the key does not name, that one may not take over.",
        next: &[
            "Read the log of the leader's Patroni: at each loop it says what it changes in the synchronous set, or why it cannot.",
            "Look for a synchronous_standby_names that somebody set by hand (ALTER SYSTEM, postgresql.auto.conf), and for one in a patroni.yml.",
            "Do not switch over before the three agree.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    case.cluster.sync_sets(case.now).and_then(|sets| judge(case, &sets)).into_iter().collect()
}

fn judge(case: &Case<'_>, sets: &SyncSets) -> Option<Finding> {
    let Case { cluster, now, .. } = *case;
    // That nobody is there, or too few, is the first thing to be said.
    if !sets.differ() || sets.hang() || sets.connected.is_empty() && sets.key.is_empty() {
        return None;
    }
    if !cluster.sync_watch.differs.lasts(now, turn(cluster)) || led_for_less(cluster, now, turn(cluster)) {
        return None;
    }
    let leader = cluster.members.get(&sets.leader)?;
    let names = match &sets.names {
        StandbyNames::Nobody => "nobody".to_owned(),
        StandbyNames::Anybody(_) => "any standby".to_owned(),
        StandbyNames::These(_, names) => listed(&names.iter().collect::<Vec<_>>()),
    };
    let key = listed(&sets.key.iter().collect::<Vec<_>>());
    let unsafe_ones: Vec<&String> = sets.key.iter().filter(|name| !sets.connected.contains(name)).collect();
    let sentence = if !unsafe_ones.is_empty() {
        let are = if unsafe_ones.len() > 1 { "are" } else { "is" };
        format!("{} may take over by the sync key, but {are} not synchronous: a failover can lose commits", listed(&unsafe_ones))
    } else if sets.key_leader.as_deref().is_some_and(|l| !l.eq_ignore_ascii_case(&sets.leader)) {
        format!("the sync key is still that of {}, but {} leads", sets.key_leader.as_deref().unwrap_or_default(), leader.name)
    } else {
        format!("the sync key names {key}, but commits on {} wait for {names}, and {} synchronous", leader.name, are(&sets.connected))
    };
    let mode = Evidence::dcs(cluster, "synchronous_mode", cluster.config().map_or("off", |c| c.synchronous_mode.as_str()));
    Some(Finding::new("sync-set-mismatch", Level::Warning, sentence).because(evidence(cluster, leader, sets)).because([mode]))
}

/// `psg2 is`, `psg2 and psg3 are`.
fn are(names: &[String]) -> String {
    format!("{} {}", listed(names), if names.len() > 1 { "are" } else { "is" })
}
