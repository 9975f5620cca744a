//! Rows of which one is to be chosen.

use ratatui::text::{Line, Span};

use crate::app::Choice;
use crate::theme::Role;
use crate::ui::format::{cut_end, display_width, wrap};
use crate::ui::look::Look;
use crate::ui::pane::Details;

/// Columns between two cells.
const GAP: usize = 2;
/// In fewer columns than this a cell says nothing.
const LEAST: usize = 8;

/// The head and as many of the rows as fit below it, the selected one among them.
pub(super) fn choice(look: &Look<'_>, choice: &Choice, width: u16, page: u16) -> Details {
    let width = usize::from(width).saturating_sub(2);
    let widest = |n: usize| {
        let cells = choice.rows.iter().filter_map(|row| row.cells.get(n)).map(|cell| display_width(cell));
        cells.max().unwrap_or(0).max(display_width(choice.head[n]))
    };
    let widths: Vec<usize> = (0..choice.head.len()).map(widest).collect();
    let line = |cells: &[String], role: Role, mark: Span<'static>| {
        let mut spans = vec![mark];
        let mut left = width;
        for (cell, column) in cells.iter().zip(&widths) {
            let room = (*column).min(left);
            if room < (*column).min(LEAST) {
                break;
            }
            let text = cut_end(cell, room);
            let used = display_width(&text);
            spans.push(look.span(text, role));
            spans.push(Span::raw(" ".repeat(room.saturating_sub(used) + GAP)));
            left = left.saturating_sub(room + GAP);
        }
        Line::from(spans)
    };
    let heads: Vec<String> = choice.head.iter().map(|head| (*head).to_owned()).collect();
    let mut lines = vec![line(&heads, Role::Column, Span::raw("  "))];
    let barred: Vec<String> = choice.barred.iter().flat_map(|(name, why)| wrap(&format!("not {name}: {why}"), width)).collect();
    let room = usize::from(page).saturating_sub(1 + barred.len()).max(1);
    let first = choice.selected.saturating_sub(room / 2).min(choice.rows.len().saturating_sub(room));
    for (n, row) in choice.rows.iter().enumerate().skip(first).take(room) {
        lines.push(match n == choice.selected {
            true => line(&row.cells, Role::Emphasis, look.span("▸ ", Role::Key)),
            false => line(&row.cells, Role::Text, Span::raw("  ")),
        });
    }
    lines.extend(barred.into_iter().map(|line| Line::from(vec![Span::raw("  "), look.span(line, Role::Muted)])));
    let title = match choice.rows.len() {
        all if all > room => format!("{} · {} to {} of {all}", choice.title, first + 1, first + room),
        _ => choice.title.clone(),
    };
    Details { title, lines }
}
