//! What is written where, for whom, and when not.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::run::{files, mode, ok, pgbaton, text};

/// The example, with passwords whose every sign means something somewhere, from the environment and from a file.
fn inventory(folder: &Path) {
    let example = ok(&mut pgbaton(folder, &["scaffold", "--example"]));
    let passwords = "pgbaton = { env = \"WORD\" }\nreplicator = { file = \"replicator\" }";
    fs::write(folder.join("estate.toml"), example.replace("superuser = \"generate\"", passwords)).unwrap();
    fs::write(folder.join("replicator"), format!("{ODD}\n")).unwrap();
    fs::set_permissions(folder.join("replicator"), fs::Permissions::from_mode(0o600)).unwrap();
}

const ODD: &str = r#"it's "a" \b: %40 $HOME #1 @x/é"#;
const WORD: &str = "env-word-of-the-console";

fn scaffold(folder: &Path, words: &[&str]) -> std::process::Output {
    let words = [&["scaffold", "estate.toml", "--out", "out"], words].concat();
    pgbaton(folder, &words).env("WORD", WORD).output().unwrap()
}

fn contents(dir: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    files(dir).into_iter().map(|file| (file.clone(), (mode(&file), fs::read(&file).unwrap()))).collect()
}

/// The command of the written README, without the ssh: it must leave a machine's own folders as they are, and a secret closed.
#[test]
fn unpacking_on_a_machine_changes_no_folder_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    inventory(folder.path());
    assert!(scaffold(folder.path(), &[]).status.success());
    let readme = fs::read_to_string(folder.path().join("out/README.md")).unwrap();
    let line = readme.lines().find(|line| line.starts_with("tar ")).unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("etc/patroni")).unwrap();
    fs::set_permissions(root.join("etc"), fs::Permissions::from_mode(0o711)).unwrap();
    fs::set_permissions(root.join("etc/patroni"), fs::Permissions::from_mode(0o750)).unwrap();
    let line = line
        .replace("ssh root@MACHINE '", "sh -c 'umask 077; ")
        .replace("MACHINE", "out/psg1")
        .replace("-C / ", &format!("-C {} ", root.display()));
    ok(std::process::Command::new("sh").args(["-c", &line]).current_dir(folder.path()));
    let mode_of = |path: &str| mode(&root.join(path));
    assert_eq!((mode_of("etc"), mode_of("etc/patroni"), mode_of("etc/patroni/patroni.yml")), (0o711, 0o750, 0o600));
    assert_eq!(fs::read(root.join("etc/etcd/etcd.env")).unwrap(), fs::read(folder.path().join("out/psg1/etc/etcd/etcd.env")).unwrap());
}

/// Every word that nobody may see: the two given ones, those that were made, and what the keys consist of.
fn secrets(out: &Path) -> Vec<String> {
    let made = files(&out.join("secrets")).into_iter().map(|file| fs::read_to_string(file).unwrap().trim_end().to_owned());
    let keys = files(out).into_iter().filter(|file| file.extension().is_some_and(|e| e == "key"));
    let keys = keys.map(|file| fs::read_to_string(file).unwrap().lines().nth(1).unwrap().to_owned());
    let quoted = [ODD.to_owned(), ODD.replace('\'', "''"), ODD.replace('\\', "\\\\").replace(':', "\\:"), WORD.to_owned()];
    made.chain(keys).chain(quoted).collect()
}

#[test]
fn secrets_stand_in_files_of_their_owner_only_and_are_never_told() {
    let folder = tempfile::tempdir().unwrap();
    inventory(folder.path());
    let dry = scaffold(folder.path(), &["--dry-run"]);
    assert!(dry.status.success() && !folder.path().join("out").exists(), "{}", text(&dry));
    let first = scaffold(folder.path(), &[]);
    assert!(first.status.success(), "{}", text(&first));
    let out = folder.path().join("out");
    let secrets = secrets(&out);
    assert!(secrets.len() > 10, "{}", secrets.len());
    let (mut open, mut closed) = (0, 0);
    for file in files(&out) {
        let content = fs::read_to_string(&file).unwrap();
        match mode(&file) {
            0o600 => closed += 1,
            0o644 => {
                open += 1;
                let found = secrets.iter().find(|secret| content.contains(secret.as_str()));
                assert!(found.is_none() && !content.contains("PRIVATE KEY"), "{} can be read by anybody", file.display());
            }
            other => panic!("{}: {other:o}", file.display()),
        }
    }
    assert!(open > 20 && closed > 15, "{open} {closed}");
    assert_eq!(mode(&out), 0o700);
    // Everything that uses a password has the one that was given.
    let has = |file: &str, words: &str| assert!(fs::read_to_string(out.join(file)).unwrap().contains(words), "{file} has no {words}");
    has("psg2/etc/patroni/patroni.yml", &format!("password: '{}', sslmode", ODD.replace('\'', "''")));
    has("console/pgpass", &format!("10.0.0.8:5432:*:pgbaton:{WORD}\n"));
    has("roles.sql", &format!("PASSWORD '{WORD}'"));
    // What was said in all runs, one of them with a difference in a file that holds passwords.
    let file = out.join("psg1/etc/patroni/patroni.yml");
    let changed = fs::read_to_string(&file)
        .unwrap()
        .replace("superuser: {username: postgres, password: '", "superuser: {username: postgres, password: 'older-");
    fs::write(&file, changed.replace("ttl: 30", "ttl: 40")).unwrap();
    fs::write(out.join("secrets/rewind"), "another-word-by-hand\n").unwrap();
    let again = scaffold(folder.path(), &["--dry-run"]);
    for said in [&dry, &first, &again].map(text) {
        assert!(secrets.iter().all(|secret| !said.contains(secret.as_str())) && !said.contains("older-"), "{said}");
        assert!(!said.contains("another-word"), "{said}");
    }
    let said = text(&again);
    assert!(said.contains("-     ttl: 40\n") && said.contains("+     ttl: 30\n"), "{said}");
}

#[test]
fn a_second_run_changes_nothing_and_a_change_by_hand_is_not_written_over_without_a_yes() {
    let folder = tempfile::tempdir().unwrap();
    inventory(folder.path());
    let run = |words: &[&str]| scaffold(folder.path(), words);
    let out = folder.path().join("out");
    assert!(run(&[]).status.success());
    let before = contents(&out);
    let second = run(&[]);
    assert!(second.status.success() && text(&second).contains("nothing to do"), "{}", text(&second));
    assert_eq!(contents(&out), before);

    let file = out.join("vm1/etc/haproxy/haproxy.cfg");
    let own = fs::read_to_string(&file).unwrap().replace("fall 2 rise 4", "fall 3 rise 2");
    fs::write(&file, &own).unwrap();
    fs::remove_file(out.join("psg3/etc/etcd/etcd.env")).unwrap();
    let refused = run(&[]);
    let said = text(&refused);
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(
        said.contains("fall 3 rise 2 on-marked-down") && said.contains("vm1/etc/haproxy/haproxy.cfg") && said.contains("--yes"),
        "{said}"
    );
    assert!(!out.join("psg3/etc/etcd/etcd.env").exists(), "all or nothing");
    assert_eq!(fs::read_to_string(&file).unwrap(), own);
    assert!(run(&["--yes"]).status.success());
    assert_eq!(contents(&out), before);

    // A node moves: its certificate is for the new address, the other certificates and all passwords stay.
    let text_of = |file: &str| fs::read_to_string(out.join(file)).unwrap();
    let (ca, first, third) = (text_of("ca/ca.crt"), text_of("psg1/etc/etcd/tls/own.crt"), text_of("psg3/etc/etcd/tls/own.crt"));
    let word = text_of("secrets/superuser");
    let moved = fs::read_to_string(folder.path().join("estate.toml")).unwrap().replace("10.0.0.10", "10.0.0.11");
    fs::write(folder.path().join("estate.toml"), moved).unwrap();
    assert_eq!(run(&[]).status.code(), Some(3));
    assert!(run(&["--yes"]).status.success());
    assert_eq!((text_of("ca/ca.crt"), text_of("psg1/etc/etcd/tls/own.crt"), text_of("secrets/superuser")), (ca, first, word));
    assert_ne!(text_of("psg3/etc/etcd/tls/own.crt"), third);
}

#[test]
fn a_secret_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    inventory(folder.path());
    let open = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let refuses = |path: &str| {
        let out = scaffold(folder.path(), &["--yes"]);
        let said = text(&out);
        assert!(out.status.code() == Some(1) && said.contains(path) && said.contains("0640"), "{said}");
    };
    open(&folder.path().join("replicator"), 0o640);
    refuses("replicator");
    assert!(!folder.path().join("out").exists());
    open(&folder.path().join("replicator"), 0o600);
    assert!(scaffold(folder.path(), &[]).status.success());
    for file in ["out/secrets/superuser", "out/ca/ca.key", "out/psg1/etc/patroni/patroni.yml", "out/console/client.key"] {
        open(&folder.path().join(file), 0o640);
        refuses(file);
        open(&folder.path().join(file), 0o600);
    }
    // Nor is a link followed to somewhere else.
    let file = folder.path().join("out/roles.sql");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/null", &file).unwrap();
    let said = text(&scaffold(folder.path(), &["--yes"]));
    assert!(said.contains("roles.sql is there and is no plain file"), "{said}");
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
}
