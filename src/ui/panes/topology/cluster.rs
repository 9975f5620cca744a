//! The HAProxies, the node that each sends writes to, and what runs on the nodes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::part::Part;
use super::{mark_if, node, route, routes};
use crate::app::View;
use crate::document::{Document, EtcdMemberDoc, Level, MemberDoc, Role as MemberRole, RouteDoc, RouteKind};
use crate::theme::Role;
use crate::ui::pane::Ctx;
use crate::ui::put::put;
use crate::ui::widget::{Flow, first_row, frame};

/// Columns of a route on a line, and of the lines beside it.
const ROUTES: u16 = 27;
const FLOW: u16 = 14;
/// Columns that a wide screen gives to the lines beside that.
const FLOW_WIDE: u16 = 24;
/// Rows of a node's box.
const BOX: usize = 4;

/// What was drawn of it.
#[derive(Default)]
pub(super) struct Drawn {
    /// Rows that it took.
    pub(super) used: u16,
    /// Nodes that had no room.
    pub(super) hidden: usize,
    /// Where a line can come in to a HAProxy that is in a box.
    pub(super) inlets: Vec<Inlet>,
}

/// The way in to a HAProxy, for those who write.
pub(super) struct Inlet {
    /// Its name.
    pub(super) name: String,
    /// The column left of its box, and the row of its first route that writes.
    pub(super) place: (u16, u16),
    /// Whether sessions go that way.
    pub(super) flows: bool,
    /// Whether that is right.
    pub(super) role: Role,
}

/// How wide its parts are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Widths {
    /// Of a HAProxy's box.
    pub(super) proxy: u16,
    /// Of the lines behind it.
    pub(super) flow: u16,
}

/// A route that has its place: its row, and where the lines behind it begin.
struct Placed<'d> {
    route: &'d RouteDoc,
    y: u16,
    /// Whether its box says where it leads.
    told: bool,
}

/// The nodes: who leads, then who is sent writes, so that the lines that matter are short and never out of sight.
pub(super) fn nodes(document: &Document) -> Vec<&MemberDoc> {
    let mut all: Vec<&MemberDoc> = document.members.iter().collect();
    let rank = |member: &MemberDoc| (!leads(member), !pinned(document, member));
    all.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name)));
    all
}

pub(super) fn leads(member: &MemberDoc) -> bool {
    matches!(member.role, MemberRole::Leader | MemberRole::StandbyLeader)
}

/// Whether it leads or takes writes, or a route sends writes to it.
fn pinned(document: &Document, member: &MemberDoc) -> bool {
    leads(member)
        || member.role == MemberRole::Primary
        || document.routes.iter().any(|route| route.kind == RouteKind::Write && route.up.contains(&member.name))
}

/// The nodes that fit, and how many do not.
fn visible<'d>(ctx: &Ctx<'_>, document: &'d Document, room: usize) -> (Vec<&'d MemberDoc>, usize) {
    let mut all = nodes(document);
    if all.len() <= room {
        return (all, 0);
    }
    let first = all.iter().filter(|member| pinned(document, member)).count().min(room.saturating_sub(1));
    let selected = ctx.view.selected.as_deref().and_then(|id| id.strip_prefix("node "));
    let at = selected.and_then(|name| all.iter().position(|member| member.name == name)).unwrap_or(0).saturating_sub(first);
    let rest = all.split_off(first);
    let from = first_row(rest.len(), room.saturating_sub(first), at);
    let hidden = rest.len() - room.saturating_sub(first).min(rest.len());
    all.extend(rest.into_iter().skip(from).take(room.saturating_sub(first)));
    (all, hidden)
}

/// Draws it: with boxes of these widths as far as they have room, or all on lines.
pub(super) fn draw(ctx: &Ctx<'_>, document: &Document, boxes: Option<Widths>, area: Rect, buffer: &mut Buffer) -> Drawn {
    let height = usize::from(area.height);
    // A box for each; two lines and one between them; two, or one.
    let (each, gap, framed) = match document.members.len() {
        n if boxes.is_some() && n * BOX <= height => (BOX, 0, true),
        n if n * 3 <= height + 1 => (2, 1, false),
        n if n * 2 <= height => (2, 0, false),
        _ => (1, 0, false),
    };
    let mut out = Drawn::default();
    let boxed = boxes.and_then(|widths| boxed(ctx, document, widths, area, buffer, &mut out));
    let (left, flow_width, placed, used) = boxed.unwrap_or_else(|| on_lines(ctx, document, each + gap, area, buffer));
    let right = Rect { x: area.x + 2 + left + flow_width, width: area.width.saturating_sub(3 + left + flow_width), ..area };
    let (shown, hidden) = visible(ctx, document, (height + gap) / (each + gap));
    let top_of = |n: usize| area.y + u16::try_from(n * (each + gap)).unwrap_or(u16::MAX);
    for (n, member) in shown.iter().enumerate() {
        let height = u16::try_from(each).unwrap_or(1).min(area.bottom().saturating_sub(top_of(n)));
        one(ctx, document, member, framed, Rect { y: top_of(n), height, ..right }, buffer);
    }
    let row_of = |n: usize| top_of(n) + u16::from(framed);
    lead(ctx, &placed, &shown, (area.x + 2 + left, flow_width), &row_of, buffer);
    let nodes_end = shown.len().checked_sub(1).map_or(0, |last| top_of(last) + u16::try_from(each).unwrap_or(1) - area.y);
    out.used = nodes_end.max(used).min(area.height);
    out.hidden = hidden;
    out
}

/// A node in its place.
fn one(ctx: &Ctx<'_>, document: &Document, member: &MemberDoc, framed: bool, area: Rect, buffer: &mut Buffer) {
    let part = Part::Node(member);
    if !framed {
        for (line, y) in node::lines(ctx, document, member, area.width).into_iter().zip(area.y..area.bottom()) {
            put(buffer, area.x, y, &line, area.width);
        }
        return mark_if(ctx, Some(&part), Rect { x: area.x.saturating_sub(2), width: area.width + 2, ..area }, buffer);
    }
    let level = node::level(document, member);
    let border = match level {
        Level::Ok if leads(member) => Role::Leader,
        Level::Ok => Role::Border,
        level => ctx.look.level(level),
    };
    frame(&ctx.look, &Line::default(), border, area, buffer);
    let inside = Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(3), height: area.height.saturating_sub(2) };
    for (line, y) in node::lines(ctx, document, member, inside.width.saturating_sub(1)).into_iter().zip(inside.y..inside.bottom()) {
        put(buffer, inside.x, y, &line, inside.width);
    }
    mark_if(ctx, Some(&part), Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..inside }, buffer);
}

type Left<'d> = (u16, u16, Vec<Placed<'d>>, u16);

/// A box for each HAProxy; `None`: they have no room.
fn boxed<'d>(ctx: &Ctx<'_>, document: &'d Document, widths: Widths, area: Rect, buffer: &mut Buffer, out: &mut Drawn) -> Option<Left<'d>> {
    let all = route::proxies(ctx, document, widths.proxy);
    let needed: u16 = all.iter().map(|proxy| proxy.card.height(ctx, widths.proxy)).sum();
    if all.is_empty() {
        return Some((0, 0, Vec::new(), 0));
    }
    if needed > area.height {
        return None;
    }
    let gap = u16::from(needed + u16::try_from(all.len()).unwrap_or(u16::MAX) <= area.height + 1);
    let (mut y, mut placed) = (area.y, Vec::new());
    for proxy in all {
        let height = proxy.card.height(ctx, widths.proxy);
        let place = Rect { x: area.x + 2, y, width: widths.proxy, height };
        let rows = proxy.card.draw(ctx, place, buffer);
        let routes: Vec<Placed<'d>> = proxy.routes.iter().zip(&rows).map(|(route, y)| Placed { route, y: *y, told: true }).collect();
        if let Some(writes) = routes.iter().find(|one| one.route.kind == RouteKind::Write) {
            let flows = writes.route.asked.fresh && writes.route.sessions.is_some_and(|n| n > 0);
            let role = route::role(writes.route);
            out.inlets.push(Inlet { name: proxy.name.to_owned(), place: (place.x - 1, writes.y), flows, role });
        }
        placed.extend(routes);
        y += height + gap;
    }
    Some((widths.proxy, widths.flow, placed, y - gap - area.y))
}

/// A line for each route; a node has so many rows.
fn on_lines<'d>(ctx: &Ctx<'_>, document: &'d Document, step: usize, area: Rect, buffer: &mut Buffer) -> Left<'d> {
    let flow = if area.width >= 110 { FLOW_WIDE } else { FLOW };
    let routes = routes::shown(document, &View::default());
    let mute: Vec<(&str, String)> = route::mute(document).collect();
    if routes.is_empty() && mute.is_empty() {
        return (0, 0, Vec::new(), 0);
    }
    // Words of a route must not lie where a line passes: those that write have theirs in a row of their own.
    let nodes = nodes(document);
    let farthest = |route: &RouteDoc| route.up.iter().filter_map(|name| nodes.iter().position(|m| m.name == *name)).max().unwrap_or(0);
    let height = usize::from(area.height);
    let (mut y, mut passed, mut placed, mut before) = (area.y, area.y, Vec::new(), None);
    for route in routes {
        if before.is_some_and(|kind| kind != route.kind) {
            y = y.max(passed) + u16::from(document.routes.len() + 2 <= height);
        }
        before = Some(route.kind);
        if y >= area.bottom() {
            break;
        }
        put(buffer, area.x + 2, y, &route::line(ctx, route), ROUTES);
        mark_if(ctx, Some(&Part::Route(route)), Rect { y, height: 1, width: ROUTES + 2, ..area }, buffer);
        if route.kind == RouteKind::Write {
            passed = passed.max(area.y + u16::try_from(farthest(route) * step + 1 + usize::from(step == BOX)).unwrap_or(0));
        }
        placed.push(Placed { route, y, told: false });
        y += 1;
    }
    for (name, told) in mute {
        if y < area.bottom() {
            put(buffer, area.x + 2, y, &Line::from(ctx.look.span(format!("▲ {name} {told}"), Role::Warning)), ROUTES + flow - 2);
            y += 1;
        }
    }
    (ROUTES, flow, placed, y - area.y)
}

/// Draws where the routes that write lead, and says it of the others in words. A line is thick where sessions go along.
fn lead(
    ctx: &Ctx<'_>,
    placed: &[Placed<'_>],
    shown: &[&MemberDoc],
    (x, width): (u16, u16),
    row_of: &dyn Fn(usize) -> u16,
    buffer: &mut Buffer,
) {
    let mut flows = Flow::default();
    let mut targets: Vec<&str> = Vec::new();
    let mut lines: Vec<(&RouteDoc, u16, usize, u16)> = Vec::new();
    for Placed { route, y, told } in placed {
        let leads: Vec<u16> = route.up.iter().filter_map(|name| shown.iter().position(|m| m.name == *name)).map(row_of).collect();
        if route.kind == RouteKind::Write && leads.len() == route.up.len() && !leads.is_empty() {
            for (name, to) in route.up.iter().zip(leads) {
                let lane = targets.iter().position(|known| known == name).unwrap_or_else(|| {
                    targets.push(name);
                    targets.len() - 1
                });
                lines.push((route, *y, lane, to));
            }
        } else if !told {
            put(buffer, x, *y, &Line::from(route::to(ctx, route, width.saturating_sub(1))), width.saturating_sub(2));
        }
    }
    // Where they share cells the last one's meaning counts: what is wrong over what is right, and that over what is old.
    lines.sort_by_key(|(route, ..)| match route::role(route) {
        Role::Critical => 2,
        Role::Ok => 1,
        _ => 0,
    });
    for (route, y, lane, to) in lines {
        let bend = x + 3 + u16::try_from(lane * 2).unwrap_or(0).min(width.saturating_sub(7));
        let end = (x + width).saturating_sub(4);
        let thick = route.asked.fresh && route.sessions.is_some_and(|n| n > 0);
        flows.lead((x, y), bend, (end, to), thick, route::role(route));
        buffer.set_stringn(end + 1, to, "▸", 1, ctx.look.style(route::role(route)));
    }
    flows.draw(&ctx.look, buffer);
}

/// The etcd member on the same host, by its address or else by its name.
pub(super) fn etcd_of<'d>(document: &'d Document, member: &MemberDoc) -> Option<&'d EtcdMemberDoc> {
    let on = |etcd: &&EtcdMemberDoc| member.host.as_deref().is_some_and(|host| host_of(&etcd.endpoint) == host);
    let members = &document.etcd.members;
    members.iter().find(on).or_else(|| members.iter().find(|etcd| etcd.name == member.name))
}

/// `10.0.0.8` of `https://10.0.0.8:2379`.
fn host_of(endpoint: &str) -> &str {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    rest.rsplit_once(':').map_or(rest, |(host, _)| host).trim_matches(['[', ']'])
}
