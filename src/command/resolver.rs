//! Keys as they come, until they are a command.

use super::trie::Found;
use super::{Chord, CommandId, Keymap, Scope, sequence_text};

/// What a key has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// A command.
    Command(CommandId),
    /// More keys are needed; the text is what was pressed so far.
    Pending(String),
    /// A character to be typed (only in [`Scope::Text`]).
    Typed(char),
    /// It means nothing here; the text is what was pressed.
    Nothing(String),
}

/// Collects the keys of a sequence.
#[derive(Debug, Default)]
pub struct Resolver {
    pressed: Vec<Chord>,
}

impl Resolver {
    /// Takes one key. `scopes` are the innermost first.
    pub fn press(&mut self, key: Chord, scopes: &[Scope], keymap: &Keymap) -> Resolved {
        let typing = scopes.first() == Some(&Scope::Text);
        if typing
            && self.pressed.is_empty()
            && let Some(typed) = key.typed()
        {
            return Resolved::Typed(typed);
        }
        self.pressed.push(key);
        match keymap.find(scopes, &self.pressed) {
            Found::Command(command) => {
                self.pressed.clear();
                Resolved::Command(command)
            }
            Found::Prefix => Resolved::Pending(sequence_text(&self.pressed)),
            Found::Nothing => {
                let pressed = sequence_text(&self.pressed);
                self.pressed.clear();
                Resolved::Nothing(pressed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::parse_sequence;

    fn press(resolver: &mut Resolver, scopes: &[Scope], keymap: &Keymap, key: &str) -> Resolved {
        resolver.press(parse_sequence(key).expect(key)[0], scopes, keymap)
    }

    #[test]
    fn a_sequence_waits_for_its_end_and_a_wrong_end_forgets_it() {
        let (keymap, mut resolver) = (Keymap::builtin(), Resolver::default());
        let scopes = [Scope::List, Scope::Global];
        assert_eq!(press(&mut resolver, &scopes, &keymap, "g"), Resolved::Pending("g".to_owned()));
        assert_eq!(press(&mut resolver, &scopes, &keymap, "g"), Resolved::Command(CommandId::Top));
        assert_eq!(press(&mut resolver, &scopes, &keymap, "g"), Resolved::Pending("g".to_owned()));
        assert_eq!(press(&mut resolver, &scopes, &keymap, "f9"), Resolved::Nothing("g f9".to_owned()));
        assert_eq!(press(&mut resolver, &scopes, &keymap, "q"), Resolved::Command(CommandId::Leave));
    }

    #[test]
    fn while_typing_a_letter_is_a_letter_and_ctrl_c_still_quits() {
        let (keymap, mut resolver) = (Keymap::builtin(), Resolver::default());
        let scopes = [Scope::Text, Scope::Global];
        assert_eq!(press(&mut resolver, &scopes, &keymap, "q"), Resolved::Typed('q'));
        assert_eq!(press(&mut resolver, &scopes, &keymap, "enter"), Resolved::Command(CommandId::Accept));
        assert_eq!(press(&mut resolver, &scopes, &keymap, "ctrl-c"), Resolved::Command(CommandId::Quit));
    }

    #[test]
    fn an_inner_scope_comes_first() {
        let (keymap, mut resolver) = (Keymap::builtin(), Resolver::default());
        assert_eq!(press(&mut resolver, &[Scope::Overlay, Scope::Global], &keymap, "q"), Resolved::Command(CommandId::Back));
        assert_eq!(press(&mut resolver, &[Scope::List, Scope::Global], &keymap, "q"), Resolved::Command(CommandId::Leave));
    }
}
