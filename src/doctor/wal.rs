//! `wal-kept`: whether the WAL is kept that the others need after a failover, and not for ever.

use super::judged::{DYNAMIC, Judged, Severity, unless};
use super::{Case, Judgement};
use crate::finding::Evidence;
use crate::model::{Member, Slot};

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "wal-kept",
    why: "After a failover the others need WAL that the new leader may have removed: who finds none is copied anew. And what a slot without a reader keeps \
          grows until the leader's disk is full, which is the next failover.",
    cites: &["slot-lost", "slot-retains-wal"],
    judge,
};

/// From this Patroni on the slot of a member that has gone is dropped after `member_slots_ttl`, 30 minutes if not set.
const DROPS_SLOTS: u64 = 4;

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let config = match case.config() {
        Ok(config) => config,
        Err(open) => return vec![open],
    };
    let (leader, sql) = match case.leader() {
        Ok(leader) => leader,
        Err(open) => return vec![open],
    };
    let mut found = case.cite(JUDGEMENT.cites);
    let mut open = Vec::new();
    let keep = Evidence::sql(leader, "wal_keep_size", sql.settings.wal_keep.map_or("not told".to_owned(), |b| format!("{b} bytes")));
    if !config.uses_slots() {
        let slots = Evidence::dcs(case.cluster, "postgresql.use_slots", false);
        match sql.settings.wal_keep {
            Some(0) if !config.restores() => {
                let sentence = format!("{} keeps no WAL for the others: no slots, wal_keep_size 0, no restore_command", leader.name);
                let judged = Judged::hurts(Severity::Warning, sentence).by([slots, keep.clone()]);
                found.push(judged.change(DYNAMIC, "postgresql: use_slots: true"));
            }
            Some(_) => {}
            None => open.push(Judged::not_known("wal_keep_size is not told").of(&leader.name)),
        }
    }
    // Without a limit it is a matter of whose slots they are, and who drops them.
    let limit = sql.settings.slot_wal_keep;
    let strangers: Vec<&Slot> = sql.slots.iter().filter(|slot| !slot.temporary && !of_member(case, slot)).collect();
    let limit_told = |value: &str| Evidence::sql(leader, "max_slot_wal_keep_size", value);
    match limit {
        Some(bytes) if bytes >= 0 => {}
        Some(_) | None if !strangers.is_empty() => {
            let names: Vec<&str> = strangers.iter().map(|slot| slot.name.as_str()).collect();
            let sentence = format!(
                "{} on {} may keep WAL without a limit: when nobody reads, its disk fills",
                crate::model::listed(&names),
                leader.name
            );
            let judged = Judged::hurts(Severity::Warning, sentence).of(&leader.name).by([limit_told("none")]);
            found.push(
                judged.change(
                    DYNAMIC,
                    "postgresql: parameters: max_slot_wal_keep_size: '10GB'  # less than what is free on the disk of pg_wal",
                ),
            );
        }
        Some(_) | None if config.uses_slots() => match patroni(leader, case) {
            Some(major) if major < DROPS_SLOTS => {
                let sentence = format!(
                    "a member that stays away after a failover keeps WAL on {} without a limit, as Patroni {major} never drops its slot while it is known",
                    leader.name
                );
                let judged = Judged::hurts(Severity::Note, sentence).of(&leader.name).by([limit_told("none")]);
                found.push(judged.change(
                    DYNAMIC,
                    "postgresql: parameters: max_slot_wal_keep_size: '10GB'  # less than what is free on the disk of pg_wal",
                ));
            }
            Some(_) => {}
            None => open.push(
                Judged::not_known("whether Patroni drops the slot of a member that stays away: its version is not told").of(&leader.name),
            ),
        },
        Some(_) | None => {}
    }
    unless(found, open, || {
        let limit = limit_told(&limit.filter(|bytes| *bytes >= 0).map_or("none".to_owned(), |bytes| format!("{bytes} bytes")));
        Judged::holds("the others find the WAL they need, and no slot keeps it for ever").by([keep, limit])
    })
}

fn of_member(case: &Case<'_>, slot: &Slot) -> bool {
    slot.kind == "physical" && case.cluster.members.keys().any(|name| Member::slot_name(name) == slot.name)
}

fn patroni(leader: &Member, case: &Case<'_>) -> Option<u64> {
    leader.rest_now(case.now)?.version.as_deref()?.split('.').next()?.parse().ok()
}
