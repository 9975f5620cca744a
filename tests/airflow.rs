//! What pgbaton says of Airflow, beside a real one whose metadata lies in the cluster. `PGBATON_AIRFLOW=3` takes the line 3.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
}

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use common::lab::{TestLab, pgbaton, said, source, until};
use common::pty::Pty;
use pgbaton::document::{AirflowDoc, AirflowMetadata, Fate, Verdict};
use pgbaton::lab::conf::airflow;
use pgbaton::lab::scan;
use rustix::process::Signal;
use serde_json::Value;

/// Longer than anything that works takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The lab with an Airflow.
struct Estate {
    lab: TestLab,
}

impl Estate {
    /// Airflow's own command.
    fn airflow(&self, words: &[&str]) -> String {
        let mut command = pgbaton();
        command.args(["lab", "--name", self.lab.scope(), "--state-dir"]).arg(self.lab.dir().parent().unwrap()).args(["airflow", "--"]);
        let out = command.args(words).output().unwrap();
        assert!(out.status.success(), "{words:?}: {}", said(&out));
        String::from_utf8(out.stdout).unwrap()
    }

    /// A statement in the metadata, by psql.
    fn sql(&self, user: &str, statement: &str) -> Output {
        let host = self.lab.layout().ip(&self.lab.leader()).to_string();
        self.lab.try_tool(20, "psql", &["-XAtq", "-h", &host, "-p", "5432", "-U", user, "-d", airflow::DATABASE, "-c", statement])
    }

    fn owner(&self, statement: &str) -> String {
        let out = self.sql("postgres", statement);
        assert!(out.status.success(), "{statement}: {}", said(&out));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    fn document(&self) -> AirflowDoc {
        self.lab.status().airflow.expect("Airflow is configured")
    }

    fn metadata(&self) -> AirflowMetadata {
        until("the metadata", PATIENCE, || {
            let document = self.document();
            document.metadata.ok_or_else(|| format!("{:?}", document.asked))
        })
    }

    /// `pgbaton quiet --json` and its exit code.
    fn quiet(&self) -> (Option<i32>, Value) {
        let out = self.lab.pgbaton(&["quiet", "--json"]).output().unwrap();
        (out.status.code(), serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&out))))
    }

    /// Waits for a verdict with this ground in it; the ground's sentence.
    fn until(&self, verdict: Verdict, code: &str) -> String {
        until(&format!("{verdict} by {code}"), PATIENCE, || {
            let quiet = self.document().quiet;
            let ground = quiet.grounds.iter().find(|ground| ground.code == code && ground.verdict == verdict);
            ground.filter(|_| quiet.verdict == verdict).map(|ground| ground.sentence.clone()).ok_or_else(|| format!("{quiet:?}"))
        })
    }

    /// The lines of the target's ledger with this word.
    fn ledger(&self, word: &str) -> Vec<String> {
        let text = fs::read_to_string(airflow::target(self.lab.layout())).unwrap_or_default();
        text.lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
    }
}

#[test]
fn what_airflow_does_decides_whether_the_moment_is_quiet() {
    let line = std::env::var("PGBATON_AIRFLOW").unwrap_or_else(|_| "2.10".to_owned());
    let lab = TestLab::up("airflow", &["--ttl", "20", "--loop-wait", "2", "--with", &format!("airflow={line}")]);
    let estate = Estate { lab };
    what_is_there_is_read(&estate, &line);
    our_user_may_read_no_secret_and_write_nothing(&estate);
    what_may_not_be_read_is_not_known(&estate);
    a_migration_stops_it(&estate);
    running_tasks_are_waited_for(&estate);
    frozen_pools_let_nothing_begin(&estate);
    a_scheduler_that_hangs_is_seen(&estate);
}

fn what_is_there_is_read(estate: &Estate, line: &str) {
    let metadata = estate.metadata();
    assert_eq!(metadata.line.to_string(), line[..1]);
    assert_eq!(metadata.revision, estate.owner("SELECT version_num FROM alembic_version"));
    let alive = |kind: &str| metadata.components.iter().any(|c| c.kind == kind && c.heartbeat_age_ms.is_some_and(|ms| ms < 15_000));
    assert!(alive("SchedulerJob") && alive("TriggererJob"), "{:?}", metadata.components);
    assert_eq!(metadata.pools.len().to_string(), estate.owner("SELECT count(*) FROM slot_pool"));
    assert!(!metadata.frozen && !metadata.migrating && metadata.import_errors == 0, "{metadata:?}");
    let seen = estate.lab.status();
    assert!(source(&seen, "airflow", estate.lab.scope()).fresh, "{:?}", seen.sources);
    until("the practice DAGs", PATIENCE, || {
        let listed = estate.owner("SELECT count(*) FROM dag");
        if listed == "4" { Ok(()) } else { Err(listed) }
    });
    estate.until(Verdict::Go, "airflow-tasks");
    let (code, told) = estate.quiet();
    assert_eq!((code, &told["verdict"]), (Some(0), &Value::from("go")), "{told:#}");
}

fn our_user_may_read_no_secret_and_write_nothing(estate: &Estate) {
    for refused in [
        "SELECT * FROM connection",
        "SELECT * FROM variable",
        "SELECT * FROM xcom",
        "SELECT conf FROM dag_run",
        "SELECT executor_config FROM task_instance",
        "SELECT next_kwargs FROM task_instance",
        "UPDATE task_instance SET state = 'failed'",
        "UPDATE slot_pool SET slots = 0",
        "DELETE FROM job",
    ] {
        let out = estate.sql("pgbaton", refused);
        assert!(!out.status.success() && said(&out).contains("permission denied"), "{refused}: {}", said(&out));
    }
    // What is printed twice changes nothing.
    let grants = estate.lab.pgbaton(&["airflow", "grants"]).output().unwrap();
    let again = estate.owner(&String::from_utf8(grants.stdout).unwrap());
    assert_eq!(again, "");
}

fn what_may_not_be_read_is_not_known(estate: &Estate) {
    estate.owner("REVOKE SELECT (state) ON task_instance FROM pgbaton");
    let why = estate.until(Verdict::Unknown, "airflow-unknown");
    assert!(why.contains("`pgbaton airflow grants` prints what our user needs"), "{why}");
    assert_eq!(estate.quiet().0, Some(4));
    estate.owner("GRANT SELECT (state) ON task_instance TO pgbaton");
    estate.until(Verdict::Go, "airflow-tasks");
}

fn a_migration_stops_it(estate: &Estate) {
    let host = estate.lab.layout().ip(&estate.lab.leader()).to_string();
    let hold = "SELECT pg_advisory_lock(1), pg_sleep(600)";
    let holder =
        estate.lab.start_tool("psql", &["-XAtq", "-h", &host, "-p", "5432", "-U", "postgres", "-d", airflow::DATABASE, "-c", hold]);
    let why = estate.until(Verdict::Stop, "airflow-migration");
    assert!(why.contains("db migrate"), "{why}");
    assert_eq!(estate.quiet().0, Some(3));
    drop(holder);
    estate.owner(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = '{}'", hold.replace('\'', "''")));
    estate.until(Verdict::Go, "airflow-tasks");
}

fn running_tasks_are_waited_for(estate: &Estate) {
    for dag in ["charge", "charge_once"] {
        estate.airflow(&["dags", "trigger", dag]);
    }
    let mut work = until("two running tasks", PATIENCE, || {
        let work = estate.metadata().work;
        if work.iter().filter(|task| task.state == "running").count() == 2 { Ok(work) } else { Err(format!("{work:?}")) }
    });
    work.sort_by(|a, b| a.dag.cmp(&b.dag));
    let fates: Vec<(&str, Fate)> = work.iter().map(|task| (task.dag.as_str(), task.if_database_goes)).collect();
    assert_eq!(fates, [("charge", Fate::RunsTwice), ("charge_once", Fate::FailsFinished)]);
    assert!(work.iter().all(|task| task.heartbeat_age_ms.is_some() && task.since.is_some()), "{work:?}");
    let why = estate.until(Verdict::Wait, "airflow-tasks");
    assert_eq!(why, "2 tasks run or are queued: 1 would run twice, 1 would be marked failed though finished");
    let (code, told) = estate.quiet();
    assert_eq!(code, Some(2), "{told:#}");
    the_console_shows_them(estate);
    // A switchover is refused for the same reason, and nothing was sent.
    let (leader, candidate) = (estate.lab.leader(), estate.lab.replicas().remove(0));
    let args = ["switchover", "--candidate", &candidate, "--yes"];
    let out = estate.lab.pgbaton(&args).output().unwrap();
    assert!(!out.status.success() && said(&out).contains("would run twice"), "{}", said(&out));
    assert_eq!(estate.lab.leader(), leader);
    // Once they have ended it goes through, and nothing ran twice.
    estate.until(Verdict::Go, "airflow-tasks");
    assert_eq!(estate.ledger("END").len(), 2);
    let out = estate.lab.pgbaton(&args).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    assert_eq!(estate.lab.leader(), candidate);
    until("the metadata on the new leader", PATIENCE, || {
        let asked = estate.document().asked;
        if asked.fresh { Ok(()) } else { Err(format!("{asked:?}")) }
    });
    assert_eq!(estate.owner("SELECT count(*) FROM task_instance WHERE state = 'success'"), "2");
    assert_eq!(estate.ledger("START").len(), 2, "{:?}", estate.ledger(""));
}

/// Pane 9 with each task, pane 0 with the reason, and the first lines of the screen.
fn the_console_shows_them(estate: &Estate) {
    let config = estate.lab.config();
    let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &["-c", config.to_str().unwrap()], &[], (140, 45));
    pty.until_text("Airflow: wait");
    pty.press("9");
    pty.until("each task", |screen| {
        let text = screen.contents();
        ["charge.work  would run twice", "charge_once.work  would be marked failed though finished"].iter().all(|told| text.contains(told))
    });
    pty.press("0");
    pty.until_text("wait: 2 tasks run or are queued: 1 would run twice");
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

fn frozen_pools_let_nothing_begin(estate: &Estate) {
    let slots = estate.owner("SELECT slots FROM slot_pool WHERE pool = 'default_pool'");
    estate.airflow(&["pools", "set", "default_pool", "0", "frozen"]);
    estate.airflow(&["dags", "trigger", "charge"]);
    let why = until("a task that waits", PATIENCE, || {
        let quiet = estate.document().quiet;
        let ground = quiet.grounds.iter().find(|ground| ground.code == "airflow-pools" && ground.sentence.contains("1 task waits"));
        ground.cloned().ok_or_else(|| format!("{quiet:?}"))
    });
    assert_eq!(why.sentence, "every pool has 0 slots, so that no task begins; 1 task waits");
    assert!(estate.metadata().frozen);
    assert_eq!(estate.ledger("START").len(), 2, "nothing begins");
    estate.airflow(&["pools", "set", "default_pool", &slots, "open"]);
    until("the third task", PATIENCE, || match estate.ledger("END").len() {
        3 => Ok(()),
        n => Err(n.to_string()),
    });
    assert_eq!(estate.ledger("START").len(), 3);
    estate.until(Verdict::Go, "airflow-tasks");
}

fn a_scheduler_that_hangs_is_seen(estate: &Estate) {
    // Not the shell that keeps it up.
    let is_it = |argv: &str| argv.contains("airflow scheduler") && !argv.contains("keep-up");
    let all: Vec<_> = scan::processes(estate.lab.dir()).into_iter().filter(|id| is_it(&id.argv().join(" "))).collect();
    assert!(!all.is_empty());
    let signal = |signal: Signal| all.iter().for_each(|id| drop(id.signal(signal)));
    signal(Signal::STOP);
    let why = estate.until(Verdict::Warn, "airflow-scheduler");
    assert!(why.contains("it is not at work"), "{why}");
    signal(Signal::CONT);
    estate.until(Verdict::Go, "airflow-scheduler");
}
