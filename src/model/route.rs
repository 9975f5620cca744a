//! The ways on which clients reach the members.

use serde::{Deserialize, Serialize};

use super::{Cluster, HaproxyServer, ServerMemory, SourceKind, Time};

/// What a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, schemars::JsonSchema, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum RouteKind {
    /// Must lead to the leader and to nobody else.
    Write,
    /// Leads to replicas.
    Read,
    /// Not known.
    Other,
}

/// The names of an HAProxy's backends, where the configuration gives them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteUse {
    /// Name of the write backend.
    pub write: Option<String>,
    /// Name of the read backend.
    pub read: Option<String>,
}

/// One backend of one HAProxy with what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Route<'a> {
    /// The HAProxy.
    pub instance: &'a str,
    /// The backend.
    pub backend: &'a str,
    /// What it is for.
    pub kind: RouteKind,
    /// Its servers, each with the member behind it.
    pub servers: Vec<(&'a HaproxyServer, Option<&'a str>)>,
    /// Whether the HAProxy's answer is current.
    pub fresh: bool,
}

impl<'a> Route<'a> {
    /// Those that new sessions are sent to: the member's name, or the server's where the member is not known.
    pub fn up(&self) -> Vec<&'a str> {
        self.servers.iter().filter(|(server, _)| server.takes_sessions()).map(|(server, member)| member.unwrap_or(&server.name)).collect()
    }

    /// Whether every server that takes new sessions is known to be some member.
    pub fn known(&self) -> bool {
        self.servers.iter().all(|(server, member)| member.is_some() || !server.takes_sessions())
    }

    /// Whether it leads where it should; `None`: not known, among other reasons because its servers cannot be told to be members.
    pub fn right(&self, cluster: &Cluster, now: Time) -> Option<bool> {
        if !self.fresh {
            return None;
        }
        match self.kind {
            RouteKind::Other => None,
            // Whoever leads: a write route that leads nowhere is wrong.
            RouteKind::Write if self.up().is_empty() => Some(false),
            RouteKind::Write if !self.known() => None,
            RouteKind::Write => Some(self.up() == [cluster.leader_now(now)?]),
            RouteKind::Read => Some(!self.up().is_empty()),
        }
    }
}

/// Parts of a backend's name that say what it is for; the usual samples call them `primary`, `master`, `write`, `replicas`, `standbys`, `read`.
const WRITE: [&str; 6] = ["write", "primary", "master", "leader", "rw", "5000"];
const READ: [&str; 7] = ["read", "replica", "standby", "standbies", "slave", "ro", "5001"];

fn kind_of(backend: &str, names: Option<&RouteUse>) -> RouteKind {
    if let Some(names) = names {
        if names.write.as_deref() == Some(backend) {
            return RouteKind::Write;
        }
        if names.read.as_deref() == Some(backend) {
            return RouteKind::Read;
        }
    }
    let words: Vec<String> = backend.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned).collect();
    let says = |list: &[&str]| words.iter().any(|word| list.iter().any(|l| word == l || (l.len() > 2 && word.starts_with(l))));
    match (says(&WRITE), says(&READ)) {
        (true, false) => RouteKind::Write,
        (false, true) => RouteKind::Read,
        _ => RouteKind::Other,
    }
}

/// `10.0.0.11:5432` or `[fe80::1]:5432` in its parts.
fn host_and_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then_some((host.to_owned(), port.parse().ok()?))
}

impl Cluster {
    /// The member behind a server: by the address of its PostgreSQL, else by its name.
    pub fn member_behind(&self, server: &HaproxyServer) -> Option<&str> {
        let by_address = server.address.as_deref().and_then(|address| {
            let address = host_and_port(address)?;
            self.members.values().find(|m| m.address().is_some_and(|(host, port)| address.0 == host && address.1 == port))
        });
        // Of one that was renamed, both names have the address.
        by_address.or_else(|| self.members.get(&server.name)).map(|m| self.by_its_new_name(m).name.as_str())
    }

    /// Takes in servers that are no member by any key: one whose key had gone before we came is not known to etcd, but its PostgreSQL may well
    /// accept writes. A server counts as one of the cluster's when it stands in a backend beside members.
    pub(super) fn follow_servers(&mut self) {
        // Before the keys are known every server would be a stranger.
        if self.dcs.revision.is_none() {
            return;
        }
        let mut strangers: Vec<(String, Option<(String, u16)>)> = Vec::new();
        for status in self.haproxies.values().filter_map(super::Observed::last) {
            for server in status.servers.iter().filter(|s| self.member_behind(s).is_none()) {
                let beside = status.servers.iter().filter(|other| other.backend == server.backend);
                if beside.filter_map(|other| self.member_behind(other)).next().is_some() {
                    strangers.push((server.name.clone(), server.address.as_deref().and_then(host_and_port)));
                }
            }
        }
        for (name, address) in strangers {
            let member = self.members.entry(name.clone()).or_insert_with(|| super::Member::named(&name));
            member.behind_proxy = member.behind_proxy.take().or(address);
        }
        // A name of HAProxy's own for a member whose key has come meanwhile.
        let keyed: Vec<(String, u16)> = self
            .members
            .values()
            .filter(|m| m.key.is_some())
            .filter_map(|m| m.address().map(|(host, port)| (host.to_owned(), port)))
            .collect();
        self.members.retain(|_, m| m.key.is_some() || m.behind_proxy.as_ref().is_none_or(|address| !keyed.contains(address)));
    }

    /// What is remembered of a server of a route.
    pub fn remembered(&self, route: &Route<'_>, server: &HaproxyServer) -> Option<&ServerMemory> {
        self.route_memory.get(route.instance)?.server(route.backend, &server.name)
    }

    /// All routes, in the order of the configuration's names and of HAProxy's backends. Backends none of whose servers is a member and whose
    /// name says nothing are not ours and are left out.
    pub fn routes(&self, now: Time) -> Vec<Route<'_>> {
        let mut routes: Vec<Route<'_>> = Vec::new();
        for (instance, seen) in &self.haproxies {
            let Some(status) = seen.last() else { continue };
            let fresh = seen.error().is_none() && seen.fresh(now, SourceKind::Haproxy.freshness()).is_some();
            let begin = routes.len();
            for server in &status.servers {
                let member = self.member_behind(server);
                match routes[begin..].iter_mut().find(|r| r.backend == server.backend) {
                    Some(route) => route.servers.push((server, member)),
                    None => routes.push(Route {
                        instance,
                        backend: &server.backend,
                        kind: kind_of(&server.backend, self.route_names.get(instance)),
                        servers: vec![(server, member)],
                        fresh,
                    }),
                }
            }
        }
        routes.retain(|r| r.kind != RouteKind::Other || r.servers.iter().any(|(_, member)| member.is_some()));
        routes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_apart() {
        assert_eq!(host_and_port("10.0.0.11:5432"), Some(("10.0.0.11".into(), 5432)));
        assert_eq!(host_and_port("[fe80::1]:6432"), Some(("fe80::1".into(), 6432)));
        for bad in ["", "10.0.0.11", ":5432", "unix:/run/x", "a:99999"] {
            assert_eq!(host_and_port(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_backends_name_tells_what_it_is_for() {
        for (name, kind) in [
            ("pg_write", RouteKind::Write),
            ("primary", RouteKind::Write),
            ("replicas", RouteKind::Read),
            ("pg-read", RouteKind::Read),
            ("postgres_ro", RouteKind::Read),
            ("stats", RouteKind::Other),
            ("read_write", RouteKind::Other),
            ("proxy", RouteKind::Other),
        ] {
            assert_eq!(kind_of(name, None), kind, "{name}");
        }
        let names = RouteUse { write: Some("read_write".into()), read: None };
        assert_eq!(kind_of("read_write", Some(&names)), RouteKind::Write);
    }
}
