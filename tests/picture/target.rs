//! The machine on which tasks work: started twice, started and not known to Airflow, not reached.

use std::time::Duration;

use pgbaton::document::Level;
use pgbaton::model::*;

use crate::scenario::{Scenario, airflow_at_rest};

fn key(run: &str) -> TaskKey {
    TaskKey { dag: "charge".into(), run: run.into(), task: "work".into(), map_index: -1 }
}

/// A task that was started so often, so many seconds ago, and has ended or not.
fn job(s: &Scenario, run: &str, starts: u32, ago: u64, ended: bool) -> Job {
    let started = s.now().before(Duration::from_secs(ago));
    Job { key: key(run), starts, started: Some(started), ended, ended_at: None, again: false, try_number: None }
}

fn says(s: &mut Scenario, jobs: Vec<Job>) {
    let book = RunBook { kind: BookKind::Ledger, whole: true, unread: 0, jobs };
    let status = TargetStatus { load: Some([0.4, 0.3, 0.2]), cpus: Some(4), space: None, book: Some(Ok(book)) };
    s.report(SourceId::new(SourceKind::Target, "vm3"), Fact::Target(Box::new(status)));
}

/// Airflow runs these.
fn runs(s: &mut Scenario, runs: &[&str]) {
    let task = |run: &&str| AirflowTask {
        dag: "charge".into(),
        task: "work".into(),
        run: (*run).into(),
        map_index: -1,
        state: "running".into(),
        try_number: 1,
        max_tries: 2,
        host: None,
        pool: "default_pool".into(),
        started: None,
        queued: None,
        heartbeat: Some(s.now()),
    };
    let status = AirflowStatus { work: runs.iter().map(task).collect(), ..airflow_at_rest(s.now()) };
    s.report(SourceId::new(SourceKind::Airflow, "psg"), Fact::Airflow(Box::new(status)));
}

#[test]
fn a_start_after_an_end_is_critical_and_one_before_it_a_warning() {
    let mut s = Scenario::healthy();
    let once = job(&s, "a", 1, 600, true);
    says(&mut s, vec![once.clone()]);
    s.pass(1);
    assert_eq!(s.verdict(), "healthy");
    let twice = job(&s, "b", 2, 60, true);
    says(&mut s, vec![once.clone(), twice.clone()]);
    s.pass(1);
    assert_eq!(s.codes(), ["target-run-twice"]);
    let finding = s.finding("target-run-twice").unwrap();
    assert_eq!(finding.severity, Level::Warning);
    assert_eq!(finding.sentence, "vm3 has started tasks again, though the first start has no end: charge.work of b 2 times");
    says(&mut s, vec![once, Job { again: true, ..twice.clone() }]);
    s.pass(1);
    assert_eq!(s.finding("target-run-twice").unwrap().severity, Level::Critical);
    assert_eq!(s.document().target.as_ref().unwrap().book.as_ref().unwrap().twice.len(), 1);
    // What is over a day old has been told.
    let old = Job { started: Some(s.now().before(Duration::from_secs(25 * 3600))), ..twice };
    says(&mut s, vec![old]);
    s.pass(1);
    assert_eq!(s.finding("target-run-twice"), None);
}

#[test]
fn a_start_without_an_end_that_airflow_does_not_run_is_an_orphan() {
    let mut s = Scenario::healthy();
    runs(&mut s, &["a"]);
    let jobs = |s: &Scenario| vec![job(s, "a", 1, 60, false), job(s, "b", 1, 60, true), job(s, "c", 1, 4, false)];
    let told = jobs(&s);
    says(&mut s, told);
    s.pass(1);
    assert_eq!(s.verdict(), "healthy", "it runs, it has ended, it has just begun");
    // Airflow is asked more often: what it does not have any more may have ended since the ledger was read.
    runs(&mut s, &[]);
    s.pass(3);
    runs(&mut s, &[]);
    s.pass(2);
    assert_eq!(s.verdict(), "healthy", "the ledger was read before");
    let told = jobs(&s);
    says(&mut s, told);
    s.pass(1);
    runs(&mut s, &[]);
    assert_eq!(s.codes(), ["target-orphan"]);
    assert!(s.sentence("target-orphan").starts_with("vm3 has begun charge.work of a 1 min ago and its ledger has no end of it"));
}

/// Unknown is not "does not run".
#[test]
fn without_airflows_word_nothing_is_an_orphan() {
    let mut s = Scenario::healthy();
    let open = job(&s, "a", 1, 60, false);
    says(&mut s, vec![open.clone()]);
    s.pass(1);
    assert_eq!(s.verdict(), "healthy");
    assert_eq!(s.document().target.as_ref().unwrap().book.as_ref().unwrap().open[0].runs_in_airflow, None);
    runs(&mut s, &[]);
    s.report_failure(SourceId::new(SourceKind::Airflow, "psg"), SourceError::new(ErrorKind::Refused, "refused"));
    says(&mut s, vec![open]);
    s.pass(1);
    assert_eq!(s.finding("target-orphan"), None);
}

#[test]
fn a_target_that_is_not_reached_is_told_and_so_is_a_ledger_that_is_not_there() {
    let mut s = Scenario::healthy();
    says(&mut s, Vec::new());
    for _ in 0..5 {
        s.report_failure(SourceId::new(SourceKind::Target, "vm3"), SourceError::new(ErrorKind::Timeout, "ssh: vm3 does not answer"));
        s.pass(1);
    }
    assert_eq!(s.codes(), ["target-unreachable"], "and nobody says it a second time");
    assert_eq!(s.sentence("target-unreachable"), "the target vm3 cannot be asked: ssh: vm3 does not answer");
    assert!(!s.document().target.as_ref().unwrap().asked.fresh);
    let status = TargetStatus { book: Some(Err("the ledger is not there".into())), ..TargetStatus::default() };
    s.report(SourceId::new(SourceKind::Target, "vm3"), Fact::Target(Box::new(status)));
    s.pass(1);
    assert_eq!(s.sentence("target-unreachable"), "what tasks have done on the target vm3 cannot be read: the ledger is not there");
}

#[test]
fn a_ledger_of_which_nothing_is_understood_is_not_one_in_which_nothing_has_happened() {
    let mut s = Scenario::healthy();
    let holds = |s: &mut Scenario, jobs: Vec<Job>| {
        let book = RunBook { kind: BookKind::Ledger, whole: true, unread: 7, jobs };
        let status = TargetStatus { book: Some(Ok(book)), ..TargetStatus::default() };
        s.report(SourceId::new(SourceKind::Target, "vm3"), Fact::Target(Box::new(status)));
        s.pass(1);
    };
    holds(&mut s, Vec::new());
    assert_eq!(s.codes(), ["target-unreachable"]);
    assert_eq!(
        s.sentence("target-unreachable"),
        "what tasks have done on the target vm3 cannot be read: none of the 7 lines there is understood"
    );
    let known = job(&s, "a", 1, 600, true);
    holds(&mut s, vec![known]);
    assert_eq!(s.finding("target-unreachable"), None, "the format is right, and other lines stand there too");
}
