//! `stuck` and `restart-loop`: members that do not come up.

use pgbaton::document::Level;
use pgbaton::model::{ErrorKind, Time};
use serde_json::json;

use crate::scenario::Scenario;

/// psg3's Patroni calls it so, and its PostgreSQL refuses.
fn called(s: &mut Scenario, state: &str) {
    s.patroni("psg3", json!({"state": state, "replication_state": null})).fails("sql psg3", ErrorKind::Refused, "refused");
}

#[test]
fn a_member_that_does_not_come_up_is_down_first_and_stuck_then() {
    for state in ["start failed", "stopping", "crashed"] {
        let mut s = Scenario::healthy();
        called(&mut s, state);
        s.pass(61);
        assert_eq!(s.codes(), ["member-down"], "{state}");
        s.pass(1);
        assert_eq!(s.codes(), ["stuck"], "one of both: {state}");
        let finding = s.finding("stuck").unwrap();
        assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("psg3")));
        assert_eq!(finding.sentence, format!("psg3 is stuck: Patroni has called it {state} for 1 min"));
        s.pass(60);
        assert_eq!(s.sentence("stuck"), format!("psg3 is stuck: Patroni has called it {state} for 2 min"));
        assert_eq!(s.member("psg3").state_since.map(|since| s.now().since(since).as_secs()), Some(121));
        s.answers("rest psg3").answers("sql psg3").pass(1);
        assert_eq!((s.verdict(), s.member("psg3").state_since), ("healthy", None), "since when it streams is not known");
    }
}

#[test]
fn one_that_fails_and_starts_by_turns_is_stuck_since_the_first() {
    let mut s = Scenario::healthy();
    for _ in 0..8 {
        called(&mut s, "starting");
        s.pass(3);
        called(&mut s, "start failed");
        s.pass(7);
    }
    assert_eq!(s.sentence("stuck"), "psg3 is stuck: it has not served for 1 min, Patroni calls it start failed");
    // It served in between: that was not the same.
    s.answers("rest psg3").pass(1);
    called(&mut s, "starting");
    s.pass(50);
    assert_eq!(s.codes(), ["member-down"]);
}

#[test]
fn a_copy_may_take_its_time() {
    let mut s = Scenario::healthy();
    called(&mut s, "creating replica");
    s.pass(1801);
    assert_eq!(s.codes(), ["member-down"]);
    s.pass(1);
    assert_eq!(
        (s.codes(), s.sentence("stuck")),
        (vec!["stuck"], "psg3 is still being made: Patroni has called it creating replica for 30 min")
    );
}

#[test]
fn silence_is_not_being_stuck() {
    let mut s = Scenario::healthy();
    called(&mut s, "starting");
    s.pass(50).fails("rest psg3", ErrorKind::Refused, "refused").pass(31);
    assert_eq!(s.codes(), ["member-down"], "nobody current says what it does");
    called(&mut s, "starting");
    s.pass(5);
    assert_eq!(s.codes(), ["member-down"], "what it did meanwhile is not known");
    // A short gap is none.
    let mut s = Scenario::healthy();
    called(&mut s, "starting");
    s.pass(50).fails("rest psg3", ErrorKind::Timeout, "no answer").pass(4);
    called(&mut s, "starting");
    s.pass(10);
    assert_eq!(s.codes(), ["stuck"]);
    // Stopped is a state in which a member may be left, and a word that says nothing is no evidence.
    for state in ["stopped", "unknown"] {
        let mut s = Scenario::healthy();
        called(&mut s, state);
        s.pass(300);
        assert_eq!(s.codes(), ["member-down"], "{state}");
    }
}

#[test]
fn the_leader_has_a_finding_of_its_own() {
    let mut s = Scenario::healthy();
    s.patroni("psg1", json!({"state": "start failed"})).fails("sql psg1", ErrorKind::Refused, "refused").pass(100);
    assert_eq!(s.codes(), ["leader-cannot-write"]);
}

/// psg2's PostgreSQL was started so many seconds after the scenario's begin.
fn started(s: &mut Scenario, second: i64) {
    s.sql("psg2", |sql| sql.postmaster_start = Some(Time::from_micros(1_795_489_200_000_000 + second * 1_000_000))).pass(1);
}

#[test]
fn a_postgresql_that_is_started_again_and_again_is_found() {
    let mut s = Scenario::healthy();
    started(&mut s, 2);
    started(&mut s, 3);
    s.pass(60);
    assert_eq!(s.codes(), Vec::<&str>::new(), "twice is maintenance");
    started(&mut s, 60);
    assert_eq!(s.codes(), ["restart-loop"]);
    let finding = s.finding("restart-loop").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("psg2")));
    assert_eq!(finding.sentence, "the PostgreSQL of psg2 was started 3 times within 10 min, last 0 s ago");
    assert_eq!(finding.evidence.len(), 3);
    assert_eq!((finding.evidence[0].source.as_str(), finding.evidence[0].what.as_str()), ("sql psg2", "postmaster started"));
    s.pass(600);
    assert_eq!(s.codes(), Vec::<&str>::new(), "the first two are long ago");
}

#[test]
fn one_start_heard_twice_is_one() {
    let mut s = Scenario::healthy();
    // REST and SQL tell the same starts, a microsecond apart and one after the other.
    for second in 0..12 {
        let start = 1_795_489_201_000_000 + i64::from(second / 6) * 1_000_000;
        s.sql("psg2", |sql| sql.postmaster_start = Some(Time::from_micros(start + 1)));
        s.patroni("psg2", json!({"postmaster_start_time": Time::from_micros(start - i64::from(second % 2) * 1_000_000).to_string()}))
            .pass(1);
    }
    assert_eq!(s.codes(), Vec::<&str>::new());
    assert_eq!(s.cluster().members["psg2"].starts.seen.len(), 2);
    // What is no longer told has not been started again.
    s.sql("psg2", |sql| sql.postmaster_start = None).patroni("psg2", json!({"postmaster_start_time": null})).pass(3);
    assert_eq!(s.cluster().members["psg2"].starts.seen.len(), 2);
}
