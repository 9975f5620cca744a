//! The life of a finding: when it is raised, what is told of it, when it is over.

use std::time::Duration;

use pgbaton::document::Level;
use pgbaton::model::{ChangeKind, ErrorKind};
use serde_json::json;

use crate::scenario::Scenario;

#[test]
fn a_finding_has_a_start_and_an_end_among_the_events() {
    let mut s = Scenario::healthy();
    s.crash("psg3").pass(1);
    assert_eq!(s.lives(), ["finding-raised: psg3 is down: its Patroni and its PostgreSQL refuse connections: not running"]);
    s.pass(30);
    assert_eq!(s.lives(), Vec::<String>::new());
    s.answers("rest psg3").answers("sql psg3").pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new(), "it is not shown any more");
    assert_eq!(s.lives(), Vec::<String>::new(), "it may be back in a moment");
    s.pass(6);
    assert_eq!(s.lives(), ["finding-cleared: member-down of psg3 is over; it was seen for 30 s"]);
    s.crash("psg3").pass(1);
    assert_eq!(s.lives(), ["finding-raised: psg3 is down: its Patroni and its PostgreSQL refuse connections: not running"]);
}

#[test]
fn the_end_of_a_finding_says_since_when_and_how_long() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"pause": true})).pass(4);
    s.merge("config", json!({"pause": null})).pass(7);
    let changes = s.raw_changes();
    let begun = changes.iter().find(|c| matches!(c.kind, ChangeKind::FindingRaised { .. })).unwrap();
    let over = changes.iter().find(|c| matches!(c.kind, ChangeKind::FindingCleared { .. })).unwrap();
    assert_eq!(
        (begun.code(), begun.severity(), over.code(), over.severity()),
        ("finding-raised", Level::Warning, "finding-cleared", Level::Ok)
    );
    let ChangeKind::FindingCleared { code, subject, since, seconds, now: None } = &over.kind else { panic!("{over:?}") };
    assert_eq!((code.as_str(), subject.as_deref(), *since, *seconds), ("paused", None, begun.at, 4.0));
}

#[test]
fn one_that_flaps_is_one() {
    let mut s = Scenario::healthy();
    s.crash("psg3").pass(1);
    let since = s.finding("member-down").unwrap().since;
    for _ in 0..5 {
        s.answers("rest psg3").answers("sql psg3").pass(2);
        assert_eq!(s.codes(), Vec::<&str>::new(), "what is not true now is not shown");
        s.crash("psg3").pass(2);
        assert_eq!(s.finding("member-down").unwrap().since, since);
    }
    assert_eq!(s.lives(), ["finding-raised: psg3 is down: its Patroni and its PostgreSQL refuse connections: not running"]);
}

#[test]
fn a_severity_that_changes_is_told() {
    let mut s = Scenario::healthy();
    s.leader("psg3").pass(1);
    let wrong = "psg3 holds the leader key, but by REST psg1 leads, by SQL psg1 accepts writes, the write routes lead to psg1";
    assert_eq!(s.lives()[0], format!("finding-raised: {wrong}; the change is under way"));
    s.pass(12);
    assert_eq!(
        s.lives(),
        [
            "finding-raised: psg3 holds the leader key, but its PostgreSQL is in recovery".to_owned(),
            format!("finding-changed: leader-disagreement is critical, was warning: {wrong}"),
            "finding-changed: route-wrong of vm1 primary is critical, was warning: vm1 sends writes to psg1, but psg3 leads".to_owned(),
        ]
    );
}

#[test]
fn what_is_found_first_has_not_happened() {
    let mut s = Scenario::unheard();
    s.merge("config", json!({"pause": true})).crash("psg3").silent("sql psg2").list().pass(3);
    s.answers("sql psg2").pass(3);
    assert_eq!(s.codes(), ["member-down", "paused"]);
    assert_eq!(s.lives(), Vec::<String>::new(), "psg2's PostgreSQL was the last to answer");
    s.crash("psg2").pass(1);
    assert_eq!(s.lives(), ["finding-raised: psg2 is down: its Patroni and its PostgreSQL refuse connections: not running"]);
    s.answers("rest psg3").answers("sql psg3").pass(7);
    assert_eq!(s.lives(), ["finding-cleared: member-down of psg3 is over; it was seen for 6 s"], "its end has happened");
}

/// psg1 was read before psg2 had become writable, and has not been read since.
#[test]
fn two_writers_that_were_read_one_after_the_other_are_no_split_brain_yet() {
    let mut quiet = Scenario::healthy();
    quiet.silent("sql psg1").sql("psg2", |sql| sql.in_recovery = false).later(Duration::from_millis(300));
    assert_eq!(quiet.codes(), Vec::<&str>::new());
    assert_eq!(quiet.document().headline.level, Level::Unknown, "it is not called healthy meanwhile");
    assert_eq!(quiet.verdict(), "the sources do not say the same; they are being asked again");
    // psg1 had stopped by then.
    let mut stopped = quiet;
    stopped.answers("sql psg1").sql("psg1", |sql| sql.in_recovery = true).moment();
    assert_eq!(stopped.finding("split-brain"), None);

    let mut both = Scenario::healthy();
    both.silent("sql psg1").sql("psg2", |sql| sql.in_recovery = false).later(Duration::from_millis(300));
    let first = both.now();
    both.answers("sql psg1").moment();
    let told = "psg1 and psg2 both accept writes: their data part ways; since that was seen psg1 has written 0 B";
    assert!(both.sentence("split-brain").starts_with(told), "{}", both.sentence("split-brain"));
    assert!(both.finding("split-brain").unwrap().since > first, "it is there from its proof on");
    let lives = both.lives();
    assert!(lives.len() == 1 && lives[0].starts_with(&format!("finding-raised: {told}")), "{lives:?}");
}

#[test]
fn a_route_that_was_read_before_the_leader_changed_is_not_wrong_yet() {
    let mut s = Scenario::healthy();
    s.silent("haproxy vm1").moment();
    s.promote("psg2", 2).moment();
    assert_eq!(s.finding("route-wrong"), None);
    s.answers("haproxy vm1").moment();
    assert_eq!(s.sentence("route-wrong"), "vm1 sends writes to psg1, but psg2 leads");
}

/// Its last answer was read before its Patroni fell silent; they fell silent together.
#[test]
fn a_postgresql_is_not_said_to_answer_because_it_was_asked_before() {
    let mut s = Scenario::healthy();
    s.fails("rest psg2", ErrorKind::Refused, "connection refused").silent("sql psg2").moment();
    assert_eq!(s.finding("member-down"), None);
    s.crash("psg2").moment();
    assert_eq!(s.lives(), ["finding-raised: psg2 is down: its Patroni and its PostgreSQL refuse connections: not running"]);

    let mut alone = Scenario::healthy();
    alone.fails("rest psg2", ErrorKind::Refused, "connection refused").moment();
    assert_eq!(alone.lives(), ["finding-raised: the Patroni of psg2 refuses connections: not running; its PostgreSQL answers"]);

    // The leader's silence is told at once, but no more than is known.
    let mut leader = Scenario::healthy();
    leader.fails("rest psg1", ErrorKind::Refused, "connection refused").silent("sql psg1").moment();
    let told = "finding-raised: psg1's Patroni refuses connections: not running, its lease ends in 28 s, then psg2 or psg3 takes over";
    assert_eq!(leader.lives(), [told]);
    leader.answers("sql psg1").moment();
    assert!(leader.sentence("leader-silent").ends_with("; its PostgreSQL still accepts writes"), "{}", leader.sentence("leader-silent"));
}

#[test]
fn who_wrote_before_the_key_was_gone_is_not_said_to_write() {
    let mut s = Scenario::healthy();
    s.silent("sql psg1").moment();
    s.delete("leader").moment();
    assert_eq!(s.sentence("no-leader"), "nobody leads: the leader key is gone");
    s.answers("sql psg1").moment();
    assert_eq!(s.sentence("no-leader"), "nobody holds the leader key, yet psg1 accepts writes");
}

#[test]
fn a_member_is_not_said_to_answer_because_it_did_before_its_key_was_gone() {
    let mut s = Scenario::healthy();
    s.silent("rest psg3").silent("sql psg3").moment();
    s.delete("members/psg3").moment();
    assert_eq!(s.finding("member-missing"), None);
    s.crash("psg3").moment();
    assert_eq!(s.lives(), ["finding-raised: psg3 is missing: its key in etcd is gone"]);
}
