//! A plan that waits for an answer, and an action under way.

use ratatui::text::{Line, Span};

use crate::action::{Light, Outcome, ROUTES_MOVED};
use crate::app::{CourseSheet, Dialog, Editor};
use crate::command::CommandId;
use crate::document::{Document, Level};
use crate::theme::{Role, sign};
use crate::ui::format::wrap;
use crate::ui::look::Look;
use crate::ui::pane::Details;
use crate::ui::widget::typed_line;

/// Columns of the word before a line.
const HEAD: usize = 9;

/// The dialog. What is asked for stands first, so that no length of the rest hides it.
pub(super) fn dialog(look: &Look<'_>, editor: &Editor, dialog: &Dialog, width: u16) -> Details {
    let sheet = &dialog.sheet;
    let width = usize::from(width);
    let mut lines = vec![field(look, "cluster", look.span(sheet.cluster.clone(), Role::Cluster))];
    if let Some(target) = &sheet.target {
        lines.push(field(look, "member", look.span(target.clone(), Role::Emphasis)));
    }
    lines.push(Line::default());
    match &sheet.ask {
        Ok(ask) => {
            let mut line =
                vec![look.span("to do it, type ", Role::Text), look.span(ask.word.clone(), Role::Emphasis), look.span(": ", Role::Text)];
            line.extend(typed_line(look, editor, &dialog.typed, width.saturating_sub(18 + ask.word.chars().count()).max(10)).spans);
            // It is said, and so, only after a rest: what is pasted ends with its Enter before that.
            if dialog.rested {
                line.push(look.span(format!("  {} does it", key(look, CommandId::Accept)), Role::WarningHeadline));
            } else if dialog.typed.is_empty() {
                let (accept, discard) = (key(look, CommandId::Accept), key(look, CommandId::Discard));
                line.push(look.span(format!("  {accept} or {discard} cancels"), Role::Muted));
            }
            lines.push(Line::from(line));
            if !ask.overridden.is_empty() {
                lines.extend(text(look, "", &format!("this passes over: {}", ask.overridden.join(", ")), Role::Critical, width));
            }
        }
        Err(why) => lines.extend(text(look, "refused", why, Role::CriticalHeadline, width)),
    }
    lines.push(Line::default());
    let mut checks: Vec<_> = sheet.checks.iter().collect();
    // What speaks against it comes first; the rest keeps its order.
    checks.sort_by_key(|check| std::cmp::Reverse(check.0));
    for (light, _, sentence) in checks {
        let level = match light {
            Light::Green => Level::Ok,
            Light::Amber => Level::Warning,
            Light::Red => Level::Critical,
        };
        for (n, part) in wrap(sentence, width.saturating_sub(2).max(10)).into_iter().enumerate() {
            let mark = if n == 0 { look.span(sign(level), look.level(level)) } else { Span::raw(" ") };
            let role = if *light == Light::Green { Role::Text } else { look.level(level) };
            lines.push(Line::from(vec![mark, Span::raw(" "), look.span(part, role)]));
        }
    }
    lines.push(Line::default());
    for (n, effect) in sheet.effects.iter().enumerate() {
        lines.extend(text(look, if n == 0 { "effect" } else { "" }, effect, Role::Text, width));
    }
    lines.extend(text(look, "order", &sheet.order, Role::Text, width));
    if let Some(line) = &sheet.patronictl {
        lines.extend(text(look, "same as", line, Role::Muted, width));
    }
    Details { title: capital(&sheet.sentence), lines }
}

/// The key of a command as it is told.
pub(super) fn key(look: &Look<'_>, command: CommandId) -> String {
    look.key(command).unwrap_or_else(|| format!("({command})"))
}

/// An action under way, or the last one. Where the leadership was moved, the line of the routes lives on as long as this is open: Patroni's DONE is
/// not the clients'.
pub(super) fn course(look: &Look<'_>, sheet: &CourseSheet, document: Option<&Document>, width: u16) -> Details {
    let width = usize::from(width);
    let mut lines = Vec::new();
    match &sheet.outcome {
        Some((outcome, sentence)) => {
            let routes = document.and_then(|document| sheet.routes(document));
            let behind = routes.as_ref().filter(|_| *outcome == Outcome::Done).and_then(|routes| routes.behind());
            let role = match outcome {
                Outcome::Done if behind.is_some() => Role::WarningHeadline,
                Outcome::Done => Role::OkHeadline,
                Outcome::Refused | Outcome::Failed => Role::WarningHeadline,
                Outcome::Unknown => Role::CriticalHeadline,
            };
            let told = behind.map_or_else(|| sentence.clone(), |behind| format!("for Patroni, {behind}: {sentence}"));
            lines.extend(text(look, &outcome.to_string(), &told, role, width));
            if let Some(routes) = routes {
                let role = if routes.behind().is_some() { Role::Warning } else { Role::Text };
                lines.extend(text(look, "routes", &routes.told, role, width));
            }
            let ahead = sheet.phases.iter().filter(|(name, after)| after.is_none() && name != ROUTES_MOVED);
            let open: Vec<&str> = ahead.map(|(name, _)| name.as_str()).collect();
            match (sheet.over, open.is_empty()) {
                (true, _) => {}
                (false, true) => lines.extend(text(look, "", "watching what follows", Role::Muted, width)),
                // What was ordered is done; clients may not have it yet.
                (false, false) => lines.extend(text(look, "not yet", &format!("{}; still watched", open.join(", ")), Role::Warning, width)),
            }
        }
        None => lines.extend(text(look, "", &sheet.now, Role::Text, width)),
    }
    lines.push(Line::default());
    for (name, after) in &sheet.phases {
        let (mark, seconds, role) = match after {
            Some(after) => (look.span(sign(Level::Ok), Role::Ok), format!("{:>6.2} s  ", after.as_secs_f64()), Role::Text),
            None => (look.span("·", Role::Muted), " ".repeat(10), Role::Muted),
        };
        lines.push(Line::from(vec![mark, Span::raw(" "), look.span(seconds, Role::Muted), look.span(name.clone(), role)]));
    }
    if !sheet.notes.is_empty() || sheet.away.is_some() {
        lines.push(Line::default());
    }
    lines.extend(sheet.notes.iter().chain(&sheet.away).flat_map(|note| text(look, "note", note, Role::Text, width)));
    Details { title: capital(&sheet.sentence), lines }
}

fn field(look: &Look<'_>, head: &str, value: Span<'static>) -> Line<'static> {
    Line::from(vec![look.span(format!("{head:<HEAD$}"), Role::Muted), value])
}

fn text(look: &Look<'_>, head: &str, text: &str, role: Role, width: usize) -> Vec<Line<'static>> {
    let parts = wrap(text, width.saturating_sub(HEAD).max(10)).into_iter().enumerate();
    parts.map(|(n, part)| field(look, if n == 0 { head } else { "" }, look.span(part, role))).collect()
}

/// A sentence as a title.
pub(super) fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
