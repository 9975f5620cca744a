//! The pane on Airflow: what it says of tasks that run, and where nothing is known.

use std::collections::BTreeMap;

use pgbaton::document::{
    AirflowComponentDoc, AirflowDoc, AirflowMetadata, AirflowNextRunDoc, AirflowPoolDoc, AirflowTaskDoc, Asked, Fate, GroundDoc, QuietDoc,
    Verdict,
};

use super::*;

fn asked(age_ms: u64, fresh: bool) -> Asked {
    Asked { age_ms: Some(age_ms), fresh, rtt_ms: Some(4.0), error: None, error_kind: None }
}

fn ground(code: &str, verdict: Verdict, sentence: &str) -> GroundDoc {
    GroundDoc { code: code.to_owned(), verdict, sentence: sentence.to_owned() }
}

fn task(task: &str, state: &str, host: Option<&str>, fate: Fate) -> AirflowTaskDoc {
    AirflowTaskDoc {
        dag: "charge_customers".to_owned(),
        task: task.to_owned(),
        run: "scheduled__2026-11-24T03:00:00+00:00".to_owned(),
        map_index: -1,
        state: state.to_owned(),
        try_number: 1,
        max_tries: 2,
        host: host.map(str::to_owned),
        pool: "target".to_owned(),
        since: Some(sample::at(sample::NOW - 72)),
        heartbeat_age_ms: host.map(|_| 3000),
        if_database_goes: fate,
    }
}

/// Two tasks run, one waits outside of a worker.
pub(super) fn busy() -> AirflowDoc {
    let component = |kind: &str, age| AirflowComponentDoc { kind: kind.to_owned(), host: None, heartbeat_age_ms: Some(age) };
    let pool = |name: &str, slots, taken| AirflowPoolDoc { name: name.to_owned(), slots, include_deferred: false, taken, waiting: 0 };
    AirflowDoc {
        frozen_here: None,
        health: Vec::new(),
        asked: asked(300, true),
        quiet: QuietDoc {
            verdict: Verdict::Wait,
            grounds: vec![
                ground(
                    "airflow-tasks",
                    Verdict::Wait,
                    "2 tasks run or are queued: 1 would run twice, 1 would be marked failed though finished",
                ),
                ground(
                    "airflow-deferred",
                    Verdict::Warn,
                    "1 task waits outside of a worker: safe, but triggerers end when the database goes away",
                ),
                ground("airflow-next-run", Verdict::Go, "the next run begins in 12 min (nightly_load)"),
                ground("airflow-scheduler", Verdict::Go, "the scheduler had a heartbeat 2 s ago"),
            ],
        },
        metadata: Some(AirflowMetadata {
            line: 2,
            revision: "5f2621c13b39".to_owned(),
            components: vec![component("SchedulerJob", 2000), component("TriggererJob", 240_000)],
            tasks: BTreeMap::from([("running".to_owned(), 2), ("deferred".to_owned(), 1)]),
            work: vec![
                task("book_payments", "running", Some("vm4"), Fate::RunsTwice),
                task("send_invoices", "running", Some("vm4"), Fate::FailsFinished),
                task("wait_for_bank", "deferred", None, Fate::Safe),
            ],
            pools: vec![pool("default_pool", 128, 0), pool("target", -1, 2)],
            frozen: false,
            next_runs: vec![AirflowNextRunDoc { dag: "nightly_load".to_owned(), at: sample::at(sample::NOW + 720) }],
            import_errors: 1,
            import_error_files: vec!["/opt/airflow/dags/broken.py".to_owned()],
            last_decision: Some(sample::at(sample::NOW - 2)),
            migrating: false,
            prepared: 0,
        }),
    }
}

fn with(airflow: Option<AirflowDoc>) -> State {
    let mut state = console(vec![Document { airflow, ..sample::healthy() }]);
    press(&mut state, &[CommandId::Pane9]);
    state
}

#[test]
fn what_would_become_of_each_task() {
    for size in [(80, 24), (120, 40)] {
        snapshot(&format!("airflow-{}x{}", size.0, size.1), &screen(&mut with(Some(busy())), size, false));
    }
    let mut state = with(Some(busy()));
    screen(&mut state, (80, 24), false);
    press(&mut state, &[CommandId::Down, CommandId::Down, CommandId::Open]);
    snapshot("airflow-task", &screen(&mut state, (80, 24), false));
}

#[test]
fn what_is_in_the_way_stands_before_the_tasks_and_what_is_not_behind_them() {
    let state = with(Some(busy()));
    let rows = models()[8].rows(&state.facts, &state.views[8]);
    let first_words: Vec<&str> = rows.iter().filter_map(|row| row.split(' ').next()).collect();
    let tasks = ["charge_customers.book_payments", "charge_customers.send_invoices", "charge_customers.wait_for_bank"];
    let expected = [&["airflow-tasks", "airflow-deferred"][..], &tasks, &["airflow-next-run", "airflow-scheduler"]].concat();
    assert_eq!(first_words, expected);
}

#[test]
fn the_first_lines_say_whether_airflow_can_do_without_its_database() {
    let mut state = with(Some(busy()));
    press(&mut state, &[CommandId::Pane1]);
    assert!(text(&screen(&mut state, (120, 40), false)).contains("lease 27 s · Airflow: wait"));
    let mut state = with(None);
    press(&mut state, &[CommandId::Pane1]);
    assert!(!text(&screen(&mut state, (120, 40), false)).contains("Airflow"));
}

#[test]
fn where_nobody_looks_it_says_so_and_what_is_old_says_how_old() {
    let none = text(&screen(&mut with(None), (80, 24), false));
    assert!(none.contains("no Airflow is configured for this cluster"), "{none}");
    let unknown = QuietDoc {
        verdict: Verdict::Unknown,
        grounds: vec![ground("airflow-unknown", Verdict::Unknown, "what Airflow does is not known: connection refused")],
    };
    let old = AirflowDoc { asked: asked(40_000, false), quiet: unknown, ..busy() };
    let old = text(&screen(&mut with(Some(old)), (120, 40), false));
    for told in ["UNKNOWN", "it is not known whether the database may go away", "read 40 s ago", "connection refused"] {
        assert!(old.contains(told), "{told}: {old}");
    }
    // Nobody knows whether its tasks run still, nor whether somebody is silent.
    assert!(old.contains("running as read 40 s ago") && old.contains("◐ task"), "{old}");
    for lie in ["running for", "silent for", "heartbeat 2 s", "▲ task"] {
        assert!(!old.contains(lie), "{lie}: {old}");
    }
}

/// Two nodes of RabbitMQ have raised an alarm: each is a row of its own, and one can go past both.
#[test]
fn grounds_of_one_code_are_rows_of_their_own() {
    let mut airflow = busy();
    for node in ["vm5", "vm6"] {
        let told = format!("RabbitMQ takes no messages: {node} has raised the alarm disk");
        airflow.quiet.grounds.insert(0, ground("rabbitmq-alarm", Verdict::Stop, &told));
    }
    let mut state = with(Some(airflow));
    let rows = models()[8].rows(&state.facts, &state.views[8]);
    assert_eq!(rows.iter().collect::<std::collections::BTreeSet<_>>().len(), rows.len(), "{rows:?}");
    press(&mut state, &[CommandId::Down, CommandId::Down]);
    assert_eq!(state.views[8].selected.as_deref(), Some("airflow-tasks"));
    press(&mut state, &[CommandId::Up]);
    assert_eq!(state.views[8].selected.as_ref(), rows.get(1), "and back to the second of them");
}
