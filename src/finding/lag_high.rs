//! `lag-high`: a replica is further behind than a failover may lose.

use super::forecast::MAXIMUM_LAG;
use super::{Case, Evidence, Explanation, Finding, Rule, spoken};
use crate::model::{LagSource, Level, SourceId, SourceKind, size};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "lag-high",
        runbook: Some("lag-high"),
        fires: "a replica has not received, or not replayed, more WAL than maximum_lag_on_failover (1 MB unless the dynamic configuration says otherwise); or it has not replayed something for longer than the limit `replay_delay`. The figures come from the positions of the leader and the replica now, not from what the DCS holds.",
        matters: "Not received: Patroni will not promote it, and what it lacks would be lost. Received and not replayed: reads on it are old, and a promotion waits until it has replayed.",
        next: &[
            "See in the pane Lag whether it grows, stands or shrinks.",
            "Not received: look at the network and at the receiver (pg_stat_wal_receiver) on MEMBER, then at its disk.",
            "Not replayed: look for a paused replay (pg_is_wal_replay_paused), for long queries on the replica that conflict, for its disk, for recovery_min_apply_delay, for a startup process that hangs (`ps` shows it in state T or D).",
            "Do not switch over to MEMBER before it has caught up.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, limits, .. } = *case;
    let limit = cluster.config().and_then(|c| c.maximum_lag_on_failover).unwrap_or(MAXIMUM_LAG);
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
            // Little is written, and for long none of it can be seen there.
            (None, None) => match lag.seconds.filter(|s| *s > limits.replay_delay.as_secs_f64() && lag.replay.is_some_and(|b| b > 0)) {
                Some(late) => {
                    format!("{name} replays what was written {late:.0} s ago: reads on it are old (limit {})", spoken(limits.replay_delay))
                }
                None => continue,
            },
        };
        let (from, at) = match source {
            LagSource::Rest => (SourceId::new(SourceKind::Rest, name), member.rest.at()),
            LagSource::SqlLsn => (SourceId::new(SourceKind::Sql, name), member.sql.at()),
            LagSource::Sql => (SourceId::new(SourceKind::Sql, leader), cluster.members.get(leader).and_then(|m| m.sql.at())),
        };
        // The leader's position is a reading of its own, unless the leader gave both.
        let of_leader = cluster.members.get(leader).and_then(|m| if source == LagSource::Rest { m.rest.at() } else { m.sql.at() });
        let bytes = |b: Option<u64>| b.map_or("not known".to_owned(), |b| format!("{b} bytes"));
        found.push(
            Finding::new("lag-high", Level::Warning, sentence)
                .about(name)
                .because([
                    Evidence::new(from.clone(), "receive lag", bytes(lag.receive), at),
                    Evidence::new(from, "replay lag", bytes(lag.replay), at),
                    Evidence::dcs(cluster, "maximum_lag_on_failover", format!("{limit} bytes")),
                ])
                .comparing([at, of_leader]),
        );
    }
    found
}
