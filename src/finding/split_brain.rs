//! `split-brain`: two members accept writes at once, or a member's data is not of this cluster. Nothing is worse.

use super::leader_disagreement::evidence;
use super::{Case, Evidence, Explanation, Finding, Rule, listed, spoken};
use crate::model::{Cluster, Level, Member, RouteKind, SourceId, SourceKind, Time, Written, size};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "split-brain",
        runbook: Some("split-brain"),
        fires: "two members are not in recovery at once, by their own PostgreSQL: the one that was first has said so again when the second had \
                begun, so the last word of a leader that hands over does not count. Or a member's system identifier is not the one in etcd.",
        matters: "Both accept writes that the other does not know: the data parts, and when Patroni rejoins the old one, its rows are dropped \
                  by pg_rewind. Data with another system identifier never was this cluster's.",
        next: &[
            "Find out to whom the clients write: the routes say it.",
            "Stop the one without the leader key from accepting writes: its routes first, then its PostgreSQL.",
            "Keep its data directory until somebody has compared what it has written. Never reinitialise it before.",
            "A member with another system identifier: find out where its data directory comes from before anything is done to it.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    two_writers(cluster, now).into_iter().chain(cluster.members.values().filter_map(|m| foreign(cluster, m, now))).collect()
}

fn two_writers(cluster: &Cluster, now: Time) -> Option<Finding> {
    let writers = cluster.writers(now);
    if writers.len() < 2 {
        return None;
    }
    let names: Vec<&str> = writers.iter().map(|m| m.name.as_str()).collect();
    let both = if names.len() == 2 { "both" } else { "all" };
    let seen = cluster.parting.since.map(|since| now.since(since)).filter(|span| span.as_secs() > 0);
    let lasting = seen.map(|span| format!(", for {}", spoken(span))).unwrap_or_default();
    let sentence = format!(
        "{} {both} accept writes{lasting}: their data part ways{}{}",
        listed(&names),
        told(cluster, &writers, now),
        routed(cluster, now)
    );
    let since = cluster.parting.since;
    let seen = writers.iter().filter_map(|m| Some(Evidence::new(sql(m), "accepts writes, seen since", m.writing?.since, since)));
    let written = writers.iter().map(|m| Evidence::sql(m, "written since the data parted", exact(cluster.written(m, now))));
    let said = seen.chain(written).chain(evidence(cluster, now));
    Some(Finding::new("split-brain", Level::Critical, sentence).because(said.collect::<Vec<_>>()))
}

fn sql(member: &Member) -> SourceId {
    SourceId::new(SourceKind::Sql, &member.name)
}

/// What each has written: `; since the fork psg1 has written 1.2 MB, psg2 340 kB`.
fn told(cluster: &Cluster, writers: &[&Member], now: Time) -> String {
    let all: Vec<(&str, Written)> = writers.iter().map(|m| (m.name.as_str(), cluster.written(m, now))).collect();
    let by_history = all.iter().all(|(_, w)| matches!(w, Written::SinceFork { .. }));
    let begin = if by_history { "since the fork" } else { "since that was seen" };
    let mut parts = Vec::new();
    for (name, written) in all {
        let how = match written {
            Written::SinceFork { bytes, .. } if by_history => size(bytes),
            Written::SinceFork { bytes, .. } => format!("{} from the fork on", size(bytes)),
            Written::SinceSeen(bytes) => size(bytes),
            Written::Unknown => "an unknown amount".to_owned(),
        };
        parts.push(if parts.is_empty() { format!("{name} has written {how}") } else { format!("{name} {how}") });
    }
    format!("; {begin} {}", parts.join(", "))
}

fn exact(written: Written) -> String {
    match written {
        Written::SinceFork { bytes, fork } => format!("{bytes} bytes from the fork at {fork} (history)"),
        Written::SinceSeen(bytes) => format!("{bytes} bytes since the second was seen; where they parted is not known"),
        Written::Unknown => "not known".to_owned(),
    }
}

/// To whom clients write: `; new sessions write to psg2`.
fn routed(cluster: &Cluster, now: Time) -> String {
    let routes = cluster.routes(now);
    let mut names: Vec<&str> = Vec::new();
    let mut heard = false;
    for route in routes.iter().filter(|r| r.fresh && r.kind == RouteKind::Write) {
        heard = true;
        names.extend(route.up());
    }
    names.sort_unstable();
    names.dedup();
    if heard { format!("; new sessions write to {}", listed(&names)) } else { String::new() }
}

/// A member whose data is not of this cluster.
fn foreign(cluster: &Cluster, member: &Member, now: Time) -> Option<Finding> {
    let (own, evidence) = match (member.sql_now(now).and_then(|s| s.system_identifier), member.rest_now(now)) {
        (Some(id), _) => (id.to_string(), Evidence::sql(member, "system identifier", id)),
        (None, rest) => {
            let id = rest?.system_identifier.clone()?;
            (id.clone(), Evidence::rest(member, "database_system_identifier", id))
        }
    };
    let keys = &cluster.dcs.keys;
    let shared = keys.initialize.as_deref().filter(|id| !id.is_empty() && cluster.dcs_current(now))?;
    // What was said before the cluster was made anew is of the one that was.
    let old = cluster.initialized_at.is_some_and(|at| evidence.at.is_none_or(|said| said <= at));
    if own == shared || old {
        return None;
    }
    let writes = if member.writable(now) == Some(true) { ", and it accepts writes" } else { "" };
    let sentence = format!("the data of {} is not this cluster's: its system identifier is {own}, not {shared}{writes}", member.name);
    let in_etcd = Evidence::dcs(cluster, "initialize", shared);
    Some(Finding::new("split-brain", Level::Critical, sentence).about(&member.name).because([evidence, in_etcd]))
}
