//! Airflow's pools frozen and thawed by its own API, of a real one. `PGBATON_AIRFLOW=3` takes the line 3.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
}
#[allow(dead_code, reason = "each test file uses its part of it")]
#[path = "proof_runbooks/operator.rs"]
mod operator;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::lab::{TestLab, pgbaton, said, until};
use operator::{Operator, answer, asked, finished};
use pgbaton::document::Document;
use pgbaton::lab::conf::airflow;
use pgbaton::lab::scan;
use rustix::process::Signal;
use serde_json::Value;

/// Longer than anything that works takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The lab with an Airflow whose API is asked, and somebody with a home and configurations of their own.
struct Estate<'l> {
    lab: &'l TestLab,
    is_3: bool,
    home: tempfile::TempDir,
}

impl Estate<'_> {
    /// Where its API is.
    fn url(&self) -> String {
        airflow::api(self.lab.layout()).unwrap()
    }

    fn password(&self) -> String {
        fs::read_to_string(airflow::password(self.lab.layout())).unwrap()
    }

    /// pgbaton with a configuration.
    fn with(&self, config: &Path, words: &[&str]) -> Command {
        let mut command = pgbaton();
        let home = self.home.path();
        command.arg("-c").arg(config).args(words);
        command.envs([("HOME", home.join("home")), ("XDG_STATE_HOME", home.join("state")), ("XDG_CONFIG_HOME", home.join("config"))]);
        command
    }

    /// Something that is done with a configuration, and how it ends. No secret may be in what is said.
    fn does_with(&self, config: &Path, code: i32, words: &[&str]) -> String {
        let out = self.with(config, words).output().unwrap();
        assert_eq!(out.status.code(), Some(code), "{words:?}: {}", said(&out));
        let said = said(&out);
        assert!(!said.contains(&self.password()), "{said}");
        said
    }

    fn does(&self, code: i32, words: &[&str]) -> String {
        self.does_with(&self.lab.config(), code, words)
    }

    /// The lab's configuration with other lines for the API.
    fn config(&self, name: &str, changes: &[(&str, &str)]) -> PathBuf {
        let mut text = self.lab.config_text();
        for (from, to) in changes {
            assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
            text = text.replace(from, to);
        }
        let file = self.home.path().join(name);
        fs::write(&file, text).unwrap();
        file
    }

    /// The line with the secret, as the lab writes it.
    fn secret_line(&self) -> String {
        format!("password = {{ file = {:?} }}\npools_by", airflow::password(self.lab.layout()))
    }

    fn status(&self) -> Document {
        let out = self.with(&self.lab.config(), &["status", "--json"]).output().unwrap();
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&out)))
    }

    /// Airflow's own command.
    fn airflow(&self, words: &[&str]) {
        let mut command = pgbaton();
        command.args(["lab", "--name", self.lab.scope(), "--state-dir"]).arg(self.lab.dir().parent().unwrap()).args(["airflow", "--"]);
        let out = command.args(words).output().unwrap();
        assert!(out.status.success(), "{words:?}: {}", said(&out));
    }

    /// A statement in the metadata, by psql.
    fn sql(&self, statement: &str) -> String {
        let host = self.lab.layout().ip(&self.lab.leader()).to_string();
        self.lab
            .tool("psql", &["-XAtq", "-h", &host, "-p", "5432", "-U", "postgres", "-d", airflow::DATABASE, "-c", statement])
            .trim()
            .to_owned()
    }

    /// The pools with all that is in them.
    fn pools(&self) -> String {
        self.sql("SELECT pool, slots, description, include_deferred FROM slot_pool ORDER BY pool")
    }

    /// Waits until pgbaton reads so many pools and remembers some, or none, as frozen.
    fn reads(&self, pools: usize, remembered: bool) {
        until("the pools", PATIENCE, || {
            let airflow = self.status().airflow.unwrap();
            let read = airflow.metadata.as_ref().map(|metadata| metadata.pools.len());
            if read == Some(pools) && airflow.frozen_here.is_some() == remembered { Ok(()) } else { Err(format!("{airflow:?}")) }
        });
    }

    /// All that lies in the folder where the audit is.
    fn written(&self) -> String {
        let mut text = String::new();
        let mut folders = vec![self.home.path().join("state")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => text.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap())),
                }
            }
        }
        text
    }

    /// The processes that answer for the API, without the shell that keeps them up.
    fn api(&self) -> Vec<pgbaton::lab::procfs::ProcId> {
        let word = if self.is_3 { "api-server" } else { "webserver" };
        let is_it =
            |argv: &str| (argv.contains(word) || argv.contains("gunicorn") || argv.contains("api_server")) && !argv.contains("keep-up");
        scan::processes(self.lab.dir()).into_iter().filter(|id| is_it(&id.argv().join(" "))).collect()
    }
}

#[test]
#[ignore = "three to four minutes: cargo test --test airflow_api -- --ignored (PGBATON_AIRFLOW=3 takes the line 3)"]
fn pools_are_frozen_and_thawed_by_airflows_own_api() {
    let line = std::env::var("PGBATON_AIRFLOW").unwrap_or_else(|_| "2.10".to_owned());
    let with = format!("airflow={line}");
    let options = ["--members", "2", "--ttl", "20", "--loop-wait", "2", "--with", &with, "--with", "airflow-api"];
    let lab = TestLab::up("airflow-api", &options);
    let estate = Estate { lab: &lab, is_3: line.starts_with('3'), home: tempfile::tempdir().unwrap() };
    estate.airflow(&["pools", "set", "etl", "3", "for the nightly loads, 100% \"careful\"", "--include-deferred"]);
    estate.airflow(&["pools", "set", "a b?c", "7", "a name that a URL cannot have as it is"]);
    estate.reads(3, false);
    the_plan_says_what_would_be_asked_of_whom(&estate);
    they_are_frozen_and_thawed_and_sql_proves_it(&estate);
    what_is_printed_for_a_shell_does_the_same(&estate);
    who_may_not_is_told_so_and_nothing_changes(&estate);
    nobody_there_is_not_sent(&estate);
    an_api_that_hangs_is_not_known_and_may_do_it_later(&estate);
    a_planned_switchover_freezes_by_it_too(&estate);
}

fn the_plan_says_what_would_be_asked_of_whom(estate: &Estate) {
    let told = estate.does(0, &["freeze", "--dry-run"]);
    let (url, version) = (estate.url(), if estate.is_3 { "v2" } else { "v1" });
    assert!(told.contains(&format!("pools are changed by Airflow's API at {url}, as pgbaton")), "{told}");
    let order = format!("order:  PATCH {url}/api/{version}/pools/a%20b%3Fc?update_mask=slots {{");
    assert!(told.contains(&order) && told.contains("\"slots\":0") && told.contains(" (as pgbaton)\n"), "{told}");
    assert!(told.contains("same:   ") && told.contains("curl -fsS "), "{told}");
    let told = estate.does(0, &["config"]);
    assert!(told.contains("airflow.pools_by = \"api\"") && told.contains("airflow.password = ********"), "{told}");
}

fn they_are_frozen_and_thawed_and_sql_proves_it(estate: &Estate) {
    let before = estate.pools();
    let told = estate.does(0, &["freeze", "--yes", "--reason", "a test"]);
    assert!(told.contains("DONE: every pool has 0 slots, by SQL, so that no task begins"), "{told}");
    let frozen = before.replace("|128|", "|0|").replace("|3|", "|0|").replace("|7|", "|0|");
    assert_eq!(estate.pools(), frozen, "and nothing else of them has changed");
    let told = estate.does(3, &["freeze", "--yes"]);
    assert!(told.contains("every pool has 0 slots already, since "), "{told}");
    let told = estate.does(0, &["thaw", "--yes"]);
    assert!(told.contains("DONE: the pools have their slots again, by SQL: "), "{told}");
    assert_eq!(estate.pools(), before);
    estate.reads(3, false);
    // Airflow has written down who it was, and so have we.
    let who = "SELECT DISTINCT owner FROM log WHERE event LIKE '%patch_pool'";
    assert_eq!(estate.sql(who), "pgbaton");
    let written = estate.written();
    assert!(!written.contains(&estate.password()));
    let begun: Vec<Value> = written.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let request = begun.iter().map(|line: &Value| &line["request"]).find(|request| request["to"] == "airflow").unwrap();
    assert_eq!((&request["by"], &request["url"], &request["user"]), (&"api".into(), &estate.url().into(), &"pgbaton".into()), "{request}");
}

/// A token of Airflow 3 for the user.
fn token(estate: &Estate) -> String {
    let body = format!("{{\"username\": \"pgbaton\", \"password\": \"{}\"}}", estate.password());
    let words = ["-fsS", "-X", "POST", "-H", "Content-Type: application/json", "-d", &body, &format!("{}/auth/token", estate.url())];
    let out = Command::new("curl").args(words).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    let answer: Value = serde_json::from_slice(&out.stdout).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

fn what_is_printed_for_a_shell_does_the_same(estate: &Estate) {
    let before = estate.pools();
    let told = estate.does(0, &["freeze", "--dry-run"]);
    let line = told.lines().find_map(|line| line.strip_prefix("same:   ")).unwrap();
    let mut shell = Command::new("sh");
    if estate.is_3 {
        shell.args(["-c", line]).env("TOKEN", token(estate));
    } else {
        // Where curl would ask for the password.
        let home = estate.home.path().join("curl");
        fs::create_dir_all(&home).unwrap();
        let host = estate.lab.layout().ip("vm1");
        fs::write(home.join(".netrc"), format!("machine {host} login pgbaton password {}\n", estate.password())).unwrap();
        shell.args(["-c", &line.replace("-u pgbaton", "--netrc")]).env("HOME", home);
    }
    let out = shell.stdin(Stdio::null()).output().unwrap();
    assert!(out.status.success(), "{line}: {}", said(&out));
    assert_eq!(estate.sql("SELECT count(*) FROM slot_pool WHERE slots <> 0"), "0");
    // It was not this machine's to remember: the lab gives them back.
    estate.airflow(&["pools", "set", "etl", "3", "for the nightly loads, 100% \"careful\"", "--include-deferred"]);
    estate.airflow(&["pools", "set", "a b?c", "7", "a name that a URL cannot have as it is"]);
    estate.sql("UPDATE slot_pool SET slots = 128 WHERE pool = 'default_pool'");
    assert_eq!(estate.pools(), before);
    estate.reads(3, false);
}

fn who_may_not_is_told_so_and_nothing_changes(estate: &Estate) {
    let (before, secret) = (estate.pools(), estate.secret_line());
    let wrong = estate.home.path().join("wrong");
    fs::write(&wrong, "not-the-password\n").unwrap();
    let config = estate.config("wrong.toml", &[(&secret, &format!("password = {{ file = {wrong:?} }}\npools_by"))]);
    let (code, why) = match estate.is_3 {
        true => (1, format!("no token from {}/auth/token for pgbaton: user or password is not accepted (401)", estate.url())),
        false => (3, format!("{} does not accept pgbaton and the password (401)", estate.url())),
    };
    let told = estate.does_with(&config, code, &["freeze", "--yes"]);
    assert!(told.contains(&why) && !told.contains("not-the-password"), "{told}");

    let viewer = airflow::viewer_password(estate.lab.layout());
    let config = estate.config(
        "viewer.toml",
        &[
            ("username = \"pgbaton\"\npassword", "username = \"viewer\"\npassword"),
            (&secret, &format!("password = {{ file = {viewer:?} }}\npools_by")),
        ],
    );
    let told = estate.does_with(&config, 3, &["freeze", "--yes"]);
    assert!(told.contains("does not let viewer change pools (403), as a user with the role Op may"), "{told}");
    assert!(!told.contains(fs::read_to_string(viewer).unwrap().trim()), "{told}");

    let by_token = |name: &str, text: &str| {
        let file = estate.home.path().join(name);
        fs::write(&file, format!("{text}\n")).unwrap();
        let changes =
            [("username = \"pgbaton\"\npassword", "password"), (secret.as_str(), &format!("token = {{ file = {file:?} }}\npools_by"))];
        estate.config(&format!("{name}.toml"), &changes)
    };
    let told = estate.does_with(&by_token("no-token", "eyJhbGciOiJIUzUxMiJ9.e30.x"), 3, &["freeze", "--yes"]);
    let why = format!("does not accept the token ({}): is it over?", if estate.is_3 { 403 } else { 401 });
    assert!(told.contains(&why) && !told.contains("eyJhbGci"), "{told}");
    assert_eq!(estate.pools(), before);
    if estate.is_3 {
        let token = token(estate);
        let config = by_token("token", &token);
        let told = estate.does_with(&config, 0, &["freeze", "--yes"]) + &estate.does_with(&config, 0, &["thaw", "--yes"]);
        assert!(told.contains("(with a token)") && !told.contains(&token) && !estate.written().contains(&token), "{told}");
        assert_eq!(estate.pools(), before);
    }
    let gone = estate.config("gone.toml", &[(&secret, "password = { file = \"/not/there\" }\npools_by")]);
    let told = estate.does_with(&gone, 1, &["freeze", "--yes"]);
    assert!(told.contains("airflow.password cannot be read from /not/there: there is no such file"), "{told}");
    assert_eq!(estate.pools(), before);
    estate.reads(3, false);
}

fn nobody_there_is_not_sent(estate: &Estate) {
    let before = estate.pools();
    let api = format!("api = {:?}", estate.url());
    // Nobody listens there.
    let config = estate.config("down.toml", &[(&api, "api = \"http://127.0.0.1:1\"")]);
    let told = estate.does_with(&config, 1, &["freeze", "--yes"]);
    assert!(told.contains("nothing was asked for: ") && told.contains("Connection refused"), "{told}");
    // A certificate is wanted of who has none.
    let config = estate.config("tls.toml", &[(&api, &format!("api = {:?}", estate.url().replace("http:", "https:")))]);
    let told = estate.does_with(&config, 1, &["freeze", "--yes"]);
    assert!(told.contains("nothing was asked for: "), "{told}");
    assert_eq!(estate.pools(), before);
    estate.reads(3, false);
}

fn an_api_that_hangs_is_not_known_and_may_do_it_later(estate: &Estate) {
    let before = estate.pools();
    let all = estate.api();
    assert!(!all.is_empty());
    let signal = |signal: Signal| all.iter().for_each(|id| drop(id.signal(signal)));
    signal(Signal::STOP);
    let told = match estate.is_3 {
        // It does not even give the token, and nothing that changes was sent.
        true => estate.does(1, &["freeze", "--yes"]),
        false => estate.does(4, &["freeze", "--yes"]),
    };
    signal(Signal::CONT);
    assert!(
        told.contains(&format!("nothing {}within 30 s", if estate.is_3 { String::new() } else { format!("from {} ", estate.url()) })),
        "{told}"
    );
    if estate.is_3 {
        estate.reads(3, false);
        assert_eq!(estate.pools(), before);
        return;
    }
    assert!(told.contains("UNKNOWN") && told.contains("it may still be carried out"), "{told}");
    // It wakes, and takes up what it was sent, though nobody waits for the answer. What the pools had is remembered.
    until("the order that was sent", PATIENCE, || {
        let frozen = estate.sql("SELECT count(*) FROM slot_pool WHERE slots = 0");
        if frozen == "1" { Ok(()) } else { Err(frozen) }
    });
    estate.reads(3, true);
    let under_way = estate.does(3, &["thaw", "--yes"]);
    assert!(under_way.contains("the order to freeze them may still be carried out"), "{under_way}");
    // Frozen in whole, its end is told, and they get back what they had.
    estate.does(0, &["freeze", "--yes"]);
    estate.does(0, &["thaw", "--yes"]);
    assert_eq!(estate.pools(), before);
    estate.reads(3, false);
}

/// The runbook that does all of it, with this way.
fn a_planned_switchover_freezes_by_it_too(estate: &Estate) {
    let (before, candidate) = (estate.pools(), estate.lab.replicas().remove(0));
    let operator = Operator::of(estate.lab);
    let mut pty = operator.start(&["run", "planned-switchover", "--set", &format!("candidate={candidate}")]);
    answer(&mut pty, "must not be interrupted now? [yes/no]", "no");
    asked(&mut pty, "do it?");
    assert!(pty.screen().contains("?update_mask=slots {"), "{}", pty.screen());
    answer(&mut pty, "do it?", "y");
    answer(&mut pty, &format!("to do it, type {}", estate.lab.scope()), estate.lab.scope());
    answer(&mut pty, "do it?", "y");
    answer(&mut pty, "Do the applications write again? [yes/no]", "yes");
    let screen = finished(&mut pty);
    assert!(screen.contains("the pools have their slots again, by SQL"), "{screen}");
    assert_eq!((estate.lab.leader(), estate.pools()), (candidate, before));
    assert!(!screen.contains(&estate.password()), "{screen}");
}
