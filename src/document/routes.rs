//! The part on the routes.

use super::{Document, RouteDoc, RouteKind, RouteServerDoc, asked};
use crate::model::{Cluster, HaproxyServer, Observed, SourceKind, Time};

/// Whether clients that write get to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// Whether every write route leads there and nowhere else; `None`: that is not known, or there is no write route.
    pub there: Option<bool>,
    /// That in words, without a full stop.
    pub told: String,
}

impl Routed {
    /// What is to be said before an outcome that is Patroni's alone; `None`: clients are there, or nothing here can tell.
    pub fn behind(&self) -> Option<&'static str> {
        (self.there == Some(false)).then_some("not yet for clients")
    }
}

impl Document {
    /// Whether clients have followed to this member, to whom the leadership was moved: every write route leads there, by what the HAProxies say now.
    pub fn routed_to(&self, member: &str) -> Routed {
        if let Some(leader) = self.cluster.leader.as_deref().filter(|leader| *leader != member) {
            return Routed { there: None, told: format!("{leader} has the leader key now, no more {member}") };
        }
        // One that was never heard may have a write route.
        let unheard = |route: &&RouteDoc| route.kind == RouteKind::Other && route.servers.is_empty();
        let write: Vec<&RouteDoc> = self.routes.iter().filter(|route| route.kind == RouteKind::Write || unheard(route)).collect();
        let names = |routes: &[&RouteDoc]| routes.iter().map(|route| route.instance.as_str()).collect::<Vec<_>>().join(", ");
        let (fresh, old): (Vec<&RouteDoc>, Vec<&RouteDoc>) = write.iter().copied().partition(|route| route.asked.fresh);
        let elsewhere: Vec<&RouteDoc> = fresh.iter().copied().filter(|route| route.up != [member]).collect();
        let (there, told) = if write.is_empty() {
            (None, format!("no write route is known here: whether clients get to {member} is not seen"))
        } else if !elsewhere.is_empty() {
            let to = |route: &&RouteDoc| {
                format!("{} to {}", route.instance, if route.up.is_empty() { "nobody".to_owned() } else { route.up.join(" and ") })
            };
            let each = elsewhere.iter().map(to).collect::<Vec<_>>().join(", ");
            let which = if elsewhere.len() == write.len() { "no write route leads" } else { "not every write route leads" };
            (Some(false), format!("{which} to {member} alone: {each}"))
        } else if !old.is_empty() {
            (None, format!("whether clients get to {member} by {} is not known: no current answer", names(&old)))
        } else {
            (Some(true), format!("every write route leads to {member}: {}", names(&fresh)))
        };
        Routed { there, told }
    }
}

pub(super) fn document(cluster: &Cluster, now: Time) -> Vec<RouteDoc> {
    let nobody = Observed::default();
    let mut routes: Vec<RouteDoc> = Vec::new();
    for route in cluster.routes(now) {
        let sessions: Option<Vec<u32>> = route.servers.iter().map(|(s, _)| s.sessions).collect();
        routes.push(RouteDoc {
            instance: route.instance.to_owned(),
            backend: route.backend.to_owned(),
            kind: route.kind,
            right: route.right(cluster, now),
            up: route.up().into_iter().map(str::to_owned).collect(),
            servers: route.servers.iter().map(|(server, member)| document_server(server, *member)).collect(),
            sessions: sessions.map(|s| s.iter().sum()),
            asked: asked(cluster.haproxies.get(route.instance).unwrap_or(&nobody), SourceKind::Haproxy, now),
        });
    }
    // An HAProxy that was never heard has no backends yet, but it has a row: an absent row would read as "fine".
    for (instance, seen) in cluster.haproxies.iter().filter(|(_, seen)| seen.last().is_none()) {
        routes.push(RouteDoc {
            instance: instance.clone(),
            backend: String::new(),
            kind: RouteKind::Other,
            right: None,
            up: Vec::new(),
            servers: Vec::new(),
            sessions: None,
            asked: asked(seen, SourceKind::Haproxy, now),
        });
    }
    routes.sort_by(|a, b| a.instance.cmp(&b.instance));
    routes
}

fn document_server(server: &HaproxyServer, member: Option<&str>) -> RouteServerDoc {
    let check = server.check_status.as_ref().map(|status| {
        let code = server.check_code.map(|c| format!("/{c}")).unwrap_or_default();
        let took = server.check_ms.map(|ms| format!(" in {ms} ms")).unwrap_or_default();
        format!("{status}{code}{took}")
    });
    RouteServerDoc {
        name: server.name.clone(),
        member: member.map(str::to_owned),
        status: server.status.clone(),
        up: server.takes_sessions(),
        check,
        sessions: server.sessions,
        last_change_seconds: server.last_change,
    }
}
