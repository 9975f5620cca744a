//! etcd as a whole in the picture, and who would take over.

use super::airflow::old;
use super::card::{Card, Item};
use super::cluster::etcd_of;
use super::part::Part;
use crate::document::{Document, EtcdMemberDoc, Level};
use crate::theme::Role;
use crate::ui::fact;
use crate::ui::format::bytes;
use crate::ui::pane::{Ctx, Details};
use crate::ui::panes::asked;
use crate::ui::panes::quorum::state_role;
use crate::ui::widget::Sheet;

/// etcd: in a box each member, on a line those that no node shows, because etcd has hosts of its own.
pub(super) fn card<'d>(ctx: &Ctx<'_>, document: &'d Document) -> Card<'d> {
    let told = fact::etcd(document);
    let mut items = vec![Item::new(level(told.role), "", told.long.trim_start_matches("etcd ")).of(Part::Etcd)];
    let apart =
        |member: &EtcdMemberDoc| !document.members.iter().any(|m| etcd_of(document, m).is_some_and(|e| e.endpoint == member.endpoint));
    items.extend(document.etcd.members.iter().map(|member| {
        let item = of_member(ctx, member);
        if apart(member) { item } else { item.aside() }
    }));
    Card::new(Some(Part::Etcd), "etcd", items)
}

fn of_member<'d>(ctx: &Ctx<'_>, member: &EtcdMemberDoc) -> Item<'d> {
    let told = level(state_role(&member.state));
    let size = member.db_size_bytes.filter(|_| told == Level::Ok).map(|size| format!(", {}", bytes(size))).unwrap_or_default();
    // With any alarm etcd takes no writes.
    let level = if member.alarms.is_empty() { told } else { Level::Critical };
    let alarms: String = member.alarms.iter().map(|alarm| format!(", ALARM {alarm}")).collect();
    let item = Item::new(level, &member.name, format!("{}{size}{alarms}", member.state)).short(format!("{}{alarms}", member.state));
    item.stale(old(ctx, &member.asked)).of(Part::Etcd)
}

/// Who takes over if the leader dies.
pub(super) fn next_card<'d>(document: &Document) -> Card<'d> {
    let next = fact::forecast(document);
    Card::new(None, "next", vec![Item::new(level(next.role), "", next.long.trim_start_matches("next: "))])
}

fn level(role: Role) -> Level {
    match role {
        Role::Critical => Level::Critical,
        Role::Warning => Level::Warning,
        Role::Unknown | Role::Stale => Level::Unknown,
        _ => Level::Ok,
    }
}

/// The sheet of etcd.
pub(super) fn details(ctx: &Ctx<'_>, width: u16) -> Option<Details> {
    let etcd = &ctx.document()?.etcd;
    let mut sheet = Sheet::new(ctx.look, width);
    for member in &etcd.members {
        sheet.heading(&member.name);
        let said = asked::said(ctx, &format!("etcd {}", member.name), &member.asked);
        sheet.fact("state", member.state.clone(), state_role(&member.state), &said);
        if let Some(size) = member.db_size_bytes {
            let quota = member.quota_bytes.map(|quota| format!(" of {}", bytes(quota))).unwrap_or_default();
            sheet.fact("database", format!("{}{quota}", bytes(size)), if member.asked.fresh { Role::Text } else { Role::Stale }, &said);
        }
        for alarm in &member.alarms {
            sheet.fact("alarm", alarm.clone(), Role::Critical, &said);
        }
        asked::lines(ctx, &mut sheet, "asked", &member.asked);
    }
    Some(Details { title: "etcd".to_owned(), lines: sheet.lines() })
}
