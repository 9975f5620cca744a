//! What the doctor is told by the nodes, once: HAProxy's configuration, etcd's election, the watchdog. Asked for, never again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::command::Command;
use super::connections::Connections;
use super::master::{Connection, answer};
use super::proxy_file::ProxyText;
use super::site::{Node, nodes};
use super::way::Way;
use super::{election, proxy_file, watchdog};
use crate::config::Profile;
use crate::log::Program;
use crate::model::{ElectionTimes, ErrorKind, SourceError, Time, WatchdogSeen};
use crate::source::{Clock, MemberTarget};

/// How long the way to a node may take, with a jump host before it, and then each of its answers, for which a dozen programs run.
const PATIENCE: Duration = Duration::from_secs(8);

/// By the node's name what it said, and when, or why that is not known, in a sentence.
pub type Told<T> = BTreeMap<String, Result<(T, Time), String>>;

/// What the nodes have said.
#[derive(Debug, Default)]
pub struct NodeSurvey {
    /// Each HAProxy's configuration.
    pub proxies: Told<ProxyText>,
    /// How each etcd chooses its leader.
    pub elections: Told<ElectionTimes>,
    /// Each member's watchdog.
    pub watchdogs: Told<WatchdogSeen>,
}

/// Asks all nodes at once, over the connections that there are. Without a table `ssh` nobody is asked, and nothing is told. It takes 16 s at most.
pub async fn survey(profile: &Profile, members: &BTreeMap<String, MemberTarget>, connections: &Connections, clock: Clock) -> NodeSurvey {
    let mut survey = NodeSurvey::default();
    if !profile.ssh.given {
        return survey;
    }
    let mut all = nodes(profile, members, &[]);
    all.retain_mut(|node| {
        // Who is only named for ssh is no member.
        if !members.contains_key(&node.name) {
            node.programs.remove(&Program::Patroni);
        }
        [Program::Patroni, Program::Etcd, Program::Haproxy].iter().any(|program| node.programs.contains(program))
    });
    let asked = all.into_iter().map(|node| async move {
        let site = Site { profile, node: &node, clock };
        let told = site.ask(connections).await.unwrap_or_else(|error| site.unheard(&error.told()));
        (node.name, told)
    });
    for (name, Answers { proxy, election, watchdog }) in join_all(asked).await {
        survey.proxies.extend(proxy.map(|told| (name.clone(), told)));
        survey.elections.extend(election.map(|told| (name.clone(), told)));
        survey.watchdogs.extend(watchdog.map(|told| (name, told)));
    }
    survey
}

/// What a node has said of each thing that it was asked for.
struct Answers {
    proxy: Option<Result<(ProxyText, Time), String>>,
    election: Option<Result<(ElectionTimes, Time), String>>,
    watchdog: Option<Result<(WatchdogSeen, Time), String>>,
}

struct Site<'s> {
    profile: &'s Profile,
    node: &'s Node,
    clock: Clock,
}

impl Site<'_> {
    fn has(&self, program: Program) -> bool {
        self.node.programs.contains(&program)
    }

    /// The same answer to all: nobody was reached.
    fn unheard(&self, why: &str) -> Answers {
        let why = why.to_owned();
        Answers {
            proxy: self.has(Program::Haproxy).then(|| Err(why.clone())),
            election: self.has(Program::Etcd).then(|| Err(why.clone())),
            watchdog: self.has(Program::Patroni).then_some(Err(why)),
        }
    }

    async fn ask(&self, connections: &Connections) -> Result<Answers, SourceError> {
        let way = Way::to(&self.profile.ssh, &self.node.name, self.node.host.as_deref())?;
        let connection = timeout(PATIENCE, connections.to(&way)).await.unwrap_or_else(|_| Err(self.late("is not reached")))?;
        let (proxy, election, watchdog) = tokio::join!(self.proxy(&connection), self.election(&connection), self.watchdog(&connection));
        Ok(Answers { proxy, election, watchdog })
    }

    async fn proxy(&self, connection: &Connection) -> Option<Result<(ProxyText, Time), String>> {
        let file = self.profile.haproxy.iter().find(|proxy| self.has(Program::Haproxy) && proxy.name == self.node.name)?.config.clone();
        let told = self.answer(connection, &Command::Proxy { file: file.clone() }).await;
        Some(told.and_then(|(text, at)| Ok((proxy_file::read(&text, &file).map_err(|error| error.told())?, at))))
    }

    async fn election(&self, connection: &Connection) -> Option<Result<(ElectionTimes, Time), String>> {
        if !self.has(Program::Etcd) {
            return None;
        }
        let told = self.answer(connection, &Command::Election).await;
        Some(told.and_then(|(text, at)| Ok((election::read(&text, self.node.host.as_deref().unwrap_or_default())?, at))))
    }

    async fn watchdog(&self, connection: &Connection) -> Option<Result<(WatchdogSeen, Time), String>> {
        if !self.has(Program::Patroni) {
            return None;
        }
        let scope = self.profile.scope.as_deref().unwrap_or_default();
        let told = self.answer(connection, &Command::Watchdog).await;
        Some(told.and_then(|(text, at)| Ok((watchdog::read(&text, &self.node.name, scope)?, at))))
    }

    async fn answer(&self, connection: &Connection, command: &Command) -> Result<(String, Time), String> {
        // One that hangs must not take the others' answers with it.
        let told = timeout(PATIENCE, answer(&connection.session, command)).await;
        let text = told.unwrap_or_else(|_| Err((None, self.late("does not end its answer")))).map_err(|(_, error)| error.told())?;
        Ok((text, self.clock.now()))
    }

    fn late(&self, what: &str) -> SourceError {
        let seconds = PATIENCE.as_secs();
        SourceError::new(ErrorKind::Timeout, format!("{} {what} over ssh within {seconds} s", self.node.name))
    }
}
