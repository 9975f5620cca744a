//! `server-out`: an HAProxy sends no writes to a member, whoever leads, because somebody has taken its server out or drains it.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Level, RouteKind, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "server-out",
        runbook: None,
        fires: "in a backend for writes the server of a member is in MAINT or DRAIN: somebody has set it so at this HAProxy.",
        matters: "Nothing is wrong as long as another leads. When that member takes over, clients of this proxy cannot write, for as long as its server \
                  stays so; no check brings it back.",
        next: &[
            "Ask who has taken it out, and whether the maintenance is over.",
            "pgbaton haproxy CLUSTER PROXY BACKEND SERVER ready gives it back to the checks (a h in the console).",
            "Do not switch over to MEMBER before.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let leader = cluster.leader_now(now);
    let mut found = Vec::new();
    for route in cluster.routes(now).iter().filter(|route| route.fresh && route.kind == RouteKind::Write) {
        // Of the leader's own, `route-none` says it.
        for (server, member) in route.servers.iter().filter(|(server, member)| server.taken_out() && *member != leader) {
            let (proxy, backend, status) = (route.instance, route.backend, &server.status);
            let name = member.unwrap_or(server.name.as_str());
            let sentence = format!("if {name} led, clients of {proxy} could not write: its server in {backend} is in {status}");
            let at = cluster.haproxies.get(proxy).and_then(|seen| seen.at());
            let source = SourceId::new(SourceKind::Haproxy, proxy);
            let evidence = Evidence::new(source, &format!("{backend}/{}", server.name), status.clone(), at);
            found.push(
                Finding::new("server-out", Level::Warning, sentence)
                    .about(format!("{proxy} {backend}/{}", server.name))
                    .naming([("PROXY", proxy), ("BACKEND", backend), ("SERVER", &server.name), ("MEMBER", name)])
                    .because([evidence]),
            );
        }
    }
    found
}
