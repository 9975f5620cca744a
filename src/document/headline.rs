//! The headline: who leads, and how bad it is.

use super::{FindingDoc, Headline};
use crate::model::{Cluster, ErrorKind, Level, Time};

pub(super) fn document(cluster: &Cluster, findings: &[FindingDoc], undecided: bool, now: Time) -> Headline {
    let leads = leads(cluster, now);
    // Without etcd nothing is known of the cluster, so a lesser finding about a part of it is not the verdict on it.
    let unread = cluster.dcs.revision.is_none() && cluster.dcs.error().is_some();
    if let Some(worst) = findings.first().filter(|worst| !unread || worst.severity == Level::Critical) {
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
        (0, 0) if undecided => {
            let verdict = "the sources do not say the same; they are being asked again".to_owned();
            Headline { level: Level::Unknown, leads, verdict }
        }
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
        (Some(holder), _, _) => holds(cluster, holder, now),
        (None, Some(leader), _) if cluster.dcs_current(now) => format!("{leader} leads in failsafe mode"),
        (None, Some(leader), _) => format!("{leader} leads by its own word"),
        (None, None, _) if cluster.dcs_current(now) => "nobody leads".to_owned(),
        (None, None, Some(last)) => format!("leader unknown, it was {last}"),
        (None, None, None) => "leader unknown".to_owned(),
    }
}

/// The key alone does not make a leader: a holder that is silent, or whose PostgreSQL is in recovery, is not called one. Short, for the first
/// line of a narrow screen.
fn holds(cluster: &Cluster, holder: &str, now: Time) -> String {
    let Some(member) = cluster.members.get(holder) else { return format!("{holder} has the key, but is no member") };
    let standby_cluster = cluster.config().is_some_and(|c| c.standby_cluster);
    let promoting = cluster.promoting(now);
    let hangs = [member.rest.error(), member.sql.error()].iter().all(|error| error.is_some_and(|error| error.kind == ErrorKind::Hung));
    match (member.writable(now), member.rest_now(now)) {
        (Some(false), _) if !standby_cluster && promoting => format!("{holder} takes over"),
        (Some(false), _) if !standby_cluster => format!("{holder} has the key, but is in recovery"),
        (None, None) if hangs => format!("{holder} has the key, but hangs"),
        (None, None) if member.rest.error().is_some() => format!("{holder} has the key, but is silent"),
        _ => format!("{holder} leads"),
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
