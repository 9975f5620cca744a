//! A member that is created anew, and how far the copy is.

use pgbaton::action::{Goal, Operation, Reinit, Situation};
use pgbaton::document::CopyDoc;
use pgbaton::finding::{Forecast, Limits};
use pgbaton::model::BaseBackup;
use serde_json::json;

use crate::scenario::Scenario;

const MB: u64 = 1 << 20;

fn backup(client: &str, streamed: u64) -> BaseBackup {
    let phase = if streamed == 0 { "waiting for checkpoint to finish" } else { "streaming database files" };
    BaseBackup {
        pid: 4711,
        client: Some(client.to_owned()),
        phase: Some(phase.to_owned()),
        streamed: Some(streamed),
        total: Some(400 * MB),
    }
}

/// psg3 is created anew while psg1 sends a copy to `client`.
fn copying(client: &str, streamed: u64) -> Scenario {
    let mut s = Scenario::healthy();
    s.patroni("psg3", json!({"state": "creating replica"}));
    s.sql("psg1", |sql| sql.backups = vec![backup(client, streamed)]);
    s.pass(1);
    s
}

fn goal(s: &Scenario) -> Box<dyn Goal> {
    let (cluster, now) = (s.cluster(), s.now());
    let forecast = Forecast::of(cluster, now);
    let reinit = Reinit { member: "psg3".to_owned(), force: false, from_leader: false };
    reinit.goal(&Situation { cluster, forecast: &forecast, limits: &Limits::default(), now })
}

#[test]
fn the_copy_is_the_one_that_is_sent_to_the_member() {
    let s = copying("192.0.2.13", 100 * MB);
    let expected = CopyDoc {
        from: "psg1".to_owned(),
        phase: Some("streaming database files".to_owned()),
        streamed_bytes: Some(100 * MB),
        total_bytes: Some(400 * MB),
        percent: Some(25),
    };
    assert_eq!(s.member("psg3").copy, Some(expected));
    assert_eq!(s.member("psg2").copy, None, "nobody creates it anew");
}

#[test]
fn what_is_sent_to_others_is_not_taken_for_it() {
    for client in ["192.0.2.99", "127.0.0.1", "::1", "psg3"] {
        assert_eq!(copying(client, 100 * MB).member("psg3").copy, None, "{client}");
    }
    let mut two = copying("192.0.2.13", 100 * MB);
    two.sql("psg2", |sql| sql.backups = vec![backup("192.0.2.13", MB)]);
    two.pass(1);
    assert_eq!(two.member("psg3").copy, None, "two cannot be told apart");
    let mut runs = copying("192.0.2.13", 100 * MB);
    runs.patroni("psg3", json!({"state": "running"}));
    runs.pass(1);
    assert_eq!(runs.member("psg3").copy, None, "it runs; somebody makes a backup from there");
}

#[test]
fn how_far_it_is_is_told_with_its_rate() {
    let mut s = copying("192.0.2.13", 0);
    let mut goal = goal(&s);
    let mut told = |s: &Scenario| {
        goal.look(s.cluster(), s.now());
        goal.progress().map(str::to_owned)
    };
    assert_eq!(told(&s).as_deref(), Some("copy from psg1, waiting for checkpoint to finish"));
    let mut sent = |s: &mut Scenario, streamed: u64, seconds: u32| {
        s.sql("psg1", |sql| sql.backups = vec![backup("192.0.2.13", streamed)]);
        s.pass(seconds);
        told(s)
    };
    assert_eq!(sent(&mut s, 100 * MB, 1).as_deref(), Some("copy from psg1, streaming database files: 100.0 MB of 400.0 MB (25 %)"));
    let text = "copy from psg1, streaming database files: 300.0 MB of 400.0 MB (75 %), 100.0 MB/s";
    assert_eq!(sent(&mut s, 300 * MB, 2).as_deref(), Some(text));
    // The estimate was too low, so there is no share of it.
    let text = "copy from psg1, streaming database files: 500.0 MB of 400.0 MB, 100.0 MB/s";
    assert_eq!(sent(&mut s, 500 * MB, 2).as_deref(), Some(text));
    // One that failed is begun anew.
    assert_eq!(sent(&mut s, 8 * MB, 1).as_deref(), Some("copy from psg1, streaming database files: 8.0 MB of 400.0 MB (2 %)"));
    s.sql("psg1", |sql| sql.backups.clear());
    s.pass(1);
    assert_eq!(told(&s), None);
}
