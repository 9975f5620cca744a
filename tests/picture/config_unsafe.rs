//! `config-unsafe`: each cause, and what is near it and safe.

use pgbaton::model::{ErrorKind, Level, ServerSettings};
use serde_json::{Value, json};

use crate::scenario::Scenario;

/// The sentences of all unsafe settings, by their causes, of a cluster with this configuration besides its own and these settings on each member.
fn unsafe_with(config: Value, change: impl Fn(&mut ServerSettings)) -> Vec<(String, String)> {
    let mut s = Scenario::healthy();
    s.merge("config", config);
    for name in ["psg1", "psg2", "psg3"] {
        s.sql(name, |sql| change(&mut sql.settings));
    }
    s.pass(1);
    found(&s)
}

fn found(s: &Scenario) -> Vec<(String, String)> {
    let all = s.document().findings.iter().filter(|f| f.code == "config-unsafe");
    all.map(|f| (f.subject.clone().unwrap(), f.sentence.clone())).collect()
}

fn one(found: &[(String, String)]) -> (&str, &str) {
    assert_eq!(found.len(), 1, "{found:?}");
    (&found[0].0, &found[0].1)
}

#[test]
fn what_is_usual_is_safe() {
    let none = |config: Value| assert_eq!(unsafe_with(config.clone(), |_| {}), [], "{config}");
    // Patroni's own defaults, and the practice cluster's first configuration with each of its options.
    none(json!({"ttl": null, "loop_wait": null, "retry_timeout": null, "maximum_lag_on_failover": null}));
    let parameters = json!({"wal_level": "replica", "wal_log_hints": "on", "wal_keep_size": "64MB"});
    none(json!({"postgresql": {"use_pg_rewind": true, "use_slots": true, "parameters": parameters}, "synchronous_mode": true}));
    none(json!({"ttl": 20, "loop_wait": 5, "retry_timeout": 5, "failsafe_mode": true}));
    none(json!({"synchronous_mode": "quorum", "synchronous_mode_strict": true}));
    // One of the two is enough for pg_rewind.
    assert_eq!(unsafe_with(json!({}), |s| s.wal_log_hints = Some(false)), []);
    assert_eq!(unsafe_with(json!({}), |s| s.data_checksums = Some(false)), []);
    // What a server does not tell is not held against it.
    assert_eq!(unsafe_with(json!({"synchronous_mode": true}), |s| *s = ServerSettings::default()), []);
}

#[test]
fn a_power_failure_can_destroy_what_is_not_flushed() {
    let mut s = Scenario::healthy();
    s.sql("psg2", |sql| sql.settings.fsync = Some(false)).pass(1);
    assert_eq!(one(&found(&s)), ("fsync", "fsync is off on psg2: a power failure can destroy the database"));
    assert_eq!(s.finding("config-unsafe").unwrap().severity, Level::Critical);
    s.sql("psg1", |sql| sql.settings.fsync = Some(false)).pass(1);
    assert_eq!(one(&found(&s)).1, "fsync is off on psg1 and psg2: a power failure can destroy the database");
    let evidence: Vec<_> = s.finding("config-unsafe").unwrap().evidence.iter().map(|e| e.source.clone()).collect();
    assert_eq!(evidence, ["sql psg1", "sql psg2"]);
    s.fails("sql psg1", ErrorKind::Timeout, "late").fails("sql psg2", ErrorKind::Timeout, "late").pass(1);
    assert_eq!(found(&s), [], "it is not known to be so now");

    let mut s = Scenario::healthy();
    s.sql("psg1", |sql| sql.settings.full_page_writes = Some(false)).pass(1);
    assert_eq!(one(&found(&s)), ("full_page_writes", "full_page_writes is off on psg1: a power failure can destroy the database"));
    assert_eq!(s.finding("config-unsafe").unwrap().severity, Level::Warning);
}

#[test]
fn an_old_leader_that_cannot_be_rewound() {
    let neither = |s: &mut ServerSettings| (s.wal_log_hints, s.data_checksums) = (Some(false), Some(false));
    let found = unsafe_with(json!({}), neither);
    let sentence =
        "psg1, psg2 and psg3 cannot be rewound (no wal_log_hints, no checksums): after a failover the old leader must be reinitialised";
    assert_eq!(one(&found), ("pg_rewind", sentence));
    let found = unsafe_with(json!({"postgresql": {"use_pg_rewind": false}}), |_| {});
    let sentence = "an old leader is not rewound (use_pg_rewind is false): after a failover it must be reinitialised";
    assert_eq!(one(&found), ("pg_rewind", sentence));
    for safe in [
        json!({"postgresql": {"use_pg_rewind": false, "remove_data_directory_on_diverged_timelines": true}}),
        json!({"postgresql": {"remove_data_directory_on_diverged_timelines": "on"}}),
    ] {
        assert_eq!(unsafe_with(safe.clone(), neither), [], "a member is built anew by itself: {safe}");
    }
    assert_eq!(unsafe_with(json!({"postgresql": {}}), |_| {}), [], "a member's own file may switch it on");
}

#[test]
fn synchronous_only_by_name() {
    for value in ["off", "local"] {
        let alone = |s: &mut ServerSettings| s.synchronous_commit = Some(value.to_owned());
        let found = unsafe_with(json!({"synchronous_mode": true}), alone);
        let sentence = "commits on psg1, psg2 and psg3 do not wait for a standby, though synchronous_mode is on: a failover can lose them";
        assert_eq!(one(&found), ("synchronous_commit", sentence));
        assert_eq!(unsafe_with(json!({}), alone), [], "nobody asked for more");
        assert_eq!(unsafe_with(json!({"synchronous_mode": true, "standby_cluster": {"host": "192.0.2.99"}}), alone), []);
    }
    for value in ["on", "remote_write", "remote_apply"] {
        assert_eq!(unsafe_with(json!({"synchronous_mode": true}), |s| s.synchronous_commit = Some(value.to_owned())), []);
    }
    let found = unsafe_with(json!({"synchronous_mode_strict": true}), |_| {});
    let sentence = "synchronous_mode_strict does nothing, as synchronous_mode is off: a failover can lose commits";
    assert_eq!(one(&found), ("synchronous_mode_strict", sentence));
}

#[test]
fn a_replica_may_not_be_further_behind_than_wal_is_kept() {
    const GB: u64 = 1 << 30;
    let far = |postgresql: Value| json!({"maximum_lag_on_failover": 10 * GB, "postgresql": postgresql});
    let limited = |s: &mut ServerSettings| s.slot_wal_keep = Some(4 << 30);
    let found = unsafe_with(far(json!({})), limited);
    let sentence = "a replica that is 10.0 GB behind may take over, but psg1 keeps only 4.0 GB of WAL for it: it may never catch up";
    assert_eq!(one(&found), ("maximum_lag_on_failover", sentence));
    let found = unsafe_with(far(json!({"use_slots": false})), |_| {});
    assert!(one(&found).1.contains("psg1 keeps only 128.0 MB of WAL"), "{found:?}");

    assert_eq!(unsafe_with(far(json!({})), |_| {}), [], "slots keep all");
    assert_eq!(unsafe_with(far(json!({})), |s| s.slot_wal_keep = None), [], "PostgreSQL 12: slots keep all");
    assert_eq!(unsafe_with(far(json!({})), |s| s.slot_wal_keep = Some(10 << 30)), [], "just enough");
    assert_eq!(unsafe_with(far(json!({"parameters": {"restore_command": "cp /archive/%f %p"}})), limited), []);
    assert_eq!(unsafe_with(far(json!({"recovery_conf": {"restore_command": "cp /archive/%f %p"}})), limited), []);
    assert_eq!(unsafe_with(json!({"postgresql": {"use_slots": false}}), |_| {}), [], "the usual 1 MB");
}

#[test]
fn times_that_patroni_shortens() {
    let times = |ttl: u32, loop_wait: u32, retry_timeout: u32| json!({"ttl": ttl, "loop_wait": loop_wait, "retry_timeout": retry_timeout});
    let shortened = unsafe_with(times(20, 10, 10), |_| {});
    let sentence =
        "ttl 20 is too short for loop_wait 10 and two retry_timeout of 10 s: Patroni runs with loop_wait 1 and retry_timeout 9 instead";
    assert_eq!(one(&shortened), ("ttl", sentence));
    let shortened = unsafe_with(json!({"ttl": "30", "loop_wait": 15}), |_| {});
    assert!(one(&shortened).1.ends_with("Patroni runs with loop_wait 10 and retry_timeout 10 instead"), "{shortened:?}");
    for fine in [times(30, 10, 10), times(20, 5, 5), times(16, 5, 6), times(60, 10, 10), json!({"ttl": "soon"})] {
        assert_eq!(unsafe_with(fine.clone(), |_| {}), [], "{fine}");
    }

    let mut s = Scenario::healthy();
    s.merge("config", times(20, 10, 10)).patroni("psg3", json!({"patroni": {"version": "3.0.2", "name": "psg3"}})).pass(1);
    assert_eq!(
        one(&found(&s)).1,
        "ttl 20 is too short for loop_wait 10 and two retry_timeout of 10 s: the Patroni of psg3 may lose the leader key while it still retries"
    );
    s.silent("dcs").pass(10);
    assert_eq!(found(&s), [], "what is configured now is not known");
}
