//! What can be copied to the clipboard of the one who looks.

use super::update::{Effect, say};
use super::{Overlay, RowId, State, log_commands};
use crate::command::CommandId;

/// What is to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// This text, which is the value or the command line of that name.
    Text(String),
    /// These lines, whose beginnings and ends count.
    Lines(String),
    /// A row of a pane as it is shown.
    Row(usize, RowId),
    /// Everything that is known of a row, with its evidence.
    Details(usize, RowId),
}

/// Copies what the command is about.
pub(super) fn copy(state: &mut State, id: CommandId) -> Vec<Effect> {
    match what(state, id) {
        Ok(copied) => vec![Effect::Copy(copied)],
        Err(why) => {
            say(state, why);
            Vec::new()
        }
    }
}

fn what(state: &State, id: CommandId) -> Result<Copied, &'static str> {
    if id == CommandId::CopyCommand {
        let Some(Overlay::Plan(dialog)) = &state.overlay else { return Err("a plan has a command line; open one first") };
        let line = dialog.sheet.patronictl.clone();
        return line.map(Copied::Text).ok_or("patronictl has no command that does the same");
    }
    if log_commands::here(state) {
        return log_commands::copied(state, id);
    }
    let (pane, row) = match &state.overlay {
        Some(Overlay::Details { pane, row, .. }) => (*pane, row.clone()),
        _ => {
            let selected = state.view().and_then(|view| view.selected.clone());
            let rows = state.rows(state.focus);
            // Without a selection the first row has the mark.
            let row = match selected {
                Some(row) => Some(row).filter(|row| rows.contains(row)),
                None => rows.into_iter().next(),
            };
            (state.focus, row.ok_or("select a row first")?)
        }
    };
    Ok(match id {
        CommandId::CopyRow => Copied::Row(pane, row),
        CommandId::CopyDetails => Copied::Details(pane, row),
        _ => Copied::Text(row),
    })
}
