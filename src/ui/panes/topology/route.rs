//! A route in the picture.

use ratatui::text::{Line, Span};

use crate::document::{Level, RouteDoc, RouteKind};
use crate::theme::{Role, sign};
use crate::ui::format::{UNKNOWN, cut_middle, display_width};
use crate::ui::pane::Ctx;

/// How its line looks: green only where it is known to lead to the right one.
pub(super) fn role(route: &RouteDoc) -> Role {
    match route.right {
        _ if !route.asked.fresh => Role::Stale,
        Some(true) => Role::Ok,
        Some(false) => Role::Critical,
        None => Role::Unknown,
    }
}

/// `● vm1         write  23 sess`, in 26 columns.
pub(super) fn line(ctx: &Ctx<'_>, route: &RouteDoc) -> Line<'static> {
    let level = match role(route) {
        Role::Ok => Level::Ok,
        Role::Critical => Level::Critical,
        _ => Level::Unknown,
    };
    let kind = if route.kind == RouteKind::Other { UNKNOWN.to_owned() } else { route.kind.to_string() };
    let sessions = route.sessions.map_or_else(|| UNKNOWN.to_owned(), |n| n.to_string());
    let name = cut_middle(&route.instance, 8);
    let pad = " ".repeat(8usize.saturating_sub(display_width(&name)));
    Line::from(vec![
        ctx.look.span(format!("{} ", sign(level)), ctx.look.level(level)),
        ctx.look.span(format!("{name}{pad} "), Role::Text),
        ctx.look.span(format!("{kind:<5} "), Role::Text),
        ctx.look.span(format!("{sessions:>4} sess"), Role::Muted),
    ])
}

/// Where it leads, in words: for reading routes, and where there is nobody to draw a line to.
pub(super) fn to(ctx: &Ctx<'_>, route: &RouteDoc, width: u16) -> Vec<Span<'static>> {
    let role = if route.kind == RouteKind::Read && role(route) == Role::Ok { Role::Muted } else { role(route) };
    let named = if route.up.is_empty() { "nobody".to_owned() } else { route.up.join(", ") };
    let text = if display_width(&named) + 3 > usize::from(width) { format!("{} nodes", route.up.len()) } else { named };
    vec![ctx.look.span(format!("→ {text}"), role)]
}
