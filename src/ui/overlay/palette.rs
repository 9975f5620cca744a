//! The search for a command.

use ratatui::text::{Line, Span};

use crate::app::{Palette, State, why_not};
use crate::command::{Command, CommandId, Danger};
use crate::theme::Role;
use crate::ui::format::{cut_end, display_width, wrap};
use crate::ui::look::Look;
use crate::ui::overlay::plan::capital;
use crate::ui::pane::Details;
use crate::ui::recall::told;
use crate::ui::widget::typed_line;

/// Columns of a command's name, of its keys, of what it can do to the cluster.
const COLUMNS: [usize; 3] = [18, 12, 10];
/// Lines above and below the rows: what is typed, a gap; a gap, what the selected one does, what it is called, why it cannot run.
const BESIDE: usize = 2 + 5;

/// More rows than this are more than one looks through.
const MOST: usize = 16;

/// What is typed, as many of the commands as fit, and the selected one in full. Tells how many rows fit, too.
pub(super) fn palette(state: &State, look: &Look<'_>, palette: &Palette, width: u16, page: u16) -> (Details, u16) {
    let width = usize::from(width);
    let found = palette.found();
    let selected = palette.selected.min(found.len().saturating_sub(1));
    let mut line = Line::from(look.span(": ", Role::Key));
    line.extend(typed_line(look, &state.editor, &palette.query, width.saturating_sub(3)).spans);
    let mut lines = vec![line, Line::default()];
    let room = usize::from(page).saturating_sub(BESIDE).clamp(1, MOST);
    let first = selected.saturating_sub(room / 2).min(found.len().saturating_sub(room));
    for (n, command) in found.iter().enumerate().skip(first).take(room) {
        lines.push(row(state, look, command, n == selected, width));
    }
    if let Some(command) = found.get(selected) {
        lines.extend((found.len()..room).map(|_| Line::default()));
        lines.push(Line::default());
        lines.extend(wrap(&doc(state, command), width).into_iter().map(|part| Line::from(look.span(part, Role::Text))));
        let keys = look.keymap.keys_of(command.id);
        let keys = if keys.is_empty() { "no key gives it".to_owned() } else { format!("keys: {}", keys.join("  ")) };
        lines.push(Line::from(look.span(cut_end(&format!("{} · {keys}", command.id), width), Role::Muted)));
        if let Some(why) = why_not(state, command.id) {
            lines.extend(wrap(&format!("not now: {why}"), width).into_iter().map(|part| Line::from(look.span(part, Role::Warning))));
        }
    } else {
        lines.push(Line::from(look.span("no command is found", Role::Muted)));
    }
    let title = match found.len() {
        all if all > room => format!("Commands · {} to {} of {all}", first + 1, (first + room).min(all)),
        _ => "Commands".to_owned(),
    };
    (Details { title, lines }, u16::try_from(room).unwrap_or(u16::MAX))
}

/// What it does; of the one that leads to a run that was left, that first.
fn doc(state: &State, command: &Command) -> String {
    match told(state).filter(|_| command.id == CommandId::Runbooks) {
        Some([sentence, ..]) => format!("{}. {}", capital(&sentence), command.doc),
        None => command.doc.to_owned(),
    }
}

fn row(state: &State, look: &Look<'_>, command: &Command, selected: bool, width: usize) -> Line<'static> {
    let why = why_not(state, command.id);
    let words = match (&why, selected) {
        (Some(_), _) => Role::Muted,
        (None, true) => Role::Emphasis,
        (None, false) => Role::Text,
    };
    let mark = if selected { look.span("▸ ", Role::Key) } else { Span::raw("  ") };
    let keys = look.key(command.id).unwrap_or_default();
    let danger = if command.danger == Danger::Harmless { String::new() } else { command.danger.to_string() };
    let mut spans = vec![mark];
    for ((text, columns), role) in [command.id.to_string(), keys, danger].into_iter().zip(COLUMNS).zip([words, Role::Key, Role::Warning]) {
        let text = cut_end(&text, columns - 1);
        let pad = columns.saturating_sub(display_width(&text));
        spans.extend([look.span(text, if why.is_some() { Role::Muted } else { role }), Span::raw(" ".repeat(pad))]);
    }
    let left = width.saturating_sub(2 + COLUMNS.iter().sum::<usize>());
    let text = why.map_or_else(|| doc(state, command), |why| format!("not now: {why}"));
    spans.push(look.span(cut_end(&text, left), if selected { words } else { Role::Muted }));
    Line::from(spans)
}
