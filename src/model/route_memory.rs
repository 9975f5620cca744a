//! Since when the proxies' servers take sessions or do not, and how often they came back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{HaproxyStatus, Time};

/// For how long a server's returns are remembered.
const REMEMBERED: Duration = Duration::from_secs(600);
/// By how much HAProxy's whole seconds and our clock may differ before a change that we did not see is believed.
const INEXACT: Duration = Duration::from_secs(2);

/// What is remembered of one server of one backend of one HAProxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMemory {
    /// Whether new sessions are sent to it.
    pub takes: bool,
    /// Since when: when we saw it change, or when HAProxy says that it changed (`lastchg`).
    pub since: Time,
    /// When it was seen to take sessions again, oldest first.
    pub returns: Vec<Time>,
}

/// The servers of one HAProxy, by backend and server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteMemory {
    servers: BTreeMap<(String, String), ServerMemory>,
}

impl RouteMemory {
    /// Takes in an answer.
    pub(super) fn hear(&mut self, status: &HaproxyStatus, at: Time) {
        let mut servers = BTreeMap::new();
        for server in &status.servers {
            let key = (server.backend.clone(), server.name.clone());
            let takes = server.takes_sessions();
            let changed = server.last_change.map(|ago| at.before(Duration::from_secs(ago)));
            let memory = match self.servers.remove(&key) {
                None => ServerMemory { takes, since: changed.unwrap_or(at), returns: Vec::new() },
                Some(mut memory) => {
                    // It went and came between two answers.
                    let unseen = changed.filter(|changed| memory.takes == takes && changed.since(memory.since) > INEXACT);
                    if memory.takes != takes || unseen.is_some() {
                        memory.since = unseen.unwrap_or(at);
                        memory.returns.extend(takes.then_some(at));
                    }
                    memory.takes = takes;
                    memory.returns.retain(|then| at.since(*then) <= REMEMBERED);
                    memory
                }
            };
            servers.insert(key, memory);
        }
        self.servers = servers;
    }

    /// What is remembered of a server.
    pub fn server(&self, backend: &str, server: &str) -> Option<&ServerMemory> {
        self.servers.get(&(backend.to_owned(), server.to_owned()))
    }
}

impl ServerMemory {
    /// How often it came back within `span` before `now`.
    pub fn returned(&self, span: Duration, now: Time) -> usize {
        self.returns.iter().filter(|at| now.since(**at) <= span).count()
    }
}
