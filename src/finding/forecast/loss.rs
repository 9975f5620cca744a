//! What would be lost: the work that the leader has committed and the one who takes over has not received.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Standing, standing};
use crate::model::{Cluster, Lsn, Member, Time, size, spoken};

/// What a replica that streams may lack at any moment, bytes.
const ON_ITS_WAY: u64 = 64 * 1024;

/// What would be lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// Bytes of WAL; `None`: not known.
    pub bytes: Option<u64>,
    /// Seconds of committed work; `None`: not known.
    pub seconds: Option<f64>,
    /// Whether synchronous replication keeps every commit that a client was told of, whatever the bytes say.
    pub acknowledged_kept: bool,
    /// How old the leader's position is, when it was not heard within its freshness limit.
    pub aged: Option<Duration>,
}

impl Loss {
    /// The loss if one of `winners` takes over from `leader`: the worst of them.
    pub(super) fn of(
        cluster: &Cluster,
        leader: Option<&str>,
        winners: &[String],
        standings: &BTreeMap<String, Standing>,
        now: Time,
    ) -> Self {
        let set = standing::active_sync(cluster);
        let acknowledged_kept =
            set.is_some_and(|set| winners.iter().all(|winner| set.iter().any(|name| name.eq_ignore_ascii_case(winner))));
        // Without a leader, it is the last one whose work is at stake.
        let from = leader.or(cluster.last_leader.as_deref()).and_then(|name| cluster.members.get(name));
        let Some(from) = from.filter(|m| !winners.contains(&m.name)) else {
            return Self { bytes: None, seconds: None, acknowledged_kept, aged: None };
        };
        if let Some(sql) = from.sql_now(now)
            && let Some(worst) = worst_by_rows(sql, winners)
        {
            return Self { bytes: Some(worst.0), seconds: worst.1, acknowledged_kept, aged: None };
        }
        let written = last_written(from);
        let behind = |winner: &String| Some(written?.1.bytes_since(standings.get(winner)?.position?));
        let bytes = winners.iter().map(behind).collect::<Option<Vec<u64>>>().and_then(|all| all.into_iter().max());
        let seconds = bytes.filter(|bytes| *bytes == 0).map(|_| 0.0);
        let fresh = from.sql_now(now).is_some() || from.rest_now(now).is_some();
        let aged = written.map(|(at, _)| now.since(at)).filter(|_| !fresh);
        Self { bytes, seconds, acknowledged_kept, aged }
    }

    /// In words: `nothing lost`, `up to 24 kB lost`.
    pub fn told(&self) -> String {
        let seen = self.aged.map(|age| format!(" of what was seen {} ago", spoken(age))).unwrap_or_default();
        match (self.bytes, self.acknowledged_kept) {
            (_, true) => "no acknowledged commit lost".to_owned(),
            (Some(0), false) => format!("nothing lost{seen}"),
            // The exact figure of what is on its way is another at each look, and says no more.
            (Some(bytes), false) if bytes < ON_ITS_WAY => format!("under {} lost{seen}", size(ON_ITS_WAY)),
            (Some(bytes), false) => {
                let seconds = self.seconds.filter(|s| *s >= 1.0).map(|s| format!(", {s:.0} s")).unwrap_or_default();
                format!("up to {}{seconds} lost{seen}", size(bytes))
            }
            (None, false) => "loss not known".to_owned(),
        }
    }
}

/// By the leader's own rows on the winners, which were read in one statement.
fn worst_by_rows(sql: &crate::model::PostgresStatus, winners: &[String]) -> Option<(u64, Option<f64>)> {
    let written = sql.current_lsn?;
    let one = |winner: &String| {
        let row = sql.replication.iter().find(|r| r.application_name == *winner)?;
        let bytes = written.bytes_since(row.flush_lsn?.max(row.replay_lsn?));
        Some((bytes, if bytes == 0 { Some(0.0) } else { row.flush_lag }))
    };
    winners.iter().map(one).collect::<Option<Vec<_>>>()?.into_iter().max_by_key(|(bytes, _)| *bytes)
}

/// The newest position that a leader is known to have written, and when that was said.
fn last_written(member: &Member) -> Option<(Time, Lsn)> {
    let sql = member.sql.at().zip(member.sql.last().and_then(|s| s.current_lsn));
    let rest = member.rest.at().zip(member.rest.last().and_then(|r| r.location));
    sql.into_iter().chain(rest).max_by_key(|(_, lsn)| *lsn)
}
