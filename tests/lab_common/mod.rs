//! A lab of a test's own: started by the program itself, ended when the value is dropped, even by a failing test.

#![allow(dead_code, reason = "each test file uses its part of it")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The state directory of all test labs: Patroni's environment in it serves every test and every run.
///
/// Short, because PostgreSQL's socket lies below it, and open to the account that PostgreSQL runs as.
pub fn base() -> PathBuf {
    PathBuf::from(format!("/var/tmp/pgbaton-test-labs-{}", rustix::process::getuid().as_raw()))
}

pub fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

pub struct TestLab {
    pub name: String,
}

impl TestLab {
    /// A name that no other test run uses. Nothing is started.
    pub fn named(what: &str) -> Self {
        Self { name: format!("{what}-{}", std::process::id()) }
    }

    /// Starts a lab and fails the test if it does not come up.
    pub fn up(what: &str, options: &[&str]) -> Self {
        let lab = Self::named(what);
        let out = lab.run(&[&["up", "--yes"], options].concat());
        assert!(out.status.success(), "up failed:\n{}", text(&out));
        lab
    }

    pub fn dir(&self) -> PathBuf {
        base().join(&self.name)
    }

    /// `pgbaton lab ...` for this lab, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgbaton"));
        command.arg("lab").args(args).args(["--name", &self.name, "--state-dir"]).arg(base()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs and expects success; returns standard output.
    pub fn ok(&self, args: &[&str]) -> String {
        let out = self.run(args);
        assert!(out.status.success(), "lab {args:?} failed:\n{}", text(&out));
        String::from_utf8(out.stdout).unwrap()
    }

    pub fn status(&self) -> Value {
        serde_json::from_slice(&self.run(&["status", "--json"]).stdout).unwrap()
    }

    /// What `lab env` exports, as a shell sees it.
    pub fn env(&self) -> BTreeMap<String, String> {
        let script = format!("{}\nenv -0", self.ok(&["env"]));
        let out = Command::new("sh").args(["-c", &script]).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        text.split('\0').filter_map(|v| v.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    /// A tool that is given nothing but what `lab env` exports.
    pub fn tool(&self, program: &str, args: &[&str]) -> Output {
        let mut command = Command::new("timeout");
        command.args(["60", program]).args(args).env_clear().envs(self.env()).stdin(Stdio::null());
        command.output().unwrap()
    }

    pub fn psql(&self, node: &str, port: u16, user: &str, database: &str, sql: &str) -> String {
        let host = self.ip(node);
        let out = self.tool("psql", &["-XAtq", "-h", &host, "-p", &port.to_string(), "-U", user, "-d", database, "-c", sql]);
        assert!(out.status.success(), "psql on {node}: {}", text(&out));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    pub fn ip(&self, node: &str) -> String {
        pgbaton::lab::Lab::open(&self.dir()).unwrap().ip(node).to_string()
    }

    /// Members by `patronictl list`: name to role and state.
    pub fn patroni(&self) -> BTreeMap<String, (String, String)> {
        let out = self.tool("patronictl", &["list", "-f", "json"]);
        let list: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&out)));
        let field = |m: &Value, k: &str| m[k].as_str().unwrap_or_default().to_owned();
        list.as_array().unwrap().iter().map(|m| (field(m, "Member"), (field(m, "Role"), field(m, "State")))).collect()
    }

    pub fn leader(&self) -> String {
        let members = self.patroni();
        members.iter().find(|(_, (role, _))| role == "Leader").map(|(n, _)| n.clone()).unwrap_or_else(|| panic!("no leader: {members:?}"))
    }

    pub fn replica(&self) -> String {
        let leader = self.leader();
        self.patroni().into_keys().find(|m| *m != leader).unwrap()
    }

    /// Ends it and checks that nothing stays.
    pub fn down(&self) {
        let out = self.run(&["down"]);
        assert!(out.status.success(), "down failed:\n{}", text(&out));
        self.assert_nothing_left();
    }

    /// No folder, no process that the lab's path gives away, and nobody found by the lab's own search.
    pub fn assert_nothing_left(&self) {
        assert!(!self.dir().exists(), "{} is still there", self.dir().display());
        let dir = self.dir().to_string_lossy().into_owned();
        let left: Vec<String> = processes_with(&dir);
        assert!(left.is_empty(), "still running: {left:#?}");
        assert_eq!(pgbaton::lab::scan::processes(&self.dir()).len(), 0);
    }
}

impl Drop for TestLab {
    fn drop(&mut self) {
        // After a failure its logs would help, but the next run must not stumble over it.
        let _ = self.run(&["down"]);
    }
}

/// Command lines of all living processes that name a path in their arguments, environment or working directory: a search of
/// another kind than the one `down` makes.
pub fn processes_with(path: &str) -> Vec<String> {
    let me = std::process::id();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let read = |file: &str| String::from_utf8_lossy(&std::fs::read(entry.path().join(file)).unwrap_or_default()).replace('\0', " ");
        let cwd = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let zombie = read("stat").rsplit(')').next().is_some_and(|s| s.trim_start().starts_with('Z'));
        if pid != me && !zombie && (read("cmdline").contains(path) || read("environ").contains(path) || cwd.starts_with(path)) {
            found.push(format!("{pid} {}", read("cmdline")));
        }
    }
    found
}

/// Waits for a condition; fails the test with what was seen last.
pub fn wait_for(what: &str, seconds: u64, mut seen: impl FnMut() -> Result<(), String>) {
    let start = Instant::now();
    loop {
        let Err(last) = seen() else { return };
        assert!(start.elapsed() < Duration::from_secs(seconds), "{what}: not within {seconds} s; last: {last}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub fn text(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// Local addresses of all listening TCP sockets of the processes that a lab's own search finds.
pub fn listening(dir: &Path) -> Vec<std::net::Ipv4Addr> {
    let mut inodes = std::collections::BTreeSet::new();
    for id in pgbaton::lab::scan::processes(dir) {
        for fd in std::fs::read_dir(format!("/proc/{}/fd", id.pid)).into_iter().flatten().flatten() {
            let link = std::fs::read_link(fd.path()).unwrap_or_default().to_string_lossy().into_owned();
            if let Some(inode) = link.strip_prefix("socket:[").and_then(|l| l.strip_suffix(']')) {
                inodes.insert(inode.to_owned());
            }
        }
    }
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table.lines().skip(1).map(|l| l.split_ascii_whitespace().collect::<Vec<_>>());
    rows.filter(|r| r[3] == "0A" && inodes.contains(r[9]))
        .map(|r| std::net::Ipv4Addr::from(u32::from_str_radix(r[1].split(':').next().unwrap(), 16).unwrap().to_le_bytes()))
        .collect()
}
