//! An assisted switchover: HAProxy is told who leads at the moment SQL has proved it, and need not wait for its next checks.
//!
//! It rests on two words, neither of which is the one of whom the order was given to: etcd says who holds the leader key, and that member's own
//! PostgreSQL says that it is not in recovery. Without both no HAProxy is told that a server is up. That the old leader's is down is said as soon
//! as its PostgreSQL has ended our session and nobody listens at its port any more. What is said, and why nothing of it is left behind, stands in
//! [`super::server_state`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::lookup_host;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::execution::Word;
use super::proxy_writer::{Unanswered, cut};
use super::server_state::{Reached, leaving, telling};
use super::{ProxyWriter, Situation, SqlWriter};
use crate::config::PostgresProfile;
use crate::model::{ErrorKind, RouteKind, listed};
use crate::source::postgres::Line;

/// How long the checkpoint before it may take.
const CHECKPOINT: Duration = Duration::from_secs(60);
/// How long a session may take to open.
const OPENING: Duration = Duration::from_secs(2);
/// Time between two questions to the new leader.
const EVERY: Duration = Duration::from_millis(20);
/// For how long the server of an old leader that has stopped is kept down against the checks: what takes longer is no switchover as it should be.
const STOPPING: Duration = Duration::from_secs(10);
/// Time between two looks at the server of an old leader that has stopped.
const AGAIN: Duration = Duration::from_millis(250);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(1);
/// For how long the new leader is asked; after that HAProxy's checks have found out long since.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who takes part, as the plan's cluster had it.
#[derive(Debug, Clone)]
struct Parts {
    old: String,
    /// Host and port of each member's PostgreSQL.
    members: BTreeMap<String, (String, u16)>,
    /// Write backends, of HAProxies with an admin socket: proxy and backend.
    routes: Vec<(String, String)>,
}

impl Parts {
    fn of(s: &Situation<'_>, proxies: &ProxyWriter) -> Option<Self> {
        let named: Vec<&str> = proxies.names().collect();
        let routes = s.cluster.routes(s.now).into_iter().filter(|r| r.kind == RouteKind::Write && named.contains(&r.instance));
        let members = s.cluster.members.values().filter(|member| member.present);
        Some(Self {
            old: s.leader()?.to_owned(),
            members: members.filter_map(|m| Some((m.name.clone(), m.address().map(|(host, port)| (host.to_owned(), port))?))).collect(),
            routes: routes.map(|r| (r.instance.to_owned(), r.backend.to_owned())).collect(),
        })
    }
}

/// One who stands by.
#[derive(Debug)]
pub(super) struct Assist {
    teller: Teller,
    profile: PostgresProfile,
    /// An open session with each who could lead.
    lines: BTreeMap<String, Line>,
}

/// What it takes to tell.
#[derive(Debug)]
struct Teller {
    parts: Parts,
    proxies: ProxyWriter,
    reached: BTreeMap<String, Reached>,
    notes: mpsc::Sender<Word>,
    /// What was noted, so that nothing is said twice.
    noted: Mutex<BTreeSet<String>>,
}

impl Assist {
    /// For the cluster as it is; `None`: nobody leads.
    pub fn of(s: &Situation<'_>, proxies: ProxyWriter, profile: PostgresProfile, notes: mpsc::Sender<Word>) -> Option<Self> {
        let parts = Parts::of(s, &proxies)?;
        let teller = Teller { parts, proxies, reached: BTreeMap::new(), notes, noted: Mutex::default() };
        Some(Self { teller, profile, lines: BTreeMap::new() })
    }

    /// Makes ready, before the order goes out: a checkpoint, so that the old leader has little to write when it stops; a session with each member.
    pub async fn prepare(&mut self, writer: &SqlWriter) {
        if let Some((host, port)) = self.teller.parts.members.get(&self.teller.parts.old)
            && let Err(why) = writer.checkpoint(host, *port, CHECKPOINT).await
        {
            self.teller.note(format!("no checkpoint on {} before it: {why}", self.teller.parts.old)).await;
        }
        let members = self.teller.parts.members.iter();
        let ready = join_all(members.map(|(name, (host, port))| {
            let profile = &self.profile;
            async move {
                let addresses = timeout(OPENING, lookup_host((host.as_str(), *port))).await;
                let reached: Reached = match addresses {
                    Ok(Ok(addresses)) => addresses.map(|address| (address.ip(), address.port())).collect(),
                    _ => Reached::new(),
                };
                let line = timeout(OPENING, Line::open(host, *port, profile)).await.ok().and_then(Result::ok);
                (name.clone(), reached, line)
            }
        }));
        for (name, reached, line) in ready.await {
            self.lines.extend(line.map(|line| (name.clone(), line)));
            self.teller.reached.insert(name, reached);
        }
    }

    /// Waits for the new leader and tells. `leader`: who holds the leader key, as it is pushed.
    pub async fn stand_by(self, leader: watch::Receiver<Option<String>>) {
        let Self { teller, profile, mut lines } = self;
        let old = lines.remove(&teller.parts.old);
        let (member, profile) = (teller.parts.members.get(&teller.parts.old).cloned(), &profile);
        let leaving = async {
            if let (Some(mut line), Some((host, port))) = (old, member) {
                stopped(&mut line, &host, port, profile).await;
                // Patroni calls itself primary for as long as it stops: four of HAProxy's checks would bring the server up again.
                let repeated = async {
                    while refused(&host, port, profile).await {
                        teller.leave().await;
                        sleep(AGAIN).await;
                    }
                };
                let _ = timeout(STOPPING, repeated).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = follow(&teller, profile, lines, leader) => {}
            () = leaving => {}
        }
    }
}

/// Waits until a PostgreSQL has ended our session and nobody listens at its port. Silence is neither.
async fn stopped(line: &mut Line, host: &str, port: u16, profile: &PostgresProfile) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // One that was cut off half way is not asked again; whether somebody listens is seen below.
    while matches!(timeout(ANSWER, line.ask()).await, Ok(Ok(_))) {
        ticks.tick().await;
    }
    while !refused(host, port, profile).await {
        ticks.tick().await;
    }
}

/// Whether nobody listens at a PostgreSQL's port.
async fn refused(host: &str, port: u16, profile: &PostgresProfile) -> bool {
    matches!(timeout(ANSWER, Line::open(host, port, profile)).await, Ok(Err(error)) if error.kind == ErrorKind::Refused)
}

/// Waits for the new leader's proof, and tells.
async fn follow(teller: &Teller, profile: &PostgresProfile, lines: BTreeMap<String, Line>, mut leader: watch::Receiver<Option<String>>) {
    let old = teller.parts.old.clone();
    let taken = leader.wait_for(|holder| holder.as_ref().is_some_and(|holder| *holder != old)).await;
    let Some(new) = taken.ok().and_then(|holder| holder.clone()) else { return };
    let now = leader.clone();
    let lost = format!("{new} did not keep the leader key");
    let doubt = tokio::select! {
        proved = timeout(PATIENCE, proved(teller, profile, lines, &new)) => match proved {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(why),
            Err(_) => Some(format!("{new} did not say within {} s that it takes writes", PATIENCE.as_secs())),
        },
        _ = leader.wait_for(|holder| holder.as_deref() != Some(new.as_str())) => Some(lost.clone()),
    };
    let doubt = doubt.or_else(|| (now.borrow().as_deref() != Some(new.as_str())).then_some(lost));
    match doubt {
        Some(why) => teller.note(format!("no HAProxy was told that a server is up: {why}")).await,
        None => teller.tell(&new).await,
    }
}

/// Asks the new leader until it says that it takes writes.
async fn proved(teller: &Teller, profile: &PostgresProfile, mut lines: BTreeMap<String, Line>, new: &str) -> Result<(), String> {
    let (host, port) = teller.parts.members.get(new).ok_or_else(|| format!("{new} was not known before"))?;
    let mut line = lines.remove(new);
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut open = match line.take() {
            Some(open) => open,
            None => match timeout(OPENING, Line::open(host, *port, profile)).await {
                Ok(Ok(open)) => open,
                _ => continue,
            },
        };
        // A line that failed or hung is not asked again: a late answer is an old one.
        match timeout(ANSWER, open.ask()).await {
            Ok(Ok(answer)) if !answer.in_recovery => return Ok(()),
            Ok(Ok(_)) => line = Some(open),
            _ => {}
        }
    }
}

impl Teller {
    /// Tells every HAProxy that the new leader's server is up, and the old one's not.
    async fn tell(&self, new: &str) {
        let new_at = self.reached(new);
        let told = self.all(|states, backend| telling(states, backend, &self.reached(&self.parts.old), &new_at)).await;
        if !told.is_empty() {
            self.note(format!("{new} takes writes by its own word; told {}", listed(&told))).await;
        }
    }

    /// Tells every HAProxy that the old leader's server is down.
    async fn leave(&self) {
        let told = self.all(|states, backend| leaving(states, backend, &self.reached(&self.parts.old))).await;
        if !told.is_empty() {
            self.note(format!("nobody listens at {}'s port any more; told {}", self.parts.old, listed(&told))).await;
        }
    }

    fn reached(&self, name: &str) -> Reached {
        self.reached.get(name).cloned().unwrap_or_default()
    }

    /// Asks every HAProxy, side by side, how its servers stand, and tells it what follows from that; gives those that were told something.
    async fn all(&self, line: impl Fn(&str, &str) -> Result<Option<String>, String>) -> Vec<String> {
        let line = &line;
        let results = join_all(
            self.parts
                .routes
                .iter()
                .map(|(proxy, backend)| async move { (format!("{proxy} ({backend})"), self.tell_one(proxy, backend, line).await) }),
        );
        let mut told = Vec::new();
        for (whom, result) in results.await {
            match result {
                Ok(true) => told.push(whom),
                Ok(false) => {}
                Err(why) => self.note(format!("nothing was said to {whom}: {why}")).await,
            }
        }
        told
    }

    /// Whether something had to be said.
    async fn tell_one(
        &self,
        proxy: &str,
        backend: &str,
        line: &impl Fn(&str, &str) -> Result<Option<String>, String>,
    ) -> Result<bool, String> {
        let say = async |line: &str| {
            self.proxies.say(proxy, line).await.map_err(|unanswered| match unanswered {
                Unanswered::NotSaid(why) => why,
                Unanswered::Lost(why) => format!("no answer: {why}"),
            })
        };
        let states = say(&format!("show servers state {backend}")).await?;
        let Some(line) = line(&states, backend)? else { return Ok(false) };
        let answer = say(&line).await?;
        match answer.trim() {
            "" => Ok(true),
            _ => Err(format!("it says: {}", cut(&answer))),
        }
    }

    async fn note(&self, text: String) {
        if self.noted.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
            let _ = self.notes.send(Word::Note(text)).await;
        }
    }
}
