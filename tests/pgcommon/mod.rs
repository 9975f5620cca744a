//! What the tests of the PostgreSQL and HAProxy sources share: real servers that end with the test, and an ear for what a source reports.

// Each test file compiles its own copy and uses a part of it.
#![allow(dead_code)]

pub mod certificates;
pub mod haproxy;
pub mod server;
pub mod watch;

use std::net::TcpListener;
use std::time::Duration;

use pgbaton::config::{PostgresProfile, SslMode};

/// The longest that any condition is waited for.
pub const LONG: Duration = Duration::from_secs(20);

/// A port of 127.0.0.1 that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its number").port()
}

/// A profile of `user` without a password and without TLS.
pub fn profile(user: &str) -> PostgresProfile {
    PostgresProfile {
        user: Some(user.to_owned()),
        operate_user: None,
        dbname: "postgres".to_owned(),
        sslmode: SslMode::Disable,
        sslrootcert: None,
        sslcert: None,
        sslkey: None,
        password: None,
        passfile: None,
        connect_timeout: None,
    }
}

/// Waits until `condition` gives something, asking every 20 ms; panics with `what` after [`LONG`].
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + LONG;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(std::time::Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
