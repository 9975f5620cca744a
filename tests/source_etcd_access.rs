//! Getting into etcd, and what is said when it fails: users, certificates, names, ports, and servers that are something else.
#![allow(clippy::unwrap_used)]

mod common;

use common::etcd::Etcd;
use common::pki::Pki;
use common::proxy::{Mode, Proxy};
use common::reading::{confirmed, listed, profile, put_of, read, read_with};
use etcd_client::{Client, ConnectOptions, Permission};
use pgbaton::config::{EtcdProfile, TlsProfile};
use pgbaton::model::{ErrorKind, SourceError, SourceKind};
use pgbaton::source::etcd::discover;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// One member with a root, a reader of `/service/` and a user without rights; passwords are `secret-` and the name.
async fn etcd_with_users(extra: &[&str]) -> Etcd {
    let mut args = vec!["--bcrypt-cost", "4"];
    args.extend(extra);
    let etcd = Etcd::start_with(1, "http", &args).await;
    let mut client = etcd.client(0).await;
    client.role_add("reader").await.unwrap();
    client.role_grant_permission("reader", Permission::read("/service/").with_prefix()).await.unwrap();
    for (user, role) in [("root", Some("root")), ("pgbaton", Some("reader")), ("nobody", None)] {
        client.user_add(user, format!("secret-{user}"), None).await.unwrap();
        if role == Some("root") {
            client.role_add("root").await.unwrap();
        }
        if let Some(role) = role {
            client.user_grant_role(user, role).await.unwrap();
        }
    }
    client.put("/service/psg/leader", "psg1", None).await.unwrap();
    etcd
}

async fn root(etcd: &Etcd) -> Client {
    Client::connect(etcd.urls(), Some(ConnectOptions::new().with_user("root", "secret-root"))).await.unwrap()
}

fn as_user(etcd: &Etcd, user: &str, password: &str) -> EtcdProfile {
    EtcdProfile { username: Some(user.into()), password: Some(SecretString::from(password)), ..profile(&etcd.urls()) }
}

async fn why_not(profile: &EtcdProfile) -> SourceError {
    let mut reading = read_with(profile);
    let error = reading.feed.failure(SourceKind::Dcs).await;
    println!("{:?} {error} / {:?}", error.kind, error.hint);
    // The lease's reader says the same, instead of nothing.
    assert_eq!(reading.feed.failure(SourceKind::Lease).await, error);
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_and_passwords() {
    let etcd = etcd_with_users(&["--auth-token-ttl", "1"]).await;
    // While etcd has no authentication, a configured user does no harm.
    let mut early = read_with(&as_user(&etcd, "pgbaton", "secret-pgbaton"));
    early.feed.fact("list", listed).await;
    etcd.client(0).await.auth_enable().await.unwrap();

    let error = why_not(&as_user(&etcd, "pgbaton", "secret-wrong")).await;
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.contains(r#"does not accept the user "pgbaton""#) && !error.message.contains("secret"), "{error}");
    let error = why_not(&profile(&etcd.urls())).await;
    assert_eq!((error.kind, error.hint.as_deref()), (ErrorKind::Auth, Some("give etcd's username and password")));
    let error = why_not(&as_user(&etcd, "nobody", "secret-nobody")).await;
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.message.contains(r#"the etcd user "nobody" may not read /service/psg/"#), "{error}");

    let mut reading = read_with(&as_user(&etcd, "pgbaton", "secret-pgbaton"));
    reading.feed.fact("list", listed).await;
    for _ in 0..3 {
        reading.feed.fact("confirmation", confirmed).await;
    }
    for feed in [&mut reading.feed, &mut early.feed] {
        root(&etcd).await.put("/service/psg/leader", "psg2", None).await.unwrap();
        feed.fact("event", |f| put_of(f, "leader").map(drop)).await;
        assert!(feed.failures(SourceKind::Dcs).is_empty(), "{:?}", feed.failures(SourceKind::Dcs));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_has_expired_is_renewed() {
    let etcd = etcd_with_users(&["--auth-token-ttl", "1"]).await;
    etcd.client(0).await.auth_enable().await.unwrap();
    let proxy = Proxy::start(etcd.urls()[0].trim_start_matches("http://").to_owned()).await;
    let through =
        EtcdProfile { endpoints: vec![format!("http://127.0.0.1:{}", proxy.port)], ..as_user(&etcd, "pgbaton", "secret-pgbaton") };
    let mut reading = read_with(&through);
    reading.feed.fact("list", listed).await;
    proxy.set(Mode::Cut);
    reading.feed.failure(SourceKind::Dcs).await;
    // Each failed attempt takes part of a second; after three the token of a second is gone.
    reading.feed.failure(SourceKind::Dcs).await;
    reading.feed.failure(SourceKind::Dcs).await;
    root(&etcd).await.put("/service/psg/leader", "psg2", None).await.unwrap();
    proxy.set(Mode::Pass);
    reading.feed.fact("event", |f| put_of(f, "leader").map(drop)).await;
    reading.feed.fact("confirmation", confirmed).await;
}

fn https(etcd: &Etcd, tls: TlsProfile) -> EtcdProfile {
    EtcdProfile { tls, ..profile(&etcd.urls()) }
}

async fn etcd_with_tls(pki: &Pki, server: &str, more: &[&str]) -> Etcd {
    let mut args = pki.server(server);
    args.extend(more.iter().map(|s| (*s).to_owned()));
    Etcd::start_with(1, "https", &args.iter().map(String::as_str).collect::<Vec<_>>()).await
}

/// The first failure that is not the server still starting.
async fn tls_failure(profile: &EtcdProfile) -> SourceError {
    let mut reading = read_with(profile);
    let error = loop {
        let error = reading.feed.failure(SourceKind::Dcs).await;
        if error.kind != ErrorKind::Refused {
            break error;
        }
    };
    println!("{:?} {error} / {:?}", error.kind, error.hint);
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates() {
    let pki = Pki::new();
    pki.sign("server", &["127.0.0.1"], false);
    pki.sign("client", &[], false);
    let ca = pki.path("ca.pem").display().to_string();
    let etcd = etcd_with_tls(&pki, "server", &["--client-cert-auth", "--trusted-ca-file", &ca]).await;
    let mut reading = read_with(&https(&etcd, pki.client(Some("client"))));
    reading.feed.fact("list", listed).await;
    reading.feed.fact("confirmation", confirmed).await;

    let error = tls_failure(&https(&etcd, pki.client(None))).await;
    assert_eq!((error.kind, error.hint.as_deref()), (ErrorKind::Tls, Some("does it demand a client certificate?")));
    let stranger = Pki::new();
    let error = tls_failure(&https(&etcd, stranger.client(None))).await;
    assert_eq!(error.kind, ErrorKind::Tls);
    assert!(error.message.contains("unknown CA"), "{error}");
    let error = tls_failure(&https(&etcd, TlsProfile { ca: Some("/no/such/file".into()), ..TlsProfile::default() })).await;
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("/no/such/file"), "{error}");
    let plain = EtcdProfile { endpoints: vec![etcd.urls()[0].replace("https", "http")], ..profile(&[]) };
    let error = tls_failure(&plain).await;
    assert!(error.hint.as_deref().is_some_and(|h| h.contains("https instead of http")), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_must_not_be_accepted() {
    let pki = Pki::new();
    pki.sign("expired", &["127.0.0.1"], true);
    pki.sign("other", &["etcd.example.org"], false);
    let etcd = etcd_with_tls(&pki, "expired", &[]).await;
    let error = tls_failure(&https(&etcd, pki.client(None))).await;
    assert_eq!(error.kind, ErrorKind::Tls);
    assert!(error.message.ends_with("the server's certificate has expired"), "{error}");
    let etcd = etcd_with_tls(&pki, "other", &[]).await;
    let error = tls_failure(&https(&etcd, pki.client(None))).await;
    assert_eq!(error.kind, ErrorKind::Tls);
    assert!(error.message.ends_with("the server's certificate is for another name"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("it names etcd.example.org, and we ask for 127.0.0.1"));
    let mut reading = read_with(&https(&etcd, TlsProfile { insecure: true, ..TlsProfile::default() }));
    reading.feed.fact("list", listed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_to_a_plain_etcd() {
    let etcd = Etcd::start(1).await;
    let pki = Pki::new();
    let url = etcd.urls()[0].replace("http", "https");
    let error = tls_failure(&EtcdProfile { tls: pki.client(None), ..profile(&[url]) }).await;
    assert_eq!(error.kind, ErrorKind::Tls);
    assert!(error.hint.as_deref().is_some_and(|h| h.contains("http instead of https")), "{error:?}");
}

/// Whoever closes with something unread resets the connection: no TLS is spoken there either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_resets_the_handshake() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.readable().await.unwrap();
            drop(stream);
        }
    });
    let error = tls_failure(&EtcdProfile { tls: Pki::new().client(None), ..profile(&[url]) }).await;
    assert!(error.message.ends_with("the server closed the connection in the TLS handshake"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("is it http instead of https?"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_ports_that_lead_nowhere() {
    let error = why_not(&profile(&["http://no-such-host.invalid:2379".into()])).await;
    assert_eq!(error.kind, ErrorKind::Dns);
    assert!(error.message.contains("the host name no-such-host.invalid cannot be resolved"), "{error}");
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = why_not(&profile(&[format!("http://127.0.0.1:{port}")])).await;
    assert_eq!((error.kind, error.message), (ErrorKind::Refused, format!("connection refused by 127.0.0.1:{port}")));
    let error = why_not(&profile(&[])).await;
    assert_eq!(error.kind, ErrorKind::Config);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_endpoint_does_not_delay_the_others() {
    let etcd = Etcd::start(1).await;
    let hung = Proxy::start(String::new()).await;
    hung.set(Mode::Freeze);
    let begun = std::time::Instant::now();
    let mut reading = read(&[format!("http://127.0.0.1:{}", hung.port), etcd.urls()[0].clone()]);
    reading.feed.fact("list", listed).await;
    println!("with a hung endpoint first: list after {:?}", begun.elapsed());
    assert!(begun.elapsed() < std::time::Duration::from_millis(700), "{:?}", begun.elapsed());
    let error = why_not(&profile(&[format!("http://127.0.0.1:{}", hung.port)])).await;
    assert_eq!(error.kind, ErrorKind::Timeout);
}

/// A server that says the same to everybody, or nothing.
async fn server(says: &'static [u8]) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0; 1024];
                let _ = stream.read(&mut asked).await;
                let _ = stream.write_all(says).await;
                // Not closed before the other side does, so that the answer is surely read; closed at once when there is none.
                while !says.is_empty() && stream.read(&mut asked).await.is_ok_and(|n| n > 0) {}
            });
        }
    });
    (url, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_something_else() {
    for says in [
        &b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[..],
        b"\x00\xff\x00 garbage \x1b[2J and more of it to fill a frame",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let (url, task) = server(says).await;
        let error = why_not(&profile(&[url])).await;
        assert_eq!(error.kind, ErrorKind::Malformed, "{error}");
        assert!(error.message.contains("does not speak etcd's protocol"), "{error}");
        task.abort();
    }
    let (url, task) = server(b"").await;
    let error = why_not(&profile(&[url])).await;
    assert_eq!(error.kind, ErrorKind::Broken, "{error}");
    task.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_are_found_by_their_keys() {
    let mut etcd = Etcd::start(3).await;
    let mut client = etcd.client(0).await;
    for key in ["/service/psg/members/psg1", "/service/old/config", "/service/stray", "/other/x/leader"] {
        client.put(key, "{}", None).await.unwrap();
    }
    let all = common::whole_profile(profile(&etcd.urls()));
    assert_eq!(discover(&all).await.unwrap(), ["old", "psg"]);
    etcd.kill(0);
    etcd.kill(1);
    assert_eq!(discover(&all).await.unwrap(), ["old", "psg"], "without a majority too");
    etcd.kill(2);
    assert_eq!(discover(&all).await.unwrap_err().kind, ErrorKind::Refused);
}
