//! Listens at each write route, as a client that wants to write would.
//!
//! It asks and never writes. An attempt that hangs delays no other: each has its own time, and the next finds a session of its own.
//!
//! HAProxy logs a session when it ends (`option tcplog`). As long as somebody takes writes they are all asked over one, 20 times a second. Once that is
//! broken every attempt is a session and a line of its own, so there are as few as the measuring allows: ever fewer, down to two a second, while
//! nobody else holds the leader key, for until then nobody can take writes; then ten a second, which is what the figure is told to, 0.1 s.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::downtime::{Absence, Said, Sample};
use crate::config::{ClientAddress, PostgresProfile, Profile};
use crate::model::Time;
use crate::source::Clock;
use crate::source::postgres::Line;

/// Time between two questions in a session that answers.
const EVERY: Duration = Duration::from_millis(50);
/// Time between two attempts while nobody answers, once another holds the leader key.
const NEAR: Duration = Duration::from_millis(100);
/// The longest time between two attempts before that.
const FAR: Duration = Duration::from_millis(500);
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
    /// Another holds the leader key.
    near: Arc<AtomicBool>,
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
        let near = Arc::new(AtomicBool::new(false));
        for haproxy in &profile.haproxy {
            let Some(address) = &haproxy.write_address else { continue };
            let heard = Arc::new(Mutex::new(Absence::new(&haproxy.name)));
            let (first, told) = oneshot::channel();
            let ear = Ear {
                address: address.clone(),
                profile: profile.postgres.clone(),
                clock,
                heard: heard.clone(),
                idle: Arc::default(),
                failed: Arc::default(),
                near: near.clone(),
            };
            tasks.spawn(ear.listen(first));
            routes.push(heard);
            ready.push(told);
        }
        (Self { routes, near, _tasks: tasks }, Ready(ready))
    }

    /// Says that another holds the leader key: from now on somebody may take writes at any moment.
    pub fn expect(&self) {
        self.near.store(true, Ordering::Relaxed);
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
    /// Attempts that have failed since the last who took writes.
    failed: Arc<AtomicU32>,
    /// Another holds the leader key.
    near: Arc<AtomicBool>,
}

/// How long after one attempt the next one is made, of which so many have failed or are not answered yet.
fn pace(unanswered: u32, near: bool) -> Duration {
    match (unanswered, near) {
        (0, _) => EVERY,
        (_, true) => NEAR,
        (more, false) => EVERY.saturating_mul(2u32.saturating_pow(more)).min(FAR),
    }
}

impl Ear {
    /// Listens until the new leader has answered.
    async fn listen(self, first: oneshot::Sender<()>) {
        let mut first = Some(first);
        let mut attempts = JoinSet::new();
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut last: Option<Instant> = None;
        while !self.heard.lock().unwrap_or_else(PoisonError::into_inner).moved() {
            tokio::select! {
                now = ticks.tick(), if attempts.len() < MOST => {
                    let unanswered = self.failed.load(Ordering::Relaxed).saturating_add(u32::try_from(attempts.len()).unwrap_or(u32::MAX));
                    // A tick comes a little early or late.
                    let due = pace(unanswered, self.near.load(Ordering::Relaxed)).saturating_sub(EVERY / 2);
                    if last.is_none_or(|last| now.duration_since(last) >= due) {
                        last = Some(now);
                        attempts.spawn(self.clone().attempt());
                    }
                }
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
        match said {
            Said::Writes(_) => self.failed.store(0, Ordering::Relaxed),
            Said::InRecovery | Said::Nothing => {
                self.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_as_seldom_as_the_figure_allows() {
        let ms = |unanswered, near| pace(unanswered, near).as_millis();
        assert_eq!([0, 1, 2, 3, 4, 5, u32::MAX].map(|n| ms(n, false)), [50, 100, 200, 400, 500, 500, 500]);
        assert_eq!([0, 1, 2, u32::MAX].map(|n| ms(n, true)), [50, 100, 100, 100]);
    }
}
