//! A node in the picture: PostgreSQL, Patroni and etcd on it.

use ratatui::text::{Line, Span};

use super::cluster::{etcd_of, leads};
use crate::document::{Asked, Document, EtcdMemberDoc, Level, MemberDoc, Role as MemberRole};
use crate::model::counted;
use crate::theme::{Role, sign};
use crate::ui::format::{age_short, bytes, cut_middle, display_width};
use crate::ui::pane::Ctx;
use crate::ui::panes::members::{self, role_of};
use crate::ui::panes::quorum::state_role;

/// Two lines: who it is and how it stands; who answers on it. The first says what must be known.
pub(super) fn lines(ctx: &Ctx<'_>, document: &Document, member: &MemberDoc, width: u16) -> Vec<Line<'static>> {
    let look = ctx.look;
    let etcd = etcd_of(document, member);
    let level = level(document, member);
    let names = document.members.iter().map(|m| display_width(&m.name)).max().unwrap_or(0).clamp(4, if width < 54 { 10 } else { 20 });
    let name = cut_middle(&member.name, names);
    let pad = " ".repeat(names.saturating_sub(display_width(&name)));
    let leads = leads(member);
    let role = match member.role {
        MemberRole::SyncStandby => "sync".to_owned(),
        MemberRole::QuorumStandby => "quorum".to_owned(),
        other => other.to_string().replace('_', " "),
    };
    let mut first = vec![
        look.span(format!("{} ", sign(level)), look.level(level)),
        look.span(format!("{name}{pad} "), if leads { Role::Leader } else { Role::Text }),
        look.span(format!("{role:<8} "), role_of(member.role)),
    ];
    first.extend(state(ctx, member));
    let told = match (leads, member.replay_lag_bytes) {
        (true, _) => member.timeline.map(|timeline| format!("timeline {timeline}")),
        (false, Some(lag)) => Some(format!("lag {}", bytes(lag))),
        (false, None) => Some("lag ?".to_owned()),
    };
    let mut room = usize::from(width).saturating_sub(first.iter().map(|span| display_width(&span.content)).sum());
    for text in [told, member.sessions.map(|n| counted(n.into(), "session", "sessions"))].into_iter().flatten() {
        // Half of a number is another number.
        if let Some(left) = room.checked_sub(display_width(&text) + 2) {
            first.push(look.span(format!("  {text}"), Role::Muted));
            room = left;
        }
    }
    let mut second = vec![Span::raw("  ")];
    second.extend(part(ctx, "Patroni", &member.rest));
    second.push(Span::raw("  "));
    second.extend(part(ctx, "SQL", &member.sql));
    if let Some(etcd) = etcd {
        second.push(Span::raw("  "));
        second.extend(of_etcd(ctx, etcd));
    }
    vec![Line::from(first), Line::from(second)]
}

/// The state; for a member that is not heard, that it is not.
fn state(ctx: &Ctx<'_>, member: &MemberDoc) -> Vec<Span<'static>> {
    let (text, role) = match (&member.state, member.missing_since.filter(|_| !member.present)) {
        (_, Some(since)) => (format!("missing {}", ctx.ago(since)), Role::Critical),
        (Some(state), None) => (state.clone(), members::state_role(state)),
        (None, None) => ("not heard".to_owned(), Role::Unknown),
    };
    vec![ctx.look.span(text, role)]
}

/// `● Patroni`, or with the age of what it said last.
fn part(ctx: &Ctx<'_>, name: &str, asked: &Asked) -> Vec<Span<'static>> {
    let (sign, text, role) = match (asked.age_ms, asked.fresh && asked.error.is_none()) {
        (Some(_), true) => ("●", String::new(), Role::Ok),
        (Some(ms), false) => ("◐", format!(" {}", age_short(ctx.aged(ms))), Role::Stale),
        (None, _) if asked.error.is_some() => ("✖", String::new(), Role::Critical),
        (None, _) => ("?", String::new(), Role::Unknown),
    };
    vec![ctx.look.span(format!("{sign} "), role), ctx.look.span(format!("{name}{text}"), if role == Role::Ok { Role::Muted } else { role })]
}

fn of_etcd(ctx: &Ctx<'_>, etcd: &EtcdMemberDoc) -> Vec<Span<'static>> {
    let (sign, role) = match state_role(&etcd.state) {
        Role::Critical => (sign(Level::Critical), Role::Critical),
        Role::Unknown => (sign(Level::Unknown), Role::Unknown),
        _ => (sign(Level::Ok), Role::Ok),
    };
    let good = role == Role::Ok;
    let state = if etcd.state == "follower" { String::new() } else { format!(" {}", etcd.state) };
    vec![ctx.look.span(format!("{sign} "), role), ctx.look.span(format!("etcd{state}"), if good { Role::Muted } else { role })]
}

/// How bad it is: what is found of it, and whether it is heard.
pub(super) fn level(document: &Document, member: &MemberDoc) -> Level {
    let heard = member.present && (member.rest.fresh || member.sql.fresh);
    let found = worst(document, member);
    if heard { found } else { found.max(Level::Unknown) }
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
