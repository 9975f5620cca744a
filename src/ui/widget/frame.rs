//! A box around something, with a title in its upper edge.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::theme::Role;
use crate::ui::look::Look;
use crate::ui::put::put;

/// Draws a box at the edges of `area`, at least 4 columns and 2 rows; its inside is left as it is.
pub(in crate::ui) fn frame(look: &Look<'_>, title: &Line<'_>, role: Role, area: Rect, buffer: &mut Buffer) {
    if area.width < 4 || area.height < 2 {
        return;
    }
    let style = look.style(role);
    let inside = usize::from(area.width - 2);
    let (last, right) = (area.bottom() - 1, area.right() - 1);
    buffer.set_string(area.x, area.y, format!("┌{}┐", "─".repeat(inside)), style);
    buffer.set_string(area.x, last, format!("└{}┘", "─".repeat(inside)), style);
    for y in area.y + 1..last {
        buffer.set_string(area.x, y, "│", style);
        buffer.set_string(right, y, "│", style);
    }
    put(buffer, area.x + 2, area.y, title, area.width - 4);
}
