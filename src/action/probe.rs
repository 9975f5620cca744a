//! Listens at each write route, as a client that wants to write would, about 20 times a second.
//!
//! It asks and never writes. An attempt that hangs delays no other: each has its own time, and the next finds a session of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::downtime::{Absence, Said, Sample};
use crate::config::{ClientAddress, PostgresProfile, Profile};
use crate::model::Time;
use crate::source::Clock;
use crate::source::postgres::Line;

/// Time between two attempts.
const EVERY: Duration = Duration::from_millis(50);
/// How long an attempt may take, opening a session included.
const LIMIT: Duration = Duration::from_secs(1);
/// The most attempts that are under way at once on a route.
const MOST: usize = 20;
/// For how long the first answers are waited for, before the order goes out without them.
const FIRST: Duration = Duration::from_millis(1_500);

/// The listeners. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Probe {
    routes: Vec<Arc<Mutex<Absence>>>,
    _tasks: JoinSet<()>,
}

/// The first answers, still to come.
#[derive(Debug)]
pub(super) struct Ready(Vec<oneshot::Receiver<()>>);

impl Ready {
    /// Waits until something was heard through each route, good or bad, or it has taken too long.
    pub async fn wait(self) {
        let _ = timeout(FIRST, join_all(self.0)).await;
    }
}

impl Probe {
    /// Listens at every write route whose address is configured. Must be called within a tokio runtime.
    pub fn start(profile: &Profile, clock: Clock) -> (Self, Ready) {
        let mut tasks = JoinSet::new();
        let (mut routes, mut ready) = (Vec::new(), Vec::new());
        for haproxy in &profile.haproxy {
            let Some(address) = &haproxy.write_address else { continue };
            let heard = Arc::new(Mutex::new(Absence::new(&haproxy.name)));
            let (first, told) = oneshot::channel();
            let ear =
                Ear { address: address.clone(), profile: profile.postgres.clone(), clock, heard: heard.clone(), idle: Arc::default() };
            tasks.spawn(ear.listen(first));
            routes.push(heard);
            ready.push(told);
        }
        (Self { routes, _tasks: tasks }, Ready(ready))
    }

    /// What was heard so far.
    pub fn heard(&self) -> Vec<Absence> {
        self.routes.iter().map(|route| route.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }
}

/// One listener.
#[derive(Debug, Clone)]
struct Ear {
    address: ClientAddress,
    profile: PostgresProfile,
    clock: Clock,
    heard: Arc<Mutex<Absence>>,
    /// The session that nobody uses at the moment.
    idle: Arc<Mutex<Option<Line>>>,
}

impl Ear {
    /// Listens until the new leader has answered.
    async fn listen(self, first: oneshot::Sender<()>) {
        let mut first = Some(first);
        let mut attempts = JoinSet::new();
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while !self.heard.lock().unwrap_or_else(PoisonError::into_inner).moved() {
            tokio::select! {
                _ = ticks.tick(), if attempts.len() < MOST => drop(attempts.spawn(self.clone().attempt())),
                Some(sample) = attempts.join_next() => {
                    if let Ok(sample) = sample {
                        self.heard.lock().unwrap_or_else(PoisonError::into_inner).take(sample);
                    }
                    if let Some(first) = first.take() {
                        let _ = first.send(());
                    }
                }
            }
        }
    }

    async fn attempt(self) -> Sample {
        let begun = self.clock.now();
        let said = timeout(LIMIT, self.ask()).await.ok().flatten().unwrap_or(Said::Nothing);
        Sample { begun, at: self.now(), said }
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    /// A session that broke is dropped, and the next attempt opens a new one, as a client would; so is one with a server that takes no writes.
    async fn ask(&self) -> Option<Said> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut line = match idle {
            Some(line) => line,
            None => Line::open(&self.address.host, self.address.port, &self.profile).await.ok()?,
        };
        let answer = line.ask().await.ok()?;
        if answer.in_recovery {
            return Some(Said::InRecovery);
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(line);
        Some(Said::Writes(answer.timeline))
    }
}
