//! `upstream-unexpected`: whom a replica receives from.

use pgbaton::document::Level;
use pgbaton::model::{ErrorKind, PostgresStatus};
use serde_json::json;

use crate::scenario::Scenario;

fn from(host: &str) -> impl FnOnce(&mut PostgresStatus) + '_ {
    move |sql| sql.receiver.as_mut().unwrap().sender_host = Some(host.to_owned())
}

fn no_row(sql: &mut PostgresStatus) {
    sql.replication.retain(|row| row.application_name != "psg3");
}

#[test]
fn a_replica_that_follows_another_than_the_leader_is_found() {
    let mut s = Scenario::healthy();
    s.sql("psg3", from("192.0.2.12")).pass(16);
    assert_eq!(s.codes(), Vec::<&str>::new(), "its Patroni sets it right at its next loop");
    s.pass(1);
    assert_eq!(s.codes(), ["upstream-unexpected"]);
    let finding = s.finding("upstream-unexpected").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("psg3")));
    assert_eq!(finding.sentence, "psg3 receives from psg2, not from the leader psg1");
    let said: Vec<_> = finding.evidence.iter().map(|e| format!("{} {} {}", e.source, e.what, e.value)).collect();
    assert_eq!(said, ["sql psg3 pg_stat_wal_receiver sender psg2", "etcd leader key psg1"]);
    assert_eq!(s.member("psg3").upstream.as_deref(), Some("psg2"));
    s.answers("sql psg3").pass(1);
    assert_eq!(s.verdict(), "healthy");
    s.merge("config", json!({"loop_wait": 20, "ttl": 60})).sql("psg3", from("192.0.2.12")).pass(26);
    assert_eq!(s.codes(), Vec::<&str>::new(), "a longer loop takes longer");
    s.pass(1);
    assert_eq!(s.codes(), ["upstream-unexpected"]);
}

#[test]
fn a_cascade_that_was_asked_for_is_right() {
    let mut s = Scenario::healthy();
    s.merge("members/psg3", json!({"tags": {"replicatefrom": "psg2"}})).sql("psg3", from("192.0.2.12")).pass(30);
    assert_eq!(s.codes(), Vec::<&str>::new());
    // It follows the leader though psg2 is there.
    s.answers("sql psg3").pass(17);
    assert_eq!(s.sentence("upstream-unexpected"), "psg3 receives from psg1, not from psg2 as its tag replicatefrom asks");
    // psg2 is away: then the leader is right.
    s.crash("psg2").pass(1);
    assert_eq!(s.finding("upstream-unexpected"), None);
    s.delete("members/psg2").pass(30);
    assert_eq!(s.finding("upstream-unexpected"), None);
    // The tag names nobody, or itself, or the leader.
    for name in ["psg9", "psg3", "psg1"] {
        let mut s = Scenario::healthy();
        s.merge("members/psg3", json!({"tags": {"replicatefrom": name}})).pass(30);
        assert_eq!(s.codes(), Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn an_address_that_nobody_has_counts_when_the_leader_denies_it() {
    let mut s = Scenario::healthy();
    s.sql("psg3", from("db-vip.example")).pass(30);
    assert_eq!(s.codes(), Vec::<&str>::new(), "the leader says that it sends to psg3: that is a name of its own");
    s.sql("psg1", no_row).pass(17);
    assert_eq!(s.sentence("upstream-unexpected"), "psg3 receives from db-vip.example:5432, which is no member, not from the leader psg1");
    s.silent("sql psg1").pass(8);
    assert_eq!(s.finding("upstream-unexpected"), None, "nobody denies it");
}

#[test]
fn what_is_not_known_or_settles_is_not_unexpected() {
    // After a change of leader replicas follow at their next loop.
    let mut s = Scenario::healthy();
    s.promote("psg2", 2).sql("psg3", from("192.0.2.11")).sql("psg2", no_row).pass(11);
    assert_eq!(s.finding("upstream-unexpected"), None);
    // Hidden, not receiving, old, told not to stream.
    let mut s = Scenario::healthy();
    s.sql("psg3", |sql| sql.receiver.as_mut().unwrap().sender_host = None).pass(30);
    assert_eq!(s.codes(), Vec::<&str>::new());
    s.sql("psg3", from("192.0.2.12")).merge("members/psg3", json!({"tags": {"nostream": true}})).pass(30);
    assert_eq!(s.finding("upstream-unexpected"), None);
    let mut s = Scenario::healthy();
    s.sql("psg3", from("192.0.2.12")).pass(20).fails("sql psg3", ErrorKind::Timeout, "no answer").pass(1);
    assert_eq!(s.finding("upstream-unexpected"), None);
    // Without a leader there is nobody to follow; a standby cluster's leader follows another cluster.
    let mut s = Scenario::healthy();
    s.sql("psg3", from("192.0.2.12")).crash("psg1").delete("leader").pass(30);
    assert_eq!(s.finding("upstream-unexpected"), None);
    let mut s = Scenario::healthy();
    s.merge("config", json!({"standby_cluster": {"host": "192.0.2.50"}})).patroni("psg1", json!({"role": "standby_leader"}));
    s.answers("sql psg2").sql("psg1", |sql| sql.in_recovery = true).pass(30);
    assert_eq!(s.finding("upstream-unexpected"), None);
}
