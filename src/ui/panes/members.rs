//! The members: who leads, who follows, how far behind, who can be heard.

use std::cmp::Reverse;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::asked;
use crate::app::{Facts, PaneModel, RowId, View};
use crate::document::{ClusterDoc, Document, MemberDoc, Role as MemberRole};
use crate::theme::Role;
use crate::ui::format::{bytes, seconds};
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{Align, Cell, Column, Row, table};

/// The pane.
pub(super) struct Members;

const COLUMNS: &[Column] = &[
    Column::new("Member", Align::Name, 6, 28, 0),
    Column::new("Role", Align::Left, 7, 14, 0),
    Column::new("State", Align::Left, 9, 26, 0),
    Column::new("TL", Align::Right, 2, 6, 0),
    Column::new("Receive", Align::Right, 7, 7, 0),
    Column::new("Replay", Align::Right, 7, 7, 0),
    Column::new("Delay", Align::Right, 6, 6, 3),
    Column::new("Lead?", Align::Left, 5, 5, 0),
    Column::new("REST", Align::Right, 6, 6, 2),
    Column::new("SQL", Align::Right, 6, 6, 2),
    Column::remarks("Notes", 5, 40, 4),
    Column::new("Position", Align::Right, 10, 17, 5),
    Column::new("Sessions", Align::Right, 8, 8, 6),
    Column::new("From", Align::Name, 4, 21, 7),
    Column::new("PostgreSQL", Align::Left, 10, 10, 9),
    Column::new("Host", Align::Name, 9, 24, 8),
];

/// Below this height the table says nothing.
const LEAST_ROWS: u16 = 4;

impl PaneModel for Members {
    fn title(&self) -> &'static str {
        "Members"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        facts.document.as_deref().map(|d| shown(d, view).into_iter().map(|m| m.name.clone()).collect()).unwrap_or_default()
    }

    fn sorts(&self) -> &'static [&'static str] {
        &["role", "name", "state", "lag"]
    }

    fn rows_are_members(&self) -> bool {
        true
    }
}

impl Pane for Members {
    fn summary(&self, ctx: &Ctx<'_>) -> Vec<Span<'static>> {
        let Some(document) = ctx.document().filter(|d| !d.members.is_empty()) else { return Vec::new() };
        let (all, seen) = (document.members.len(), shown(document, ctx.view).len());
        let count = if all == seen { all.to_string() } else { format!("{seen} of {all} shown") };
        vec![ctx.look.span(count, Role::Muted)]
    }

    fn want(&self, ctx: &Ctx<'_>, _width: u16) -> Want {
        let rows = ctx.document().map_or(1, |d| u16::try_from(shown(d, ctx.view).len()).unwrap_or(u16::MAX)).max(1);
        Want { min: (rows + 1).min(LEAST_ROWS), ideal: rows + 1, max: rows + 1 }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let Some(document) = ctx.document() else {
            ctx.say("waiting for the first answer", Role::Muted, area, buffer);
            return Drawn::default();
        };
        let members = shown(document, ctx.view);
        if members.is_empty() {
            let text = if document.members.is_empty() { "no member is known yet" } else { "no member passes the filter" };
            ctx.say(text, Role::Muted, area, buffer);
            return Drawn::default();
        }
        let rows: Vec<Row> = members.into_iter().map(|member| row(ctx, document, member)).collect();
        table(ctx, COLUMNS, &rows, area, buffer)
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        super::member_details::details(ctx, row, width)
    }
}

/// The members that pass the filter, in the chosen order; names decide between equals, so that rows keep their places.
fn shown<'d>(document: &'d Document, view: &View) -> Vec<&'d MemberDoc> {
    let role = |m: &MemberDoc| m.role.to_string().replace('_', " ");
    let passes = |m: &&MemberDoc| {
        view.passes([m.name.as_str(), &role(m), m.state.as_deref().unwrap_or_default(), m.host.as_deref().unwrap_or_default()])
    };
    let mut members: Vec<&MemberDoc> = document.members.iter().filter(passes).collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    match view.sort {
        1 => {}
        2 => members.sort_by_key(|m| (m.state.is_some(), m.state.clone())),
        // An unknown lag may be the worst.
        3 => members.sort_by_key(|m| (leads(m), m.replay_lag_bytes.is_some(), Reverse(m.replay_lag_bytes))),
        _ => members.sort_by_key(|m| (!m.present, rank(m.role))),
    }
    if view.reverse {
        members.reverse();
    }
    members
}

fn leads(member: &MemberDoc) -> bool {
    matches!(member.role, MemberRole::Leader | MemberRole::StandbyLeader)
}

fn rank(role: MemberRole) -> u8 {
    match role {
        MemberRole::Leader | MemberRole::StandbyLeader => 0,
        // One that writes without the key belongs beside the leader: that is the trouble.
        MemberRole::Primary => 1,
        MemberRole::SyncStandby | MemberRole::QuorumStandby => 2,
        _ => 3,
    }
}

fn row(ctx: &Ctx<'_>, document: &Document, member: &MemberDoc) -> Row {
    let cluster = &document.cluster;
    let position = member.lsn.filter(|_| leads(member)).or(member.replay_lsn);
    let cells = vec![
        Cell::new(&member.name, if leads(member) { Role::Leader } else { Role::Text }),
        Cell::new(member.role.to_string().replace('_', " "), role_of(member.role)),
        state(ctx, member),
        timeline(cluster, member),
        lag(cluster, member, member.receive_lag_bytes),
        lag(cluster, member, member.replay_lag_bytes),
        match member.replay_lag_seconds {
            _ if leads(member) => Cell::none(),
            Some(s) => Cell::new(seconds(s), Role::Text),
            None => Cell::unknown(),
        },
        can_lead(document, member),
        asked::cell(ctx, &member.rest),
        asked::cell(ctx, &member.sql),
        Cell::new(notes(ctx, member).join(", "), Role::Warning),
        position.map_or_else(Cell::unknown, |lsn| Cell::new(lsn.to_string(), Role::Muted)),
        member.sessions.map_or_else(Cell::unknown, |n| Cell::new(n.to_string(), Role::Muted)),
        match &member.upstream {
            _ if leads(member) => Cell::none(),
            Some(from) => Cell::new(from, Role::Muted),
            None => Cell::unknown(),
        },
        member.postgres_version.as_ref().map_or_else(Cell::unknown, |v| Cell::new(v, Role::Muted)),
        member.host.as_ref().map_or_else(Cell::unknown, |h| Cell::new(h, Role::Muted)),
    ];
    Row { id: member.name.clone(), cells }
}

pub(super) fn role_of(role: MemberRole) -> Role {
    match role {
        MemberRole::Leader | MemberRole::StandbyLeader => Role::Leader,
        MemberRole::SyncStandby | MemberRole::QuorumStandby => Role::ReplicaSync,
        MemberRole::Replica => Role::Replica,
        MemberRole::Primary => Role::Critical,
        MemberRole::Demoted | MemberRole::Uninitialized => Role::Warning,
        MemberRole::Unknown => Role::Unknown,
    }
}

/// The state; for a member that is not heard, what was last known of it.
fn state(ctx: &Ctx<'_>, member: &MemberDoc) -> Cell {
    if let Some(since) = member.missing_since.filter(|_| !member.present) {
        return Cell::new(format!("missing {}", ctx.ago(since)), Role::Critical);
    }
    match (&member.state, &member.last_known) {
        (Some(state), _) => Cell::new(state, state_role(state)),
        (None, Some(last)) => Cell::new(format!("was {}", last_state(last)), Role::Stale),
        (None, None) => Cell::unknown(),
    }
}

/// The state in `replica, streaming 47 s ago`; how long ago it was, the column of the REST API says.
fn last_state(last_known: &str) -> String {
    let state = last_known.split_once(", ").map_or(last_known, |(_, state)| state);
    let words: Vec<&str> = state.split(' ').collect();
    match words.as_slice() {
        [state @ .., _, _, "ago"] if !state.is_empty() => state.join(" "),
        words => words.join(" "),
    }
}

/// What a state of Patroni's (`patroni/postgresql/misc.py`) means; a word that is not known is not taken for a good one.
pub(super) fn state_role(state: &str) -> Role {
    match state {
        "running" | "streaming" => Role::Text,
        "stopped" | "crashed" | "initdb failed" | "custom bootstrap failed" | "start failed" | "restart failed" | "stop failed" => {
            Role::Critical
        }
        "in archive recovery" | "starting" | "restarting" | "stopping" | "creating replica" => Role::Warning,
        _ if state.starts_with("initializing") || state.starts_with("running custom") || state.starts_with("starting") => Role::Warning,
        _ => Role::Unknown,
    }
}

/// Whether it could lead now; why not stands in the notes.
fn can_lead(document: &Document, member: &MemberDoc) -> Cell {
    if document.forecast.leader.as_deref() == Some(&member.name) {
        return Cell::new("leads", Role::Muted);
    }
    match member.can_take_over {
        Some(true) if document.forecast.next.contains(&member.name) => Cell::new("next", Role::Text),
        Some(true) => Cell::new("yes", Role::Text),
        Some(false) => Cell::new("no", Role::Warning),
        None => Cell::unknown(),
    }
}

fn timeline(cluster: &ClusterDoc, member: &MemberDoc) -> Cell {
    match (member.timeline, cluster.timeline) {
        (None, _) => Cell::unknown(),
        (Some(own), Some(leaders)) if own != leaders => Cell::new(own.to_string(), Role::Warning),
        (Some(own), _) => Cell::new(own.to_string(), Role::Text),
    }
}

fn lag(cluster: &ClusterDoc, member: &MemberDoc, value: Option<u64>) -> Cell {
    match value {
        _ if leads(member) => Cell::none(),
        None => Cell::unknown(),
        Some(value) => Cell::new(bytes(value), lag_role(value, cluster.maximum_lag_on_failover)),
    }
}

/// What a lag means beside the limit for a failover.
pub(super) fn lag_role(value: u64, limit: Option<u64>) -> Role {
    match limit {
        Some(limit) if value > limit => Role::Critical,
        Some(limit) if value > limit / 2 => Role::Warning,
        _ => Role::Text,
    }
}

fn notes(ctx: &Ctx<'_>, member: &MemberDoc) -> Vec<String> {
    let tag = |name: &str| match member.tags.get(name) {
        Some(serde_json::Value::Bool(yes)) => *yes,
        Some(serde_json::Value::String(text)) => text == "true",
        _ => false,
    };
    let mut notes = Vec::new();
    if let Some(copy) = &member.copy {
        let much = copy.percent.map(|percent| format!("{percent} %")).or_else(|| copy.streamed_bytes.map(bytes));
        notes.push(format!("copies {} from {}", much.unwrap_or_default(), copy.from).replace("  ", " "));
    }
    if member.pending_restart == Some(true) {
        notes.push("restart pending".to_owned());
    }
    if let Some(at) = member.scheduled_restart {
        notes.push(format!("restart {}", ctx.until(at)));
    }
    if member.replay_paused == Some(true) {
        notes.push("replay paused".to_owned());
    }
    if member.paused == Some(true) {
        notes.push("paused".to_owned());
    }
    notes.extend(["nofailover", "noloadbalance", "nosync", "nostream"].iter().filter(|name| tag(name)).map(|name| (*name).to_owned()));
    // What the other columns and the first line say already is not said again.
    let said = ["paused", "no-quorum", "missing", "down", "silent", "unheard", "not-running", "nofailover", "position-unknown"];
    notes.extend(member.cannot_because.iter().filter(|r| !said.contains(&r.code.as_str())).map(|r| r.short.clone()));
    notes
}
