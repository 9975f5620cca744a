//! Why another leads, told by `events` on a real cluster: a switchover that was asked for, then a crash of the leader's node.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod event_lines;
    pub mod lab;
}

use std::time::SystemTime;

use common::event_lines::{Events, PATIENCE};
use common::lab::{TestLab, until};
use pgbaton::document::Level;
use pgbaton::model::{Cause, Change, ChangeKind, SourceKind};

/// The next change of leader from this one.
fn change_from(events: &mut Events, leader: &str) -> Change {
    let from = |kind: &ChangeKind| matches!(kind, ChangeKind::LeaderChanged { from: Some(from), .. } if from == leader);
    let (_, change) = events.wait(&format!("leader-changed from {leader}"), from);
    println!("{}", change.sentence());
    for sign in change.evidence() {
        println!("  {:?} {} {}: {}", sign.at.map(|at| at.to_string()), sign.source, sign.what, sign.value);
    }
    change
}

fn healthy(lab: &TestLab) {
    until("a healthy cluster", PATIENCE, || match lab.status().headline {
        headline if headline.level == Level::Ok => Ok(()),
        headline => Err(headline.verdict),
    });
}

#[test]
fn a_switchover_is_told_as_asked_for_and_a_crash_with_the_order_of_silence() {
    let lab = TestLab::up("proof-causes", &["--ttl", "20", "--loop-wait", "5"]);
    healthy(&lab);
    let (first, second) = (lab.leader(), lab.replicas().remove(0));
    let (mut events, _) = Events::start(&lab);

    lab.tool("patronictl", &["switchover", lab.scope(), "--leader", &first, "--candidate", &second, "--force"]);
    let change = change_from(&mut events, &first);
    let ChangeKind::LeaderChanged { to, seconds, cause, .. } = &change.kind else { panic!("{change:?}") };
    assert_eq!(to, &second);
    assert_eq!(cause, &Cause::AskedFor { from: Some(first.clone()), to: Some(second.clone()), scheduled_at: None });
    assert!(seconds.is_some_and(|s| s > 0.0 && s < 10.0), "{seconds:?}");
    healthy(&lab);

    let crash = SystemTime::now();
    lab.fault(&["stop-node", &second]);
    let change = change_from(&mut events, &second);
    let ChangeKind::LeaderChanged { seconds, cause, .. } = &change.kind else { panic!("{change:?}") };
    let Cause::Crash { leader, silent, lease_ran_out } = cause else { panic!("{cause:?}") };
    assert_eq!((leader, *lease_ran_out), (&second, true));
    let mut sources: Vec<SourceKind> = silent.iter().map(|s| s.source).collect();
    sources.sort();
    assert_eq!(sources, [SourceKind::Etcd, SourceKind::Rest, SourceKind::Sql], "the whole node is gone");
    assert!(silent.is_sorted_by(|a, b| a.seconds >= b.seconds) && silent.iter().all(|s| s.seconds > 5.0), "{silent:?}");
    assert!(seconds.is_some_and(|s| s < 10.0), "{seconds:?}");

    // The findings of the meantime are told with their beginning and their end.
    let of = |wanted: &'static str, raised: bool| {
        move |kind: &ChangeKind| match kind {
            ChangeKind::FindingRaised { code, .. } => raised && code == wanted,
            ChangeKind::FindingCleared { code, .. } => !raised && code == wanted,
            _ => false,
        }
    };
    for code in ["member-down", "no-leader"] {
        println!("{}", events.wait(&format!("the beginning of {code}"), of(code, true)).1.sentence());
    }
    println!("{}", events.wait("the end of no-leader", of("no-leader", false)).1.sentence());
    for (_, change) in events.seen.iter().filter(|(_, c)| c.about().is_some()) {
        println!("{} {}: {}", change.at, change.code(), change.sentence());
    }
    // A switchover that goes well is no alarm on who could take over, who follows, or who writes. That HAProxy follows later is one while it lasts.
    let alarms = events.seen.iter().filter(|(read, _)| *read < crash).filter_map(|(_, c)| match &c.kind {
        ChangeKind::FindingRaised { code, severity, .. } if code != "leader-disagreement" || *severity == Level::Critical => {
            Some(code.as_str())
        }
        _ => None,
    });
    let false_ones = ["no-candidate", "replica-not-streaming", "split-brain", "leader-disagreement", "timeline-behind", "diverged"];
    assert_eq!(alarms.filter(|code| false_ones.contains(code)).collect::<Vec<_>>(), Vec::<&str>::new());
}
