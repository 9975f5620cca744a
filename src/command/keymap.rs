//! Which keys give which commands: the built-in keymap, and a user's file over it.

use std::collections::BTreeMap;
use std::str::FromStr;

use strum::IntoEnumIterator;

use super::trie::{Found, Trie};
use super::{Chord, CommandId, Scope, parse_sequence, sequence_text};
use crate::userfile::{Entry, Mistake, Reader, Value, nearest};

/// The built-in keymap; it documents the format too.
const DEFAULT: &str = include_str!("../../keymaps/default.toml");

/// The word that takes a key away.
const NONE: &str = "none";

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
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<Binding>,
    tries: BTreeMap<Scope, Trie>,
}

impl Keymap {
    /// The built-in keymap.
    pub fn builtin() -> Self {
        Self { bindings: Vec::new(), tries: BTreeMap::new() }.with("keymaps/default.toml", DEFAULT).0
    }

    /// This keymap with the file `text` over it, and the mistakes of the file. A wrong entry is left out; the others count.
    pub fn with(mut self, path: &str, text: &str) -> (Self, Vec<Mistake>) {
        let (mut reader, tables) = Reader::parse(path, text);
        let mut own: Vec<(Binding, Option<CommandId>)> = Vec::new();
        for table in tables {
            let Ok(scope) = Scope::from_str(&table.key) else {
                let names: Vec<&'static str> = Scope::iter().map(Into::into).collect();
                let message = format!("unknown table [{}]", table.key);
                reader.mistake(table.key_at, message, Some(format!("the tables are [{}]", names.join("], ["))));
                continue;
            };
            let Value::Table(entries) = table.value else {
                reader.mistake(table.value_at, format!("{scope} is {}, not a table of keys", table.value.kind()), None);
                continue;
            };
            for entry in entries {
                read_entry(&mut reader, scope, &entry, &mut own);
            }
        }
        // The file's keys come first, so that the help shows the user's own.
        let mut bindings: Vec<Binding> = Vec::new();
        for (binding, command) in &own {
            if command.is_some() {
                bindings.push(binding.clone());
            }
        }
        let clashes = |old: &Binding| own.iter().any(|(new, _)| new.scope == old.scope && one_begins_the_other(&new.keys, &old.keys));
        bindings.extend(self.bindings.drain(..).filter(|old| !clashes(old)));
        (Self::of(bindings), reader.finish())
    }

    fn of(bindings: Vec<Binding>) -> Self {
        let mut tries: BTreeMap<Scope, Trie> = BTreeMap::new();
        for binding in &bindings {
            tries.entry(binding.scope).or_default().insert(&binding.keys, binding.command);
        }
        Self { bindings, tries }
    }

    /// What `keys` mean in the scopes, innermost first.
    pub(super) fn find(&self, scopes: &[Scope], keys: &[Chord]) -> Found {
        let found = scopes.iter().filter_map(|scope| self.tries.get(scope)).map(|trie| trie.find(keys));
        found.into_iter().find(|found| *found != Found::Nothing).unwrap_or(Found::Nothing)
    }

    /// Every binding, the user's before the built-in ones.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// The keys of a command as they are written, the preferred first; empty when it has none.
    pub fn keys_of(&self, command: CommandId) -> Vec<String> {
        self.bindings.iter().filter(|b| b.command == command).map(|b| sequence_text(&b.keys)).collect()
    }
}

fn one_begins_the_other(a: &[Chord], b: &[Chord]) -> bool {
    a.iter().zip(b).all(|(x, y)| x == y)
}

fn read_entry(reader: &mut Reader<'_>, scope: Scope, entry: &Entry, own: &mut Vec<(Binding, Option<CommandId>)>) {
    let keys = match parse_sequence(&entry.key) {
        Ok(keys) => keys,
        Err(error) => return reader.mistake(entry.key_at, error.to_string(), Some(error.hint())),
    };
    let Value::Text(name) = &entry.value else {
        let hint = format!("write the name of a command, or \"{NONE}\"");
        return reader.mistake(entry.value_at, format!("expected a string, found {}", entry.value.kind()), Some(hint));
    };
    let command = if name == NONE {
        None
    } else {
        match CommandId::from_str(name) {
            Ok(id) => Some(id),
            Err(_) => {
                let hint = nearest(name, CommandId::iter().map(Into::into)).map(|near| format!("did you mean \"{near}\"?"));
                return reader.mistake(entry.value_at, format!("there is no command \"{name}\""), hint);
            }
        }
    };
    if let Some(id) = command {
        let home = id.command().scope;
        if home != scope && home != Scope::Global {
            return reader.mistake(entry.value_at, format!("{id} cannot be given in [{scope}]"), Some(format!("bind it in [{home}]")));
        }
    }
    if scope == Scope::Text && keys[0].typed().is_some() {
        let hint = "use ctrl-, alt- or a named key".to_owned();
        return reader.mistake(entry.key_at, format!("in [{scope}] `{}` types itself", keys[0]), Some(hint));
    }
    if let Some((other, _)) = own.iter().find(|(other, _)| other.scope == scope && one_begins_the_other(&other.keys, &keys)) {
        let (this, that) = (sequence_text(&keys), sequence_text(&other.keys));
        let message = if this == that {
            format!("`{this}` is bound twice in [{scope}]")
        } else {
            format!("`{this}` and `{that}` cannot both be bound: one is the beginning of the other")
        };
        return reader.mistake(entry.key_at, message, Some("the first one counts".to_owned()));
    }
    // A key that is taken away needs no command of its own; it only clears what it covers.
    let binding = Binding { scope, keys, command: command.unwrap_or(CommandId::Help) };
    own.push((binding, command));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(keymap: &Keymap, scope: Scope, keys: &str) -> Found {
        keymap.find(&[scope, Scope::Global], &parse_sequence(keys).expect(keys))
    }

    #[test]
    fn the_builtin_keymap_has_no_mistake_and_reaches_every_command() {
        let empty = Keymap { bindings: Vec::new(), tries: BTreeMap::new() };
        let (keymap, mistakes) = empty.with("keymaps/default.toml", DEFAULT);
        assert_eq!(mistakes, []);
        for id in CommandId::iter() {
            assert!(!keymap.keys_of(id).is_empty(), "{id} has no key");
        }
    }

    #[test]
    fn a_users_key_wins_and_the_rest_stays() {
        let (keymap, mistakes) = Keymap::builtin().with("k.toml", "[global]\n\"g\" = \"zoom\"\nx = \"quit\"\nz = \"none\"\n");
        assert_eq!(mistakes, []);
        assert_eq!(find(&keymap, Scope::List, "g"), Found::Command(CommandId::Zoom));
        assert_eq!(find(&keymap, Scope::List, "g g"), Found::Nothing, "the longer one gives way");
        assert_eq!(find(&keymap, Scope::List, "z"), Found::Nothing);
        assert_eq!(find(&keymap, Scope::List, "q"), Found::Command(CommandId::Quit));
        assert_eq!(keymap.keys_of(CommandId::Quit).first().map(String::as_str), Some("x"));
    }

    #[test]
    fn mistakes_say_where_and_what_and_leave_the_rest() {
        let text = "[global]\nmeta-x = \"quit\"\nu = \"quitt\"\nv = 3\nw = \"filter\"\ny = \"quit\"\nshift-y = \"zoom\"\nY = \"help\"\n[nowhere]\n";
        let (keymap, mistakes) = Keymap::builtin().with("k.toml", text);
        let told: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
        let expected = [
            "k.toml:2:1: `meta-` is not a modifier (modifiers are ctrl-, alt-, shift-)",
            "k.toml:3:5: there is no command \"quitt\" (did you mean \"quit\"?)",
            "k.toml:4:5: expected a string, found an integer (write the name of a command, or \"none\")",
            "k.toml:5:5: filter cannot be given in [global] (bind it in [list])",
            "k.toml:8:1: `Y` is bound twice in [global] (the first one counts)",
            "k.toml:9:2: unknown table [nowhere] (the tables are [global], [list], [overlay], [choice], [text])",
        ];
        assert_eq!(told, expected);
        assert_eq!(find(&keymap, Scope::List, "y"), Found::Command(CommandId::Quit));
        assert_eq!(find(&keymap, Scope::List, "Y"), Found::Command(CommandId::Zoom));
    }

    #[test]
    fn a_key_and_a_longer_one_that_begins_with_it_clash() {
        let (_, mistakes) = Keymap::builtin().with("k.toml", "[list]\n\"x y\" = \"open\"\nx = \"zoom\"\n");
        assert_eq!(mistakes.len(), 1);
        assert!(mistakes[0].message.contains("one is the beginning of the other"), "{}", mistakes[0]);
    }

    #[test]
    fn typing_cannot_be_taken_away() {
        let (_, mistakes) = Keymap::builtin().with("k.toml", "[text]\nx = \"accept\"\n");
        assert_eq!(mistakes[0].message, "in [text] `x` types itself");
    }
}
