//! Whole scenes, step by step: at each step these findings and no others, and none that says the same as another.

use pgbaton::document::Level;
use pgbaton::model::{ErrorKind, EtcdStatus, Lsn};
use serde_json::json;

use crate::scenario::{Scenario, WRITTEN};

const REFUSED: &str = "connection refused";

fn alone(status: &mut EtcdStatus) {
    status.leader_id = None;
    status.errors = vec!["etcdserver: no leader".to_owned()];
}

#[test]
fn a_healthy_cluster_of_every_make_is_quiet() {
    // An old Patroni everywhere; one that leaves much out; no rights on pg_control; another user's receiver.
    let mut s = Scenario::healthy();
    for name in ["psg1", "psg2", "psg3"] {
        let role = if name == "psg1" { "master" } else { "replica" };
        s.patroni(name, json!({"role": role, "replication_state": null, "patroni": {"version": "3.0.2", "scope": "psg"}}));
        s.sql(name, |sql| {
            (sql.system_identifier, sql.sessions, sql.postmaster_start) = (None, None, None);
            sql.receiver.iter_mut().for_each(|r| (r.status, r.sender_host, r.timeline) = (None, None, None));
        });
    }
    for _ in 0..20 {
        assert_eq!((s.codes(), s.verdict()), (vec![], "healthy"));
        s.pass(3);
    }
}

#[test]
fn a_cluster_without_sql_and_without_haproxys_count_is_quiet() {
    let mut s = Scenario::unheard();
    for name in ["psg1", "psg2", "psg3"] {
        s.silent(&format!("sql {name}"));
    }
    s.haproxy("vm1", |h| h.servers.iter_mut().for_each(|server| (server.last_change, server.sessions) = (None, None)));
    s.list().pass(60);
    assert_eq!(s.codes(), Vec::<&str>::new());
}

#[test]
fn a_standby_cluster_is_quiet() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"standby_cluster": {"host": "192.0.2.50"}})).patroni("psg1", json!({"role": "standby_leader"}));
    s.sql("psg1", |sql| {
        (sql.in_recovery, sql.current_lsn, sql.replay_lsn) = (true, None, Some(Lsn(WRITTEN)));
        sql.replication.clear();
    });
    s.pass(60);
    assert_eq!(s.codes(), Vec::<&str>::new());
}

/// As it was measured, a switchover that is asked for: the old leader stops, its key goes, the new one takes it, promotes, and HAProxy follows.
#[test]
fn a_switchover_step_by_step() {
    let mut s = Scenario::healthy();
    let step = |s: &mut Scenario, seconds: u32, codes: &[&str]| {
        s.pass(seconds);
        assert_eq!(s.codes(), codes, "{}", s.verdict());
    };
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
    step(&mut s, 1, &["switchover"]);
    // PostgreSQL stops; its sessions end.
    s.patroni("psg1", json!({"state": "stopping"})).fails("sql psg1", ErrorKind::Refused, REFUSED);
    step(&mut s, 1, &["switchover", "leader-cannot-write"]);
    assert_eq!(s.sentence("leader-cannot-write"), "psg1 hands over as asked: clients cannot write until psg2 takes over");
    // The key goes.
    s.patroni("psg1", json!({"state": "stopped", "role": "demoted", "xlog": null, "timeline": null})).delete("leader").moment();
    assert_eq!(s.codes(), ["switchover", "no-leader", "member-down"]);
    assert!(s.document().findings.iter().all(|f| f.severity == Level::Warning), "it was asked to");
    // psg2 takes it, and has not promoted yet; HAProxy has not asked anybody again.
    s.leader("psg2").put("failover", "{}").moment().moment();
    assert_eq!(s.codes().iter().filter(|code| **code == "leader-cannot-write").count(), 0, "a promotion takes a moment");
    // psg2 writes on timeline 2; psg3 follows at its next loop, psg1 starts as a replica.
    s.promote("psg2", 2).writes_go_to(&[]);
    s.put("history", format!(r#"[[1,{},"x","2026-11-24T03:00:10+00:00","psg2"]]"#, WRITTEN + 40));
    s.patroni("psg1", json!({"state": "starting", "role": "replica", "replication_state": null}));
    s.sql("psg3", |sql| (sql.timeline, sql.receiver) = (Some(1), None)).patroni("psg3", json!({"timeline": 1}));
    step(&mut s, 1, &["switchover", "member-down", "route-none"]);
    assert_eq!(
        s.verdict(),
        "switchover from psg1 to psg2 under way, 3 s; writes are away: psg2 accepts them, but no route leads there yet (and 2 more)"
    );
    s.promote("psg2", 2).answers("sql psg1").promote("psg2", 2);
    for _ in 0..40 {
        step(&mut s, 1, &[]);
    }
    assert_eq!(s.verdict(), "healthy");
}

/// The leader's machine is gone; psg2 takes over when the lease has run out; psg1 comes back with WAL that nobody else has, and is rewound.
#[test]
fn a_crash_step_by_step() {
    let mut s = Scenario::healthy();
    s.crash("psg1").fails("etcd 1", ErrorKind::Refused, REFUSED).lease(20).pass(8);
    assert_eq!(s.codes(), ["leader-silent", "quorum-at-risk"]);
    s.writes_go_to(&[]).lease(1).pass(20);
    assert_eq!(s.codes(), ["leader-silent", "route-none", "quorum-at-risk"]);
    s.delete("leader").delete("members/psg1").pass(1);
    assert_eq!(s.codes(), ["no-leader", "member-missing", "route-none", "quorum-at-risk"]);
    s.promote("psg2", 2).put("history", format!(r#"[[1,{},"x","2026-11-24T03:00:40+00:00","psg2"]]"#, WRITTEN - 100)).pass(30);
    assert_eq!(s.codes(), ["quorum-at-risk", "member-missing"]);
    // It is back.
    s.answers("etcd 1").answers("rest psg1").answers("sql psg1");
    s.put("members/psg1", r#"{"conn_url": "postgres://192.0.2.11:5432/postgres", "role": "replica", "state": "running"}"#);
    s.promote("psg2", 2).sql("psg1", |sql| (sql.timeline, sql.receiver, sql.receive_lsn) = (Some(1), None, None));
    s.patroni("psg1", json!({"timeline": 1, "replication_state": "in archive recovery"})).pass(15);
    assert_eq!(s.codes(), ["replica-not-streaming", "diverged"]);
    // Rewound.
    s.promote("psg2", 2).pass(20);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn a_lost_quorum_step_by_step() {
    let mut s = Scenario::healthy();
    s.fails("etcd 2", ErrorKind::Refused, REFUSED).fails("etcd 3", ErrorKind::Refused, REFUSED).etcd(1, alone);
    s.fails("dcs", ErrorKind::Unavailable, "etcd has no leader").fails("lease", ErrorKind::Unavailable, "etcd has no leader").pass(10);
    assert_eq!(s.codes(), ["quorum-lost"]);
    // The leader steps down: nobody leads, and nobody is blamed for it by etcd's old word.
    for name in ["psg1", "psg2", "psg3"] {
        s.patroni(name, json!({"role": "replica", "replication_state": null}));
        s.sql(name, |sql| (sql.in_recovery, sql.receiver, sql.current_lsn) = (true, None, None));
    }
    s.writes_go_to(&[]).pass(30);
    assert_eq!(s.codes(), ["quorum-lost", "route-none"]);
    // With failsafe mode it stays, and says so.
    let mut s = Scenario::healthy();
    s.merge("config", json!({"failsafe_mode": true})).put("failsafe", r#"{"psg1": "http://a", "psg2": "http://b", "psg3": "http://c"}"#);
    s.pass(1).etcd(1, alone).etcd(2, alone).etcd(3, alone);
    s.fails("dcs", ErrorKind::Unavailable, "etcd has no leader").fails("lease", ErrorKind::Unavailable, "etcd has no leader").pass(14);
    s.patroni("psg1", json!({"failsafe_mode_is_active": true})).pass(1);
    assert_eq!(s.codes(), ["quorum-lost", "failsafe-active"]);
}

#[test]
fn a_paused_cluster_whose_leader_is_stopped_by_hand() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"pause": true}));
    for name in ["psg1", "psg2", "psg3"] {
        s.patroni(name, json!({"pause": true}));
    }
    s.pass(60);
    assert_eq!(s.codes(), ["paused"]);
    s.patroni("psg1", json!({"state": "stopped", "role": "primary"})).fails("sql psg1", ErrorKind::Refused, REFUSED);
    s.patroni("psg2", json!({"replication_state": "streaming"})).pass(2);
    assert_eq!(s.codes(), ["leader-cannot-write", "paused"]);
}

/// kill -9 of the leader's Patroni, no watchdog: psg1 goes on beside psg2.
#[test]
fn two_primaries_step_by_step() {
    let mut s = Scenario::healthy();
    s.fails("rest psg1", ErrorKind::Refused, REFUSED).lease(20).pass(8).writes_go_to(&[]).lease(1).pass(15);
    assert_eq!(s.codes(), ["leader-silent", "route-none"]);
    s.delete("leader").delete("members/psg1").leader("psg2").moment();
    s.sql("psg2", |sql| (sql.in_recovery, sql.timeline, sql.current_lsn) = (false, Some(2), Some(Lsn(WRITTEN + 90))));
    s.sql("psg2", |sql| (sql.receiver, sql.receive_lsn, sql.replay_lsn) = (None, None, None)).moment();
    assert_eq!(s.codes()[0], "split-brain");
    s.patroni("psg2", json!({"role": "primary", "timeline": 2, "replication_state": null, "xlog": {"location": WRITTEN + 90}}));
    s.sql("psg3", |sql| (sql.timeline, sql.receive_lsn) = (Some(2), Some(Lsn(WRITTEN + 90)))).patroni("psg3", json!({"timeline": 2}));
    s.sql("psg3", |sql| sql.receiver.iter_mut().for_each(|r| (r.sender_host, r.timeline) = (Some("192.0.2.12".to_owned()), Some(2))));
    s.writes_go_to(&["psg2"]).pass(2);
    assert_eq!(s.codes(), ["split-brain", "member-missing"]);
    // Nor is it told, when all has settled, that the old one does not follow.
    s.put("history", format!(r#"[[1,{},"x","2026-11-24T03:00:30+00:00","psg2"]]"#, WRITTEN)).pass(20);
    assert_eq!(s.codes(), ["split-brain", "member-missing", "sessions-on-old-leader"]);
    let told = "4 sessions of vm1's are still on psg1, which does not lead: what they write there is lost";
    assert_eq!(s.sentence("sessions-on-old-leader"), told);
}
