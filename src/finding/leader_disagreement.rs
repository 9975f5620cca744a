//! `leader-disagreement`: etcd, the REST APIs, SQL and HAProxy do not name the same leader.

use super::{Case, Evidence, Explanation, Finding, Rule, leader_cannot_write, listed, settling};
use crate::model::{Cluster, Level, RouteKind, SourceId, SourceKind, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "leader-disagreement",
        runbook: None,
        fires: "the leader key, the REST APIs, SQL and the write routes do not name the same member, longer than a change of leader needs to settle.",
        matters: "Clients may write to somebody who is not the leader, or nobody may write though etcd names a leader.",
        next: &[
            "See in the evidence who says what, and how old that is.",
            "If SQL denies what etcd says: the leader is in recovery or its PostgreSQL is down; look at it first.",
            "If a route denies it: see that HAProxy's checks and its configuration.",
        ],
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
    // That the holder does not write is told by `leader-cannot-write`; who else leads is told here.
    let told = leader_cannot_write::judge(case).is_some();
    let mut against: Vec<String> = Vec::new();
    let mut dissent: Vec<&str> = Vec::new();
    for (name, says) in truths.all() {
        // What nobody fresh says is not against anything; the routes have rules of their own for leading nowhere.
        if says.answered == 0 || says.names.as_slice() == [leader] || (name == "sql" && standby_cluster) {
            continue;
        }
        let before = against.len();
        match (name, says.names.as_slice()) {
            ("etcd" | "haproxy", []) => {}
            (_, []) if says.silent.iter().any(|s| s == leader) => {}
            ("rest" | "sql", []) if told => {}
            ("rest", []) => against.push("no REST API says that it leads".to_owned()),
            ("sql", []) => against.push("no PostgreSQL accepts writes".to_owned()),
            ("haproxy", names) => against.push(format!("the write routes lead to {}", listed(names))),
            ("sql", names) => against.push(format!("by SQL {} accepts writes", listed(names))),
            (_, [one]) => against.push(format!("by REST {one} leads")),
            (_, names) => against.push(format!("by REST {} lead", listed(names))),
        }
        dissent.extend((against.len() > before).then_some(name));
    }
    // That the routes alone lead elsewhere is told by `route-wrong`, for each of them.
    let routes_only = dissent == ["haproxy"] && cluster.leader_now(now) == Some(leader);
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

/// What each party says of who leads, each with its age.
pub(super) fn evidence(cluster: &Cluster, now: Time) -> Vec<Evidence> {
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
