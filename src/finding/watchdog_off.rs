//! `watchdog-off`: a watchdog that is required does not work.

use super::{Case, Evidence, Explanation, Finding, Part, Rule};
use crate::model::Level;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "watchdog-off",
        runbook: None,
        fires: "a member's Patroni says watchdog_failed, which it does only with watchdog.mode: required when its device cannot be used. What cannot be seen \
                from outside: whether a watchdog is configured at all, and whether one with mode automatic works. No finding does not mean that there is one.",
        matters: "Patroni does not promote such a member. A leader whose watchdog has failed is not stopped by the kernel when Patroni hangs, and after its \
                  lease has run out two PostgreSQLs may accept writes.",
        next: &[
            "On the node, see that /dev/watchdog exists, that its module is loaded (softdog), and that the user postgres may write to it.",
            "Read Patroni's log: it says why the device could not be opened, or that its timeout does not fit ttl.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let failed = cluster.members.values().filter(|m| m.rest_now(now).is_some_and(|r| r.watchdog_failed));
    failed
        .map(|member| {
            let part = Part::of(cluster, &member.name, now);
            let then = match part {
                Part::Leader => "nothing stops its PostgreSQL if Patroni hangs",
                Part::LastLeader | Part::Follower => "it will not take over",
            };
            let sentence = format!("the watchdog that {} requires does not work: {then}", part.call(&member.name));
            let said = Evidence::rest(member, "watchdog_failed", true);
            Finding::new("watchdog-off", Level::Warning, sentence).about(&member.name).because([said])
        })
        .collect()
}
