//! Every key and what it does, from the catalogue of commands and the keymap as it is.

use ratatui::text::{Line, Span};
use strum::IntoEnumIterator;

use crate::command::{COMMANDS, Command, Scope};
use crate::theme::{Role, sign};
use crate::ui::format::{display_width, wrap};
use crate::ui::look::Look;

/// Columns of the keys.
const KEYS: usize = 22;

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
            .filter(|command| command.scope == scope && passes(look, command, &wanted))
            .flat_map(|command| command_lines(look, command, usize::from(width)))
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
        lines.push(Line::default());
        lines.extend(legend(look));
    }
    lines
}

fn passes(look: &Look<'_>, command: &Command, wanted: &str) -> bool {
    let keys = look.keymap.keys_of(command.id).join(" ");
    let texts = [command.doc.to_lowercase(), command.title.to_owned(), command.id.to_string(), keys];
    wanted.is_empty() || texts.iter().any(|text| text.contains(wanted))
}

fn command_lines(look: &Look<'_>, command: &Command, width: usize) -> Vec<Line<'static>> {
    let keys = look.keymap.keys_of(command.id);
    let (keys, role) = if keys.is_empty() { ("no key".to_owned(), Role::Muted) } else { (keys.join("  "), Role::Key) };
    let lead = KEYS.max(display_width(&keys) + 2);
    let docs = wrap(command.doc, width.saturating_sub(KEYS).max(20));
    docs.into_iter()
        .enumerate()
        .map(|(n, doc)| {
            let (keys, pad) = if n == 0 { (keys.clone(), lead - display_width(&keys)) } else { (String::new(), KEYS) };
            Line::from(vec![look.span(keys, role), Span::raw(" ".repeat(pad)), look.span(doc, Role::Text)])
        })
        .collect()
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
