//! The README's commands, run as they stand there, on a real cluster.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[path = "common/pty.rs"]
#[allow(dead_code)]
mod pty;

use pgbaton::command::{COMMANDS, CommandId, Keymap, Keymaps, Scope, sequence_text};
use pty::{Pty, cargo};

/// A fenced block: the mark in the comment before it, its language, its lines.
struct Block {
    mark: String,
    language: String,
    lines: Vec<String>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn blocks() -> Vec<Block> {
    let text = fs::read_to_string(root().join("README.md")).expect("the README");
    let (mut blocks, mut mark, mut open): (Vec<Block>, String, bool) = (Vec::new(), String::new(), false);
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                blocks.push(Block { mark: std::mem::take(&mut mark), language: language.to_owned(), lines: Vec::new() });
            }
            None if open => blocks.last_mut().expect("a block").lines.push(line.to_owned()),
            None => mark = line.strip_prefix("<!-- ").and_then(|m| m.strip_suffix(" -->")).map_or(mark, str::to_owned),
        }
    }
    assert!(!open, "the README has a block without an end");
    blocks
}

/// Commands of the blocks with this mark, without their comments.
fn commands(mark: &str) -> Vec<String> {
    let lines = blocks().into_iter().filter(|b| b.mark == mark && b.language == "sh").flat_map(|b| b.lines);
    lines.map(|l| l.split("  #").next().unwrap_or_default().trim().to_owned()).filter(|l| !l.is_empty()).collect()
}

/// A lab of the name that the README's commands mean, in a folder of its own.
struct Lab {
    base: PathBuf,
    home: tempfile::TempDir,
}

impl Lab {
    fn up() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        // PostgreSQL runs as another user and must be able to enter.
        let base = std::env::temp_dir().join(format!("pgbaton-readme-{}", std::process::id()));
        let lab = Self { base, home };
        let up = lab.run("pgbaton lab up --yes");
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        lab
    }

    fn dir(&self) -> PathBuf {
        self.base.join("lab")
    }

    fn variables(&self) -> Vec<(String, String)> {
        let bin = Path::new(env!("CARGO_BIN_EXE_pgbaton")).parent().expect("a folder").display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut variables = vec![
            ("PATH".to_owned(), format!("{bin}:{path}")),
            ("PGBATON_LAB_DIR".to_owned(), self.base.display().to_string()),
            ("XDG_CONFIG_HOME".to_owned(), self.home.path().display().to_string()),
            ("XDG_STATE_HOME".to_owned(), self.home.path().join("state").display().to_string()),
        ];
        let own = self.dir().join("pgbaton.toml");
        if own.exists() {
            variables.push(("PGBATON_CONFIG".to_owned(), own.display().to_string()));
        }
        variables
    }

    fn run(&self, line: &str) -> Output {
        Command::new("/bin/sh").arg("-c").arg(line).envs(self.variables()).current_dir(self.home.path()).output().expect("a shell")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.run("pgbaton lab down --purge");
        let _ = fs::remove_dir_all(&self.base);
    }
}

#[test]
fn every_command_is_run_by_a_test_or_named_here() {
    let marks: BTreeSet<String> = blocks().into_iter().filter(|b| b.language == "sh").map(|b| b.mark).collect();
    let known: BTreeSet<String> = ["", "lab", "test", "try"].into_iter().map(str::to_owned).collect();
    assert_eq!(marks, known);
    // The unmarked block opens consoles (below) and installs, which is what `cargo run` has built already.
    assert_eq!(commands(""), ["cargo install --path .", "pgbaton", "pgbaton -c patroni.yml", "pgbaton card-prod"]);
    assert_eq!(commands("test"), ["tests/run"], "what .ci/run calls");
    assert_eq!(commands("try"), ["cargo run --release -- lab"]);
}

#[test]
fn the_commands_for_scripts_and_for_practice_and_the_consoles() {
    let lab = Lab::up();
    for line in commands("lab") {
        let output = lab.run(&line);
        // After a fault the check is right to say so.
        let said = format!("{line}\n{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        // A node that has no reason to warn has no line of that level: how fast it started decides.
        assert!(!output.stdout.is_empty() || line.contains("heal") || line.contains("--level"), "{said}");
    }
    let example = blocks().into_iter().find(|b| b.language == "toml").expect("an example");
    let file = lab.home.path().join("example.toml");
    fs::write(&file, example.lines.join("\n")).expect("written");
    fs::write(lab.home.path().join("rabbitmq-password"), "secret").expect("written");
    let checked = lab.run("pgbaton config check example.toml");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));

    // A console by patronictl's file alone, by a node's patroni.yml, by a name of pgbaton.toml.
    fs::copy(lab.dir().join("psg1/patroni.yml"), lab.home.path().join("patroni.yml")).expect("copied");
    fs::create_dir(lab.home.path().join("pgbaton")).expect("made");
    let own = fs::read_to_string(lab.dir().join("pgbaton.toml")).expect("read").replace("clusters.lab", "clusters.card-prod");
    let own = own.replace("default = \"lab\"", "default = \"card-prod\"");
    let patronictl = lab.dir().join("patronictl.yaml").display().to_string();
    for (line, variable, shows) in [
        ("pgbaton", Some(("PATRONICTL_CONFIG_FILE", patronictl.as_str())), "leads"),
        ("pgbaton -c patroni.yml", None, "leads"),
        ("pgbaton card-prod", None, "4 of 4 "),
    ] {
        if line.ends_with("card-prod") {
            fs::write(lab.home.path().join("pgbaton/pgbaton.toml"), &own).expect("written");
        }
        let mut variables: Vec<(String, String)> = lab.variables().into_iter().filter(|(name, _)| name != "PGBATON_CONFIG").collect();
        variables.extend(variable.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let variables: Vec<(&str, &str)> = variables.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let script = format!("cd '{}' && exec {line}", lab.home.path().display());
        let mut console = Pty::spawn(Path::new("/bin/sh"), &["-c", &script], &variables, (120, 40));
        console.until(line, |screen| screen.contents().contains(shows));
        console.press("q");
        assert_eq!(console.end(), 0, "{line}");
    }
}

/// What is used every day; the README tells the keys of these in the default keymap.
const DAILY: [(&str, &[CommandId]); 13] = [
    ("every key of the place", &[CommandId::Help]),
    ("search for a command and run it", &[CommandId::Palette]),
    ("row", &[CommandId::Up, CommandId::Down]),
    ("page", &[CommandId::PageUp, CommandId::PageDown]),
    ("first and last row", &[CommandId::Top, CommandId::Bottom]),
    ("pane", &[CommandId::PanePrevious, CommandId::PaneNext]),
    ("pane by its number (`0`: the tenth)", &[CommandId::Pane1, CommandId::Pane9, CommandId::Pane0]),
    ("the whole screen for the pane", &[CommandId::Zoom]),
    ("everything about a row", &[CommandId::Open]),
    ("filter, sort, turn round", &[CommandId::Filter, CommandId::SortNext, CommandId::SortReverse]),
    ("the runbook of a finding, or the list of all", &[CommandId::Runbooks]),
    ("close, go back", &[CommandId::Back]),
    ("leave what is looked at, in the end pgbaton; leave it at once", &[CommandId::Leave, CommandId::Quit]),
];

/// A key as it stands in a table of Markdown.
fn key(keys: &str) -> String {
    format!("`{}`", keys.replace('|', "\\|"))
}

/// The table of the daily keys: each once, those of the logs' pane left out, which the README tells beside it.
fn daily() -> String {
    let keymap = Keymap::builtin();
    let keys_of = |id: CommandId| {
        let mut keys: Vec<String> = Vec::new();
        for binding in keymap.bindings().iter().filter(|binding| binding.command == id && binding.scope != Scope::Logs) {
            let text = key(&sequence_text(&binding.keys));
            if !keys.contains(&text) {
                keys.push(text);
            }
        }
        keys.join(" ")
    };
    let row = |(what, ids): &(&str, &[CommandId])| {
        let keys: Vec<String> = ids.iter().map(|id| keys_of(*id)).collect();
        let keys = match keys.as_slice() {
            [first, last, tenth] if ids.contains(&CommandId::Pane9) => format!("{first} to {last}, {tenth}"),
            keys => keys.join(", "),
        };
        format!("| {keys} | {what} |\n")
    };
    format!("| | |\n|---|---|\n{}", DAILY.iter().map(row).collect::<String>())
}

/// Every command with its keys in every keymap that comes with the program.
fn every_key() -> String {
    let keymaps = Keymaps::default();
    let names = keymaps.names();
    let maps: Vec<Keymap> = names.iter().map(|name| keymaps.keymap(Some(name)).expect("a keymap").0).collect();
    let mut text =
        format!("| command | where | danger | what it does | {} |\n|---|---|---|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for command in COMMANDS {
        let keys = maps.iter().map(|map| map.keys_of(command.id).iter().map(|keys| key(keys)).collect::<Vec<_>>().join(" "));
        let keys = keys.collect::<Vec<_>>().join(" | ");
        text += &format!("| `{}` | {} | {} | {} | {keys} |\n", command.id, command.scope, command.danger, command.doc);
    }
    text
}

/// The tables of keys between `<!-- keys -->` and `<!-- end -->` are those of the program. `UPDATE_EXPECTED=1` writes them anew.
#[test]
fn the_tables_of_keys_are_those_of_the_program() {
    for (file, table) in [("README.md", daily()), ("keymaps/README.md", every_key())] {
        let path = root().join(file);
        let text = fs::read_to_string(&path).expect(file);
        let (before, rest) = text.split_once("<!-- keys -->\n").expect("where the table begins");
        let (there, after) = rest.split_once("<!-- end -->").expect("where it ends");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, format!("{before}<!-- keys -->\n\n{table}\n<!-- end -->{after}")).expect("it is written");
        } else {
            assert_eq!(there.trim(), table.trim(), "{file}: UPDATE_EXPECTED=1 cargo test --test readme the_tables writes it anew");
        }
    }
}

#[test]
fn the_policy_is_one() {
    let text = blocks().into_iter().rfind(|b| b.language == "toml").expect("a policy").lines.join("\n");
    let policy = pgbaton::permit::Policy::parse("README.md", &text).expect("a policy");
    let anna = pgbaton::permit::Operator { user: "anna".to_owned(), ..pgbaton::permit::Operator::of_process() };
    assert!(policy.lets(&anna, "card-prod") && !policy.lets(&anna, "other"));
    assert_eq!(policy.audit.dir.as_deref(), Some(Path::new("/var/log/pgbaton")));
}

/// The first command, to the console on a healthy cluster and out again.
#[test]
fn the_first_command_ends_in_a_console_on_a_healthy_cluster() {
    let built = cargo().args(["build", "--release", "--quiet"]).current_dir(root()).status().expect("cargo runs");
    assert!(built.success());
    let base = std::env::temp_dir().join(format!("pgbaton-first-{}", std::process::id()));
    let place = base.display().to_string();
    let line = format!("cd '{}' && exec {}", root().display(), commands("try")[0]);
    let mut console = Pty::spawn(Path::new("/bin/sh"), &["-c", &line], &[("PGBATON_LAB_DIR", &place)], (120, 40));
    console.patience = std::time::Duration::from_secs(300);
    // This lab's folder is new, so Patroni at least is missing there, and it asks before it installs.
    console.until_text("Install this?");
    console.press("y\r");
    console.until("the console", |screen| {
        let screen = screen.contents();
        screen.contains("psg") && screen.contains("4 of 4 sources agree")
    });
    console.press("q");
    console.until("the question", |screen| screen.contents().contains("running?"));
    console.press("n\r");
    assert_eq!(console.end(), 0);
    assert!(!base.join("lab").exists(), "the lab has left something");
    let _ = fs::remove_dir_all(&base);
}
