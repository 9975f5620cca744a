//! Going through rows, lines and lists.

use super::update::Effect;
use super::{Overlay, State, log_commands, look};

/// Rows of a page while nothing is drawn.
const PAGE: u16 = 10;

/// A way to go through rows or lines.
#[derive(Clone, Copy)]
pub(super) enum Travel {
    By(isize),
    Pages(isize),
    Start,
    End,
}

impl Travel {
    /// The place reached from `from` among `count` places.
    fn reach(self, from: usize, count: usize, page: u16) -> usize {
        let last = count.saturating_sub(1);
        match self {
            Travel::By(rows) => from.saturating_add_signed(rows).min(last),
            Travel::Pages(pages) => {
                let rows = isize::try_from(page.max(2) - 1).unwrap_or(1);
                from.saturating_add_signed(pages * rows).min(last)
            }
            Travel::Start => 0,
            Travel::End => last,
        }
    }
}

/// Goes through what lies on top.
pub(super) fn travel(state: &mut State, travel: Travel) -> Vec<Effect> {
    if let Some(Overlay::Choice(choice)) = &mut state.overlay {
        choice.selected = travel.reach(choice.selected, choice.rows.len(), state.measured.overlay_page);
        return Vec::new();
    }
    if let Some(Overlay::Palette(palette)) = &mut state.overlay {
        palette.selected = travel.reach(palette.selected, palette.found().len(), state.measured.overlay_page);
        return Vec::new();
    }
    if let Some(Overlay::Looks(themes)) = &mut state.overlay {
        themes.selected = travel.reach(themes.selected, themes.names.len(), state.measured.overlay_page);
        return look::preview(state);
    }
    if let Some(scroll) = state.overlay.as_mut().and_then(Overlay::scroll_mut) {
        let end = usize::from(state.measured.overlay_end);
        let reached = travel.reach(usize::from(*scroll), end + 1, state.measured.overlay_page);
        *scroll = u16::try_from(reached).unwrap_or(u16::MAX);
        return Vec::new();
    }
    if log_commands::here(state) {
        log_commands::travel(state, travel);
        return Vec::new();
    }
    let held = !state.panes.get(state.focus).is_some_and(|pane| pane.rows_are_members());
    let rows = state.rows(state.focus);
    let page = state.measured.pages.get(state.focus).copied().filter(|page| *page > 0).unwrap_or(PAGE);
    let Some(view) = state.views.get_mut(state.focus) else { return Vec::new() };
    let here = view.selected.as_ref().and_then(|selected| rows.iter().position(|row| row == selected));
    let there = match here {
        Some(here) => travel.reach(here, rows.len(), page),
        // The first row has the mark as long as none was selected.
        None if held && view.selected.is_none() => travel.reach(0, rows.len(), page),
        // Nothing is selected, or what was is hidden: the first move shows where one is.
        None if matches!(travel, Travel::End) => rows.len().saturating_sub(1),
        None => 0,
    };
    if let Some(row) = rows.into_iter().nth(there) {
        view.selected = Some(row);
    }
    Vec::new()
}
