//! The operations that go to etcd and to PostgreSQL, on a practice cluster, beside patronictl; what became of each is read by etcdctl and psql.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
}

use std::io::Write as _;
use std::process::{Output, Stdio};
use std::time::Duration;

use common::lab::{TestLab, said, until};
use serde_json::Value;

/// Patroni follows a change within a loop; PostgreSQL and the sources a little later.
const CHANGE: Duration = Duration::from_secs(30);

/// The lab, and a state directory for our audit.
struct Stage {
    lab: TestLab,
    state: tempfile::TempDir,
}

impl Stage {
    fn run(&self, args: &[&str], input: &str) -> Output {
        let mut command = self.lab.pgbaton(args);
        command.env("XDG_STATE_HOME", self.state.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// What it prints when it succeeds.
    fn ok(&self, args: &[&str]) -> String {
        let out = self.run(args, "");
        assert!(out.status.success(), "{args:?}: {}", said(&out));
        String::from_utf8(out.stdout).unwrap()
    }

    /// The configuration as etcd has it, by etcd's own tool.
    fn config_text(&self) -> String {
        let key = format!("/service/{}/config", self.lab.scope());
        self.lab.tool("etcdctl", &["get", "--print-value-only", &key]).trim().to_owned()
    }

    fn config(&self) -> Value {
        serde_json::from_str(&self.config_text()).unwrap()
    }

    fn patronictl(&self, args: &[&str]) -> String {
        self.lab.tool("patronictl", args)
    }
}

#[test]
fn what_is_done_through_etcd_and_sql_is_seen_by_others() {
    let lab = TestLab::up("proof-settings", &["--ttl", "20", "--loop-wait", "2"]);
    let stage = Stage { lab, state: tempfile::tempdir().unwrap() };
    shown_as_it_is(&stage);
}

/// What `show-config` and `history` print is what etcdctl and patronictl read.
fn shown_as_it_is(stage: &Stage) {
    let scope = stage.lab.scope();
    let shown: Value = serde_json::from_str(&stage.ok(&["show-config", "--json"])).unwrap();
    assert_eq!(shown, stage.config());
    let yaml = stage.state.path().join("config.yaml");
    std::fs::write(&yaml, stage.ok(&["show-config", scope])).unwrap();
    let replaced = stage.patronictl(&["edit-config", scope, "--force", "--replace", yaml.to_str().unwrap()]);
    assert_eq!(replaced.trim(), "Not changed", "patronictl reads our YAML as what is there");

    assert_eq!(stage.ok(&["history", scope]), "no timeline has ended yet\n");
    stage.patronictl(&["switchover", scope, "--force"]);
    until("the history", CHANGE, || {
        let ours: Value = serde_json::from_str(&stage.ok(&["history", "--json"])).unwrap();
        let theirs: Value = serde_json::from_str(&stage.patronictl(&["history", scope, "-f", "json"])).unwrap();
        let same = |(ours, theirs): (&Value, &Value)| {
            let leader = ours["new_leader"] == theirs["New Leader"] && !ours["new_leader"].is_null();
            leader && ours["timeline"] == theirs["TL"] && ours["lsn_bytes"] == theirs["LSN"] && ours["reason"] == theirs["Reason"]
        };
        let (rows, others) = (ours.as_array().unwrap(), theirs.as_array().unwrap());
        let all = !rows.is_empty() && rows.len() == others.len() && rows.iter().zip(others).all(same);
        if all { Ok(()) } else { Err(format!("{ours} {theirs}")) }
    });
}
