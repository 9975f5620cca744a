//! What each etcd endpoint says of itself, and the collector that starts all of it.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::etcd::Etcd;
use common::reading::profile;
use common::{Feed, whole_profile};
use etcd_client::{AlarmAction, AlarmType};
use pgbaton::config::EtcdProfile;
use pgbaton::model::{Cluster, ErrorKind, EtcdMembership, EtcdStatus, Fact, Outcome, SourceId, SourceKind};
use pgbaton::source::etcd::{Access, Endpoint, status};
use pgbaton::source::{Clock, Collector, Inbox, inbox};
use secrecy::SecretString;

fn ask(profile: &EtcdProfile) -> (Feed, Vec<tokio::task::JoinHandle<()>>) {
    let (sink, inbox) = inbox();
    let access = Arc::new(Access::new(profile));
    let one = |url: &String| {
        let endpoint = Endpoint::parse(url).unwrap();
        tokio::spawn(status(sink.clone(), Clock::start(), endpoint, Arc::clone(&access)))
    };
    let tasks = profile.endpoints.iter().map(one).collect();
    (Feed::new(inbox), tasks)
}

fn status_of(fact: &Fact) -> Option<EtcdStatus> {
    match fact {
        Fact::EtcdStatus(status) => Some(status.clone()),
        _ => None,
    }
}

fn membership_of(fact: &Fact) -> Option<EtcdMembership> {
    match fact {
        Fact::EtcdMembership(membership) => Some(membership.clone()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_members_and_alarms() {
    let mut etcd = Etcd::start(3).await;
    let (mut feed, _tasks) = ask(&profile(&etcd.urls()));
    let first = feed.fact("status", status_of).await;
    assert_eq!(first.version.split('.').next(), Some("3"));
    assert!(
        first.leader_id.is_some() && first.raft_index > 0 && first.raft_term > 1 && first.db_size > 0 && first.errors.is_empty(),
        "{first:?}"
    );
    let membership = feed.fact("members", membership_of).await;
    assert_eq!(membership.alarms, Some(Vec::new()));
    let mut urls: Vec<&String> = membership.members.iter().flat_map(|m| &m.client_urls).collect();
    urls.sort();
    let mut expected = etcd.urls();
    expected.sort();
    assert_eq!(urls, expected.iter().collect::<Vec<_>>());
    assert!(membership.members.iter().any(|m| m.id == first.member_id));

    // An alarm shows in the status at once, and that makes the alarms be asked for.
    let begun = Instant::now();
    etcd.client(0).await.alarm(AlarmAction::Activate, AlarmType::Nospace, None).await.unwrap();
    let alarms = feed.fact("alarm", |f| membership_of(f)?.alarms.filter(|a| !a.is_empty())).await;
    assert_eq!(alarms[0].kind, "NOSPACE");
    assert!(begun.elapsed() < Duration::from_secs(6), "before the ten seconds are over: {:?}", begun.elapsed());

    // Without a majority the status is still told, and the alarms are unknown rather than none.
    etcd.kill(0);
    etcd.kill(1);
    let alone = feed.fact("status without a leader", |f| status_of(f).filter(|s| s.leader_id.is_none())).await;
    assert!(alone.errors.iter().any(|e| e.contains("no leader")), "{:?}", alone.errors);
    let membership = feed.fact("members without a majority", |f| membership_of(f).filter(|m| m.alarms.is_none())).await;
    assert_eq!(membership.members.len(), 3);
    let refused = feed.failure(SourceKind::Etcd).await;
    assert_eq!(refused.kind, ErrorKind::Refused);
}

/// What is only read must not be written to anybody's log: a question that goes through raft makes each member sync its disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_ask_adds_nothing_to_the_log_of_raft() {
    let etcd = Etcd::start(3).await;
    // The members themselves add to it once more when they have agreed on the cluster's version: another round then.
    for _ in 0..5 {
        let (mut feed, _tasks) = ask(&profile(&etcd.urls()));
        let mut before = 0;
        feed.fact("status", |f| status_of(f).map(|s| before = before.max(s.raft_index))).await;
        for _ in 0..3 {
            feed.fact("members and alarms", |f| membership_of(f).filter(|m| m.alarms.is_some())).await;
        }
        let after = feed.fact("the next status", |f| status_of(f).filter(|s| s.raft_index >= before)).await.raft_index;
        println!("raft index {before}, then {after}");
        if after == before {
            return;
        }
    }
    panic!("each round of questions added to raft's log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_endpoint_times_out_and_the_others_answer() {
    let etcd = Etcd::start(3).await;
    let (mut feed, _tasks) = ask(&profile(&etcd.urls()));
    feed.fact("status", status_of).await;
    etcd.freeze(1);
    let frozen = etcd.urls()[1].clone();
    let begun = Instant::now();
    let error = feed
        .wait("timeout", |o| match &o.outcome {
            Outcome::Failed(error) => Some((o.source.target.clone(), error.clone())),
            Outcome::Heard(_) => None,
        })
        .await;
    assert_eq!((error.0.as_str(), error.1.kind), (frozen.as_str(), ErrorKind::Timeout));
    println!("frozen endpoint reported after {:?}", begun.elapsed());
    // The line that was open may be cut; a new one tells.
    let hung = feed
        .wait("what the next attempt says", |o| match &o.outcome {
            Outcome::Failed(error) if error.kind != ErrorKind::Timeout => Some(error.clone()),
            _ => None,
        })
        .await;
    assert_eq!(hung.kind, ErrorKind::Hung, "{hung}");
    feed.wait("another's status", |o| (o.source.target != frozen && matches!(o.outcome, Outcome::Heard(_))).then_some(())).await;
    etcd.thaw(1);
    let begun = Instant::now();
    feed.wait("its status again", |o| (o.source.target == frozen && matches!(o.outcome, Outcome::Heard(_))).then_some(())).await;
    println!("thawed endpoint answers after {:?}", begun.elapsed());
}

/// A console's heart: folds what arrives, and asks whom the cluster names.
struct Console {
    collector: Collector,
    inbox: Inbox,
    cluster: Cluster,
    heard: BTreeSet<SourceId>,
}

impl Console {
    async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = tokio::time::Instant::now() + common::PATIENCE;
        while !done(self) {
            let arrived = tokio::time::timeout_at(deadline, self.inbox.next()).await;
            for observation in arrived.unwrap_or_else(|_| panic!("{what}: {:?}", self.cluster)) {
                self.heard.insert(observation.source.clone());
                self.cluster.apply(observation);
            }
            self.collector.follow(&self.cluster);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collector_asks_whom_the_cluster_names() {
    let mut etcd = Etcd::start(3).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let value = format!(r#"{{"conn_url":"postgres://127.0.0.1:{port}/postgres","api_url":"http://127.0.0.1:{port}/patroni"}}"#);
    etcd.client(0).await.put("/service/psg/members/psg1", value, None).await.unwrap();
    // One endpoint is configured, once more in another spelling, and one that is no address; the others are discovered.
    let configured = vec![etcd.urls()[0].clone(), format!("{}/", etcd.urls()[0]), "ftp://nonsense".to_owned()];
    let begun = Instant::now();
    let (collector, inbox) = Collector::start(whole_profile(profile(&configured)), Clock::start());
    let cluster = Cluster::new("psg", "/service/", Default::default());
    let mut console = Console { collector, inbox, cluster, heard: BTreeSet::new() };
    console
        .until("every source reports", |c| {
            c.heard.contains(&SourceId::new(SourceKind::Rest, "psg1")) && c.collector.expected().is_subset(&c.heard)
        })
        .await;
    println!("a whole picture after {:?}", begun.elapsed());
    let Console { cluster, heard, .. } = &console;
    let source = |kind, target: &str| SourceId::new(kind, target);
    for expected in [
        source(SourceKind::Dcs, "psg"),
        source(SourceKind::Lease, "psg"),
        source(SourceKind::Rest, "psg1"),
        source(SourceKind::Sql, "psg1"),
    ] {
        assert!(heard.contains(&expected), "{expected} in {heard:?}");
    }
    assert_eq!(cluster.members["psg1"].rest.error().unwrap().kind, ErrorKind::Refused);
    assert_eq!(cluster.etcd["ftp://nonsense"].error().unwrap().kind, ErrorKind::Config);
    // The members of etcd come with its membership, which follows the status.
    let urls = etcd.urls();
    let answers = |c: &Console, url: &String| c.cluster.etcd.get(url).is_some_and(|seen| seen.last().is_some());
    console.until("discovered endpoints answer", |c| urls.iter().all(|url| answers(c, url))).await;
    assert_eq!(console.cluster.etcd.len(), 4, "three members and the one that is no address: {:?}", console.cluster.etcd.keys());

    // And the keys are read of them when the configured one is gone.
    etcd.kill(0);
    // The killed one may have led the others: until they have elected another, a write can time out.
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(error) = etcd.client(1).await.put("/service/psg/leader", "psg1", None).await {
        assert!(Instant::now() < deadline, "{error}");
    }
    console.until("the leader key", |c| c.cluster.dcs.keys.leader.is_some()).await;

    // A member that comes back elsewhere is asked there.
    let elsewhere = r#"{"conn_url":"postgres://127.0.0.1:1/postgres","api_url":"http://127.0.0.1:1/patroni"}"#;
    etcd.client(1).await.put("/service/psg/members/psg1", elsewhere, None).await.unwrap();
    let says = |c: &Console| c.cluster.members["psg1"].rest.error().map(|e| e.message.clone());
    console.until("the new address", |c| says(c).as_deref() == Some("connection refused by 127.0.0.1:1")).await;
    console.collector.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_says_its_status_without_a_login_when_it_may() {
    let etcd = Etcd::start_with(1, "http", &["--bcrypt-cost", "4"]).await;
    let mut client = etcd.client(0).await;
    client.user_add("root", "secret", None).await.unwrap();
    client.role_add("root").await.unwrap();
    client.user_grant_role("root", "root").await.unwrap();
    client.auth_enable().await.unwrap();
    let wrong = EtcdProfile { username: Some("root".into()), password: Some(SecretString::from("wrong")), ..profile(&etcd.urls()) };
    let (mut feed, _tasks) = ask(&wrong);
    feed.fact("status", status_of).await;
    feed.fact("members", membership_of).await;
}
