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

/// As much of such a text as one line of `width` columns has room for, with its cursor; `…` stands for what is left out before it.
pub(in crate::ui) fn typed_line(look: &Look<'_>, editor: &Editor, text: &str, width: usize) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = typed_lines(look, editor, text, usize::MAX).into_iter().flat_map(|line| line.spans).collect();
    let columns = |spans: &[Span<'_>]| spans.iter().map(|span| display_width(&span.content)).sum::<usize>();
    let cursor = spans.iter().position(|span| span.style.add_modifier.contains(Modifier::REVERSED)).unwrap_or(0);
    let room = width.max(2);
    let mut first = 0;
    while first < cursor && columns(&spans[first..=cursor]) + usize::from(first > 0) > room {
        first += 1;
    }
    if first > 0 {
        spans.splice(..first, [look.span("…", Role::Muted)]);
    }
    while columns(&spans) > room && spans.pop().is_some() {}
    Line::from(spans)
}
