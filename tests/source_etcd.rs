//! The reading of the cluster's keys against real etcd servers: pushed, confirmed, cut, killed, frozen, restored, without quorum.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::etcd::Etcd;
use common::proxy::{Mode, Proxy};
use common::reading::{confirmed, listed, put_of, read};
use etcd_client::{CompactionOptions, PutOptions};
use pgbaton::model::{Consistency, DcsEvent, ErrorKind, Fact, Lease, SourceKind};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_listed_watched_and_confirmed() {
    let etcd = Etcd::start(1).await;
    let mut client = etcd.client(0).await;
    client.put("/service/psg/config", "{}", None).await.unwrap();
    client.put("/service/psgx/config", "not ours", None).await.unwrap();
    let begun = Instant::now();
    let mut reading = read(&etcd.urls());
    let (consistency, _, keys) = reading.feed.fact("list", listed).await;
    println!("first list after {:?}", begun.elapsed());
    assert_eq!(consistency, Consistency::Linearizable);
    assert_eq!(keys.iter().map(|k| (k.key.as_str(), k.value.as_str())).collect::<Vec<_>>(), [("config", "{}")]);
    assert_eq!(reading.feed.fact("lease", |f| matches!(f, Fact::Lease(None)).then_some(())).await, ());

    let lease = client.lease_grant(30, None).await.unwrap().id();
    let on_lease = Some(PutOptions::new().with_lease(lease));
    client.put("/service/psg/members/psg1", "{}", on_lease.clone()).await.unwrap();
    let begun = Instant::now();
    client.put("/service/psg/leader", "psg1", on_lease).await.unwrap();
    assert_eq!(reading.feed.fact("leader", |f| put_of(f, "leader").map(str::to_owned)).await, "psg1");
    println!("put to pushed (commit included) {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    let Lease { id, ttl, granted } = reading.feed.fact("lease", |f| if let Fact::Lease(Some(l)) = f { Some(*l) } else { None }).await;
    println!("lease known after {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_millis(700), "it is asked for at once: {:?}", begun.elapsed());
    assert_eq!((id, granted), (lease, 30));
    assert!((28..=30).contains(&ttl), "{ttl}");

    // Another cluster's writes move the revision on, and nothing of ours has changed.
    let other = client.put("/service/psgx/config", "still not ours", None).await.unwrap().header().unwrap().revision();
    reading.feed.fact("confirmation", |f| confirmed(f).filter(|r| *r >= other)).await;

    client.lease_revoke(lease).await.unwrap();
    let events = reading
        .feed
        .fact("deletion", |f| match f {
            Fact::DcsChanged { events, .. } => Some(events.clone()),
            _ => None,
        })
        .await;
    let gone: Vec<&str> =
        events.iter().filter_map(|e| if let DcsEvent::Delete { key, .. } = e { Some(key.as_str()) } else { None }).collect();
    assert_eq!(gone, ["leader", "members/psg1"], "what one revision did comes together");
    reading.feed.fact("no lease", |f| matches!(f, Fact::Lease(None)).then_some(())).await;
    assert!(reading.feed.failures(SourceKind::Dcs).is_empty(), "{:?}", reading.feed.failures(SourceKind::Dcs));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_while_the_line_was_cut_is_told_event_by_event() {
    let etcd = Etcd::start(1).await;
    let proxy = Proxy::start(etcd.urls()[0].trim_start_matches("http://").to_owned()).await;
    let mut client = etcd.client(0).await;
    client.put("/service/psg/config", "{}", None).await.unwrap();
    let mut reading = read(&[format!("http://127.0.0.1:{}", proxy.port)]);
    reading.feed.fact("list", listed).await;
    reading.feed.fact("confirmation", confirmed).await;
    proxy.set(Mode::Cut);
    let error = reading.feed.failure(SourceKind::Dcs).await;
    println!("cut: {error}");
    for leader in ["psg1", "psg2"] {
        client.put("/service/psg/leader", leader, None).await.unwrap();
        client.delete("/service/psg/leader", None).await.unwrap();
    }
    let last = client.put("/service/psg/leader", "psg3", None).await.unwrap().header().unwrap().revision();
    proxy.set(Mode::Pass);
    let mut said = Vec::new();
    reading
        .feed
        .fact("last event", |fact| {
            assert!(listed(fact).is_none(), "the events are there; no new list is needed");
            let Fact::DcsChanged { events, revision } = fact else { return None };
            said.extend(events.iter().map(|e| match e {
                DcsEvent::Put(key) => key.value.clone(),
                DcsEvent::Delete { .. } => "-".to_owned(),
            }));
            (*revision >= last).then_some(())
        })
        .await;
    assert_eq!(said, ["psg1", "-", "psg2", "-", "psg3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_etcd_has_dropped_the_events_everything_is_listed_again() {
    let etcd = Etcd::start(1).await;
    let proxy = Proxy::start(etcd.urls()[0].trim_start_matches("http://").to_owned()).await;
    let mut client = etcd.client(0).await;
    client.put("/service/psg/config", "{}", None).await.unwrap();
    let mut reading = read(&[format!("http://127.0.0.1:{}", proxy.port)]);
    reading.feed.fact("list", listed).await;
    proxy.set(Mode::Cut);
    reading.feed.failure(SourceKind::Dcs).await;
    client.put("/service/psg/leader", "psg1", None).await.unwrap();
    let revision = client.put("/service/psg/leader", "psg2", None).await.unwrap().header().unwrap().revision();
    client.compact(revision, Some(CompactionOptions::new().with_physical())).await.unwrap();
    proxy.set(Mode::Pass);
    let (_, _, keys) = reading.feed.fact("list", listed).await;
    assert_eq!(keys.iter().find(|k| k.key == "leader").unwrap().value, "psg2");
    // And the new watch works.
    client.put("/service/psg/leader", "psg3", None).await.unwrap();
    reading.feed.fact("event", |f| put_of(f, "leader").filter(|v| *v == "psg3").map(drop)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_that_went_back_is_listed_anew() {
    let mut etcd = Etcd::start(1).await;
    let mut client = etcd.client(0).await;
    for i in 0..20 {
        client.put("/service/psg/status", i.to_string(), None).await.unwrap();
    }
    let mut reading = read(&etcd.urls());
    let (_, before, _) = reading.feed.fact("list", listed).await;
    etcd.wipe(0);
    etcd.launch(0);
    etcd.wait_ready().await;
    etcd.client(0).await.put("/service/psg/leader", "restored", None).await.unwrap();
    let after = reading
        .feed
        .fact("list", |f| listed(f).filter(|(_, _, keys)| keys.iter().any(|k| k.key == "leader")).map(|(_, revision, _)| revision))
        .await;
    assert!(after < before, "{after} {before}");
    etcd.client(0).await.put("/service/psg/leader", "watched", None).await.unwrap();
    reading.feed.fact("event", |f| put_of(f, "leader").filter(|v| *v == "watched").map(drop)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_member_costs_no_event() {
    let mut etcd = Etcd::start(3).await;
    let mut reading = read(&etcd.urls());
    reading.feed.fact("list", listed).await;
    reading.feed.fact("confirmation", confirmed).await;
    // The first one is asked; the raft leader is another, so that only the connection is lost and not the quorum for a moment.
    if etcd.raft_leader(1).await == 0 {
        let target = etcd.client(0).await.member_list().await.unwrap().members().iter().find(|m| m.name() == "e1").unwrap().id();
        etcd.client(0).await.move_leader(target).await.unwrap();
    }
    etcd.kill(0);
    let begun = Instant::now();
    etcd.client(2).await.put("/service/psg/leader", "psg2", None).await.unwrap();
    reading.feed.fact("event", |f| put_of(f, "leader").map(|v| assert_eq!(v, "psg2"))).await;
    println!("killed to next event {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    reading.feed.fact("confirmation", confirmed).await;
    assert!(reading.feed.failures(SourceKind::Dcs).is_empty(), "the others answer: {:?}", reading.feed.failures(SourceKind::Dcs));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_member_is_left_within_seconds() {
    let etcd = Etcd::start(3).await;
    let mut reading = read(&etcd.urls());
    reading.feed.fact("list", listed).await;
    reading.feed.fact("confirmation", confirmed).await;
    if etcd.raft_leader(1).await == 0 {
        let target = etcd.client(0).await.member_list().await.unwrap().members().iter().find(|m| m.name() == "e1").unwrap().id();
        etcd.client(0).await.move_leader(target).await.unwrap();
    }
    etcd.freeze(0);
    let begun = Instant::now();
    etcd.client(2).await.put("/service/psg/leader", "psg2", None).await.unwrap();
    reading.feed.fact("event", |f| put_of(f, "leader").map(|v| assert_eq!(v, "psg2"))).await;
    println!("frozen to next event {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    reading.feed.fact("confirmation", confirmed).await;
    println!("frozen to confirmation {:?}", begun.elapsed());
    assert!(reading.feed.failures(SourceKind::Dcs).is_empty(), "{:?}", reading.feed.failures(SourceKind::Dcs));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_raft_leader_killed_is_no_long_silence() {
    let mut etcd = Etcd::start(3).await;
    let mut reading = read(&etcd.urls());
    reading.feed.fact("list", listed).await;
    reading.feed.fact("confirmation", confirmed).await;
    let leader = etcd.raft_leader(0).await;
    etcd.kill(leader);
    let begun = Instant::now();
    reading.feed.fact("confirmation", |f| confirmed(f).filter(|_| begun.elapsed() > Duration::from_millis(200))).await;
    println!("raft leader killed to confirmation {:?}; failures {:?}", begun.elapsed(), reading.feed.failures(SourceKind::Dcs));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_one_member_is_read_by_itself() {
    let mut etcd = Etcd::start(3).await;
    etcd.client(0).await.put("/service/psg/leader", "psg1", None).await.unwrap();
    let mut reading = read(&etcd.urls());
    reading.feed.fact("list", listed).await;
    etcd.kill(1);
    etcd.kill(2);
    let begun = Instant::now();
    let error = reading.feed.failure(SourceKind::Dcs).await;
    println!("quorum lost, said after {:?}: {error}", begun.elapsed());
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.starts_with("no majority of etcd answers, only 127.0.0.1:"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    for _ in 0..2 {
        let (consistency, _, keys) = reading.feed.fact("list", listed).await;
        assert_eq!(consistency, Consistency::Serializable);
        assert_eq!(keys[0].value, "psg1");
    }
    println!("two serializable lists after {:?}", begun.elapsed());
    etcd.launch(1);
    etcd.client(1).await;
    let begun = Instant::now();
    reading
        .feed
        .fact("confirmation", |f| confirmed(f).map(drop).or(listed(f).filter(|l| l.0 == Consistency::Linearizable).map(drop)))
        .await;
    println!("quorum back, said after {:?}", begun.elapsed());
}
