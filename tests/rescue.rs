//! An outage of 30 s under a real Airflow while tasks end: the list, the printed commands, and nothing runs twice. `PGBATON_AIRFLOW=3` takes the line 3,
//! whose own command cannot mark a task: there it is a request to its API.
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
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::lab::{Running, TestLab, pgbaton, said, until};
use operator::Operator;
use pgbaton::document::{Document, DoneState, RescueTaskDoc};
use pgbaton::lab::conf::airflow;
use pgbaton::lab::{conf, process};
use rustix::process::Signal;

/// Longer than anything that works takes.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long nobody can write.
const OUTAGE: Duration = Duration::from_secs(30);
/// The same for Airflow 3, whose tasks try to tell their end again for up to a minute: after less nothing is at risk.
const OUTAGE_3: Duration = Duration::from_secs(100);

/// What Airflow 3 gives the console's user for the password, as `pgbaton rescue` says.
fn token(lab: &TestLab) -> String {
    let (url, password) = (airflow::api(lab.layout()).unwrap(), fs::read_to_string(airflow::password(lab.layout())).unwrap());
    let body = format!("{{\"username\": {:?}, \"password\": {password:?}}}", airflow::CONSOLE);
    let words = ["-fsS", "-X", "POST", "-H", "Content-Type: application/json", "-d", &body, &format!("{url}/auth/token")];
    let out = Command::new("curl").args(words).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    let answer: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "seven minutes: cargo test --test rescue -- --ignored"]
fn after_an_outage_the_printed_commands_keep_finished_tasks_from_running_twice() {
    let line = std::env::var("PGBATON_AIRFLOW").unwrap_or_else(|_| "2.10".to_owned());
    let (with, is_3) = (format!("airflow={line}"), line.starts_with('3'));
    let api: &[&str] = if is_3 { &["--with", "airflow-api"] } else { &[] };
    let lab = TestLab::up("rescue", &[&["--ttl", "20", "--loop-wait", "2", "--with", &with], api].concat());
    let operator = Operator::of(&lab);
    let ledger = |word: &str| -> Vec<String> {
        let text = fs::read_to_string(airflow::target(lab.layout())).unwrap_or_default();
        text.lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
    };
    let status = || -> Document {
        let out = operator.pgbaton(&["status", "--json"]).output().unwrap();
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&out)))
    };
    // Somebody watches, so that it is known what ran.
    let _watching = Running(operator.pgbaton(&["status", "--watch", "1"]).stdout(Stdio::null()).spawn().unwrap());
    let mut command = pgbaton();
    command.args(["lab", "--name", lab.scope(), "--state-dir"]).arg(lab.dir().parent().unwrap());
    let out = command.args(["airflow", "--", "dags", "trigger", "charge"]).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    until("a task at work", PATIENCE, || {
        let work = status().airflow.and_then(|airflow| airflow.metadata).map(|metadata| metadata.work).unwrap_or_default();
        let running = work.iter().filter(|task| task.state == "running" && task.heartbeat_age_ms.is_some()).count();
        if running == 1 && ledger(" START ").len() == 1 { Ok(()) } else { Err(format!("{work:?}")) }
    });
    assert_eq!(ledger(" END "), Vec::<String>::new());

    let key = "vm1/haproxy";
    process::running(lab.layout(), key).unwrap().signal(Signal::KILL).unwrap();
    let (begun, outage) = (Instant::now(), if is_3 { OUTAGE_3 } else { OUTAGE });
    until("the end of the outage, and of the task in it", PATIENCE, || {
        let ended = ledger(" END ").len();
        if ended == 1 && begun.elapsed() >= outage { Ok(()) } else { Err(format!("{ended} have ended")) }
    });
    process::start(lab.layout(), &conf::spec(lab.layout(), key).unwrap()).unwrap();

    let charge = |tasks: &[RescueTaskDoc]| tasks.iter().find(|task| task.dag == "charge").cloned();
    let task = until("the list", PATIENCE, || {
        let rescue = status().rescue.ok_or("no outage is known")?;
        let task = charge(&rescue.tasks).ok_or_else(|| format!("{rescue:?}"))?;
        if task.done == DoneState::Finished && rescue.until.is_some() { Ok(task) } else { Err(format!("{rescue:?}")) }
    });
    assert!(task.retries && task.state.is_some(), "{task:?}");
    eprintln!("{} s after the cut: {task:?}", begun.elapsed().as_secs());
    let out = operator.pgbaton(&["rescue"]).output().unwrap();
    let told = String::from_utf8(out.stdout.clone()).unwrap();
    eprintln!("{told}");
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(told.contains("Airflow wrote nothing for"), "{told}");
    // What is printed, as it is printed.
    let typed: Vec<&str> = told.lines().filter_map(|line| line.trim().strip_prefix("mark it:")).map(str::trim).collect();
    assert!(!typed.is_empty(), "{told}");
    let token = if is_3 { token(&lab) } else { String::new() };
    for command in typed {
        let out = Command::new("sh").args(["-c", command]).env("TOKEN", &token).stdin(Stdio::null()).output().unwrap();
        assert!(out.status.success(), "{command}: {}", said(&out));
    }
    until("nothing at risk", PATIENCE, || {
        let rescue = status().rescue.ok_or("no outage is known")?;
        if charge(&rescue.tasks).is_none() { Ok(()) } else { Err(format!("{rescue:?}")) }
    });
    // Past the moment at which it would have been taken for dead, its retry_delay of 15 s, and as long again.
    let patience = Duration::from_secs(300 + 60);
    until("the time at which it would have run again", patience + PATIENCE, || {
        if begun.elapsed() >= patience { Ok(()) } else { Err(format!("{:?}", begun.elapsed())) }
    });
    assert_eq!(ledger(" START ").len(), 1, "something ran twice: {:?}", ledger(""));
    assert!(!status().findings.iter().any(|finding| finding.code == "target-run-twice"));
}
