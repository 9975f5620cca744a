//! `logical-slot-unmanaged`: a logical slot on the leader that is gone after a failover.

use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{Cluster, Level, Slot, SlotCare, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "logical-slot-unmanaged",
        runbook: None,
        fires: "the leader has a logical slot that is neither a permanent slot of the dynamic configuration (slots), with the same database and plugin, nor a failover slot of PostgreSQL 17, and no replica has a copy of it. Slots that end by themselves (temporary ones, those of a table's first copy) are passed over.",
        matters: "After a failover the slot does not exist: its subscriber stops, or goes on with a new slot and a gap. What is not in the configuration nor in ignore_slots is dropped by Patroni even without a failover, as soon as its subscriber disconnects.",
        next: &[
            "Find out whose slot it is, and whether it still needs it.",
            "Make it permanent: patronictl edit-config -s slots.SLOT.type=logical -s slots.SLOT.database=DATABASE -s slots.SLOT.plugin=PLUGIN.",
            "From PostgreSQL 17 on the subscriber can make it a failover slot instead (failover = true, and sync_replication_slots on the replicas).",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let Some(leader) = cluster.leader_now(now).and_then(|name| cluster.members.get(name)) else { return Vec::new() };
    let Some(sql) = leader.sql_now(now).filter(|sql| !sql.in_recovery) else { return Vec::new() };
    // An old configuration says nothing of what Patroni does now.
    let Some(config) = cluster.config().filter(|_| cluster.dcs_current(now)) else { return Vec::new() };
    let unmanaged: Vec<(&Slot, SlotCare)> = sql
        .slots
        .iter()
        .filter(|slot| slot.kind == "logical" && !passes(slot) && !slot.failover)
        .map(|slot| (slot, config.care_of(slot)))
        .filter(|(slot, care)| match (care, copied(cluster, &leader.name, slot, now)) {
            (SlotCare::Carries, _) | (_, Some(true)) => false,
            // Only what Patroni ignores can have been copied by somebody else, to a replica that is not heard.
            (SlotCare::Ignores, copied) => copied == Some(false),
            (SlotCare::Drops, _) => true,
        })
        .collect();
    if unmanaged.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = unmanaged.iter().map(|(slot, _)| slot.name.as_str()).collect();
    let (what, are, stops) =
        if names.len() == 1 { ("slot", "is", "its subscriber stops") } else { ("slots", "are", "their subscribers stop") };
    let dropped = if unmanaged.iter().any(|(_, care)| *care == SlotCare::Drops) { "; Patroni drops what nobody reads" } else { "" };
    let sentence = format!("the logical {what} {} on {} {are} gone after a failover, and {stops}{dropped}", listed(&names), leader.name);
    let evidence = unmanaged.iter().map(|(slot, care)| {
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "not known".to_owned());
        let care = match care {
            SlotCare::Ignores => "in ignore_slots",
            SlotCare::Carries | SlotCare::Drops => "not configured",
        };
        let active = if slot.active { "active" } else { "inactive" };
        Evidence::sql(
            leader,
            &format!("slot {}", slot.name),
            format!("{active}, database {}, plugin {}, {care}", word(&slot.database), word(&slot.plugin)),
        )
    });
    let finding = Finding::new("logical-slot-unmanaged", Level::Warning, sentence).about(&leader.name).because(evidence);
    let named = unmanaged.iter().fold(finding, |finding, (slot, _)| {
        let or = |known: &Option<String>, unknown: &str| known.clone().unwrap_or_else(|| unknown.to_owned());
        let (database, plugin) = (or(&slot.database, "DATABASE"), or(&slot.plugin, "PLUGIN"));
        finding.naming([("SLOT", &slot.name), ("DATABASE", &database), ("PLUGIN", &plugin)])
    });
    vec![named]
}

/// Whether the slot ends by itself: with its session, or with the first copy of a table (`pg_SUBSCRIPTION_sync_TABLE_SYSTEM`).
fn passes(slot: &Slot) -> bool {
    let copies_a_table = || {
        let (subscription, rest) = slot.name.strip_prefix("pg_")?.split_once("_sync_")?;
        let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let (table, system) = rest.split_once('_')?;
        Some(number(subscription) && number(table) && number(system))
    };
    slot.temporary || copies_a_table() == Some(true)
}

/// Whether a replica has a copy of it, whoever made it; `None`: none that is heard has one, and not all are heard.
fn copied(cluster: &Cluster, leader: &str, slot: &Slot, now: Time) -> Option<bool> {
    let others = || cluster.members.values().filter(|m| m.name != leader);
    let copy = |other: &Slot| other.kind == "logical" && other.name == slot.name;
    if others().filter_map(|m| m.sql_now(now)).flat_map(|sql| &sql.slots).any(copy) {
        return Some(true);
    }
    others().filter(|m| m.present).all(|m| m.sql_now(now).is_some()).then_some(false)
}
