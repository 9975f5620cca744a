//! The headline: who leads, and how bad it is.

use super::{FindingDoc, Headline};
use crate::model::{Cluster, Level, Time};

pub(super) fn document(cluster: &Cluster, findings: &[FindingDoc], now: Time) -> Headline {
    let leads = leads(cluster, now);
    if let Some(worst) = findings.first() {
        let more = match findings.len() - 1 {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        return Headline { level: worst.severity, leads, verdict: format!("{}{more}", worst.sentence) };
    }
    let sources = cluster.sources(now);
    if let Some(verdict) = unverified(cluster, now) {
        return Headline { level: Level::Unknown, leads, verdict };
    }
    // Nothing is called healthy that was not verified within its freshness limit.
    let unheard = sources.iter().filter(|h| h.pending()).count();
    let stale = sources.iter().filter(|h| !h.pending() && (!h.fresh() || h.error.is_some())).count();
    match (unheard, stale) {
        (0, 0) => Headline { level: Level::Ok, leads, verdict: "healthy".to_owned() },
        (0, stale) => {
            Headline { level: Level::Unknown, leads, verdict: format!("{stale} of {} sources give no current answer", sources.len()) }
        }
        (unheard, _) => {
            Headline { level: Level::Unknown, leads, verdict: format!("{unheard} of {} sources have not answered yet", sources.len()) }
        }
    }
}

fn leads(cluster: &Cluster, now: Time) -> String {
    match (cluster.holder_now(now), cluster.leader_now(now), cluster.holder()) {
        (Some(holder), _, _) => format!("{holder} leads"),
        (None, Some(leader), _) => format!("{leader} leads by its own word"),
        (None, None, _) if cluster.dcs_current(now) => "nobody leads".to_owned(),
        (None, None, Some(last)) => format!("leader unknown, it was {last}"),
        (None, None, None) => "leader unknown".to_owned(),
    }
}

/// What keeps us from any verdict.
fn unverified(cluster: &Cluster, now: Time) -> Option<String> {
    if cluster.dcs.revision.is_none() {
        return Some(match cluster.dcs.error() {
            Some(error) => format!("etcd cannot be read: {error}"),
            None => "asking etcd".to_owned(),
        });
    }
    if !cluster.dcs_current(now) {
        return Some("etcd has confirmed nothing for a while".to_owned());
    }
    let quorum = cluster.quorum(now);
    match quorum.has {
        Some(true) if quorum.size.is_none() => Some("etcd's members are not known yet".to_owned()),
        Some(true) if quorum.unheard > 0 => {
            let size = quorum.size.unwrap_or_default();
            Some(format!("{} of {size} etcd members have not answered yet", quorum.unheard))
        }
        Some(true) => None,
        Some(false) => Some("etcd has no quorum".to_owned()),
        None => Some("etcd's quorum is not known".to_owned()),
    }
}
