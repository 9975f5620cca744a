//! The HAProxy source on a real HAProxy, by its page and by its socket, and on what only looks like one.

mod pgcommon;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Instant;

use pgbaton::config::{HaproxyAddress, HaproxyProfile, TlsProfile};
use pgbaton::model::{ErrorKind, HaproxyServer, HaproxyStatus, SourceError};
use pgcommon::certificates::Ca;
use pgcommon::free_port;
use pgcommon::haproxy::Haproxy;
use pgcommon::watch::Watch;
use rustix::process::{Signal, kill_process};
use secrecy::SecretString;
use tempfile::TempDir;

fn profile(stats: HaproxyAddress) -> HaproxyProfile {
    HaproxyProfile {
        name: "vm1".to_owned(),
        stats,
        username: None,
        password: None,
        tls: TlsProfile::default(),
        write_backend: None,
        read_backend: None,
        write_address: None,
        read_address: None,
        admin_socket: None,
        config: HaproxyProfile::CONFIG.to_owned(),
    }
}

fn page(url: impl Into<String>) -> HaproxyProfile {
    profile(HaproxyAddress::Http(url.into()))
}

fn socket(path: &Path) -> HaproxyProfile {
    profile(HaproxyAddress::Socket(path.to_owned()))
}

fn failure(profile: HaproxyProfile) -> SourceError {
    Watch::haproxy(profile).failure()
}

/// Answers every connection with `answer` until the test ends; gives its port.
fn answering(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its number").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer);
        }
    });
    port
}

fn by_name<'a>(status: &'a HaproxyStatus, backend: &str, name: &str) -> &'a HaproxyServer {
    status.servers.iter().find(|s| s.backend == backend && s.name == name).expect("the server is listed")
}

/// As Patroni's: a server whose check answers 200, one whose check answers 503, one that is not there, and one without checks.
fn routes() -> (String, u16) {
    let (leader, replica, nobody) = (free_port(), free_port(), free_port());
    let rest = format!(
        "listen leader-api\n    mode http\n    bind 127.0.0.1:{leader}\n    http-request return status 200\n\
         listen replica-api\n    mode http\n    bind 127.0.0.1:{replica}\n    http-request return status 503\n\
         listen primary\n    bind 127.0.0.1:{}\n    option httpchk OPTIONS /primary\n    http-check expect status 200\n    \
         default-server inter 200ms fall 1 rise 1\n    server psg1 127.0.0.1:{leader} check\n    server psg2 127.0.0.1:{replica} check\n    \
         server psg3 127.0.0.1:{nobody} check\n    server psg4 127.0.0.1:{nobody}\n    server psg5 127.0.0.1:{leader} check disabled\n",
        free_port()
    );
    (rest, leader)
}

#[test]
fn page_and_socket_tell_which_server_is_up() {
    let (rest, leader) = routes();
    let legends = free_port();
    let rest = format!(
        "{rest}listen legends\n    mode http\n    bind 127.0.0.1:{legends}\n    stats enable\n    stats uri /\n    stats show-legends\n"
    );
    let haproxy = Haproxy::start("\n    stats enable\n    stats uri /", &rest);
    let settled = |s: &HaproxyStatus| {
        ["psg1", "psg2", "psg3"].map(|n| by_name(s, "primary", n)).iter().all(|s| s.check_ms.is_some())
            && by_name(s, "primary", "psg2").status == "DOWN"
            && by_name(s, "primary", "psg3").status == "DOWN"
    };
    for (profile, told) in [
        (page(format!("http://127.0.0.1:{}/", haproxy.port)), None),
        (page(format!("http://127.0.0.1:{legends}/")), Some(leader)),
        (socket(&haproxy.socket()), Some(leader)),
    ] {
        let mut watch = Watch::haproxy(profile);
        let status = std::iter::from_fn(|| Some(watch.status())).take(10).find(settled).expect("the checks settle");
        let statuses: Vec<_> = status.servers.iter().map(|s| format!("{}/{} {}", s.backend, s.name, s.status)).collect();
        assert_eq!(statuses, ["primary/psg1 UP", "primary/psg2 DOWN", "primary/psg3 DOWN", "primary/psg4 no check", "primary/psg5 MAINT"]);
        let [up, down, gone, unchecked, fenced] = ["psg1", "psg2", "psg3", "psg4", "psg5"].map(|n| by_name(&status, "primary", n));
        let check = |s: &HaproxyServer| s.check_status.as_deref().map(|c| c.trim_start_matches("* ").to_owned());
        assert_eq!(check(up).as_deref(), Some("L7OK"));
        assert_eq!(check(down).as_deref(), Some("L7STS"));
        assert_eq!((check(gone).as_deref(), gone.check_code), (Some("L4CON"), None));
        assert_eq!((check(unchecked), unchecked.check_code, unchecked.check_ms), (None, None, None));
        assert!(matches!(up.check_code, Some(200) | None) && matches!(down.check_code, Some(503) | None), "{up:?} {down:?}");
        assert_eq!((up.takes_sessions(), down.takes_sessions(), fenced.takes_sessions()), (true, false, false));
        assert_eq!((up.sessions, up.last_change.is_some()), (Some(0), true));
        assert_eq!(up.address, told.map(|port| format!("127.0.0.1:{port}")));
    }
}

#[test]
fn a_frozen_haproxy_is_a_timeout_and_comes_back() {
    let haproxy = Haproxy::start("\n    stats enable\n    stats uri /", "");
    for profile in [page(format!("http://127.0.0.1:{}/", haproxy.port)), socket(&haproxy.socket())] {
        let mut watch = Watch::haproxy(profile);
        assert!(watch.status().servers.is_empty(), "there are no servers, which is no error");
        kill_process(haproxy.pid(), Signal::STOP).expect("it is frozen");
        let begun = Instant::now();
        assert_eq!(watch.failure().kind, ErrorKind::Hung);
        assert!(begun.elapsed().as_millis() < 4500, "{} ms", begun.elapsed().as_millis());
        kill_process(haproxy.pid(), Signal::CONT).expect("it thaws");
        watch.status();
    }
}

#[test]
fn a_page_with_a_password() {
    let haproxy = Haproxy::start("\n    stats enable\n    stats uri /haproxy?stats\n    stats auth admin:s3cret", "");
    let url = format!("http://127.0.0.1:{}/haproxy?stats", haproxy.port);
    let place = format!("http://127.0.0.1:{}/haproxy", haproxy.port);
    let nobody = failure(page(&url));
    assert_eq!((nobody.kind, nobody.message), (ErrorKind::Auth, format!("{place} asks for a user and a password")));
    assert!(nobody.hint.is_some());

    let mut known = page(&url);
    known.username = Some("admin".to_owned());
    known.password = Some(SecretString::from("wr0ng"));
    let wrong = failure(known.clone());
    assert_eq!((wrong.kind, wrong.message), (ErrorKind::Auth, format!("{place} does not accept our user and password")));
    known.password = Some(SecretString::from("s3cret"));
    Watch::haproxy(known).status();

    // As curl takes them.
    Watch::haproxy(page(format!("http://admin:s3cret@127.0.0.1:{}/haproxy?stats", haproxy.port))).status();
    let wrong = failure(page(format!("http://admin:wr0ng@127.0.0.1:{}/haproxy?stats", haproxy.port)));
    assert!(wrong.kind == ErrorKind::Auth && !format!("{wrong:?}").contains("wr0ng"), "{wrong:?}");

    let elsewhere = failure(page(format!("http://127.0.0.1:{}/", haproxy.port)));
    assert_eq!(elsewhere.kind, ErrorKind::Malformed, "{elsewhere:?}");
    assert!(elsewhere.message.contains("503") && elsewhere.hint.as_ref().is_some_and(|h| h.contains("stats uri")), "{elsewhere:?}");
}

#[test]
fn a_page_over_tls() {
    let ca = Ca::new("the test's CA");
    let dir = TempDir::new().expect("a directory");
    let put = |name: &str, text: String| -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("the file is written");
        path
    };
    let pem = |c: pgcommon::certificates::Certified| c.certificate + &c.key;
    let good = put("good.pem", pem(ca.sign("vm1", &["127.0.0.1"])));
    let expired = put("expired.pem", pem(ca.sign_expired("vm1", &["127.0.0.1"])));
    let elsewhere = put("elsewhere.pem", pem(ca.sign("vm9", &["vm9.example.org"])));
    let root = put("ca.pem", ca.certificate());
    let ports = [free_port(), free_port(), free_port(), free_port()];
    let rest = format!(
        "listen tls\n    mode http\n    bind 127.0.0.1:{} ssl crt {}\n    stats enable\n    stats uri /\n\
         listen old\n    mode http\n    bind 127.0.0.1:{} ssl crt {}\n    stats enable\n    stats uri /\n",
        ports[0],
        good.display(),
        ports[1],
        expired.display()
    );
    let more = format!(
        "listen other\n    mode http\n    bind 127.0.0.1:{} ssl crt {}\n    stats enable\n    stats uri /\n\
         listen demanding\n    mode http\n    bind 127.0.0.1:{} ssl crt {} ca-file {} verify required\n    stats enable\n    stats uri /\n",
        ports[2],
        elsewhere.display(),
        ports[3],
        good.display(),
        root.display()
    );
    let haproxy = Haproxy::start("", &(rest + &more));
    let with_ca = |port: u16, ca: Option<PathBuf>| HaproxyProfile {
        tls: TlsProfile { ca, ..TlsProfile::default() },
        ..page(format!("https://127.0.0.1:{port}/"))
    };
    let mut watch = Watch::haproxy(with_ca(ports[0], Some(root.clone())));
    let shown = watch.certificate();
    assert!(shown.subject.contains("CN=vm1") && shown.not_after.minute() == "2100-01-01 00:00 UTC", "{shown:?}");
    watch.status();

    let stranger = put("stranger.pem", Ca::new("a stranger's CA").certificate());
    let unknown = failure(with_ca(ports[0], Some(stranger)));
    assert_eq!((unknown.kind, unknown.message.contains("unknown CA")), (ErrorKind::Tls, true), "{unknown:?}");
    let old = failure(with_ca(ports[1], Some(root.clone())));
    assert_eq!(
        (old.kind, old.message.clone()),
        (ErrorKind::Tls, format!("TLS with 127.0.0.1:{}: the server's certificate has expired", ports[1]))
    );
    let missing = failure(with_ca(ports[0], Some(dir.path().join("missing.pem"))));
    assert_eq!((missing.kind, missing.message.contains("missing.pem")), (ErrorKind::Config, true), "{missing:?}");
    assert_eq!(old.hint.as_deref(), Some("it was valid until 2021-01-01 00:00 UTC"));
    let other = failure(with_ca(ports[2], Some(root.clone())));
    assert_eq!((other.kind, other.message.ends_with("is for another name")), (ErrorKind::Tls, true), "{other:?}");
    assert_eq!(other.hint.as_deref(), Some("it names vm9.example.org, and we ask for 127.0.0.1"));
    let demanding = failure(with_ca(ports[3], Some(root.clone())));
    assert_eq!(
        (demanding.kind, demanding.hint.as_deref()),
        (ErrorKind::Tls, Some("name ours and its key (certfile, keyfile)")),
        "{demanding:?}"
    );
    let plain = failure(with_ca(haproxy.port, Some(root)));
    assert_eq!((plain.kind, plain.hint.as_deref()), (ErrorKind::Tls, Some("is it http instead of https?")), "{plain:?}");
    let encrypted = failure(page(format!("http://127.0.0.1:{}/", ports[0])));
    assert_eq!(encrypted.hint.as_deref(), Some("is it https instead of http?"), "{encrypted:?}");
}

#[test]
fn what_is_no_statistics_is_said() {
    let html = answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>log in</html>");
    let error = failure(page(format!("http://127.0.0.1:{html}/")));
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Malformed, "a web page instead of HAProxy's statistics"));

    let elsewhere = answering(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nConnection: close\r\n\r\n");
    let error = failure(page(format!("http://127.0.0.1:{elsewhere}/")));
    assert_eq!((error.kind, error.message.contains("302")), (ErrorKind::Malformed, true), "{error:?}");

    let cut = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n# pxname,svname,status,\n");
    let error = failure(page(format!("http://127.0.0.1:{cut}/")));
    assert!(matches!(error.kind, ErrorKind::Broken | ErrorKind::Malformed), "{error:?}");

    let foreign = answering(b"SSH-2.0-OpenSSH_9.2\r\n\x1b[2J");
    let error = failure(page(format!("http://127.0.0.1:{foreign}/")));
    assert_eq!(error.kind, ErrorKind::Malformed, "{error:?}");
    assert!(!error.message.contains('\u{1b}'), "{error:?}");

    let endless: &'static [u8] = Vec::leak([b"HTTP/1.1 200 OK\r\n\r\n# pxname,svname,status,\n".to_vec(), vec![b'a'; 5 << 20]].concat());
    let error = failure(page(format!("http://127.0.0.1:{}/", answering(endless))));
    assert_eq!(error.message, "the answer is longer than 4 MiB", "{error:?}");

    let nobody = free_port();
    let error = failure(page(format!("http://127.0.0.1:{nobody}/")));
    assert_eq!((error.kind, error.message), (ErrorKind::Refused, format!("connection refused by 127.0.0.1:{nobody}")));
    let error = failure(page("http://no-such-host.invalid:7000/"));
    assert_eq!((error.kind, error.message), (ErrorKind::Dns, "the host name of no-such-host.invalid:7000 cannot be resolved".to_owned()));
    assert_eq!(failure(page("vm1 port 7000")).kind, ErrorKind::Config);
}

#[test]
fn a_request_keeps_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let _watch = Watch::haproxy(page(format!("http://127.0.0.1:{}/", listener.local_addr().expect("its number").port())));
    let (mut stream, _) = listener.accept().expect("it asks");
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a request");
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).to_lowercase();
    assert!(request.starts_with("get /;csv http/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nconnection: close\r\n") && !request.contains("authorization"), "{request}");
    // The server could keep it open; the client must not.
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n# pxname,svname,status,").expect("an answer");
    assert_eq!(stream.read(&mut [0]).expect("the end"), 0, "the connection is closed");
}

#[test]
fn a_socket_that_is_none() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("stats.sock");
    let missing = failure(socket(&path));
    assert_eq!((missing.kind, missing.message), (ErrorKind::Config, format!("there is no socket {}", path.display())));

    let listener = UnixListener::bind(&path).expect("a socket");
    let mut watch = Watch::haproxy(socket(&path));
    let (mut stream, _) = listener.accept().expect("it asks");
    let mut command = [0; 10];
    stream.read_exact(&mut command).expect("a command");
    assert_eq!(&command, b"show stat\n");
    // Cut between two lines: only the empty line at the end tells.
    stream.write_all(b"# pxname,svname,status,\nw,psg1,UP,\n").expect("an answer");
    drop(stream);
    let cut = watch.failure();
    assert_eq!((cut.kind, cut.message.as_str()), (ErrorKind::Malformed, "HAProxy's statistics are cut off"));

    let (mut stream, _) = listener.accept().expect("it asks again");
    stream.read_exact(&mut command).expect("a command");
    stream.write_all(b"Permission denied\n\n").expect("an answer");
    drop(stream);
    assert_eq!(watch.failure().message, "instead of HAProxy's statistics: Permission denied");

    let (stream, _) = listener.accept().expect("it asks again");
    assert_eq!(watch.failure().kind, ErrorKind::Hung, "nothing is answered");
    drop((stream, listener));
    let gone = watch.failure();
    assert_eq!((gone.kind, gone.message), (ErrorKind::Refused, format!("nobody listens on the socket {}", path.display())));
}
