//! Why another leads: what is told as the cause of a change of leader, and what is not concluded.

use pgbaton::model::{Cause, Change, ChangeKind, ErrorKind, Level, SourceKind};
use serde_json::json;

use crate::scenario::Scenario;

/// The change of leader among what has changed, and its sentence.
fn changed(s: &mut Scenario) -> Change {
    let changes = s.raw_changes();
    changes.iter().find(|c| c.code() == "leader-changed").unwrap_or_else(|| panic!("{changes:?}")).clone()
}

fn cause(change: &Change) -> &Cause {
    let ChangeKind::LeaderChanged { cause, .. } = &change.kind else { panic!("{change:?}") };
    cause
}

/// The evidence as `at: source what value`, the time in seconds since the scenario began.
fn evidence(s: &Scenario, change: &Change) -> Vec<String> {
    let since = |at: pgbaton::model::Time| (at.as_micros() - s.began().as_micros()) as f64 / 1e6;
    let line = |sign: &pgbaton::model::Sign| {
        let at = sign.at.map_or("before".to_owned(), |at| since(at).to_string());
        format!("{at}: {} {}: {}", sign.source, sign.what, sign.value)
    };
    change.evidence().iter().map(line).collect()
}

/// The leader's node dies with its etcd member: REST, SQL and etcd fall silent one after the other, then its lease runs out.
#[test]
fn a_crash_is_told_with_the_order_in_which_its_sources_fell_silent() {
    let mut s = Scenario::healthy();
    s.fails("rest psg1", ErrorKind::Refused, "connection refused").pass(1);
    s.fails("sql psg1", ErrorKind::Broken, "the connection broke off").pass(1);
    s.fails("etcd 1", ErrorKind::Refused, "connection refused").pass(29);
    s.lease_runs_out("psg1");
    s.moment().promote("psg2", 2);
    let change = changed(&mut s);
    assert_eq!(
        change.sentence(),
        "psg2 leads, after psg1: psg1 fell silent (REST 30 s before, SQL 29 s before, its etcd 28 s before), then its lease ran out; \
         0.1 s without a leader"
    );
    let ChangeKind::LeaderChanged { timeline, seconds, cause, .. } = &change.kind else { panic!("{change:?}") };
    assert_eq!((*timeline, *seconds), (Some(1), Some(0.1)));
    let Cause::Crash { leader, silent, lease_ran_out } = cause else { panic!("{cause:?}") };
    let order: Vec<SourceKind> = silent.iter().map(|s| s.source).collect();
    assert_eq!((leader.as_str(), *lease_ran_out), ("psg1", true));
    assert_eq!(order, [SourceKind::Rest, SourceKind::Sql, SourceKind::Etcd]);
    assert_eq!(
        evidence(&s, &change),
        [
            "3: rest psg1 silent since then: connection refused",
            "4: sql psg1 silent since then: the connection broke off",
            "5: etcd http://192.0.2.11:2379 silent since then: connection refused",
            "33: etcd leader key: gone, in one revision with the member's own key: its lease ran out",
            "33.1: etcd leader key: psg2",
        ]
    );
}

/// kill -9 of Patroni alone: PostgreSQL goes on, and is not among the silent.
#[test]
fn what_still_answered_is_not_said_to_be_silent() {
    let mut s = Scenario::healthy();
    s.fails("rest psg1", ErrorKind::Refused, "connection refused").pass(25);
    s.lease_runs_out("psg1").moment().promote("psg2", 2);
    let change = changed(&mut s);
    assert!(change.sentence().starts_with("psg2 leads, after psg1: psg1 fell silent (REST 24 s before), then its lease ran out;"));
    assert!(evidence(&s, &change).contains(&"27: sql psg1 pg_is_in_recovery(): false".to_owned()), "{:?}", evidence(&s, &change));
}

#[test]
fn a_switchover_is_told_as_asked_for() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#).moment();
    s.patroni("psg1", json!({"role": "demoted", "state": "stopped"})).fails("sql psg1", ErrorKind::Unavailable, "shutting down").moment();
    s.delete("leader").moment().promote("psg2", 2).moment();
    s.put("failover", "{}");
    let change = changed(&mut s);
    assert_eq!(change.sentence(), "psg2 leads, after psg1: a switchover to psg2 was asked for; 0.1 s without a leader");
    let asked = Cause::AskedFor { from: Some("psg1".into()), to: Some("psg2".into()), scheduled_at: None };
    assert_eq!((cause(&change), change.severity()), (&asked, Level::Warning));
    let evidence = evidence(&s, &change);
    assert_eq!(evidence[0], "2: etcd failover key: asked for from psg1 to psg2");
    assert!(evidence.contains(&"2.2: rest psg1 role and state: demoted, stopped".to_owned()), "{evidence:?}");
    assert!(evidence.contains(&"2.2: etcd leader key: deleted by its holder".to_owned()), "{evidence:?}");
    let told = serde_json::to_value(&change).unwrap();
    assert_eq!(told["cause"], json!({"kind": "asked-for", "from": "psg1", "to": "psg2", "scheduled_at": null}));
    assert_eq!(serde_json::from_value::<Change>(told).unwrap(), change);
}

/// As it goes on a real cluster: the leader stops, the others' streams end, the key is given up, everybody follows.
#[test]
fn nobody_is_said_to_fall_behind_while_the_leader_changes() {
    let mut s = Scenario::healthy();
    let stopped = json!({"replication_state": "in archive recovery"});
    s.patroni("psg1", json!({"state": "stopping"})).fails("sql psg1", ErrorKind::Refused, "connection refused");
    s.patroni("psg2", stopped.clone()).sql("psg2", |sql| sql.receiver = None);
    s.patroni("psg3", stopped).sql("psg3", |sql| sql.receiver = None).pass(2);
    assert_eq!(s.codes(), ["leader-cannot-write"]);
    s.silent("rest psg1").moment();
    s.delete("leader").moment();
    assert_eq!(s.codes(), ["no-leader", "member-down"], "that psg1 accepts writes was said before");
    s.answers("rest psg1").patroni("psg1", json!({"state": "stopped", "role": "demoted"})).moment();
    assert_eq!(s.codes(), ["no-leader", "member-down"]);
    s.promote("psg2", 2).patroni("psg3", json!({"replication_state": "in archive recovery"})).sql("psg3", |sql| sql.receiver = None);
    s.pass(11);
    assert_eq!(s.finding("replica-not-streaming"), None);
    s.pass(2);
    assert_eq!(s.sentence("replica-not-streaming"), "psg3 runs, but does not stream from anybody: it falls behind");
}

#[test]
fn a_switchover_that_is_due_later_explains_nothing() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "scheduled_at": "2026-11-24T07:55:00+00:00"}"#).crash("psg1").pass(30);
    s.lease_runs_out("psg1").moment().promote("psg2", 2);
    assert!(matches!(cause(&changed(&mut s)), Cause::Crash { .. }));
    let mut due = Scenario::healthy();
    due.put("failover", r#"{"leader": "psg1", "scheduled_at": "2026-11-24T03:00:10+00:00"}"#).pass(8);
    due.delete("leader").moment().promote("psg3", 2);
    assert_eq!(
        changed(&mut due).sentence(),
        "psg3 leads, after psg1: a switchover was scheduled for 2026-11-24T03:00:10.000Z; 0.1 s without a leader"
    );
}

#[test]
fn a_request_that_was_withdrawn_or_means_another_explains_nothing() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1"}"#).put("failover", "{}").pass(11);
    s.delete("leader").moment().promote("psg2", 2);
    assert_eq!(cause(&changed(&mut s)), &Cause::Released { leader: "psg1".into() });
    let mut other = Scenario::healthy();
    other.put("failover", r#"{"leader": "psg3", "member": "psg2"}"#).delete("leader").moment().promote("psg2", 2);
    assert_eq!(cause(&changed(&mut other)), &Cause::Released { leader: "psg1".into() });
}

/// systemctl stop patroni on the leader: it deletes its key itself.
#[test]
fn a_leader_that_stops_has_given_its_key_up() {
    let mut s = Scenario::healthy();
    s.patroni("psg1", json!({"state": "stopping"})).fails("sql psg1", ErrorKind::Unavailable, "shutting down").pass(1);
    s.delete("leader").moment().crash("psg1").promote("psg2", 2);
    assert_eq!(
        changed(&mut s).sentence(),
        "psg2 leads, after psg1: psg1 gave the leader key up, and nobody had asked for it; 0.1 s without a leader"
    );
}

/// Nothing can be renewed without a quorum; when it is back, the lease runs out, and another is faster.
#[test]
fn a_lost_quorum_is_the_cause_and_its_length_is_told() {
    let mut s = Scenario::healthy();
    s.quorum_lost().pass(20);
    s.patroni("psg1", json!({"role": "replica"})).sql("psg1", |sql| sql.in_recovery = true).pass(25);
    s.raw_changes();
    for source in ["etcd 1", "etcd 2", "etcd 3", "dcs", "lease"] {
        s.answers(source);
    }
    s.pass(1);
    let regained = s.changes();
    assert!(regained.contains(&"quorum-regained: etcd has a quorum again, after 45 s without".to_owned()), "{regained:?}");
    s.pass(4).lease_runs_out("psg1").moment().promote("psg2", 2);
    let change = changed(&mut s);
    assert_eq!(
        change.sentence(),
        "psg2 leads, after psg1: etcd had no quorum for 45 s, so psg1 could not renew its lease; 0.1 s without a leader"
    );
    let evidence = evidence(&s, &change);
    assert_eq!(evidence[..2], ["3: etcd quorum: lost", "48: etcd quorum: regained"], "{evidence:?}");
    assert!(evidence.contains(&"52: sql psg1 pg_is_in_recovery(): true".to_owned()), "{evidence:?}");
}

/// The leader's node reaches us and not etcd: it steps down, and its lease runs out.
#[test]
fn a_leader_that_answers_us_and_does_not_renew_its_lease() {
    let mut s = Scenario::healthy();
    s.patroni("psg1", json!({"role": "demoted", "dcs_last_seen": 1_795_489_190})).pass(20);
    s.lease_runs_out("psg1").moment().promote("psg2", 2);
    let change = changed(&mut s);
    assert_eq!(
        change.sentence(),
        "psg2 leads, after psg1: psg1 did not renew its lease, though its Patroni answered; 0.1 s without a leader"
    );
    let evidence = evidence(&s, &change);
    assert!(evidence.contains(&"22: rest psg1 etcd last seen: 2026-11-24T02:59:50.000Z".to_owned()), "{evidence:?}");
}

#[test]
fn nothing_is_concluded_where_nothing_was_seen() {
    // Nobody watched: the list that comes after a gap names another.
    let mut gap = Scenario::healthy();
    gap.fails("dcs", ErrorKind::Timeout, "no answer").pass(3);
    gap.promote("psg2", 2).answers("dcs").pass(1);
    let change = changed(&mut gap);
    assert_eq!((change.sentence().as_str(), cause(&change)), ("psg2 leads, after psg1: why is not known", &Cause::Unknown));
    // Nobody's Patroni answers us: that the leader's does not says nothing of the leader.
    let mut cut = Scenario::healthy();
    cut.crash("psg1").crash("psg2").crash("psg3").pass(25);
    cut.lease_runs_out("psg1").moment().leader("psg2");
    assert_eq!(cause(&changed(&mut cut)), &Cause::Unknown);
    // A password that is refused is no silence.
    let mut refused = Scenario::healthy();
    refused.fails("rest psg1", ErrorKind::Auth, "the certificate is refused").pass(25);
    refused.lease_runs_out("psg1").moment().promote("psg2", 2);
    assert_eq!(cause(&changed(&mut refused)), &Cause::Unknown);
}

#[test]
fn a_first_leader_follows_nobody() {
    let mut s = Scenario::unheard();
    s.delete("leader").list().pass(2);
    s.raw_changes();
    s.leader("psg1");
    assert_eq!(changed(&mut s).sentence(), "psg1 leads");
}

#[test]
fn a_leader_that_comes_back_to_its_key() {
    let mut s = Scenario::healthy();
    s.fails("rest psg1", ErrorKind::Timeout, "no answer within 2 s").pass(25);
    s.lease_runs_out("psg1").moment().answers("rest psg1").pass(2);
    s.leader("psg1");
    assert_eq!(
        changed(&mut s).sentence(),
        "psg1 leads: psg1 fell silent (REST 26 s before), then its lease ran out; 2.1 s without a leader"
    );
}

#[test]
fn how_long_a_route_led_nowhere_and_a_pause_lasted_is_told() {
    let mut s = Scenario::healthy();
    s.writes_go_to(&[]).pass(1).changes();
    s.pass(11).writes_go_to(&["psg1"]).pass(1);
    assert!(s.changes().contains(&"route-changed: vm1 primary sends to psg1, after it led nowhere for 12 s".to_owned()));
    s.merge("config", json!({"pause": true})).pass(90);
    s.merge("config", json!({"pause": null}));
    assert!(s.changes().contains(&"resumed: resumed, after a pause of 1 min".to_owned()));
    // What was so when we came has lasted for nobody knows how long.
    let mut late = Scenario::unheard();
    late.writes_go_to(&[]).merge("config", json!({"pause": true})).list().pass(5);
    late.changes();
    late.writes_go_to(&["psg1"]).merge("config", json!({"pause": null})).pass(1);
    let told = late.changes();
    assert!(told.contains(&"route-changed: vm1 primary sends to psg1, was nobody".to_owned()), "{told:?}");
    assert!(told.contains(&"resumed: resumed".to_owned()), "{told:?}");
}
