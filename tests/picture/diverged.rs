//! `diverged` and `timeline-behind`: members whose history is not the leader's.

use pgbaton::document::Level;
use pgbaton::model::Lsn;
use serde_json::json;

use crate::scenario::{Scenario, WRITTEN};

const FORK: u64 = WRITTEN - 1000;

/// psg2 has taken over on timeline 2, psg1 is back as a replica on timeline 1 with this much WAL, and all has settled.
fn back(position: u64) -> Scenario {
    let mut s = Scenario::healthy();
    s.promote("psg2", 2).put("history", format!(r#"[[1,{FORK},"x","2026-11-24T03:00:02+00:00","psg2"]]"#));
    s.sql("psg1", |sql| {
        (sql.timeline, sql.receiver) = (Some(1), None);
        (sql.receive_lsn, sql.replay_lsn) = (None, Some(Lsn(position)));
    });
    s.patroni("psg1", json!({"timeline": 1, "xlog": {"replayed_location": position}}));
    s
}

#[test]
fn wal_beyond_the_fork_is_told_in_bytes() {
    let mut s = back(FORK + 3 * 1_048_576);
    s.pass(11);
    assert_eq!((s.finding("diverged"), s.finding("timeline-behind")), (None, None), "it follows, or is rewound, at its next loop");
    s.pass(3);
    let finding = s.finding("diverged").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("psg1")));
    assert_eq!(
        finding.sentence,
        "psg1 has 3.0 MB that the leader does not have: its timeline 1 ended at 0/4FFFD60, it needs a rewind or a new copy"
    );
    let said: Vec<_> = finding.evidence.iter().map(|e| format!("{} {} {}", e.source, e.what, e.value)).collect();
    assert_eq!(said, ["sql psg1 position 0/52FFD60", "etcd history timeline 1 ended at 0/4FFFD60"]);
    assert_eq!(s.finding("timeline-behind"), None, "one of both");

    // By Patroni alone.
    s.silent("sql psg1").pass(8);
    assert_eq!(s.finding("diverged").unwrap().evidence[0].source, "rest psg1");
    s.silent("rest psg1").pass(8);
    assert_eq!((s.finding("diverged"), s.finding("timeline-behind")), (None, None), "where it was is not where it is");
}

#[test]
fn wal_up_to_the_fork_can_still_follow() {
    for position in [FORK, FORK - 500] {
        let mut s = back(position);
        s.pass(14);
        assert_eq!(s.finding("diverged"), None, "{position}");
        assert_eq!(s.sentence("timeline-behind"), "psg1 is on timeline 1, the leader on 2: it cannot follow nor take over");
    }
}

#[test]
fn where_the_fork_is_not_known_nobody_has_diverged() {
    // No history, one that ends before the leader's timeline, one without the member's timeline, one that is not readable.
    for history in ["[]", r#"[[4,900,"x"]]"#, r#"[[0,1,"x"]]"#, "nonsense"] {
        let mut s = back(FORK + 5000);
        s.put("history", history).pass(14);
        assert_eq!(s.finding("diverged"), None, "{history}");
        assert!(s.finding("timeline-behind").is_some(), "{history}");
    }
    // A timeline ahead of the leader's is no ancestor of it.
    let mut s = back(FORK + 5000);
    s.sql("psg1", |sql| sql.timeline = Some(3)).patroni("psg1", json!({"timeline": 3})).pass(14);
    assert_eq!(s.finding("diverged"), None);
    assert!(s.finding("timeline-behind").is_some());
}

#[test]
fn one_that_writes_is_a_split_brain_and_not_a_replica() {
    let mut s = back(FORK);
    s.sql("psg1", |sql| (sql.in_recovery, sql.current_lsn, sql.replay_lsn) = (false, Some(Lsn(FORK + 5000)), None)).pass(14);
    assert!(s.finding("split-brain").is_some());
    assert_eq!(s.finding("diverged"), None);
}

#[test]
fn the_leaders_own_line_has_not_diverged() {
    let mut s = Scenario::healthy();
    s.promote("psg2", 2).put("history", format!(r#"[[1,{FORK},"x","2026-11-24T03:00:02+00:00","psg2"]]"#)).pass(15);
    assert_eq!(s.verdict(), "healthy");
}

/// A standby without a receiver tells what its last restart point knew; it may have replayed on the new timeline long since.
#[test]
fn a_standby_that_receives_nothing_is_not_judged_by_its_last_restart_point() {
    let mut s = back(FORK + 5000);
    s.patroni("psg1", json!({"timeline": 2})).pass(14);
    assert_eq!((s.finding("diverged"), s.finding("timeline-behind")), (None, None), "its Patroni knows better");
    s.silent("rest psg1").pass(8);
    assert_eq!((s.finding("diverged"), s.finding("timeline-behind")), (None, None), "nobody knows");
}
