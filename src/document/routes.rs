//! The part on the routes.

use super::{RouteDoc, RouteKind, RouteServerDoc, asked};
use crate::model::{Cluster, HaproxyServer, Observed, SourceKind, Time};

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
