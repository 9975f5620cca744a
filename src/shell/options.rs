//! How the console looks and which keys it has, from the environment and the user's files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::bail;

use super::attention::{Attention, Wanted, clipboard_of};
use crate::app::{Arrangement, Mode};
use crate::command::{CommandId, Keymap, Keymaps, sequence_text};
use crate::model::clean;
use crate::theme::{Depth, Library, Paint, Role, Theme, UnknownTheme, depth_of, light_ground_of, utf8_of};
use crate::userfile::Mistake;

/// What the console is opened with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The cluster's name before the first document.
    pub cluster: String,
    /// Whether anything can be changed.
    pub mode: Mode,
    /// What the cluster's environment is called.
    pub label: Option<String>,
    /// How the panes are arranged; `None`: by the size of the screen.
    pub arrangement: Option<Arrangement>,
    /// The styles.
    pub theme: Theme,
    /// The themes that there are.
    pub stock: Stock,
    /// How the one who looks is called.
    pub attention: Attention,
    /// What is to be said of the clipboard here.
    pub clipboard: &'static str,
    /// The keys.
    pub keymap: Keymap,
    /// The keymap's name.
    pub keymap_name: String,
    /// The keymaps that there are.
    pub keys: Keys,
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
    /// What its environment is called: `PROD`.
    pub label: Option<&'a str>,
    /// How the panes are arranged.
    pub arrangement: Option<Arrangement>,
    /// How the one who looks is called.
    pub attention: Wanted,
    /// Name of the keymap; without one it is the one that the user's `keymap.toml` inherits, else `default`.
    pub keymap: Option<&'a str>,
    /// Whether single keys may give nothing that can change something.
    pub sequences: bool,
    /// The folder with the user's `keymap.toml`, `keymaps/*.toml` and `themes/*.toml`.
    pub folder: Option<&'a Path>,
}

/// The themes that there are, as this terminal can show them.
#[derive(Debug, Clone)]
pub struct Stock {
    library: Library,
    depth: Depth,
    /// The colour that marks this cluster.
    paint: Option<Paint>,
}

impl Stock {
    /// A theme, and the mistakes in its files.
    pub fn theme(&self, name: &str) -> Result<(Theme, Vec<Mistake>), UnknownTheme> {
        let (mut theme, mistakes) = self.library.theme(name, self.depth)?;
        if let Some(paint) = self.paint {
            theme.tint(Role::Cluster, paint);
        }
        Ok((theme, mistakes))
    }

    /// The names of all; none where there are no colours, because one would look as the other.
    pub fn names(&self) -> Vec<String> {
        if self.depth == Depth::Mono { Vec::new() } else { self.library.names().map(str::to_owned).collect() }
    }
}

/// The keymaps that there are, as this session may have them.
#[derive(Debug, Clone)]
pub struct Keys {
    keymaps: Keymaps,
    /// Whether single keys may give nothing that can change something.
    sequences: bool,
}

impl Keys {
    /// The names of all.
    pub fn names(&self) -> Vec<String> {
        self.keymaps.names().into_iter().map(str::to_owned).collect()
    }

    /// The keymap of this name, or the usual one; its name, and what is to be said of it. A keymap that is not there, or that nobody could leave by,
    /// keeps nobody out.
    pub fn keymap(&self, name: Option<&str>) -> (String, Keymap, Vec<String>) {
        let usual = || ("default".to_owned(), Keymap::builtin());
        let mut notices = Vec::new();
        let (mut name, mut keymap) = match self.keymaps.keymap(name) {
            Ok((keymap, mistakes)) => {
                notices.extend(mistakes.iter().map(Mistake::to_string));
                (name.map_or_else(|| self.keymaps.usual(), str::to_owned), keymap)
            }
            Err(why) => {
                notices.push(format!("{why}; the keys are those of default"));
                usual()
            }
        };
        if keymap.keys_of(CommandId::Quit).is_empty() {
            notices.push("no key gives quit; the keys are those of default".to_owned());
            (name, keymap) = usual();
        }
        if self.sequences {
            let taken: Vec<String> =
                keymap.require_sequences().iter().map(|b| format!("`{}` ({})", sequence_text(&b.keys), b.command)).collect();
            if !taken.is_empty() {
                notices.push(format!("the policy wants sequences of keys for what acts on the cluster; taken away: {}", taken.join(", ")));
            }
        }
        (name, keymap, notices)
    }
}

impl Options {
    /// Options for this terminal. `get` reads environment variables. Mistakes in the user's files become notices; a theme that does not exist
    /// is an error, as it was asked for by name.
    pub fn new(cluster: &str, mode: Mode, looks: &Appearance<'_>, get: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let (keymaps, mut notices) = keymaps_of(looks.folder);
        let keys = Keys { keymaps, sequences: looks.sequences };
        let (keymap_name, keymap, told) = keys.keymap(looks.keymap);
        notices.extend(told);
        let (library, unread) = themes_of(looks.folder);
        notices.extend(unread);
        let depth = looks.depth.unwrap_or_else(|| depth_of(&get));
        let usual = if light_ground_of(&get) == Some(true) { "light" } else { "dark" };
        let paint = match looks.color.map(|color| (color, Paint::parse(color))) {
            Some((color, None)) => bail!("the cluster's colour {color:?} is no colour: {}", Paint::allowed()),
            paint => paint.and_then(|(_, paint)| paint),
        };
        let stock = Stock { library, depth, paint };
        let (theme, mistakes) = stock.theme(looks.theme.unwrap_or(usual))?;
        notices.extend(mistakes.iter().map(Mistake::to_string));
        Ok(Self {
            cluster: cluster.to_owned(),
            mode,
            label: looks.label.map(clean).filter(|label| !label.is_empty()),
            arrangement: looks.arrangement,
            theme,
            stock,
            attention: Attention::of(looks.attention, &get),
            clipboard: clipboard_of(&get),
            keymap,
            keymap_name,
            keys,
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

/// The keymaps there are with a user's folder, and which of its files could not be read.
pub fn keymaps_of(folder: Option<&Path>) -> (Keymaps, Vec<String>) {
    let (mut keymaps, mut notices) = (Keymaps::default(), Vec::new());
    let Some(folder) = folder else { return (keymaps, notices) };
    let mut files = own_files(&folder.join("keymaps"), &mut notices);
    files.push(folder.join("keymap.toml"));
    for path in files {
        let over = path.parent() == Some(folder);
        match fs::read_to_string(&path) {
            Ok(text) if over => keymaps.lay_over(path.display().to_string(), text),
            Ok(text) => {
                if let Some(name) = path.file_stem().and_then(|s| s.to_str()) {
                    keymaps.add(name, path.display().to_string(), text);
                }
            }
            Err(error) if over && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => notices.push(format!("{}: {error}", path.display())),
        }
    }
    (keymaps, notices)
}

/// The themes there are with a user's folder, and which of its files could not be read.
pub fn themes_of(folder: Option<&Path>) -> (Library, Vec<String>) {
    let (mut library, mut notices) = (Library::default(), Vec::new());
    let Some(folder) = folder else { return (library, notices) };
    for path in own_files(&folder.join("themes"), &mut notices) {
        let Some(name) = path.file_stem().and_then(|s| s.to_str()) else { continue };
        match fs::read_to_string(&path) {
            Ok(text) => library.add(name, path.display().to_string(), text),
            Err(error) => notices.push(format!("{}: {error}", path.display())),
        }
    }
    (library, notices)
}

/// The TOML files of a folder by name; none when it is not there. Why it cannot be read goes to `notices`.
pub fn own_files(folder: &Path, notices: &mut Vec<String>) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect(),
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                notices.push(format!("{}: {error}", folder.display()));
            }
            Vec::new()
        }
    };
    files.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_files_count_and_their_mistakes_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("themes")).expect("themes");
        fs::write(folder.path().join("keymap.toml"), "[global]\nw = \"quit\"\ny = \"nonsense\"\n").expect("keymap");
        fs::write(folder.path().join("themes/own.toml"), "inherits = \"dark\"\n[roles]\nok = \"blurple\"\n").expect("theme");
        let looks = Appearance { theme: Some("own"), folder: Some(folder.path()), depth: Some(Depth::Sixteen), ..Appearance::default() };
        let options = Options::new("card", Mode::ReadOnly(String::new()), &looks, |_| None).expect("options");
        assert_eq!(options.keymap.keys_of(crate::command::CommandId::Quit).first().map(String::as_str), Some("w"));
        assert_eq!(options.notices.len(), 2, "{:?}", options.notices);
        assert!(
            options.notices.iter().any(|n| n.contains("keymap.toml:3:5")) && options.notices.iter().any(|n| n.contains("own.toml:3:6"))
        );
        assert!(options.ascii && !options.synchronized, "nothing is known of this terminal");
    }

    #[test]
    fn a_keymap_is_chosen_by_name_and_a_bad_one_keeps_nobody_out() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("keymaps")).expect("keymaps");
        fs::write(folder.path().join("keymaps/mine.toml"), "inherits = \"vim\"\n[list]\nX = \"restart\"\n").expect("mine");
        fs::write(folder.path().join("keymaps/empty.toml"), "[global]\nq = \"qiut\"\n").expect("empty");
        let keys = |keymap: &'static str, sequences| {
            let looks = Appearance { keymap: Some(keymap), folder: Some(folder.path()), sequences, ..Appearance::default() };
            let options = Options::new("card", Mode::ReadOnly(String::new()), &looks, |_| None).expect("options");
            (options.keymap.keys_of(CommandId::Restart), options.keymap.keys_of(CommandId::Quit), options.notices)
        };
        assert_eq!(keys("mine", false), (vec!["X".to_owned(), "a r".to_owned()], keys("vim", false).1, Vec::new()));
        let (restart, _, notices) = keys("mine", true);
        let told = "the policy wants sequences of keys for what acts on the cluster; taken away: `X` (restart)";
        assert_eq!((restart, notices), (vec!["a r".to_owned()], vec![told.to_owned()]));
        let (_, quit, notices) = keys("empty", false);
        assert_eq!(quit, Keymap::builtin().keys_of(CommandId::Quit));
        assert!(notices.iter().any(|n| n.contains("empty.toml:2:5: there is no command")), "{notices:?}");
        assert_eq!(notices.last().map(String::as_str), Some("no key gives quit; the keys are those of default"));
        let (_, quit, notices) = keys("nowhere", false);
        assert_eq!(quit, Keymap::builtin().keys_of(CommandId::Quit));
        assert!(notices[0].starts_with("there is no keymap \"nowhere\"; there are default, vim, "), "{notices:?}");
    }

    #[test]
    fn what_was_asked_for_by_name_must_be_there() {
        let theme = Appearance { theme: Some("drak"), ..Appearance::default() };
        let color = Appearance { color: Some("blurple"), ..Appearance::default() };
        assert!(Options::new("card", Mode::ReadOnly(String::new()), &theme, |_| None).is_err());
        assert!(Options::new("card", Mode::ReadOnly(String::new()), &color, |_| None).is_err());
    }
}
