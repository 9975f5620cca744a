//! What is copied, as text.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::look::Look;
use super::pane::Ctx;
use super::panes::PANES;
use crate::app::{Copied, State};
use crate::model::clean;

/// Columns in which a row shows all that it has.
const WIDE: u16 = 400;
/// Columns of details.
const DETAILS: u16 = 100;

/// The text of what is to be copied, without control characters but the ends of its lines.
///
/// # Errors
/// It is not there any more.
pub fn copied(state: &State, look: &Look<'_>, what: &Copied) -> Result<String, String> {
    match what {
        Copied::Text(text) => Ok(clean(text)),
        Copied::Lines(text) => Ok(text.lines().map(clean_inside).collect::<Vec<_>>().join("\n")),
        Copied::Row(pane, row) => row_text(state, look, *pane, row).ok_or_else(|| format!("{row} is not there any more")),
        Copied::Details(pane, row) => {
            let details = Ctx::of(state, look, *pane).zip(PANES.get(*pane)).and_then(|(ctx, pane)| pane.details(&ctx, row, DETAILS));
            let details = details.ok_or_else(|| format!("{row} is not there any more"))?;
            let lines = details.lines.iter().map(|line| {
                let text: String = line.spans.iter().map(|span| clean_inside(&span.content)).collect();
                text.trim_end().to_owned()
            });
            Ok([clean(&details.title), String::new()].into_iter().chain(lines).collect::<Vec<_>>().join("\n"))
        }
    }
}

/// Cleaning trims, but here spaces keep words apart.
fn clean_inside(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The row as a pane draws it that has room for everything.
fn row_text(state: &State, look: &Look<'_>, pane: usize, row: &str) -> Option<String> {
    let rows = state.rows(pane);
    rows.iter().find(|known| *known == row)?;
    let mut view = state.views.get(pane)?.clone();
    view.selected = Some(row.to_owned());
    let ctx = Ctx { view: &view, focused: true, ..Ctx::of(state, look, pane)? };
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_mul(3).saturating_add(4).min(300);
    let mut buffer = Buffer::empty(Rect::new(0, 0, WIDE, height));
    PANES.get(pane)?.draw(&ctx, buffer.area, &mut buffer);
    let mut lines = (0..height).map(|y| {
        let line: String = (0..WIDE).filter_map(|x| buffer.cell((x, y))).map(|cell| cell.symbol()).collect();
        line.trim_end().to_owned()
    });
    let marked = lines.find_map(|line| line.strip_prefix("▸ ").map(str::to_owned))?;
    // Columns are told apart by more than one space.
    Some(clean(&marked.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("  ")))
}
