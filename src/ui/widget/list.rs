//! Rows of several lines: sentences that are wrapped, not cut.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::table::mark;
use crate::ui::pane::{Ctx, Drawn};
use crate::ui::put::put;

/// One row.
pub(in crate::ui) struct Item {
    /// What it is about.
    pub id: String,
    /// Its lines; they begin after the mark.
    pub lines: Vec<Line<'static>>,
}

/// Draws the rows; tells what fitted.
pub(in crate::ui) fn list(ctx: &Ctx<'_>, items: &[Item], area: Rect, buffer: &mut Buffer) -> Drawn {
    let page = usize::from(area.height);
    let heights: Vec<usize> = items.iter().map(|item| item.lines.len()).collect();
    let selected = ctx.view.selected.as_ref().and_then(|id| items.iter().position(|item| item.id == *id)).unwrap_or(0);
    let first = first_item(&heights, page, selected);
    let mut y = area.y;
    let mut shown = 0;
    for item in &items[first..] {
        let top = y;
        for line in &item.lines {
            if y >= area.bottom() {
                break;
            }
            put(buffer, area.x.saturating_add(2), y, line, area.width.saturating_sub(2));
            y += 1;
        }
        // What has no room goes on below the edge, and the last line that is seen says so.
        if let Some(last) = usize::from(y - top).checked_sub(1).filter(|last| last + 1 < item.lines.len()) {
            let mut line = item.lines[last].clone();
            line.push_span(" …");
            put(buffer, area.x.saturating_add(2), y - 1, &line, area.width.saturating_sub(2));
        }
        shown += usize::from(y > top);
        // As long as none was selected, the first is what a key opens.
        let marked = ctx.view.selected.as_deref().map_or(item.id == items[0].id, |selected| selected == item.id);
        if ctx.focused && y > top && marked {
            mark(ctx, Rect { y: top, height: y - top, ..area }, buffer);
        }
    }
    Drawn { page: u16::try_from(shown.max(1)).unwrap_or(u16::MAX), hidden: items.len() - shown }
}

/// The first row shown, so that the selected one is shown whole if it can be; pages are turned, not glided.
fn first_item(heights: &[usize], page: usize, selected: usize) -> usize {
    let mut first = 0;
    let mut used = 0;
    for (at, height) in heights.iter().enumerate().take(selected + 1) {
        if used + height > page && at > first {
            first = at;
            used = 0;
        }
        used += height;
    }
    first
}

#[cfg(test)]
mod tests {
    use super::first_item;

    #[test]
    fn the_selected_row_is_shown_whole() {
        let heights = [1, 2, 1, 3, 1, 1];
        for page in 3..9 {
            for selected in 0..heights.len() {
                let first = first_item(&heights, page, selected);
                let used: usize = heights[first..=selected].iter().sum();
                assert!(used <= page, "{page} {selected}");
            }
        }
        assert_eq!(first_item(&heights, 1, 3), 3);
    }
}
