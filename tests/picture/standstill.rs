//! `replication-stalled`, `commits-hang`: everybody is connected, and nothing moves.

use std::time::Duration;

use pgbaton::document::Level;
use pgbaton::finding::Limits;
use pgbaton::model::{CommitWait, ErrorKind, Lsn, Time};
use serde_json::json;

use crate::scenario::{Scenario, WRITTEN};

/// The leader writes `bytes` more, and these replicas receive it.
fn writes(s: &mut Scenario, bytes: u64, received_by: &[&str]) {
    s.sql("psg1", |sql| sql.current_lsn = sql.current_lsn.map(|lsn| Lsn(lsn.0 + bytes)));
    for name in received_by {
        s.sql(name, |sql| sql.receive_lsn = sql.receive_lsn.map(|lsn| Lsn(lsn.0 + bytes)));
    }
}

/// The standbys that are heard have said something a moment ago.
fn replies(s: &mut Scenario, from: &[&str]) {
    let now = s.now();
    s.sql("psg1", |sql| {
        for row in sql.replication.iter_mut().filter(|row| from.contains(&row.application_name.as_str())) {
            row.reply_time = Some(now);
        }
    });
}

#[test]
fn a_replica_that_receives_nothing_of_what_is_written_is_found() {
    let mut s = Scenario::healthy();
    writes(&mut s, 4096, &["psg3"]);
    s.pass(2);
    assert_eq!(s.verdict(), "healthy", "it may come yet");
    s.pass(1);
    assert_eq!(s.codes(), ["replication-stalled"]);
    let finding = s.finding("replication-stalled").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("psg2")));
    assert_eq!(finding.sentence, "psg2 counts as streaming, but has received nothing for 2 s, and lacks 4096 B of what psg1 wrote");
    assert_eq!(finding.evidence[0].value, "streaming");
    // It goes on, slowly.
    for _ in 0..10 {
        writes(&mut s, 4096, &["psg3"]);
        s.sql("psg2", |sql| sql.receive_lsn = sql.receive_lsn.map(|lsn| Lsn(lsn.0 + 8))).pass(1);
        assert_eq!(s.verdict(), "healthy");
    }
    // It has all there is, however long ago that was.
    s.sql("psg2", |sql| sql.receive_lsn = Some(Lsn(WRITTEN + 11 * 4096))).pass(60);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn how_long_it_may_stand_still_is_for_the_configuration_to_say() {
    let mut s = Scenario::healthy();
    s.limits(Limits { replication_stall: Duration::from_secs(30), ..Limits::default() });
    writes(&mut s, 4096, &["psg2"]);
    s.pass(30);
    assert_eq!(s.verdict(), "healthy");
    s.pass(1);
    assert_eq!(s.finding("replication-stalled").unwrap().subject.as_deref(), Some("psg3"));
}

/// Nothing is written, so nothing can be lacking; but a standby says something every ten seconds.
#[test]
fn a_standby_that_says_nothing_to_an_idle_leader_is_found() {
    let mut s = Scenario::healthy();
    for _ in 0..4 {
        replies(&mut s, &["psg2", "psg3"]);
        s.pass(10);
        assert_eq!(s.verdict(), "healthy");
    }
    replies(&mut s, &["psg2", "psg3"]);
    for _ in 0..2 {
        s.pass(6);
        assert_eq!(s.verdict(), "healthy");
        replies(&mut s, &["psg3"]);
    }
    s.pass(1);
    assert_eq!(s.codes(), ["replication-stalled"]);
    assert_eq!(s.sentence("replication-stalled"), "psg2 counts as streaming, but psg1 has not heard from it for 12 s (each 10 s is usual)");
    // By its own configuration it says nothing unasked; or nobody knows.
    for interval in [Some(0), None, Some(60)] {
        s.sql("psg2", |sql| sql.settings.status_interval = interval).pass(1);
        assert_eq!(s.finding("replication-stalled"), None, "{interval:?}");
    }
}

#[test]
fn what_is_told_otherwise_or_not_known_is_no_standstill() {
    let stalled = || {
        let mut s = Scenario::healthy();
        writes(&mut s, 4096, &["psg3"]);
        s.pass(5);
        assert!(s.finding("replication-stalled").is_some());
        s
    };
    // Its receiver has ended; its PostgreSQL is silent; the leader's is; another leads.
    let mut s = stalled();
    s.sql("psg2", |sql| sql.receiver = None).patroni("psg2", json!({"replication_state": null})).pass(1);
    assert_eq!(s.codes(), ["replica-not-streaming"]);
    let mut s = stalled();
    s.fails("sql psg2", ErrorKind::Timeout, "no answer").pass(1);
    assert_eq!(s.finding("replication-stalled"), None);
    let mut s = stalled();
    s.fails("sql psg1", ErrorKind::Timeout, "no answer").pass(1);
    assert_eq!(s.finding("replication-stalled"), None);
    let mut s = stalled();
    s.promote("psg3", 2).pass(1);
    assert_eq!(s.finding("replication-stalled"), None);
}

/// psg2 is the synchronous standby, and these sessions, each with its transaction, wait for it.
fn waiting(s: &mut Scenario, waits: &[(i32, u32)]) {
    s.sql("psg1", |sql| {
        sql.settings.synchronous_standby_names = Some("psg2".to_owned());
        sql.replication.iter_mut().filter(|row| row.application_name == "psg2").for_each(|row| row.sync_state = Some("sync".to_owned()));
        sql.commit_waits = waits.iter().map(|(pid, xid)| CommitWait { pid: *pid, xid: *xid }).collect();
        sql.commits_waiting = u32::try_from(waits.len()).ok();
    });
}

#[test]
fn commits_that_wait_for_a_standby_that_does_not_confirm() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"synchronous_mode": true})).put("sync", r#"{"leader": "psg1", "sync_standby": "psg2"}"#);
    // Each waits for a moment, one after the other: that is how it works.
    for xid in 700..740 {
        waiting(&mut s, &[(41, xid), (42, xid + 1000)]);
        s.pass(1);
        assert_eq!(s.verdict(), "healthy");
    }
    waiting(&mut s, &[(41, 800), (42, 801)]);
    s.sql("psg1", |sql| sql.current_lsn = Some(Lsn(WRITTEN + 200))).sql("psg2", |sql| sql.receive_lsn = Some(Lsn(WRITTEN + 200)));
    s.sql("psg3", |sql| sql.receive_lsn = Some(Lsn(WRITTEN + 200))).pass(3);
    assert_eq!(s.verdict(), "healthy");
    waiting(&mut s, &[(41, 800), (43, 802), (44, 803)]);
    s.pass(1);
    assert_eq!(s.codes(), ["commits-hang"]);
    let finding = s.finding("commits-hang").unwrap();
    assert_eq!(finding.severity, Level::Critical);
    assert_eq!(finding.sentence, "commits on psg1 hang: 3 sessions wait for the synchronous standby psg2, for 3 s or longer");
    let said: Vec<_> = finding.evidence.iter().map(|e| format!("{} {} {}", e.source, e.what, e.value)).collect();
    assert!(said.contains(&"sql psg1 pg_stat_replication psg2 200 bytes not confirmed".to_owned()), "{said:?}");
    // It has gone: then it is missing, which has a finding of its own.
    s.sql("psg1", |sql| sql.replication.retain(|row| row.application_name != "psg2")).pass(4);
    assert_eq!((s.finding("commits-hang"), s.finding("sync-missing").is_some()), (None, true));
    waiting(&mut s, &[]);
    s.answers("sql psg1").pass(1);
    assert_eq!(s.finding("commits-hang"), None);
}

#[test]
fn how_long_a_commit_may_wait_is_for_the_configuration_to_say() {
    let mut s = Scenario::healthy();
    s.limits(Limits { commit_wait: Duration::from_secs(10), ..Limits::default() });
    waiting(&mut s, &[(41, 800)]);
    s.pass(10);
    assert_eq!(s.finding("commits-hang"), None);
    s.pass(1);
    assert_eq!(s.sentence("commits-hang"), "commits on psg1 hang: 1 session waits for the synchronous standby psg2, for 10 s or longer");
    // What was heard before its PostgreSQL fell silent is not so now.
    s.fails("sql psg1", ErrorKind::Timeout, "no answer").pass(1);
    assert_eq!(s.finding("commits-hang"), None);
}

#[test]
fn the_word_of_a_standby_is_timed_by_our_own_clock() {
    let mut s = Scenario::healthy();
    // Its clock is an hour ahead, and it speaks regularly.
    for n in 0..30 {
        s.sql("psg1", |sql| sql.replication.iter_mut().for_each(|row| row.reply_time = Some(Time::from_micros(9_000_000_000_000_000 + n))));
        s.pass(1);
    }
    assert_eq!(s.verdict(), "healthy");
}
