//! What is typed, and into what.

use super::{Editor, Field, Overlay, State, Typing};
use crate::command::CommandId;

/// The longest text that can be typed, in characters.
const LONGEST: usize = 60;

/// The longest reason.
const LONGEST_WORDS: usize = 200;

/// Why nothing is put into the answer to a plan.
pub(super) const NO_PASTE: &str = "pasted text confirms nothing; type the word";

/// A text begins to be typed.
pub(super) fn begin(state: &mut State, typing: Typing) {
    state.typing = Some(typing);
    state.editor.begin();
}

/// Something was pressed: what a plan's dialog says of Enter counts no more. Whether it did until now.
pub(super) fn pressed(state: &mut State) -> bool {
    match &mut state.overlay {
        Some(Overlay::Plan(dialog)) => {
            dialog.rested = false;
            std::mem::take(&mut dialog.ready)
        }
        _ => false,
    }
}

/// Nothing was pressed for a while: a word that stands there in full was not pasted together with an Enter.
pub(super) fn rested(state: &mut State) {
    if let Some(Overlay::Plan(dialog)) = &mut state.overlay {
        dialog.rested = dialog.complete();
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
        Some(Field::Words(_)) => LONGEST_WORDS,
        _ => LONGEST,
    }
}
