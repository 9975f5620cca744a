//! The members: `member-down`, `member-missing`, `replica-not-streaming`, `timeline-behind`, `pending-restart`.

use pgbaton::document::{Level, Role};
use pgbaton::model::ErrorKind;
use serde_json::json;

use crate::scenario::Scenario;

#[test]
fn a_replica_that_is_down_is_a_warning() {
    let mut s = Scenario::healthy();
    s.crash("psg2").pass(1);
    let finding = s.finding("member-down").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("psg2")));
    assert_eq!(finding.sentence, "psg2 is down: its Patroni and its PostgreSQL refuse connections: not running");
    assert_eq!(s.codes(), ["member-down"]);
    let psg2 = s.member("psg2");
    assert_eq!((psg2.state.as_deref(), psg2.sessions, psg2.in_recovery, psg2.receive_lsn), (None, None, None, None));
    assert_eq!(psg2.last_known.as_deref(), Some("replica, streaming 1 s ago"));
    s.answers("rest psg2").answers("sql psg2").pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn what_answers_is_not_called_down() {
    let mut s = Scenario::healthy();
    s.fails("rest psg2", ErrorKind::Refused, "connection refused").pass(1);
    assert_eq!(s.sentence("member-down"), "the Patroni of psg2 refuses connections: not running; its PostgreSQL answers");
    s.fails("rest psg2", ErrorKind::Timeout, "no answer within 2 s").fails("sql psg2", ErrorKind::Auth, "the password is refused").pass(1);
    assert_eq!(s.sentence("member-down"), "the Patroni of psg2 does not answer (no answer within 2 s)", "a refused password is an answer");
    s.answers("sql psg2").fails("sql psg2", ErrorKind::Refused, "refused").fails(
        "rest psg2",
        ErrorKind::Tls,
        "the certificate has expired",
    );
    s.pass(1);
    assert_eq!(s.finding("member-down"), None, "nor is a certificate silence");
    s.pass(3);
    assert_eq!(s.sentence("source-stale"), "the Patroni of psg2 cannot be asked: the certificate has expired");
}

#[test]
fn a_leader_that_hands_over_is_no_failure() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
    s.patroni("psg1", json!({"state": "stopping", "replication_state": null})).pass(1);
    let finding = s.finding("member-down").unwrap();
    assert_eq!(finding.severity, Level::Warning);
    assert_eq!(finding.sentence, "psg1, the leader, hands over: Patroni calls it stopping, as a switchover is asked for");
    s.put("failover", "{}").pass(1);
    assert_eq!(s.finding("member-down").unwrap().severity, Level::Critical);
}

#[test]
fn what_is_silent_is_not_called_down() {
    let mut s = Scenario::healthy();
    s.fails("rest psg2", ErrorKind::Timeout, "no answer within 2 s").fails("sql psg2", ErrorKind::Timeout, "no answer within 2 s").pass(1);
    assert_eq!(
        s.sentence("member-down"),
        "psg2 is silent, down or cut off from here: neither its Patroni nor its PostgreSQL answers (no answer within 2 s)"
    );
}

#[test]
fn a_member_that_runs_but_does_not_serve_is_down() {
    let mut s = Scenario::healthy();
    s.patroni("psg3", json!({"state": "start failed", "replication_state": null})).fails("sql psg3", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.codes(), ["member-down"], "its PostgreSQL's silence is explained by it");
    assert_eq!(s.sentence("member-down"), "psg3 does not serve: Patroni calls it start failed");
    assert_eq!(s.member("psg3").state.as_deref(), Some("start failed"));
}

#[test]
fn a_member_whose_key_is_gone_stays_on_the_list() {
    let mut s = Scenario::healthy();
    s.crash("psg3").delete("members/psg3").pass(1);
    assert_eq!(s.codes(), ["member-missing"]);
    assert_eq!(s.sentence("member-missing"), "psg3 is missing: its key in etcd is gone");
    let psg3 = s.member("psg3");
    assert_eq!((psg3.present, psg3.missing_since.is_some(), psg3.role), (false, true, Role::Unknown));
    assert_eq!(psg3.host.as_deref(), Some("192.0.2.13"), "where it was is still known");

    s.answers("rest psg3").pass(1);
    assert_eq!(s.sentence("member-missing"), "psg3 is missing: its key in etcd is gone, yet its Patroni answers");
    s.answers("sql psg3").pass(1);
    assert_eq!(s.sentence("member-missing"), "psg3 is missing: its key in etcd is gone, yet its PostgreSQL answers");
    s.sql("psg3", |sql| sql.in_recovery = false).pass(1);
    let finding = s.finding("member-missing").unwrap();
    assert_eq!(finding.sentence, "psg3 is missing: its key in etcd is gone, yet its PostgreSQL accepts writes");
    assert_eq!(finding.severity, Level::Critical);

    s.answers("sql psg3").put("members/psg3", r#"{"conn_url": "postgres://192.0.2.13:5432/postgres", "role": "replica"}"#).pass(1);
    assert_eq!((s.verdict(), s.member("psg3").missing_since), ("healthy", None));
}

#[test]
fn a_replica_that_receives_nothing_is_found() {
    let mut s = Scenario::healthy();
    s.patroni("psg2", json!({"replication_state": "in archive recovery"})).sql("psg2", |sql| sql.receiver = None).pass(1);
    assert_eq!(s.codes(), ["replica-not-streaming"]);
    assert_eq!(s.sentence("replica-not-streaming"), "psg2 runs, but does not stream from anybody: it falls behind");
    let said: Vec<_> = s.finding("replica-not-streaming").unwrap().evidence.iter().map(|e| format!("{} {}", e.what, e.value)).collect();
    assert_eq!(said, ["replication_state in archive recovery", "pg_stat_wal_receiver no row"]);
    s.answers("rest psg2").answers("sql psg2").pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new());

    // By SQL alone.
    s.silent("rest psg2").sql("psg2", |sql| sql.receiver = None).pass(10);
    assert!(s.finding("replica-not-streaming").is_some());
}

#[test]
fn an_old_patroni_says_nothing_about_streaming() {
    let mut s = Scenario::healthy();
    let old = json!({"replication_state": null, "patroni": {"version": "3.0.2", "scope": "psg"}});
    s.patroni("psg2", old).pass(1);
    assert_eq!(s.finding("replica-not-streaming"), None, "SQL says that it streams");
    s.fails("sql psg2", ErrorKind::Auth, "the password is refused").pass(10);
    assert_eq!(s.finding("replica-not-streaming"), None, "nobody says that it does not");
    s.answers("sql psg2").sql("psg2", |sql| sql.receiver = None).pass(1);
    assert!(s.finding("replica-not-streaming").is_some());
    let new = json!({"patroni": {"version": "4.1.5", "scope": "psg"}});
    s.patroni("psg2", new).fails("sql psg2", ErrorKind::Auth, "the password is refused").pass(1);
    assert!(s.finding("replica-not-streaming").is_some(), "from 3.0.4 its absence says so");
}

#[test]
fn a_receiver_we_may_not_look_into_receives() {
    let mut s = Scenario::healthy();
    s.silent("rest psg2").sql("psg2", |sql| {
        let receiver = sql.receiver.as_mut().unwrap();
        (receiver.status, receiver.sender_host, receiver.timeline) = (None, None, None);
    });
    s.pass(10);
    assert_eq!(s.finding("replica-not-streaming"), None);
    assert_eq!(s.member("psg2").upstream, None);
}

#[test]
fn without_a_leader_nobody_is_blamed_for_not_streaming() {
    let mut s = Scenario::healthy();
    s.crash("psg1").delete("leader");
    for name in ["psg2", "psg3"] {
        s.patroni(name, json!({"replication_state": null})).sql(name, |sql| sql.receiver = None);
    }
    s.pass(1);
    assert_eq!(s.finding("replica-not-streaming"), None);
}

#[test]
fn a_replica_on_an_old_timeline_is_found_once_the_change_has_settled() {
    let mut s = Scenario::healthy();
    s.promote("psg2", 2).sql("psg3", |sql| sql.timeline = Some(1)).patroni("psg3", json!({"timeline": 1})).pass(5);
    assert_eq!(s.codes(), Vec::<&str>::new(), "it follows at its next loop");
    s.pass(8);
    assert_eq!(s.codes(), ["timeline-behind"]);
    assert_eq!(s.sentence("timeline-behind"), "psg3 is on timeline 1, the leader on 2: it cannot follow nor take over");
    s.sql("psg3", |sql| sql.timeline = Some(2)).pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new());
    s.sql("psg3", |sql| sql.timeline = None).patroni("psg3", json!({"timeline": null})).pass(1);
    assert_eq!((s.codes(), s.member("psg3").timeline), (vec![], None), "an unknown one is not another");
}

#[test]
fn a_setting_that_waits_is_named() {
    let mut s = Scenario::healthy();
    let why =
        json!({"max_connections": {"old_value": "100", "new_value": "200"}, "wal_level": {"old_value": "replica", "new_value": null}});
    s.patroni("psg2", json!({"pending_restart": true, "pending_restart_reason": why})).pass(1);
    assert_eq!(s.codes(), ["pending-restart"]);
    assert_eq!(
        s.sentence("pending-restart"),
        "psg2 runs with old settings until it is restarted: max_connections 100 -> 200, wal_level replica -> unset"
    );
    s.patroni("psg2", json!({"pending_restart": true, "pending_restart_reason": null})).pass(1);
    assert_eq!(s.sentence("pending-restart"), "psg2 runs with old settings until it is restarted");
    s.patroni("psg2", json!({"pending_restart": null})).pass(1);
    assert_eq!((s.codes(), s.member("psg2").pending_restart), (vec![], Some(false)));
    s.fails("rest psg2", ErrorKind::Refused, "refused").delete("members/psg2").pass(1);
    assert_eq!(s.member("psg2").pending_restart, None, "nobody current says");
}
