//! Whether a command can run now, and why not. What is drawn and what is done ask the same.

use super::{Mode, Overlay, State, book, log_commands};
use crate::command::{CommandId, Danger, Scope};

/// Why a command cannot run now, in a sentence; `None`: it can.
pub fn why_not(state: &State, id: CommandId) -> Option<String> {
    let command = id.command();
    if command.danger > Danger::Harmless {
        if let Mode::ReadOnly(why) = &state.mode {
            return Some(format!("read-only session: {why}"));
        }
        // What follows a known outcome is watched on, and does not hold the next action up.
        if state.course.as_ref().is_some_and(|course| course.outcome.is_none()) {
            return Some("another action is under way".to_owned());
        }
        if book::acts(state) {
            return Some("a runbook's action is under way".to_owned());
        }
        return if command.scope == Scope::List { state.acted_on().err().map(str::to_owned) } else { None };
    }
    let pane = state.panes.get(state.focus);
    let over = match &state.overlay {
        Some(Overlay::Palette(palette)) => palette.below.as_deref(),
        other => other.as_ref(),
    };
    let why = match id {
        CommandId::Open if !pane.is_some_and(|pane| pane.opens()) => "there is nothing to open here",
        CommandId::SortNext | CommandId::SortReverse if pane.is_none_or(|pane| pane.sorts().len() < 2) => "these rows have one order only",
        CommandId::Search if !matches!(over, Some(Overlay::Help { .. })) => "only the help can be searched",
        id if id.command().scope == Scope::Logs && !log_commands::here(state) => "go to the logs first",
        CommandId::LogsAround if !pane.is_some_and(|pane| pane.newest_first()) || log_commands::here(state) => {
            "select an event first, in the Events pane"
        }
        id if id.command().scope == Scope::Book && !matches!(over, Some(Overlay::Book { .. })) => "open a runbook first",
        CommandId::Course if state.course.is_none() => "nothing was done in this session",
        _ => match id.pane_number() {
            Some(number) if number > state.panes.len() => return Some(format!("there is no pane {number}")),
            _ => return None,
        },
    };
    Some(why.to_owned())
}
