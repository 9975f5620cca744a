//! The architecture, held: who may import whom, what the pure layers may not touch, how long a file may be.

#![allow(clippy::unwrap_used)]

mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use scan::{code, heads, names, super_heads};

/// Who may import whom, of the modules at the top of `src`. A new edge is a decision: it gets its line here, or it is not made.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("userfile", &["model"]),
    ("command", &["userfile"]),
    ("theme", &["model", "userfile"]),
    ("finding", &["model"]),
    ("log", &["model"]),
    ("permit", &["model"]),
    ("config", &["finding", "model", "permit"]),
    ("credential", &[]),
    ("template", &[]),
    ("lab", &["credential", "template"]),
    ("source", &["config", "log", "model", "permit"]),
    ("scaffold", &["credential", "log", "model", "source", "template", "userfile"]),
    ("action", &["config", "finding", "model", "permit", "source"]),
    ("document", &["finding", "model"]),
    ("doctor", &["document", "finding", "model"]),
    ("condition", &["document", "model"]),
    ("runbook", &["condition", "document", "model", "userfile"]),
    ("live", &["config", "document", "finding", "model", "source"]),
    ("app", &["action", "command", "doctor", "document", "log", "model", "runbook"]),
    ("ui", &["action", "app", "command", "condition", "doctor", "document", "log", "model", "runbook", "theme"]),
    ("shell", &["app", "command", "doctor", "document", "log", "model", "runbook", "theme", "ui", "userfile"]),
    (
        "cli",
        &[
            "action",
            "app",
            "command",
            "condition",
            "config",
            "doctor",
            "document",
            "finding",
            "lab",
            "live",
            "log",
            "model",
            "permit",
            "runbook",
            "scaffold",
            "shell",
            "source",
            "theme",
            "ui",
            "userfile",
        ],
    ),
    ("main", &["cli"]),
];

/// The layers that are functions of what they are given.
const PURE: [&str; 9] = ["model", "finding", "log", "template", "document", "doctor", "condition", "runbook", "app"];

/// What a pure layer may not use of the standard library.
const IMPURE_STD: [&str; 6] = ["env", "fs", "io", "net", "process", "thread"];

/// Words that a pure layer may not contain at all: clocks, and the runtime.
const IMPURE_WORDS: [&str; 5] = ["Instant", "SystemTime", "tokio", "Timestamp::now", "Zoned::now"];

/// The longest that a file may be, in lines.
const LONGEST: usize = 500;

/// A file of the crate, with its comments, strings and tests taken out.
struct Source {
    /// `model/dcs.rs`.
    path: PathBuf,
    code: String,
}

impl Source {
    fn new(path: impl Into<PathBuf>, text: &str) -> Self {
        Self { path: path.into(), code: code(text) }
    }

    /// The module at the top of `src` that it belongs to.
    fn layer(&self) -> String {
        let first = self.path.iter().next().unwrap();
        Path::new(first).file_stem().unwrap().to_str().unwrap().to_owned()
    }

    /// How many `super::` lead from it to the crate's root.
    fn depth(&self) -> usize {
        let parts = self.path.iter().count();
        if self.path.file_name().unwrap() == "mod.rs" { parts - 1 } else { parts }
    }

    /// The modules at the top that it names, its own left out.
    fn imports(&self) -> BTreeSet<String> {
        let layer = self.layer();
        let root = if layer == "main" { "pgbaton" } else { "crate" };
        let mut all: BTreeSet<String> = heads(&self.code, root).into_iter().chain(super_heads(&self.code, self.depth())).collect();
        all.remove(&layer);
        all
    }
}

/// The crate's files, those left out that are compiled for tests only.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&root);
    let texts: Vec<(PathBuf, String)> = files.iter().map(|f| (f.clone(), fs::read_to_string(f).unwrap())).collect();
    let for_tests: BTreeSet<PathBuf> =
        texts.iter().flat_map(|(file, text)| scan::test_files(text).into_iter().map(|name| file.with_file_name(name))).collect();
    let lib = root.join("lib.rs");
    let kept = texts.into_iter().filter(|(file, _)| *file != lib && !for_tests.contains(file));
    kept.map(|(file, text)| Source::new(file.strip_prefix(&root).unwrap(), &text)).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What breaks the table: imports that it does not allow, modules that it does not have, and entries that nothing uses.
fn violations(sources: &[Source], allowed: &[(&str, &[&str])]) -> Vec<String> {
    let table: BTreeMap<&str, &[&str]> = allowed.iter().copied().collect();
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    let mut wrong = Vec::new();
    for source in sources {
        let layer = source.layer();
        let Some(may) = table.get(layer.as_str()) else {
            wrong.push(format!("{}: the module {layer} is not in the table", source.path.display()));
            continue;
        };
        for import in source.imports() {
            if !may.contains(&import.as_str()) {
                wrong.push(format!("{}: {layer} must not import {import}", source.path.display()));
            }
            used.insert((layer.clone(), import));
        }
    }
    for (layer, may) in allowed {
        if !sources.iter().any(|s| s.layer() == *layer) {
            wrong.push(format!("the table has a module {layer} that does not exist"));
        }
        let idle = may.iter().filter(|import| !used.contains(&((*layer).to_owned(), (**import).to_owned())));
        wrong.extend(idle.map(|import| format!("the table lets {layer} import {import}, which it does not")));
    }
    wrong
}

/// What a pure layer uses that makes it depend on more than its arguments.
fn impurities(source: &Source) -> Vec<String> {
    if !PURE.contains(&source.layer().as_str()) {
        return Vec::new();
    }
    let std = heads(&source.code, "std").into_iter().filter(|name| IMPURE_STD.contains(&name.as_str())).map(|name| format!("std::{name}"));
    let words = IMPURE_WORDS.iter().filter(|word| names(&source.code, word)).map(|word| (*word).to_owned());
    std.chain(words).map(|what| format!("{}: {what} in a pure layer", source.path.display())).collect()
}

#[test]
fn imports_go_in_one_direction() {
    let wrong = violations(&sources(), ALLOWED);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_cycle() {
    // Each module's imports must stand above it.
    for (at, (layer, may)) in ALLOWED.iter().enumerate() {
        let above: Vec<&str> = ALLOWED[..at].iter().map(|(name, _)| *name).collect();
        assert!(may.iter().all(|import| above.contains(import)), "{layer} imports what does not stand above it");
    }
}

#[test]
fn the_pure_layers_have_no_clock_and_no_io() {
    let wrong: Vec<String> = sources().iter().flat_map(impurities).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_longer_than_a_person_reads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let long: Vec<String> = rust_files(&root.join("src"))
        .into_iter()
        .map(|f| (fs::read_to_string(&f).unwrap().lines().count(), f))
        .filter(|(lines, _)| *lines > LONGEST)
        .map(|(lines, f)| format!("{} has {lines} lines, more than {LONGEST}", f.strip_prefix(root).unwrap().display()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn the_architecture_page_names_every_module() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let page: String = lib.lines().filter(|line| line.starts_with("//!")).collect();
    let modules = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let missing: Vec<&str> = modules.filter(|name| !page.contains(&format!("[`{name}`]"))).collect();
    assert!(missing.is_empty(), "src/lib.rs does not say what these are for: {missing:?}");
}

#[test]
fn a_planted_violation_is_found() {
    let table: &[(&str, &[&str])] = &[("model", &[]), ("ui", &["model"])];
    let ui = || Source::new("ui/pane.rs", "use crate::model::Time;");
    let found = |path: &str, text: &str| violations(&[Source::new(path, text), ui()], table);
    let planted = "model/x.rs: model must not import ui";
    for text in [
        "use crate::ui::Pane;",
        "use crate::{model::Time, ui::{Pane, Look}};",
        "fn f() { crate::ui::draw(); }",
        "use super::super::ui;",
        "/* a } comment */ const A: &str = \"}\"; #[cfg(test)] mod tests { const B: char = '}'; } use crate::ui;",
    ] {
        assert_eq!(found("model/x.rs", text), [planted], "{text}");
    }
    assert_eq!(found("model/mod.rs", "use super::ui;"), ["model/mod.rs: model must not import ui"]);
    for text in [
        "",
        "// use crate::ui;",
        "/// [`crate::ui`]\nfn f<'a>(x: &'a str) -> &'a str { x }",
        "const A: &str = r#\"crate::ui::x \"quoted\" \"#;",
        "#[cfg(test)]\nmod tests { use crate::ui; fn f() { if true { } } }",
        "use super::ui;",
    ] {
        assert_eq!(found("model/x.rs", text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_stale_table_is_found() {
    let sources = [Source::new("model/x.rs", ""), Source::new("ui/pane.rs", ""), Source::new("extra.rs", "")];
    let found = violations(&sources, &[("model", &[]), ("ui", &["model"]), ("gone", &[])]);
    assert_eq!(
        found,
        [
            "extra.rs: the module extra is not in the table",
            "the table lets ui import model, which it does not",
            "the table has a module gone that does not exist"
        ]
    );
}

#[test]
fn a_planted_clock_is_found() {
    for (text, what) in [
        ("use std::time::{Duration, Instant};", "Instant"),
        ("let t = std::time::SystemTime::now();", "SystemTime"),
        ("use std::{fmt, fs};", "std::fs"),
        ("async fn f() { tokio::spawn(x); }", "tokio"),
        ("let at = jiff::Timestamp::now();", "Timestamp::now"),
    ] {
        assert_eq!(impurities(&Source::new("model/x.rs", text)), [format!("model/x.rs: {what} in a pure layer")], "{text}");
        assert_eq!(impurities(&Source::new("shell/x.rs", text)), Vec::<String>::new());
    }
    assert_eq!(impurities(&Source::new("model/x.rs", "use std::time::Duration; struct Instantly;")), Vec::<String>::new());
}
