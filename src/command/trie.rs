//! Sequences of keys as a tree, so that `g` can wait for `g g`.

use super::{Chord, CommandId};

/// What follows after some keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Trie {
    command: Option<CommandId>,
    next: Vec<(Chord, Trie)>,
}

/// What a sequence of keys means in one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A command.
    Command(CommandId),
    /// The beginning of something.
    Prefix,
    /// Nothing.
    Nothing,
}

impl Trie {
    /// Binds `keys`. The caller sees to it that no sequence is the beginning of another.
    pub(super) fn insert(&mut self, keys: &[Chord], command: CommandId) {
        let mut node = self;
        for key in keys {
            let at = match node.next.iter().position(|(chord, _)| chord == key) {
                Some(at) => at,
                None => {
                    node.next.push((*key, Trie::default()));
                    node.next.len() - 1
                }
            };
            node = &mut node.next[at].1;
        }
        node.command = Some(command);
    }

    /// What `keys` mean.
    pub(super) fn find(&self, keys: &[Chord]) -> Found {
        let mut node = self;
        for key in keys {
            match node.next.iter().find(|(chord, _)| chord == key) {
                Some((_, next)) => node = next,
                None => return Found::Nothing,
            }
        }
        match node.command {
            Some(command) => Found::Command(command),
            None if node.next.is_empty() => Found::Nothing,
            None => Found::Prefix,
        }
    }
}
