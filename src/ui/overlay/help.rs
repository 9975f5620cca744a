//! Every key and what it does, from the catalogue of commands and the keymap as it is.

use ratatui::text::{Line, Span};
use strum::IntoEnumIterator;

use crate::command::{COMMANDS, Command, CommandId, Danger, Scope, sequence_text};
use crate::theme::{Role, sign};
use crate::ui::format::{display_width, wrap};
use crate::ui::look::Look;

/// Columns of the keys.
const KEYS: usize = 24;

/// The lines of the help that contain `query`; the keys of the place where it was opened come first.
pub(super) fn lines(look: &Look<'_>, place: &[Scope], query: &str, width: u16) -> Vec<Line<'static>> {
    let wanted = query.to_lowercase();
    let mut lines = Vec::new();
    if !query.is_empty() {
        lines.push(Line::from(vec![look.span("with ", Role::Muted), look.span(query.to_owned(), Role::Match)]));
    }
    if wanted.is_empty() {
        // Who knows only these finds everything else.
        for command in [CommandId::Help, CommandId::Palette] {
            let keys = look.keymap.keys_of(command);
            lines.extend(entry(look, &keys, command.command(), usize::from(width)).into_iter().filter(|_| !keys.is_empty()));
        }
    }
    let elsewhere = Scope::iter().filter(|scope| !place.contains(scope));
    for scope in place.iter().copied().chain(elsewhere) {
        let commands: Vec<Line<'static>> = COMMANDS
            .iter()
            .map(|command| (command, keys(look, command, scope)))
            .filter(|(command, keys)| !keys.is_empty() && passes(command, keys, &wanted))
            .flat_map(|(command, keys)| entry(look, &keys, command, usize::from(width)))
            .collect();
        if commands.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        let here = if place.first() == Some(&scope) { "Here: " } else { "" };
        lines.push(Line::from(look.span(format!("{here}{}", scope.title()), Role::TitleFocus)));
        lines.extend(commands);
    }
    if wanted.is_empty() {
        lines.extend(keyless(look, usize::from(width)));
        lines.push(Line::default());
        lines.extend(legend(look, usize::from(width)));
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

fn entry(look: &Look<'_>, keys: &[String], command: &Command, width: usize) -> Vec<Line<'static>> {
    let danger = match command.danger {
        Danger::Harmless => "",
        Danger::Changes => " It changes something.",
        Danger::Disrupts => " Clients notice it.",
    };
    let mut left: Vec<String> = Vec::new();
    for key in keys {
        match left.last_mut() {
            Some(line) if display_width(line) + 2 + display_width(key) <= KEYS - 2 => *line = format!("{line}  {key}"),
            _ => left.push(key.clone()),
        }
    }
    let right = wrap(&format!("{}{danger}", doc(command)), width.saturating_sub(KEYS).max(20));
    let count = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    let line = |_| {
        let (keys, doc) = (left.next().unwrap_or_default(), right.next().unwrap_or_default());
        let pad = KEYS.saturating_sub(display_width(&keys)).max(2);
        Line::from(vec![look.span(keys, Role::Key), Span::raw(" ".repeat(pad)), look.span(doc, Role::Text)])
    };
    (0..count).map(line).collect()
}

/// The commands that no key gives.
fn keyless(look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let names: Vec<String> = COMMANDS.iter().filter(|c| look.keymap.keys_of(c.id).is_empty()).map(|c| c.id.to_string()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let text = format!("No key gives: {}", names.join(", "));
    let lines = wrap(&text, width).into_iter().map(|part| Line::from(look.span(part, Role::Muted)));
    [Line::default()].into_iter().chain(lines).collect()
}

/// What the signs and words mean.
fn legend(look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    use crate::document::Level::{Critical, Ok, Unknown, Warning};
    let mut lines = vec![Line::from(look.span("Signs", Role::TitleFocus))];
    let mut entry = |spans: Vec<Span<'static>>, text: &str| {
        let mut sign = Line::from(spans);
        for part in wrap(text, width.saturating_sub(KEYS).max(20)) {
            let mut line = std::mem::take(&mut sign);
            line.push_span(" ".repeat(KEYS.saturating_sub(line.width())));
            line.push_span(look.span(part, Role::Text));
            lines.push(line);
        }
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
