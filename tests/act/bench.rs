//! The practice cluster that the tests of this folder share, and what a command said and wrote down.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use serde_json::Value;

use crate::lab::{TestLab, said, until};

/// Longer than any of it takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// The cluster of those who use it now.
static SHARED: Mutex<Weak<TestLab>> = Mutex::new(Weak::new());
/// Whose turn it is.
static TURN: Mutex<()> = Mutex::new(());

/// The cluster, whole and for one test alone, and an audit of this test's own.
pub struct Bench {
    pub lab: Arc<TestLab>,
    state: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// What a command said.
#[derive(Debug)]
pub struct Told {
    pub code: Option<i32>,
    /// The lines of its standard output, parsed.
    pub lines: Vec<Value>,
    /// Its standard error.
    pub err: String,
}

impl Told {
    /// What a command with `--json` said.
    pub fn of(out: &Output) -> Self {
        let lines = String::from_utf8(out.stdout.clone()).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {}", said(out)))).collect();
        Self { code: out.status.code(), lines, err: String::from_utf8(out.stderr.clone()).unwrap() }
    }

    /// The last plan.
    pub fn plan(&self) -> &Value {
        self.lines.iter().rfind(|line| line["event"] == "plan").unwrap_or_else(|| panic!("no plan: {self:#?}"))
    }

    /// The last outcome.
    pub fn outcome(&self) -> &Value {
        self.lines.iter().rfind(|line| line["event"] == "outcome").unwrap_or_else(|| panic!("no outcome: {self:#?}"))
    }

    /// The sentence of the last outcome.
    pub fn sentence(&self) -> &str {
        self.outcome()["sentence"].as_str().unwrap()
    }

    /// A check of the last plan.
    pub fn check(&self, id: &str) -> &Value {
        let checks = self.plan()["checks"].as_array().unwrap();
        checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check {id} in {checks:#?}"))
    }
}

impl Bench {
    /// Waits for its turn.
    pub fn take() -> Self {
        let lab = {
            let mut shared = SHARED.lock().unwrap_or_else(|e| e.into_inner());
            shared.upgrade().unwrap_or_else(|| {
                let lab = Arc::new(TestLab::up("act", &["--auth", "--ttl", "20", "--loop-wait", "2"]));
                *shared = Arc::downgrade(&lab);
                lab
            })
        };
        // A test that failed leaves the cluster as it happened to be; that is mended here.
        let failed = TURN.is_poisoned();
        let turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
        if failed {
            lab.heal();
        }
        Self { lab, state: tempfile::tempdir().unwrap(), _turn: turn }
    }

    /// The state directory of this test's commands.
    pub fn state(&self) -> PathBuf {
        self.state.path().to_owned()
    }

    /// A command with this test's state directory.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.lab.pgbaton(args);
        command.env("XDG_STATE_HOME", self.state.path()).env_remove("PGBATON_READ_ONLY");
        command
    }

    /// Runs it with `--json`.
    pub fn told(&self, args: &[&str]) -> Told {
        let out = self.command(&[args, &["--json"]].concat()).output().unwrap();
        Told::of(&out)
    }

    /// Runs it with `--yes`; it must be done, and the audit must have its two lines.
    pub fn done(&self, args: &[&str]) -> Told {
        let before = self.audit().len();
        let told = self.told(&[args, &["--yes"]].concat());
        assert_eq!((told.code, &told.outcome()["outcome"]), (Some(0), &"DONE".into()), "{args:?}: {told:#?}");
        assert_eq!(told.err, "", "{args:?}");
        let audit = self.audit();
        let [begin, end] = &audit[before..] else { panic!("{args:?}: {audit:#?}") };
        assert_audited(&told, begin, end);
        told
    }

    /// The lines of the audit file.
    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.state.path().join("pgbaton/audit.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A key of the cluster, by etcd's own tool: its value and the revision of its last change; an empty text and 0 if there is none.
    pub fn key(&self, name: &str) -> (String, u64) {
        let key = format!("/service/{}/{name}", self.lab.scope());
        let value = self.lab.tool("etcdctl", &["get", "--print-value-only", &key]);
        let fields = self.lab.tool("etcdctl", &["get", "-w", "fields", &key]);
        let revision = fields.lines().find_map(|line| line.strip_prefix("\"ModRevision\" : "));
        (value.trim().to_owned(), revision.map_or(0, |number| number.parse().unwrap()))
    }

    /// The same, parsed; `null` if there is none.
    pub fn key_json(&self, name: &str) -> Value {
        let (text, _) = self.key(name);
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// A member's row of `patronictl list`.
    pub fn listed(&self, member: &str) -> Value {
        let rows = self.lab.tool_json("patronictl", &["list", "-e", "-f", "json"]);
        rows.as_array().unwrap().iter().find(|row| row["Member"] == member).cloned().unwrap_or_default()
    }

    /// Waits until a member is as `patronictl list` is to say.
    pub fn wait_listed(&self, member: &str, role: &str, state: &str) {
        until(&format!("{member} as {role} {state}"), PATIENCE, || {
            let row = self.listed(member);
            if row["Role"] == role && row["State"] == state { Ok(()) } else { Err(row.to_string()) }
        });
    }

    /// When a member's PostgreSQL has started, by itself.
    pub fn started(&self, member: &str) -> String {
        self.lab.sql(member, "SELECT pg_postmaster_start_time()")
    }

    /// The timeline that a member writes or replays, by itself.
    pub fn timeline(&self, member: &str) -> u32 {
        let writes = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";
        u32::from_str_radix(&self.lab.sql(member, writes), 16).unwrap()
    }

    /// That a member leads, by etcd, by its PostgreSQL and by patronictl, and that the other writes no more.
    pub fn assert_leads(&self, member: &str, not: &str) {
        assert_eq!(self.lab.leader(), member, "by etcd");
        assert_eq!(self.lab.sql(member, "SELECT pg_is_in_recovery()"), "f");
        self.wait_listed(member, "Leader", "running");
        self.wait_listed(not, "Replica", "streaming");
        assert_eq!(self.lab.sql(not, "SELECT pg_is_in_recovery()"), "t");
    }
}

/// That these are the lines of this action.
pub fn assert_audited(told: &Told, begin: &Value, end: &Value) {
    let (plan, outcome) = (told.plan(), told.outcome());
    assert_eq!((begin["event"].as_str(), end["event"].as_str()), (Some("begin"), Some("end")));
    for field in ["id", "cluster", "operation"] {
        assert_eq!(begin[field], end[field], "{field}");
    }
    for field in ["cluster", "operation", "sentence", "member", "checks", "patronictl"] {
        assert_eq!(begin[field], plan[field], "{field}");
    }
    let request = &begin["request"];
    let mut line = format!("{} {}{}", text(&request["method"]), text(&request["base"]), text(&request["path"]));
    if !request["body"].is_null() {
        line += &format!(" {}", request["body"]);
    }
    assert_eq!(plan["request"], line.as_str());
    assert_eq!(begin["answered"], "--yes");
    assert_eq!(begin["who"]["uid"], rustix::process::getuid().as_raw());
    for field in ["outcome", "sentence", "reply"] {
        assert_eq!(end[field], outcome[field], "{field}");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
