//! The routes: does the traffic follow the leader.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::asked;
use crate::app::{Facts, PaneModel, RowId, View};
use crate::document::{Document, Level, Role as MemberRole, RouteDoc, RouteKind, RouteServerDoc};
use crate::theme::{Role, sign};
use crate::ui::format::{UNKNOWN, since};
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{Align, Cell, Column, Row, Sheet, table};

/// The pane.
pub(super) struct Routes;

const COLUMNS: &[Column] = &[
    Column::new(" ", Align::Left, 1, 1, 0),
    Column::new("HAProxy", Align::Name, 4, 20, 0),
    Column::new("Route", Align::Left, 5, 5, 0),
    Column::new("Leads to", Align::Left, 8, 30, 0),
    Column::new("Sessions", Align::Right, 8, 8, 2),
    Column::new("Answer", Align::Right, 6, 6, 1),
    // What the servers are said to be has another length at each change, and the column must not come and go with it.
    Column::steady("Servers", 24, 80, 4),
    Column::new("Backend", Align::Name, 7, 20, 3),
];

impl PaneModel for Routes {
    fn title(&self) -> &'static str {
        "Routes"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        facts.document.as_deref().map(|d| shown(d, view).into_iter().map(id).collect()).unwrap_or_default()
    }
}

impl Pane for Routes {
    fn summary(&self, ctx: &Ctx<'_>) -> Vec<Span<'static>> {
        let Some(document) = ctx.document() else { return Vec::new() };
        let wrong = document.routes.iter().filter(|r| r.right == Some(false)).count();
        match (document.routes.len(), wrong) {
            (0, _) => Vec::new(),
            (_, 0) => Vec::new(),
            (_, n) => vec![ctx.look.span(format!("{n} wrong"), Role::Critical)],
        }
    }

    fn want(&self, ctx: &Ctx<'_>, _width: u16) -> Want {
        let rows = ctx.document().map_or(0, |d| u16::try_from(shown(d, ctx.view).len()).unwrap_or(u16::MAX));
        match rows {
            0 => Want { min: 1, ideal: 1, max: 1 },
            rows => Want { min: (rows + 1).min(4), ideal: rows + 1, max: rows + 1 },
        }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let Some(document) = ctx.document() else { return Drawn::default() };
        let routes = shown(document, ctx.view);
        if routes.is_empty() {
            let (text, role) = nothing(document);
            ctx.say(&text, role, area, buffer);
            return Drawn::default();
        }
        let rows: Vec<Row> = routes.into_iter().map(|route| row(ctx, route)).collect();
        table(ctx, COLUMNS, &rows, area, buffer)
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        details(ctx, row, width)
    }
}

/// Everything about a route.
pub(super) fn details(ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
    let route = ctx.document()?.routes.iter().find(|r| id(r) == row)?;
    let mut sheet = Sheet::new(ctx.look, width);
    let said = asked::said(ctx, &format!("haproxy {}", route.instance), &route.asked);
    let kind = match route.kind {
        RouteKind::Write => "write: must lead to the leader and to nobody else",
        RouteKind::Read => "read: leads to replicas",
        RouteKind::Other => "not known",
    };
    sheet.fact("for", kind, Role::Text, "");
    let (to, role) = leads_to(route);
    sheet.fact("leads to", to, role, &said);
    match route.sessions {
        Some(n) => sheet.fact("sessions", n.to_string(), Role::Text, &said),
        None => sheet.fact("sessions", UNKNOWN, Role::Unknown, ""),
    }
    sheet.heading("Servers");
    for server in &route.servers {
        let member = server.member.as_deref().filter(|m| *m != server.name).map(|m| format!(" ({m})")).unwrap_or_default();
        let role = ctx.document().and_then(|document| by_design(document, route, server));
        let mut text = role.map_or_else(|| server.status.clone(), |role| format!("{}, as it should: it {role}", server.status));
        for part in [
            server.check.clone(),
            server.sessions.map(|n| format!("{n} sessions")),
            server.last_change_seconds.map(|s| format!("since {}", since(std::time::Duration::from_secs(s)))),
        ] {
            text.extend(part.map(|part| format!(", {part}")));
        }
        sheet.fact(&format!("{}{member}", server.name), text, Role::Text, &said);
    }
    sheet.heading("Who was asked");
    asked::lines(ctx, &mut sheet, &format!("HAProxy {}", route.instance), &route.asked);
    asked::certificate(ctx, &mut sheet, "haproxy", &route.instance);
    Some(Details { title: format!("{} {}", route.instance, route.backend), lines: sheet.lines() })
}

pub(super) fn id(route: &RouteDoc) -> RowId {
    format!("{} {}", route.instance, route.backend)
}

/// Write routes first: they carry what must not be lost.
pub(super) fn shown<'d>(document: &'d Document, view: &View) -> Vec<&'d RouteDoc> {
    let passes = |r: &&RouteDoc| {
        view.passes([r.instance.as_str(), &r.backend, &r.kind.to_string()].into_iter().chain(r.up.iter().map(String::as_str)))
    };
    let mut routes: Vec<&RouteDoc> = document.routes.iter().filter(passes).collect();
    let rank = |kind: RouteKind| match kind {
        RouteKind::Write => 0,
        RouteKind::Read => 1,
        RouteKind::Other => 2,
    };
    routes.sort_by(|a, b| rank(a.kind).cmp(&rank(b.kind)).then_with(|| id(a).cmp(&id(b))));
    routes
}

/// Why there is no route.
fn nothing(document: &Document) -> (String, Role) {
    if !document.routes.is_empty() {
        return ("no route passes the filter".to_owned(), Role::Muted);
    }
    let haproxy = document.sources.iter().filter(|s| s.name == "haproxy");
    let errors: Vec<String> = haproxy.clone().filter_map(|s| s.error.as_ref().map(|e| format!("{}: {e}", s.target))).collect();
    if !errors.is_empty() {
        return (errors.join("; "), Role::Critical);
    }
    match haproxy.count() {
        0 => ("no HAProxy is configured; where the clients go is not known".to_owned(), Role::Muted),
        _ => ("no HAProxy has answered yet".to_owned(), Role::Muted),
    }
}

fn leads_to(route: &RouteDoc) -> (String, Role) {
    let to = if route.up.is_empty() { "nobody".to_owned() } else { route.up.join(", ") };
    match route.right {
        _ if !route.asked.fresh => (to, Role::Stale),
        Some(true) => (to, Role::Text),
        Some(false) => (to, Role::Critical),
        None => (to, Role::Unknown),
    }
}

/// Why HAProxy has a server DOWN that has to be: the checks of a write route turn replicas away, those of a read route the leader.
fn by_design(document: &Document, route: &RouteDoc, server: &RouteServerDoc) -> Option<&'static str> {
    // Its Patroni has answered, and has said that it is not what this route leads to. Who does not answer is down for another reason.
    let turned_away = server.status.starts_with("DOWN") && server.check.as_deref().is_some_and(|check| check.starts_with("L7STS/503"));
    let member = server.member.as_deref().filter(|_| turned_away && route.asked.fresh)?;
    let role = document.members.iter().find(|one| one.name == member).filter(|one| one.rest.fresh)?.role;
    match (route.kind, role) {
        (RouteKind::Write, MemberRole::Replica | MemberRole::SyncStandby | MemberRole::QuorumStandby) => Some("stands by"),
        (RouteKind::Read, MemberRole::Leader | MemberRole::StandbyLeader) => Some("leads"),
        _ => None,
    }
}

/// A server in words: `psg1 UP`, `psg2 stands by`, `psg3 DOWN`.
fn told(document: Option<&Document>, route: &RouteDoc, server: &RouteServerDoc) -> String {
    let name = server.member.as_deref().unwrap_or(&server.name);
    let role = document.and_then(|document| by_design(document, route, server));
    format!("{name} {}", role.unwrap_or(&server.status))
}

fn row(ctx: &Ctx<'_>, route: &RouteDoc) -> Row {
    let level = match route.right {
        _ if !route.asked.fresh => Level::Unknown,
        Some(true) => Level::Ok,
        Some(false) => Level::Critical,
        None => Level::Unknown,
    };
    let (to, role) = leads_to(route);
    let kind = if route.kind == RouteKind::Other { UNKNOWN.to_owned() } else { route.kind.to_string() };
    let servers: Vec<String> = route.servers.iter().map(|server| told(ctx.document(), route, server)).collect();
    let cells = vec![
        Cell::new(sign(level), ctx.look.level(level)),
        Cell::new(&route.instance, Role::Text),
        Cell::new(kind, Role::Text),
        Cell::new(to, role),
        route.sessions.map_or_else(Cell::unknown, |n| Cell::new(n.to_string(), Role::Muted)),
        asked::cell(ctx, &route.asked),
        Cell::new(servers.join(" · "), Role::Muted),
        Cell::new(&route.backend, Role::Muted),
    ];
    Row { id: id(route), cells }
}
