//! `airflow-silent`: by the heartbeats in the metadata, and by health endpoints.

use std::time::Duration;

use pgbaton::model::*;

use crate::scenario::{Scenario, airflow_at_rest};

const ENDPOINT: &str = "10.0.0.1:8974";

/// The metadata is read: each program, and how many seconds ago its heartbeat was.
fn beats(s: &mut Scenario, programs: &[(&str, u64)]) {
    let component = |(kind, ago): &(&str, u64)| AirflowComponent {
        kind: (*kind).to_owned(),
        host: None,
        state: Some("running".to_owned()),
        heartbeat: Some(s.now().before(Duration::from_secs(*ago))),
    };
    let status = AirflowStatus { components: programs.iter().map(component).collect(), ..airflow_at_rest(s.now()) };
    s.report(SourceId::new(SourceKind::Airflow, "psg"), Fact::Airflow(Box::new(status)));
}

fn answers(s: &mut Scenario, status: u16, programs: &[(&str, &str)]) {
    let program = |(name, state): &(&str, &str)| AirflowProgram { name: (*name).to_owned(), state: (*state).to_owned(), heartbeat: None };
    let health = AirflowHealth { status, programs: programs.iter().map(program).collect() };
    s.report(SourceId::new(SourceKind::AirflowHealth, ENDPOINT), Fact::AirflowHealth(health));
}

fn fails(s: &mut Scenario, kind: ErrorKind) {
    s.report_failure(SourceId::new(SourceKind::AirflowHealth, ENDPOINT), SourceError::new(kind, "so it is"));
}

fn sentence(s: &Scenario, code: &str) -> Option<String> {
    s.finding(code).map(|finding| finding.sentence.clone())
}

#[test]
fn a_program_without_a_heartbeat_is_told_whatever_its_state_says() {
    let told = |programs: &[(&str, u64)]| {
        let mut s = Scenario::healthy();
        beats(&mut s, programs);
        sentence(&s, "airflow-silent")
    };
    assert_eq!(told(&[("SchedulerJob", 4), ("TriggererJob", 29)]), None);
    // A scheduler that was followed by another one leaves its row behind.
    assert_eq!(told(&[("SchedulerJob", 900), ("SchedulerJob", 4)]), None);
    assert_eq!(
        told(&[("SchedulerJob", 43), ("TriggererJob", 61)]).as_deref(),
        Some("Airflow is not whole: the scheduler had its last heartbeat 43 s ago; the triggerer had its last heartbeat 1 min ago")
    );
    assert_eq!(told(&[]).as_deref(), Some("Airflow is not whole: no scheduler was heard of within the last hour"));
}

#[test]
fn what_an_endpoint_complains_of_is_told_and_what_is_silent_too() {
    let mut s = Scenario::healthy();
    answers(&mut s, 200, &[]);
    assert_eq!(sentence(&s, "airflow-silent"), None);
    answers(&mut s, 503, &[]);
    assert_eq!(sentence(&s, "airflow-silent").as_deref(), Some("Airflow is not whole: by 10.0.0.1:8974 it answers 503"));
    answers(&mut s, 200, &[("metadatabase", "healthy"), ("triggerer", "unhealthy")]);
    assert_eq!(sentence(&s, "airflow-silent").as_deref(), Some("Airflow is not whole: by 10.0.0.1:8974 triggerer is unhealthy"));
    fails(&mut s, ErrorKind::Refused);
    let told = sentence(&s, "airflow-silent");
    assert_eq!(told.as_deref(), Some("Airflow is not whole: nobody answers at 10.0.0.1:8974 (so it is)"));
    assert_eq!(sentence(&s, "source-stale"), None, "it is told once");
}

/// A certificate that we do not accept says nothing of Airflow.
#[test]
fn what_is_wrong_with_us_is_no_silence_of_airflows() {
    let mut s = Scenario::healthy();
    answers(&mut s, 200, &[]);
    for _ in 0..9 {
        s.pass(1);
        fails(&mut s, ErrorKind::Tls);
    }
    assert_eq!(sentence(&s, "airflow-silent"), None);
    let told = sentence(&s, "source-stale");
    assert_eq!(told.as_deref(), Some("what 10.0.0.1:8974 says of Airflow's health is not known: so it is"));
    let document = s.document();
    assert_eq!(document.airflow, None, "no metadata is configured in this scenario");
}
