//! What is seen of a leader at the end of its reign: what of it is silent, and what the rest says.

use super::succession::seconds;
use super::{Cluster, EtcdStatus, Member, Observed, Sign, Silence, SourceId, SourceKind, Time};

/// The name of a sign of silence.
pub(super) const SILENT: &str = "silent since then";

/// What is seen of a leader at the end of its reign.
pub(super) fn signs(cluster: &Cluster, leader: &str, now: Time) -> Vec<Sign> {
    let Some(member) = cluster.members.get(leader) else { return Vec::new() };
    let mut signs: Vec<Sign> = [
        silence(SourceKind::Rest, leader, &member.rest),
        silence(SourceKind::Sql, leader, &member.sql),
        etcd_beside(cluster, member).and_then(|(url, seen)| silence(SourceKind::Etcd, url, seen)),
    ]
    .into_iter()
    .flatten()
    .map(|(_, sign)| sign)
    .collect();
    if let Some(rest) = member.rest_now(now).filter(|_| member.rest.error().is_none()) {
        let role = rest.role.as_deref().unwrap_or("not given");
        signs.push(sign(member.rest.at(), SourceKind::Rest, leader, "role and state", format!("{role}, {}", rest.state.0)));
        let seen = rest.dcs_last_seen.map(|seen| sign(member.rest.at(), SourceKind::Rest, leader, "etcd last seen", seen.to_string()));
        signs.extend(seen);
    }
    if let Some(sql) = member.sql_now(now).filter(|_| member.sql.error().is_none()) {
        signs.push(sign(member.sql.at(), SourceKind::Sql, leader, "pg_is_in_recovery()", sql.in_recovery.to_string()));
    }
    signs
}

/// What of the old leader was silent by the time its key was gone, the first one first.
pub(super) fn silences(cluster: &Cluster, leader: &str, signs: &[Sign], at: Time) -> Vec<Silence> {
    let kinds = [SourceKind::Rest, SourceKind::Sql, SourceKind::Etcd];
    let since = |kind: SourceKind| {
        let name = match kind {
            SourceKind::Etcd => {
                let (url, _) = etcd_beside(cluster, cluster.members.get(leader)?)?;
                SourceId::new(kind, url).to_string()
            }
            kind => SourceId::new(kind, leader).to_string(),
        };
        signs.iter().find(|s| s.what == SILENT && s.source == name).and_then(|s| s.at)
    };
    let mut silent: Vec<(Time, SourceKind)> = kinds.into_iter().filter_map(|kind| Some((since(kind)?, kind))).collect();
    silent.sort();
    silent.into_iter().map(|(since, source)| Silence { source, seconds: seconds(at.since(since)) }).collect()
}

/// Since when a source is silent, if it is: a password that is refused, or an answer that is not understood, is no silence.
fn silence<T>(kind: SourceKind, target: &str, seen: &Observed<T>) -> Option<(Time, Sign)> {
    let error = seen.error()?;
    let since = seen.failing_since().filter(|_| error.kind.is_absence())?;
    Some((since, sign(Some(since), kind, target, SILENT, error.message.clone())))
}

/// The etcd endpoint on a member's host, by its URL, if one is asked there.
pub fn etcd_beside<'c>(cluster: &'c Cluster, member: &Member) -> Option<(&'c str, &'c Observed<EtcdStatus>)> {
    let host = member.key.as_ref()?.good()?.host.as_deref()?;
    let on = |url: &str| {
        url.split_once("://").map_or(url, |(_, rest)| rest).rsplit_once(':').is_some_and(|(name, _)| name.trim_matches(['[', ']']) == host)
    };
    cluster.etcd.iter().find(|(url, _)| on(url)).map(|(url, seen)| (url.as_str(), seen))
}

pub(super) fn sign(at: Option<Time>, kind: SourceKind, target: &str, what: &str, value: String) -> Sign {
    Sign { at, source: SourceId::new(kind, target).to_string(), what: what.to_owned(), value }
}
