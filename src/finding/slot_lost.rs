//! `slot-lost`: a replication slot whose WAL is removed, or may be at any moment.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Level, Member, Slot, size};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "slot-lost",
        runbook: Some("slot-fills-disk"),
        fires: "pg_replication_slots has a slot with the wal_status lost, or unreserved: past max_slot_wal_keep_size, so that the next checkpoint may remove the WAL it needs.",
        matters: "Whoever read from a lost slot cannot go on: a replica needs the archive or must be reinitialised, a subscriber must copy its tables anew and has a gap in what it got.",
        next: &[
            "unreserved: get its reader going at once; it may catch up before the next checkpoint.",
            "lost: find out whose slot SLOT is. Patroni 4.1.4 and later drops and remakes a member's own; that member is reinitialised if the archive does not help.",
            "A subscriber's lost slot must be dropped and made anew, and the subscription refreshed with copy_data.",
            "Then raise max_slot_wal_keep_size, or find out why the reader fell so far behind.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for member in case.cluster.members.values() {
        let Some(sql) = member.sql_now(case.now) else { continue };
        found.extend(sql.slots.iter().filter_map(|slot| judge(member, slot)));
    }
    found
}

fn judge(member: &Member, slot: &Slot) -> Option<Finding> {
    let status = slot.wal_status.as_deref()?;
    let sentence = match status {
        "lost" => {
            let why = match slot.invalidation.as_deref() {
                None | Some("wal_removed") => ": WAL that its reader needs is removed".to_owned(),
                Some("rows_removed") => ": rows that its reader needs are removed".to_owned(),
                Some("wal_level_insufficient") => ": wal_level is too low for it".to_owned(),
                Some("idle_timeout") => ": nobody has read it for idle_replication_slot_timeout".to_owned(),
                Some(other) => format!(": {other}"),
            };
            format!("the slot {} on {} is lost{why}", slot.name, member.name)
        }
        "unreserved" => {
            let kept = slot.retained.map(|bytes| format!(" at {}", size(bytes))).unwrap_or_default();
            format!("the slot {} on {} is over max_slot_wal_keep_size{kept}: the next checkpoint may lose it", slot.name, member.name)
        }
        _ => return None,
    };
    let finding = Finding::new("slot-lost", Level::Warning, sentence).about(format!("{} {}", member.name, slot.name));
    let mut finding = finding.naming([("SLOT", &slot.name)]).because([
        Evidence::sql(member, "wal_status", status),
        Evidence::sql(member, "type", &slot.kind),
        Evidence::sql(member, "active", slot.active),
    ]);
    finding.evidence.extend(slot.invalidation.as_ref().map(|reason| Evidence::sql(member, "invalidation_reason", reason)));
    Some(finding)
}
