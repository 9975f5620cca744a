//! How far a replica is behind.

use serde::{Deserialize, Serialize};

use super::{Cluster, Lsn, PostgresStatus, Time};

/// Where the figures come from, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum LagSource {
    /// The leader's `pg_stat_replication`: its position and the replica's, read in one statement.
    Sql,
    /// Positions that the leader's and the replica's PostgreSQL gave each for itself, up to a second apart.
    SqlLsn,
    /// Positions that their REST APIs gave, likewise.
    Rest,
}

/// How far a replica is behind; what is not known is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lag {
    /// Bytes written by the leader that the replica has not received and flushed.
    pub receive: Option<u64>,
    /// Bytes written by the leader that the replica has not replayed.
    pub replay: Option<u64>,
    /// Seconds by which its replay is behind; 0 when it has replayed all, however long ago that was. From [`LagSource::SqlLsn`] at most this
    /// much: the age of the newest commit it has replayed.
    pub seconds: Option<f64>,
    /// Where the figures come from.
    pub source: Option<LagSource>,
}

/// The seconds of a standby that has not replayed all: what it told, and what has gone by since. It replies when it has replayed more, else
/// every `wal_receiver_status_interval` (10 s), and `replay_lag` stands still between two replies (PostgreSQL's manual, `pg_stat_replication`).
/// The time of the reply is by the standby's clock, so it counts for no more than the age of the newest commit there allows. Where the standby itself
/// says nothing, its word is as old as it has been the same.
///
/// `since`: seconds since that reply; `newest`: the age of that commit, seconds; `unheard`: for so many seconds, by our clock, the reply was the
/// last one.
fn grown(told: f64, since: Option<f64>, newest: Option<f64>, unheard: f64) -> f64 {
    newest.map_or(told + unheard, |newest| (told + since.unwrap_or(0.0)).min(newest).max(told))
}

/// The age of the newest commit that a standby has replayed, seconds.
fn newest_replayed(standby: &PostgresStatus) -> Option<f64> {
    standby.server_time.zip(standby.replay_timestamp).map(|(now, then)| now.since(then).as_secs_f64())
}

impl Cluster {
    /// How far `name` is behind the leader at `now`, from current answers only.
    ///
    /// Not from the DCS: what a leader writes there (`status.optime`) stands still when the leader is gone, and then everybody looks caught up.
    pub fn lag(&self, name: &str, now: Time) -> Lag {
        let Some(leader) = self.leader_now(now).and_then(|l| self.members.get(l)) else { return Lag::default() };
        let Some(member) = self.members.get(name).filter(|m| m.name != leader.name) else { return Lag::default() };
        let leader_sql = leader.sql_now(now);
        if let Some(sql) = leader_sql
            && let Some(at) = sql.current_lsn
            && let Some(row) = sql.replication.iter().find(|r| r.application_name == name)
            && let (Some(flushed), Some(replayed)) = (row.flush_lsn, row.replay_lsn)
        {
            let replay = at.bytes_since(replayed);
            let since = sql.server_time.zip(row.reply_time).map(|(now, at)| now.since(at).as_secs_f64());
            let newest = member.sql_now(now).and_then(newest_replayed);
            let unheard = leader.unheard_from(name).unwrap_or_default().as_secs_f64();
            let seconds = if replay == 0 { Some(0.0) } else { row.replay_lag.map(|told| grown(told, since, newest, unheard)) };
            // What it has replayed it has: a receiver begins at a segment's start, behind what was replayed from the archive.
            let held = flushed.max(replayed);
            return Lag { receive: Some(at.bytes_since(held)), replay: Some(replay), seconds, source: Some(LagSource::Sql) };
        }
        let behind = |at: Option<Lsn>, position: Option<Lsn>| Some(at?.bytes_since(position?));
        if let (Some(leader), Some(replica)) = (leader_sql, member.sql_now(now)) {
            let replay = behind(leader.current_lsn, replica.replay_lsn);
            let seconds = if replay == Some(0) { Some(0.0) } else { replay.and(newest_replayed(replica)) };
            if replay.is_some() {
                let receive = behind(leader.current_lsn, replica.wal_held());
                return Lag { receive, replay, seconds, source: Some(LagSource::SqlLsn) };
            }
        }
        if let (Some(leader), Some(replica)) = (leader.rest_now(now), member.rest_now(now)) {
            let (receive, replay) = (behind(leader.location, replica.wal_held()), behind(leader.location, replica.replayed));
            if receive.is_some() || replay.is_some() {
                return Lag { receive, replay, seconds: replay.filter(|r| *r == 0).map(|_| 0.0), source: Some(LagSource::Rest) };
            }
        }
        Lag::default()
    }
}

#[cfg(test)]
mod tests {
    use super::grown;

    #[test]
    fn between_two_replies_the_seconds_go_on() {
        assert_eq!(grown(2.6, Some(4.0), Some(9.0), 4.0), 6.6);
        assert_eq!(grown(2.6, Some(4.0), Some(5.0), 4.0), 5.0, "what was replayed last is not older");
        assert_eq!(grown(2.6, Some(3600.0), Some(1.0), 4.0), 2.6, "a clock that is not as ours takes nothing away");
        assert_eq!(grown(2.6, None, Some(9.0), 4.0), 2.6);
        assert_eq!(grown(2.5, Some(3600.0), None, 4.0), 6.5, "a standby that is cut off is not as it was");
    }
}
