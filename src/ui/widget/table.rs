//! Rows and columns. Which columns are shown depends on the width; numbers stand in columns of fixed width, so that digits do not dance.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::theme::Role;
use crate::ui::format::{cut_end, cut_middle, display_width};
use crate::ui::pane::{Ctx, Drawn};

/// Columns between two columns.
const GAP: usize = 2;

/// Columns for the mark of the selected row.
const MARK: usize = 2;

/// On which side a column is straight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum Align {
    /// Words.
    Left,
    /// Names: as words, but what is too long is cut in the middle.
    Name,
    /// Numbers.
    Right,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) struct Column {
    /// Its head.
    pub title: &'static str,
    /// Its straight side.
    pub align: Align,
    /// Width that it always has.
    pub min: u16,
    /// Width that its content may have.
    pub max: u16,
    /// 0: always shown; the higher, the earlier it is left out.
    pub keep: u8,
    /// Whether half of it is better than nothing: remarks, the weightiest first.
    pub remarks: bool,
    /// Whether its least width decides if it is shown, whatever its content is.
    pub steady: bool,
}

impl Column {
    /// A column.
    pub(in crate::ui) const fn new(title: &'static str, align: Align, min: u16, max: u16, keep: u8) -> Self {
        Self { title, align, min, max, keep, remarks: false, steady: false }
    }

    /// A column of remarks.
    pub(in crate::ui) const fn remarks(title: &'static str, min: u16, max: u16, keep: u8) -> Self {
        Self { title, align: Align::Left, min, max, keep, remarks: true, steady: false }
    }

    /// A column of words that stays where it is when they change.
    pub(in crate::ui) const fn steady(title: &'static str, min: u16, max: u16, keep: u8) -> Self {
        Self { title, align: Align::Left, min, max, keep, remarks: false, steady: true }
    }
}

/// One cell.
#[derive(Debug, Clone)]
pub(in crate::ui) struct Cell {
    /// Its text.
    pub text: String,
    /// What it means.
    pub role: Role,
}

impl Cell {
    /// A cell.
    pub(in crate::ui) fn new(text: impl Into<String>, role: Role) -> Self {
        Self { text: text.into(), role }
    }

    /// Nothing is known.
    pub(in crate::ui) fn unknown() -> Self {
        Self::new(crate::ui::format::UNKNOWN, Role::Unknown)
    }

    /// It makes no sense here.
    pub(in crate::ui) fn none() -> Self {
        Self::new(crate::ui::format::NONE, Role::Muted)
    }
}

/// One row.
#[derive(Debug, Clone)]
pub(in crate::ui) struct Row {
    /// What it is about.
    pub id: String,
    /// One cell for each column.
    pub cells: Vec<Cell>,
}

/// The columns that are shown, with their widths.
fn fit(columns: &[Column], rows: &[Row], width: usize) -> Vec<(usize, usize)> {
    let content = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.cells.get(at)).map(|cell| display_width(&cell.text));
        cells.max().unwrap_or(0)
    };
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|at| columns[*at].keep);
    let mut shown: Vec<(usize, usize)> = Vec::new();
    let mut used = MARK;
    for at in order {
        let column = columns[at];
        let text = content(at);
        if text == 0 && column.keep > 0 {
            continue;
        }
        let wanted = text.max(display_width(column.title)).clamp(usize::from(column.min), usize::from(column.max.max(column.min)));
        let gap = if shown.is_empty() { 0 } else { GAP };
        // A lesser column must not take the place of remarks that fit by half.
        let room = width.saturating_sub(used + gap);
        let enough = match column {
            Column { steady: true, .. } => usize::from(column.min),
            Column { remarks: true, .. } => wanted.div_ceil(2).max(usize::from(column.min)),
            _ => wanted,
        };
        if column.keep > 0 && room < enough {
            continue;
        }
        let wanted = if column.keep > 0 { wanted.min(room) } else { wanted };
        shown.push((at, wanted));
        used += gap + wanted;
    }
    // The columns that must be there give of what they have above their least width.
    while used > width {
        let widest = shown.iter_mut().filter(|(at, w)| *w > usize::from(columns[*at].min).max(3)).max_by_key(|(_, w)| *w);
        let Some((_, w)) = widest else { break };
        *w -= 1;
        used -= 1;
    }
    shown.sort_by_key(|(at, _)| *at);
    shown
}

/// Draws the table; tells what fitted.
pub(in crate::ui) fn table(ctx: &Ctx<'_>, columns: &[Column], rows: &[Row], area: Rect, buffer: &mut Buffer) -> Drawn {
    let shown = fit(columns, rows, usize::from(area.width));
    let line = |y: u16, cells: &mut dyn FnMut(usize) -> (String, ratatui::style::Style), buffer: &mut Buffer| {
        let mut x = usize::from(area.x) + MARK;
        for (at, width) in &shown {
            let (text, style) = cells(*at);
            let (text, pad) = match columns[*at].align {
                Align::Left => (cut_end(&text, *width), 0),
                Align::Name => (cut_middle(&text, *width), 0),
                Align::Right => {
                    let text = cut_end(&text, *width);
                    let pad = width - display_width(&text).min(*width);
                    (text, pad)
                }
            };
            let room = usize::from(area.right()).saturating_sub(x + pad);
            if let Ok(x) = u16::try_from(x + pad) {
                buffer.set_stringn(x, y, text, room.min(*width), style);
            }
            x += width + GAP;
        }
    };
    if area.is_empty() {
        return Drawn { page: 0, hidden: rows.len() };
    }
    line(area.y, &mut |at| (columns[at].title.to_owned(), ctx.look.style(Role::Column)), buffer);
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let page = usize::from(body.height);
    let selected = ctx.view.selected.as_ref().and_then(|id| rows.iter().position(|row| row.id == *id));
    let first = first_row(rows.len(), page, selected.unwrap_or(0));
    for (y, row) in (body.y..body.bottom()).zip(rows.iter().skip(first)) {
        line(
            y,
            &mut |at| match row.cells.get(at) {
                Some(cell) => (cell.text.clone(), ctx.look.style(cell.role)),
                None => (String::new(), ctx.look.style(Role::Text)),
            },
            buffer,
        );
        if ctx.focused && ctx.view.selected.as_deref() == Some(&row.id) {
            mark(ctx, Rect { y, height: 1, ..body }, buffer);
        }
    }
    Drawn { page: body.height, hidden: rows.len().saturating_sub(page) }
}

/// Marks a row as selected.
pub(in crate::ui) fn mark(ctx: &Ctx<'_>, row: Rect, buffer: &mut Buffer) {
    buffer.set_stringn(row.x, row.y, "▸", 1, ctx.look.style(Role::BorderFocus));
    buffer.set_style(row.intersection(buffer.area), ctx.look.style(Role::Selected));
}

/// The first row shown. Whole pages are turned, so that a move changes two rows and not all of them: that is a matter of bytes on a slow line.
pub(in crate::ui) fn first_row(count: usize, page: usize, selected: usize) -> usize {
    if page == 0 || count <= page {
        return 0;
    }
    (selected / page * page).min(count - page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_is_always_shown() {
        for count in 0..40usize {
            for page in 1..12usize {
                for selected in 0..count {
                    let first = first_row(count, page, selected);
                    assert!(first <= selected && selected < first + page, "{count} {page} {selected}");
                }
            }
        }
    }

    #[test]
    fn less_telling_columns_go_first_and_empty_ones_too() {
        let columns = [
            Column::new("Name", Align::Name, 4, 10, 0),
            Column::new("Lag", Align::Right, 7, 7, 0),
            Column::new("Host", Align::Left, 4, 20, 2),
            Column::new("Flags", Align::Left, 0, 20, 1),
        ];
        let row = |flags: &str| Row {
            id: "psg1".to_owned(),
            cells: vec![
                Cell::new("psg1", Role::Text),
                Cell::new("24 kB", Role::Text),
                Cell::new("10.0.0.8", Role::Text),
                Cell::new(flags, Role::Text),
            ],
        };
        let shown = |rows: &[Row], width| fit(&columns, rows, width).into_iter().map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(shown(&[row("")], 80), [0, 1, 2]);
        assert_eq!(shown(&[row("restart")], 80), [0, 1, 2, 3]);
        assert_eq!(shown(&[row("restart")], 30), [0, 1, 3]);
        assert_eq!(shown(&[row("restart")], 16), [0, 1]);
        assert_eq!(shown(&[row("restart")], 3), [0, 1]);
    }
}
