//! What the nodes say: their logs, and what they tell of themselves, read over the user's own OpenSSH.
//!
//! Nothing is installed on a node. One connection for each, through OpenSSH's own configuration, agent, jump hosts and known hosts, and over it
//! the commands of a closed list, which read and end with the line. A stream's place is kept here, byte by byte, so that after a lost line
//! nothing is read twice and nothing is left out that is still there. What is run to change something takes a permit ([`WriteAccess`]).

mod command;
mod connections;
mod course;
mod dags;
mod election;
mod errors;
mod file;
mod folder;
mod homes;
mod host;
mod host_answer;
mod journal;
mod ledger;
mod lines;
mod master;
mod node;
mod outbox;
mod place;
mod proxy_file;
mod reading;
mod site;
mod survey;
mod target;
mod watchdog;
mod way;
mod write_access;

pub use connections::Connections;
pub(super) use dags::run as dags;
pub(super) use host::{run as host, targets as hosts};
pub(super) use place::name_pattern;
pub use proxy_file::ProxyText;
pub use reading::Wanted;
pub use survey::{NodeSurvey, Told, survey};
pub(super) use target::run as target;
pub use write_access::{Unanswered, WriteAccess};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::supervise::Task;
use super::{Clock, MemberTarget};
use crate::config::{Profile, SshProfile};
use crate::log::{Heard, Program};
use command::Command;
use way::{Way, shown};

/// How many pieces of what was heard wait until they are taken; each is of 64 KiB at most. When they are full the nodes are read no further.
const ROOM: usize = 32;

/// Whose logs; nobody named is everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Members, HAProxies, hosts of etcd.
    pub nodes: BTreeSet<String>,
    /// Programs.
    pub programs: BTreeSet<Program>,
}

/// Reads the logs of a cluster's nodes. Dropping it ends all connections.
pub struct Logs {
    profile: Profile,
    clock: Clock,
    wanted: Wanted,
    chosen: Chosen,
    connections: Connections,
    to: Sender<Vec<Heard>>,
    running: BTreeMap<String, Task>,
}

impl Logs {
    /// Nothing is read before [`follow`](Self::follow) says whom there is. The connections are shared with who else reads there.
    pub fn new(profile: Profile, clock: Clock, wanted: Wanted, chosen: Chosen, connections: Connections) -> (Self, Hearing) {
        let (to, from) = channel(ROOM);
        (Self { profile, clock, wanted, chosen, connections, to, running: BTreeMap::new() }, Hearing(from))
    }

    /// Reads the nodes that are there by now and are not read yet; of these members, and of what the configuration names. Must be called within
    /// a tokio runtime.
    pub fn follow(&mut self, members: &BTreeMap<String, MemberTarget>) {
        for node in nodes(&self.profile, members, &self.chosen) {
            if !self.running.contains_key(&node.name) {
                let name = node.name.clone();
                let task = node::run(node, self.profile.clone(), self.clock, self.to.clone(), self.wanted, self.connections.clone());
                self.running.insert(name, Task::of(task));
            }
        }
    }

    /// Lets nobody join any more, and keeps those reading that do: what is heard ends when they have ended.
    pub fn close(self) -> Closed {
        Closed { _running: self.running }
    }
}

/// The nodes that are still read. Dropping it ends all connections.
pub struct Closed {
    _running: BTreeMap<String, Task>,
}

/// What is heard.
pub struct Hearing(Receiver<Vec<Heard>>);

impl Hearing {
    /// The next things that were heard, in the order of each stream; `None`: nobody is read any more. Safe to drop while it waits.
    pub async fn next(&mut self) -> Option<Vec<Heard>> {
        self.0.recv().await
    }

    /// The same if there is something at this moment.
    pub fn try_next(&mut self) -> Option<Vec<Heard>> {
        self.0.try_recv().ok()
    }
}

/// The names of all whose logs can be read: members, HAProxies, hosts of etcd, and those that the configuration of ssh names.
pub fn names(profile: &Profile, members: &BTreeMap<String, MemberTarget>) -> Vec<String> {
    site::nodes(profile, members, &[]).into_iter().map(|node| node.name).collect()
}

fn nodes(profile: &Profile, members: &BTreeMap<String, MemberTarget>, chosen: &Chosen) -> Vec<site::Node> {
    let named: Vec<String> = chosen.nodes.iter().cloned().collect();
    let mut all = site::nodes(profile, members, &named);
    all.retain_mut(|node| {
        node.programs.retain(|program| chosen.programs.is_empty() || chosen.programs.contains(program));
        !node.programs.is_empty() && (chosen.nodes.is_empty() || chosen.nodes.contains(&node.name))
    });
    all
}

/// What a person types to have a shell on a machine run this, as it is named for ssh: `ssh -F FILE vm1 'COMMAND'`.
pub fn typed(profile: &SshProfile, host: &str, command: &str) -> Option<String> {
    let mut words = shlex::split(&Way::to(profile, host, Some(host)).ok()?.typed())?;
    words.push(command.to_owned());
    Some(shown(&words))
}

/// What would be run: how each node is reached, and the closed list of commands with their texts.
pub fn explain(profile: &Profile, members: &BTreeMap<String, MemberTarget>, chosen: &Chosen) -> String {
    let mut out = String::from("# Here, for each node, unless a connection of ssh's own (ControlMaster) is there already:\n");
    for node in nodes(profile, members, chosen) {
        let programs: Vec<&str> = node.programs.iter().map(|program| program.name()).collect();
        let line = match Way::to(&profile.ssh, &node.name, node.host.as_deref()) {
            Ok(way) => {
                let mut words = vec!["ssh".to_owned()];
                words.extend(master::arguments(&way, "SOCKET"));
                // The script is told below.
                words.pop();
                format!("{} <hold>", shown(&words))
            }
            Err(error) => format!("not reached: {}", error.told()),
        };
        let _ = writeln!(out, "\n# {}: {}\n{line}", node.name, programs.join(", "));
    }
    out.push_str("\n# There, each as: sh -c SCRIPT pgbaton ARGUMENTS; nothing else is ever run to read. It ends with the connection; `homes`\n# and `facts`, which run for a table `ssh` and not for logs, `dags`, `target` and\n# `ledger` for tables of these names, and `proxy`, `election` and `watchdog` when the doctor is asked, end by themselves.\n");
    for command in Command::all() {
        let _ = write!(out, "\n## {}\n{}", command.told(), command.script());
    }
    out
}
