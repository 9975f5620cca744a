//! Conditions over the document, in health and while sources are silent.

use pgbaton::condition::Condition;
use pgbaton::model::{ErrorKind, Lsn};
use serde_json::json;

use crate::scenario::{Scenario, WRITTEN};

fn judged(s: &Scenario, text: &str) -> Result<bool, String> {
    Condition::parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}")).holds(s.document())
}

const LAG: &str = "members.all(m, m.replay_lag_bytes == null || m.replay_lag_bytes < 1000000)";
const STRICT: &str = "members.filter(m, m.role == 'replica').all(m, m.replay_lag_bytes < 1000000)";

#[test]
fn a_healthy_cluster_fulfils_what_is_asked_of_it() {
    let s = Scenario::healthy();
    for text in [
        LAG,
        STRICT,
        "size(findings) == 0 && headline.level == 'ok'",
        "etcd.quorum && etcd.failure_tolerance >= 1 && etcd.healthy == 3",
        "cluster.leader == 'psg1' && cluster.timeline == 1 && !cluster.paused",
        "cluster.lease_ttl_seconds > 10",
        "routes.exists(r, r.kind == 'write' && r.up == ['psg1'])",
        "members.exists_one(m, m.in_recovery == false)",
        "sources.all(s, s.fresh && s.age_ms < 5000)",
    ] {
        assert_eq!(judged(&s, text), Ok(true), "{text}");
    }
    assert_eq!(judged(&s, "cluster.leader == 'psg2'"), Ok(false));
}

#[test]
fn a_replica_that_is_behind_breaks_it_and_one_that_is_silent_leaves_it_open() {
    let mut s = Scenario::healthy();
    s.sql("psg1", |sql| sql.replication[0].replay_lsn = Some(Lsn(WRITTEN - 2_000_000))).pass(1);
    assert_eq!((judged(&s, LAG), judged(&s, STRICT)), (Ok(false), Ok(false)));
    let mut silent = Scenario::healthy();
    silent.sql("psg1", |sql| sql.replication.clear()).silent("sql psg2").silent("rest psg2").pass(10);
    assert_eq!(judged(&silent, LAG), Ok(true), "it asks for no more than what is known");
    assert_eq!(
        judged(&silent, "members.all(m, m.name == 'psg1' || m.replay_lag_bytes < 1000000)"),
        Err("m.replay_lag_bytes is not known".into())
    );
    let broken = "members.all(m, m.name == 'psg1' || m.replay_lag_bytes < 0)";
    assert_eq!(judged(&silent, broken), Ok(false), "psg3 is enough to know that it does not hold");
}

#[test]
fn what_is_old_is_not_known() {
    let mut s = Scenario::healthy();
    s.fails("dcs", ErrorKind::Timeout, "no answer")
        .fails("lease", ErrorKind::Timeout, "no answer")
        .silent("haproxy vm1")
        .silent("etcd 3")
        .pass(9);
    assert_eq!(s.document().cluster.leader.as_deref(), Some("psg1"), "a screen shows it with its age");
    for (text, what) in [
        ("cluster.leader == 'psg1'", "cluster.leader"),
        ("cluster.leader != 'psg1'", "cluster.leader"),
        ("!cluster.paused", "cluster.paused"),
        ("size(cluster.sync_standbys) == 0", "cluster.sync_standbys"),
        ("cluster.lease_ttl_seconds > 10", "cluster.lease_ttl_seconds"),
        ("members.all(m, m.present)", "m.present"),
        ("routes.all(r, size(r.up) > 0)", "r.up"),
        ("etcd.members.all(m, m.db_size_bytes < 1000000000)", "m.db_size_bytes"),
    ] {
        assert_eq!(judged(&s, text), Err(format!("{what} is not known")), "{text}");
    }
    assert_eq!(judged(&s, "members.exists(m, m.in_recovery == false)"), Ok(true), "PostgreSQL itself still answers");
}

#[test]
fn an_empty_list_of_which_nothing_is_known_makes_nothing_true() {
    let mut s = Scenario::unheard();
    s.fails("dcs", ErrorKind::Refused, "connection refused").pass(1);
    for text in [LAG, "members.all(m, m.typo)", "size(members) == 0"] {
        assert_eq!(judged(&s, text), Err("members is not known".to_owned()), "{text}");
    }
}

#[test]
fn every_field_of_the_document_has_a_place_in_a_condition() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"pause": true})).pass(1);
    let document = serde_json::to_value(s.document()).unwrap();
    // No Airflow is configured here, nor what is around it, and null is not known.
    for field in document.as_object().unwrap().keys().filter(|field| !document[*field].is_null()) {
        assert_eq!(judged(&s, &format!("has({{'it': {field}}}.it)")), Ok(true), "{field}");
    }
    assert_eq!(judged(&s, "findings.exists(f, f.code == 'paused' && f.severity == 'warning')"), Ok(true));
}
