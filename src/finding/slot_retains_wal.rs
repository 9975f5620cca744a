//! `slot-retains-wal`: a replication slot keeps more WAL from being removed than it may.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, spoken};
use crate::model::{Level, Member, Slot, SlotTrend, size};

/// How long a slot must be over the limit: a replica that catches up after a restart is no fault, nor is a slot on a replica that nobody reads and
/// that Patroni moves on at its next loop.
const LASTING: Duration = Duration::from_secs(30);
/// How many times the limit is too much, when first seen, even for one that may be catching up.
const FAR_TOO_MUCH: u64 = 10;
/// An end that lies further ahead than this is not told: the rate will not hold for so long.
const FAR: f64 = 100.0 * 86_400.0;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "slot-retains-wal",
        runbook: Some("slot-fills-disk"),
        fires: "a replication slot on any member keeps more WAL from being removed than the limit `slot_retained_bytes` (1 GB). It must have been over the limit for 30 s; one that is over it when first seen is told at once if nobody reads it, or if it is over ten times the limit. The rate is measured over the readings of the last ten minutes.",
        matters: "Without max_slot_wal_keep_size the WAL grows until the disk is full, and then PostgreSQL stops. With it, the slot is lost at the limit, and its reader must be made anew.",
        next: &[
            "Find out whose slot SLOT is: a member's name is a replica's, else a subscriber's or a backup tool's.",
            "Get its reader going again: the replica, the subscription's worker, the connector.",
            "If nobody will read it again, drop it: SELECT pg_drop_replication_slot('SLOT'). A subscriber that still needs it must copy everything anew.",
            "See how much room there is: df on the volume of pg_wal of MEMBER.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for member in case.cluster.members.values() {
        let Some(sql) = member.sql_now(case.now) else { continue };
        found.extend(sql.slots.iter().filter_map(|slot| judge(case, member, slot)));
    }
    found
}

fn judge(case: &Case<'_>, member: &Member, slot: &Slot) -> Option<Finding> {
    let limit = case.limits.slot_retained_bytes;
    let retained = slot.retained.filter(|bytes| *bytes > limit)?;
    // What is beyond its limit has a finding of its own.
    if matches!(slot.wal_status.as_deref(), Some("unreserved" | "lost")) {
        return None;
    }
    let trend = member.slot_trends.get(&slot.name)?;
    if trend.least_within(LASTING).is_none_or(|least| least <= limit) {
        return None;
    }
    if !trend.watched_for(LASTING) && trend.active_within(LASTING) && retained / FAR_TOO_MUCH <= limit {
        return None;
    }
    let reader = if slot.active { "its reader is behind" } else { "nobody reads it" };
    let end = end(slot, trend);
    let sentence = format!("the slot {} on {} keeps {} of WAL, and {reader}{end}", slot.name, member.name, size(retained));
    let rate = trend.growth().map_or("not known yet".to_owned(), |rate| format!("{rate:.0} bytes a second"));
    Some(
        Finding::new("slot-retains-wal", Level::Warning, sentence)
            .about(format!("{} {}", member.name, slot.name))
            .naming([("SLOT", &slot.name)])
            .because([
                Evidence::sql(member, "WAL kept", format!("{retained} bytes")),
                Evidence::sql(member, "active", slot.active),
                Evidence::sql(member, "growth", rate),
                Evidence::sql(member, "wal_status", slot.wal_status.as_deref().unwrap_or("not known")),
                Evidence::sql(member, "safe_wal_size", slot.safe.map_or("no limit is set".to_owned(), |bytes| format!("{bytes} bytes"))),
            ]),
    )
}

/// Where it ends, as far as that is known.
fn end(slot: &Slot, trend: &SlotTrend) -> String {
    let hourly = |rate: f64| size((rate * 3600.0) as u64);
    match (slot.safe, trend.growth().filter(|rate| *rate >= 1.0)) {
        (Some(left), Some(rate)) if left as f64 / rate <= FAR => {
            format!("; at {} an hour it is lost in {}", hourly(rate), spoken(Duration::from_secs_f64(left as f64 / rate)))
        }
        (Some(left), _) => format!("; after {} more it is lost", size(left)),
        (None, Some(rate)) => format!("; it grows by {} an hour, and only the disk ends that", hourly(rate)),
        (None, None) => "; only the disk limits it".to_owned(),
    }
}
