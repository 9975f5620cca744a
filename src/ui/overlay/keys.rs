//! What the keys that were pressed can become, where that is more than fits into the last line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{WIDEST, framed};
use crate::app::{Mode, State, why_not};
use crate::command::{Command, CommandId, Danger, sequence_text};
use crate::theme::Role;
use crate::ui::format::{display_width, wrap};
use crate::ui::look::Look;
use crate::ui::pane::Details;

/// So many fit into the last line.
pub(in crate::ui) const FEW: usize = 3;
/// Columns of a command: key, title, gap.
const COLUMN: usize = 21;

/// What can follow the keys that were pressed, each command once, in the order of the help.
pub(in crate::ui) fn continuations(state: &State, look: &Look<'_>) -> Vec<(String, &'static Command)> {
    let Some(pressed) = &state.pending else { return Vec::new() };
    let scopes = state.scopes();
    let mut found: Vec<(String, CommandId)> = Vec::new();
    for binding in look.keymap.bindings().iter().filter(|binding| scopes.contains(&binding.scope)) {
        if let Some(rest) = sequence_text(&binding.keys).strip_prefix(pressed.as_str()).and_then(|rest| rest.strip_prefix(' ')) {
            found.push((rest.to_owned(), binding.command));
        }
    }
    found.sort_by_key(|(_, command)| *command);
    found.into_iter().map(|(key, command)| (key, command.command())).collect()
}

/// Draws them at the lower end of the body; tells where.
pub(super) fn draw(state: &State, look: &Look<'_>, body: Rect, buffer: &mut Buffer) -> Option<Rect> {
    let all = continuations(state, look);
    if all.len() <= FEW {
        return None;
    }
    let width = body.width.min(WIDEST);
    let inner = usize::from(width.saturating_sub(4));
    let columns = (inner / COLUMN).max(1);
    let rows = all.len().div_ceil(columns);
    let mut lines = vec![Line::default(); rows];
    for (n, (key, command)) in all.iter().enumerate() {
        let idle = why_not(state, command.id).is_some();
        let (keys, words) = if idle { (Role::Muted, Role::Muted) } else { (Role::Key, Role::Text) };
        let pad = COLUMN.saturating_sub(display_width(key) + 1 + display_width(command.title)).max(1);
        lines[n % rows].extend([look.span(key.clone(), keys), look.span(format!(" {}", command.title), words), Span::raw(" ".repeat(pad))]);
    }
    let whom = match state.acted_on() {
        Ok(member) => format!("for {member}"),
        Err(why) => why.to_owned(),
    };
    lines.push(Line::from(look.span(whom.clone(), Role::Muted)));
    // What keeps from acting is said once.
    let read_only = matches!(state.mode, Mode::ReadOnly(_));
    let acting = all.iter().filter(|(_, command)| command.danger > Danger::Harmless);
    let why = acting.filter_map(|(_, command)| why_not(state, command.id)).next().filter(|why| read_only || *why != whom);
    if let Some(why) = why {
        lines.extend(wrap(&why, inner).into_iter().map(|part| Line::from(look.span(part, Role::Warning))));
    }
    let title = format!("{} …", state.pending.as_deref().unwrap_or_default());
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(body.height);
    let area = Rect { x: body.x + (body.width - width) / 2, y: body.bottom() - height, width, height };
    framed(look, &Details { title, lines }, 0, area, buffer);
    Some(area)
}
