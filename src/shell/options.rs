//! How the console looks and which keys it has, from the environment and the user's files.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, bail};

use crate::app::Mode;
use crate::command::Keymap;
use crate::theme::{Depth, Library, Paint, Role, Theme, depth_of, light_ground_of, utf8_of};
use crate::userfile::Mistake;

/// What the console is opened with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The cluster's name before the first document.
    pub cluster: String,
    /// Whether anything can be changed.
    pub mode: Mode,
    /// The styles.
    pub theme: Theme,
    /// The keys.
    pub keymap: Keymap,
    /// Whether only ASCII may be drawn.
    pub ascii: bool,
    /// Whether frames are bracketed as synchronized updates (`CSI ? 2026 h` and `l`).
    pub synchronized: bool,
    /// What is to be said when the console opens: mistakes in the user's files.
    pub notices: Vec<String>,
}

/// What the command line and the configuration say about looks; `None`: find out.
#[derive(Debug, Clone, Default)]
pub struct Appearance<'a> {
    /// Name of the theme; without one it is `light` where the terminal says that its ground is, else `dark`.
    pub theme: Option<&'a str>,
    /// Draw with ASCII only; found out from the locale.
    pub ascii: Option<bool>,
    /// Number of colours; found out from `NO_COLOR`, `COLORTERM` and `TERM`.
    pub depth: Option<Depth>,
    /// Synchronized updates; found out from the terminal's name.
    pub synchronized: Option<bool>,
    /// The colour that marks this cluster.
    pub color: Option<&'a str>,
    /// The folder with the user's `keymap.toml` and `themes/*.toml`.
    pub folder: Option<&'a Path>,
}

impl Options {
    /// Options for this terminal. `get` reads environment variables. Mistakes in the user's files become notices; a theme that does not exist
    /// is an error, as it was asked for by name.
    pub fn new(cluster: &str, mode: Mode, looks: &Appearance<'_>, get: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let mut notices = Vec::new();
        let mut keymap = Keymap::builtin();
        let mut library = Library::default();
        if let Some(folder) = looks.folder {
            keymap = own_keymap(keymap, &folder.join("keymap.toml"), &mut notices);
            own_themes(&mut library, &folder.join("themes"), &mut notices);
        }
        let depth = looks.depth.unwrap_or_else(|| depth_of(&get));
        let usual = if light_ground_of(&get) == Some(true) { "light" } else { "dark" };
        let (mut theme, mistakes) = library.theme(looks.theme.unwrap_or(usual), depth)?;
        notices.extend(mistakes.iter().map(Mistake::to_string));
        if let Some(color) = looks.color {
            match Paint::parse(color) {
                Some(paint) => theme.tint(Role::Cluster, paint),
                None => bail!("the cluster's colour {color:?} is no colour: {}", Paint::allowed()),
            }
        }
        Ok(Self {
            cluster: cluster.to_owned(),
            mode,
            theme,
            keymap,
            ascii: looks.ascii.unwrap_or_else(|| !utf8_of(&get)),
            synchronized: looks.synchronized.unwrap_or_else(|| synchronized_of(&get)),
            notices,
        })
    }
}

/// Unknown private modes are ignored by terminals; these are known to print or to mishandle them.
fn synchronized_of(get: impl Fn(&str) -> Option<String>) -> bool {
    let term = get("TERM").unwrap_or_default();
    get("TERM_PROGRAM").as_deref() != Some("Apple_Terminal") && !matches!(term.as_str(), "" | "linux" | "dumb") && !term.starts_with("vt")
}

fn own_keymap(keymap: Keymap, path: &Path, notices: &mut Vec<String>) -> Keymap {
    match fs::read_to_string(path) {
        Ok(text) => {
            let (keymap, mistakes) = keymap.with(&path.display().to_string(), &text);
            notices.extend(mistakes.iter().map(Mistake::to_string));
            keymap
        }
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                notices.push(format!("{}: {error}", path.display()));
            }
            keymap
        }
    }
}

fn own_themes(library: &mut Library, folder: &Path, notices: &mut Vec<String>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                notices.push(format!("{}: {error}", folder.display()));
            }
            return;
        }
    };
    for path in entries.filter_map(|entry| entry.ok().map(|e| e.path())) {
        let Some(name) = path.file_stem().and_then(|s| s.to_str()).filter(|_| path.extension().is_some_and(|e| e == "toml")) else {
            continue;
        };
        match fs::read_to_string(&path).with_context(|| path.display().to_string()) {
            Ok(text) => library.add(name, path.display().to_string(), text),
            Err(error) => notices.push(format!("{error:#}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_files_count_and_their_mistakes_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("themes")).expect("themes");
        fs::write(folder.path().join("keymap.toml"), "[global]\nx = \"quit\"\ny = \"nonsense\"\n").expect("keymap");
        fs::write(folder.path().join("themes/own.toml"), "inherits = \"dark\"\n[roles]\nok = \"blurple\"\n").expect("theme");
        let looks = Appearance { theme: Some("own"), folder: Some(folder.path()), depth: Some(Depth::Sixteen), ..Appearance::default() };
        let options = Options::new("card", Mode::ReadOnly(String::new()), &looks, |_| None).expect("options");
        assert_eq!(options.keymap.keys_of(crate::command::CommandId::Quit).first().map(String::as_str), Some("x"));
        assert_eq!(options.notices.len(), 2, "{:?}", options.notices);
        assert!(
            options.notices.iter().any(|n| n.contains("keymap.toml:3:5")) && options.notices.iter().any(|n| n.contains("own.toml:3:6"))
        );
        assert!(options.ascii && !options.synchronized, "nothing is known of this terminal");
    }

    #[test]
    fn what_was_asked_for_by_name_must_be_there() {
        let theme = Appearance { theme: Some("drak"), ..Appearance::default() };
        let color = Appearance { color: Some("blurple"), ..Appearance::default() };
        assert!(Options::new("card", Mode::ReadOnly(String::new()), &theme, |_| None).is_err());
        assert!(Options::new("card", Mode::ReadOnly(String::new()), &color, |_| None).is_err());
    }
}
