//! `lag-high` and the figures it rests on.

use pgbaton::model::{ErrorKind, Lsn};
use serde_json::json;

use crate::scenario::{Scenario, WRITTEN};

const MB: u64 = 1 << 20;

/// The leader's row on psg2 says that it is so far behind.
fn behind(s: &mut Scenario, receive: u64, replay: u64, seconds: Option<f64>) {
    s.sql("psg1", |sql| {
        let row = sql.replication.iter_mut().find(|r| r.application_name == "psg2").unwrap();
        row.flush_lsn = Some(Lsn(WRITTEN - receive));
        row.replay_lsn = Some(Lsn(WRITTEN - replay));
        row.replay_lag = seconds;
    });
    s.pass(1);
}

#[test]
fn more_than_a_failover_may_lose_is_found() {
    let mut s = Scenario::healthy();
    behind(&mut s, MB, MB, Some(0.5));
    assert_eq!(s.codes(), Vec::<&str>::new(), "the limit itself is allowed");
    behind(&mut s, MB + 1, MB + 1, Some(0.5));
    assert_eq!(s.sentence("lag-high"), "psg2 has not received 1.0 MB: it cannot take over (limit 1.0 MB)");
    behind(&mut s, 24 * 1024, 3 * MB, Some(41.6));
    assert_eq!(s.sentence("lag-high"), "psg2 has not replayed 3.0 MB, 42 s: reads on it are old and a takeover waits");
    let psg2 = s.member("psg2");
    assert_eq!((psg2.receive_lag_bytes, psg2.replay_lag_bytes, psg2.replay_lag_seconds), (Some(24 * 1024), Some(3 * MB), Some(41.6)));
    assert_eq!(psg2.lag_source.as_deref(), Some("sql"));
    assert_eq!(s.document().forecast.sentence, "psg2 or psg3, under 64 kB lost; psg2 has 42 s to replay first");
    let evidence = &s.finding("lag-high").unwrap().evidence;
    assert_eq!((evidence[0].source.as_str(), evidence[1].value.as_str()), ("sql psg1", "3145728 bytes"));
    assert_eq!(evidence[2].value, "1048576 bytes");
    behind(&mut s, 0, 0, None);
    assert_eq!((s.codes(), s.member("psg2").replay_lag_seconds), (vec![], Some(0.0)), "nothing to replay is no lag, however long ago");
}

#[test]
fn a_paused_replay_is_found_at_once_however_little_is_written() {
    let mut s = Scenario::healthy();
    s.sql("psg2", |sql| sql.replay_paused = Some(true)).pass(1);
    assert_eq!(s.codes(), ["replay-paused"]);
    assert_eq!(
        s.sentence("replay-paused"),
        "replay on psg2 is paused: reads on it stand still, and a takeover first replays what piles up"
    );
    behind(&mut s, 0, 24 * 1024, Some(3.0));
    assert!(s.sentence("replay-paused").ends_with("what piles up, 24 kB so far"), "{}", s.sentence("replay-paused"));
    // By REST where SQL does not answer; and what SQL says counts more.
    s.patroni("psg2", json!({"xlog": {"received_location": 50_331_648, "replayed_location": 50_331_648, "paused": true}}));
    s.sql("psg2", |sql| sql.replay_paused = Some(false)).pass(1);
    assert!(!s.codes().contains(&"replay-paused"), "{:?}", s.codes());
    s.fails("sql psg2", ErrorKind::Refused, "connection refused").pass(1);
    let evidence = &s.finding("replay-paused").unwrap().evidence;
    assert_eq!((evidence[0].source.as_str(), evidence[0].value.as_str()), ("rest psg2", "true"));
}

#[test]
fn a_paused_replay_of_a_standby_leader_is_found_too() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"standby_cluster": {"host": "192.0.2.50"}}));
    s.patroni("psg1", json!({"role": "standby_leader", "state": "streaming"}));
    s.sql("psg1", |sql| (sql.in_recovery, sql.current_lsn, sql.replay_paused) = (true, None, Some(true))).pass(1);
    assert!(s.sentence("replay-paused").starts_with("replay on psg1 is paused"), "{:?}", s.codes());
}

#[test]
fn little_that_is_not_replayed_for_long_is_found() {
    let mut s = Scenario::healthy();
    behind(&mut s, 0, 328 * 1024, Some(60.0));
    assert_eq!(s.codes(), Vec::<&str>::new(), "the limit itself is allowed");
    behind(&mut s, 0, 328 * 1024, Some(76.4));
    assert_eq!(s.sentence("lag-high"), "psg2 replays what was written 76 s ago: reads on it are old (limit 1 min)");
    behind(&mut s, 0, 0, Some(76.4));
    assert_eq!(s.codes(), Vec::<&str>::new(), "nothing is left to be replayed");
}

#[test]
fn the_limit_is_the_clusters_own() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"maximum_lag_on_failover": 100}));
    behind(&mut s, 101, 101, None);
    assert_eq!(s.sentence("lag-high"), "psg2 has not received 101 B: it cannot take over (limit 100 B)");
    s.merge("config", json!({"maximum_lag_on_failover": null})).pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new(), "Patroni's default is 1 MB");
}

#[test]
fn without_the_leaders_row_the_positions_are_compared() {
    let mut s = Scenario::healthy();
    s.sql("psg1", |sql| sql.replication.clear()).sql("psg2", |sql| sql.replay_lsn = Some(Lsn(WRITTEN - 500))).pass(1);
    let psg2 = s.member("psg2");
    assert_eq!((psg2.receive_lag_bytes, psg2.replay_lag_bytes, psg2.lag_source.as_deref()), (Some(0), Some(500), Some("sql-lsn")));
    assert_eq!(psg2.replay_lag_seconds, None, "no commit was replayed whose age could be told");

    s.silent("sql psg1").patroni("psg2", json!({"xlog": {"received_location": WRITTEN - 7, "replayed_location": WRITTEN - 9}})).pass(10);
    let psg2 = s.member("psg2");
    assert_eq!((psg2.receive_lag_bytes, psg2.replay_lag_bytes, psg2.lag_source.as_deref()), (Some(7), Some(9), Some("rest")));

    s.silent("rest psg1").pass(10);
    let psg2 = s.member("psg2");
    assert_eq!((psg2.receive_lag_bytes, psg2.replay_lag_bytes, psg2.replay_lag_seconds), (None, None, None), "unknown is not 0");
    assert_eq!(psg2.lag_source, None);
}

/// A receiver starts at the beginning of the segment, behind what was replayed already; captured as `patroni-200-replica-running.8e868c`.
#[test]
fn what_is_replayed_is_held() {
    let mut s = Scenario::healthy();
    let segment = WRITTEN & !(16 * MB - 1);
    s.sql("psg1", |sql| sql.replication.clear()).sql("psg2", |sql| sql.receive_lsn = Some(Lsn(segment - 4 * MB))).pass(1);
    let psg2 = s.member("psg2");
    assert_eq!((psg2.receive_lag_bytes, psg2.replay_lag_bytes), (Some(0), Some(0)));
    assert_eq!((psg2.receive_lsn, psg2.replay_lsn), (Some(Lsn(WRITTEN)), Some(Lsn(WRITTEN))));
    assert_eq!(s.codes(), Vec::<&str>::new());

    s.sql("psg2", |sql| sql.receive_lsn = None).pass(1);
    assert_eq!(s.member("psg2").receive_lag_bytes, Some(0), "it comes from the archive");

    s.fails("sql psg2", ErrorKind::Auth, "the password is refused");
    s.patroni("psg2", json!({"xlog": {"received_location": segment - 4 * MB, "replayed_location": WRITTEN}})).pass(10);
    let psg2 = s.member("psg2");
    assert_eq!((psg2.receive_lag_bytes, psg2.receive_lsn, psg2.lag_source.as_deref()), (Some(0), Some(Lsn(WRITTEN)), Some("rest")));
    s.answers("sql psg1").sql("psg1", |sql| {
        for row in &mut sql.replication {
            row.flush_lsn = Some(Lsn(segment - 4 * MB));
        }
    });
    s.pass(1);
    let psg2 = s.member("psg2");
    assert_eq!((psg2.receive_lag_bytes, psg2.lag_source.as_deref()), (Some(0), Some("sql")));
}

/// The leader's row on it stays for a minute; its last word in it gets older.
#[test]
fn the_last_word_of_a_standby_that_is_cut_off_is_not_of_now() {
    let mut s = Scenario::healthy();
    let replied = s.now();
    s.sql("psg1", |sql| {
        let row = sql.replication.iter_mut().find(|r| r.application_name == "psg2").unwrap();
        row.reply_time = Some(replied);
        row.state = Some("streaming".to_owned());
    });
    behind(&mut s, 13 * 1024, 13 * 1024, Some(0.0));
    s.crash("psg2").pass(20);
    let seconds = s.member("psg2").replay_lag_seconds.unwrap();
    assert!((19.0..=21.0).contains(&seconds), "{seconds}");
}
