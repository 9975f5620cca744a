//! From where on something is too much.

use std::time::Duration;

/// The thresholds of the rules. What Patroni itself has a limit for (`maximum_lag_on_failover`, `ttl`) is not among them: the cluster's own
/// value counts there.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// How much WAL a slot may keep, bytes.
    pub slot_retained_bytes: u64,
    /// How long a transaction on the leader may stay open.
    pub long_transaction: Duration,
    /// How long a session on the leader may sit in an open transaction without doing anything.
    pub idle_in_transaction: Duration,
    /// How long a certificate must still be valid.
    pub certificate_left: Duration,
    /// By how much a clock may differ from ours.
    pub clock_skew: Duration,
    /// How long etcd may take for an answer.
    pub etcd_round_trip: Duration,
    /// How long etcd's disk may take for an fsync, at the 99th percentile.
    pub etcd_fsync: Duration,
    /// How full etcd's database may be, as a share of its quota.
    pub etcd_db_share: f64,
    /// By how many entries an etcd member may lie behind the others.
    pub etcd_behind: u64,
    /// How long a pause may last before it counts as forgotten.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            slot_retained_bytes: 1 << 30,
            long_transaction: 30 * MINUTE,
            idle_in_transaction: 5 * MINUTE,
            certificate_left: 21 * 24 * 60 * MINUTE,
            clock_skew: Duration::from_secs(2),
            etcd_round_trip: Duration::from_millis(250),
            etcd_fsync: Duration::from_millis(100),
            etcd_db_share: 0.8,
            etcd_behind: 1000,
            pause: 60 * MINUTE,
        }
    }
}
