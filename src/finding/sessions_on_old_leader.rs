//! `sessions-on-old-leader`: sessions of clients that want to write have stayed where nobody leads any more.

use super::{Case, Evidence, Explanation, Finding, Rule, SETTLING, settling};
use crate::model::{Level, RouteKind, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "sessions-on-old-leader",
        runbook: None,
        fires: "an HAProxy has open sessions (scur) in a backend for writes on a member that does not lead and to which it sends no new ones, 12 s and \
                more after it has stopped doing so and after the last change of leader.",
        matters: "Applications with a pool keep such sessions for hours. Their writes are refused by a replica; an old primary that was not stopped takes them, \
                  and they are lost when it is rejoined.",
        next: &[
            "End them at the proxy: shutdown sessions server BACKEND/SERVER on the admin socket of PROXY; or on MEMBER, with pg_terminate_backend.",
            "Add on-marked-down shutdown-sessions to the servers of that backend, as Patroni's sample haproxy.cfg has it.",
            "If MEMBER still accepts writes, stop that first.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let Some(leader) = cluster.leader_now(now).filter(|_| !settling(cluster, now)) else { return Vec::new() };
    let mut found = Vec::new();
    for route in cluster.routes(now).iter().filter(|r| r.fresh && r.kind == RouteKind::Write) {
        for (server, member) in &route.servers {
            let Some(member) = member.filter(|m| *m != leader) else { continue };
            let Some(sessions) = server.sessions.filter(|n| *n > 0) else { continue };
            let lasting = cluster.remembered(route, server).is_some_and(|memory| !memory.takes && now.since(memory.since) >= SETTLING);
            if !lasting {
                continue;
            }
            let writable = cluster.members.get(member).and_then(|m| m.writable(now));
            let (severity, then) = match writable {
                Some(true) => (Level::Critical, "what they write there is lost"),
                Some(false) => (Level::Warning, "their writes are refused"),
                None => (Level::Warning, "whether it takes their writes is not known"),
            };
            let (are, s) = if sessions == 1 { ("is", "") } else { ("are", "s") };
            let instance = route.instance;
            let sentence = format!("{sessions} session{s} of {instance}'s {are} still on {member}, which does not lead: {then}");
            let source = SourceId::new(SourceKind::Haproxy, instance);
            let at = cluster.haproxies.get(instance).and_then(|seen| seen.at());
            let what = format!("{} {}", route.backend, server.name);
            let evidence = [
                Evidence::new(source, &what, format!("{}, {sessions} open", server.status), at),
                Evidence::dcs(cluster, "leader key", cluster.holder().unwrap_or("absent")),
            ];
            let subject = format!("{instance} {} {}", route.backend, server.name);
            let recovery =
                cluster.members.get(member).and_then(|m| m.sql_now(now).map(|s| Evidence::sql(m, "pg_is_in_recovery()", s.in_recovery)));
            let names = [("PROXY", instance), ("BACKEND", route.backend), ("SERVER", server.name.as_str()), ("MEMBER", member)];
            let finding = Finding::new("sessions-on-old-leader", severity, sentence).about(subject).naming(names);
            found.push(finding.because(evidence).because(recovery));
        }
    }
    found
}
