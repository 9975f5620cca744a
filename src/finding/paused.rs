//! `paused`: maintenance mode. Patroni does not fail over, and a stopped PostgreSQL stays stopped (Patroni's pause.rst).
//! `pause-forgotten`: it has been on for long.

use super::{Case, Evidence, Explanation, Finding, Rule, listed, spoken};
use crate::model::Level;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[
        Explanation {
            code: "paused",
            fires: "the dynamic configuration has pause: true.",
            matters: "Patroni does not fail over, does not start a PostgreSQL that has stopped, and tolerates a second primary (pause.rst).",
            next: &[
                "Ask who paused it and whether they are done.",
                "pgbaton resume ends it (a u in the console); it waits until every member has seen it. pgbaton runbook run forgotten-pause looks first at what Patroni will do.",
            ],
        },
        Explanation {
            code: "pause-forgotten",
            fires: "the maintenance mode has been seen for longer than the limit `pause` (1 h). It may have begun before pgbaton was opened: \
                    neither Patroni nor etcd tells since when.",
            matters: "A maintenance that was forgotten is an outage in waiting: the next fault of the leader is not answered by anybody.",
            next: &[
                "Ask who paused it; pgbaton audit knows, if it was done from here. If nobody works on the cluster: pgbaton runbook run forgotten-pause.",
            ],
        },
    ],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, limits, .. } = *case;
    if !cluster.config().is_some_and(|c| c.paused) {
        return Vec::new();
    }
    let unaware: Vec<&str> =
        cluster.members.values().filter(|m| m.rest_now(now).is_some_and(|r| !r.paused)).map(|m| m.name.as_str()).collect();
    let have = if unaware.len() == 1 { "has" } else { "have" };
    let yet = if unaware.is_empty() { String::new() } else { format!(" ({} {have} not seen it yet)", listed(&unaware)) };
    let sentence = format!("paused: there will be no failover{yet}");
    let seen = cluster.members.values().filter_map(|m| m.rest_now(now).map(|r| Evidence::rest(m, "pause", r.paused)));
    let pause = Evidence::dcs(cluster, "config pause", true);
    let mut found = vec![Finding::new("paused", Level::Warning, sentence).because([pause.clone()]).because(seen)];
    if let Some(since) = cluster.paused_since.filter(|at| now.since(*at) > limits.pause) {
        let sentence = format!("the pause has lasted for {} at least: was it forgotten?", spoken(now.since(since)));
        found.push(Finding::new("pause-forgotten", Level::Warning, sentence).because([pause]));
    }
    found
}
