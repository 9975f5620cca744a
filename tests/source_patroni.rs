//! The reading of Patroni's REST API: how gently it asks, and what it says of answers that are none.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::Feed;
use common::patroni::{FakePatroni, REPLICA, http, http_kept};
use common::pki::Pki;
use pgbaton::config::TlsProfile;
use pgbaton::model::{Certificate, ErrorKind, Fact, Outcome, SourceError, SourceKind};
use pgbaton::source::{Clock, TlsCache, inbox, patroni};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::task::JoinHandle;

struct Reading {
    feed: Feed,
    task: JoinHandle<()>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn read(api_url: &str) -> Reading {
    read_tls(api_url, TlsProfile::default())
}

fn read_tls(api_url: &str, tls: TlsProfile) -> Reading {
    let (sink, inbox) = inbox();
    let (url, tls) = (api_url.to_owned(), Arc::new(TlsCache::new(tls, &[b"http/1.1"])));
    let task = tokio::spawn(async move { patroni::run(sink, Clock::start(), "psg2", &url, tls).await });
    Reading { feed: Feed::new(inbox), task }
}

async fn why_not(api_url: &str) -> SourceError {
    let error = read(api_url).feed.failure(SourceKind::Rest).await;
    println!("{:?} {error} / {:?}", error.kind, error.hint);
    error
}

fn state(fact: &Fact) -> Option<String> {
    match fact {
        Fact::Patroni(status) => Some(status.state.0.clone()),
        _ => None,
    }
}

/// Waits until the server sees no connection; the other side closes in a task of its own.
async fn none_open(server: &FakePatroni) {
    let deadline = Instant::now() + Duration::from_secs(1);
    while server.open() > 0 {
        assert!(Instant::now() < deadline, "a connection is left open");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_at_a_time_and_none_kept() {
    // A server that would keep every connection.
    let server = FakePatroni::start(|path| {
        Some(match path {
            "/patroni" => http_kept(REPLICA),
            "/config" => http_kept(r#"{"ttl": 30}"#),
            "/history" => http_kept("[]"),
            other => panic!("nobody asks for {other}"),
        })
    });
    let mut reading = read(&server.api_url());
    reading.feed.fact("status", state).await;
    reading.feed.fact("config", |f| matches!(f, Fact::PatroniConfig(v) if v["ttl"] == 30).then_some(())).await;
    reading.feed.fact("history", |f| matches!(f, Fact::PatroniHistory(_)).then_some(())).await;
    for _ in 0..3 {
        reading.feed.fact("status", state).await;
        none_open(&server).await;
    }
    server.look(|seen| {
        assert_eq!(seen.most, 1, "{:?}", seen.requests);
        assert_eq!(seen.total, seen.requests.len(), "a connection is opened for a request only");
        assert_eq!(seen.keep_alive, 0);
        let statuses = seen.requests.iter().filter(|r| r.as_str() == "GET /patroni HTTP/1.1").count();
        assert_eq!((statuses, seen.requests.len()), (5, 7), "{:?}", seen.requests);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_hangs_holds_one_connection_until_the_deadline() {
    let server = FakePatroni::start(|_| None);
    let mut reading = read(&server.api_url());
    let begun = Instant::now();
    let error = reading.feed.failure(SourceKind::Rest).await;
    assert_eq!(error.kind, ErrorKind::Hung);
    assert!(error.message.ends_with("takes the connection and gives no answer within 1.9 s"), "{error}");
    assert!((1.9..3.0).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
    reading.feed.failure(SourceKind::Rest).await;
    reading.feed.failure(SourceKind::Rest).await;
    assert_eq!(server.look(|seen| seen.most), 1);
    // And when the source is dropped in the middle of a request, its connection goes with it.
    let begun = Instant::now();
    while server.open() == 0 {
        assert!(begun.elapsed() < common::PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(reading);
    none_open(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_patroni_answers() {
    let server = FakePatroni::start(|path| match path {
        "/patroni" => Some(http("200 OK", REPLICA)),
        _ => Some(http("502 Bad Gateway", "")),
    });
    let mut reading = read(&server.api_url());
    assert_eq!(reading.feed.fact("status", state).await, "running");
    reading.feed.fact("status", state).await;
    assert!(reading.feed.failures(SourceKind::Rest).is_empty(), "no /config is no failure: {:?}", reading.feed.failures(SourceKind::Rest));
    assert_eq!(server.look(|seen| seen.most), 1);
    let stopped = FakePatroni::saying(&http("503 Service Unavailable", r#"{"state": "stopped", "role": "demoted"}"#));
    assert_eq!(read(&stopped.api_url()).feed.fact("status", state).await, "stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_none() {
    let long = format!(r#"{{"state": "{}"}}"#, "x".repeat(1 << 20));
    for (answer, kind, says) in [
        (http("200 OK", &REPLICA[..90]), ErrorKind::Malformed, "the body is not JSON: EOF while parsing"),
        (http("200 OK", ""), ErrorKind::Malformed, "an empty answer"),
        (http("200 OK", "<html>login</html>"), ErrorKind::Malformed, "HTML instead of JSON"),
        (http("200 OK", r#"{"role": "replica"}"#), ErrorKind::Malformed, "no \"state\""),
        (http("200 OK", &long), ErrorKind::Malformed, "larger than 1024 KiB"),
        (http_kept(&long), ErrorKind::Malformed, "larger than 1024 KiB"),
        (http("404 Not Found", ""), ErrorKind::Malformed, "404 Not Found"),
        (http("401 Unauthorized", ""), ErrorKind::Auth, "401 Unauthorized"),
        (http("302 Found\r\nLocation: http://127.0.0.1:1/", ""), ErrorKind::Malformed, "302 Found"),
        (http("500 Internal Server Error", "{}"), ErrorKind::Unavailable, "500 Internal Server Error"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"state\"".to_vec(), ErrorKind::Timeout, "the answer does not end within 1.9 s"),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), ErrorKind::Malformed, "does not speak HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x16".to_vec(), ErrorKind::Malformed, "does not speak HTTP"),
        (Vec::new(), ErrorKind::Broken, "the answer breaks off"),
    ] {
        let server = FakePatroni::saying(&answer);
        let error = why_not(&server.api_url()).await;
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(says), "{error}");
        assert!(error.message.contains(&format!("127.0.0.1:{}", server.port)), "{error}");
        assert!(server.look(|seen| seen.requests.iter().all(|r| r.starts_with("GET /patroni "))), "no redirection is followed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_that_lead_nowhere() {
    assert_eq!(why_not("http://no-such-host.invalid:8008/patroni").await.kind, ErrorKind::Dns);
    let error = why_not("http://127.0.0.1:1/patroni").await;
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Refused, "connection refused by 127.0.0.1:1"));
    let error = why_not("psg2").await;
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert!(error.message.contains("api_url"), "{error}");
}

/// A server with TLS; it answers every request as a replica does.
async fn https_server(pki: &Pki, name: &str, demand: bool) -> (String, JoinHandle<()>) {
    let certificates = vec![CertificateDer::from_pem_file(pki.path(&format!("{name}.pem"))).unwrap()];
    let key = PrivateKeyDer::from_pem_file(pki.path(&format!("{name}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = if demand {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(pki.path("ca.pem")).unwrap()).unwrap();
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(builder.with_single_cert(certificates, key).unwrap()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/patroni", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(&http("200 OK", REPLICA)).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (url, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates() {
    let pki = Pki::new();
    pki.sign("server", &["127.0.0.1"], false);
    pki.sign("expired", &["127.0.0.1"], true);
    pki.sign("client", &[], false);
    let failure = async |url: &str, tls| {
        let error = read_tls(url, tls).feed.failure(SourceKind::Rest).await;
        println!("{:?} {error} / {:?}", error.kind, error.hint);
        error
    };
    let (url, _task) = https_server(&pki, "server", true).await;
    assert_eq!(read_tls(&url, pki.client(Some("client"))).feed.fact("status", state).await, "running");
    let error = failure(&url, pki.client(None)).await;
    assert!(error.kind == ErrorKind::Tls && error.message.ends_with("the server demands a client certificate"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("name ours and its key (certfile, keyfile)"));
    assert_eq!(failure(&url, Pki::new().client(None)).await.kind, ErrorKind::Tls);
    let (url, _task) = https_server(&pki, "expired", false).await;
    let error = failure(&url, pki.client(None)).await;
    assert!(error.kind == ErrorKind::Tls && error.message.ends_with("the server's certificate has expired"), "{error}");
    pki.sign("other", &["psg1.example.org", "10.0.0.8"], false);
    let (url, _task) = https_server(&pki, "other", false).await;
    let error = failure(&url, pki.client(None)).await;
    assert!(error.kind == ErrorKind::Tls && error.message.ends_with("the server's certificate is for another name"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("it names psg1.example.org and 10.0.0.8, and we ask for 127.0.0.1"));
    let error = failure(&url.replace("https", "http"), pki.client(None)).await;
    assert_eq!(error.hint.as_deref(), Some("is it https instead of http?"), "{error}");
    // This one waits for the end of a line, as Patroni does.
    let plain = FakePatroni::start(|_| Some(http("200 OK", REPLICA)));
    let error = failure(&plain.api_url().replace("http", "https"), pki.client(None)).await;
    assert!(error.kind == ErrorKind::Hung && error.message.contains("does not answer the TLS handshake"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("is it http instead of https?"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_that_is_shown_is_told_once() {
    let pki = Pki::new();
    pki.sign_for("psg2", Duration::from_secs(10 * 86_400));
    let (url, _task) = https_server(&pki, "psg2", false).await;
    let mut reading = read_tls(&url, pki.client(None));
    let shown = reading.feed.fact("certificate", certificate).await;
    assert_eq!((shown.ours, shown.subject.as_str()), (false, "CN=psg2"));
    assert!(shown.issuer.contains("test CA"), "{shown:?}");
    let left = shown.left(Clock::start().now()).unwrap();
    assert!(left > Duration::from_secs(10 * 86_400 - 60) && left <= Duration::from_secs(10 * 86_400), "{left:?}");
    for _ in 0..3 {
        reading.feed.fact("status", state).await;
    }
    let told = reading.feed.seen.iter().filter(|o| matches!(&o.outcome, Outcome::Heard(f) if certificate(f).is_some())).count();
    assert_eq!(told, 1, "each second has a handshake, and each minute a report");

    // Nobody verifies, and an expired one is told as well.
    pki.sign("expired", &["127.0.0.1"], true);
    let (url, _task) = https_server(&pki, "expired", false).await;
    let mut reading = read_tls(&url, TlsProfile { insecure: true, ..TlsProfile::default() });
    let shown = reading.feed.fact("certificate", certificate).await;
    assert!(shown.left(Clock::start().now()).is_err());
    let error = read_tls(&url, pki.client(None)).feed.failure(SourceKind::Rest).await;
    assert_eq!(error.hint.as_deref(), Some("it was valid until 2021-01-01 00:00 UTC"));
}

/// An answer with the date of a clock that is ahead of ours by so many seconds.
fn dated(ahead: i64) -> Vec<u8> {
    let theirs = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&theirs).unwrap();
    format!("HTTP/1.0 200 OK\r\nServer: BaseHTTP/0.6 Python/3.11.2\r\nDate: {date}\r\nContent-Type: application/json\r\n\r\n{REPLICA}")
        .into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_of_a_member_is_compared_each_five_seconds() {
    for ahead in [0, 30, -30] {
        let server = FakePatroni::start(move |_| Some(dated(ahead)));
        let mut reading = read(&server.api_url());
        let skew = async |feed: &mut Feed| {
            feed.wait("clock", |o| match &o.outcome {
                Outcome::Heard(fact) => match fact.as_ref() {
                    Fact::Clock(reading) => Some(reading.skew(o.rtt.unwrap())),
                    _ => None,
                },
                Outcome::Failed(_) => None,
            })
            .await
        };
        let first = skew(&mut reading.feed).await;
        assert!(first.least <= ahead * 1_000_000 && first.most >= ahead * 1_000_000, "{ahead}: {first:?}");
        assert!(first.most - first.least < 2_500_000, "{first:?}");
        assert_eq!(first.certain() > Duration::from_secs(25), ahead != 0);
        if ahead == 0 {
            let begun = Instant::now();
            skew(&mut reading.feed).await;
            assert!(begun.elapsed() > Duration::from_secs(3), "{:?}", begun.elapsed());
        }
    }
    // Without a date nothing is compared.
    let server = FakePatroni::start(|_| Some(http("200 OK", REPLICA)));
    let mut reading = read(&server.api_url());
    for _ in 0..2 {
        reading.feed.fact("status", state).await;
    }
    assert!(!reading.feed.seen.iter().any(|o| matches!(&o.outcome, Outcome::Heard(f) if matches!(**f, Fact::Clock(_)))));
}

fn certificate(fact: &Fact) -> Option<Certificate> {
    match fact {
        Fact::Certificate(certificate) => Some(certificate.as_ref().clone()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_was_renewed_is_read_again() {
    let pki = Pki::new();
    pki.sign("server", &["127.0.0.1"], false);
    let (url, _task) = https_server(&pki, "server", false).await;
    // What lies there first is another CA.
    let other = Pki::new();
    let ca = pki.path("trusted.pem");
    std::fs::copy(other.path("ca.pem"), &ca).unwrap();
    let mut reading = read_tls(&url, TlsProfile { ca: Some(ca.clone()), ..TlsProfile::default() });
    assert_eq!(reading.feed.failure(SourceKind::Rest).await.kind, ErrorKind::Tls);
    std::fs::copy(pki.path("ca.pem"), &ca).unwrap();
    assert_eq!(reading.feed.fact("status", state).await, "running");
}
