//! What is typed, and into what.

use super::possible::why_not;
use super::update::say;
use super::{Editor, Effect, Field, Overlay, State, Typing, book, log_commands};
use crate::command::CommandId;
use crate::model::Time;
use crate::runbook::Stage;

/// The longest text that can be typed, in characters.
const LONGEST: usize = 60;

/// The longest reason.
const LONGEST_WORDS: usize = 200;

/// The longest path.
const LONGEST_PATH: usize = 1000;

/// Why nothing is put into the answer to a plan.
pub(super) const NO_PASTE: &str = "pasted text confirms nothing; type the word";

/// A text begins to be typed.
pub(super) fn begin(state: &mut State, typing: Typing) {
    state.typing = Some(typing);
    state.editor.begin();
}

/// After each message: nobody types where it cannot be seen. What was typed into may have gone, or something lies over it.
pub(super) fn settle(state: &mut State) {
    let Some(typing) = state.typing else { return };
    let seen = match typing {
        Typing::Search => matches!(state.overlay, Some(Overlay::Help { .. })),
        Typing::Palette => matches!(state.overlay, Some(Overlay::Palette(_))),
        Typing::Answer => matches!(state.overlay, Some(Overlay::Plan(_))),
        Typing::Words => matches!(state.overlay, Some(Overlay::Question(_))),
        Typing::Filter | Typing::LogSearch | Typing::LogTime | Typing::LogUnmask | Typing::LogSave => state.overlay.is_none(),
    };
    if !seen {
        state.typing = None;
    }
}

/// An answer in a runbook's view that was pressed and does not count yet, with the stage that it is for and since when that stands.
#[derive(Debug, Clone)]
pub struct Held {
    command: CommandId,
    stage: Stage,
    since: Time,
}

/// Why an answer does not count.
const TOO_EARLY: &str = "that key came with others, as in a paste, and did nothing; press it again";

/// Something was pressed: what a plan's dialog says of Enter counts no more, and an answer to a runbook was not pressed alone. Whether nothing had
/// been pressed for a while.
pub(super) fn pressed(state: &mut State) -> bool {
    state.held = None;
    let rested = std::mem::take(&mut state.rested);
    match &mut state.overlay {
        Some(Overlay::Plan(dialog)) => {
            dialog.rested = false;
            std::mem::take(&mut dialog.ready)
        }
        _ => rested,
    }
}

/// Nothing was pressed for a while: a word that stands there in full was not pasted together with an Enter, nor an answer with anything else.
pub(super) fn rested(state: &mut State) -> Vec<Effect> {
    match &mut state.overlay {
        Some(Overlay::Plan(dialog)) => dialog.rested = dialog.complete(),
        _ => state.rested = true,
    }
    let Some(held) = state.held.take() else { return Vec::new() };
    let progress = state.book.as_ref().map(|book| &book.progress);
    match progress.is_some_and(|progress| (&progress.stage, progress.since) == (&held.stage, held.since)) {
        true => book::command(state, held.command),
        false => Vec::new(),
    }
}

/// An answer in a runbook's view: it counts when nothing was pressed shortly before it, and nothing is shortly after it.
pub(super) fn hold(state: &mut State, command: CommandId, ready: bool) {
    match (why_not(state, command), &state.book) {
        (Some(why), _) => say(state, why),
        (None, Some(book)) if book.drawn && ready => {
            state.held = Some(Held { command, stage: book.progress.stage.clone(), since: book.progress.since });
        }
        (None, Some(book)) if book.drawn => say(state, TOO_EARLY),
        _ => {}
    }
}

/// Puts a text in.
pub(super) fn insert(state: &mut State, new: &str) {
    let longest = longest(state);
    change(state, |editor, text| editor.insert(text, new, longest));
}

/// Does what a key of the text does.
pub(super) fn edit(state: &mut State, command: CommandId) {
    let longest = longest(state);
    change(state, |editor, text| {
        editor.edit(text, command, longest);
    });
}

/// Remembers what was typed.
pub(super) fn keep(state: &mut State) {
    let Some(field) = state.field() else { return };
    change(state, |editor, text| editor.keep(field, text));
}

/// Closes the search for a command; whether it lay over something, which is there again.
pub(super) fn close_palette(state: &mut State) -> bool {
    state.typing = None;
    if let Some(Overlay::Palette(palette)) = state.overlay.take() {
        state.overlay = palette.below.map(|below| *below);
    }
    state.overlay.is_some()
}

/// Changes the text that is being typed.
pub(super) fn change(state: &mut State, change: impl FnOnce(&mut Editor, &mut String)) {
    let editor = &mut state.editor;
    match (state.typing, &mut state.overlay) {
        (Some(Typing::Search), Some(Overlay::Help { query, scroll, .. })) => {
            change(editor, query);
            *scroll = 0;
        }
        (Some(Typing::Palette), Some(Overlay::Palette(palette))) => {
            let before = palette.query.clone();
            change(editor, &mut palette.query);
            if palette.query != before {
                palette.selected = 0;
            }
        }
        (Some(Typing::Answer), Some(Overlay::Plan(dialog))) if dialog.drawn => {
            change(editor, &mut dialog.typed);
            // Nobody types without seeing what.
            dialog.scroll = 0;
        }
        (Some(Typing::Words), Some(Overlay::Question(question))) if question.drawn => change(editor, &mut question.typed),
        (Some(Typing::LogSearch), _) => change(editor, &mut state.facts.logs.query),
        (Some(Typing::LogTime), _) => change(editor, &mut state.facts.logs.time),
        (Some(Typing::LogUnmask), _) => change(editor, &mut state.facts.logs.word),
        (Some(Typing::LogSave), _) => change(editor, &mut state.facts.logs.place),
        (Some(Typing::Filter), _) => {
            if let Some(view) = state.views.get_mut(state.focus) {
                change(editor, &mut view.filter);
            }
        }
        _ => {}
    }
}

fn longest(state: &State) -> usize {
    match state.field() {
        Some(Field::Words(_) | Field::LogSearch) => LONGEST_WORDS,
        Some(Field::LogSave) => LONGEST_PATH,
        // Many things can be left out of the logs.
        Some(Field::Filter) if log_commands::here(state) => LONGEST_WORDS,
        _ => LONGEST,
    }
}
