//! What a member's PostgreSQL says of itself.

use serde::{Deserialize, Serialize};

use super::{BaseBackup, Lsn, Time};

/// One reading, made in one statement, so that its figures belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostgresStatus {
    /// `pg_is_in_recovery()`.
    pub in_recovery: bool,
    /// Timeline: of the WAL it writes, or on a standby that it receives or last replayed.
    pub timeline: Option<u32>,
    /// `pg_control_system()`; `None` when our user may not call it.
    pub system_identifier: Option<u64>,
    /// `server_version_num`: 150018.
    pub server_version_num: u32,
    /// `pg_current_wal_lsn()`; `None` in recovery.
    pub current_lsn: Option<Lsn>,
    /// `pg_last_wal_receive_lsn()`. It may lie behind `replay_lsn`; see [`Self::wal_held`].
    pub receive_lsn: Option<Lsn>,
    /// `pg_last_wal_replay_lsn()`.
    pub replay_lsn: Option<Lsn>,
    /// `pg_last_xact_replay_timestamp()`: commit time of the newest transaction replayed.
    pub replay_timestamp: Option<Time>,
    /// `pg_is_wal_replay_paused()`; `None` when not in recovery.
    pub replay_paused: Option<bool>,
    /// `pg_stat_replication`.
    pub replication: Vec<ReplicationRow>,
    /// `pg_stat_wal_receiver`.
    pub receiver: Option<Receiver>,
    /// `pg_replication_slots`.
    pub slots: Vec<Slot>,
    /// `pg_stat_subscription`, of every database; empty in recovery, where no subscription can be served.
    pub subscriptions: Vec<Subscription>,
    /// `pg_stat_progress_basebackup`: the copies of its data that are being made; empty before PostgreSQL 13.
    pub backups: Vec<BaseBackup>,
    /// `pg_stat_archiver`; `None` when `archive_mode` is off.
    pub archiver: Option<Archiver>,
    /// Client backends, ours not counted; `None` when our user may not see which of the others are.
    pub sessions: Option<u32>,
    /// The client's transaction that has been open for longest, of those that our user may see.
    pub oldest_transaction: Option<Transaction>,
    /// The client's transaction in which nothing has been done for longest, of those that our user may see.
    pub idle_transaction: Option<Transaction>,
    /// Commits that wait for a synchronous standby (`wait_event` is `SyncRep`), of those that our user may see; the oldest transactions first,
    /// 20 at most.
    pub commit_waits: Vec<CommitWait>,
    /// How many there are in all; `None` when our user may not see what others wait for.
    pub commits_waiting: Option<u32>,
    /// The settings that decide what a failover or a crash may lose.
    pub settings: ServerSettings,
    /// `pg_postmaster_start_time()`.
    pub postmaster_start: Option<Time>,
    /// Its own clock (`clock_timestamp()`), to be held beside ours.
    pub server_time: Option<Time>,
}

/// A row of `pg_stat_replication`, lags computed by the server in the same statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicationRow {
    /// `application_name`: Patroni sets it to the member's name.
    pub application_name: String,
    /// `client_addr`.
    pub client_addr: Option<String>,
    /// `state`: `streaming`, `catchup`, `startup`, `backup`, `stopping`.
    pub state: Option<String>,
    /// `sync_state`: `async`, `potential`, `sync`, `quorum`.
    pub sync_state: Option<String>,
    /// `write_lsn`.
    pub write_lsn: Option<Lsn>,
    /// `flush_lsn`.
    pub flush_lsn: Option<Lsn>,
    /// `replay_lsn`.
    pub replay_lsn: Option<Lsn>,
    /// `write_lag`, seconds; `None` when idle.
    pub write_lag: Option<f64>,
    /// `flush_lag`, seconds; `None` when idle.
    pub flush_lag: Option<f64>,
    /// `replay_lag`, seconds; `None` when idle.
    pub replay_lag: Option<f64>,
    /// `reply_time`: when the standby last said something, by the standby's clock.
    pub reply_time: Option<Time>,
}

/// The row of `pg_stat_wal_receiver`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receiver {
    /// `status`: `streaming`, `starting`, ...
    pub status: Option<String>,
    /// `sender_host`.
    pub sender_host: Option<String>,
    /// `sender_port`.
    pub sender_port: Option<u16>,
    /// `slot_name`.
    pub slot: Option<String>,
    /// `received_tli`.
    pub timeline: Option<u32>,
}

/// A row of `pg_replication_slots`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// `slot_name`.
    pub name: String,
    /// `slot_type`: `physical` or `logical`.
    pub kind: String,
    /// `database` of a logical slot.
    pub database: Option<String>,
    /// `plugin` of a logical slot.
    pub plugin: Option<String>,
    /// `temporary`: it ends with the session that made it.
    pub temporary: bool,
    /// `active`.
    pub active: bool,
    /// WAL kept for it: the server's position minus `restart_lsn`, bytes.
    pub retained: Option<u64>,
    /// What the reader of a logical slot has not confirmed: the server's position minus `confirmed_flush_lsn`, bytes.
    pub unconfirmed: Option<u64>,
    /// `wal_status` (PostgreSQL 13 and later): `reserved`, `extended`, `unreserved`, `lost`.
    pub wal_status: Option<String>,
    /// `safe_wal_size` (PostgreSQL 13 and later): how much WAL may still be written before the slot can be lost, bytes; `None` also when
    /// `max_slot_wal_keep_size` sets no limit.
    pub safe: Option<u64>,
    /// `invalidation_reason` (PostgreSQL 17 and later): `wal_removed`, `rows_removed`, `wal_level_insufficient`, `idle_timeout`.
    pub invalidation: Option<String>,
    /// `failover` (PostgreSQL 17 and later): PostgreSQL itself keeps a copy of it on the standbys that synchronise slots.
    pub failover: bool,
}

/// A subscription, by its main worker's row of `pg_stat_subscription`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// `subname`.
    pub name: String,
    /// Whether its worker runs (`pid`). One that is disabled has none either.
    pub running: bool,
    /// `received_lsn`: a position of the publisher's WAL.
    pub received: Option<Lsn>,
    /// `last_msg_send_time`, by the publisher's clock.
    pub sent: Option<Time>,
    /// `last_msg_receipt_time`, by this server's clock.
    pub heard: Option<Time>,
}

/// The row of `pg_stat_archiver`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archiver {
    /// `archived_count`.
    pub archived: u64,
    /// `failed_count`.
    pub failed: u64,
    /// `last_archived_time`.
    pub last_archived: Option<Time>,
    /// `last_failed_time`.
    pub last_failed: Option<Time>,
    /// `last_failed_wal`.
    pub last_failed_wal: Option<String>,
    /// How many segments and other files wait to be archived (`pg_ls_archive_statusdir()`, those that end in `.ready`). Counted only while the
    /// archiver fails, by a user with `pg_monitor`.
    pub waiting: Option<u64>,
    /// Whether it archives in recovery as well (`archive_mode` is `always`).
    pub always: bool,
}

impl Archiver {
    /// Whether its newest attempt failed.
    pub fn failing(&self) -> bool {
        self.last_failed > self.last_archived
    }
}

/// Settings of the server; `None`: this version has no such setting, or what our session has says nothing of the others'.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServerSettings {
    /// `fsync`.
    pub fsync: Option<bool>,
    /// `full_page_writes`.
    pub full_page_writes: Option<bool>,
    /// `wal_log_hints`.
    pub wal_log_hints: Option<bool>,
    /// `data_checksums`.
    pub data_checksums: Option<bool>,
    /// `synchronous_commit`, as the server has it for everybody.
    pub synchronous_commit: Option<String>,
    /// `synchronous_standby_names`; empty when commits wait for nobody.
    pub synchronous_standby_names: Option<String>,
    /// `wal_keep_size`, before PostgreSQL 13 `wal_keep_segments`, bytes.
    pub wal_keep: Option<u64>,
    /// `max_slot_wal_keep_size` (PostgreSQL 13 and later), bytes; -1: no limit.
    pub slot_wal_keep: Option<i64>,
    /// `wal_receiver_status_interval`: how often a standby says to its sender how far it is at least, seconds; 0: only when asked.
    pub status_interval: Option<u32>,
}

/// A commit that waits for a synchronous standby, by a row of `pg_stat_activity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommitWait {
    /// `pid` of its session.
    pub pid: i32,
    /// `backend_xid`: its transaction, which is not over until the standby has confirmed it.
    pub xid: u32,
}

/// An open transaction, by a row of `pg_stat_activity`. What it does is not read: a statement may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// `pid` of its session.
    pub pid: i32,
    /// `usename`.
    pub user: Option<String>,
    /// `application_name`.
    pub application: Option<String>,
    /// `datname`.
    pub database: Option<String>,
    /// `client_addr`.
    pub client: Option<String>,
    /// `state`: `active`, `idle in transaction`, `idle in transaction (aborted)`, ...
    pub state: Option<String>,
    /// `xact_start`: when it began, by the server's clock.
    pub started: Option<Time>,
    /// `state_change`: since when the session has been in its state.
    pub state_since: Option<Time>,
    /// By how many transactions it holds vacuum back: the age of `backend_xmin` or `backend_xid`; `None`: it does not.
    pub holds_back: Option<u64>,
}

impl PostgresStatus {
    /// Up to where a standby has the WAL. A receiver starts at the beginning of a segment, which may lie behind what was replayed before, and
    /// without a receiver WAL comes from the archive: what was replayed is there in any case.
    pub fn wal_held(&self) -> Option<Lsn> {
        self.receive_lsn.max(self.replay_lsn)
    }

    /// Whether its archiver works: that of a standby does so in one mode only, and else keeps the figures of the time when it was a primary.
    pub fn archives(&self) -> bool {
        self.archiver.as_ref().is_some_and(|a| a.always || !self.in_recovery)
    }

    /// The version as people write it: `15.18`, `9.6.24`.
    pub fn version(&self) -> String {
        version_text(self.server_version_num)
    }
}

/// PostgreSQL's `server_version_num` as people write it (manual, "Version and Platform Compatibility").
pub fn version_text(num: u32) -> String {
    if num >= 100_000 {
        format!("{}.{}", num / 10_000, num % 10_000)
    } else {
        format!("{}.{}.{}", num / 10_000, num / 100 % 100, num % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::version_text;

    #[test]
    fn versions_read_as_people_write_them() {
        assert_eq!(version_text(150_018), "15.18");
        assert_eq!(version_text(90_624), "9.6.24");
    }
}
