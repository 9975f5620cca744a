//! A practice cluster of a test's own: started by the program itself, ended when the value is dropped, even by a failing test.
#![allow(dead_code, reason = "each test file uses its part of it")]
#![allow(clippy::unwrap_used)]

#[path = "../lab_common/mod.rs"]
mod guard;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use pgbaton::document::{Document, MemberDoc, SourceDoc};
use serde_json::Value;

/// The built program, for a command of its own.
pub fn pgbaton() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgbaton"));
    command.stdin(Stdio::null());
    command
}

/// What a program said, for the message of a failing test.
pub fn said(out: &Output) -> String {
    format!("{}\n{}{}", out.status, String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// A running lab with what `lab env` exports.
pub struct TestLab {
    guard: guard::TestLab,
    lab: pgbaton::lab::Lab,
    env: BTreeMap<String, String>,
}

impl TestLab {
    /// Starts a lab whose name no other run uses, and fails the test if it does not come up.
    pub fn up(what: &str, options: &[&str]) -> Self {
        let guard = guard::TestLab::up(what, options);
        let lab = pgbaton::lab::Lab::open(&guard.dir()).unwrap();
        let env = guard.env();
        Self { guard, lab, env }
    }

    /// Throws a fault.
    pub fn fault(&self, args: &[&str]) -> String {
        self.guard.ok(&[&["fault"], args].concat())
    }

    /// Undoes all faults and waits until the lab is healthy.
    pub fn heal(&self) {
        self.guard.ok(&["heal", "--no-wait"]);
    }

    /// Ends it, and fails the test if anything of it stays.
    pub fn down(self) {
        self.guard.down();
    }

    /// Patroni's scope.
    pub fn scope(&self) -> &str {
        &self.guard.name
    }

    /// Its folder, with the configurations in it.
    pub fn dir(&self) -> &Path {
        &self.lab.dir
    }

    /// The configuration of the console.
    pub fn config(&self) -> PathBuf {
        self.lab.pgbaton_toml()
    }

    /// The text of that configuration, to be written elsewhere with a change.
    pub fn config_text(&self) -> String {
        std::fs::read_to_string(self.config()).unwrap()
    }

    /// Addresses, URLs, files of the lab.
    pub fn layout(&self) -> &pgbaton::lab::Lab {
        &self.lab
    }

    /// `pgbaton -c <the lab's configuration> ...`.
    pub fn pgbaton(&self, args: &[&str]) -> Command {
        let mut command = pgbaton();
        command.arg("-c").arg(self.config()).args(args);
        command
    }

    /// `status --json`, which must succeed.
    pub fn status(&self) -> Document {
        status_with(&self.config())
    }

    /// A tool with what `lab env` exports and nothing else of ours, to be started by the test.
    pub fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env_clear().envs(&self.env).stdin(Stdio::null());
        command
    }

    /// The same; its standard output.
    pub fn tool(&self, program: &str, args: &[&str]) -> String {
        let out = self.try_tool(60, program, args);
        assert!(out.status.success(), "{program} {args:?}: {}", said(&out));
        String::from_utf8(out.stdout).unwrap()
    }

    /// A tool that may fail or take longer than these seconds.
    pub fn try_tool(&self, seconds: u64, program: &str, args: &[&str]) -> Output {
        self.command("timeout", &[&[seconds.to_string().as_str(), program], args].concat()).output().unwrap()
    }

    /// A tool that goes on; its standard output is to be read.
    pub fn start_tool(&self, program: &str, args: &[&str]) -> Running {
        Running(self.command(program, args).stdout(Stdio::piped()).spawn().unwrap())
    }

    /// A tool's answer as JSON.
    pub fn tool_json(&self, program: &str, args: &[&str]) -> Value {
        let text = self.tool(program, args);
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{program} {args:?}: {e}: {text}"))
    }

    /// One value or JSON row of a member's PostgreSQL, asked as its superuser.
    pub fn sql(&self, member: &str, statement: &str) -> String {
        let host = self.lab.ip(member).to_string();
        self.tool("psql", &["-XAtq", "-h", &host, "-p", "5432", "-U", "postgres", "-d", "postgres", "-c", statement]).trim().to_owned()
    }

    /// The same, parsed.
    pub fn sql_json(&self, member: &str, statement: &str) -> Value {
        let text = self.sql(member, statement);
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{statement}: {e}: {text}"))
    }

    /// The holder of the leader key, by etcd's own tool.
    pub fn leader(&self) -> String {
        let key = format!("/service/{}/leader", self.guard.name);
        self.tool("etcdctl", &["get", "--print-value-only", &key]).trim().to_owned()
    }

    /// Members that do not lead, sorted.
    pub fn replicas(&self) -> Vec<String> {
        let leader = self.leader();
        self.lab.members().into_iter().filter(|m| *m != leader).collect()
    }
}

/// `status --json` with a configuration, which must succeed.
pub fn status_with(config: &Path) -> Document {
    let out = pgbaton().arg("-c").arg(config).args(["status", "--json"]).output().unwrap();
    assert!(out.status.success(), "status: {}", said(&out));
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&out)))
}

/// A member of a document.
pub fn member<'a>(document: &'a Document, name: &str) -> &'a MemberDoc {
    document.members.iter().find(|m| m.name == name).unwrap_or_else(|| panic!("{name} is not in {:?}", document.members))
}

/// A source of a document.
pub fn source<'a>(document: &'a Document, name: &str, target: &str) -> &'a SourceDoc {
    let found = document.sources.iter().find(|s| s.name == name && s.target == target);
    found.unwrap_or_else(|| panic!("no source {name} {target} in {:#?}", document.sources))
}

/// Asks again until there is an answer; panics at the deadline with what was said last.
pub fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(why) => assert!(begun.elapsed() < limit, "{what} did not come within {limit:?}: {why}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A process of a test, ended with it.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
