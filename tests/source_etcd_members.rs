//! What is made of real etcd members' own words: alarms, and who is behind while the cluster is written to.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::etcd::Etcd;
use common::reading::profile;
use common::{Feed, PATIENCE};
use etcd_client::{AlarmAction, AlarmOptions, AlarmType, PutOptions};
use pgbaton::finding::{Finding, Forecast, Limits, findings};
use pgbaton::model::Cluster;
use pgbaton::source::etcd::{Access, Endpoint, status};
use pgbaton::source::{Clock, inbox};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// The members of an etcd, asked, and what is found in their answers.
struct Asked {
    feed: Feed,
    cluster: Cluster,
    clock: Clock,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Asked {
    fn of(etcd: &Etcd) -> Self {
        let (sink, inbox) = inbox();
        let (clock, profile) = (Clock::start(), profile(&etcd.urls()));
        let access = Arc::new(Access::new(&profile));
        let one = |url: &String| tokio::spawn(status(sink.clone(), clock, Endpoint::parse(url).unwrap(), Arc::clone(&access)));
        let tasks = profile.endpoints.iter().map(one).collect();
        Self { feed: Feed::new(inbox), cluster: Cluster::new("psg", "/service/", Default::default()), clock, tasks }
    }

    /// Hears one more answer.
    async fn hear(&mut self) {
        let heard = self.feed.wait("answer", |o| Some(o.clone())).await;
        self.cluster.apply(heard);
    }

    fn found(&self, code: &str) -> Vec<Finding> {
        findings(&self.cluster, &Limits::default(), &Forecast::of(&self.cluster, self.clock.now()), self.clock.now())
            .into_iter()
            .filter(|f| f.code == code)
            .collect()
    }

    async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < deadline, "{what}: {:?}", self.cluster.etcd);
            self.hear().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_is_found_and_does_what_is_said_of_it() {
    let etcd = Etcd::start(3).await;
    let mut asked = Asked::of(&etcd);
    asked.until("no alarm", |a| a.cluster.etcd_alarms.last().is_some_and(Vec::is_empty)).await;
    let mut client = etcd.client(0).await;
    let lease = client.lease_grant(60, None).await.unwrap().id();
    client.put("leader", "psg1", Some(PutOptions::new().with_lease(lease))).await.unwrap();

    for (kind, name, says) in [(AlarmType::Nospace, "NOSPACE", "etcd is full"), (AlarmType::Corrupt, "CORRUPT", "corrupt")] {
        client.alarm(AlarmAction::Activate, kind, None).await.unwrap();
        asked.until(name, |a| !a.found("etcd-alarm").is_empty()).await;
        let found = asked.found("etcd-alarm");
        assert!(found[0].sentence.contains(says) && found[0].sentence.contains(name), "{found:?}");
        // No write and no new lease on any member, and a lease that there is can be renewed.
        for i in 0..3 {
            let mut client = etcd.client(i).await;
            let refused = client.put("x", "y", None).await.unwrap_err();
            println!("{name}: {refused}");
            assert!(client.lease_grant(60, None).await.is_err());
            let (mut keeper, mut answers) = client.lease_keep_alive(lease).await.unwrap();
            keeper.keep_alive().await.unwrap();
            assert!(answers.message().await.unwrap().unwrap().ttl() > 0);
        }
        let held = asked.cluster.etcd_alarms.last().unwrap()[0].member_id;
        let mut whose = AlarmOptions::new();
        whose.with_member(held);
        client.alarm(AlarmAction::Deactivate, kind, Some(whose)).await.unwrap();
        asked.until("disarmed", |a| a.found("etcd-alarm").is_empty()).await;
        client.put("x", "y", None).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_behind_while_much_is_written() {
    let etcd = Etcd::start(3).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for n in 0..64 {
        let (mut client, stop) = (etcd.client(n % 3).await, Arc::clone(&stop));
        writers.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                client.put(format!("k{n}"), "v", None).await.unwrap();
            }
        }));
    }
    let mut asked = Asked::of(&etcd);
    let indices = |a: &Asked| a.cluster.etcd.values().filter_map(|seen| seen.last()).map(|s| s.raft_index).collect::<Vec<_>>();
    asked.until("answers of all", |a| indices(a).len() == 3).await;
    let (begun, first) = (Instant::now(), *indices(&asked).iter().max().unwrap());
    let (mut apart, mut behind) = (0, 0);
    while begun.elapsed() < Duration::from_secs(9) {
        asked.hear().await;
        let now = indices(&asked);
        apart = apart.max(now.iter().max().unwrap() - now.iter().min().unwrap());
        behind = behind.max(asked.cluster.etcd_trends.values().filter_map(|t| t.behind.last().copied()).max().unwrap_or(0));
        assert_eq!(asked.found("etcd-member-behind"), []);
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let rate = (indices(&asked).iter().max().unwrap() - first) as f64 / begun.elapsed().as_secs_f64();
    println!("{rate:.0} entries/s; newest readings up to {apart} apart, behind for certain up to {behind}");
    assert!(apart > behind, "the members were read at different moments: {apart} {behind}");
    assert!(asked.cluster.etcd_trends.values().all(|t| t.behind.last().is_some()), "each was compared");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_fills_is_told_before_it_is_full() {
    let etcd = Etcd::start_with(1, "http", &["--quota-backend-bytes", "16777216"]).await;
    let mut asked = Asked::of(&etcd);
    let url = etcd.urls()[0].clone();
    asked.until("the quota", |a| a.cluster.etcd_quota(&url) == Some(16 << 20)).await;
    let mut client = etcd.client(0).await;
    let mut fill = async || client.put("x", vec![b'x'; 1 << 20], None).await;
    for _ in 0..12 {
        fill().await.unwrap();
    }
    asked.until("nearly full", |a| !a.found("etcd-db-near-quota").is_empty()).await;
    let near = asked.found("etcd-db-near-quota").remove(0);
    println!("{}", near.sentence);
    assert!(near.sentence.contains("of the etcd member") && near.sentence.contains("of 16.0 MB"), "{near:?}");
    assert_eq!(asked.found("etcd-alarm"), []);
    while fill().await.is_ok() {}
    asked.until("full", |a| !a.found("etcd-alarm").is_empty()).await;
    println!("{}", asked.found("etcd-alarm")[0].sentence);
    assert!(asked.found("etcd-alarm")[0].sentence.contains("NOSPACE of e0"));
}
