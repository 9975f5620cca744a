//! `paused`: maintenance mode. Patroni does not fail over, and a stopped PostgreSQL stays stopped (Patroni's pause.rst).
//! `pause-forgotten`: it has been on for long. `pause-reminder`: whoever ordered it wanted to be reminded by now.

use super::{Case, Evidence, Explanation, Finding, Rule, listed, spoken};
use crate::model::{Level, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[
        Explanation {
            code: "paused",
            runbook: Some("forgotten-pause"),
            fires: "the dynamic configuration has pause: true.",
            matters: "Patroni does not fail over, does not start a PostgreSQL that has stopped, and tolerates a second primary (pause.rst).",
            next: &[
                "Ask who paused it and whether they are done.",
                "pgbaton resume ends it (a u in the console); it waits until every member has seen it. pgbaton runbook run forgotten-pause looks first at what Patroni will do.",
            ],
        },
        Explanation {
            code: "pause-forgotten",
            runbook: Some("forgotten-pause"),
            fires: "the maintenance mode has been seen for longer than the limit `pause` (1 h). It may have begun before pgbaton was opened: \
                    neither Patroni nor etcd tells since when.",
            matters: "A maintenance that was forgotten is an outage in waiting: the next fault of the leader is not answered by anybody.",
            next: &[
                "Ask who paused it; pgbaton audit knows, if it was done from here. If nobody works on the cluster: pgbaton runbook run forgotten-pause.",
            ],
        },
        Explanation {
            code: "pause-reminder",
            runbook: Some("forgotten-pause"),
            fires: "the maintenance mode is on, and the time has passed at which whoever ordered it wanted to be reminded \
                    (pgbaton pause --remind). The reminder is in the audit of the machine on which it was ordered, and is told there only.",
            matters: "Nobody takes over while it is on, and the work it was for should be done by now.",
            next: &[
                "Ask whoever ordered it. If the work is done: pgbaton resume, or pgbaton runbook run forgotten-pause, which looks first at what Patroni will do.",
                "If it is not: the pause can be ended and ordered anew, with another reminder.",
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
    let note = cluster.pause_note();
    let ordered = cluster.pause_ordered(now).map(|told| format!("; {told}")).unwrap_or_default();
    let sentence = format!("paused: there will be no failover{yet}{ordered}");
    let written = note.map(|note| {
        let source = SourceId::new(SourceKind::Audit, &cluster.scope);
        Evidence::new(source, "newest pause ordered from this machine", note.told(now), Some(note.at))
    });
    let seen = cluster.members.values().filter_map(|m| m.rest_now(now).map(|r| Evidence::rest(m, "pause", r.paused)));
    let pause = Evidence::dcs(cluster, "config pause", true);
    let mut found = vec![Finding::new("paused", Level::Warning, sentence).because([pause.clone()]).because(written.clone()).because(seen)];
    if let Some((note, due)) = note.and_then(|note| Some((note, note.remind_at.filter(|due| now >= *due)?))) {
        let late = now.since(due);
        let late = if late.as_secs() > 0 { format!("{} ago", spoken(late)) } else { "now".to_owned() };
        let which = if cluster.pause.begun() { "this pause" } else { "the last pause ordered from here" };
        let sentence = format!("of {which} somebody wanted to be reminded {late}: {}", note.told(now));
        found.push(Finding::new("pause-reminder", Level::Warning, sentence).because([pause.clone()]).because(written));
    }
    if let Some(since) = cluster.pause.since().filter(|at| now.since(*at) > limits.pause) {
        let sentence = format!("the pause has lasted for {} at least: was it forgotten?", spoken(now.since(since)));
        found.push(Finding::new("pause-forgotten", Level::Warning, sentence).because([pause]));
    }
    found
}
