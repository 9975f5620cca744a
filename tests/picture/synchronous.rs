//! `sync-missing`, `sync-set-mismatch`.

use pgbaton::model::Level;
use serde_json::{Value, json};

use crate::scenario::Scenario;

/// psg1 has these names to wait for, and these standbys are synchronous.
fn waits(s: &mut Scenario, names: &str, synchronous: &[&str]) {
    s.sql("psg1", |sql| {
        sql.settings.synchronous_standby_names = Some(names.to_owned());
        for row in &mut sql.replication {
            let is = synchronous.contains(&row.application_name.as_str());
            row.sync_state = Some(if is { "sync" } else { "async" }.to_owned());
        }
    });
}

/// A cluster in this mode, psg2 synchronous in everybody's eyes, heard for a while.
fn synchronous(mode: Value) -> Scenario {
    let mut s = Scenario::healthy();
    waits(&mut s, "psg2", &["psg2"]);
    s.merge("config", json!({"synchronous_mode": mode})).put("sync", r#"{"leader": "psg1", "sync_standby": "psg2"}"#);
    assert_eq!(s.pass(40).codes(), Vec::<&str>::new());
    s
}

#[test]
fn commits_that_wait_for_nobody_who_is_there() {
    let mut s = synchronous(json!(true));
    waits(&mut s, "psg2", &[]);
    assert_eq!(s.pass(3).codes(), Vec::<&str>::new(), "it may connect again at once");
    assert_eq!(s.pass(1).codes(), ["sync-missing"]);
    assert_eq!(s.sentence("sync-missing"), "commits on psg1 hang: they wait for psg2, and no standby is synchronous");
    let found = s.finding("sync-missing").unwrap();
    assert_eq!(found.severity, Level::Critical);
    let evidence: Vec<_> = found.evidence.iter().map(|e| format!("{} {}: {}", e.source, e.what, e.value)).collect();
    assert_eq!(
        evidence,
        [
            "etcd sync key: leader psg1, standbys psg2",
            "sql psg1 synchronous_standby_names: psg2",
            "sql psg1 synchronous in pg_stat_replication: nobody"
        ]
    );
    waits(&mut s, "*", &[]);
    assert_eq!(s.pass(1).sentence("sync-missing"), "commits on psg1 hang: they wait for any standby, and no standby is synchronous");
    waits(&mut s, "2 (psg2,psg3)", &["psg3"]);
    assert_eq!(s.pass(1).sentence("sync-missing"), "commits on psg1 hang: they wait for 2 of psg2 and psg3, and only 1 is synchronous");
    s.pass(60);
    assert_eq!(s.codes(), ["sync-missing"], "one finding, however long");

    s.sql("psg1", |sql| sql.replication.iter_mut().for_each(|row| row.sync_state = None));
    assert_eq!(s.pass(1).codes(), Vec::<&str>::new(), "a user without pg_monitor does not see who is synchronous");
    s.sql("psg1", |sql| sql.settings.synchronous_commit = Some("local".to_owned()));
    waits(&mut s, "psg2", &[]);
    assert_eq!(s.pass(10).codes(), ["sync-set-mismatch", "config-unsafe"], "they do not wait");
}

#[test]
fn nobody_is_synchronous_and_nobody_is_waited_for() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"synchronous_mode": true}));
    assert_eq!(s.pass(29).codes(), Vec::<&str>::new(), "it was switched on just now");
    assert_eq!(s.pass(2).codes(), ["sync-missing"]);
    assert_eq!(s.sentence("sync-missing"), "no standby of psg1 is synchronous, though synchronous_mode is on: a failover can lose commits");
    assert_eq!(s.finding("sync-missing").unwrap().severity, Level::Warning);
    s.merge("config", json!({"standby_cluster": {"host": "192.0.2.99"}}));
    assert_eq!(s.pass(1).finding("sync-missing"), None);

    // Whoever looks only once hears of what was so before; not when the leader is new.
    for (at, codes) in [("2026-11-24T02:00:00+00:00", vec!["sync-missing"]), ("2026-11-24T02:59:50+00:00", vec![])] {
        let mut s = Scenario::unheard();
        s.merge("config", json!({"synchronous_mode": "quorum"}));
        s.put("history", json!([[1, 5, "x", at, "psg1"]]));
        s.list();
        assert_eq!(s.pass(1).codes(), codes, "{at}");
    }
}

#[test]
fn the_three_do_not_agree() {
    let sync = |leader: &str, standbys: &str| json!({"leader": leader, "sync_standby": standbys});
    for (key, names, connected, sentence) in [
        (
            sync("psg1", "psg2"),
            "psg3",
            &["psg3"][..],
            "psg2 may take over by the sync key, but is not synchronous: a failover can lose commits",
        ),
        (
            sync("psg1", "psg2,psg3"),
            "",
            &[],
            "psg2 and psg3 may take over by the sync key, but are not synchronous: a failover can lose commits",
        ),
        (
            sync("psg1", "psg2"),
            "2 (psg2,psg3)",
            &["psg2", "psg3"],
            "the sync key names psg2, but commits on psg1 wait for psg2 and psg3, and psg2 and psg3 are synchronous",
        ),
        (sync("psg1", ""), "*", &["psg3"], "the sync key names nobody, but commits on psg1 wait for any standby, and psg3 is synchronous"),
        (sync("psg3", "psg2"), "psg2", &["psg2"], "the sync key is still that of psg3, but psg1 leads"),
    ] {
        let mut s = synchronous(json!("on"));
        waits(&mut s, names, connected);
        s.put("sync", &key);
        assert_eq!(s.pass(29).finding("sync-set-mismatch"), None, "Patroni may still change it: {key} {names}");
        s.pass(2);
        assert_eq!(s.sentence("sync-set-mismatch"), sentence);
        let found = s.finding("sync-set-mismatch").unwrap();
        assert_eq!((found.severity, found.evidence.len()), (Level::Warning, 4));
        waits(&mut s, "psg2", &["psg2"]);
        s.put("sync", sync("psg1", "psg2"));
        assert_eq!(s.pass(1).codes(), Vec::<&str>::new());
    }
}

#[test]
fn what_only_looks_different_agrees() {
    let mut s = synchronous(json!(true));
    waits(&mut s, "\"PSG2\"", &["psg2"]);
    s.put("sync", r#"{"leader": "PSG1", "sync_standby": "Psg2"}"#);
    assert_eq!(s.pass(60).codes(), Vec::<&str>::new(), "names are compared without regard to case");

    let mut s = synchronous(json!("quorum"));
    s.put("sync", r#"{"leader": "psg1", "quorum": 1, "sync_standby": "psg2,psg3"}"#);
    s.sql("psg1", |sql| {
        sql.settings.synchronous_standby_names = Some("ANY 1 (psg2,psg3)".to_owned());
        sql.replication.iter_mut().for_each(|row| row.sync_state = Some("quorum".to_owned()));
    });
    assert_eq!(s.pass(60).codes(), Vec::<&str>::new());

    let mut s = synchronous(json!(true));
    s.sql("psg1", |sql| sql.settings.synchronous_standby_names = Some("psg3,".to_owned())).pass(60);
    assert_eq!(s.codes(), Vec::<&str>::new(), "what cannot be read is not compared");
}

#[test]
fn a_switchover_has_its_time() {
    let mut s = synchronous(json!(true));
    s.promote("psg2", 2);
    s.sql("psg2", |sql| sql.settings.synchronous_standby_names = Some("psg3".to_owned()));
    assert_eq!(s.pass(11).finding("sync-missing"), None);
    assert_eq!(s.finding("sync-set-mismatch"), None);
    s.sql("psg2", |sql| {
        for row in &mut sql.replication {
            row.sync_state = Some(if row.application_name == "psg3" { "sync" } else { "async" }.to_owned());
        }
    });
    s.put("sync", r#"{"leader": "psg2", "sync_standby": "psg3"}"#);
    assert_eq!(s.pass(60).codes(), Vec::<&str>::new());
}
