//! `source-stale`: somebody who should be heard is not, so that part of the picture is old or missing. One finding for each kind of source.

use super::{Evidence, Finding, listed};
use crate::model::{Cluster, Heard, Level, SourceKind, Time};

pub(super) fn check(cluster: &Cluster, now: Time) -> Vec<Finding> {
    let sources = cluster.sources(now);
    let mut found = Vec::new();
    // What REST's silence means is said by `member-down`, and what etcd members' means by the rules on the quorum.
    for kind in [SourceKind::Dcs, SourceKind::Lease, SourceKind::Sql, SourceKind::Haproxy] {
        let stale: Vec<&Heard<'_>> =
            sources.iter().filter(|h| h.source.kind == kind && h.error.is_some() && silent(h, cluster, now)).collect();
        let Some(first) = stale.first() else { continue };
        let error = first.error.map(ToString::to_string).unwrap_or_default();
        let names: Vec<&str> = stale.iter().map(|h| h.source.target.as_str()).collect();
        let sentence = match kind {
            SourceKind::Dcs if first.age.is_none() => format!("etcd cannot be read: {error}"),
            SourceKind::Dcs => format!("what etcd holds is no longer confirmed: {error}"),
            SourceKind::Lease => format!("the leader's lease cannot be read: {error}"),
            SourceKind::Haproxy => format!("where {} sends clients is not known: {error}", listed(&names)),
            _ => format!("PostgreSQL on {} cannot be asked: {error}", listed(&names)),
        };
        let severity = match kind {
            // What was never read may be quite well: the fault can be in our address, our password, our network.
            SourceKind::Dcs if cluster.dcs.revision.is_none() => Level::Unknown,
            SourceKind::Dcs => Level::Critical,
            _ => Level::Warning,
        };
        let evidence = stale
            .iter()
            .map(|h| Evidence::new(h.source.clone(), "error", h.error.map(ToString::to_string).unwrap_or_default(), h.failing_since));
        found.push(Finding::new("source-stale", severity, sentence).about(kind).because(evidence));
    }
    found
}

/// Whether a failing source has been silent beyond its freshness limit, or never answered. A PostgreSQL whose member is down as a whole,
/// the lease of a leader key that is not there, and keys that a lost quorum withholds, are not missed.
fn silent(heard: &Heard<'_>, cluster: &Cluster, now: Time) -> bool {
    let explained = match heard.source.kind {
        SourceKind::Sql => {
            cluster.members.get(&heard.source.target).is_some_and(|m| !m.present || m.rest_now(now).is_none_or(|r| !r.state.serves()))
        }
        SourceKind::Lease => cluster.dcs.error().is_some() || cluster.holder().is_none(),
        // That nothing can be read without a quorum is said by `quorum-lost`.
        SourceKind::Dcs => cluster.quorum(now).has == Some(false),
        _ => false,
    };
    !heard.fresh() && !explained
}
