//! The estate as a picture: the HAProxies, the node that each sends writes to, what runs on the nodes, and what lives from them. It has the
//! screen when it has the focus, and no place beside the others.

mod below;
mod estate;
mod node;
mod rabbitmq;
mod route;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{asked, member_details, routes};
use crate::app::{Facts, PaneModel, RowId, View};
use crate::document::{Document, Level, MemberDoc, Role as MemberRole, RouteDoc, RouteKind};
use crate::theme::Role;
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{Flow, Sheet, first_row, mark};

/// The pane.
pub(super) struct Topology;

/// Columns of a route, and of the lines beside it.
const ROUTES: u16 = 27;
const FLOW: u16 = 13;
/// Columns that a wide screen gives to the lines beside that.
const FLOW_WIDE: u16 = 24;

/// What can be selected.
enum Part<'d> {
    Route(&'d RouteDoc),
    Node(&'d MemberDoc),
    Etcd,
    Airflow,
    Dags,
    Rabbitmq,
    Target,
}

impl Part<'_> {
    fn id(&self) -> RowId {
        match self {
            Self::Route(route) => format!("route {}", routes::id(route)),
            Self::Node(member) => format!("node {}", member.name),
            Self::Etcd => "etcd".to_owned(),
            Self::Airflow => "airflow".to_owned(),
            Self::Rabbitmq => "rabbitmq".to_owned(),
            Self::Dags => "dags".to_owned(),
            Self::Target => "target".to_owned(),
        }
    }
}

impl PaneModel for Topology {
    fn title(&self) -> &'static str {
        "Topology"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        let Some(document) = facts.document.as_deref() else { return Vec::new() };
        let airflow = document.airflow.as_ref().map(|_| Part::Airflow);
        let below = [Some(Part::Etcd), airflow, document.rabbitmq.as_ref().map(|_| Part::Rabbitmq)].into_iter().flatten();
        let parts =
            routes::shown(document, &View::default()).into_iter().map(Part::Route).chain(nodes(document).into_iter().map(Part::Node));
        parts.chain(below).chain(estate::parts(document)).map(|part| part.id()).filter(|id| view.passes([id.as_str()])).collect()
    }

    fn alone(&self) -> bool {
        true
    }
}

impl Pane for Topology {
    fn summary(&self, _: &Ctx<'_>) -> Vec<Span<'static>> {
        Vec::new()
    }

    fn want(&self, _: &Ctx<'_>, _width: u16) -> Want {
        Want { min: 1, ideal: 16, max: u16::MAX }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let Some(document) = ctx.document() else {
            ctx.say("waiting for the first answer", Role::Muted, area, buffer);
            return Drawn::default();
        };
        let below = below::lines(ctx, document, area.width);
        let wanted = u16::try_from(below.iter().map(|(_, lines)| lines.len()).sum::<usize>()).unwrap_or(u16::MAX);
        // What is below the picture must not push the nodes away.
        let kept = wanted.min(area.height / 3);
        let picture = Rect { height: area.height.saturating_sub(kept + 1), ..area };
        let (used, hidden) = draw_picture(ctx, document, picture, buffer);
        let mut y = area.y + used + 1;
        for (part, lines) in below {
            let top = y;
            for line in lines {
                if y < area.bottom() {
                    buffer.set_line(area.x + 2, y, &line, area.width.saturating_sub(2));
                    y += 1;
                }
            }
            mark_if(ctx, part.as_ref(), Rect { y: top, height: y - top, ..area }, buffer);
        }
        Drawn { page: area.height, hidden }
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        match row.split_once(' ') {
            Some(("route", id)) => routes::details(ctx, id, width),
            Some(("node", name)) => member_details::details(ctx, name, width),
            _ if row == "dags" => estate::dags_details(ctx, width),
            _ if row == "target" => estate::target_details(ctx, width),
            _ if row == "airflow" => super::airflow::whole(ctx, width),
            _ if row == "etcd" => of_etcd(ctx, width),
            _ if row == "rabbitmq" => rabbitmq::details(ctx, width),
            _ => None,
        }
    }
}

/// The nodes: who leads, then who is sent writes, so that the lines that matter are short and never out of sight.
fn nodes(document: &Document) -> Vec<&MemberDoc> {
    let mut all: Vec<&MemberDoc> = document.members.iter().collect();
    let rank = |member: &MemberDoc| (!leads(member), !pinned(document, member));
    all.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name)));
    all
}

fn leads(member: &MemberDoc) -> bool {
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
    let from = first_row(rest.len(), room - first, at);
    let hidden = rest.len() - (room - first).min(rest.len());
    all.extend(rest.into_iter().skip(from).take(room - first));
    (all, hidden)
}

/// Draws routes, lines and nodes; tells the rows that it took, and how many nodes had no room.
fn draw_picture(ctx: &Ctx<'_>, document: &Document, area: Rect, buffer: &mut Buffer) -> (u16, usize) {
    let flow_width = if area.width >= 110 { FLOW_WIDE } else { FLOW };
    let routes = routes::shown(document, &View::default());
    let (left, flow) = if routes.is_empty() { (0, 0) } else { (ROUTES, flow_width) };
    let right = Rect { x: area.x + 2 + left + flow, width: area.width.saturating_sub(3 + left + flow), ..area };
    let count = document.members.len();
    let height = usize::from(area.height);
    // Two lines for each and one between them, two, or one.
    let (each, gap) = match count {
        n if n * 3 <= height + 1 => (2, 1),
        n if n * 2 <= height => (2, 0),
        _ => (1, 0),
    };
    let (shown, hidden) = visible(ctx, document, (height + gap) / (each + gap));
    let row_of = |n: usize| u16::try_from(n * (each + gap)).unwrap_or(u16::MAX);
    for (n, member) in shown.iter().enumerate() {
        let top = area.y + row_of(n);
        for (line, y) in node::lines(ctx, document, member, right.width).into_iter().take(each).zip(top..area.bottom()) {
            buffer.set_line(right.x, y, &line, right.width);
        }
        let height = u16::try_from(each).unwrap_or(1).min(area.bottom().saturating_sub(top));
        let place = Rect { x: right.x.saturating_sub(2), y: top, width: right.width + 2, height };
        mark_if(ctx, Some(&Part::Node(member)), place, buffer);
    }
    let mut flows = Flow::default();
    let mut y = area.y;
    let mut targets: Vec<&str> = Vec::new();
    // Words of a route must not lie where a line passes.
    let mut passed = area.y;
    let mut before: Option<RouteKind> = None;
    for route in &routes {
        if before.is_some_and(|kind| kind != route.kind) {
            y = y.max(passed) + u16::from(routes.len() + 2 <= height);
        }
        before = Some(route.kind);
        if y >= area.bottom() {
            break;
        }
        buffer.set_line(area.x + 2, y, &route::line(ctx, route), ROUTES);
        mark_if(ctx, Some(&Part::Route(route)), Rect { y, height: 1, width: ROUTES + 2, ..area }, buffer);
        let place = Rect { x: area.x + 2 + ROUTES, y, width: flow, height: 1 };
        let leads: Vec<u16> =
            route.up.iter().filter_map(|name| shown.iter().position(|m| m.name == *name)).map(|n| area.y + row_of(n)).collect();
        if route.kind == RouteKind::Write && leads.len() == route.up.len() && !leads.is_empty() {
            for (name, to) in route.up.iter().zip(leads) {
                passed = passed.max(to + 1);
                let lane = targets.iter().position(|known| known == name).unwrap_or_else(|| {
                    targets.push(name);
                    targets.len() - 1
                });
                let bend = place.x + 3 + u16::try_from(lane * 2).unwrap_or(0).min(flow.saturating_sub(7));
                let end = place.right().saturating_sub(4);
                let thick = route.sessions.is_some_and(|n| n > 0);
                flows.lead((place.x, y), bend, (end, to), thick, route::role(route));
                buffer.set_stringn(end + 1, to, "▸", 1, ctx.look.style(route::role(route)));
            }
        } else {
            buffer.set_line(place.x, y, &Line::from(route::to(ctx, route, flow)), flow.saturating_sub(1));
        }
        y += 1;
    }
    flows.draw(&ctx.look, buffer);
    let nodes_end = shown.len().checked_sub(1).map_or(0, |last| usize::from(row_of(last)) + each);
    (u16::try_from(nodes_end).unwrap_or(u16::MAX).max(y - area.y).min(area.height), hidden)
}

/// Marks a part where it is the one that is selected; as long as none was, the first of them.
fn mark_if(ctx: &Ctx<'_>, part: Option<&Part<'_>>, place: Rect, buffer: &mut Buffer) {
    let Some(id) = part.map(Part::id).filter(|_| ctx.focused) else { return };
    let selected = match &ctx.view.selected {
        Some(selected) => *selected == id,
        None => Topology.rows(ctx.facts, ctx.view).first() == Some(&id),
    };
    if selected {
        mark(ctx, place.intersection(buffer.area), buffer);
    }
}

fn of_etcd(ctx: &Ctx<'_>, width: u16) -> Option<Details> {
    let etcd = &ctx.document()?.etcd;
    let mut sheet = Sheet::new(ctx.look, width);
    for member in &etcd.members {
        sheet.heading(&member.name);
        sheet.fact("state", member.state.clone(), Role::Text, &asked::said(ctx, &format!("etcd {}", member.name), &member.asked));
        asked::lines(ctx, &mut sheet, "asked", &member.asked);
    }
    Some(Details { title: "etcd".to_owned(), lines: sheet.lines() })
}

/// How bad the worst is that is found of a member; [`Level::Ok`] where there is nothing. Of two that take writes neither is well, whichever of
/// them the findings are about.
fn worst(document: &Document, member: &MemberDoc) -> Level {
    let writes = |member: &MemberDoc| member.in_recovery == Some(false) && member.sql.fresh;
    if writes(member) && document.members.iter().filter(|other| writes(other)).count() > 1 {
        return Level::Critical;
    }
    let about = document.findings.iter().filter(|finding| finding.subject.as_ref() == Some(&member.name));
    about.map(|finding| finding.severity).max().unwrap_or(Level::Ok)
}
