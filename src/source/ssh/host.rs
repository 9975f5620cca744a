//! What a node tells of itself: asked again and again, over the connection that its logs come by.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use openssh::Session;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::command::Command;
use super::connections::Connections;
use super::homes::Known;
use super::host_answer::{self, Home};
use super::master::answer_whenever;
use super::node::{LASTED, PAUSES};
use super::site::{Node, nodes};
use super::way::Way;
use crate::config::Profile;
use crate::log::Program;
use crate::model::{ClockReading, ErrorKind, Fact, Observation, Outcome, SourceError, SourceId, SourceKind};
use crate::source::postgres::log_settings;
use crate::source::{Clock, MemberTarget, Sink, poll};

/// How long getting there may take until that is told: whoever asks once does not wait for longer.
const FIRST_WORD: Duration = Duration::from_millis(2500);

/// How often it is looked again where the data lies; and while that is not known of all.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_secs(600), Duration::from_secs(60)];

/// A node to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Target(Node);

impl Target {
    /// As whose word its answers go.
    pub fn source(&self) -> SourceId {
        SourceId::new(SourceKind::Host, &self.0.name)
    }

    /// What it is asked by; with another one it is asked anew.
    pub fn address(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// The nodes that are looked at: none without a table `ssh`.
pub(in crate::source) fn targets(profile: &Profile, members: &BTreeMap<String, MemberTarget>) -> Vec<Target> {
    if !profile.ssh.facts {
        return Vec::new();
    }
    let reached = |node: &Node| Way::to(&profile.ssh, &node.name, node.host.as_deref()).is_ok();
    machines(nodes(profile, members, &[]), reached).into_iter().map(Target).collect()
}

/// A machine is asked once, though a member and an HAProxy may both run on it; but each member has data of its own. An HAProxy or an etcd that is
/// not reached by what is configured is not looked at: nobody has said that it can be.
fn machines(nodes: Vec<Node>, reached: impl Fn(&Node) -> bool) -> Vec<Node> {
    let mut all: Vec<Node> = Vec::new();
    for node in nodes {
        let has_data = node.programs.contains(&Program::Postgres);
        match all.iter_mut().find(|known| !has_data && known.host.is_some() && known.host == node.host) {
            Some(known) => known.programs.extend(node.programs),
            None if has_data || reached(&node) => all.push(node),
            None => {}
        }
    }
    all
}

/// Asks a node every ten seconds; never ends, and dropping it ends the asking.
pub(in crate::source) async fn run(sink: Sink, clock: Clock, target: Target, profile: Profile, connections: Connections) {
    let teller = Teller { sink, clock, source: target.source() };
    let node = target.0;
    let way = Way::to(&profile.ssh, &node.name, node.host.as_deref());
    let mut asker = Asker { teller: &teller, node: &node, profile: &profile };
    over(&teller, way, &connections, &mut asker).await;
}

/// Who asks a machine over a connection.
pub(super) trait Asks {
    /// Asks again and again; why that came to an end.
    fn ask(&mut self, session: &Session) -> impl Future<Output = SourceError> + Send;
}

/// Has something asked over a connection, which is made again when it is lost. Never ends.
pub(super) async fn over(teller: &Teller, way: Result<Way, SourceError>, connections: &Connections, asker: &mut impl Asks) {
    let way = match way {
        Ok(way) => way,
        // Nothing mends that while we run.
        Err(error) => {
            return poll(teller.sink.clone(), teller.clock, teller.source.clone(), || std::future::ready(Err(error.clone()))).await;
        }
    };
    let mut pause = PAUSES[0];
    loop {
        let late = || {
            SourceError::new(ErrorKind::Timeout, format!("ssh: no connection to {} within {} s", way.destination, FIRST_WORD.as_secs_f64()))
        };
        let error = match teller.patiently(connections.to(&way), FIRST_WORD, late).await {
            Ok(connection) => {
                let begun = Instant::now();
                let error = tokio::select! {
                    error = asker.ask(&connection.session) => match timeout(LASTED, connection.ended()).await {
                        Ok(lost) => lost,
                        Err(_) => error,
                    },
                    error = connection.ended() => error,
                };
                if begun.elapsed() > LASTED * 2 {
                    pause = PAUSES[0];
                }
                error
            }
            Err(error) => error,
        };
        teller.failed(error);
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES[1]);
    }
}

/// Says what was heard.
pub(super) struct Teller {
    pub sink: Sink,
    pub clock: Clock,
    pub source: SourceId,
}

impl Teller {
    pub fn heard(&self, fact: Fact, rtt: Duration) {
        self.tell(Outcome::Heard(Box::new(fact)), Some(rtt));
    }

    fn failed(&self, error: SourceError) {
        self.tell(Outcome::Failed(error), None);
    }

    fn tell(&self, outcome: Outcome, rtt: Option<Duration>) {
        self.sink.report(Observation { source: self.source.clone(), at: self.clock.now(), rtt, outcome });
    }

    /// What a command answers. One at a time: while one hangs, nothing else is asked.
    pub async fn answer(&self, session: &Session, command: &Command) -> Result<String, SourceError> {
        let limit = self.source.kind.deadline();
        let late = || {
            SourceError::new(ErrorKind::Timeout, format!("the node does not end its answer within {} s", limit.as_secs()))
                .with_hint("a file system or a command of it hangs; it is asked nothing else until then")
        };
        self.patiently(answer_whenever(session, command), limit, late).await.map_err(|(_, error)| error)
    }

    /// Waits for something; if it takes longer than `limit`, says so and waits on: it is not begun a second time.
    pub async fn patiently<T>(&self, what: impl Future<Output = T>, limit: Duration, late: impl Fn() -> SourceError) -> T {
        let mut what = pin!(what);
        loop {
            match timeout(limit, &mut what).await {
                Ok(done) => return done,
                Err(_) => self.failed(late()),
            }
        }
    }
}

struct Asker<'a> {
    teller: &'a Teller,
    node: &'a Node,
    profile: &'a Profile,
}

impl Asks for Asker<'_> {
    async fn ask(&mut self, session: &Session) -> SourceError {
        let mut known: Option<(Instant, Vec<Home>)> = None;
        loop {
            let begun = Instant::now();
            let whole = |homes: &[Home]| homes.iter().all(|(_, path)| path.is_ok());
            let old = |(at, homes): &(Instant, Vec<Home>)| at.elapsed() >= LOOK_AGAIN[usize::from(!whole(homes))];
            if known.as_ref().is_none_or(old) {
                match self.homes(session).await {
                    Ok(homes) => known = Some((begun, homes)),
                    Err(error) => return error,
                }
            }
            let homes = known.as_ref().map(|(_, homes)| homes.as_slice()).unwrap_or_default();
            if let Err(error) = self.facts(session, homes).await {
                return error;
            }
            sleep_until(begun + SourceKind::Host.period()).await;
        }
    }
}

impl Asker<'_> {
    async fn homes(&self, session: &Session) -> Result<Vec<Home>, SourceError> {
        let data_directory = async {
            match &self.node.sql {
                Some((host, port)) => log_settings(&self.profile.postgres, host, *port).await.map(|settings| settings.data_directory),
                None => Err(SourceError::new(ErrorKind::Config, "it is not known where PostgreSQL listens")),
            }
        };
        let (answer, data_directory) = tokio::join!(self.answer(session, &Command::Homes), data_directory);
        let answer = answer?;
        let scope = self.profile.scope.as_deref().unwrap_or_default();
        let folders = &self.profile.ssh.folders;
        Ok(Known { node: self.node, scope, folders, data_directory, answer: &answer }.homes())
    }

    async fn facts(&self, session: &Session, homes: &[Home]) -> Result<(), SourceError> {
        let begun = Instant::now();
        let text = self.answer(session, &Command::Facts { homes: host_answer::asked(homes) }).await?;
        let (ours, took) = (crate::source::clock::wall(), begun.elapsed());
        let answer = host_answer::read(&text, homes);
        if let Some(theirs) = answer.clock {
            self.teller.heard(Fact::Clock(ClockReading { theirs, ours, whole_seconds: false }), took);
        }
        self.teller.heard(Fact::Host(Box::new(answer.status)), took);
        Ok(())
    }

    async fn answer(&self, session: &Session, command: &Command) -> Result<String, SourceError> {
        self.teller.answer(session, command).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::inbox;

    #[test]
    fn a_machine_is_asked_once_and_each_member_for_itself() {
        let node = |name: &str, host: Option<&str>, programs: &[Program]| Node {
            name: name.to_owned(),
            host: host.map(str::to_owned),
            sql: None,
            programs: programs.iter().copied().collect(),
        };
        let nodes = vec![
            node("psg1", Some("10.0.0.8"), &[Program::Postgres]),
            node("psg2", Some("10.0.0.8"), &[Program::Postgres]),
            node("psg3", None, &[Program::Postgres]),
            node("vm1", Some("10.0.0.8"), &[Program::Haproxy]),
            node("vm2", Some("10.0.0.1"), &[Program::Haproxy]),
            node("vm3", None, &[Program::Haproxy]),
        ];
        let asked = machines(nodes, |node| node.host.is_some());
        let names: Vec<&str> = asked.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["psg1", "psg2", "psg3", "vm2"]);
        assert!(asked[0].programs.contains(&Program::Haproxy), "the units of all are asked for");
    }

    #[tokio::test]
    async fn what_hangs_is_told_and_waited_for_and_what_does_not_is_not_told() {
        let (sink, mut inbox) = inbox();
        let teller = Teller { sink, clock: Clock::start(), source: SourceId::new(SourceKind::Host, "psg1") };
        let late = || SourceError::new(ErrorKind::Timeout, "it hangs");
        let (end, hangs) = tokio::sync::oneshot::channel();
        let told = async {
            let told = inbox.next().await;
            end.send(7).expect("it is waited for still");
            told
        };
        let (answer, told) = tokio::join!(teller.patiently(hangs, Duration::from_millis(1), late), told);
        assert_eq!(answer, Ok(7));
        assert!(matches!(&told[..], [Observation { outcome: Outcome::Failed(error), .. }] if error.message == "it hangs"));
        inbox.drain();
        assert_eq!(teller.patiently(std::future::ready(8), Duration::from_secs(60), late).await, 8);
        assert!(inbox.drain().is_empty());
    }
}
