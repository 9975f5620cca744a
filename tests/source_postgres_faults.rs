//! The PostgreSQL source when its server restarts, freezes, is promoted or turns it away for a while.

mod pgcommon;

use std::time::Instant;

use pgbaton::model::ErrorKind;
use pgcommon::server::Server;
use pgcommon::watch::{Watch, error_of, postgres_of};
use pgcommon::{profile, wait_for};
use rustix::process::{Pid, Signal, kill_process};

const TRUST: &str = "host all all 127.0.0.1/32 trust";

/// Our only session.
fn the_session(server: &Server) -> i32 {
    wait_for("one session of ours is left", || match server.sessions("pgbaton")[..] {
        [one] => Some(one),
        _ => None,
    })
}

#[test]
fn a_server_that_goes_is_missed_and_found_again() {
    let server = Server::primary("", TRUST);
    let mut watch = Watch::postgres(&server, profile("postgres"));
    let first = watch.reading().postmaster_start;

    server.stop();
    let error = watch.failure();
    assert!(matches!(error.kind, ErrorKind::Refused | ErrorKind::Unavailable), "{error:?}");
    watch.until("the port refuses", |o| (error_of(o)?.kind == ErrorKind::Refused).then_some(()));

    server.start();
    let begun = Instant::now();
    let second = watch.reading().postmaster_start;
    assert!(begun.elapsed().as_secs() < 5 && second > first, "{first:?} {second:?}");

    server.restart();
    watch.until("the restarted server is read", |o| (postgres_of(o)?.postmaster_start > second).then_some(()));
    the_session(&server);
}

#[test]
fn a_session_that_somebody_ends_is_replaced_without_a_word() {
    let server = Server::primary("", TRUST);
    let mut watch = Watch::postgres(&server, profile("postgres"));
    watch.reading();
    // The end is noticed between two readings and followed by the next one at once, not when its second is over. On a busy machine psql may
    // take that long, so there are a few attempts.
    let followed_at_once = (0..8).any(|_| {
        let old = the_session(&server);
        let before = watch.until("a reading", |o| postgres_of(o).map(|_| o.at));
        server.psql(&format!("SELECT pg_terminate_backend({old})"));
        let after = watch.until("a report", |o| {
            assert!(postgres_of(o).is_some(), "{o:?}");
            Some(o.at)
        });
        assert_ne!(the_session(&server), old);
        after.since(before).as_millis() < 700
    });
    assert!(followed_at_once);

    // A lock that stands in the way ends the statement, not the session.
    let session = the_session(&server);
    std::thread::scope(|scope| {
        scope.spawn(|| server.psql("BEGIN; LOCK TABLE pg_replication_slots; SELECT pg_sleep(2); COMMIT"));
        let error = watch.failure();
        assert_eq!(error.kind, ErrorKind::Timeout, "{error:?}");
        assert!(error.message.contains("lock timeout"), "{error:?}");
    });
    watch.reading();
    assert_eq!(the_session(&server), session);
}

#[test]
fn a_frozen_session_is_waited_for() {
    let server = Server::primary("", TRUST);
    let mut watch = Watch::postgres(&server, profile("postgres"));
    watch.reading();
    let session = the_session(&server);
    let pid = Pid::from_raw(session).expect("a pid");
    kill_process(pid, Signal::STOP).expect("it is frozen");
    let error = watch.failure();
    assert_eq!(
        (error.kind, error.message),
        (ErrorKind::Timeout, format!("no answer from PostgreSQL at 127.0.0.1:{} within 2 s", server.port))
    );
    assert_eq!(watch.failure().kind, ErrorKind::Timeout, "and it is said again");
    kill_process(pid, Signal::CONT).expect("it thaws");
    let begun = Instant::now();
    watch.reading();
    assert!(begun.elapsed().as_millis() < 2000, "heard {} ms after the thaw", begun.elapsed().as_millis());
    assert_eq!(the_session(&server), session, "no second session was opened beside it");
}

#[test]
fn a_frozen_server_is_not_filled_with_sessions() {
    let server = Server::primary("log_connections = on", TRUST);
    let mut watch = Watch::postgres(&server, profile("postgres"));
    watch.reading();
    let logins = || server.log().matches("application_name=pgbaton").count();
    assert_eq!(logins(), 1);
    server.signal_all(Signal::STOP);
    let frozen = Instant::now();
    let mut hung = false;
    // Past the patience with the session that was open, and well into the next attempt.
    watch.until("patience ended once", |o| {
        let kind = error_of(o).map(|e| e.kind);
        assert!(matches!(kind, Some(ErrorKind::Timeout | ErrorKind::Hung)), "{o:?}");
        hung |= kind == Some(ErrorKind::Hung);
        (frozen.elapsed().as_secs() >= 9).then_some(())
    });
    assert!(hung, "a second connection is taken and not answered");
    server.signal_all(Signal::CONT);
    let begun = Instant::now();
    watch.reading();
    assert!(begun.elapsed().as_secs() < 2, "heard {} ms after the thaw", begun.elapsed().as_millis());
    the_session(&server);
    assert!(logins() <= 2, "{}", server.log());
}

#[test]
fn a_promotion_is_seen_in_the_same_session() {
    let primary = Server::primary("", TRUST);
    let standby = Server::standby(&primary, "psg2");
    let mut watch = Watch::postgres(&standby, profile("postgres"));
    let before = watch.reading();
    assert_eq!((before.in_recovery, before.timeline), (true, Some(1)));
    let session = the_session(&standby);
    standby.psql("SELECT pg_promote()");
    let after = watch.until("it leads", |o| postgres_of(o).filter(|s| !s.in_recovery).cloned());
    assert_eq!((after.timeline, after.receiver, after.replay_lsn, after.replay_paused), (Some(2), None, None, None));
    assert!(after.current_lsn >= before.replay_lsn);
    assert_eq!(the_session(&standby), session);

    // The old primary follows the new one: the timeline is the one it receives.
    primary.stop();
    drop(watch);
    let follower = Server::standby(&standby, "psg1");
    let status = Watch::postgres(&follower, profile("postgres")).until("it streams", |o| {
        postgres_of(o).filter(|s| s.receiver.as_ref().is_some_and(|r| r.status.as_deref() == Some("streaming"))).cloned()
    });
    assert_eq!((status.in_recovery, status.timeline), (true, Some(2)));
}

#[test]
fn a_server_that_lets_nobody_in_yet_says_so() {
    let primary = Server::primary("", TRUST);
    let standby = Server::standby(&primary, "psg2");
    standby.configure("hot_standby = off");
    let mut watch = Watch::postgres(&standby, profile("postgres"));
    watch.reading();
    standby.restart();
    let error = watch.until("it is unavailable", |o| error_of(o).filter(|e| e.message.contains("Hot standby")).cloned());
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
}
