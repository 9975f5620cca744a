//! `pgbaton logs` on a lab with a real sshd on every node: whatever happens to the line and to the files, each line is told once.
#![allow(clippy::unwrap_used)]

mod fuzz;
mod hostile;
mod journal;
#[path = "../common/lab.rs"]
mod lab;
#[path = "../common/log_lines.rs"]
mod log_lines;
#[path = "../common/pty.rs"]
#[allow(dead_code, reason = "each test file uses its part of it")]
mod pty;
mod reboot;
mod spoken;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::lab::{Running, TestLab, pgbaton, said, until};
use crate::log_lines::{LogLines, PATIENCE, is};
use crate::pty::Pty;
use jiff::{SignedDuration, ZonedDateTime};
use pgbaton::lab::{conf, process, procfs, scan};
use rustix::process::Signal;
use serde_json::Value;

/// How soon nothing may be left of a reader that was killed.
const GONE_WITHIN: Duration = Duration::from_secs(10);

#[test]
fn each_line_is_told_once_whatever_happens_to_the_line_and_to_the_files() {
    let lab = TestLab::up("logs", &["--ttl", "20", "--loop-wait", "2"]);
    let own = tempfile::tempdir().unwrap();
    what_is_there_is_read_and_that_is_all(&lab);
    what_would_be_run_is_told(&lab);
    a_switchover_is_read_on_all_nodes(&lab);
    nothing_is_lost_or_told_twice(&lab, own.path());
    a_reason_comes_with_the_command_that_mends_it(&lab, own.path());
    a_connection_of_the_users_is_used(&lab, own.path());
    a_file_whose_name_changes_is_followed(&lab);
    the_console_reads_when_it_is_looked_at(&lab, own.path());
    reboot::a_node_that_boots_again_is_read_on(&lab);
    journal::a_journal_is_followed_over_rotation_and_vacuum(&lab, own.path());
    fuzz::nothing_hostile_reaches_the_terminal(&lab, own.path());
    a_reader_that_is_killed_leaves_nothing(&lab);
}

fn what_is_there_is_read_and_that_is_all(lab: &TestLab) {
    let out = lab.pgbaton(&["logs", "--json", "--since", "-1h"]).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    let lines: Vec<Value> = String::from_utf8(out.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for member in lab.layout().members() {
        for (program, text) in [("patroni", "(psg"), ("postgres", "database system is ready to accept"), ("etcd", "starting etcd server")] {
            assert!(lines.iter().any(|line| is(line, &member, program, text)), "{program} of {member} in {} lines", lines.len());
        }
    }
    for proxy in ["vm1", "vm4"] {
        assert!(lines.iter().any(|line| is(line, proxy, "haproxy", "pg_write")), "{proxy}");
    }
    let out = lab.pgbaton(&["logs", "--program", "etcd", "psg2", "--since", "1h"]).output().unwrap();
    assert!(out.status.success() && !out.stdout.is_empty(), "{}", said(&out));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.lines().all(|line| !line.contains(" patroni ") && !line.contains(" psg1 ")), "{text}");
    // Whoever reads the beginning only has what they wanted.
    let shown = format!("{:?} -c {:?} logs --since 1h | head -n 1", env!("CARGO_BIN_EXE_pgbaton"), lab.config());
    let out = Command::new("bash").args(["-c", &format!("set -o pipefail; {shown}")]).output().unwrap();
    assert!(out.status.success() && out.stderr.is_empty(), "{}", said(&out));
}

fn what_would_be_run_is_told(lab: &TestLab) {
    let out = lab.pgbaton(&["logs", "--explain"]).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    for told in ["BatchMode=yes", "# psg1: patroni, postgres, etcd", "# vm1: haproxy", "## follow FOLDER", "## hold", "journalctl"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(!text.contains("StrictHostKeyChecking"), "the user's own checking counts: {text}");
}

fn a_switchover_is_read_on_all_nodes(lab: &TestLab) {
    let (leader, replicas) = (lab.leader(), lab.replicas());
    let (candidate, third) = (replicas[0].as_str(), replicas[1].as_str());
    let mut lines = LogLines::start(&lab.config(), &["--since", "1s", "psg1", "psg2", "psg3", "vm1"]);
    for member in [&leader, candidate, third] {
        lines.line(member, "patroni", "I am");
    }
    lab.tool("patronictl", &["switchover", "--leader", &leader, "--candidate", candidate, "--force", lab.scope()]);
    let asked = lines.line(&leader, "patroni", "Demoting self (graceful)");
    let promoted = lines.line(candidate, "patroni", "promoted self to leader");
    lines.line(candidate, "postgres", "received promote request");
    lines.line(third, "patroni", &format!("following a leader ({candidate})"));
    lines.line("vm1", "haproxy", &format!("Server pg_write/{candidate} is UP"));
    assert!(asked < promoted, "{asked} {promoted}");
}

/// A file of numbered lines on one node, in the place where Patroni's log is looked for.
struct Numbered {
    path: PathBuf,
    file: File,
    written: usize,
    begun: ZonedDateTime,
}

impl Numbered {
    fn open(path: PathBuf) -> Self {
        let file = Self::append(&path);
        Self { path, file, written: 0, begun: ZonedDateTime::now() }
    }

    fn append(path: &Path) -> File {
        let file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.set_permissions(fs::Permissions::from_mode(0o644)).unwrap();
        file
    }

    /// Writes so many lines more.
    fn write(&mut self, count: usize) {
        let from = self.written;
        self.written += count;
        // A thousandth of a second lies between two of them.
        let line = |n: usize| {
            let at = self.begun.checked_add(SignedDuration::from_millis(n as i64)).unwrap();
            format!("{},{:03} INFO: number {n}.\n", at.strftime("%Y-%m-%d %H:%M:%S"), at.millisecond())
        };
        let text: String = (from + 1..=self.written).map(line).collect();
        self.file.write_all(text.as_bytes()).unwrap();
    }

    fn beside(&self, ending: &str) -> PathBuf {
        PathBuf::from(format!("{}{ending}", self.path.display()))
    }

    /// As logrotate does it with `create`: the writer learns of it a little later.
    fn rename(&mut self, ending: &str) {
        fs::rename(&self.path, self.beside(ending)).unwrap();
        let new = Self::append(&self.path);
        self.write(3);
        self.file = new;
        self.write(3);
    }

    /// As logrotate does it with `copytruncate`.
    fn copy_and_empty(&mut self, ending: &str) {
        fs::copy(&self.path, self.beside(ending)).unwrap();
        self.file.set_len(0).unwrap();
        self.write(3);
    }

    /// Waits until all have been told, each once and in order.
    fn told(&self, lines: &mut LogLines, what: &str) {
        lines.until(&format!("number {} after {what}", self.written), |seen| seen.last().and_then(number) == Some(self.written));
        let numbers: Vec<usize> = lines.seen.iter().filter_map(number).collect();
        let expected: Vec<usize> = (1..=self.written).collect();
        assert!(numbers == expected, "after {what}: {} told of {}: {}", numbers.len(), expected.len(), wrong(&numbers));
    }
}

fn number(line: &Value) -> Option<usize> {
    line["text"].as_str()?.rsplit_once("number ")?.1.trim_end_matches('.').parse().ok()
}

fn wrong(numbers: &[usize]) -> String {
    let steps = numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1);
    format!("it begins with {:?}; wrong steps {:?}", numbers.first(), steps.take(10).collect::<Vec<_>>())
}

/// The lab's configuration with one part of it changed, in a file of its own.
fn changed(lab: &TestLab, own: &Path, name: &str, from: &str, to: &str) -> PathBuf {
    let (text, file) = (lab.config_text(), own.join(name));
    assert!(text.contains(from), "{from} in {text}");
    fs::write(&file, text.replace(from, to)).unwrap();
    file
}

fn nothing_is_lost_or_told_twice(lab: &TestLab, own: &Path) {
    let node = "psg1";
    let config = changed(lab, own, "numbered.toml", "/log/patroni.log", "/log/numbered.log");
    let mut numbered = Numbered::open(lab.layout().log_dir(node).join("numbered.log"));
    numbered.write(100);
    let mut lines = LogLines::start(&config, &["--program", "patroni", node, "--since", "1h"]);
    numbered.told(&mut lines, "the beginning");

    numbered.write(5000);
    numbered.told(&mut lines, "a burst");
    numbered.rename(".1");
    numbered.told(&mut lines, "a rotation by rename");
    numbered.write(50);
    numbered.copy_and_empty(".2");
    numbered.told(&mut lines, "a rotation by copy and truncation");

    // The line is cut; meanwhile the file is rotated twice, and goes on.
    numbered.write(1);
    kill(master_of(lines.pid()));
    numbered.write(10);
    numbered.rename(".3");
    numbered.rename(".4");
    numbered.write(10);
    numbered.told(&mut lines, "a line that was cut");

    // The same with a copy.
    kill(master_of(lines.pid()));
    numbered.write(10);
    numbered.copy_and_empty(".5");
    numbered.told(&mut lines, "a line that was cut over a copy and truncation");

    // sshd dies with all its sessions, and comes back.
    let layout = lab.layout();
    let key = format!("{node}/sshd");
    let sshd = process::running(layout, &key).unwrap();
    let mut sessions: Vec<i32> = children(sshd.pid).collect();
    let theirs: Vec<i32> = sessions.iter().flat_map(|pid| children(*pid)).collect();
    sessions.extend(theirs);
    sshd.signal(Signal::KILL).unwrap();
    sessions.into_iter().for_each(kill);
    numbered.write(10);
    lines.line(node, "patroni", "connection refused by psg1");
    process::start(layout, &conf::spec(layout, &key).unwrap()).unwrap();
    numbered.write(10);
    numbered.told(&mut lines, "an sshd that died");

    // What cannot be read any more is told as missing, and all else goes on.
    kill(master_of(lines.pid()));
    numbered.write(10);
    fs::remove_file(&numbered.path).unwrap();
    numbered.file = Numbered::append(&numbered.path);
    numbered.write(10);
    let last = numbered.written;
    lines.until("what follows a gap", |seen| seen.last().and_then(number) == Some(last));
    assert!(lines.seen.iter().any(|line| line["kind"] == "gap"), "{:?}", lines.seen.last());
    let numbers: Vec<usize> = lines.seen.iter().filter_map(number).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{}", wrong(&numbers));
    what_may_not_be_read_is_tried_again(node, &mut numbered, &mut lines);
}

/// It is told once, and read on from where it was when it may be.
fn what_may_not_be_read_is_tried_again(node: &str, numbered: &mut Numbered, lines: &mut LogLines) {
    let allow = |mode: u32| fs::set_permissions(&numbered.path, fs::Permissions::from_mode(mode)).unwrap();
    allow(0o600);
    kill(master_of(lines.pid()));
    let refused = lines.line(node, "patroni", "may not be read by the login there; tried again every 20 s");
    let before = lines.seen.iter().filter_map(number).next_back().unwrap();
    allow(0o644);
    numbered.write(10);
    let last = numbered.written;
    lines.until("what follows", |seen| seen.last().and_then(number) == Some(last));
    let after: Vec<usize> = lines.seen[refused..].iter().filter_map(number).collect();
    assert!(after.iter().copied().eq(before + 1..=last), "{}", wrong(&after));
    let told = lines.seen.iter().filter(|line| is(line, node, "patroni", "may not be read")).count();
    assert_eq!(told, 1);
}

/// The ssh that a process of ours has started.
fn master_of(pid: u32) -> i32 {
    let parent = i32::try_from(pid).unwrap();
    until("an ssh of the reader", PATIENCE, || {
        children(parent).find(|pid| words_of(*pid).iter().any(|word| word == "-S")).ok_or_else(|| "none".to_owned())
    })
}

/// The processes that a process has started.
fn children(parent: i32) -> impl Iterator<Item = i32> {
    procfs::pids().into_iter().filter(move |pid| procfs::stat(*pid).is_some_and(|stat| stat.ppid == parent && stat.state != 'Z'))
}

fn words_of(pid: i32) -> Vec<String> {
    procfs::ProcId::of(pid).map(procfs::ProcId::argv).unwrap_or_default()
}

fn kill(pid: i32) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

fn a_reason_comes_with_the_command_that_mends_it(lab: &TestLab, own: &Path) {
    let ssh_config = fs::read_to_string(lab.layout().ssh_config()).unwrap();
    let key = own.join("other_key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status().unwrap();
    assert!(made.success());
    let other = fs::read_to_string(key.with_extension("pub")).unwrap();
    let ip = lab.layout().ip("psg1");
    let changed_key = own.join("known_changed");
    fs::write(&changed_key, format!("[{ip}]:2222 {other}")).unwrap();
    let known = lab.dir().join("ssh/known_hosts").display().to_string();
    let user_key = lab.dir().join("ssh/user_key").display().to_string();
    let path = |name: &str, from: &str, to: &str| {
        assert!(ssh_config.contains(from), "{from}");
        let file = own.join(name);
        fs::write(&file, ssh_config.replace(from, to)).unwrap();
        file.display().to_string()
    };
    let given = lab.layout().ssh_config().display().to_string();
    let host = "host = \"{name}\"";
    for (name, from, to, sentence, mends) in [
        ("unknown", &given, path("unknown", &known, "/nowhere/known_hosts"), "the host key of psg1 is not known", "ssh -F"),
        (
            "changed",
            &given,
            path("changed", &known, &changed_key.display().to_string()),
            "the host key of psg1 has changed",
            "known_changed:1",
        ),
        ("key", &given, path("key", &user_key, &key.display().to_string()), "psg1 lets nobody in", "ssh-add"),
        ("port", &given, path("port", "Port 2222", "Port 1"), "connection refused by psg1", "sshd"),
        ("name", &host.to_owned(), "host = \"{name}.invalid\"".to_owned(), "psg1.invalid cannot be resolved", "clusters.NAME.ssh"),
    ] {
        let config = changed(lab, own, &format!("{name}.toml"), from, &to);
        let out = pgbaton().arg("-c").arg(&config).args(["logs", "psg1", "--program", "etcd"]).output().unwrap();
        let told = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(told.contains(sentence) && told.contains(mends), "{name}: {}", said(&out));
        assert_eq!(out.status.code(), Some(1), "{name}: {}", said(&out));
    }
}

/// What the lab's known hosts would refuse comes over a connection that the user has open already.
fn a_connection_of_the_users_is_used(lab: &TestLab, own: &Path) {
    let socket = own.join("%n");
    let known = lab.dir().join("ssh/known_hosts").display().to_string();
    let good = fs::read_to_string(lab.layout().ssh_config()).unwrap() + &format!("    ControlPath {}\n", socket.display());
    let (with, without) = (own.join("with"), own.join("without"));
    fs::write(&with, &good).unwrap();
    fs::write(&without, good.replace(&known, "/nowhere/known_hosts")).unwrap();
    let master = Command::new("ssh").arg("-F").arg(&with).args(["-M", "-N", "psg2"]).stdin(Stdio::null()).spawn().unwrap();
    let _master = Running(master);
    until("the user's own connection", PATIENCE, || if own.join("psg2").exists() { Ok(()) } else { Err("no socket".to_owned()) });
    let given = lab.layout().ssh_config().display().to_string();
    let config = changed(lab, own, "users.toml", &given, &without.display().to_string());
    let out = pgbaton().arg("-c").arg(&config).args(["logs", "psg2", "--program", "etcd", "--since", "1h"]).output().unwrap();
    assert!(out.status.success() && String::from_utf8_lossy(&out.stdout).contains(" etcd "), "{}", said(&out));
}

/// PostgreSQL begins a file of another name, and pgbaton knows of it by what PostgreSQL told of its names.
fn a_file_whose_name_changes_is_followed(lab: &TestLab) {
    let node = "psg3";
    lab.sql(node, "ALTER SYSTEM SET log_filename = 'named-%H%M%S.log'");
    lab.sql(node, "SELECT pg_reload_conf(), pg_rotate_logfile()");
    let file = || lab.sql(node, "SELECT pg_current_logfile()");
    let named = || until("a file of that name", PATIENCE, || Some(file()).filter(|f| f.contains("named-")).ok_or_else(file));
    let first = named();
    let host = lab.layout().ip(node).to_string();
    let mark = |n: usize| {
        let statement = format!("SELECT * FROM mark{n}");
        let out = lab.try_tool(60, "psql", &["-h", &host, "-p", "5432", "-U", "postgres", "-d", "postgres", "-c", &statement]);
        assert!(!out.status.success(), "{}", said(&out));
    };
    mark(1);
    let mut lines = LogLines::start(&lab.config(), &["--program", "postgres", node, "--since", "1h"]);
    let told = |n: usize| format!("relation \"mark{n}\" does not exist");
    lines.line(node, "postgres", &told(1));
    mark(2);
    until("another name", PATIENCE, || {
        lab.sql(node, "SELECT pg_rotate_logfile()");
        Some(named()).filter(|now| *now != first).ok_or_else(|| first.clone())
    });
    mark(3);
    for n in 1..=3 {
        lines.line(node, "postgres", &told(n));
        assert_eq!(lines.seen.iter().filter(|line| is(line, node, "postgres", &told(n))).count(), 1, "mark {n}");
    }
    lab.sql(node, "ALTER SYSTEM RESET log_filename");
    lab.sql(node, "SELECT pg_reload_conf(), pg_rotate_logfile()");
    until("the file as before", PATIENCE, || Some(file()).filter(|f| !f.contains("named-")).ok_or_else(file));
}

fn the_console_reads_when_it_is_looked_at(lab: &TestLab, own: &Path) {
    let config = lab.config();
    let env = [("HOME", own.to_str().unwrap())];
    let connections = || sshs_with(&lab.layout().ssh_config().display().to_string());
    let none = || if connections().is_empty() { Ok(()) } else { Err(format!("{:?}", connections())) };
    until("the end of those before", GONE_WITHIN, none);
    let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &["-c", config.to_str().unwrap()], &env, (140, 45));
    pty.until_text("4 of 4 sources agree");
    assert!(connections().is_empty(), "nobody has looked yet");
    pty.press("8");
    pty.until("lines of the nodes", |screen| ["no action. I am", "<STATS>"].iter().any(|text| screen.contents().contains(text)));
    pty.press("\x03");
    assert_eq!(pty.end(), 0);
    until("the end of its connections", GONE_WITHIN, none);
}

fn a_reader_that_is_killed_leaves_nothing(lab: &TestLab) {
    let mut lines = LogLines::start(&lab.config(), &["--since", "1h"]);
    for member in lab.layout().members() {
        lines.line(&member, "postgres", "database system is ready to accept");
        lines.line(&member, "etcd", "starting etcd server");
    }
    let ours = || sshs_with(&lab.layout().ssh_config().display().to_string());
    let theirs = || scan::processes(&lab.layout().dir).into_iter().filter(|id| id.argv().iter().any(|word| word == "pgbaton")).count();
    until("five connections", PATIENCE, || if ours().len() >= 5 { Ok(()) } else { Err(format!("{:?}", ours())) });
    assert!(theirs() >= 11, "a command for each stream: {}", theirs());
    lines.kill();
    until("the end of all that was started", GONE_WITHIN, || match (ours().len(), theirs()) {
        (0, 0) => Ok(()),
        left => Err(format!("{left:?} are left here and on the nodes")),
    });
}

/// The ssh processes with this word in their command lines.
fn sshs_with(word: &str) -> Vec<i32> {
    let is_ours = |words: Vec<String>| words.first().is_some_and(|first| first.ends_with("ssh")) && words.iter().any(|w| w == word);
    procfs::pids().into_iter().filter(|pid| is_ours(words_of(*pid))).collect()
}
