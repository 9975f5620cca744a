//! What the one who looks can choose of the looks: the arrangement of the panes, the theme, with a preview; and what they are called for.

use super::update::{Effect, say};
use super::{Arrangement, EventLine, Overlay, State};
use crate::document::Level;

/// Themes of which one is to be chosen; the selected one is shown already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Themes {
    /// Their names.
    pub names: Vec<String>,
    /// Number of the selected one, from 0.
    pub selected: usize,
    /// The one that comes back when none is chosen.
    pub before: String,
}

/// Opens the list of the themes.
pub(super) fn themes(state: &mut State) {
    if state.themes.is_empty() {
        return say(state, "there is no other theme here");
    }
    let (names, before) = (state.themes.clone(), state.theme.clone());
    let selected = names.iter().position(|name| *name == before).unwrap_or(0);
    state.overlay = Some(Overlay::Themes(Themes { names, selected, before }));
}

/// Another theme is selected: it is shown at once.
pub(super) fn preview(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Themes(themes)) = &state.overlay else { return Vec::new() };
    match themes.names.get(themes.selected) {
        Some(name) if *name != state.theme => {
            state.theme.clone_from(name);
            vec![Effect::Theme(name.clone())]
        }
        _ => Vec::new(),
    }
}

/// Keeps the theme that is shown.
pub(super) fn keep(state: &mut State) {
    state.overlay = None;
    let text = format!("theme {}; --theme {0} or PGBATON_THEME={0} opens with it", state.theme);
    say(state, text);
}

/// Brings the theme back that was there before.
pub(super) fn restore(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Themes(themes)) = state.overlay.take() else { return Vec::new() };
    if themes.before == state.theme {
        return Vec::new();
    }
    state.theme.clone_from(&themes.before);
    vec![Effect::Theme(themes.before)]
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
