//! The search for a command by a few letters of it.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::{Effect, Overlay, State, typing, update};
use crate::command::{COMMANDS, Command, CommandId, Scope};

/// The search as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Palette {
    /// What was typed.
    pub query: String,
    /// Number of the row that is selected, from 0.
    pub selected: usize,
    /// Lines scrolled past; the rows go with the selection.
    pub scroll: u16,
    /// The command that stands first as long as nothing is typed: there is something that was left undone.
    pub first: Option<CommandId>,
    /// What it lies over.
    pub below: Option<Box<Overlay>>,
}

impl Palette {
    /// The commands that are found, the best first; without a text all of them, as the help has them.
    pub fn found(&self) -> Vec<&'static Command> {
        let listed = COMMANDS.iter().filter(|command| lists(command));
        let query = self.query.trim();
        if query.is_empty() {
            let (first, rest): (Vec<_>, Vec<_>) = listed.partition(|command| Some(command.id) == self.first);
            return [first, rest].concat();
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let name = Pattern::new(query, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        // In a whole sentence nearly all letters are found somewhere.
        let words = Pattern::new(query, CaseMatching::Ignore, Normalization::Smart, AtomKind::Substring);
        let mut buffer = Vec::new();
        let mut score = |pattern: &Pattern, text: &str| pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher);
        let scored = listed.filter_map(|command| {
            let id = score(&name, &command.id.to_string()).max(score(&name, command.title));
            // A title that was typed in full is meant.
            let exact = command.title == query || command.id.to_string() == query;
            let best = id.map(|score| (2, score)).or_else(|| score(&words, command.doc).map(|score| (1, score)))?;
            Some((exact, best, command))
        });
        let mut scored: Vec<(bool, (u8, u32), &Command)> = scored.collect();
        scored.sort_by_key(|(exact, best, _)| std::cmp::Reverse((*exact, *best)));
        scored.into_iter().map(|(_, _, command)| command).collect()
    }

    /// The command that is selected, if any is found.
    pub fn chosen(&self) -> Option<&'static Command> {
        self.found().get(self.selected).copied()
    }
}

/// Whether it is listed: what edits a text, or takes a row of a list, is of no use from here.
fn lists(command: &Command) -> bool {
    !matches!(command.scope, Scope::Text | Scope::Choice) && command.id != CommandId::Palette
}

/// Enter in the search for a command: what is selected is done, as by its keys.
pub(super) fn run(state: &mut State, ready: bool) -> Vec<Effect> {
    let chosen = match &state.overlay {
        Some(Overlay::Palette(palette)) => palette.chosen(),
        _ => None,
    };
    typing::keep(state);
    let below = typing::close_palette(state);
    let Some(chosen) = chosen else {
        update::say(state, "there is no such command");
        return Vec::new();
    };
    // What is meant for the rows is not meant for what lies over them.
    if matches!(chosen.scope, Scope::List | Scope::Logs) && below {
        state.overlay = None;
    }
    update::command(state, chosen.id, ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(query: &str) -> Option<CommandId> {
        let palette = Palette { query: query.to_owned(), ..Palette::default() };
        palette.chosen().map(|command| command.id)
    }

    #[test]
    fn a_few_letters_find_a_command_by_its_title_its_id_or_a_word_of_what_it_does() {
        for (query, command) in [
            ("switchover", CommandId::Switchover),
            ("swat", CommandId::SwitchoverAt),
            ("rpend", CommandId::RestartPending),
            ("RELOAD", CommandId::Reload),
            ("restart", CommandId::Restart),
            ("pane 3", CommandId::Pane3),
            ("maintenance", CommandId::Pause),
            ("zoom", CommandId::Zoom),
            (" help ", CommandId::Help),
        ] {
            assert_eq!(first(query), Some(command), "{query}");
        }
        assert_eq!(first("xyzzy"), None);
    }

    #[test]
    fn without_a_text_every_command_that_can_be_of_use_is_listed_once() {
        let found = Palette::default().found();
        let left_out: Vec<CommandId> = COMMANDS.iter().map(|c| c.id).filter(|id| !found.iter().any(|f| f.id == *id)).collect();
        assert!(left_out.iter().all(|id| matches!(id.command().scope, Scope::Text | Scope::Choice) || *id == CommandId::Palette));
        assert_eq!(found.len() + left_out.len(), COMMANDS.len());
    }
}
