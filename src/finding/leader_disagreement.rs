//! `leader-disagreement`: etcd, the REST APIs, SQL and HAProxy do not name the same leader.

use super::{Case, Evidence, Explanation, Finding, Rule, listed, settling};
use crate::model::{Cluster, Level, RouteKind, SourceId, SourceKind, Time};

/// Nothing is worse: each accepts what the other does not know.
pub(super) const SPLIT_BRAIN: Rule = Rule {
    check: two_writers,
    codes: &[Explanation {
        code: "split-brain",
        fires: "two members are not in recovery at once, by their own PostgreSQL.",
        matters: "Both accept writes that the other does not know: the data parts, and when Patroni rejoins the old one, its rows are dropped by pg_rewind.",
        next: &[
            "Find out to whom the clients write: the routes say it.",
            "Stop the one without the leader key from accepting writes: its routes first, then its PostgreSQL.",
            "Keep its data directory until somebody has compared what it has written. Never reinitialise it before.",
        ],
        runbook: Some("split-brain"),
    }],
};

fn two_writers(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let writers = cluster.truths(now).sql.names;
    if writers.len() < 2 {
        return Vec::new();
    }
    let both = if writers.len() == 2 { "both" } else { "all" };
    let sentence = format!("{} {both} accept writes: their data part ways", listed(&writers));
    vec![Finding::new("split-brain", Level::Critical, sentence).because(evidence(cluster, now)).comparing(read(cluster, now))]
}

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "leader-disagreement",
        fires: "the leader key, the REST APIs, SQL and the write routes do not name the same member, longer than a change of leader needs to settle.",
        matters: "Clients may write to somebody who is not the leader, or nobody may write though etcd names a leader.",
        next: &[
            "See in the evidence who says what, and how old that is.",
            "If SQL denies what etcd says: the leader is in recovery or its PostgreSQL is down; look at it first.",
            "If a route denies it: see that HAProxy's checks and its configuration.",
        ],
        runbook: Some("leader-down"),
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let truths = cluster.truths(now);
    // Two writers, and a leader key that is not there, have rules of their own.
    if truths.sql.names.len() > 1 || (cluster.dcs_current(now) && cluster.holder().is_none()) {
        return Vec::new();
    }
    let standby_cluster = cluster.config().is_some_and(|c| c.standby_cluster);
    // The routes follow what the REST APIs say; what only they say is nobody's claim to lead.
    let claims = [(&truths.etcd, "holds the leader key"), (&truths.rest, "leads by REST"), (&truths.sql, "accepts writes")];
    let claim = claims.iter().find_map(|(says, claim)| match says.names.as_slice() {
        [one] => Some((one.as_str(), *claim)),
        _ => None,
    });
    let Some((leader, claim)) = claim else { return Vec::new() };
    let mut against: Vec<String> = Vec::new();
    for (name, says) in truths.all() {
        // What nobody fresh says is not against anything; the routes have rules of their own for leading nowhere.
        if says.answered == 0 || says.names.as_slice() == [leader] || (name == "sql" && standby_cluster) {
            continue;
        }
        match (name, says.names.as_slice()) {
            ("etcd" | "haproxy", []) => {}
            (_, []) if says.silent.iter().any(|s| s == leader) => {}
            ("rest", []) => against.push("no REST API says that it leads".to_owned()),
            ("sql", []) => against.push("no PostgreSQL accepts writes".to_owned()),
            ("haproxy", names) => against.push(format!("{ROUTES} lead to {}", listed(names))),
            ("sql", names) => against.push(format!("by SQL {} accepts writes", listed(names))),
            (_, [one]) => against.push(format!("by REST {one} leads")),
            (_, names) => against.push(format!("by REST {} lead", listed(names))),
        }
    }
    // Routes alone that lead elsewhere have a rule of their own, which names them.
    let routes_only = against.iter().all(|who| who.starts_with(ROUTES)) && cluster.leader_now(now) == Some(leader);
    if against.is_empty() || routes_only {
        return Vec::new();
    }
    let (severity, still) = if settling(cluster, now) { (Level::Warning, "; the change is under way") } else { (Level::Critical, "") };
    let sentence = format!("{leader} {claim}, but {}{still}", against.join(", "));
    vec![Finding::new("leader-disagreement", severity, sentence).because(evidence(cluster, now)).comparing(read(cluster, now))]
}

/// When everything that is compared was said; what etcd pushed, when it changed.
fn read(cluster: &Cluster, now: Time) -> Vec<Option<Time>> {
    let said = evidence(cluster, now).into_iter().filter(|e| e.source.kind != SourceKind::Dcs).map(|e| e.at);
    said.chain([cluster.leader_since]).collect()
}

/// How the routes are called in the sentence.
const ROUTES: &str = "the write routes";

fn evidence(cluster: &Cluster, now: Time) -> Vec<Evidence> {
    let mut evidence = vec![Evidence::dcs(cluster, "leader key", cluster.holder().unwrap_or("absent"))];
    for member in cluster.members.values() {
        evidence.extend(member.rest_now(now).map(|r| Evidence::rest(member, "role", r.role.as_deref().unwrap_or("not given"))));
        evidence.extend(member.sql_now(now).map(|s| Evidence::sql(member, "pg_is_in_recovery()", s.in_recovery)));
    }
    for route in cluster.routes(now).iter().filter(|r| r.fresh && r.kind == RouteKind::Write) {
        let at = cluster.haproxies.get(route.instance).and_then(|seen| seen.at());
        let source = SourceId::new(SourceKind::Haproxy, route.instance);
        evidence.push(Evidence::new(source, &format!("{} sends to", route.backend), listed(&route.up()), at));
    }
    evidence
}
