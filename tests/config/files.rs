//! Every file in `tests/configs/valid` and `tests/configs/invalid` is a test: what pgbaton makes of it stands beside it
//! in NAME.expected. `UPDATE_EXPECTED=1 cargo test --test config` writes those files anew, to be read before a commit.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pgbaton::cli::config::{check, show};
use pgbaton::config::{Env, Request};

/// A home that does not exist, and one variable. Paths are relative to the package, as `cargo test` runs in it.
fn request(file: &Path) -> Request {
    let env = Env {
        vars: BTreeMap::from([("ETCD_PW".into(), "battery staple".into())]),
        home: Some("/no/home".into()),
        config_home: Some("/no/home/.config".into()),
        system: "/no/etc".into(),
        user: Some("ops".into()),
    };
    Request { file: Some(file.to_owned()), cluster: None, env }
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    paths.retain(|p| p.extension().is_none_or(|e| e != "expected" && e != "txt") && !p.ends_with("import"));
    paths.sort();
    assert!(paths.len() > 5, "{folder} has only {paths:?}");
    paths
}

fn compare(path: &Path, got: &str, failures: &mut Vec<String>) {
    let beside = PathBuf::from(format!("{}.expected", path.display()));
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&beside, got).expect("the expected text is written");
    }
    match fs::read_to_string(&beside) {
        Ok(expected) if expected == got => {}
        Ok(expected) => failures.push(format!("{}\n--- expected\n{expected}--- got\n{got}", path.display())),
        Err(e) => failures.push(format!("{}: {e}", beside.display())),
    }
}

#[test]
fn valid_files_are_shown_with_the_origin_of_every_value() {
    let mut failures = Vec::new();
    for path in cases("tests/configs/valid") {
        match show(&request(&path)) {
            Ok(text) => compare(&path, &text, &mut failures),
            Err(error) => failures.push(format!("{}: {error}", path.display())),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn no_secret_is_shown() {
    for path in cases("tests/configs/valid") {
        let text = show(&request(&path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for secret in ["battery staple", "correct horse", "never-read-this", "imported-secret", "p:w", "p%3Aw"] {
            assert!(!text.contains(secret), "{} shows {secret:?}:\n{text}", path.display());
        }
    }
}

#[test]
fn invalid_files_are_refused_with_place_and_hint() {
    let mut failures = Vec::new();
    for path in cases("tests/configs/invalid") {
        let (text, code) = check(&request(&path));
        assert!(code == ExitCode::FAILURE, "{} has no mistake: {text}", path.display());
        assert!(!text.contains("topsecret"), "{} shows a secret:\n{text}", path.display());
        compare(&path, &text, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn check_says_that_there_is_nothing_to_say() {
    let (text, code) = check(&request(Path::new("tests/configs/valid/minimal.toml")));
    assert_eq!((text.as_str(), code == ExitCode::SUCCESS), ("no mistakes: card-prod\n", true));
}

#[test]
fn check_warns_of_a_certificate_that_is_not_there() {
    let (text, code) = check(&request(Path::new("tests/configs/valid/node.yml")));
    let place = "tests/configs/valid/node.yml:5:11: warning: etcd.cacert names \"/etc/patroni/ca.crt\": there is no such file";
    assert!(text.contains(place) && code == ExitCode::SUCCESS, "{text}");
}
