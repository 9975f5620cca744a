//! Everything that is known of one member, with who said it and how old that is.

use super::asked::{certificate, lines as asked_lines, said};
use super::members::{role_of, state_role};
use super::{host, slots};
use crate::document::MemberDoc;
use crate::theme::Role;
use crate::ui::format::{UNKNOWN, bytes, seconds};
use crate::ui::pane::{Ctx, Details};
use crate::ui::widget::Sheet;

pub(super) fn details(ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
    let member = ctx.document()?.members.iter().find(|m| m.name == row)?;
    let mut sheet = Sheet::new(ctx.look, width);
    replication(ctx, &mut sheet, member);
    candidacy(ctx, &mut sheet, member);
    heard(ctx, &mut sheet, member);
    restart(ctx, &mut sheet, member);
    server(ctx, &mut sheet, member);
    slots::lines(ctx, &mut sheet, member);
    tags(ctx, &mut sheet, member);
    host::lines(ctx, &mut sheet, &member.name);
    Some(Details { title: member.name.clone(), lines: sheet.lines() })
}

/// A fact that may not be known.
fn maybe(sheet: &mut Sheet<'_>, name: &str, value: Option<String>, said: &str) {
    match value {
        Some(value) => sheet.fact(name, value, Role::Text, said),
        None => sheet.fact(name, UNKNOWN, Role::Unknown, ""),
    }
}

fn replication(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, member: &MemberDoc) {
    let (dcs, rest, sql) = (said(ctx, "etcd", &member.dcs), said(ctx, "rest", &member.rest), said(ctx, "sql", &member.sql));
    let leads = role_of(member.role) == Role::Leader;
    sheet.heading("Replication");
    sheet.fact("role", member.role.to_string().replace('_', " "), role_of(member.role), &dcs);
    match (&member.state, &member.last_known) {
        (Some(state), _) => sheet.fact("state", state.clone(), state_role(state), &rest),
        (None, Some(last)) => sheet.fact("state", last.clone(), Role::Stale, "rest"),
        (None, None) => sheet.fact("state", UNKNOWN, Role::Unknown, ""),
    }
    if let Some(copy) = &member.copy {
        let much = copy.streamed_bytes.map(|streamed| match copy.total_bytes {
            Some(total) => format!(", {} of {}", bytes(streamed), bytes(total)),
            None => format!(", {}", bytes(streamed)),
        });
        let told = format!("from {}, {}{}", copy.from, copy.phase.as_deref().unwrap_or(UNKNOWN), much.unwrap_or_default());
        sheet.fact("copy", told, Role::Text, "sql");
    }
    if let Some(since) = member.state_since {
        sheet.fact("seen so for", ctx.ago(since), Role::Text, &rest);
    }
    if let Some(since) = member.missing_since.filter(|_| !member.present) {
        sheet.fact("missing", format!("its key in etcd went {} ago", ctx.ago(since)), Role::Critical, &dcs);
    }
    maybe(sheet, "timeline", member.timeline.map(|t| t.to_string()), &rest);
    maybe(sheet, "in recovery", member.in_recovery.map(yes_no), &sql);
    if leads {
        maybe(sheet, "writes at", member.lsn.map(|l| l.to_string()), &sql);
        let waits_for = member.settings.as_ref().and_then(|s| s.synchronous_standby_names.clone());
        maybe(sheet, "commits wait for", waits_for.map(|names| if names.is_empty() { "nobody".to_owned() } else { names }), &sql);
        return;
    }
    let lag = member.lag_source.clone().unwrap_or_default();
    maybe(sheet, "receives from", member.upstream.clone(), &sql);
    maybe(sheet, "received", member.receive_lsn.map(|l| l.to_string()), &sql);
    maybe(sheet, "replayed", member.replay_lsn.map(|l| l.to_string()), &sql);
    maybe(sheet, "receive lag", member.receive_lag_bytes.map(exact), &lag);
    maybe(sheet, "replay lag", member.replay_lag_bytes.map(exact), &lag);
    maybe(sheet, "replay delay", member.replay_lag_seconds.map(seconds), &lag);
    maybe(sheet, "replication", member.replication_state.clone(), &lag);
    maybe(sheet, "synchronous", member.sync_state.clone(), &lag);
    match member.replay_paused {
        Some(true) => sheet.fact("replay", "paused", Role::Warning, &sql),
        Some(false) => sheet.fact("replay", "not paused", Role::Text, &sql),
        None => sheet.fact("replay", UNKNOWN, Role::Unknown, ""),
    }
}

/// Whether it could take over, and what its Patroni asks itself at each loop.
fn candidacy(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, member: &MemberDoc) {
    let rest = said(ctx, "rest", &member.rest);
    if role_of(member.role) != Role::Leader {
        sheet.heading("Could it take over?");
        match member.can_take_over {
            Some(true) => sheet.fact("now", "yes", Role::Text, &rest),
            Some(false) => sheet.fact("now", "no", Role::Warning, &rest),
            None => sheet.fact("now", UNKNOWN, Role::Unknown, ""),
        }
        for reason in &member.cannot_because {
            let stage = if reason.stage == "request" { "on request" } else { "in the race" };
            sheet.fact("", reason.sentence.clone(), Role::Warning, stage);
        }
    }
    sheet.heading("Its Patroni asks");
    for question in &member.questions {
        let (answer, role) = match question.answer {
            Some(true) => ("yes", Role::Text),
            Some(false) => ("no", Role::Text),
            None => (UNKNOWN, Role::Unknown),
        };
        sheet.fact(&question.question, format!("{answer}: {}", question.because), role, &rest);
    }
}

fn heard(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, member: &MemberDoc) {
    sheet.heading("Who was asked");
    asked_lines(ctx, sheet, "etcd", &member.dcs);
    asked_lines(ctx, sheet, "REST API", &member.rest);
    certificate(ctx, sheet, "rest", &member.name);
    asked_lines(ctx, sheet, "PostgreSQL", &member.sql);
    certificate(ctx, sheet, "sql", &member.name);
}

fn restart(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, member: &MemberDoc) {
    let rest = said(ctx, "rest", &member.rest);
    sheet.heading("Restart");
    match member.pending_restart {
        Some(true) => sheet.fact("pending", "yes", Role::Warning, &rest),
        Some(false) => sheet.fact("pending", "no", Role::Text, &rest),
        None => sheet.fact("pending", UNKNOWN, Role::Unknown, ""),
    }
    for setting in &member.pending_restart_reason {
        let word = |value: &Option<String>| value.clone().unwrap_or_else(|| UNKNOWN.to_owned());
        let change = format!("{}: {} → {}", setting.parameter, word(&setting.old), word(&setting.new));
        sheet.fact("", change, Role::Text, "");
    }
    if let Some(at) = member.scheduled_restart {
        sheet.fact("scheduled", format!("{at} ({})", ctx.until(at)), Role::Warning, &rest);
    }
}

fn server(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, member: &MemberDoc) {
    let (dcs, rest, sql) = (said(ctx, "etcd", &member.dcs), said(ctx, "rest", &member.rest), said(ctx, "sql", &member.sql));
    sheet.heading("Server");
    let address = match (&member.host, member.port) {
        (Some(host), Some(port)) => Some(format!("{host}:{port}")),
        (Some(host), None) => Some(host.clone()),
        (None, _) => None,
    };
    maybe(sheet, "address", address, &dcs);
    maybe(sheet, "REST API at", member.api_url.clone(), &dcs);
    maybe(sheet, "PostgreSQL", member.postgres_version.clone(), &sql);
    maybe(sheet, "Patroni", member.patroni_version.clone(), &rest);
    maybe(sheet, "system identifier", member.system_identifier.clone(), &sql);
    maybe(sheet, "up since", member.postmaster_start.map(|at| format!("{at} ({})", ctx.ago(at))), &sql);
    maybe(sheet, "clock", member.clock().map(host::clock), "");
    maybe(sheet, "sessions", member.sessions.map(|n| n.to_string()), &sql);
    for (name, transaction) in [("oldest transaction", &member.oldest_transaction), ("idle in transaction", &member.idle_transaction)] {
        if let Some(transaction) = transaction {
            let since = if name == "idle in transaction" { transaction.state_seconds } else { transaction.open_seconds };
            let word = |text: &Option<String>| text.clone().unwrap_or_else(|| UNKNOWN.to_owned());
            let (user, application) = (word(&transaction.user), word(&transaction.application));
            let since = since.map_or_else(|| UNKNOWN.to_owned(), seconds);
            sheet.fact(name, format!("{since}, {user} ({application}, pid {})", transaction.pid), Role::Text, &sql);
        }
    }
    if let Some(archiver) = &member.archiver {
        let role = if archiver.failing { Role::Warning } else { Role::Text };
        sheet.fact("archiver", format!("{} archived, {} failed", archiver.archived, archiver.failed), role, &sql);
        for (name, at) in [("last archived", archiver.last_archived), ("last failed", archiver.last_failed)] {
            if let Some(at) = at {
                sheet.fact(name, format!("{} ago", ctx.ago(at)), role, "");
            }
        }
        if let Some(wal) = archiver.last_failed_wal.as_ref().filter(|_| archiver.failing) {
            sheet.fact("", wal.clone(), role, "");
            maybe(sheet, "waiting", archiver.waiting.map(|n| n.to_string()), "");
        }
    }
}

fn tags(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, member: &MemberDoc) {
    if member.tags.is_empty() {
        return;
    }
    sheet.heading("Tags");
    for (name, value) in &member.tags {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        sheet.fact(name, crate::model::clean(&text), Role::Text, &said(ctx, "etcd", &member.dcs));
    }
}

fn exact(value: u64) -> String {
    if value < 1024 { format!("{value} B") } else { format!("{} ({value} B)", bytes(value)) }
}

fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}
