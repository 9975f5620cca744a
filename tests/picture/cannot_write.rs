//! `leader-cannot-write`: who holds the leader key and does not accept writes.

use pgbaton::document::Level;
use pgbaton::model::ErrorKind;
use serde_json::json;

use crate::scenario::Scenario;

#[test]
fn a_holder_in_recovery_cannot_write() {
    let mut s = Scenario::healthy();
    s.sql("psg1", |sql| sql.in_recovery = true).pass(1);
    assert_eq!(s.codes(), ["leader-cannot-write"]);
    let finding = s.finding("leader-cannot-write").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Critical, Some("psg1")));
    assert_eq!(finding.sentence, "psg1 holds the leader key, but its PostgreSQL is in recovery: clients cannot write");
    let said: Vec<_> = finding.evidence.iter().map(|e| format!("{} {} {}", e.source, e.what, e.value)).collect();
    assert!(said.contains(&"sql psg1 pg_is_in_recovery() true".to_owned()), "{said:?}");
    s.answers("sql psg1").pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn a_promotion_may_take_a_moment() {
    let mut s = Scenario::healthy();
    s.crash("psg1").delete("leader").delete("members/psg1").pass(1);
    s.leader("psg2").writes_go_to(&["psg2"]).pass(2);
    assert_eq!(s.finding("leader-cannot-write"), None, "{:?}", s.codes());
    s.pass(2);
    assert_eq!(s.sentence("leader-cannot-write"), "psg2 holds the leader key, but its PostgreSQL is in recovery: clients cannot write");
    assert_eq!(s.finding("leader-disagreement"), None, "one finding for one thing: {}", s.sentence("leader-disagreement"));
    s.promote("psg2", 2).pass(1);
    assert_eq!(s.codes(), ["member-missing"]);
}

#[test]
fn a_holder_that_does_not_serve_is_told_by_patronis_word_and_once() {
    for state in ["start failed", "crashed", "stopping", "stopped", "starting", "restarting", "restart failed"] {
        let mut s = Scenario::healthy();
        s.patroni("psg1", json!({"state": state})).fails("sql psg1", ErrorKind::Refused, "refused").pass(1);
        let told = format!("psg1 holds the leader key, but its PostgreSQL does not serve: Patroni calls it {state}: clients cannot write");
        assert_eq!((s.codes(), s.sentence("leader-cannot-write")), (vec!["leader-cannot-write"], told.as_str()));
        s.pass(7);
        assert!(s.sentence("leader-cannot-write").contains("does not serve for 7 s"), "{}", s.sentence("leader-cannot-write"));
    }
}

#[test]
fn what_is_not_known_to_fail_is_not_said_to() {
    // PostgreSQL accepts writes, whatever Patroni calls it.
    let mut s = Scenario::healthy();
    s.patroni("psg1", json!({"state": "stopping"})).pass(1);
    assert_eq!(s.finding("leader-cannot-write"), None);
    // A word that says nothing; silence.
    for state in ["unknown", "levitating"] {
        let mut s = Scenario::healthy();
        s.patroni("psg1", json!({"state": state})).fails("sql psg1", ErrorKind::Timeout, "no answer").pass(1);
        assert_eq!(s.finding("leader-cannot-write"), None, "{state}");
    }
    let mut s = Scenario::healthy();
    s.crash("psg1").pass(2);
    assert_eq!(s.finding("leader-cannot-write"), None, "nobody current says");
    // A standby cluster's leader is in recovery by design.
    let mut s = Scenario::healthy();
    s.merge("config", json!({"standby_cluster": {"host": "192.0.2.50"}}));
    s.patroni("psg1", json!({"role": "standby_leader"})).sql("psg1", |sql| sql.in_recovery = true).pass(15);
    assert_eq!(s.finding("leader-cannot-write"), None);
    // etcd is not read any more: who holds the key is not known.
    let mut s = Scenario::healthy();
    s.fails("dcs", ErrorKind::Timeout, "no answer").sql("psg1", |sql| sql.in_recovery = true).pass(8);
    assert_eq!(s.finding("leader-cannot-write"), None);
}

#[test]
fn a_leader_that_hands_over_as_asked_is_no_alarm_for_a_while() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#).pass(1);
    assert_eq!(s.codes(), ["switchover"]);
    s.patroni("psg1", json!({"state": "stopping"})).fails("sql psg1", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.codes(), ["switchover", "leader-cannot-write"]);
    assert_eq!(s.finding("leader-cannot-write").unwrap().severity, Level::Warning);
    assert_eq!(s.sentence("leader-cannot-write"), "psg1 hands over as asked: clients cannot write until psg2 takes over");
    s.pass(19);
    assert_eq!(s.finding("leader-cannot-write").unwrap().severity, Level::Critical, "it waits for something");
    assert_eq!(
        s.sentence("leader-cannot-write"),
        "psg1 holds the leader key, but its PostgreSQL does not serve for 19 s: Patroni calls it stopping: clients cannot write"
    );
    // One that is scheduled for later is no reason to stop now.
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "scheduled_at": "2026-11-25T03:00:00+00:00"}"#);
    s.patroni("psg1", json!({"state": "stopping"})).fails("sql psg1", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.finding("leader-cannot-write").unwrap().severity, Level::Critical);
}

#[test]
fn somebody_else_who_writes_is_still_told() {
    let mut s = Scenario::healthy();
    s.sql("psg1", |sql| sql.in_recovery = true).sql("psg2", |sql| sql.in_recovery = false).pass(1);
    assert_eq!(s.sentence("leader-cannot-write"), "psg1 holds the leader key, but its PostgreSQL is in recovery");
    assert_eq!(s.sentence("leader-disagreement"), "psg1 holds the leader key, but by SQL psg2 accepts writes");
}
