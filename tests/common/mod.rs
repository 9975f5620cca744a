//! What the tests of the sources share: real etcd servers, a proxy that can be cut, and an inbox to wait on.
#![allow(dead_code, clippy::unwrap_used)]

pub mod etcd;
pub mod patroni;
pub mod pki;
pub mod proxy;
pub mod reading;

use std::time::Duration;

use pgbaton::config::{EtcdProfile, PostgresProfile, Profile, RestProfile, SslMode, TlsProfile};
use pgbaton::model::{Fact, Observation, Outcome, SourceError, SourceKind};
use pgbaton::source::Inbox;
use tokio::time::{Instant, timeout_at};

/// The longest that anything may take on a busy machine; what is promised to be quick is asserted apart.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Observations as they come in.
pub struct Feed {
    inbox: Inbox,
    waiting: std::collections::VecDeque<Observation>,
    /// Everything that was passed over or taken so far, to be shown when a wait fails.
    pub seen: Vec<Observation>,
}

impl Feed {
    pub fn new(inbox: Inbox) -> Self {
        Self { inbox, waiting: Default::default(), seen: Vec::new() }
    }

    /// The next observation for which `wanted` gives something, within the patience; panics with all that came instead.
    pub async fn wait<T>(&mut self, what: &str, mut wanted: impl FnMut(&Observation) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(observation) = self.waiting.pop_front() {
                let found = wanted(&observation);
                self.seen.push(observation);
                if let Some(found) = found {
                    return found;
                }
            }
            match timeout_at(deadline, self.inbox.next()).await {
                Ok(arrived) => self.waiting.extend(arrived),
                Err(_) => {
                    let shown: Vec<String> = self.seen.iter().map(|o| format!("{} {:?}", o.source, o.outcome)).collect();
                    panic!("no {what} within {PATIENCE:?}; came:\n{}", shown.join("\n"));
                }
            }
        }
    }

    /// The next fact for which `wanted` gives something.
    pub async fn fact<T>(&mut self, what: &str, mut wanted: impl FnMut(&Fact) -> Option<T>) -> T {
        self.wait(what, |o| match &o.outcome {
            Outcome::Heard(fact) => wanted(fact),
            Outcome::Failed(_) => None,
        })
        .await
    }

    /// The next failure of this kind of source.
    pub async fn failure(&mut self, kind: SourceKind) -> SourceError {
        self.wait("failure", |o| match &o.outcome {
            Outcome::Failed(error) if o.source.kind == kind => Some(error.clone()),
            _ => None,
        })
        .await
    }

    /// The failures of this kind of source seen so far.
    pub fn failures(&self, kind: SourceKind) -> Vec<&SourceError> {
        self.seen
            .iter()
            .filter(|o| o.source.kind == kind)
            .filter_map(|o| match &o.outcome {
                Outcome::Failed(error) => Some(error),
                Outcome::Heard(_) => None,
            })
            .collect()
    }
}

/// A profile of the cluster `psg` with nothing but this etcd.
pub fn whole_profile(etcd: EtcdProfile) -> Profile {
    Profile {
        limits: pgbaton::finding::Limits::default(),
        name: "psg".into(),
        scope: Some("psg".into()),
        namespace: "/service/".into(),
        etcd,
        restapi: RestProfile { tls: TlsProfile::default(), login: None, operate: None },
        airflow: None,
        rabbitmq: None,
        dags: None,
        target: None,
        postgres: PostgresProfile {
            user: Some("nobody".into()),
            operate_user: None,
            dbname: "postgres".into(),
            sslmode: SslMode::Disable,
            sslrootcert: None,
            sslcert: None,
            sslkey: None,
            password: None,
            passfile: None,
            connect_timeout: None,
        },
        haproxy: Vec::new(),
        color: None,
        keymap: None,
        label: None,
        console: Default::default(),
        read_only: true,
        assist: false,
        syslog: None,
        ssh: Default::default(),
        logs: Default::default(),
    }
}
