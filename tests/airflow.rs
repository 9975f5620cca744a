//! What pgbaton says of Airflow, beside a real one whose metadata lies in the cluster. `PGBATON_AIRFLOW=3` takes the line 3.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
}
#[allow(dead_code, reason = "each test file uses its part of it")]
#[path = "proof_runbooks/operator.rs"]
mod operator;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use common::lab::{TestLab, pgbaton, said, source, until};
use common::pty::Pty;
use operator::{Operator, answer, asked, finished, yes};
use pgbaton::document::{AirflowDoc, AirflowMetadata, Document, Fate, FindingDoc, Verdict};
use pgbaton::lab::conf::airflow;
use pgbaton::lab::scan;
use rustix::process::Signal;
use serde_json::Value;

/// Longer than anything that works takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The lab with an Airflow, and who works there.
struct Estate<'l> {
    lab: &'l TestLab,
    operator: Operator<'l>,
}

impl Estate<'_> {
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

    /// What the operator's own pgbaton shows, which knows what it has done.
    fn status(&self) -> Document {
        let out = self.operator.pgbaton(&["status", "--json"]).output().unwrap();
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&out)))
    }

    fn document(&self) -> AirflowDoc {
        self.status().airflow.expect("Airflow is configured")
    }

    fn frozen(&self) -> Option<FindingDoc> {
        self.status().findings.into_iter().find(|finding| finding.code == "pools-frozen")
    }

    /// Something the operator does, and how it ends.
    fn does(&self, code: i32, words: &[&str]) -> String {
        let out = self.operator.pgbaton(words).output().unwrap();
        assert_eq!(out.status.code(), Some(code), "{words:?}: {}", said(&out));
        said(&out)
    }

    /// The pools with all that is in them, by psql.
    fn pools(&self) -> String {
        self.owner("SELECT pool, slots, description, include_deferred FROM slot_pool ORDER BY pool")
    }

    /// Waits until so many tasks have done their work, each once.
    fn worked(&self, tasks: usize) {
        until("the tasks' ends", PATIENCE, || match self.ledger(" END ").len() {
            n if n >= tasks => Ok(()),
            n => Err(format!("{n} of {tasks}: {:?}", self.ledger(""))),
        });
        let mut begun: BTreeMap<String, u32> = BTreeMap::new();
        for line in self.ledger(" START ") {
            // Without the time and the number of the try.
            let words: Vec<&str> = line.split(' ').skip(2).take(4).collect();
            *begun.entry(words.join(" ")).or_default() += 1;
        }
        assert!(begun.len() == tasks && begun.values().all(|times| *times == 1), "something ran twice: {begun:?}");
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
    let estate = Estate { operator: Operator::of(&lab), lab: &lab };
    what_is_there_is_read(&estate, &line);
    our_user_may_read_no_secret_and_write_nothing(&estate);
    what_may_not_be_read_is_not_known(&estate);
    a_migration_stops_it(&estate);
    running_tasks_are_waited_for(&estate);
    a_freeze_whose_console_was_killed_is_found_and_thawed(&estate);
    a_switchover_between_freeze_and_thaw_runs_no_task_twice(&estate);
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
        if listed == "5" { Ok(()) } else { Err(listed) }
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
    // A switchover is refused for the same reason, and nothing was sent; nor was it after it has waited for less than the tasks take.
    let (leader, candidate) = (estate.lab.leader(), estate.lab.replicas().remove(0));
    let told = estate.does(3, &["switchover", "--candidate", &candidate, "--yes"]);
    assert!(told.contains("would run twice"), "{told}");
    let told = estate.does(3, &["switchover", "--candidate", &candidate, "--yes", "--wait-quiet", "1s"]);
    assert!(told.contains("REFUSED: the moment was not quiet within 1 s: 2 tasks run or are queued"), "{told}");
    assert_eq!(estate.lab.leader(), leader);
    // It waits until they have ended, and nothing ran twice.
    let told = estate.does(0, &["switchover", "--candidate", &candidate, "--yes", "--wait-quiet", "2min"]);
    assert!(told.contains("waits: 2 tasks run or are queued: 1 would run twice"), "{told}");
    assert_eq!(estate.lab.leader(), candidate);
    until("the metadata on the new leader", PATIENCE, || {
        let asked = estate.document().asked;
        if asked.fresh { Ok(()) } else { Err(format!("{asked:?}")) }
    });
    assert_eq!(estate.owner("SELECT count(*) FROM task_instance WHERE state = 'success'"), "2");
    estate.worked(2);
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
    // In a box the rest of it is on the next line.
    pty.until("the reason", |screen| screen.contents().contains("wait: 2 tasks run or are queued"));
    // The pane has the screen for itself, and is left first.
    pty.press("q");
    pty.until_text("1 Members");
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

/// The console dies while Airflow's command is at work: what each pool had is remembered, and a runbook gives it back.
fn a_freeze_whose_console_was_killed_is_found_and_thawed(estate: &Estate) {
    estate.airflow(&["pools", "set", "etl", "3", "for the nightly loads, 100% \"careful\"", "--include-deferred"]);
    estate.airflow(&["pools", "set", "other", "1", "of somebody else"]);
    let before = estate.pools();
    until("three pools", PATIENCE, || if estate.metadata().pools.len() == 3 { Ok(()) } else { Err("not yet".to_owned()) });
    let mut console = estate.operator.pgbaton(&["freeze", "--yes", "--reason", "a kill"]).stdout(Stdio::null()).spawn().unwrap();
    let at_work = |argv: &str| argv.contains("pools import") && !argv.contains("mktemp");
    until("Airflow's command", PATIENCE, || {
        let found = scan::processes(estate.lab.dir()).into_iter().any(|id| at_work(&id.argv().join(" ")));
        if found { Ok(()) } else { Err(format!("{:?}", console.try_wait())) }
    });
    console.kill().unwrap();
    console.wait().unwrap();
    let frozen = until("the pools frozen", PATIENCE, || {
        let finding = estate.frozen().ok_or("no finding")?;
        if estate.metadata().frozen { Ok(finding) } else { Err(finding.sentence) }
    });
    assert!(
        frozen.sentence.contains(" by ") && frozen.sentence.contains(": a kill: default_pool had 128, etl had 3 and other had 1"),
        "{frozen:?}"
    );
    assert_eq!(frozen.runbook.as_deref(), Some("frozen-pools"));
    let had = estate.document().frozen_here.expect("it is remembered").slots;
    assert_eq!(had, BTreeMap::from([("default_pool", 128), ("etl", 3), ("other", 1)].map(|(name, slots)| (name.to_owned(), slots))));
    assert!(estate.does(3, &["freeze", "--yes"]).contains("every pool has 0 slots already, since "));
    // Nothing begins, and what somebody else sets meanwhile is theirs.
    estate.airflow(&["dags", "trigger", "brief"]);
    until("a task that waits", PATIENCE, || {
        let quiet = estate.document().quiet;
        let waits = quiet.grounds.iter().any(|ground| ground.sentence == "every pool has 0 slots, so that no task begins; 1 task waits");
        if waits { Ok(()) } else { Err(format!("{quiet:?}")) }
    });
    estate.airflow(&["pools", "set", "other", "9", "of somebody else"]);
    estate.worked(2);
    let mut pty = estate.operator.start(&["run", "frozen-pools"]);
    yes(&mut pty, &["Is whoever froze the pools done, or gone?"]);
    asked(&mut pty, "do it?");
    assert!(pty.screen().contains("other has 9 slots now, which somebody else has set; it had 1, and is left so"), "{}", pty.screen());
    answer(&mut pty, "do it?", "y");
    finished(&mut pty);
    assert_eq!(estate.pools(), before.replace("other|1|", "other|9|"));
    estate.airflow(&["pools", "set", "other", "1", "of somebody else"]);
    assert_eq!((estate.document().frozen_here, estate.pools()), (None, before));
    assert!(estate.does(3, &["thaw", "--yes"]).contains("this machine remembers no pools that were frozen"));
    estate.worked(3);
    estate.until(Verdict::Go, "airflow-tasks");
}

/// The runbook, with a kill in the middle, while a task runs and another comes.
fn a_switchover_between_freeze_and_thaw_runs_no_task_twice(estate: &Estate) {
    let (before, candidate) = (estate.pools(), estate.lab.replicas().remove(0));
    estate.airflow(&["dags", "trigger", "charge"]);
    until("a task that runs", PATIENCE, || match estate.ledger(" START ").len() {
        4 => Ok(()),
        n => Err(n.to_string()),
    });
    let mut pty = estate.operator.start(&["run", "planned-switchover", "--set", &format!("candidate={candidate}")]);
    answer(&mut pty, "must not be interrupted now? [yes/no]", "no");
    answer(&mut pty, "do it?", "y");
    pty.until_text("waits up to 14400 s");
    pty.signal(Signal::KILL);
    pty.end();
    let run = estate.operator.last_run();
    let frozen = estate.frozen().expect("the pools are frozen");
    assert!(frozen.sentence.contains(&format!(" in the run {run}: planned switchover to {candidate}: default_pool had 128")), "{frozen:?}");
    estate.airflow(&["dags", "trigger", "brief"]);
    let mut pty = estate.operator.start(&["resume"]);
    answer(&mut pty, &format!("to do it, type {}", estate.lab.scope()), estate.lab.scope());
    // The next question is asked when the leader has changed and everybody follows: nothing has begun meanwhile.
    asked(&mut pty, "do it?");
    assert_eq!((estate.lab.leader(), estate.ledger(" START ").len()), (candidate, 4));
    answer(&mut pty, "do it?", "y");
    answer(&mut pty, "Do the applications write again? [yes/no]", "yes");
    let screen = finished(&mut pty);
    assert!(screen.contains("the pools have their slots again, by SQL"), "{screen}");
    assert_eq!((estate.pools(), estate.document().frozen_here), (before, None));
    estate.worked(5);
    let ended = "SELECT string_agg(DISTINCT state || try_number, ' ') FROM task_instance";
    assert_eq!(estate.owner(ended), "success1");
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
    // Its own endpoint hangs with it, and says so before its heartbeat is old.
    let silent = || estate.status().findings.into_iter().find(|finding| finding.code == "airflow-silent").map(|finding| finding.sentence);
    let told = until("the silent scheduler", PATIENCE, || silent().ok_or("not yet".to_owned()));
    assert!(told.contains(&format!(":{}", airflow::HEALTH)), "{told}");
    signal(Signal::CONT);
    estate.until(Verdict::Go, "airflow-scheduler");
    until("the end of it", PATIENCE, || silent().map_or(Ok(()), Err));
    let health = estate.document().health;
    assert!(health.iter().all(|one| one.asked.fresh && one.status == Some(200)), "{health:?}");
    let told: Vec<&str> = health.iter().flat_map(|one| &one.programs).map(|program| program.state.as_str()).collect();
    assert!(told.iter().all(|state| *state == "healthy") && told.is_empty() != (health.len() == 2), "{health:?}");
}
