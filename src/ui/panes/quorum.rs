//! etcd: who decides, and how many may still fail.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::asked;
use crate::app::{Facts, PaneModel, RowId, View};
use crate::document::{Document, EtcdMemberDoc};
use crate::theme::Role;
use crate::ui::format::{UNKNOWN, age, bytes, rtt};
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{Align, Cell, Column, Row, Sheet, table};

/// The pane.
pub(super) struct Quorum;

const COLUMNS: &[Column] = &[
    Column::new("etcd", Align::Name, 5, 24, 0),
    Column::new("State", Align::Left, 8, 11, 0),
    Column::new("Answer", Align::Right, 6, 6, 0),
    Column::new("Alarms", Align::Left, 6, 16, 1),
    Column::new("Size", Align::Right, 7, 7, 2),
    Column::new("fsync", Align::Right, 6, 6, 3),
    Column::new("In use", Align::Right, 7, 7, 5),
    Column::new("Term", Align::Right, 4, 6, 4),
    Column::new("Index", Align::Right, 7, 12, 6),
    Column::new("Version", Align::Left, 7, 10, 7),
];

impl PaneModel for Quorum {
    fn title(&self) -> &'static str {
        "Quorum"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        facts.document.as_deref().map(|d| shown(d, view).into_iter().map(|m| m.endpoint.clone()).collect()).unwrap_or_default()
    }
}

impl Pane for Quorum {
    fn summary(&self, ctx: &Ctx<'_>) -> Vec<Span<'static>> {
        let Some(etcd) = ctx.document().map(|d| &d.etcd) else { return Vec::new() };
        let Some(size) = etcd.size else { return vec![ctx.look.span(UNKNOWN, Role::Unknown)] };
        let (text, role) = match (etcd.quorum, etcd.failure_tolerance) {
            (Some(false), _) => (format!("{} of {size}, no quorum", etcd.healthy), Role::Critical),
            (Some(true), Some(0)) if size > 1 => (format!("{} of {size}, can lose none", etcd.healthy), Role::Warning),
            (Some(true), Some(n)) => (format!("{} of {size}, can lose {n}", etcd.healthy), Role::Muted),
            _ => (format!("{} of {size} answer", etcd.healthy), Role::Unknown),
        };
        vec![ctx.look.span(text, role)]
    }

    fn want(&self, ctx: &Ctx<'_>, _width: u16) -> Want {
        let rows = ctx.document().map_or(1, |d| u16::try_from(shown(d, ctx.view).len()).unwrap_or(u16::MAX)).max(1);
        Want { min: (rows + 1).min(4), ideal: rows + 1, max: rows + 1 }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let Some(document) = ctx.document() else { return Drawn::default() };
        let members = shown(document, ctx.view);
        if members.is_empty() {
            let error = document.cluster.dcs_error.clone();
            let role = if error.is_some() { Role::Critical } else { Role::Muted };
            ctx.say(&error.unwrap_or_else(|| "no etcd has answered yet".to_owned()), role, area, buffer);
            return Drawn::default();
        }
        let rows: Vec<Row> = members.into_iter().map(|m| row(ctx, m)).collect();
        table(ctx, COLUMNS, &rows, area, buffer)
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        let document = ctx.document()?;
        let member = document.etcd.members.iter().find(|m| m.endpoint == row)?;
        let mut sheet = Sheet::new(ctx.look, width);
        let said = asked::said(ctx, "etcd", &member.asked);
        let mut maybe = |name: &str, value: Option<String>| match value {
            Some(value) => sheet.fact(name, value, Role::Text, &said),
            None => sheet.fact(name, UNKNOWN, Role::Unknown, ""),
        };
        let vote = if member.state == "learner" { ", without a vote" } else { "" };
        maybe("state", Some(format!("{}{vote}", member.state)));
        maybe("id", member.id.clone());
        maybe("endpoint", Some(member.endpoint.clone()));
        maybe("version", member.version.clone());
        maybe("raft term", member.raft_term.map(|n| n.to_string()));
        maybe("raft index", member.raft_index.map(|n| n.to_string()));
        maybe("applied index", member.raft_applied_index.map(|n| n.to_string()));
        maybe("behind", member.behind_entries.map(|n| format!("{n} entries")));
        maybe("database", member.db_size_bytes.map(bytes));
        maybe("of that in use", member.db_in_use_bytes.map(bytes));
        maybe("quota", member.quota_bytes.map(bytes));
        for alarm in &member.alarms {
            sheet.fact("alarm", alarm.clone(), Role::Critical, &said);
        }
        for error in &member.errors {
            sheet.fact("complains", error.clone(), Role::Warning, &said);
        }
        counted(ctx, &mut sheet, member);
        sheet.heading("Who was asked");
        asked::lines(ctx, &mut sheet, "etcd", &member.asked);
        asked::certificate(ctx, &mut sheet, "etcd", &member.endpoint);
        sheet.heading("The cluster's keys");
        let cluster = &document.cluster;
        let revision = cluster.dcs_revision.map_or_else(|| UNKNOWN.to_owned(), |r| r.to_string());
        let (text, role) = match cluster.dcs_linearizable {
            Some(true) => (format!("{revision}, a majority vouches for it"), Role::Text),
            Some(false) => (format!("{revision}, one member answered for itself"), Role::Warning),
            None => (revision, Role::Unknown),
        };
        let confirmed = cluster.dcs_age_ms.map(|ms| format!("{} ago", age(ctx.aged(ms).max(1000)))).unwrap_or_default();
        sheet.fact("revision", text, role, &confirmed);
        if let Some(error) = &cluster.dcs_error {
            sheet.fact("error", error.clone(), Role::Critical, "");
        }
        lease(ctx, &mut sheet, document);
        Some(Details { title: format!("etcd {}", member.name), lines: sheet.lines() })
    }
}

/// The lease on the leader key with the times that rule it, and what the leader does when etcd is gone.
fn lease(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, document: &Document) {
    let cluster = &document.cluster;
    sheet.heading("The leader's lease");
    let read = cluster.lease_age_ms.map(|ms| format!("read {} ago", crate::ui::format::age(ctx.aged(ms).max(1000)))).unwrap_or_default();
    match cluster.lease_ttl_seconds {
        Some(left) => sheet.fact("ends in", format!("{left:.0} s unless it is renewed"), Role::Text, &read),
        None => sheet.fact("ends in", UNKNOWN, Role::Unknown, ""),
    }
    if let Some(at) = cluster.lease_renewed {
        sheet.fact("last renewed", format!("{} ago", ctx.ago(at)), Role::Text, &read);
    }
    for (name, value) in [("ttl", cluster.ttl), ("loop_wait", cluster.loop_wait), ("retry_timeout", cluster.retry_timeout)] {
        match value {
            Some(seconds) => sheet.fact(name, format!("{seconds} s"), Role::Text, ""),
            None => sheet.fact(name, UNKNOWN, Role::Unknown, ""),
        }
    }
    let role = if document.forecast.leader_stays_without_quorum.is_some() { Role::Text } else { Role::Unknown };
    sheet.fact("without quorum", document.forecast.without_quorum.clone(), role, "");
}

/// What it counts. The percentiles are of the last ten seconds, the totals since its process started.
fn counted(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, member: &EtcdMemberDoc) {
    let said = match member.metrics_age_ms.map(|ms| ctx.aged(ms)) {
        Some(ms) => format!("/metrics, {} ago", age(ms.max(1000))),
        None => String::new(),
    };
    let mut maybe = |name: &str, value: Option<String>| match value {
        Some(value) => sheet.fact(name, value, Role::Text, &said),
        None => sheet.fact(name, UNKNOWN, Role::Unknown, ""),
    };
    let percentile = |ms: Option<f64>| ms.map(|ms| format!("99 % within {ms:.1} ms"));
    let total = |n: Option<u64>| n.map(|n| format!("{n} since it started"));
    maybe("fsync", percentile(member.fsync_p99_ms));
    maybe("commit", percentile(member.commit_p99_ms));
    maybe("slow applies", total(member.slow_applies_total));
    maybe("leader changes", total(member.leader_changes_total));
    maybe("proposals wait", member.proposals_pending.map(|n| n.to_string()));
    maybe("proposals failed", total(member.proposals_failed_total));
}

fn shown<'d>(document: &'d Document, view: &View) -> Vec<&'d EtcdMemberDoc> {
    let passes = |m: &&EtcdMemberDoc| view.passes([m.name.as_str(), &m.state, &m.endpoint]);
    let mut members: Vec<&EtcdMemberDoc> = document.etcd.members.iter().filter(passes).collect();
    members.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.endpoint.cmp(&b.endpoint)));
    members
}

/// How a member's state looks.
pub(super) fn state_role(state: &str) -> Role {
    match state {
        "leader" => Role::Leader,
        "follower" | "learner" => Role::Text,
        "no leader" | "unreachable" => Role::Critical,
        _ => Role::Unknown,
    }
}

fn row(ctx: &Ctx<'_>, member: &EtcdMemberDoc) -> Row {
    // Numbers that are not current are drawn so.
    let value = |text: Option<String>| match text {
        Some(text) => Cell::new(text, if member.asked.fresh { Role::Muted } else { Role::Stale }),
        None => Cell::unknown(),
    };
    let cells = vec![
        Cell::new(&member.name, Role::Text),
        Cell::new(&member.state, state_role(&member.state)),
        asked::cell(ctx, &member.asked),
        Cell::new(member.alarms.join(" "), Role::Critical),
        value(member.db_size_bytes.map(bytes)),
        value(member.fsync_p99_ms.map(rtt)),
        value(member.db_in_use_bytes.map(bytes)),
        value(member.raft_term.map(|n| n.to_string())),
        value(member.raft_index.map(|n| n.to_string())),
        value(member.version.clone()),
    ];
    Row { id: member.endpoint.clone(), cells }
}
