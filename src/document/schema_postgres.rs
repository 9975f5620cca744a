//! The document's types of what a member's PostgreSQL tells of itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Lsn, Time};

/// A replication slot (`pg_replication_slots`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SlotDoc {
    /// Its name.
    pub name: String,
    /// `physical` or `logical`.
    pub kind: String,
    /// The database of a logical slot.
    pub database: Option<String>,
    /// The plugin of a logical slot.
    pub plugin: Option<String>,
    /// Whether it ends with the session that made it.
    pub temporary: bool,
    /// Whether somebody is connected to it.
    pub active: bool,
    /// WAL that it keeps from being removed.
    pub retained_bytes: Option<u64>,
    /// By how much that grows, below zero when it shrinks, over the last ten minutes; `null` until it was watched for a minute.
    pub growth_bytes_per_second: Option<f64>,
    /// How far the reader of a logical slot is behind: WAL that it has not confirmed.
    pub unconfirmed_bytes: Option<u64>,
    /// `reserved`, `extended`, `unreserved`, `lost`.
    pub wal_status: Option<String>,
    /// How much WAL may still be written before it can be lost; `null` also when nothing limits it but the disk.
    pub safe_bytes: Option<u64>,
    /// In how many seconds that is, at the present growth.
    pub safe_seconds: Option<f64>,
    /// Why it was lost (PostgreSQL 17 and later).
    pub invalidation_reason: Option<String>,
    /// Whether PostgreSQL itself keeps a copy on standbys (PostgreSQL 17 and later).
    pub failover: bool,
}

/// The copy of another member's data from which a member is created anew (`pg_stat_progress_basebackup`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopyDoc {
    /// The member whose data it is.
    pub from: String,
    /// `waiting for checkpoint to finish`, `streaming database files`, ...
    pub phase: Option<String>,
    /// What was sent of it.
    pub streamed_bytes: Option<u64>,
    /// How large it will be, as it was estimated at the beginning.
    pub total_bytes: Option<u64>,
    /// How much of it was sent; `null` also when the estimate was too low.
    pub percent: Option<u64>,
}

/// A subscription (`pg_stat_subscription`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionDoc {
    /// Its name.
    pub name: String,
    /// Whether its worker runs; one that is disabled has none.
    pub running: bool,
    /// Up to where it has received, a position of the publisher's WAL.
    pub received_lsn: Option<Lsn>,
    /// Time from the newest message's arrival to the reading, both by the subscriber's clock.
    pub last_message_ms: Option<u64>,
    /// How long that message was on its way; wrong by what the two servers' clocks differ, `null` when they say that it came before it was sent.
    pub delay_ms: Option<u64>,
}

/// An open transaction (`pg_stat_activity`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransactionDoc {
    /// Process id of its session.
    pub pid: i32,
    /// Its user.
    pub user: Option<String>,
    /// Its `application_name`.
    pub application: Option<String>,
    /// Its database.
    pub database: Option<String>,
    /// The client's address; `null` also for a local one.
    pub client: Option<String>,
    /// `active`, `idle in transaction`, ...
    pub state: Option<String>,
    /// How long it had been open at the reading.
    pub open_seconds: Option<f64>,
    /// How long the session had been in its state at the reading.
    pub state_seconds: Option<f64>,
    /// By how many transactions it holds vacuum back; `null`: it does not.
    pub holds_back_transactions: Option<u64>,
}

/// Settings that decide what a failover or a crash may lose; what a version does not have is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingsDoc {
    /// `fsync`.
    pub fsync: Option<bool>,
    /// `full_page_writes`.
    pub full_page_writes: Option<bool>,
    /// `wal_log_hints`.
    pub wal_log_hints: Option<bool>,
    /// `data_checksums`.
    pub data_checksums: Option<bool>,
    /// `synchronous_commit`; `null` also when our user has a value of its own.
    pub synchronous_commit: Option<String>,
    /// `synchronous_standby_names`; empty when commits wait for nobody.
    pub synchronous_standby_names: Option<String>,
    /// `wal_keep_size`, before PostgreSQL 13 `wal_keep_segments` in bytes.
    pub wal_keep_bytes: Option<u64>,
    /// `max_slot_wal_keep_size`; -1: no limit.
    pub slot_wal_keep_bytes: Option<i64>,
}

/// The WAL archiver (`pg_stat_archiver`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArchiverDoc {
    /// Segments archived.
    pub archived: u64,
    /// Failed attempts.
    pub failed: u64,
    /// When it last worked.
    pub last_archived: Option<Time>,
    /// When it last failed.
    pub last_failed: Option<Time>,
    /// What it then tried to archive.
    pub last_failed_wal: Option<String>,
    /// Whether it works here and its newest attempt failed.
    pub failing: bool,
    /// How many files wait to be archived; `null` while it does not fail, and when our user may not see it.
    pub waiting: Option<u64>,
}
