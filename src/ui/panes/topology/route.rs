//! The HAProxies in the picture: each with its routes, in a box or on lines.

use ratatui::text::{Line, Span};

use super::airflow::old;
use super::card::{Card, Item};
use super::part::Part;
use crate::app::View;
use crate::document::{Document, Level, RouteDoc, RouteKind};
use crate::model::counted;
use crate::theme::{Role, sign};
use crate::ui::format::{UNKNOWN, cut_middle, display_width};
use crate::ui::pane::Ctx;
use crate::ui::panes::{asked, routes};

/// How its line looks: green only where it is known to lead to the right one.
pub(super) fn role(route: &RouteDoc) -> Role {
    match route.right {
        _ if !route.asked.fresh => Role::Stale,
        Some(true) => Role::Ok,
        Some(false) => Role::Critical,
        None => Role::Unknown,
    }
}

fn level(route: &RouteDoc) -> Level {
    match role(route) {
        Role::Ok => Level::Ok,
        Role::Critical => Level::Critical,
        _ => Level::Unknown,
    }
}

fn kind(route: &RouteDoc) -> String {
    if route.kind == RouteKind::Other { UNKNOWN.to_owned() } else { route.kind.to_string() }
}

/// `● vm1         write  23 sess`, in 26 columns.
pub(super) fn line(ctx: &Ctx<'_>, route: &RouteDoc) -> Line<'static> {
    let level = level(route);
    let sessions = route.sessions.map_or_else(|| UNKNOWN.to_owned(), |n| n.to_string());
    let name = cut_middle(&route.instance, 8);
    let pad = " ".repeat(8usize.saturating_sub(display_width(&name)));
    let (mark, role) = if route.asked.fresh { (sign(level), ctx.look.level(level)) } else { ("◐", Role::Stale) };
    // What was so a while ago says how long ago, in place of the sessions of then.
    let told = match old(ctx, &route.asked) {
        Some(age) => ctx.look.span(format!("{age:>9}"), Role::Stale),
        None => ctx.look.span(format!("{sessions:>4} sess"), Role::Muted),
    };
    Line::from(vec![
        ctx.look.span(format!("{mark} "), role),
        ctx.look.span(format!("{name}{pad} "), Role::Text),
        ctx.look.span(format!("{:<5} ", kind(route)), Role::Text),
        told,
    ])
}

/// Where it leads, in words: for reading routes, and where there is nobody to draw a line to.
pub(super) fn to(ctx: &Ctx<'_>, route: &RouteDoc, width: u16) -> Vec<Span<'static>> {
    let role = if route.kind == RouteKind::Read && role(route) == Role::Ok { Role::Muted } else { role(route) };
    vec![ctx.look.span(format!("→ {}", named(route, usize::from(width).saturating_sub(3))), role)]
}

/// The members that it leads to, or how many, in so many columns.
fn named(route: &RouteDoc, width: usize) -> String {
    let named = if route.up.is_empty() { "NOBODY".to_owned() } else { route.up.join(", ") };
    match route.up.as_slice() {
        [one] => cut_middle(one, width),
        _ if display_width(&named) > width => format!("{} nodes", route.up.len()),
        _ => named,
    }
}

/// A HAProxy with its routes.
pub(super) struct Proxy<'d> {
    pub(super) card: Card<'d>,
    /// In the order of the card's items.
    pub(super) routes: Vec<&'d RouteDoc>,
    pub(super) name: &'d str,
}

/// Every HAProxy; one that has never answered says why, and has no route.
pub(super) fn proxies<'d>(ctx: &Ctx<'_>, document: &'d Document, width: u16) -> Vec<Proxy<'d>> {
    let shown = routes::shown(document, &View::default());
    let mut names: Vec<&str> = shown.iter().map(|route| route.instance.as_str()).collect();
    names.extend(mute(document).map(|(name, _)| name));
    names.sort_unstable();
    names.dedup();
    let proxy = |name: &'d str| {
        let routes: Vec<&RouteDoc> = shown.iter().copied().filter(|route| route.instance == name).collect();
        let mut items: Vec<Item<'d>> = routes.iter().map(|route| item(ctx, route, width)).collect();
        items.extend(mute(document).filter(|(mute, _)| *mute == name).map(|(_, told)| Item::new(Level::Warning, "", told)));
        let failing = routes.iter().find(|route| route.asked.error.is_some());
        let how = failing.map(|route| if asked::absent(&route.asked) { " SILENT" } else { " NOT READ" });
        let title = format!("HAProxy {name}{}", how.unwrap_or_default());
        let least = if how.is_some() { Level::Warning } else { Level::Ok };
        Proxy { card: Card::new(None, title, items).at_least(least), routes, name }
    };
    names.into_iter().map(proxy).collect()
}

/// HAProxies of which nothing is known, and why.
pub(super) fn mute(document: &Document) -> impl Iterator<Item = (&str, String)> {
    let silent = document.sources.iter().filter(|source| source.name == "haproxy" && source.age_ms.is_none());
    silent.filter_map(|source| {
        let how = if asked::is_absence(source.error_kind.as_deref()) { "NEVER ANSWERED" } else { "NEVER READ" };
        Some((source.target.as_str(), format!("{how}: {}", source.error.as_deref()?)))
    })
}

/// `● write → psg1   28 sessions`.
fn item<'d>(ctx: &Ctx<'_>, route: &'d RouteDoc, width: u16) -> Item<'d> {
    let sessions = route.sessions.map_or_else(|| format!("{UNKNOWN} sessions"), |n| counted(n.into(), "session", "sessions"));
    let told = old(ctx, &route.asked);
    let behind = told.as_ref().map_or_else(|| display_width(&sessions), |age| display_width(age));
    let room = usize::from(width).saturating_sub(4 + 9 + 2 + 3 + behind);
    let to = named(route, room);
    let pad = " ".repeat(room.saturating_sub(display_width(&to)));
    let item = if told.is_some() { format!("→ {to}") } else { format!("→ {to}{pad}  {sessions}") };
    Item::new(level(route), kind(route), item).stale(told).of(Part::Route(route))
}
