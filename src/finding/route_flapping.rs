//! `route-flapping`: a route changes its target again and again.

use super::{Case, Evidence, Explanation, Finding, Rule, spoken};
use crate::model::{Level, RouteKind, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "route-flapping",
        runbook: None,
        fires: "within the limit `route_changes_within` (2 min) an HAProxy has begun to send new sessions to a server of a backend for writes as often \
                as the limit `route_changes` (4 times), whichever server it was, or to one and the same server of a backend for reads. A switchover is one \
                time. HAProxy is asked every 2 s; of what comes and goes in between, once is seen.",
        matters: "With every change sessions are cut, or end on a member that is about to be dropped. Often it is the check and not the member: an API that \
                  answers late, or an answer that changes with the lag.",
        next: &[
            "See in the evidence which servers come and go, and HAProxy's last check of them.",
            "Compare the check's timeout with how long the REST API takes to answer (in the members' list).",
            "For reads: a check with ?lag= near the usual lag comes and goes with it.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, limits, .. } = *case;
    let mut found = Vec::new();
    for route in cluster.routes(now).iter().filter(|r| r.fresh) {
        let returned = |server| cluster.remembered(route, server).map_or(0, |memory| memory.returned(limits.route_changes_within, now));
        let counts: Vec<(&str, usize)> = route.servers.iter().map(|(s, member)| (member.unwrap_or(&s.name), returned(s))).collect();
        let span = spoken(limits.route_changes_within);
        let Some((most, count)) = counts.iter().copied().max_by_key(|(_, count)| *count) else { continue };
        let (times, sentence) = match route.kind {
            RouteKind::Write => {
                let sum = counts.iter().map(|(_, count)| count).sum();
                (sum, format!("{} changed {sum} times within {span} where it sends writes", route.instance))
            }
            RouteKind::Read => {
                (count, format!("{} dropped {most} from its reads and took it back {count} times within {span}", route.instance))
            }
            RouteKind::Other => continue,
        };
        if times < limits.route_changes {
            continue;
        }
        let at = cluster.haproxies.get(route.instance).and_then(|seen| seen.at());
        let evidence = route.servers.iter().zip(&counts).filter(|(_, (_, count))| *count > 0).map(|((server, _), (name, count))| {
            let check = server.check_status.as_deref().unwrap_or("no check");
            let value = format!("came back {count} times, now {}, {check}", server.status);
            Evidence::new(SourceId::new(SourceKind::Haproxy, route.instance), &format!("{} {name}", route.backend), value, at)
        });
        let subject = format!("{} {}", route.instance, route.backend);
        found.push(Finding::new("route-flapping", Level::Warning, sentence).about(subject).because(evidence.collect::<Vec<_>>()));
    }
    found
}
