//! Files of a user with mistakes, each with what is said of it, word for word, in NAME.expected beside it.
//! `UPDATE_EXPECTED=1 cargo test --test bad` writes those files anew, to be read before a commit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files of a folder, by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/bad").join(folder);
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).expect("the folder");
    let mut names: Vec<PathBuf> = entries.map(|entry| folder.join(entry.expect("an entry").file_name())).collect();
    names.retain(|name| name.extension().is_some_and(|e| e != "expected"));
    names.sort();
    assert!(!names.is_empty());
    names
}

/// What `told` says of each file is what is expected of it: mistakes, and each with its place.
fn compare(folder: &str, told: impl Fn(&Path) -> String) {
    let mut wrong = Vec::new();
    for file in files(folder) {
        let said = told(&file);
        for line in said.lines() {
            let place = line.strip_prefix(&format!("{}:", file.display())).unwrap_or_else(|| panic!("no place: {line}"));
            let numbers: Vec<Option<u32>> = place.splitn(3, ':').take(2).map(|n| n.parse().ok()).collect();
            assert!(numbers.iter().all(Option::is_some), "no place: {line}");
        }
        assert!(!said.is_empty(), "{} has no mistake", file.display());
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join(file.with_extension("expected"));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&beside, &said).expect("it is written");
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{}\n--- expected\n{expected}--- said\n{said}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the command says of a file that it does not like.
fn refused(words: &[&str], file: &Path) -> String {
    let nobody = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgbaton"));
    command.args(words).arg(file).current_dir(env!("CARGO_MANIFEST_DIR")).env("XDG_CONFIG_HOME", nobody.path());
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{}", file.display());
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn each_bad_keymap_is_told() {
    compare("keymaps", |file| refused(&["keys", "check"], file));
}

#[test]
fn each_bad_inventory_is_told() {
    compare("inventories", |file| refused(&["scaffold", "--out", "/nowhere/at-all"], file));
}

#[test]
fn each_bad_runbook_is_told() {
    compare("runbooks", |file| refused(&["runbook", "check"], file));
}

#[test]
fn each_bad_theme_is_told() {
    compare("themes", |file| refused(&["themes", "check"], file));
}

/// The commands with their keys, as a script reads them, and a keymap of the user's.
#[test]
fn the_table_of_keys_tells_every_command_in_the_keymap_that_is_chosen() {
    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(home.path().join("pgbaton/keymaps")).expect("a folder");
    fs::write(home.path().join("pgbaton/keymaps/mine.toml"), "inherits = \"vim\"\nunbound = [\"suspend\"]\n[global]\nw = \"quit\"\n")
        .expect("written");
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgbaton"));
        command.args(words).env("XDG_CONFIG_HOME", home.path()).env_remove("PGBATON_KEYMAP");
        command.output().expect("it runs")
    };
    let output = run(&["keys", "--json", "--keymap", "mine"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(table["keymap"], "mine");
    let commands = table["commands"].as_array().expect("commands");
    assert_eq!(commands.len(), pgbaton::command::COMMANDS.len());
    let of = |id: &str| commands.iter().find(|command| command["id"] == id).expect("the command");
    assert_eq!(of("quit")["keys"][0], "w");
    assert_eq!((of("suspend")["keys"].as_array().map(Vec::len), &of("suspend")["unbound"]), (Some(0), &true.into()));
    assert_eq!((&of("switchover")["danger"], &of("switchover")["scope"]), (&"disrupts".into(), &"list".into()));
    for field in ["id", "title", "doc", "scope", "danger"] {
        assert!(commands.iter().all(|command| command[field].as_str().is_some_and(|text| !text.is_empty())), "{field}");
    }
    let text = String::from_utf8(run(&["keys"]).stdout).expect("text");
    for command in pgbaton::command::COMMANDS {
        assert!(text.contains(&format!(" {} ", command.id)) && text.contains(command.doc), "{}", command.id);
    }
    // Who reads no more than the beginning, as `head` does, is no trouble.
    for words in ["keys", "explain", "explain split-brain", "runbook list", "runbook show split-brain"] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut unread = Command::new(env!("CARGO_BIN_EXE_pgbaton"));
        unread.args(words.split(' ')).env("XDG_CONFIG_HOME", home.path()).env_remove("PGBATON_KEYMAP").stdout(writer);
        assert!(unread.status().expect("it runs").success(), "{words}");
    }
    let unknown = run(&["keys", "--keymap", "vmi"]);
    assert!(!unknown.status.success() && String::from_utf8_lossy(&unknown.stderr).contains("there is no keymap \"vmi\""));
    // What is wrong in a file is said, and the rest of it counts.
    fs::write(home.path().join("pgbaton/keymap.toml"), "[global]\nu = \"quitt\"\ny = \"quit\"\n").expect("written");
    let output = run(&["keys", "--keymap", "mine"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("keymap.toml:2:5: there is no command \"quitt\" (did you mean \"quit\"?)"), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("  y  w  Z Z"));
}

/// Where nothing is named, a check looks at everything of the user's: one command says whether the console will open without a complaint.
#[test]
fn a_check_of_the_configuration_looks_at_the_users_keymaps_and_themes() {
    let home = tempfile::tempdir().expect("a folder");
    let own = home.path().join("pgbaton");
    for folder in ["keymaps", "themes"] {
        fs::create_dir_all(own.join(folder)).expect("a folder");
    }
    let write = |name: &str, text: &str| fs::write(own.join(name), text).expect("written");
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgbaton"));
        command.args(["config", "check"]).env_clear().env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
        let output = command.output().expect("it runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("text").replace(&own.display().to_string(), "OWN"))
    };
    write("pgbaton.toml", "[clusters.a.etcd]\nendpoints = [\"http://127.0.0.1:1\"]\n");
    write("themes/calm.toml", "inherits = \"dark\"\n[roles]\nok = \"blue\"\n");
    assert_eq!(check(), (Some(0), "no mistakes: a\n".to_owned()));
    write("keymaps/base.toml", "inherits = \"vim\"\n[global]\nw = \"quitt\"\n");
    write("keymap.toml", "inherits = \"base\"\n[global]\nu = \"quit\"\n");
    write("themes/calm.toml", "inherits = \"dark\"\n[roles]\nok = \"bleu\"\n");
    let (code, said) = check();
    assert_eq!(code, Some(1));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "OWN/keymaps/base.toml:3:5: there is no command \"quitt\" (did you mean \"quit\"?)");
    assert!(lines[1].starts_with("OWN/themes/calm.toml:3:6: \"bleu\" is no colour"), "{said}");
    assert_eq!(lines[2..], ["no mistakes: a"], "what stands in two files that inherit is told once");
    let mut themes = Command::new(env!("CARGO_BIN_EXE_pgbaton"));
    let listed = themes.arg("themes").env("XDG_CONFIG_HOME", home.path()).output().expect("it runs").stdout;
    let listed = String::from_utf8(listed).expect("text");
    assert!(listed.lines().any(|line| line.starts_with("calm ") && line.contains("themes/calm.toml")), "{listed}");
    assert!(listed.lines().any(|line| line.starts_with("dark ") && line.ends_with(" themes/dark.toml")), "{listed}");
}
