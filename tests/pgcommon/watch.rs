//! A source that runs, and what it reports.

use std::future::Future;

use pgbaton::config::{HaproxyProfile, PostgresProfile};
use pgbaton::model::{Certificate, Fact, HaproxyStatus, Observation, Outcome, PostgresStatus, SourceError};
use pgbaton::source::{Clock, Inbox, Sink, haproxy, inbox, postgres};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::LONG;
use super::server::Server;

/// A running source. Dropping it ends the source.
pub struct Watch {
    runtime: Runtime,
    inbox: Inbox,
    task: JoinHandle<()>,
}

impl Watch {
    /// The PostgreSQL source on `server`.
    pub fn postgres(server: &Server, profile: PostgresProfile) -> Self {
        Self::postgres_at("127.0.0.1", server.port, profile)
    }

    /// The PostgreSQL source on any address.
    pub fn postgres_at(host: &str, port: u16, profile: PostgresProfile) -> Self {
        let host = host.to_owned();
        Self::start(|sink| postgres::run(sink, Clock::start(), "psg1".to_owned(), host, port, profile))
    }

    /// The HAProxy source.
    pub fn haproxy(profile: HaproxyProfile) -> Self {
        Self::start(|sink| haproxy::run(sink, Clock::start(), profile))
    }

    fn start<Run: Future<Output = ()> + Send + 'static>(run: impl FnOnce(Sink) -> Run) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let (sink, inbox) = inbox();
        let task = runtime.spawn(run(sink));
        Self { runtime, inbox, task }
    }

    /// What is reported next.
    pub fn next(&mut self) -> Vec<Observation> {
        assert!(!self.task.is_finished(), "the source has ended");
        self.runtime.block_on(async { tokio::time::timeout(LONG, self.inbox.next()).await }).expect("something is reported")
    }

    /// The first report from now on of which `find` makes something.
    pub fn until<T>(&mut self, what: &str, mut find: impl FnMut(&Observation) -> Option<T>) -> T {
        let end = std::time::Instant::now() + LONG;
        let mut last = None;
        while std::time::Instant::now() < end {
            for observation in self.next() {
                if let Some(found) = find(&observation) {
                    return found;
                }
                last = Some(observation);
            }
        }
        panic!("waited in vain: {what}; the last report was {last:?}");
    }

    /// The next reading of PostgreSQL.
    pub fn reading(&mut self) -> PostgresStatus {
        self.until("a reading", |o| Some(postgres_of(o)?.clone()))
    }

    /// The next HAProxy status.
    pub fn status(&mut self) -> HaproxyStatus {
        self.until("a status", |o| match &o.outcome {
            Outcome::Heard(fact) => match fact.as_ref() {
                Fact::Haproxy(status) => Some(status.clone()),
                _ => None,
            },
            Outcome::Failed(_) => None,
        })
    }

    /// The next failure.
    pub fn failure(&mut self) -> SourceError {
        self.until("a failure", |o| error_of(o).cloned())
    }

    /// What the very next report is: a failure, or none.
    pub fn outcome(&mut self) -> Result<(), SourceError> {
        self.until("a report", |o| match &o.outcome {
            Outcome::Heard(fact) => fact.is_answer().then_some(Ok(())),
            Outcome::Failed(error) => Some(Err(error.clone())),
        })
    }

    /// The next certificate that is told.
    pub fn certificate(&mut self) -> Certificate {
        self.until("a certificate", |o| match &o.outcome {
            Outcome::Heard(fact) => match fact.as_ref() {
                Fact::Certificate(certificate) => Some(certificate.as_ref().clone()),
                _ => None,
            },
            Outcome::Failed(_) => None,
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
        // Until it is gone, and a moment for the leave that a session takes of its server.
        let task = &mut self.task;
        self.runtime.block_on(async {
            let _ = task.await;
            let _ = tokio::time::timeout(LONG, async {
                while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 0 {
                    tokio::task::yield_now().await;
                }
            })
            .await;
        });
    }
}

/// The reading of PostgreSQL in a report.
pub fn postgres_of(observation: &Observation) -> Option<&PostgresStatus> {
    match &observation.outcome {
        Outcome::Heard(fact) => match fact.as_ref() {
            Fact::Postgres(status) => Some(status),
            _ => None,
        },
        Outcome::Failed(_) => None,
    }
}

/// The failure in a report.
pub fn error_of(observation: &Observation) -> Option<&SourceError> {
    match &observation.outcome {
        Outcome::Failed(error) => Some(error),
        Outcome::Heard(_) => None,
    }
}
