//! What is told as a change, and in which words; and what is not one.

use pgbaton::model::{ChangeKind, ErrorKind, Level, Time};
use serde_json::{Value, json};

use crate::scenario::Scenario;

#[test]
fn a_failover_is_told_in_the_order_in_which_it_happens() {
    let mut s = Scenario::healthy();
    s.crash("psg1").pass(1);
    assert_eq!(
        s.changes(),
        [
            "member-state: psg1 is not known, was running",
            "source-lost: rest psg1 fails: connection refused",
            "source-lost: sql psg1 fails: connection refused",
        ]
    );
    s.delete("leader").pass(1);
    assert_eq!(s.changes(), ["leader-lost: nobody leads: psg1 no longer holds the leader key", "member-role: psg1 is unknown, was leader"]);
    s.delete("members/psg1");
    assert_eq!(s.changes(), ["member-missing: psg1 is missing: its key in etcd is gone"]);
    s.promote("psg2", 2);
    assert_eq!(
        s.changes(),
        [
            "leader-changed: psg2 leads, after psg1: psg1 gave the leader key up, and nobody had asked for it; 1 s without a leader",
            "member-role: psg2 is leader, was replica"
        ]
    );
    s.pass(1);
    let told = s.changes();
    assert!(
        told.contains(&"timeline: timeline 2, after 1".to_owned()) || told.contains(&"timeline-changed: timeline 2, after 1".to_owned())
    );
    assert!(told.contains(&"member-state: psg2 is running, was streaming".to_owned()), "{told:?}");
    assert!(told.contains(&"route-changed: vm1 primary sends to psg2, was psg1".to_owned()), "{told:?}");
    assert_eq!(told.len(), 4, "{told:?}");
}

/// A PostgreSQL that is killed and started at once is away for less than a finding takes; its sessions are gone all the same.
#[test]
fn a_postgresql_that_was_started_anew_is_told_once_however_short_it_was_away() {
    let mut s = Scenario::healthy();
    s.pass(1).changes();
    let started = Time::from_micros(s.now().as_micros() - 400_000);
    s.sql("psg2", |sql| sql.postmaster_start = Some(started)).pass(1);
    let told =
        format!("postgres-started: the PostgreSQL of psg2 was started anew, by its clock at {started}: every session on it has ended");
    assert_eq!(s.changes(), [told]);
    // REST tells the same start a microsecond apart.
    s.patroni("psg2", json!({"postmaster_start_time": Time::from_micros(started.as_micros() - 1).to_string()})).pass(1);
    assert_eq!(s.changes(), [""; 0]);
}

#[test]
fn a_member_comes_back() {
    let mut s = Scenario::healthy();
    s.crash("psg3").delete("members/psg3").pass(1).changes();
    s.put("members/psg3", r#"{"role": "replica"}"#).answers("rest psg3").answers("sql psg3").pass(1);
    let told = s.changes();
    for expected in [
        "member-returned: psg3 is back",
        "source-returned: rest psg3 answers again",
        "source-returned: sql psg3 answers again",
        "member-state: psg3 is streaming, was not known",
        "member-role: psg3 is replica, was unknown",
    ] {
        assert!(told.contains(&expected.to_owned()), "{expected}: {told:?}");
    }
}

#[test]
fn a_new_member_is_told_and_its_first_answer_is_not() {
    let mut s = Scenario::healthy();
    s.put("members/psg4", r#"{"role": "replica", "state": "running"}"#).pass(1);
    assert_eq!(s.changes(), ["member-added: psg4 is a member"]);
}

#[test]
fn maintenance_and_settings() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"pause": true}));
    assert_eq!(s.changes(), ["paused: paused: Patroni will not act on its own"]);
    s.merge("config", json!({"pause": null, "ttl": 20, "postgresql": {"parameters": {"max_connections": 200}}}));
    let changes = s.raw_changes();
    assert_eq!((changes[0].code(), changes[0].severity()), ("resumed", Level::Ok));
    assert_eq!(changes[1].sentence(), "configuration changed: ttl 30 -> 20; postgresql null -> {\"parameters\":{\"max_connections\":200}}");
    s.merge("config", json!({"postgresql": {"parameters": {"max_connections": 300}}}));
    let changes = s.raw_changes();
    let ChangeKind::ConfigChanged { keys } = &changes[0].kind else { panic!("{changes:?}") };
    assert_eq!((keys.len(), keys[0].key.as_str()), (1, "postgresql.parameters.max_connections"));
    assert_eq!((&keys[0].from, &keys[0].to), (&json!(200), &json!(300)));
    s.merge("config", json!({"postgresql": null}));
    let changes = s.raw_changes();
    let ChangeKind::ConfigChanged { keys } = &changes[0].kind else { panic!("{changes:?}") };
    assert_eq!((keys[0].key.as_str(), &keys[0].to), ("postgresql", &Value::Null));
    s.put("config", "{").pass(1);
    s.put("config", r#"{"ttl": 20, "loop_wait": 10, "retry_timeout": 10, "maximum_lag_on_failover": 1048576}"#).pass(1);
    assert_eq!(s.changes(), Vec::<String>::new(), "what could not be read in between has not changed");
}

#[test]
fn a_long_setting_is_seen_to_change_at_its_end() {
    let mut s = Scenario::healthy();
    let long = "x".repeat(2_000);
    s.merge("config", json!({"postgresql": {"parameters": {"archive_command": format!("{long}1")}}})).changes();
    s.merge("config", json!({"postgresql": {"parameters": {"archive_command": format!("{long}2")}}}));
    assert_eq!(s.raw_changes().len(), 1);
}

#[test]
fn the_synchronous_set() {
    let mut s = Scenario::healthy();
    s.put("sync", r#"{"leader": "psg1", "sync_standby": "psg2"}"#);
    assert_eq!(s.changes(), ["sync-changed: synchronous set: psg2, was nobody"]);
    s.put("sync", r#"{"leader": "psg1", "sync_standby": "psg2,psg3"}"#);
    assert_eq!(s.changes(), ["sync-changed: synchronous set: psg2, psg3, was psg2"]);
    s.put("sync", "?").pass(1);
    assert_eq!(s.changes(), Vec::<String>::new(), "what cannot be read is not empty");
    s.delete("sync");
    assert_eq!(s.changes(), ["sync-changed: synchronous set: nobody, was psg2, psg3"]);
}

#[test]
fn a_switchover_is_asked_for_and_withdrawn() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
    assert_eq!(s.changes(), ["switchover-requested: switchover from psg1 to psg2 is asked for"]);
    s.put("failover", r#"{"leader": "psg1", "scheduled_at": "2026-11-24T07:55:00+00:00"}"#);
    assert_eq!(s.changes(), ["switchover-requested: switchover from psg1 is scheduled for 2026-11-24T07:55:00.000Z"]);
    assert_eq!(s.document().cluster.scheduled_switchover.as_ref().unwrap().from.as_deref(), Some("psg1"));
    s.put("failover", "{").pass(1);
    assert_eq!(s.changes(), Vec::<String>::new());
    s.put("failover", "{}");
    assert_eq!(s.changes(), ["switchover-cleared: no switchover is asked for any more"]);
    s.delete("failover");
    assert_eq!(s.changes(), Vec::<String>::new(), "an empty request was none");
}

#[test]
fn the_quorum_goes_and_comes() {
    let mut s = Scenario::healthy();
    for n in 1..=3 {
        s.etcd(n, |status| status.leader_id = None);
    }
    s.fails("dcs", ErrorKind::Unavailable, "etcd has no leader").fails("lease", ErrorKind::Unavailable, "etcd has no leader").pass(1);
    let changes = s.raw_changes();
    let lost = changes.iter().find(|c| c.code() == "quorum-lost").unwrap();
    assert_eq!((lost.severity(), lost.sentence().as_str()), (Level::Critical, "etcd has lost its quorum"));
    for source in ["etcd 1", "etcd 2", "etcd 3", "dcs", "lease"] {
        s.answers(source);
    }
    s.pass(1);
    assert!(s.changes().contains(&"quorum-regained: etcd has a quorum again, after 1 s without".to_owned()));
}

#[test]
fn a_source_that_fails_in_another_way_is_told_once_for_each_way() {
    let mut s = Scenario::healthy();
    s.fails("haproxy vm1", ErrorKind::Refused, "connection refused").pass(3);
    assert_eq!(s.changes(), ["source-lost: haproxy vm1 fails: connection refused"]);
    s.fails("haproxy vm1", ErrorKind::Auth, "the password is refused").pass(30);
    assert_eq!(s.changes(), ["source-lost: haproxy vm1 fails: the password is refused"]);
    s.answers("haproxy vm1").pass(1);
    assert_eq!(s.changes(), ["source-returned: haproxy vm1 answers again"], "the route leads where it did");
}

#[test]
fn an_answer_that_grows_old_changes_what_is_known() {
    let mut s = Scenario::healthy();
    s.silent("rest psg2").pass(7);
    assert_eq!(s.changes(), ["member-state: psg2 is not known, was streaming"]);
}

#[test]
fn a_cluster_made_anew() {
    let mut s = Scenario::healthy();
    s.put("initialize", "7711553202865957151");
    let changes = s.raw_changes();
    assert_eq!(changes[0].sentence(), "the cluster was made anew: system identifier 7711553202865957151, was 7711549358043286544");
    assert_eq!((changes[0].code(), changes[0].severity()), ("system-identifier-changed", Level::Critical));
    s.delete("initialize");
    assert_eq!(s.changes(), ["system-identifier-changed: the cluster 7711553202865957151 is gone from etcd"]);
}

#[test]
fn a_write_route_that_leads_to_nobody_or_to_two_is_critical() {
    let mut s = Scenario::healthy();
    s.writes_go_to(&["psg1", "psg2"]).pass(1);
    let changes = s.raw_changes();
    let write = changes.iter().find(|c| c.sentence().starts_with("vm1 primary")).unwrap();
    assert_eq!((write.severity(), write.sentence().as_str()), (Level::Critical, "vm1 primary sends to psg1, psg2, was psg1"));
    let read = changes.iter().find(|c| c.sentence().starts_with("vm1 replicas")).unwrap();
    assert_eq!(read.severity(), Level::Warning);
}

#[test]
fn nothing_changes_while_nothing_changes() {
    let mut s = Scenario::healthy();
    s.pass(60);
    assert_eq!(s.changes(), Vec::<String>::new());
}

#[test]
fn a_change_is_one_flat_object() {
    let mut s = Scenario::healthy();
    s.leader("psg2");
    let change = s.raw_changes().remove(0);
    let value = serde_json::to_value(&change).unwrap();
    let evidence = |source: &str, what: &str, value: &str| json!({"at": "2026-11-24T03:00:02.000000Z", "source": source, "what": what, "value": value});
    let expected = json!({"at": "2026-11-24T03:00:02.000000Z", "event": "leader-changed", "from": "psg1", "to": "psg2", "timeline": 1,
    "seconds": null, "cause": {"kind": "unknown"}, "evidence": [
        evidence("rest psg1", "role and state", "primary, running"),
        evidence("sql psg1", "pg_is_in_recovery()", "false"),
        evidence("etcd", "leader key", "its end was not seen"),
        evidence("etcd", "leader key", "psg2"),
    ]});
    assert_eq!(value, expected);
    assert_eq!(serde_json::from_value::<pgbaton::model::Change>(value).unwrap(), change);
}

#[test]
fn a_timeline_does_not_go_back_with_a_leader_that_is_still_a_standby() {
    let mut s = Scenario::healthy();
    s.promote("psg2", 2).pass(2);
    s.patroni("psg3", json!({"timeline": 2})).changes();
    // Its last restart point is from before the change of leader.
    s.sql("psg3", |sql| (sql.timeline, sql.receiver) = (Some(1), None));
    s.leader("psg3").pass(1);
    let told = s.changes();
    assert!(told.iter().any(|line| line.starts_with("leader-changed: psg3 leads")), "{told:?}");
    assert!(!told.iter().any(|line| line.contains("timeline 1")), "{told:?}");
    // Nor on the screen: its Patroni knows better, and without that it is not known.
    assert_eq!((s.document().cluster.timeline, s.member("psg3").timeline), (Some(2), Some(2)));
    s.patroni("psg3", json!({"timeline": null})).pass(1);
    assert_eq!((s.document().cluster.timeline, s.member("psg3").timeline), (None, None));
}
