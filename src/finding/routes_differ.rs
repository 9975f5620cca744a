//! `routes-differ`: two HAProxies send the same clients to different members.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Evidence, Explanation, Finding, Rule, SETTLING, listed, settling};
use crate::model::{Cluster, Level, Route, RouteKind, SourceId, SourceKind, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "routes-differ",
        runbook: Some("route-wrong"),
        fires: "the backends for writes (or for reads) of two HAProxies send new sessions to different members, and have for 12 s, after the last change of \
                leader has settled. One that sends to nobody is not among them: that is `route-none`.",
        matters: "Which member a client reaches depends on the proxy that it happens to use. For writes, one of the two is wrong; for reads, one cannot reach \
                  a member that the other can, or checks something else.",
        next: &[
            "Compare the checks in the evidence; a timeout on one proxy only is the network between it and the member.",
            "Compare the two configurations: the check's path, its port, and the servers' addresses.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    if settling(cluster, now) {
        return Vec::new();
    }
    [RouteKind::Write, RouteKind::Read].into_iter().filter_map(|kind| judge(cluster, kind, now)).collect()
}

fn judge(cluster: &Cluster, kind: RouteKind, now: Time) -> Option<Finding> {
    let routes = cluster.routes(now);
    let mut by_instance: BTreeMap<&str, Vec<&Route<'_>>> = BTreeMap::new();
    for route in routes.iter().filter(|r| r.kind == kind) {
        by_instance.entry(route.instance).or_default().push(route);
    }
    // What one sends to is compared only where all of it is known and has been so for a while.
    by_instance.retain(|_, routes| routes.iter().all(|r| r.fresh && r.known() && !r.up().is_empty()));
    let sets: BTreeMap<&str, BTreeSet<&str>> =
        by_instance.iter().map(|(name, routes)| (*name, routes.iter().flat_map(|r| r.up()).collect())).collect();
    let (first, all) = (sets.values().next()?, sets.values());
    let contested: BTreeSet<&str> = all.flat_map(|set| set.symmetric_difference(first)).copied().collect();
    let lasting = |route: &Route<'_>| {
        let own = route.servers.iter().filter(|(_, member)| member.is_some_and(|m| contested.contains(m)));
        own.map(|(server, _)| cluster.remembered(route, server)).all(|m| m.is_some_and(|m| now.since(m.since) >= SETTLING))
    };
    if contested.is_empty() || !by_instance.values().flatten().all(|route| lasting(route)) {
        return None;
    }
    let told: Vec<String> = sets.iter().map(|(name, set)| format!("{name} to {}", listed(&set.iter().collect::<Vec<_>>()))).collect();
    // With a leader that is known, `route-wrong` says which of them is wrong, and how bad that is.
    let (what, severity) = match kind {
        RouteKind::Write if cluster.leader_now(now).is_none() => ("writes", Level::Critical),
        RouteKind::Write => ("writes", Level::Warning),
        _ => ("reads", Level::Warning),
    };
    let sentence = format!("the HAProxies send {what} to different members: {}", told.join(", "));
    let evidence = by_instance.values().flatten().flat_map(|route| {
        let at = cluster.haproxies.get(route.instance).and_then(|seen| seen.at());
        route.servers.iter().map(move |(server, member)| {
            let check = server.check_status.as_deref().map(|c| format!(" {c}")).unwrap_or_default();
            let what = format!("{} {}", route.backend, member.unwrap_or(&server.name));
            Evidence::new(SourceId::new(SourceKind::Haproxy, route.instance), &what, format!("{}{check}", server.status), at)
        })
    });
    Some(Finding::new("routes-differ", severity, sentence).about(kind).because(evidence.collect::<Vec<_>>()))
}
