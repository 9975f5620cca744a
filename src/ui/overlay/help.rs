//! Every key and what it does, from the catalogue of commands and the keymap as it is.

use ratatui::text::{Line, Span};
use strum::IntoEnumIterator;

use crate::command::{COMMANDS, Command, CommandId, Scope, sequence_text};
use crate::theme::{Role, sign};
use crate::ui::format::{display_width, wrap};
use crate::ui::look::Look;

/// Columns of the keys.
const KEYS: usize = 26;

/// The lines of the help that contain `query`.
pub(super) fn lines(look: &Look<'_>, query: &str, width: u16) -> Vec<Line<'static>> {
    let wanted = query.to_lowercase();
    let mut lines = Vec::new();
    if !query.is_empty() {
        lines.push(Line::from(vec![look.span("with ", Role::Muted), look.span(query.to_owned(), Role::Match)]));
    }
    for scope in Scope::iter() {
        let commands: Vec<Line<'static>> = COMMANDS
            .iter()
            .map(|command| (command, keys(look, command, scope)))
            .filter(|(command, keys)| !keys.is_empty() && passes(command, keys, &wanted))
            .flat_map(|(command, keys)| entry(look, &keys.join("  "), doc(command), usize::from(width)))
            .collect();
        if commands.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::from(look.span(scope.title(), Role::TitleFocus)));
        lines.extend(commands);
    }
    if wanted.is_empty() {
        lines.extend(keyless(look));
        lines.push(Line::default());
        lines.extend(legend(look));
    }
    lines
}

/// The keys of a command in a scope. Those that go to panes by number are told together, at the first one.
fn keys(look: &Look<'_>, command: &Command, scope: Scope) -> Vec<String> {
    let ids: Vec<CommandId> = match command.id.pane_number() {
        None => vec![command.id],
        Some(1) => COMMANDS.iter().map(|c| c.id).filter(|id| id.pane_number().is_some()).collect(),
        Some(_) => Vec::new(),
    };
    let bound = |id: CommandId| look.keymap.bindings().iter().filter(move |b| b.command == id && b.scope == scope);
    ids.into_iter().flat_map(bound).map(|b| sequence_text(&b.keys)).collect()
}

fn doc(command: &Command) -> &'static str {
    if command.id.pane_number().is_some() { "Go to the pane of that number." } else { command.doc }
}

fn passes(command: &Command, keys: &[String], wanted: &str) -> bool {
    let texts = [doc(command).to_lowercase(), command.title.to_owned(), command.id.to_string(), keys.join(" ")];
    wanted.is_empty() || texts.iter().any(|text| text.contains(wanted))
}

fn entry(look: &Look<'_>, keys: &str, doc: &str, width: usize) -> Vec<Line<'static>> {
    wrap(doc, width.saturating_sub(KEYS).max(20))
        .into_iter()
        .enumerate()
        .map(|(n, doc)| {
            let keys = if n == 0 { keys } else { "" };
            let pad = KEYS.saturating_sub(display_width(keys)).max(2);
            Line::from(vec![look.span(keys.to_owned(), Role::Key), Span::raw(" ".repeat(pad)), look.span(doc, Role::Text)])
        })
        .collect()
}

/// The commands that no key gives.
fn keyless(look: &Look<'_>) -> Vec<Line<'static>> {
    let names: Vec<String> = COMMANDS.iter().filter(|c| look.keymap.keys_of(c.id).is_empty()).map(|c| c.id.to_string()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    vec![Line::default(), Line::from(look.span(format!("No key gives: {}", names.join(", ")), Role::Muted))]
}

/// What the signs and words mean.
fn legend(look: &Look<'_>) -> Vec<Line<'static>> {
    use crate::document::Level::{Critical, Ok, Unknown, Warning};
    let mut lines = vec![Line::from(look.span("Signs", Role::TitleFocus))];
    let mut entry = |spans: Vec<Span<'static>>, text: &str| {
        let used: usize = spans.iter().map(|s| display_width(&s.content)).sum();
        let mut line = Line::from(spans);
        line.push_span(" ".repeat(KEYS.saturating_sub(used)));
        line.push_span(look.span(text.to_owned(), Role::Text));
        lines.push(line);
    };
    for (level, text) in [
        (Ok, "Verified within its freshness limit, and good."),
        (Warning, "Wants attention; clients can write."),
        (Critical, "Clients cannot write, or the next fault stops them, or sources disagree."),
        (Unknown, "Not known. Never drawn as 0 or as fine."),
    ] {
        entry(vec![look.span(sign(level), look.level(level))], text);
    }
    entry(vec![look.span("◐ 15 s", Role::Stale)], "No current answer; the last one is that old. A fresh value shows no age.");
    entry(vec![look.span("–", Role::Muted)], "A value makes no sense here.");
    entry(vec![look.span("▂▁ ▁█", Role::Chart)], "Lag over time on a logarithmic scale; a gap is a time without a value.");
    lines
}
