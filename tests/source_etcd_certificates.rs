//! Certificates of etcd that end soon, and our own, told and found.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::etcd::Etcd;
use common::pki::Pki;
use common::reading::profile;
use common::{PATIENCE, whole_profile};
use pgbaton::config::EtcdProfile;
use pgbaton::finding::{Forecast, Limits, findings};
use pgbaton::model::{Cluster, SourceId, SourceKind};
use pgbaton::source::{Clock, Collector};
use tokio::time::{Instant, timeout_at};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_soon_is_found_and_clears_when_it_was_renewed() {
    let pki = Pki::new();
    pki.sign_for("server", 10 * DAY);
    pki.sign_for("client", 2 * DAY + Duration::from_secs(60));
    let ca = pki.path("ca.pem").display().to_string();
    let mut args = pki.server("server");
    args.extend(["--client-cert-auth", "--trusted-ca-file", &ca].map(str::to_owned));
    let etcd = Etcd::start_with(1, "https", &args.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let url = etcd.urls()[0].clone();

    let clock = Clock::start();
    let with_tls = EtcdProfile { tls: pki.client(Some("client")), ..profile(&etcd.urls()) };
    let (mut collector, mut inbox) = Collector::start(whole_profile(with_tls), clock);
    let mut cluster = Cluster::new("psg", "/service/", Default::default());
    let mut until = async |what: &str, sentences: &[&str]| {
        // The next handshake is ten seconds away; one that finds the new certificate beside the old key fails, and then it is twenty.
        let deadline = Instant::now() + 2 * PATIENCE;
        loop {
            let found = findings(&cluster, &Limits::default(), &Forecast::of(&cluster, clock.now()), clock.now());
            let found: Vec<String> = found.into_iter().filter(|f| f.code == "certificate-expiring").map(|f| f.sentence).collect();
            if found.len() == sentences.len() && found.iter().zip(sentences).all(|(f, s)| f.contains(s)) {
                println!("{what}: {found:#?}");
                return;
            }
            let arrived = timeout_at(deadline, inbox.next()).await.unwrap_or_else(|_| panic!("{what}: {found:?}"));
            arrived.into_iter().for_each(|observation| drop(cluster.apply(observation)));
            collector.follow(&cluster);
        }
    };
    let ours = format!("our certificate CN=client in {} ends in 2 d 00 h", pki.path("client.pem").display());
    let theirs = format!("the certificate CN=server of etcd at {} ends in 9 d 23 h", url.trim_start_matches("https://"));
    until("both", &[&ours, &theirs]).await;
    // etcd reads its certificate at each handshake, and each reading of its counters is one.
    pki.sign_for("server", 90 * DAY);
    until("renewed", &[&ours]).await;
    let shown = cluster.certificates[&SourceId::new(SourceKind::Etcd, &url)].last().unwrap();
    assert!(shown.left(clock.now()).unwrap() > 89 * DAY);
}
