//! `config-missing`: the key `config` is gone, and what everybody goes on with.

use pgbaton::document::Level;
use pgbaton::model::ErrorKind;
use serde_json::json;

use crate::scenario::Scenario;

#[test]
fn a_missing_config_key_is_told_with_who_writes_it_anew() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"synchronous_mode": "on"})).pass(1);
    s.merge("config", json!({"synchronous_mode": null, "ttl": 40})).pass(1);
    s.delete("config").pass(1);
    assert_eq!(s.codes(), ["config-missing"]);
    let finding = s.finding("config-missing").unwrap();
    assert_eq!(finding.severity, Level::Warning);
    assert_eq!(
        finding.sentence,
        "the key config is gone from etcd: psg1, the leader, writes it anew at its next loop from what it remembers"
    );
    assert!(finding.evidence[0].value.starts_with("absent, seen since 2026-11-24"), "{:?}", finding.evidence);
    assert_eq!(s.document().cluster.ttl, Some(40), "Patroni goes on with what it was");
    s.pass(22);
    let told = "the key config has been gone from etcd for 23 s, and psg1, the leader, does not write it anew";
    assert_eq!(s.sentence("config-missing"), told);
    s.crash("psg1").delete("leader").pass(1);
    assert_eq!(s.sentence("config-missing"), "the key config is gone from etcd, and without a leader nobody writes it anew");
    s.put("config", r#"{"ttl": 30}"#).pass(1);
    assert_eq!(s.finding("config-missing"), None);
}

#[test]
fn it_is_told_to_one_who_comes_later_and_not_of_a_cluster_that_is_not_there() {
    let mut s = Scenario::unheard();
    s.delete("config").list().pass(2);
    assert_eq!(s.codes(), ["config-missing"]);
    // What etcd held is old.
    s.fails("dcs", ErrorKind::Timeout, "no answer").pass(8);
    assert_eq!(s.finding("config-missing"), None);
    // A cluster that is being made has no configuration yet.
    let mut s = Scenario::unheard();
    s.delete("config").put("initialize", "").list().pass(2);
    assert_eq!(s.finding("config-missing"), None);
    // One that was removed takes its configuration with it.
    let mut s = Scenario::healthy();
    s.merge("config", json!({"pause": true})).pass(1);
    for key in ["config", "initialize", "leader", "members/psg1", "members/psg2", "members/psg3"] {
        s.delete(key);
    }
    s.pass(1);
    assert_eq!((s.finding("config-missing"), s.finding("paused")), (None, None));
}
