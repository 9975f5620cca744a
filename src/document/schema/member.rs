//! What the document says of one member.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Asked;
use crate::document::{ArchiverDoc, CopyDoc, SettingsDoc, SlotDoc, SubscriptionDoc, TransactionDoc};
use crate::model::{Lsn, Role, Time};

/// One member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberDoc {
    /// Patroni's name of it.
    pub name: String,
    /// Host of its PostgreSQL, from the DCS.
    pub host: Option<String>,
    /// Port of its PostgreSQL.
    pub port: Option<u16>,
    /// Address of its REST API.
    pub api_url: Option<String>,
    /// Its role, with the leader key as the judge.
    pub role: Role,
    /// Patroni's state: `running`, `streaming`, `stopped` ... `None`: nobody fresh says.
    pub state: Option<String>,
    /// When its Patroni was first seen to say so, without another state between; it may have begun before. `null` while it streams.
    pub state_since: Option<Time>,
    /// Its timeline.
    pub timeline: Option<u32>,
    /// Whether its key is in the DCS.
    pub present: bool,
    /// When its key went.
    pub missing_since: Option<Time>,
    /// The last thing known of it that is not fresh, for a row that must not be empty: `streaming 14 s ago`.
    pub last_known: Option<String>,
    /// Where the leader writes.
    pub lsn: Option<Lsn>,
    /// Up to where a replica has the WAL, received or restored.
    pub receive_lsn: Option<Lsn>,
    /// What a replica has replayed.
    pub replay_lsn: Option<Lsn>,
    /// Bytes of WAL that it has not received; `None` for the leader and when unknown.
    pub receive_lag_bytes: Option<u64>,
    /// Bytes of WAL that it has not replayed.
    pub replay_lag_bytes: Option<u64>,
    /// Seconds by which its replay is behind (`pg_stat_replication.replay_lag`; 0 when it has replayed everything).
    pub replay_lag_seconds: Option<f64>,
    /// Who said so: `sql` (the leader's `pg_stat_replication`), `sql-lsn`, `rest`.
    pub lag_source: Option<String>,
    /// `streaming`, `catchup`, ... from the leader's `pg_stat_replication`, or Patroni's `replication_state`.
    pub replication_state: Option<String>,
    /// From the leader's `pg_stat_replication`: `async`, `sync`, `quorum`, `potential`.
    pub sync_state: Option<String>,
    /// Whom it really receives from (`pg_stat_wal_receiver`): a member's name, or `host:port`.
    pub upstream: Option<String>,
    /// `pg_is_in_recovery()`.
    pub in_recovery: Option<bool>,
    /// `pg_is_wal_replay_paused()`.
    pub replay_paused: Option<bool>,
    /// Whether it could take over now; `None`: it leads, or not enough is known.
    pub can_take_over: Option<bool>,
    /// Why not, or why that is not known.
    pub cannot_because: Vec<ReasonDoc>,
    /// The three questions that its Patroni asks itself at each loop.
    pub questions: Vec<QuestionDoc>,
    /// When its Patroni last saw etcd, by its own clock (`dcs_last_seen`).
    pub dcs_last_seen: Option<Time>,
    /// Whether its failsafe mode is active: etcd is gone, and the leader goes on.
    pub failsafe_active: Option<bool>,
    /// Whether a watchdog is required and does not work.
    pub watchdog_failed: Option<bool>,
    /// Whether it has seen the maintenance mode.
    pub paused: Option<bool>,
    /// Whether a changed setting waits for a restart.
    pub pending_restart: Option<bool>,
    /// The settings that wait, where Patroni tells (3.3 and later).
    pub pending_restart_reason: Vec<PendingSetting>,
    /// A restart that is scheduled.
    pub scheduled_restart: Option<Time>,
    /// Patroni's tags.
    pub tags: serde_json::Map<String, serde_json::Value>,
    /// Version of Patroni.
    pub patroni_version: Option<String>,
    /// Version of PostgreSQL, `15.18`.
    pub postgres_version: Option<String>,
    /// PostgreSQL's system identifier.
    pub system_identifier: Option<String>,
    /// When its postmaster started.
    pub postmaster_start: Option<Time>,
    /// By how much its host's clock is ahead of ours, milliseconds, negative when it is behind: the middle of what is possible. `null`: nobody
    /// has told it lately.
    pub clock_skew_ms: Option<f64>,
    /// By how much that can be wrong, milliseconds. The clocks may agree while it is not less than the difference; then none is reckoned with.
    pub clock_skew_within_ms: Option<f64>,
    /// Client sessions, ours not counted; `null` also when our user may not see which sessions are clients.
    pub sessions: Option<u32>,
    /// The transaction that has been open for longest, of those that our user may see.
    pub oldest_transaction: Option<TransactionDoc>,
    /// The transaction in which nothing has been done for longest, of those that our user may see.
    pub idle_transaction: Option<TransactionDoc>,
    /// Replication slots on it.
    pub slots: Vec<SlotDoc>,
    /// Subscriptions that it serves.
    pub subscriptions: Vec<SubscriptionDoc>,
    /// The copy from which it is created, while that is made.
    pub copy: Option<CopyDoc>,
    /// Its WAL archiver, when archiving is on.
    pub archiver: Option<ArchiverDoc>,
    /// Settings of its PostgreSQL.
    pub settings: Option<SettingsDoc>,
    /// Its key in the DCS: age of the last confirmation.
    pub dcs: Asked,
    /// Its REST API.
    pub rest: Asked,
    /// Its PostgreSQL.
    pub sql: Asked,
}

/// A setting that waits for a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PendingSetting {
    /// Its name.
    pub parameter: String,
    /// What runs.
    pub old: Option<String>,
    /// What is configured.
    pub new: Option<String>,
}

/// Why a member cannot take over, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReasonDoc {
    /// Its stable code: `lagging`, `nofailover`, `not-sync`.
    pub code: String,
    /// Where Patroni checks it: `request` (when it is asked for), `race` (later, in the HA loop).
    pub stage: String,
    /// A few words: `is 4.2 MB behind (limit 1.0 MB)`.
    pub short: String,
    /// The whole.
    pub sentence: String,
}

/// A question of a member's HA loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuestionDoc {
    /// The question.
    pub question: String,
    /// Yes or no; `None`: nothing current says.
    pub answer: Option<bool>,
    /// Why.
    pub because: String,
}
