//! `paused`: maintenance mode. Patroni does not fail over, and a stopped PostgreSQL stays stopped (Patroni's pause.rst).

use super::{Evidence, Finding, listed};
use crate::model::{Cluster, Level, Time};

pub(super) fn check(cluster: &Cluster, now: Time) -> Vec<Finding> {
    if !cluster.config().is_some_and(|c| c.paused) {
        return Vec::new();
    }
    let unaware: Vec<&str> =
        cluster.members.values().filter(|m| m.rest_now(now).is_some_and(|r| !r.paused)).map(|m| m.name.as_str()).collect();
    let have = if unaware.len() == 1 { "has" } else { "have" };
    let yet = if unaware.is_empty() { String::new() } else { format!(" ({} {have} not seen it yet)", listed(&unaware)) };
    let sentence = format!("paused: there will be no failover{yet}");
    let seen = cluster.members.values().filter_map(|m| m.rest_now(now).map(|r| Evidence::rest(m, "pause", r.paused)));
    vec![Finding::new("paused", Level::Warning, sentence).because([Evidence::dcs(cluster, "config pause", true)]).because(seen)]
}
