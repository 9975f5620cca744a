//! `lag-high`: a replica is further behind than a failover may lose.

use super::{Evidence, Finding};
use crate::model::{Cluster, LagSource, Level, SourceId, SourceKind, Time};

/// Patroni's default for `maximum_lag_on_failover`, bytes.
const DEFAULT_LIMIT: u64 = 1_048_576;

pub(super) fn check(cluster: &Cluster, now: Time) -> Vec<Finding> {
    let limit = cluster.config().and_then(|c| c.maximum_lag_on_failover).unwrap_or(DEFAULT_LIMIT);
    let Some(leader) = cluster.leader_now(now) else { return Vec::new() };
    let mut found = Vec::new();
    for member in cluster.members.values() {
        let lag = cluster.lag(&member.name, now);
        let (Some(source), name) = (lag.source, &member.name) else { continue };
        let sentence = match (lag.receive.filter(|b| *b > limit), lag.replay.filter(|b| *b > limit)) {
            (Some(bytes), _) => {
                format!("{name} has not received {}: it cannot take over (limit {})", size(bytes), size(limit))
            }
            (None, Some(bytes)) => {
                let seconds = lag.seconds.map(|s| format!(", {s:.0} s")).unwrap_or_default();
                format!("{name} has not replayed {}{seconds}: reads on it are old and a takeover waits", size(bytes))
            }
            (None, None) => continue,
        };
        let (from, at) = match source {
            LagSource::Rest => (SourceId::new(SourceKind::Rest, name), member.rest.at()),
            LagSource::SqlLsn => (SourceId::new(SourceKind::Sql, name), member.sql.at()),
            LagSource::Sql => (SourceId::new(SourceKind::Sql, leader), cluster.members.get(leader).and_then(|m| m.sql.at())),
        };
        let bytes = |b: Option<u64>| b.map_or("not known".to_owned(), |b| format!("{b} bytes"));
        found.push(Finding::new("lag-high", Level::Warning, sentence).about(name).because([
            Evidence::new(from.clone(), "receive lag", bytes(lag.receive), at),
            Evidence::new(from, "replay lag", bytes(lag.replay), at),
            Evidence::dcs(cluster, "maximum_lag_on_failover", format!("{limit} bytes")),
        ]));
    }
    found
}

/// `24 kB`, `4.2 MB`: powers of 1024, as PostgreSQL's `pg_size_pretty` has them.
fn size(bytes: u64) -> String {
    match bytes {
        0..=10_239 => format!("{bytes} B"),
        10_240..=1_048_575 => format!("{} kB", bytes / 1024),
        1_048_576..=1_073_741_823 => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GB", bytes as f64 / 1_073_741_824.0),
    }
}
