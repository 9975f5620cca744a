//! `pgbaton check --expr`, the program: what it prints and how it ends where no cluster is needed, or none answers.
#![allow(clippy::unwrap_used)]

use std::process::Command;

/// The exit code and the line.
fn check(config: &str, args: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pgbaton.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgbaton"));
    let out = command.arg("-c").arg(&file).arg("check").args(args).env("HOME", folder.path()).output().unwrap();
    (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
}

/// Nobody listens there.
const NOBODY: &str = "[clusters.card-prod.etcd]\nendpoints = [\"127.0.0.1:1\"]\n";

#[test]
fn a_syntax_error_is_told_with_its_column_before_anybody_is_asked() {
    let told = check("", &["--expr", "members.all(m, m.lag <"]);
    assert_eq!(told, (3, "UNKNOWN: --expr: column 23: mismatched input the end\n".to_owned()));
}

#[test]
fn a_cluster_that_does_not_answer_fulfils_nothing() {
    let all = "members.all(m, m.replay_lag_bytes == null || m.replay_lag_bytes < 1000000)";
    let told = check(NOBODY, &["--expr", all]);
    let line = "UNKNOWN: card-prod: members is not known: members.all(m, m.replay_lag_bytes == null ¦¦ m.replay_lag_bytes < 1000000)\n";
    assert_eq!(told, (3, line.to_owned()));
}

#[test]
fn the_exit_codes_are_those_of_the_severity() {
    let holds = "cluster.name == 'card-prod'";
    assert_eq!(check(NOBODY, &["--expr", holds]), (0, format!("OK: card-prod: {holds}\n")));
    let fails = "cluster.name == 'other'";
    assert_eq!(check(NOBODY, &["--expr", fails]), (2, format!("CRITICAL: card-prod: not so: {fails}\n")));
    assert_eq!(check(NOBODY, &["--expr", fails, "--severity", "warning"]), (1, format!("WARNING: card-prod: not so: {fails}\n")));
    assert_eq!(check(NOBODY, &["--expr", "1 / 0 == 1", "--severity", "warning"]).0, 3, "what cannot be judged is no warning");
}

#[test]
fn an_unknown_severity_and_a_severity_of_nothing_are_refused() {
    for args in [["--severity", "warning"].as_slice(), &["--expr", "true", "--severity", "ok"]] {
        assert_eq!(check(NOBODY, args), (2, String::new()), "{args:?}");
    }
}
