//! The order of a pane's rows.

use super::State;
use super::possible::why_not;
use super::update::say;
use crate::command::CommandId;

/// Orders the rows by the next column.
pub(super) fn sort(state: &mut State) {
    if let Some(why) = why_not(state, CommandId::SortNext) {
        return say(state, why);
    }
    let Some(sorts) = state.panes.get(state.focus).map(|pane| pane.sorts()) else { return };
    let Some(view) = state.views.get_mut(state.focus) else { return };
    view.sort = (view.sort + 1) % sorts.len();
    view.reverse = false;
    let text = format!("sorted by {}", sorts[view.sort]);
    say(state, text);
}

/// Turns their order round.
pub(super) fn reverse(state: &mut State) {
    if let Some(why) = why_not(state, CommandId::SortReverse) {
        return say(state, why);
    }
    if let Some(view) = state.views.get_mut(state.focus) {
        view.reverse = !view.reverse;
    }
}
