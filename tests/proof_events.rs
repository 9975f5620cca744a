//! `events` while the leader's node dies, against a watch on etcd that knows nothing of pgbaton.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod event_lines;
    pub mod lab;
    pub mod leader_watch;
}

use std::time::{Duration, SystemTime};

use common::event_lines::{Events, PATIENCE};
use common::lab::{TestLab, member, until};
use common::leader_watch::LeaderWatch;
use pgbaton::document::{Role, RouteKind};
use pgbaton::model::{Change, ChangeKind};

/// What is promised for the end of a leader.
const LOST_WITHIN: Duration = Duration::from_secs(1);
/// What is promised for a new leader.
const CHANGED_WITHIN: Duration = Duration::from_millis(200);

fn moment(change: &Change) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(change.at.as_micros().try_into().unwrap())
}

#[test]
fn a_crash_of_the_leaders_node_is_told_as_etcd_commits_it() {
    let lab = TestLab::up("proof-events", &["--ttl", "20", "--loop-wait", "5"]);
    let (leader, replicas) = (lab.leader(), lab.replicas());
    let timeline = lab.status().cluster.timeline.expect("a timeline");
    let watch = LeaderWatch::start(lab.layout().etcd_url(&replicas[0]), lab.scope());
    let (mut events, first) = Events::start(&lab);
    assert_eq!((first["event"].as_str(), first["leader"].as_str()), (Some("started"), Some(leader.as_str())), "{first}");

    lab.fault(&["stop-node", &leader]);
    let gone = watch.wait(|commit| commit.holder.is_none());
    let taken = watch.wait(|commit| commit.holder.is_some());
    let new_leader = taken.holder.clone().unwrap();
    assert!(replicas.contains(&new_leader), "{new_leader}");

    let (read, change) = events.wait("leader-lost", |kind| *kind == ChangeKind::LeaderLost { from: leader.clone() });
    let lost = gone.until(moment(&change)).max(gone.until(read));
    let (read, change) = events.wait(
        "leader-changed",
        |kind| matches!(kind, ChangeKind::LeaderChanged { from, to, .. } if from.as_ref() == Some(&leader) && *to == new_leader),
    );
    let changed = taken.until(moment(&change)).max(taken.until(read));
    println!("leader-lost {lost:?} after the key's deletion, leader-changed {changed:?} after the new key's commit");
    assert!(lost <= LOST_WITHIN, "leader-lost came {lost:?} after the key's deletion");
    assert!(changed <= CHANGED_WITHIN, "leader-changed came {changed:?} after the commit");

    let (read, _) = events.wait("timeline-changed", |kind| {
        let leader = Some(new_leader.clone());
        *kind == ChangeKind::TimelineChanged { from: Some(timeline), to: timeline + 1, leader }
    });
    println!("timeline-changed {:?} after the new key's commit", taken.until(read));
    for proxy in ["vm1", "vm4"] {
        let (read, _) = events.wait(&format!("route-changed of {proxy}"), |kind| {
            matches!(kind, ChangeKind::RouteChanged { instance, kind: RouteKind::Write, to, .. } if instance == proxy && *to == [new_leader.clone()])
        });
        println!("route-changed of {proxy} {:?} after the new key's commit", taken.until(read));
    }
    the_picture_afterwards(&lab, &leader, &new_leader, timeline + 1);
    // Nothing was told that did not happen: one leader lost, one won.
    let told = events.seen.iter().filter(|(_, c)| matches!(c.kind, ChangeKind::LeaderLost { .. } | ChangeKind::LeaderChanged { .. }));
    assert_eq!(told.count(), 2, "{:#?}", events.seen);
}

fn the_picture_afterwards(lab: &TestLab, old: &str, new: &str, timeline: u32) {
    let document = until("a picture that agrees with itself", PATIENCE, || {
        let document = lab.status();
        let agree = document.cluster.truths.iter().all(|t| t.leaders == [new.to_owned()] && t.agrees == Some(true));
        let other = document.members.iter().filter(|m| m.name != old && m.name != new).all(|m| m.state.as_deref() == Some("streaming"));
        if agree && other { Ok(document) } else { Err(format!("{:#?}", document.cluster.truths)) }
    });
    assert_eq!(document.cluster.leader.as_deref(), Some(new));
    assert_eq!(document.cluster.timeline, Some(timeline));
    assert_eq!(member(&document, new).role, Role::Leader);
    let other = document.members.iter().find(|m| m.name != old && m.name != new).expect("the third member");
    assert_eq!((other.role, other.timeline, other.upstream.as_deref()), (Role::Replica, Some(timeline), Some(new)));
    assert!(other.replay_lag_bytes.is_some());
    if let Some(dead) = document.members.iter().find(|m| m.name == old) {
        assert!(!dead.rest.fresh && !dead.sql.fresh && dead.state.is_none(), "{dead:#?}");
        assert_eq!((dead.replay_lag_bytes, dead.receive_lag_bytes), (None, None));
    }
    for route in document.routes.iter().filter(|r| r.kind == RouteKind::Write) {
        assert_eq!((route.up.as_slice(), route.right), ([new.to_owned()].as_slice(), Some(true)));
    }
    assert_eq!((document.etcd.healthy, document.etcd.failure_tolerance), (2, Some(0)));
}
