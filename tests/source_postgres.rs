//! The PostgreSQL source on a real primary and its standby: what it reads is what psql reads, and what it may not read stays unknown.

mod pgcommon;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use pgbaton::config::{PassFile, PostgresProfile};
use pgbaton::model::{ErrorKind, Fact, Lsn, Outcome, PostgresStatus};
use pgcommon::server::{Pair, Server};
use pgcommon::watch::{Watch, postgres_of};
use pgcommon::{free_port, profile, wait_for};
use secrecy::SecretString;

fn lsn(text: &str) -> Lsn {
    text.parse().expect("psql prints an LSN")
}

/// What psql reads of a server, as text, for every field that does not change by itself.
fn by_psql(server: &Server) -> String {
    server.psql(
        "SELECT pg_is_in_recovery(), s.system_identifier, current_setting('server_version_num'),
                (SELECT string_agg(slot_name || ':' || slot_type || ':' || active || ':' || wal_status, ',' ORDER BY slot_name) FROM pg_replication_slots),
                (SELECT string_agg(application_name || ':' || state || ':' || sync_state, ',') FROM pg_stat_replication),
                (SELECT status || ':' || slot_name || ':' || received_tli || ':' || sender_port FROM pg_stat_wal_receiver),
                (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8
         FROM pg_control_system() AS s",
    )
}

fn by_reading(status: &PostgresStatus) -> String {
    let text = |o: &Option<String>| o.clone().unwrap_or_default();
    let slots: Vec<_> = status.slots.iter().map(|s| format!("{}:{}:{}:{}", s.name, s.kind, s.active, text(&s.wal_status))).collect();
    let rows: Vec<_> =
        status.replication.iter().map(|r| format!("{}:{}:{}", r.application_name, text(&r.state), text(&r.sync_state))).collect();
    let receiver = status.receiver.as_ref().map_or(String::new(), |r| {
        format!("{}:{}:{}:{}", text(&r.status), text(&r.slot), r.timeline.unwrap_or(0), r.sender_port.unwrap_or(0))
    });
    format!(
        "{}|{}|{}|{}|{}|{receiver}|{}",
        if status.in_recovery { "t" } else { "f" },
        status.system_identifier.map_or(String::new(), |i| i.to_string()),
        status.server_version_num,
        slots.join(","),
        rows.join(","),
        status.postmaster_start.map_or(0, |t| t.as_micros()),
    )
}

#[test]
fn a_primary_is_read_as_psql_reads_it() {
    let pair = Pair::shared();
    let primary = &pair.primary;
    wait_for("the standby streams", || (primary.psql("SELECT state FROM pg_stat_replication") == "streaming").then_some(()));
    primary.psql("SELECT pg_create_physical_replication_slot('forgotten', true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'forgotten')");
    primary.psql("SELECT pg_switch_wal(), pg_logical_emit_message(true, 'test', 'something')");

    let before = lsn(&primary.psql("SELECT pg_current_wal_lsn()"));
    let mut watch = Watch::postgres(primary, profile("postgres"));
    let status = watch.reading();
    let after = lsn(&primary.psql("SELECT pg_current_wal_lsn()"));

    assert_eq!(by_reading(&status), by_psql(primary));
    assert_eq!(status.timeline, Some(1));
    let current = status.current_lsn.expect("a primary has a position");
    assert!((before..=after).contains(&current), "{before} {current} {after}");
    assert_eq!((status.receive_lsn, status.replay_lsn, status.replay_paused, status.replay_timestamp), (None, None, None, None));
    let row = &status.replication[0];
    assert!(row.write_lsn.is_some() && row.flush_lsn.is_some() && row.replay_lsn.is_some() && row.reply_time.is_some(), "{row:?}");
    let retained: i64 = primary
        .psql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::int8 FROM pg_replication_slots WHERE slot_name = 'forgotten'")
        .parse()
        .expect("bytes");
    let forgotten =
        status.slots.iter().find(|s| s.name == "forgotten").expect("the slot is listed").retained.expect("it retains something");
    assert!(forgotten > 0 && forgotten <= u64::try_from(retained).expect("bytes"), "{forgotten} {retained}");
    let drift = status.server_time.expect("it has a clock").as_micros() - jiff::Timestamp::now().as_microsecond();
    assert!(drift.abs() < 5_000_000, "{drift} µs");

    // The segment that was switched away from gets archived.
    let archived = watch.until("the archiver has archived", |o| postgres_of(o)?.archiver.clone().filter(|a| a.archived > 0));
    assert!(archived.last_archived.is_some() && archived.last_failed.is_none() && archived.failed == 0, "{archived:?}");

    // Of two sessions more, ours is not counted and psql's is.
    let one = watch.reading().sessions;
    assert!(one.is_some(), "postgres sees every session");
    let mut other = Watch::postgres(primary, profile("watcher"));
    other.reading();
    watch.until("the other session is counted", |o| (postgres_of(o)?.sessions > one).then_some(()));
}

#[test]
fn a_standby_is_read_as_psql_reads_it() {
    let pair = Pair::shared();
    let standby = &pair.standby;
    wait_for("the standby streams", || (standby.psql("SELECT status FROM pg_stat_wal_receiver") == "streaming").then_some(()));
    pair.primary.psql("CREATE TABLE IF NOT EXISTS something (); SELECT pg_logical_emit_message(true, 'test', 'something')");
    let written = lsn(&pair.primary.psql("SELECT pg_current_wal_flush_lsn()"));
    wait_for("it is replayed", || (lsn(&standby.psql("SELECT pg_last_wal_replay_lsn()")) >= written).then_some(()));

    let mut watch = Watch::postgres(standby, profile("postgres"));
    let status = watch.reading();
    assert_eq!(by_reading(&status), by_psql(standby));
    assert_eq!((status.in_recovery, status.timeline, status.current_lsn), (true, Some(1), None));
    assert!(status.receive_lsn >= Some(written) && status.replay_lsn >= Some(written), "{status:?}");
    let replayed = status.replay_timestamp.expect("a transaction was replayed").as_micros();
    assert!((jiff::Timestamp::now().as_microsecond() - replayed).abs() < 60_000_000);
    let receiver = status.receiver.as_ref().expect("it receives");
    assert!(receiver.sender_host.as_ref().is_some_and(|h| h.starts_with('/')), "{receiver:?}");
    assert_eq!(status.archiver.map(|a| a.archived), Some(0), "archive_mode is on here too, and nothing was archived");

    assert_eq!(status.replay_paused, Some(false));
    standby.psql("SELECT pg_wal_replay_pause()");
    watch.until("replay is paused", |o| (postgres_of(o)?.replay_paused == Some(true)).then_some(()));
    standby.psql("SELECT pg_wal_replay_resume()");
    watch.until("replay goes on", |o| (postgres_of(o)?.replay_paused == Some(false)).then_some(()));
}

/// Passes one session on to a server and has it say of its version 15 that it is 19.
fn from_the_future(server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a session");
        let mut server = TcpStream::connect(("127.0.0.1", server)).expect("the server");
        let (mut asks, mut asked) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
        std::thread::spawn(move || std::io::copy(&mut asks, &mut asked));
        let mut buffer = [0; 1 << 16];
        while let Ok(n @ 1..) = server.read(&mut buffer) {
            for at in 0..n.saturating_sub(5) {
                if buffer[at..].starts_with(b"1500") && buffer[at + 4..n].iter().take(2).all(u8::is_ascii_digit) {
                    buffer[at + 1] = b'9';
                }
            }
            if client.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
    });
    port
}

#[test]
fn a_later_version_is_read_by_its_views_alone() {
    let pair = Pair::shared();
    let primary = &pair.primary;
    wait_for("the standby streams", || (primary.psql("SELECT state FROM pg_stat_replication") == "streaming").then_some(()));
    if !primary.psql("SHOW server_version_num").starts_with("1500") {
        panic!("the server is not of version 15: the test must learn the new one");
    }
    let now = Watch::postgres(primary, profile("postgres")).reading();
    let later = Watch::postgres_at("127.0.0.1", from_the_future(primary.port), profile("postgres")).reading();
    assert_eq!(later.server_version_num, now.server_version_num + 40_000, "the server is taken for one of version 19");
    assert_eq!(by_reading(&later), by_reading(&PostgresStatus { server_version_num: later.server_version_num, ..now.clone() }));
    assert_eq!(later.replication[0].client_addr, now.replication[0].client_addr);
    assert!(now.sessions.is_some() && later.sessions.is_some());
}

#[test]
fn what_a_user_may_not_see_is_unknown() {
    let pair = Pair::shared();
    wait_for("the standby streams", || (pair.primary.psql("SELECT state FROM pg_stat_replication") == "streaming").then_some(()));
    let status = Watch::postgres(&pair.primary, profile("stranger")).reading();
    let row = &status.replication[0];
    assert_eq!(row.application_name, "psg2");
    assert_eq!((row.state.as_deref(), row.write_lsn, row.flush_lsn, row.replay_lsn, row.replay_lag), (None, None, None, None, None));
    assert_eq!(row.reply_time, None);

    // A session of somebody else may be a client or not; it is not guessed.
    let mut other = Watch::postgres(&pair.primary, profile("watcher"));
    other.reading();
    let mut stranger = Watch::postgres(&pair.primary, profile("stranger"));
    stranger.until("the number of sessions is not known", |o| postgres_of(o)?.sessions.is_none().then_some(()));

    let hidden = Watch::postgres(&pair.standby, profile("stranger")).reading();
    let receiver = hidden.receiver.expect("there is a receiver");
    assert_eq!((receiver.status, receiver.timeline, receiver.slot), (None, None, None));
    assert_eq!(hidden.timeline, Some(1), "the control file tells it");

    let seen = Watch::postgres(&pair.primary, profile("watcher")).reading();
    assert_eq!(seen.replication[0].state.as_deref(), Some("streaming"), "pg_monitor sees it");
}

#[test]
fn its_clock_is_compared_with_ours() {
    let server = Server::primary("", "host all all 127.0.0.1/32 trust");
    let mut watch = Watch::postgres(&server, profile("postgres"));
    let skew = watch.until("a comparison", |o| match &o.outcome {
        Outcome::Heard(fact) => match fact.as_ref() {
            Fact::Clock(reading) => Some(reading.skew(o.rtt?)),
            _ => None,
        },
        Outcome::Failed(_) => None,
    });
    // It is the same machine's.
    assert!(skew.certain() < Duration::from_millis(50) && skew.about().abs() < 1_000_000, "{skew:?}");
}

#[test]
fn rights_that_were_taken_away() {
    let server = Server::primary("", "host all all 127.0.0.1/32 trust");
    server.psql("CREATE ROLE stranger LOGIN");
    server.psql("REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_control_recovery() FROM PUBLIC");
    let mut watch = Watch::postgres(&server, profile("stranger"));
    let status = watch.reading();
    assert_eq!((status.system_identifier, status.timeline), (None, Some(1)));
    assert!(status.archiver.is_none(), "archive_mode is off");
    assert!(status.slots.is_empty() && status.replication.is_empty() && status.receiver.is_none());

    // Taken while the session is open.
    server.psql("REVOKE EXECUTE ON FUNCTION pg_control_checkpoint() FROM PUBLIC");
    server.psql("REVOKE SELECT ON pg_replication_slots FROM PUBLIC");
    let denied = watch.failure();
    assert_eq!((denied.kind, denied.hint.as_deref()), (ErrorKind::Denied, Some("GRANT pg_monitor TO \"stranger\"")), "{denied:?}");
    assert!(denied.message.contains("pg_replication_slots"), "{denied:?}");
    server.psql("GRANT pg_monitor TO stranger; GRANT SELECT ON pg_replication_slots TO pg_monitor");
    watch.reading();
    assert_eq!(server.sessions("pgbaton").len(), 1, "the session was kept");
    assert!(!server.log().contains("permission denied for function"), "what is denied is not tried: {}", server.log());
}

#[test]
fn the_session_asks_for_its_limits_when_it_starts() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let _watch = Watch::postgres_at("127.0.0.1", listener.local_addr().expect("its number").port(), profile("x"));
    let (mut stream, _) = listener.accept().expect("it connects");
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("a startup packet");
    let mut packet = vec![0; usize::try_from(u32::from_be_bytes(length)).expect("a length") - 4];
    stream.read_exact(&mut packet).expect("the whole of it");
    let texts: Vec<_> = packet[4..].split(|b| *b == 0).map(|t| String::from_utf8_lossy(t).into_owned()).collect();
    let value = |key: &str| texts.iter().position(|t| t == key).map(|at| texts[at + 1].as_str());
    assert_eq!((value("user"), value("database"), value("application_name")), (Some("x"), Some("postgres"), Some("pgbaton")));
    let options = value("options").expect("it has options");
    for setting in ["default_transaction_read_only=on", "statement_timeout=1500", "lock_timeout=", "idle_in_transaction_session_timeout="] {
        assert!(options.contains(&format!("-c {setting}")), "{setting} is not in {options}");
    }
}

#[test]
fn a_login_that_fails_says_why() {
    let pair = Pair::shared();
    let at = format!("127.0.0.1:{}", pair.primary.port);
    let outcome = |profile| Watch::postgres(&pair.primary, profile).outcome();

    let mut wrong = profile("secretive");
    wrong.password = Some(SecretString::from("not-the-right-one"));
    let error = outcome(wrong).expect_err("a wrong password");
    assert_eq!((error.kind, error.message), (ErrorKind::Auth, format!("PostgreSQL at {at} does not accept the password of \"secretive\"")));

    let error = outcome(profile("secretive")).expect_err("no password");
    assert_eq!(error.kind, ErrorKind::Auth);
    assert_eq!(error.message, format!("PostgreSQL at {at} asks for the password of \"secretive\", and none is known"));
    assert!(error.hint.as_ref().is_some_and(|h| h.contains(".pgpass")), "{error:?}");

    let mut right = profile("secretive");
    right.password = Some(SecretString::from("right"));
    assert_eq!(outcome(right), Ok(()));

    let error = outcome(profile("rejected")).expect_err("rejected");
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.message.contains("pg_hba.conf rejects connection") && error.hint.is_some(), "{error:?}");

    // A password file that others can read is not used, which matters to those who need it only.
    let file = pair.primary.put("pgpass", &format!("127.0.0.1:{}:*:secretive:right\n", pair.primary.port));
    let filed = |user: &str| PostgresProfile { passfile: Some(PassFile { path: file.clone(), required: true }), ..profile(user) };
    assert_eq!(outcome(filed("secretive")), Ok(()));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("others may read it");
    assert_eq!(outcome(filed("watcher")), Ok(()));
    let error = outcome(filed("secretive")).expect_err("no password");
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.contains("readable by others"), "{error:?}");

    pair.primary.psql("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0");
    let error = outcome(profile("crowded")).expect_err("no room");
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.ends_with("too many connections for role \"crowded\""), "{error:?}");

    let mut elsewhere = profile("postgres");
    elsewhere.dbname = "no\u{1b}[2Jdatabase".to_owned();
    let error = outcome(elsewhere).expect_err("no such database");
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("does not exist") && !error.message.contains('\u{1b}'), "{error:?}");

    let mut nobody = profile("x");
    nobody.user = None;
    assert_eq!(outcome(nobody).expect_err("no user").kind, ErrorKind::Config);
}

#[test]
fn an_address_where_nothing_answers_says_why() {
    let port = free_port();
    let refused = Watch::postgres_at("127.0.0.1", port, profile("x")).failure();
    assert_eq!((refused.kind, refused.message), (ErrorKind::Refused, format!("connection refused by 127.0.0.1:{port}")));

    let unknown = Watch::postgres_at("no-such-host.invalid", 5432, profile("x")).failure();
    assert_eq!(unknown.kind, ErrorKind::Dns);
    assert!(unknown.message.starts_with("the host name \"no-such-host.invalid\" cannot be resolved: "), "{unknown:?}");

    // A host that drops what we send: here a queue of connections that is full.
    let silent = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).expect("a socket");
    rustix::net::bind(&silent, &std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0)).expect("an address");
    rustix::net::listen(&silent, 0).expect("it listens");
    let silent = TcpListener::from(silent);
    let address = silent.local_addr().expect("its number");
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queued.push(stream);
    }
    let late = Watch::postgres_at("127.0.0.1", address.port(), profile("x")).failure();
    assert_eq!(late.kind, ErrorKind::Unreachable);
    assert!(late.message.ends_with(&format!("127.0.0.1:{} within 2 s", address.port())), "{late:?}");
    let patient = PostgresProfile { connect_timeout: Some(Duration::from_secs(1)), ..profile("x") };
    let late = Watch::postgres_at("127.0.0.1", address.port(), patient).failure();
    assert_eq!((late.kind, late.message), (ErrorKind::Unreachable, format!("no TCP connection to {address} within 1 s")));

    // Something that answers, but not as PostgreSQL does.
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("its number").port();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = other.accept().expect("somebody comes");
        let mut request = [0; 8];
        stream.read_exact(&mut request).expect("a request");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("an answer");
    });
    let foreign = Watch::postgres_at("127.0.0.1", port, profile("x")).failure();
    answering.join().expect("it answered");
    assert!(matches!(foreign.kind, ErrorKind::Malformed | ErrorKind::Broken), "{foreign:?}");
}
