//! The keymaps there are: those that come with the program, and a user's own over them.

use std::collections::BTreeMap;

use super::layer::layer;
use super::{CommandId, Keymap};
use crate::userfile::{Entry, Mistake, Reader, Value, nearest};

/// Name and text of each keymap that comes with the program; the first documents the format too.
const BUILTIN: [(&str, &str); 5] = [
    ("default", include_str!("../../keymaps/default.toml")),
    ("vim", include_str!("../../keymaps/vim.toml")),
    ("emacs", include_str!("../../keymaps/emacs.toml")),
    ("pgcenter", include_str!("../../keymaps/pgcenter.toml")),
    ("minimal", include_str!("../../keymaps/minimal.toml")),
];

/// A file: its path as it is told, and its text.
type File = (String, String);

/// The keymaps there are.
#[derive(Debug, Clone)]
pub struct Keymaps {
    builtin: BTreeMap<String, File>,
    own: BTreeMap<String, File>,
    over: Option<File>,
}

/// A keymap that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no keymap {name:?}; there are {known}")]
pub struct UnknownKeymap {
    name: String,
    known: String,
}

impl Default for Keymaps {
    fn default() -> Self {
        let builtin = BUILTIN.iter().map(|(name, text)| ((*name).to_owned(), (format!("keymaps/{name}.toml"), (*text).to_owned())));
        Self { builtin: builtin.collect(), own: BTreeMap::new(), over: None }
    }
}

impl Keymaps {
    /// Adds a user's keymap; it comes before a built-in one of the same name, which it can inherit from.
    pub fn add(&mut self, name: impl Into<String>, path: impl Into<String>, text: impl Into<String>) {
        self.own.insert(name.into(), (path.into(), text.into()));
    }

    /// The user's file that lies over whatever keymap is chosen. What it inherits is chosen when nothing else is.
    pub fn lay_over(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.over = Some((path.into(), text.into()));
    }

    /// The names of all keymaps.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
        names.extend(self.own.keys().map(String::as_str).filter(|name| !self.builtin.contains_key(*name)));
        names
    }

    /// The keymap of this name, else the one that the user's file over it inherits, else `default`; with the mistakes in the files. A wrong
    /// entry is left out; the others count.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn keymap(&self, name: Option<&str>) -> Result<(Keymap, Vec<Mistake>), UnknownKeymap> {
        if let Some(name) = name.filter(|name| !self.knows(name)) {
            return Err(UnknownKeymap { name: name.to_owned(), known: self.names().join(", ") });
        }
        let mut mistakes = Vec::new();
        let over = self.over.as_ref().map(|(path, text)| Reader::parse(path, text));
        let (mut reader, entries) = match over {
            Some((reader, entries)) => (Some(reader), entries),
            None => (None, Vec::new()),
        };
        let inherited = reader.as_mut().and_then(|reader| self.inherited(reader, &entries));
        let (mut keymap, below) = self.base(name.or(inherited.as_deref()).unwrap_or("default"));
        mistakes.extend(below);
        if let Some(mut reader) = reader {
            keymap = layer(&keymap, &mut reader, &entries);
            mistakes.extend(finish(reader));
        }
        Ok((keymap, mistakes))
    }

    /// The name of the keymap that counts when none is named: the one that the user's file over all inherits, else `default`.
    pub fn usual(&self) -> String {
        let over = self.over.as_ref().map(|(path, text)| Reader::parse(path, text));
        let inherited = over.and_then(|(mut reader, entries)| self.inherited(&mut reader, &entries));
        inherited.unwrap_or_else(|| "default".to_owned())
    }

    /// What a file is with what it inherits below it: by its `inherits`, else `below`, else nothing; with its mistakes and those of what it
    /// inherits.
    pub fn check(&self, path: &str, text: &str, below: Option<&str>) -> (Keymap, Vec<Mistake>) {
        let (mut reader, entries) = Reader::parse(path, text);
        let inherited = self.inherited(&mut reader, &entries);
        let (base, mut mistakes) = inherited.as_deref().or(below).map(|name| self.base(name)).unwrap_or_default();
        let keymap = layer(&base, &mut reader, &entries);
        leave(&mut reader, &keymap);
        let mut own = finish(reader);
        own.append(&mut mistakes);
        (keymap, own)
    }

    /// A keymap that is there, with what it inherits below it.
    pub(super) fn base(&self, name: &str) -> (Keymap, Vec<Mistake>) {
        let line = self.line(name);
        let (mut keymap, mut mistakes) = (Keymap::default(), Vec::new());
        for (number, (path, text)) in line.iter().enumerate().rev() {
            let (mut reader, entries) = Reader::parse(path, text);
            if let Some(parent) = self.inherited(&mut reader, &entries)
                && number + 1 == line.len()
            {
                reader.mistake(place(&entries), format!("\"{parent}\" inherits from itself"), None);
            }
            keymap = layer(&keymap, &mut reader, &entries);
            if number == 0 {
                leave(&mut reader, &keymap);
            }
            mistakes.extend(finish(reader));
        }
        (keymap, mistakes)
    }

    /// The files from this keymap to the last that it inherits. A user's own that inherits its own name means the built-in one.
    fn line(&self, name: &str) -> Vec<&File> {
        let mut line: Vec<&File> = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(name) = next.take() {
            let known = [self.own.get(&name), self.builtin.get(&name)].into_iter().flatten();
            let Some(file) = known.into_iter().find(|file| !line.iter().any(|seen| seen.0 == file.0)) else { break };
            line.push(file);
            let (_, entries) = Reader::parse(&file.0, &file.1);
            next = parent(&entries).and_then(Result::ok).map(str::to_owned);
        }
        line
    }

    fn knows(&self, name: &str) -> bool {
        self.own.contains_key(name) || self.builtin.contains_key(name)
    }

    /// What the file inherits, if there is such a keymap.
    fn inherited(&self, reader: &mut Reader<'_>, entries: &[Entry]) -> Option<String> {
        match parent(entries)? {
            Ok(name) if self.knows(name) => Some(name.to_owned()),
            Ok(name) => {
                let near = nearest(name, self.names()).map(|near| format!("did you mean \"{near}\"?"));
                let hint = near.unwrap_or_else(|| format!("there are {}", self.names().join(", ")));
                reader.mistake(place(entries), format!("there is no keymap \"{name}\""), Some(hint));
                None
            }
            Err(kind) => {
                reader.mistake(place(entries), format!("expected the name of a keymap, found {kind}"), None);
                None
            }
        }
    }
}

/// What the file says that it inherits, if it says so; an error has the kind of what is no name.
fn parent(entries: &[Entry]) -> Option<Result<&str, &'static str>> {
    entries.iter().find(|entry| entry.key == "inherits").map(|entry| match &entry.value {
        Value::Text(name) => Ok(name.as_str()),
        other => Err(other.kind()),
    })
}

/// Where it says so.
fn place(entries: &[Entry]) -> usize {
    entries.iter().find(|entry| entry.key == "inherits").map_or(0, |entry| entry.value_at)
}

/// Who can open the console must be able to leave it.
fn leave(reader: &mut Reader<'_>, keymap: &Keymap) {
    if keymap.keys_of(CommandId::Quit).is_empty() {
        reader.mistake(0, "no key gives quit", Some("bind it, or begin the file with inherits = \"default\"".to_owned()));
    }
}

/// The mistakes in the order of the file.
fn finish(reader: Reader<'_>) -> Vec<Mistake> {
    let mut mistakes = reader.finish();
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    mistakes
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn no_keymap_that_comes_with_it_has_a_mistake_and_each_reaches_every_command_or_says_that_it_does_not() {
        for (name, _) in BUILTIN {
            let (keymap, mistakes) = Keymaps::default().keymap(Some(name)).expect(name);
            assert_eq!(mistakes, [], "{name}");
            let silent: Vec<CommandId> =
                CommandId::iter().filter(|id| keymap.keys_of(*id).is_empty() && !keymap.unbound().contains(id)).collect();
            assert_eq!(silent, [], "{name} has no key for these and does not list them in `unbound`");
            let both: Vec<&CommandId> = keymap.unbound().iter().filter(|id| !keymap.keys_of(**id).is_empty()).collect();
            assert_eq!(both, [] as [&CommandId; 0], "{name}");
        }
    }

    #[test]
    fn the_minimal_keymap_needs_nothing_that_an_odd_terminal_lacks() {
        let (keymap, _) = Keymaps::default().keymap(Some("minimal")).expect("minimal");
        for binding in keymap.bindings() {
            for key in &binding.keys {
                let text = key.to_string();
                assert!(!text.contains("ctrl-") && !text.contains("alt-") && !text.contains("shift-"), "{text}");
                assert!(!(text.len() > 1 && text.starts_with('f')), "{text}");
            }
        }
    }

    #[test]
    fn a_users_keymap_comes_before_ours_and_can_inherit_it() {
        let mut keymaps = Keymaps::default();
        keymaps.add("default", "/own/default.toml", "inherits = \"default\"\n[global]\nQ = \"quit\"\n");
        keymaps.add("mine", "/own/mine.toml", "inherits = \"default\"\n");
        let (keymap, mistakes) = keymaps.keymap(Some("mine")).expect("mine");
        assert_eq!((keymap.keys_of(CommandId::Quit).join(" "), mistakes), ("Q ctrl-c".to_owned(), Vec::new()));
        assert_eq!(keymaps.names(), ["default", "vim", "emacs", "pgcenter", "minimal", "mine"]);
        let unknown = keymaps.keymap(Some("vin")).expect_err("no such").to_string();
        assert_eq!(unknown, "there is no keymap \"vin\"; there are default, vim, emacs, pgcenter, minimal, mine");
    }

    #[test]
    fn the_file_over_all_chooses_what_it_inherits_unless_something_else_is_chosen() {
        let mut keymaps = Keymaps::default();
        keymaps.lay_over("keymap.toml", "inherits = \"minimal\"\n[global]\n\"x x\" = \"quit\"\n");
        let keys = |name: Option<&str>| keymaps.keymap(name).expect("a keymap").0.keys_of(CommandId::Quit).join(", ");
        assert_eq!((keys(None).as_str(), keymaps.usual().as_str()), ("x x, Q", "minimal"));
        assert_eq!(keys(Some("default")), "x x, ctrl-c");
    }

    #[test]
    fn nothing_inherits_from_itself_by_a_detour_and_everybody_can_leave() {
        let mut keymaps = Keymaps::default();
        keymaps.add("a", "a.toml", "inherits = \"b\"\n");
        keymaps.add("b", "b.toml", "inherits = \"a\"\n");
        let (keymap, mistakes) = keymaps.keymap(Some("a")).expect("a");
        let told: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
        let expected = [
            "b.toml:1:12: \"a\" inherits from itself",
            "a.toml:1:1: no key gives quit (bind it, or begin the file with inherits = \"default\")",
        ];
        assert_eq!(told, expected);
        assert!(keymap.bindings().is_empty());
    }
}
