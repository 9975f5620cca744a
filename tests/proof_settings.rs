//! The operations that go to etcd and to PostgreSQL, on a practice cluster, beside patronictl; what became of each is read by etcdctl and psql.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod cutter;
    pub mod lab;
}

use std::io::Write as _;
use std::process::{Output, Stdio};
use std::time::Duration;

use common::cutter::{self, Bytes};
use common::lab::{Running, TestLab, said, until};
use pgbaton::action::{DcsOrder, DcsWriter, Reply, SqlOrder, SqlWriter, Statement};
use pgbaton::config::{Env, Request, Selected};
use pgbaton::model::Time;
use pgbaton::permit::{Asked, Operator, Permit, Policy};
use serde_json::{Value, json};

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

    /// Writes the configuration, by etcd's own tool.
    fn put_config(&self, text: &str) {
        let key = format!("/service/{}/config", self.lab.scope());
        self.lab.tool("etcdctl", &["put", &key, text]);
    }

    /// How often the configuration has been written, by etcd's own tool.
    fn writings(&self) -> u64 {
        self.version("config")
    }

    /// How often a key of the cluster has been written.
    fn version(&self, name: &str) -> u64 {
        let key = format!("/service/{}/{name}", self.lab.scope());
        self.lab.tool_json("etcdctl", &["get", "-w", "json", &key])["kvs"][0]["version"].as_u64().unwrap()
    }

    /// Waits until the leader's Patroni has gone round twice: as long as somebody writes to the cluster, each loop writes the key `status`.
    fn two_loops(&self) {
        let begun = self.version("status");
        until("two loops of Patroni", CHANGE, || {
            let now = self.version("status");
            if now >= begun + 2 { Ok(()) } else { Err(format!("{begun}, {now}")) }
        });
    }

    /// With an exit code that is not success; what it said.
    fn fails(&self, code: i32, args: &[&str]) -> String {
        let out = self.run(args, "");
        assert_eq!(out.status.code(), Some(code), "{args:?}: {}", said(&out));
        said(&out)
    }

    /// A permit as the lab's owner has it, where no policy file says otherwise.
    fn permit(&self) -> Permit {
        pgbaton::permit::decide(Ok(&Policy::default()), Operator::of_process(), self.lab.scope(), Asked::default()).unwrap()
    }

    fn profile(&self) -> pgbaton::config::Profile {
        let request = Request { file: Some(self.lab.config()), cluster: None, env: Env::of_process() };
        match pgbaton::config::load(&request).unwrap().select(None).unwrap() {
            Selected::One(profile) => *profile,
            Selected::Several(several) => panic!("{several:?}"),
        }
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
    edited_as_patronictl_edits(&stage);
    taken_back(&stage);
    nobody_is_overwritten(&stage);
    a_lost_answer(&stage);
    checkpoint_and_replay(&stage);
    slots(&stage);
    sessions(&stage);
    without_the_right(&stage);
    a_standby_cluster_and_back(&stage);
    removed(&stage);
}

/// What `show-config` and `history` print is what etcdctl and patronictl read.
fn shown_as_it_is(stage: &Stage) {
    let scope = stage.lab.scope();
    let shown: Value = serde_json::from_str(&stage.ok(&["show-config", "--json"])).unwrap();
    assert_eq!(shown, stage.config());
    assert_eq!(stage.ok(&["dsn", scope]), stage.patronictl(&["dsn", scope]));
    assert_eq!(stage.ok(&["dsn", scope, "-m", "psg2"]), stage.patronictl(&["dsn", scope, "-m", "psg2"]));
    let members = |text: &str| {
        let mut lines: Vec<String> = text.lines().filter(|line| line.starts_with("psg")).map(|line| line.trim().to_owned()).collect();
        lines.sort();
        lines
    };
    let (ours, theirs) = (stage.ok(&["version", scope]), stage.patronictl(&["version", scope]));
    assert_eq!((members(&ours).len(), members(&ours)), (3, members(&theirs)), "{ours} {theirs}");
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

/// The same edits by both leave the same bytes in etcd.
fn edited_as_patronictl_edits(stage: &Stage) {
    let scope = stage.lab.scope();
    let before = stage.config_text();
    let apply = stage.state.path().join("apply.yaml");
    let text = "retry_timeout: '9'\nmaximum_lag_on_failover: ~\npostgresql:\n  parameters:\n    wal_keep_size:\n    work_mem: 010\n    a.b: on\n  new: {x: null}\n";
    std::fs::write(&apply, text).unwrap();
    let apply = apply.to_str().unwrap();
    let replace = stage.state.path().join("replace.yaml");
    std::fs::write(
        &replace,
        "ttl: 30\nloop_wait: 2\nretry_timeout: 8\nnothing: null\npostgresql: {parameters: {log_line_prefix: 'ä \"%m\" '}}\n",
    )
    .unwrap();
    let replace = replace.to_str().unwrap();
    let edits: [&[&str]; 7] = [
        &["-s", "retry_timeout=8", "-s", "loop_wait=3", "-p", "work_mem=8MB"],
        &["-s", "maximum_lag_on_failover=null", "-p", "pg_stat_statements.max=5000", "-p", "vacuum_cost_delay=1.5"],
        &["-s", "postgresql.use_pg_rewind=off", "-p", "statement_timeout=1:30", "-p", "lock_timeout='30'"],
        &["-s", "slots.keep.type=physical", "-s", "postgresql.parameters=null"],
        &["-s", "slots.none.at.all=null", "-p", "log_line_prefix=ä\u{1F418}"],
        &["--apply", apply, "-p", "max_wal_size=1GB"],
        &["--replace", replace, "--apply", apply, "-s", "ttl=40"],
    ];
    for edit in edits {
        let ours = [&["edit-config", scope, "--force", "-q"], edit].concat();
        stage.ok(&ours);
        let written = stage.config_text();
        assert_ne!(written, before, "{edit:?}");
        stage.put_config(&before);
        stage.patronictl(&ours);
        assert_eq!(written, stage.config_text(), "{edit:?}");
        stage.put_config(&before);
    }
    let writings = stage.writings();
    assert_eq!(stage.ok(&["edit-config", scope, "--yes", "-s", "loop_wait=2"]), "nothing would be changed\n");
    assert_eq!(stage.writings(), writings);
}

/// An edit in the editor, and the way back; not when somebody was there meanwhile.
fn taken_back(stage: &Stage) {
    let before = stage.config();
    let mut command = stage.lab.pgbaton(&["edit-config", "--yes"]);
    // The file is the editor's argument, and ours alone.
    let editor = "f() { stat -c %a \"$1\" >&2; sed -i 's/^retry_timeout: .*/retry_timeout: 8/; $ a failsafe_mode: on' \"$1\"; }; f";
    let out = command
        .env("XDG_STATE_HOME", stage.state.path())
        .env_remove("VISUAL")
        .env("EDITOR", editor)
        .env("TMPDIR", stage.state.path())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", said(&out));
    assert!(String::from_utf8_lossy(&out.stderr).contains("600"), "{}", said(&out));
    let left = std::fs::read_dir(stage.state.path()).unwrap().flatten().filter(|f| f.file_name().to_string_lossy().starts_with("pgbaton-"));
    assert_eq!(left.count(), 0, "the editor's file is gone");
    let mut edited = before.clone();
    edited["retry_timeout"] = json!(8);
    edited["failsafe_mode"] = json!(true);
    assert_eq!(stage.config(), edited);

    stage.patronictl(&["edit-config", stage.lab.scope(), "--force", "-q", "-s", "retry_timeout=7"]);
    let told = stage.fails(3, &["edit-config", "--undo", "--yes"]);
    assert!(told.contains("retry_timeout is not as that edit has left it"), "{told}");
    stage.patronictl(&["edit-config", stage.lab.scope(), "--force", "-q", "-s", "retry_timeout=8"]);
    stage.ok(&["edit-config", "--undo", "--yes"]);
    assert_eq!(stage.config(), before);

    let told = stage.fails(3, &["edit-config", "--yes", "-s", "ttl=19"]);
    assert!(told.contains("ttl takes a whole number, 20 or more"), "{told}");
    let told = stage.fails(3, &["--read-only", "edit-config", "--yes", "-s", "ttl=30"]);
    assert!(told.contains("read-only"), "{told}");
    assert_eq!(stage.config(), before);
}

/// What somebody else writes between reading and writing stays.
fn nobody_is_overwritten(stage: &Stage) {
    let mut command = stage.lab.pgbaton(&["edit-config", "--yes"]);
    let key = format!("/service/{}/config", stage.lab.scope());
    let before = stage.config_text();
    let theirs = before.replace("\"loop_wait\":2", "\"loop_wait\":1");
    assert_ne!(theirs, before);
    let env: Vec<String> = ["ETCDCTL_API=3".to_owned(), format!("ETCDCTL_ENDPOINTS={}", stage.lab.layout().etcd_url("psg1"))].into();
    let editor = format!("f() {{ env {} etcdctl put {key} '{theirs}' && sed -i 's/^ttl: .*/ttl: 30/' \"$1\"; }}; f", env.join(" "));
    let out = command.env("XDG_STATE_HOME", stage.state.path()).env_remove("VISUAL").env("EDITOR", editor).output().unwrap();
    assert_eq!(out.status.code(), Some(3), "{}", said(&out));
    assert!(said(&out).contains("somebody changed the configuration meanwhile"), "{}", said(&out));
    assert_eq!(stage.config_text(), theirs);

    // Between the last look and the writing: the order itself carries the condition.
    let writer = DcsWriter::new(&stage.permit(), &stage.profile());
    let order = DcsOrder::Put { key, revision: 1, value: "{}".to_owned(), changes: Vec::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reply = runtime.block_on(writer.send(&order));
    assert!(matches!(&reply, Reply::Refused(why) if why.starts_with("somebody changed it meanwhile")), "{reply:?}");
    assert_eq!(stage.config_text(), theirs);
    stage.put_config(&before);
}

/// The connection breaks off while the order is on its way: it is sent once, and what became of it is looked up in etcd.
fn a_lost_answer(stage: &Stage) {
    const MARKER: &str = "proof_of_a_lost_answer";
    let target = stage.lab.layout().etcd_url("psg1").replace("http://", "");
    for (bytes, code, word, writings) in [(Bytes::Pass, 0, "DONE", 1), (Bytes::Vanish, 4, "UNKNOWN", 0)] {
        let port = cutter::start(target.clone(), MARKER, bytes);
        let text = stage.lab.config_text();
        let endpoints = text.lines().find(|line| line.starts_with("endpoints")).unwrap();
        let file = stage.state.path().join("cut.toml");
        std::fs::write(&file, text.replace(endpoints, &format!("endpoints = [\"http://127.0.0.1:{port}\"]"))).unwrap();
        let before = stage.writings();
        let mut command = common::lab::pgbaton();
        command.arg("-c").arg(&file).args(["edit-config", "--yes", "-p"]).arg(format!("x.{MARKER}={code}"));
        let out = command.env("XDG_STATE_HOME", stage.state.path()).output().unwrap();
        assert_eq!(out.status.code(), Some(code), "{bytes:?}: {}", said(&out));
        assert!(said(&out).contains(word), "{bytes:?}: {}", said(&out));
        assert_eq!(stage.writings() - before, writings, "{bytes:?}");
    }
    stage.ok(&["edit-config", "--yes", "-p", &format!("x.{MARKER}=null")]);
}

/// A checkpoint shows in the control file; the replay goes on.
fn checkpoint_and_replay(stage: &Stage) {
    let (lab, scope) = (&stage.lab, stage.lab.scope());
    let leader = lab.leader();
    let place = || lab.sql(&leader, "SELECT checkpoint_lsn FROM pg_control_checkpoint()");
    lab.sql(&leader, "SELECT pg_switch_wal()");
    let before = place();
    let told = stage.ok(&["checkpoint", scope, &leader, "--yes"]);
    assert!(told.contains("DONE: the checkpoint on"), "{told}");
    assert_ne!(place(), before);

    let replica = lab.replicas().remove(0);
    let told = stage.fails(3, &["resume-replay", scope, &replica, "--yes"]);
    assert!(told.contains("replay is not paused"), "{told}");
    let told = stage.fails(3, &["resume-replay", scope, &leader, "--yes"]);
    assert!(told.contains("is no standby"), "{told}");
    // A Patroni that runs ends the pause by itself.
    lab.fault(&["freeze-patroni", &replica]);
    lab.sql(&replica, "SELECT pg_wal_replay_pause()");
    let told = stage.ok(&["resume-replay", scope, &replica, "--yes"]);
    assert!(told.contains("DONE: "), "{told}");
    assert_eq!(lab.sql(&replica, "SELECT pg_is_wal_replay_paused()"), "f");
    lab.heal();
}

/// A slot that nobody uses goes; a member's own, one in use, and one that is not there do not.
fn slots(stage: &Stage) {
    let (lab, scope) = (&stage.lab, stage.lab.scope());
    let leader = lab.leader();
    stage.ok(&["edit-config", scope, "--yes", "-s", "ignore_slots=[{name: ours}, {name: taken}]"]);
    let slot = |name: &str| lab.sql(&leader, &format!("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{name}'"));
    let make = |name: &str| lab.sql(&leader, &format!("SELECT pg_create_physical_replication_slot('{name}', true)"));
    until("a slot that Patroni leaves alone", CHANGE, || {
        if slot("ours") == "0" {
            make("ours");
        }
        stage.two_loops();
        if slot("ours") == "1" { Ok(()) } else { Err("Patroni dropped it".to_owned()) }
    });
    let told = stage.ok(&["drop-slot", scope, &leader, "ours", "--yes"]);
    assert!(told.contains("DONE: ") && told.contains("it belongs to no member"), "{told}");
    assert_eq!(slot("ours"), "0");
    let replica = lab.replicas().remove(0);
    for (name, why) in [("ours", "has no slot ours"), (replica.as_str(), "it is the slot of the member")] {
        let told = stage.fails(3, &["drop-slot", scope, &leader, name, "--yes", "--override", "owner", "--override", "slot"]);
        assert!(told.contains(why), "{told}");
    }
    assert_eq!(slot(&replica), "1");

    lab.fault(&["slot-retain", "--mb", "1"]);
    let retained = lab.sql(&leader, "SELECT slot_name FROM pg_replication_slots WHERE NOT active");
    let told = stage.ok(&["drop-slot", scope, &leader, &retained, "--dry-run"]);
    assert!(told.contains("note permanent"), "{told}");
    lab.heal();
    stage.ok(&["edit-config", scope, "--yes", "-s", "ignore_slots=null"]);
}

/// The session that was meant ends, and no other.
fn sessions(stage: &Stage) {
    let (lab, scope) = (&stage.lab, stage.lab.scope());
    let leader = lab.leader();
    let mut sleeping =
        lab.command("psql", &["-X", "-h", &lab.layout().ip(&leader).to_string(), "-p", "5432", "-U", "app", "-d", "postgres"]);
    sleeping.args(["-c", "BEGIN", "-c", "SELECT pg_sleep(300)"]).env("PGAPPNAME", "sleeper");
    let _sleeping = Running(sleeping.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let find = "SELECT pid FROM pg_stat_activity WHERE application_name = 'sleeper' AND state = 'active'";
    let pid = until("the session", CHANGE, || lab.sql(&leader, find).parse::<i32>().map_err(|e| e.to_string()));

    // The number is right, the session is another: nothing happens to it.
    let writer = SqlWriter::new(&stage.permit(), &stage.profile());
    let order = SqlOrder {
        member: leader.clone(),
        host: lab.layout().ip(&leader).to_string(),
        port: 5432,
        database: None,
        statement: Statement::Terminate { pid, started: Time::from_micros(1) },
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reply = runtime.block_on(writer.send(&order));
    assert!(matches!(&reply, Reply::Refused(why) if why.contains("is not there any more")), "{reply:?}");
    assert_eq!(lab.sql(&leader, find), pid.to_string());

    let told = stage.ok(&["terminate", scope, &leader, &pid.to_string(), "--yes"]);
    assert!(told.contains("app (sleeper) in postgres from ") && told.contains("DONE: "), "{told}");
    assert_eq!(lab.sql(&leader, find), "");
    let sender = lab.sql(&leader, "SELECT pid FROM pg_stat_replication LIMIT 1");
    let told = stage.fails(3, &["terminate", scope, &leader, &sender, "--yes"]);
    assert!(told.contains("no client's session, but a walsender"), "{told}");
    assert_eq!(lab.sql(&leader, &format!("SELECT count(*) FROM pg_stat_replication WHERE pid = {sender}")), "1");
}

/// A user that may only look is told what it lacks.
fn without_the_right(stage: &Stage) {
    let (lab, scope) = (&stage.lab, stage.lab.scope());
    let leader = lab.leader();
    let file = stage.state.path().join("looking.toml");
    let text = lab.config_text();
    let line = text.lines().find(|line| line.starts_with("operate_user")).unwrap();
    std::fs::write(&file, text.replace(line, "")).unwrap();
    let mut command = common::lab::pgbaton();
    command.arg("-c").arg(&file).args(["checkpoint", scope, &leader, "--yes"]).env("XDG_STATE_HOME", stage.state.path());
    let out = command.output().unwrap();
    assert_eq!(out.status.code(), Some(3), "{}", said(&out));
    assert!(said(&out).contains("GRANT pg_checkpoint TO \"pgbaton\""), "{}", said(&out));
}

/// The cluster becomes a standby of nobody, and one of its own again.
fn a_standby_cluster_and_back(stage: &Stage) {
    let (lab, scope) = (&stage.lab, stage.lab.scope());
    let leads = || lab.sql(&lab.leader(), "SELECT pg_is_in_recovery()");
    let told = stage.fails(3, &["promote-cluster", scope, "--yes"]);
    assert!(told.contains("it is no standby cluster"), "{told}");
    let told = stage.fails(3, &["demote-cluster", scope, "--yes"]);
    assert!(told.contains("say whom it follows"), "{told}");
    let told = stage.ok(&["demote-cluster", scope, "--restore-command", "/bin/false", "--yes"]);
    assert!(told.contains("DONE: it is a standby cluster"), "{told}");
    assert_eq!(leads(), "t");
    assert_eq!(stage.config()["standby_cluster"], json!({"restore_command": "/bin/false"}));
    let told = stage.ok(&["promote-cluster", scope, "--yes"]);
    assert!(told.contains("DONE: it is a cluster of its own"), "{told}");
    assert_eq!((leads().as_str(), stage.config().get("standby_cluster")), ("f", None));
}

/// The keys of one cluster go, and no others.
fn removed(stage: &Stage) {
    let (lab, scope) = (&stage.lab, stage.lab.scope());
    let count =
        |prefix: &str| lab.tool("etcdctl", &["get", "--prefix", "--keys-only", prefix]).lines().filter(|line| !line.is_empty()).count();
    let told = stage.fails(3, &["remove", scope, "--yes"]);
    assert!(told.contains("live: the leader loses its key"), "{told}");
    assert!(count(&format!("/service/{scope}/")) > 5);
    for key in ["config", "initialize", "history"] {
        lab.tool("etcdctl", &["put", &format!("/service/gone/{key}"), "{}"]);
        lab.tool("etcdctl", &["put", &format!("/service/gone-too/{key}"), "{}"]);
    }
    let file = stage.state.path().join("gone.toml");
    std::fs::write(&file, lab.config_text().replace(&format!("scope = \"{scope}\""), "scope = \"gone\"")).unwrap();
    let mut command = common::lab::pgbaton();
    command.arg("-c").arg(&file).args(["remove", scope, "--yes"]).env("XDG_STATE_HOME", stage.state.path());
    let out = command.output().unwrap();
    assert!(out.status.success() && said(&out).contains("DONE: etcd has nothing of it any more"), "{}", said(&out));
    assert_eq!((count("/service/gone/"), count("/service/gone-too/")), (0, 3));
    assert!(count(&format!("/service/{scope}/")) > 5);
}
