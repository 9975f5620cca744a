//! `route-wrong`: a write route leads to somebody else than the leader. `route-none`: a route leads nowhere.

use super::{Case, Evidence, Explanation, Finding, Rule, listed, settling, switchover};
use crate::model::{Level, Route, RouteKind, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[
        Explanation {
            code: "route-wrong",
            runbook: Some("route-wrong"),
            fires: "an HAProxy backend for writes sends new sessions to a member that is not the leader.",
            matters: "Clients get errors (a replica refuses writes), or write to a member that nobody follows.",
            next: &[
                "See the checks of BACKEND on PROXY in the evidence: /primary must answer 200 on the leader only.",
                "Where its admin socket is configured, take the wrong server out at once: pgbaton haproxy CLUSTER PROXY BACKEND SERVER maint. \
                 Give it back to the checks with ready when they are right again.",
                "A proxy with an old configuration or a stuck check is set right by its reload.",
            ],
        },
        Explanation {
            code: "route-none",
            runbook: Some("route-wrong"),
            fires: "an HAProxy backend has no server that takes new sessions. For a write backend it is a warning during a switchover that is known to be within the limit `switchover`.",
            matters: "Clients of this proxy are refused.",
            next: &[
                "See the checks in the evidence: refused, timed out, or answered 503.",
                "If the leader is well and its check fails, its REST API may hang: five open connections block Patroni 4.1.5's.",
            ],
        },
    ],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    case.cluster.routes(case.now).iter().filter(|route| route.fresh).filter_map(|route| judge(case, route)).collect()
}

fn judge(case: &Case<'_>, route: &Route<'_>) -> Option<Finding> {
    let Case { cluster, now, .. } = *case;
    let up = route.up();
    let subject = format!("{} {}", route.instance, route.backend);
    let leader = cluster.leader_now(now);
    let at = cluster.haproxies.get(route.instance).and_then(|seen| seen.at());
    let finding = match route.kind {
        RouteKind::Other => return None,
        RouteKind::Write if up.is_empty() => Finding::new(
            "route-none",
            if switchover::in_time(case).is_some() { Level::Warning } else { Level::Critical },
            format!("clients of {} cannot write: {} has no server", route.instance, route.backend),
        ),
        // A server that is not known to be any member is not known to be a wrong one.
        RouteKind::Write if !route.known() => return None,
        RouteKind::Write => {
            let leader = leader?;
            let wrong: Vec<&str> = up.iter().copied().filter(|name| *name != leader).collect();
            if wrong.is_empty() {
                return None;
            }
            let severity = if settling(cluster, now) { Level::Warning } else { Level::Critical };
            let sentence = if wrong.len() == up.len() {
                format!("{} sends writes to {}, but {leader} leads", route.instance, listed(&wrong))
            } else {
                format!("{} sends some writes to {}, but {leader} leads", route.instance, listed(&wrong))
            };
            let finding = Finding::new("route-wrong", severity, sentence).comparing([at, cluster.leader_since]);
            let servers = route.servers.iter().filter(|(server, member)| server.takes_sessions() && *member != Some(leader));
            servers.fold(finding, |finding, (server, _)| {
                finding.naming([("PROXY", route.instance), ("BACKEND", route.backend), ("SERVER", &server.name)])
            })
        }
        RouteKind::Read if up.is_empty() => Finding::new(
            "route-none",
            Level::Warning,
            format!("clients of {} cannot read: {} has no server", route.instance, route.backend),
        ),
        RouteKind::Read => return None,
    };
    let servers = route.servers.iter().map(|(server, member)| {
        let check = server.check_status.as_deref().map(|c| format!(" {c}")).unwrap_or_default();
        let code = server.check_code.map(|c| format!("/{c}")).unwrap_or_default();
        let name = member.unwrap_or(&server.name);
        let source = SourceId::new(SourceKind::Haproxy, route.instance);
        Evidence::new(source, &format!("{} {name}", route.backend), format!("{}{check}{code}", server.status), at)
    });
    let leader = Evidence::dcs(cluster, "leader key", cluster.holder().unwrap_or("absent"));
    Some(finding.about(subject).because(servers).because([leader]))
}
