//! A member's replication slots and subscriptions, on its sheet.

use super::asked::said;
use crate::document::{MemberDoc, SlotDoc, SubscriptionDoc};
use crate::theme::Role;
use crate::ui::format::{UNKNOWN, age, bytes, seconds};
use crate::ui::pane::Ctx;
use crate::ui::widget::Sheet;

/// Lines of a sheet; none when there is neither a slot nor a subscription.
pub(super) fn lines(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, member: &MemberDoc) {
    let sql = said(ctx, "sql", &member.sql);
    if !member.slots.is_empty() {
        sheet.heading("Replication slots");
        for slot in &member.slots {
            sheet.fact(&slot.name, what(slot), role(slot), &sql);
            sheet.fact("", keeps(slot), role(slot), "");
        }
    }
    if !member.subscriptions.is_empty() {
        sheet.heading("Subscriptions");
        for subscription in &member.subscriptions {
            let role = if subscription.running { Role::Text } else { Role::Warning };
            sheet.fact(&subscription.name, receives(ctx, member, subscription), role, &sql);
        }
    }
}

fn role(slot: &SlotDoc) -> Role {
    match slot.wal_status.as_deref() {
        Some("lost" | "unreserved") => Role::Critical,
        _ if slot.active => Role::Text,
        _ => Role::Warning,
    }
}

fn what(slot: &SlotDoc) -> String {
    let mut words = vec![slot.kind.clone()];
    words.extend(slot.plugin.clone());
    words.extend(slot.database.as_ref().map(|database| format!("database {database}")));
    words.extend(slot.temporary.then(|| "temporary".to_owned()));
    words.extend(slot.failover.then(|| "failover".to_owned()));
    words.push(if slot.active { "active" } else { "inactive" }.to_owned());
    words.push(slot.wal_status.clone().unwrap_or_else(|| UNKNOWN.to_owned()));
    words.extend(slot.invalidation_reason.clone());
    words.join(", ")
}

fn keeps(slot: &SlotDoc) -> String {
    let mut words = vec![format!("keeps {}", slot.retained_bytes.map_or_else(|| UNKNOWN.to_owned(), bytes))];
    words.extend(slot.growth_bytes_per_second.map(|rate| {
        let hourly = bytes((rate.abs() * 3600.0) as u64);
        if rate < 0.0 { format!("shrinks by {hourly}/h") } else { format!("grows by {hourly}/h") }
    }));
    words.extend(slot.unconfirmed_bytes.map(|behind| format!("reader {} behind", bytes(behind))));
    words.extend(slot.safe_bytes.map(|left| match slot.safe_seconds {
        Some(end) => format!("lost after {} more, in {}", bytes(left), seconds(end)),
        None => format!("lost after {} more", bytes(left)),
    }));
    words.join(", ")
}

fn receives(ctx: &Ctx<'_>, member: &MemberDoc, subscription: &SubscriptionDoc) -> String {
    if !subscription.running {
        return "no worker runs".to_owned();
    }
    let mut words = vec!["running".to_owned()];
    words.extend(subscription.received_lsn.map(|at| format!("received {at}")));
    // The figure is as old as the answer that it came with.
    let since = |ms: u64| ctx.aged(ms + member.sql.age_ms.unwrap_or(0));
    words.extend(subscription.last_message_ms.map(|ms| format!("last message {} ago", age(since(ms).max(1000)))));
    words.extend(subscription.delay_ms.map(|ms| format!("{} on its way", seconds(ms as f64 / 1000.0))));
    words.join(", ")
}
