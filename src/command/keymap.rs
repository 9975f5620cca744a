//! Which keys give which commands.

use std::collections::BTreeMap;

use super::trie::{Found, Trie};
use super::{Chord, CommandId, Danger, Keymaps, Scope, sequence_text};

/// Keys bound to a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// Where the keys count.
    pub scope: Scope,
    /// The keys, one after the other.
    pub keys: Vec<Chord>,
    /// What they give.
    pub command: CommandId,
}

/// All bindings.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    bindings: Vec<Binding>,
    unbound: Vec<CommandId>,
    tries: BTreeMap<Scope, Trie>,
}

impl Keymap {
    /// The keymap `default` as it comes with the program.
    pub fn builtin() -> Self {
        Keymaps::default().base("default").0
    }

    /// These bindings; no keys of a scope may be the beginning of others in it. `unbound` are the commands that have no key on purpose.
    pub(super) fn of(bindings: Vec<Binding>, unbound: Vec<CommandId>) -> Self {
        let mut tries: BTreeMap<Scope, Trie> = BTreeMap::new();
        for binding in &bindings {
            tries.entry(binding.scope).or_default().insert(&binding.keys, binding.command);
        }
        Self { bindings, unbound, tries }
    }

    /// What `keys` mean in the scopes, innermost first.
    pub(super) fn find(&self, scopes: &[Scope], keys: &[Chord]) -> Found {
        let found = scopes.iter().filter_map(|scope| self.tries.get(scope)).map(|trie| trie.find(keys));
        found.into_iter().find(|found| *found != Found::Nothing).unwrap_or(Found::Nothing)
    }

    /// Every binding, those of the heir before what it inherits.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// The keys of a command as they are written, the preferred first; empty when it has none.
    pub fn keys_of(&self, command: CommandId) -> Vec<String> {
        self.bindings.iter().filter(|b| b.command == command).map(|b| sequence_text(&b.keys)).collect()
    }

    /// The first keys that give a command where these scopes count, innermost first: keys of an inner one may cover those of an outer.
    pub fn key_in(&self, command: CommandId, scopes: &[Scope]) -> Option<String> {
        let reached = |b: &&Binding| b.command == command && self.find(scopes, &b.keys) == Found::Command(command);
        self.bindings.iter().find(reached).map(|b| sequence_text(&b.keys))
    }

    /// The commands that its file lists as having no key.
    pub fn unbound(&self) -> &[CommandId] {
        &self.unbound
    }

    /// Whether `binding` counts in `place`: it stands there, or farther out and nothing farther in covers it.
    pub(super) fn counts(&self, binding: &Binding, place: Scope) -> bool {
        // A runbook's view is one of those that lie over the panes.
        let inner: &[Scope] = match place {
            Scope::Book => &[Scope::Book, Scope::Overlay],
            Scope::Logs => &[Scope::Logs, Scope::List],
            _ => &[place],
        };
        let mut reached = inner.iter().chain(&[Scope::Global]).take_while(|scope| {
            let stands = binding.scope == **scope;
            stands || self.covering(binding, **scope).is_none()
        });
        reached.any(|scope| *scope == binding.scope)
    }

    /// What keeps a binding that stands farther out from counting in `scope`: other keys there that are the same, begin it, or begin with it.
    pub(super) fn covering(&self, binding: &Binding, scope: Scope) -> Option<&Binding> {
        self.bindings.iter().find(|inner| inner.scope == scope && one_begins_the_other(&inner.keys, &binding.keys))
    }

    /// Takes away every single key that gives a command that can change something; what was taken away.
    pub fn require_sequences(&mut self) -> Vec<Binding> {
        let single = |binding: &Binding| binding.keys.len() == 1 && binding.command.command().danger > Danger::Harmless;
        let (taken, kept) = std::mem::take(&mut self.bindings).into_iter().partition(single);
        *self = Self::of(kept, std::mem::take(&mut self.unbound));
        taken
    }
}

/// Whether two sequences are the same, or one is the beginning of the other: then one of them could never be given.
pub(super) fn one_begins_the_other(a: &[Chord], b: &[Chord]) -> bool {
    a.iter().zip(b).all(|(x, y)| x == y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::parse_sequence;

    #[test]
    fn what_acts_on_the_cluster_can_be_held_to_sequences() {
        let of = |scope, keys: &str, command| Binding { scope, keys: parse_sequence(keys).expect(keys), command };
        let single = of(Scope::List, "s", CommandId::Switchover);
        let sequence = of(Scope::List, "a s", CommandId::Switchover);
        let harmless = of(Scope::Global, "q", CommandId::Quit);
        let mut keymap = Keymap::of(vec![single.clone(), sequence.clone(), harmless.clone()], Vec::new());
        assert_eq!(keymap.require_sequences(), std::slice::from_ref(&single));
        assert_eq!(keymap.bindings(), [sequence, harmless]);
        assert_eq!(keymap.find(&[Scope::List], &single.keys), Found::Nothing);
        assert_eq!(keymap.require_sequences(), []);
    }
}
