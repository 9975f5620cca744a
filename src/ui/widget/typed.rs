//! A text that is being typed, with its cursor.

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use crate::app::Editor;
use crate::theme::Role;
use crate::ui::format::display_width;
use crate::ui::look::Look;

/// The text in lines of at most `width` columns; what is typed is shown as it stands, spaces too, and broken where a line ends.
pub(in crate::ui) fn typed_lines(look: &Look<'_>, editor: &Editor, text: &str, width: usize) -> Vec<Line<'static>> {
    let (before, _) = editor.split(text);
    let style = look.style(Role::Emphasis);
    let cursor = look.style(Role::Text).add_modifier(Modifier::REVERSED);
    let (mut lines, mut spans, mut used) = (Vec::new(), Vec::new(), 0);
    let cells = text.grapheme_indices(true).chain([(text.len(), "")]);
    for (at, cell) in cells {
        let here = at == before.len();
        // Behind the last character there is only the cursor.
        let (cell, end) = if cell.is_empty() { (" ", true) } else { (cell, false) };
        if end && !here {
            continue;
        }
        let columns = display_width(cell);
        if used + columns > width.max(1) {
            lines.push(Line::from(std::mem::take(&mut spans)));
            used = 0;
        }
        used += columns;
        spans.push(Span::styled(cell.to_owned(), if here { cursor } else { style }));
    }
    lines.push(Line::from(spans));
    lines
}

/// The line of such a text in which its cursor is, to be shown where there is room for one.
pub(in crate::ui) fn typed_line(look: &Look<'_>, editor: &Editor, text: &str, width: usize) -> Line<'static> {
    let lines = typed_lines(look, editor, text, width);
    let mark = Modifier::REVERSED;
    let cursor = lines.iter().position(|line| line.spans.iter().any(|span| span.style.add_modifier.contains(mark)));
    lines.into_iter().nth(cursor.unwrap_or(0)).unwrap_or_default()
}
