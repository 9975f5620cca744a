//! The machines whose programs log, and what is known of each.

use std::collections::{BTreeMap, BTreeSet};

use openssh::Session;
use tokio::sync::OnceCell;

use super::command::Command;
use super::master::answer;
use super::place::{Answers, Known, Place};
use crate::config::{LogProfile, PostgresProfile, Profile};
use crate::log::{Format, Program};
use crate::model::{ErrorKind, SourceError};
use crate::source::MemberTarget;
use crate::source::postgres::log_settings;

/// A machine, and which programs' logs are read on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// The member's name, the HAProxy's in the configuration, or of an etcd that is nobody else's its host.
    pub name: String,
    /// Its address, as far as something names it.
    pub host: Option<String>,
    /// Where its PostgreSQL listens.
    pub sql: Option<(String, u16)>,
    /// Whose logs.
    pub programs: BTreeSet<Program>,
}

/// All machines of a cluster: its members, those that the configuration of ssh names beside, its HAProxies, and etcds that run elsewhere.
pub(super) fn nodes(profile: &Profile, members: &BTreeMap<String, MemberTarget>, named: &[String]) -> Vec<Node> {
    let etcd: BTreeSet<String> = profile.etcd.endpoints.iter().filter_map(|url| host_of(url)).collect();
    let proxies: Vec<Node> = profile.haproxy.iter().map(proxy).collect();
    let mut all: Vec<Node> = members.iter().map(|(name, target)| member(name, Some(target))).collect();
    for name in profile.ssh.hosts.keys().chain(named) {
        let known = |nodes: &[Node]| nodes.iter().any(|node| node.name == *name);
        if !known(&all) && !known(&proxies) && !etcd.contains(name) {
            all.push(member(name, None));
        }
    }
    let mut elsewhere = etcd.clone();
    for node in &mut all {
        if let Some(host) = node.host.as_ref().filter(|host| etcd.contains(*host)) {
            node.programs.insert(Program::Etcd);
            elsewhere.remove(host);
        }
    }
    all.extend(proxies);
    all.extend(elsewhere.into_iter().map(|host| Node {
        name: host.clone(),
        host: Some(host),
        sql: None,
        programs: BTreeSet::from([Program::Etcd]),
    }));
    all
}

fn member(name: &str, target: Option<&MemberTarget>) -> Node {
    let sql = target.and_then(|target| target.sql.clone());
    let api = || target.and_then(|target| host_of(target.api_url.as_deref()?));
    let host = sql.as_ref().map(|(host, _)| host.clone()).or_else(api);
    Node { name: name.to_owned(), host, sql, programs: BTreeSet::from([Program::Patroni, Program::Postgres]) }
}

fn proxy(proxy: &crate::config::HaproxyProfile) -> Node {
    Node { name: proxy.name.clone(), host: proxy.host(), sql: None, programs: BTreeSet::from([Program::Haproxy]) }
}

fn host_of(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    Some(url.host_str()?.trim_matches(['[', ']']).to_owned())
}

/// One machine with what is known of it while it is read.
pub(super) struct Site {
    node: Node,
    logs: BTreeMap<&'static str, LogProfile>,
    postgres: PostgresProfile,
    answers: OnceCell<Answers>,
}

impl Site {
    /// Of this node.
    pub fn new(node: Node, profile: &Profile) -> Self {
        Self { node, logs: profile.logs.clone(), postgres: profile.postgres.clone(), answers: OnceCell::new() }
    }

    /// Where a program's log is, and how its lines are written. The node is asked once; its PostgreSQL, when it is about that.
    pub async fn place(&self, session: &Session, program: Program) -> Result<(Place, Format), SourceError> {
        let ask = || async { answer(session, &Command::Ask).await.map(|text| Answers::read(&text)).map_err(|(_, error)| error) };
        let answers = self.answers.get_or_try_init(ask).await?;
        let settings = match (&self.node.sql, program) {
            (Some((host, port)), Program::Postgres) => log_settings(&self.postgres, host, *port).await,
            _ => Err(SourceError::new(ErrorKind::Config, "it is not known where it listens")),
        };
        let host = self.node.host.as_deref().unwrap_or_default();
        Known { node: &self.node.name, host, logs: &self.logs, answers, postgres: settings.as_ref() }.place(program)
    }
}
