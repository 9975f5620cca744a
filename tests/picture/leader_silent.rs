//! `leader-silent`: the first sign of a crash, and what is no such sign.

use pgbaton::document::Level;
use pgbaton::model::ErrorKind;

use crate::scenario::Scenario;

#[test]
fn a_silent_leader_is_told_with_its_lease_and_who_follows() {
    let mut s = Scenario::healthy();
    s.lease(27).pass(1);
    s.fails("rest psg1", ErrorKind::Refused, "connection refused").pass(1);
    assert_eq!(
        s.verdict(),
        "psg1's Patroni refuses connections: not running, last answer 1 s ago, its lease ends in 27 s, then psg2 or psg3 takes over; its PostgreSQL still accepts writes"
    );
    s.lease(23).pass(4);
    let finding = s.finding("leader-silent").unwrap();
    assert!(
        finding.sentence.starts_with("psg1's Patroni refuses connections: not running, last answer 5 s ago, its lease ends in 23 s"),
        "{}",
        finding.sentence
    );
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Critical, Some("psg1")));
    assert!(finding.evidence.iter().any(|e| e.source == "rest psg1" && e.value == "connection refused"), "{:#?}", finding.evidence);
    assert_eq!(s.codes(), ["leader-silent"], "it is not told a second time as a member that is down");
    s.answers("rest psg1").pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn a_leader_that_renews_its_lease_lives() {
    let mut s = Scenario::healthy();
    s.fails("rest psg1", ErrorKind::Timeout, "no answer within 2 s").fails("sql psg1", ErrorKind::Timeout, "no answer within 2 s");
    s.lease(20).pass(4);
    assert_eq!(s.finding("leader-silent").unwrap().severity, Level::Critical, "nothing says yet that it lives");
    // etcd's new raft leader has extended every lease, right after the old one went: that is not the leader's doing.
    s.lease(28).pass(1);
    assert_eq!(s.finding("leader-silent").unwrap().severity, Level::Critical);
    s.lease(30).pass(4);
    let finding = s.finding("leader-silent").unwrap();
    assert_eq!(finding.severity, Level::Warning);
    assert!(finding.sentence.contains("renewed its lease 0 s ago: it lives, and only we do not reach it"), "{}", finding.sentence);
}

#[test]
fn nobody_to_take_over_is_said_in_the_same_breath() {
    let mut s = Scenario::healthy();
    s.crash("psg2").crash("psg3").fails("rest psg1", ErrorKind::Refused, "connection refused").pass(1);
    let sentence = s.sentence("leader-silent");
    assert!(sentence.contains("then nobody takes over (psg2 is down, psg3 is down)"), "{sentence}");
}

#[test]
fn a_password_that_is_refused_is_no_silence() {
    let mut s = Scenario::healthy();
    s.fails("rest psg1", ErrorKind::Tls, "certificate required").pass(1);
    assert_eq!(s.finding("leader-silent"), None);
}
