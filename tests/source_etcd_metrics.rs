//! What etcd counts, read from real servers, and that it is missed by nobody where it is not there.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::etcd::Etcd;
use common::patroni::{FakePatroni, http};
use common::pki::Pki;
use common::reading::profile;
use common::{Feed, PATIENCE};
use pgbaton::config::EtcdProfile;
use pgbaton::model::{Cluster, EtcdMetrics, Fact, Observation, Outcome, SourceKind};
use pgbaton::source::etcd::{Access, Endpoint, status};
use pgbaton::source::{Clock, inbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

struct Asked {
    feed: Feed,
    task: JoinHandle<()>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn ask(profile: &EtcdProfile) -> Asked {
    let (sink, inbox) = inbox();
    let endpoint = Endpoint::parse(&profile.endpoints[0]).unwrap();
    let task = tokio::spawn(status(sink, Clock::start(), endpoint, Arc::new(Access::new(profile))));
    Asked { feed: Feed::new(inbox), task }
}

fn metrics_of(observation: &Observation) -> Option<(EtcdMetrics, Observation)> {
    match &observation.outcome {
        Outcome::Heard(fact) => match fact.as_ref() {
            Fact::EtcdMetrics(metrics) => Some((metrics.as_ref().clone(), observation.clone())),
            _ => None,
        },
        Outcome::Failed(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_readings_tell_how_long_the_disk_takes() {
    let etcd = Etcd::start_with(1, "http", &["--quota-backend-bytes", "16777216"]).await;
    let mut asked = ask(&profile(&etcd.urls()));
    let mut cluster = Cluster::new("psg", "/service/", Default::default());
    let (first, observation) = asked.feed.wait("counters", metrics_of).await;
    println!("read in {:?}: {first:?}", observation.rtt);
    assert_eq!(first.quota_bytes(), Some(16_777_216));
    assert!(first.fsync.as_ref().unwrap().count > 0 && first.commit.as_ref().unwrap().count > 0);
    assert!(first.leader_changes.is_some() && first.proposals_failed.is_some() && first.proposals_pending.is_some());
    assert!(first.slow_applies.is_some());
    let url = &etcd.urls()[0];
    let now = observation.at;
    cluster.apply(observation);
    assert_eq!(cluster.etcd_trends[url].pace_now(now), None, "one reading tells nothing of now");
    let mut client = etcd.client(0).await;
    for _ in 0..50 {
        client.put("x", "y", None).await.unwrap();
    }
    let (second, observation) = asked.feed.wait("counters again", metrics_of).await;
    let now = observation.at;
    cluster.apply(observation);
    let pace = cluster.etcd_trends[url].pace_now(now).copied().unwrap();
    println!("{pace:?}");
    let fsync = pace.fsync.unwrap();
    assert!(second.fsync.unwrap().count >= first.fsync.unwrap().count + 50);
    assert!(fsync.about >= fsync.more_than && fsync.about > Duration::ZERO && pace.leader_changes == Some(0));
    // The status was not held up.
    let answers = asked.feed.seen.iter().filter(|o| matches!(&o.outcome, Outcome::Heard(f) if matches!(**f, Fact::EtcdStatus(_)))).count();
    assert!(answers >= 5, "one each two seconds: {answers}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_are_read_over_tls_and_beside_a_port_of_their_own() {
    let pki = Pki::new();
    pki.sign("server", &["127.0.0.1"], false);
    pki.sign("client", &[], false);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let apart = format!("http://127.0.0.1:{port}");
    let mut args = pki.server("server");
    let ca = pki.path("ca.pem").display().to_string();
    args.extend(["--client-cert-auth", "--trusted-ca-file", &ca, "--listen-metrics-urls", &apart].map(str::to_owned));
    let etcd = Etcd::start_with(1, "https", &args.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut asked = ask(&EtcdProfile { tls: pki.client(Some("client")), ..profile(&etcd.urls()) });
    let (metrics, _) = asked.feed.wait("counters", metrics_of).await;
    assert_eq!(metrics.quota_bytes(), Some(2 << 30));
}

/// An etcd whose plain HTTP goes elsewhere: what begins with `GET` is passed to another server.
async fn apart(etcd: String, other: String, asked: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (etcd, other, asked) = (etcd.clone(), other.clone(), Arc::clone(&asked));
            tokio::spawn(async move {
                let mut first = [0; 3];
                stream.read_exact(&mut first).await.unwrap();
                let plain = &first == b"GET";
                asked.fetch_add(usize::from(plain), Ordering::Relaxed);
                let mut server = TcpStream::connect(if plain { other } else { etcd }).await.unwrap();
                server.write_all(&first).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut server).await;
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_they_are_not_nothing_is_said_and_the_status_goes_on() {
    let etcd = Etcd::start(1).await;
    let member = etcd.urls()[0].trim_start_matches("http://").to_owned();
    let silent = FakePatroni::start(|_| None);
    let missing = FakePatroni::start(|_| Some(http("404 Not Found", "nothing here")));
    let else_ = FakePatroni::start(|_| Some(http("200 OK", "<html>a page</html>")));
    let huge = FakePatroni::start(|_| Some(http("200 OK", &"etcd_server_slow_apply_total 4\n".repeat(200_000))));
    for server in [silent, missing, else_, huge] {
        let gets = Arc::new(AtomicUsize::new(0));
        let url = apart(member.clone(), format!("127.0.0.1:{}", server.port), Arc::clone(&gets)).await;
        let mut asked = ask(&profile(&[url]));
        let deadline = Instant::now() + PATIENCE;
        let mut statuses = 0;
        // Until well after the counters were asked for.
        while statuses < 3 || gets.load(Ordering::Relaxed) == 0 {
            assert!(Instant::now() < deadline);
            let began = Instant::now();
            asked.feed.fact("status", |f| matches!(f, Fact::EtcdStatus(_)).then_some(())).await;
            statuses += 1;
            assert!(began.elapsed() < Duration::from_secs(4), "the status waits for nobody");
        }
        assert!(asked.feed.failures(SourceKind::Etcd).is_empty(), "{:?}", asked.feed.failures(SourceKind::Etcd));
        assert!(asked.feed.seen.iter().all(|o| metrics_of(o).is_none()));
        let more = timeout(Duration::from_millis(200), asked.feed.wait("counters", metrics_of)).await;
        assert!(more.is_err());
    }
}
