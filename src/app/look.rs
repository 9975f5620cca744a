//! What the one who looks can choose of the looks: the arrangement of the panes, the theme, with a preview, the keys; and what they are called for.

use super::update::{Effect, say};
use super::{Arrangement, EventLine, Overlay, State};
use crate::command::CommandId;
use crate::document::Level;

/// What is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choosing {
    /// A theme; the selected one is shown already.
    Theme,
    /// A keymap; it counts only once it is chosen, so that the keys by which one chooses stay what they are.
    Keymap,
}

/// Themes or keymaps of which one is to be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looks {
    /// Which of them.
    pub of: Choosing,
    /// Their names.
    pub names: Vec<String>,
    /// Number of the selected one, from 0.
    pub selected: usize,
    /// The one that comes back when none is chosen.
    pub before: String,
}

/// Opens the list of the themes, or that of the keymaps.
pub(super) fn open(state: &mut State, id: CommandId) {
    let (of, names, before) = match id {
        CommandId::Keymap => (Choosing::Keymap, state.keymaps.clone(), state.keymap.clone()),
        _ => (Choosing::Theme, state.themes.clone(), state.theme.clone()),
    };
    if names.is_empty() {
        return say(state, if of == Choosing::Theme { "there is no other theme here" } else { "there is no other keymap here" });
    }
    let selected = names.iter().position(|name| *name == before).unwrap_or(0);
    state.overlay = Some(Overlay::Looks(Looks { of, names, selected, before }));
}

/// Another theme is selected: it is shown at once.
pub(super) fn preview(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Looks(looks)) = &state.overlay else { return Vec::new() };
    match looks.names.get(looks.selected).filter(|_| looks.of == Choosing::Theme) {
        Some(name) if *name != state.theme => {
            state.theme.clone_from(name);
            vec![Effect::Theme(name.clone())]
        }
        _ => Vec::new(),
    }
}

/// Keeps the theme that is shown, or takes the keymap that is selected.
pub(super) fn keep(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Looks(looks)) = state.overlay.take() else { return Vec::new() };
    if looks.of == Choosing::Theme {
        let text = format!("theme {}; --theme {0} or PGBATON_THEME={0} opens with it", state.theme);
        say(state, text);
        return Vec::new();
    }
    let Some(name) = looks.names.into_iter().nth(looks.selected) else { return Vec::new() };
    say(state, format!("keymap {name}; --keymap {name} or PGBATON_KEYMAP={name} opens with it"));
    state.keymap.clone_from(&name);
    vec![Effect::Keymap(name)]
}

/// Brings the theme back that was there before.
pub(super) fn restore(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Looks(looks)) = state.overlay.take() else { return Vec::new() };
    if looks.of == Choosing::Keymap || looks.before == state.theme {
        return Vec::new();
    }
    state.theme.clone_from(&looks.before);
    vec![Effect::Theme(looks.before)]
}

/// The next arrangement of the panes.
pub(super) fn arrange(state: &mut State) {
    state.arrangement = Arrangement::after(state.arrangement, state.measured.columns);
    let text = match state.arrangement {
        Some(chosen) => format!("layout {chosen}; --layout {chosen} opens with it"),
        None => "layout by the size of the screen".to_owned(),
    };
    say(state, text);
}

/// The sentence for which somebody who looks elsewhere is called: another leads, or something became critical.
pub(super) fn alert(events: &[EventLine]) -> Option<String> {
    let calls = |event: &&EventLine| event.level == Level::Critical || event.code == "leader-changed";
    // One call for all of it: the worst, of those the newest.
    events.iter().filter(calls).max_by_key(|event| event.level).map(|event| event.sentence.clone())
}
