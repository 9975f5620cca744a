//! An outage of Airflow's writes: what ran then, what of it has finished, and how long there is until it runs again.

use std::time::Duration;

use pgbaton::document::{DoneState, Level, RescueDoc};
use pgbaton::model::*;

use crate::scenario::{Scenario, airflow_at_rest};

fn task(run: &str, state: &str, retries: i64, heartbeat: Time) -> AirflowTask {
    AirflowTask {
        dag: "charge".into(),
        task: "work".into(),
        run: run.into(),
        map_index: -1,
        state: state.into(),
        try_number: 1,
        max_tries: retries,
        host: None,
        pool: "default_pool".into(),
        started: Some(heartbeat),
        queued: None,
        heartbeat: Some(heartbeat),
    }
}

/// A reading: the scheduler's newest heartbeat, the tasks, and those that wait for a retry.
fn reads(s: &mut Scenario, beat: Time, work: Vec<AirflowTask>, retries: &[&str]) {
    let retry = |run: &&str| AirflowRetry {
        state: "up_for_retry".into(),
        dag: "charge".into(),
        task: "work".into(),
        run: (*run).into(),
        map_index: -1,
    };
    let scheduler = AirflowComponent { kind: "SchedulerJob".into(), host: None, state: Some("running".into()), heartbeat: Some(beat) };
    let status =
        AirflowStatus { components: vec![scheduler], work, retries: retries.iter().map(retry).collect(), ..airflow_at_rest(s.now()) };
    s.report(SourceId::new(SourceKind::Airflow, "psg"), Fact::Airflow(Box::new(status)));
}

/// The target's ledger has these, ended or not.
fn ledger(s: &mut Scenario, jobs: &[(&str, bool)], whole: bool) {
    ledger_with(s, jobs, whole, 0);
}

/// The same, with so many lines besides that are not understood.
fn ledger_with(s: &mut Scenario, jobs: &[(&str, bool)], whole: bool, unread: u64) {
    let at = s.now();
    let job = |(run, ended): &(&str, bool)| Job {
        key: TaskKey { dag: "charge".into(), run: (*run).into(), task: "work".into(), map_index: -1 },
        starts: 1,
        started: Some(at),
        ended: *ended,
        ended_at: ended.then_some(at),
        again: false,
        try_number: Some(1),
    };
    let book = RunBook { kind: BookKind::Ledger, whole, unread, jobs: jobs.iter().map(job).collect() };
    let status = TargetStatus { book: Some(Ok(book)), ..TargetStatus::default() };
    s.report(SourceId::new(SourceKind::Target, "vm3"), Fact::Target(Box::new(status)));
}

fn doc(s: &Scenario) -> RescueDoc {
    s.document().rescue.clone().expect("an outage is known")
}

/// Airflow runs `a` and `b`; then 30 s long nobody of it can write, while its metadata can be read.
fn outage(s: &mut Scenario) -> Time {
    let wrote = s.now();
    let work = |beat: Time| vec![task("a", "running", 2, beat), task("b", "running", 0, beat)];
    reads(s, wrote, work(wrote), &[]);
    ledger(s, &[("a", false), ("b", false)], true);
    s.pass(1);
    assert!(s.document().rescue.is_none(), "it writes");
    for _ in 0..15 {
        s.pass(2);
        reads(s, wrote, work(wrote), &[]);
        ledger(s, &[("a", true), ("b", true)], true);
    }
    s.pass(1);
    wrote
}

#[test]
fn a_task_that_has_finished_while_nobody_could_write_is_told_with_the_time_that_is_left() {
    let mut s = Scenario::healthy();
    let wrote = outage(&mut s);
    let finding = s.finding("rescue-window").unwrap();
    assert_eq!(finding.severity, Level::Critical);
    assert!(finding.sentence.starts_with("Airflow has written nothing since "), "{}", finding.sentence);
    assert!(finding.sentence.contains("charge.work of a has finished and runs again in 4 min"), "{}", finding.sentence);
    assert!(finding.sentence.ends_with("1 task has finished and will be marked failed"), "{}", finding.sentence);
    let told = doc(&s);
    assert_eq!((told.from, told.until, told.seen, told.tasks.len()), (wrote, None, true, 2));
    let a = told.tasks.iter().find(|task| task.run == "a").unwrap();
    assert_eq!((a.done, a.retries, a.due), (DoneState::Finished, true, Some(wrote.plus(Duration::from_secs(300)))));
    assert_eq!(a.mark_success.as_deref(), Some("airflow tasks run --raw --mark-success -- charge work a"));

    // It writes again; the dead task is there still, and is for as long as its heartbeat is not too old.
    let now = s.now();
    reads(&mut s, now, vec![task("a", "running", 2, wrote), task("b", "running", 0, wrote)], &[]);
    ledger(&mut s, &[("a", true), ("b", true)], true);
    s.pass(1);
    assert_eq!(doc(&s).until, Some(now));
    assert!(s.sentence("rescue-window").starts_with("Airflow wrote nothing for 3"), "{}", s.sentence("rescue-window"));
    // Somebody marks it: Airflow has told of it, and it is out of danger. The other waits for its retry.
    let now = s.now();
    reads(&mut s, now, Vec::new(), &["b"]);
    ledger(&mut s, &[("a", true), ("b", true)], true);
    s.pass(1);
    let left = doc(&s).tasks;
    assert_eq!((left.len(), left[0].run.as_str(), left[0].state.as_deref(), left[0].due), (1, "b", Some("up_for_retry"), None));
    let now = s.now();
    reads(&mut s, now, Vec::new(), &[]);
    s.pass(1);
    assert_eq!((doc(&s).tasks.len(), s.finding("rescue-window")), (0, None));
}

#[test]
fn a_task_that_lives_on_is_not_at_risk() {
    let mut s = Scenario::healthy();
    outage(&mut s);
    let now = s.now();
    reads(&mut s, now, vec![task("a", "running", 2, now.before(Duration::from_secs(60))), task("b", "running", 0, now)], &[]);
    ledger(&mut s, &[("a", false), ("b", false)], true);
    for left in [2, 2, 0] {
        s.pass(25);
        let now = s.now();
        reads(&mut s, now, vec![task("a", "running", 2, now), task("b", "running", 0, now)], &[]);
        s.pass(1);
        assert_eq!(doc(&s).tasks.len(), left, "a minute of heartbeats after the outage");
    }
    assert!(doc(&s).tasks.is_empty(), "both have a heartbeat from after the outage: {:?}", doc(&s).tasks);
}

#[test]
fn what_the_target_does_not_tell_is_not_called_finished() {
    let mut s = Scenario::healthy();
    let wrote = s.now();
    let work = || vec![task("a", "running", 2, wrote)];
    let silent = |s: &mut Scenario| {
        for _ in 0..8 {
            s.pass(2);
            reads(s, wrote, work(), &[]);
        }
        s.pass(1);
    };
    reads(&mut s, wrote, work(), &[]);
    silent(&mut s);
    assert_eq!(s.finding("rescue-window").unwrap().severity, Level::Warning);
    let only = |s: &Scenario| doc(s).tasks[0].clone();
    assert_eq!((only(&s).done, only(&s).why_unknown.as_deref()), (DoneState::Unknown, Some("no target is configured")));
    ledger(&mut s, &[], false);
    s.pass(1);
    assert_eq!(only(&s).done, DoneState::Unknown, "the beginning of the ledger was not read");
    ledger(&mut s, &[], true);
    s.pass(1);
    assert_eq!(only(&s).done, DoneState::Untouched);
    // A line that is not understood may be the one of this task.
    ledger_with(&mut s, &[], true, 3);
    s.pass(1);
    assert_eq!(
        (only(&s).done, only(&s).why_unknown.as_deref()),
        (DoneState::Unknown, Some("it is not in what was understood there, and 3 lines are not understood"))
    );
    ledger(&mut s, &[("a", false)], true);
    s.pass(1);
    assert_eq!(only(&s).done, DoneState::Open);
    ledger(&mut s, &[("a", true)], true);
    s.pass(1);
    assert_eq!(only(&s).done, DoneState::Finished);
    s.report_failure(SourceId::new(SourceKind::Target, "vm3"), SourceError::new(ErrorKind::Refused, "refused"));
    s.pass(1);
    assert_eq!((only(&s).done, only(&s).why_unknown.as_deref()), (DoneState::Unknown, Some("the target vm3 cannot be asked")));
}

/// A ledger whose lines name no map index has one job for all of a mapped task.
#[test]
fn a_mapped_task_is_not_called_untouched_by_a_ledger_that_does_not_tell_which_it_was() {
    let mut s = Scenario::healthy();
    let wrote = s.now();
    let mapped = || vec![AirflowTask { map_index: 3, ..task("a", "running", 2, wrote) }];
    reads(&mut s, wrote, mapped(), &[]);
    for _ in 0..8 {
        s.pass(2);
        reads(&mut s, wrote, mapped(), &[]);
    }
    let only = |s: &Scenario| (doc(s).tasks[0].done, doc(s).tasks[0].map_index);
    ledger(&mut s, &[("a", true)], true);
    s.pass(1);
    assert_eq!(only(&s), (DoneState::Unknown, 3));
    ledger(&mut s, &[("b", true)], true);
    s.pass(1);
    assert_eq!(only(&s), (DoneState::Untouched, 3), "nothing of that task is written there");
}

/// Airflow runs more tasks than are read one by one.
#[test]
fn a_task_that_may_be_among_those_that_are_not_read_stays_at_risk() {
    let mut s = Scenario::healthy();
    outage(&mut s);
    let now = s.now();
    let others = |n: usize| (0..n).map(|n| task(&format!("other{n}"), "running", 2, now)).collect::<Vec<_>>();
    reads(&mut s, now, others(AirflowTask::MOST), &[]);
    s.pass(1);
    assert_eq!(doc(&s).tasks.len(), 2, "{:?}", doc(&s).tasks);
    assert_eq!(doc(&s).tasks[0].state, None);
    let now = s.now();
    reads(&mut s, now, others(AirflowTask::MOST - 1), &[]);
    s.pass(1);
    assert!(doc(&s).tasks.is_empty(), "all are read, and these are not among them: {:?}", doc(&s).tasks);
}

/// The whole server is away: nothing can be read, and nobody knows whether Airflow could write.
#[test]
fn what_ran_before_is_known_when_nothing_can_be_read_and_after_a_restart_of_ours() {
    let mut s = Scenario::healthy();
    let wrote = s.now();
    reads(&mut s, wrote, vec![task("a", "running", 2, wrote)], &[]);
    for _ in 0..8 {
        s.pass(1);
        s.report_failure(SourceId::new(SourceKind::Airflow, "psg"), SourceError::new(ErrorKind::Refused, "refused"));
    }
    s.pass(1);
    let told = doc(&s);
    assert_eq!((told.seen, told.tasks.len(), told.tasks[0].state.as_deref()), (false, 1, None));
    assert!(s.sentence("rescue-window").starts_with("whether Airflow can write is not known since "), "{}", s.sentence("rescue-window"));
    // Another of us, started later, reads what this one has written down.
    let memory = s.cluster().rescue_memory.clone();
    let text = serde_json::to_string(&memory).unwrap();
    let mut other = Scenario::healthy();
    other.report(SourceId::new(SourceKind::Audit, "psg"), Fact::Rescue(Box::new(serde_json::from_str(&text).unwrap())));
    other.pass(1);
    assert_eq!(doc(&other).tasks[0].run, "a");
    assert_eq!(doc(&other).tasks[0].mark_success.as_deref(), Some("airflow tasks run --raw --mark-success -- charge work a"));
}

#[test]
fn another_leader_is_an_outage_however_short() {
    let mut s = Scenario::healthy();
    let wrote = s.now();
    reads(&mut s, wrote, vec![task("a", "running", 2, wrote)], &[]);
    s.pass(1);
    s.leader("psg2");
    let now = s.now();
    reads(&mut s, now, vec![task("a", "running", 2, wrote)], &[]);
    s.pass(1);
    let told = doc(&s);
    assert_eq!((told.seen, told.from, told.until, told.tasks.len()), (true, wrote, Some(now), 1));
}
