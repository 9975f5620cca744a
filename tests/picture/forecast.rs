//! Who would take over, and what would be lost.

use pgbaton::document::{Document, Level};
use pgbaton::model::{ErrorKind, Lsn, ReplicationRow};
use serde_json::json;

use crate::scenario::{Scenario, WRITTEN};

fn next(s: &mut Scenario) -> (Vec<String>, String) {
    let document: &Document = s.document();
    (document.forecast.next.clone(), document.forecast.sentence.clone())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

/// The replica has the WAL only up to so many bytes before the leader's position, by every voice.
fn behind(s: &mut Scenario, name: &str, bytes: u64) {
    let at = Lsn(WRITTEN - bytes);
    s.sql(name, |sql| {
        sql.receive_lsn = Some(at);
        sql.replay_lsn = Some(at);
    });
    s.patroni(name, json!({"xlog": {"received_location": at.0, "replayed_location": at.0, "replayed_timestamp": null, "paused": false}}));
    s.sql("psg1", |sql| {
        for row in sql.replication.iter_mut().filter(|r| r.application_name == name) {
            *row = ReplicationRow { write_lsn: Some(at), flush_lsn: Some(at), replay_lsn: Some(at), flush_lag: Some(2.4), ..row.clone() };
        }
    });
}

#[test]
fn two_alike_are_left_to_chance() {
    let mut s = Scenario::healthy();
    assert_eq!(next(&mut s), (names(&["psg2", "psg3"]), "psg2 or psg3, nothing lost".to_owned()));
    let document = s.document();
    assert_eq!((document.forecast.leader.as_deref(), document.forecast.lost_bytes), (Some("psg1"), Some(0)));
    assert_eq!(s.member("psg1").can_take_over, None);
    assert_eq!(s.member("psg2").can_take_over, Some(true));
}

#[test]
fn one_that_is_too_far_behind_cannot_and_one_a_little_behind_does_not() {
    let mut s = Scenario::healthy();
    behind(&mut s, "psg2", 4 << 20);
    s.pass(1);
    assert_eq!(next(&mut s).0, names(&["psg3"]));
    let reasons = &s.member("psg2").cannot_because;
    assert_eq!((reasons[0].code.as_str(), reasons[0].stage.as_str()), ("lagging", "race"));
    assert_eq!(reasons[0].short, "is 4.0 MB behind (limit 1.0 MB)");

    let mut s = Scenario::healthy();
    behind(&mut s, "psg2", 512 << 10);
    s.pass(1);
    assert_eq!(next(&mut s).0, names(&["psg3"]), "it could, but psg3 is ahead of it");
    assert_eq!(s.member("psg2").can_take_over, Some(true));
    assert!(s.member("psg2").questions[2].because.ends_with("it could, but psg3 goes before it"), "{:?}", s.member("psg2").questions);
}

#[test]
fn what_would_be_lost_is_what_the_next_one_lacks() {
    let mut s = Scenario::healthy();
    behind(&mut s, "psg2", 300 << 10);
    behind(&mut s, "psg3", 300 << 10);
    s.pass(1);
    assert_eq!(next(&mut s).1, "psg2 or psg3, up to 300 kB, 2 s lost");
    assert_eq!((s.document().forecast.lost_bytes, s.document().forecast.lost_seconds), (Some(300 << 10), Some(2.4)));
}

#[test]
fn nobody_can_is_said_with_each_reason() {
    let mut s = Scenario::healthy();
    behind(&mut s, "psg2", 4 << 20);
    s.patroni("psg3", json!({"tags": {"nofailover": true}})).pass(1);
    assert_eq!(next(&mut s).1, "nobody can take over: psg2 is 4.0 MB behind (limit 1.0 MB), psg3 has nofailover");
    let finding = s.finding("no-candidate").unwrap();
    let sentence = "if psg1 died now, nobody could take over: psg2 is 4.0 MB behind (limit 1.0 MB), psg3 has nofailover";
    assert_eq!((finding.severity, finding.sentence.as_str()), (Level::Warning, sentence));
}

#[test]
fn priorities_decide_between_equals_only() {
    let mut s = Scenario::healthy();
    s.patroni("psg3", json!({"tags": {"failover_priority": 2}})).pass(1);
    assert_eq!(next(&mut s).0, names(&["psg3"]));
    behind(&mut s, "psg3", 512 << 10);
    s.pass(1);
    assert_eq!(next(&mut s).0, names(&["psg2"]), "the position comes first");

    let mut s = Scenario::healthy();
    s.patroni("psg3", json!({"tags": {"failover_priority": "0"}})).pass(1);
    assert_eq!(next(&mut s).0, names(&["psg2"]), "a priority of 0 is nofailover");
    assert_eq!(s.member("psg3").cannot_because[0].code, "nofailover");
}

#[test]
fn in_synchronous_mode_only_the_synchronous_set_may() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"synchronous_mode": true})).put("sync", json!({"leader": "psg1", "sync_standby": "PSG3"})).pass(1);
    assert_eq!(next(&mut s), (names(&["psg3"]), "psg3, no acknowledged commit lost".to_owned()));
    assert_eq!(s.member("psg2").cannot_because[0].code, "not-sync");
    s.put("sync", json!({"leader": "psg1", "sync_standby": ""})).pass(1);
    assert_eq!(next(&mut s).0, names(&[]));
    // The leader has not written its name there yet: synchronous mode is asked for, but not active.
    s.put("sync", json!({"leader": null, "sync_standby": null})).pass(1);
    assert_eq!(next(&mut s).0, names(&["psg2", "psg3"]));
}

#[test]
fn with_quorum_commit_votes_are_counted() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"synchronous_mode": "quorum"}));
    s.put("sync", json!({"leader": "psg1", "sync_standby": "psg2,psg3", "quorum": 1})).pass(1);
    assert_eq!(next(&mut s).0, names(&["psg2", "psg3"]));
    // One of two voters is down: the other lacks its word.
    s.crash("psg3").pass(1);
    assert_eq!(next(&mut s).0, names(&[]));
    assert_eq!(s.member("psg2").cannot_because[0].short, "would get 0 of 1 votes");
}

#[test]
fn an_old_timeline_counts_only_where_patroni_looks_at_it() {
    let mut s = Scenario::healthy();
    s.put("history", json!([[1, 5, "no recovery target specified"]]).to_string());
    s.sql("psg1", |sql| sql.timeline = Some(2)).sql("psg3", |sql| sql.timeline = Some(2)).pass(1);
    assert_eq!(next(&mut s).0, names(&["psg2", "psg3"]));
    s.merge("config", json!({"check_timeline": true})).pass(1);
    assert_eq!(next(&mut s).0, names(&["psg3"]));
    assert_eq!(s.member("psg2").cannot_because[0].short, "is on timeline 1, not 2");
}

#[test]
fn silence_is_no_knowledge() {
    let mut s = Scenario::healthy();
    s.fails("rest psg2", ErrorKind::Timeout, "no answer within 2 s").fails("rest psg3", ErrorKind::Timeout, "no answer within 2 s").pass(1);
    assert_eq!(next(&mut s).1, "not known: psg2 does not answer, psg3 does not answer");
    assert_eq!(s.finding("no-candidate"), None, "they may well answer each other");
    assert_eq!((s.member("psg2").can_take_over, s.document().forecast.outcome.as_str()), (None, "unknown"));
}

#[test]
fn pause_and_a_lost_quorum_keep_everybody_away() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"pause": true})).pass(1);
    assert_eq!(next(&mut s).1, "nobody can take over: the cluster is paused");
    assert_eq!(s.codes(), ["paused"], "the pause says it");

    let mut s = Scenario::healthy();
    assert_eq!(s.document().forecast.without_quorum, "psg1 would step down: failsafe mode is off");
    s.merge("config", json!({"failsafe_mode": true}));
    s.put("failsafe", json!({"psg1": "http://a", "psg2": "http://b", "psg3": "http://c"})).pass(1);
    assert_eq!(s.document().forecast.leader_stays_without_quorum, Some(true));
    s.crash("psg3").pass(1);
    let without = &s.document().forecast.without_quorum;
    assert_eq!(without, "psg1 would step down: failsafe mode needs every member, and psg3 does not answer");
}

#[test]
fn without_a_leader_it_says_who_is_next() {
    let mut s = Scenario::healthy();
    s.crash("psg1").delete("leader").pass(1);
    assert_eq!(next(&mut s).1, "psg2 or psg3 takes over");
    behind(&mut s, "psg2", 4 << 10);
    s.pass(1);
    assert_eq!(next(&mut s).0, names(&["psg3"]), "now that nobody writes any more, every byte counts");
    assert_eq!(s.document().forecast.leader, None);
}

#[test]
fn beside_a_primary_that_answers_nobody_promotes() {
    let mut s = Scenario::healthy();
    s.delete("leader").pass(1);
    assert_eq!(next(&mut s).0, names(&["psg1"]), "it takes the key again");
    assert_eq!(s.member("psg2").cannot_because[0].short, "waits while psg1 accepts writes");
    assert_eq!(s.finding("no-candidate"), None);
}

#[test]
fn before_anybody_was_heard_nothing_is_known() {
    let s = Scenario::unheard();
    let document = s.document();
    assert_eq!((document.forecast.outcome.as_str(), document.forecast.sentence.as_str()), ("unknown", "not known"));
}

/// It may not win itself, but Patroni promotes nobody who is behind somebody that answers.
#[test]
fn one_that_may_not_lead_can_be_in_the_way() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"failsafe_mode": true}));
    s.put("failsafe", json!({"psg1": "http://a", "psg2": "http://b"}));
    behind(&mut s, "psg2", 512 << 10);
    s.pass(1);
    let told = "nobody can take over: psg2 gives way to psg3, which is ahead, psg3 is not in the failsafe key";
    assert_eq!(next(&mut s), (names(&[]), told.to_owned()));
}
