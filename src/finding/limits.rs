//! From where on something is too much.

use std::time::Duration;

use crate::model::TASK_TIMEOUT;
use crate::model::quantity::{SIZES, SPANS};

/// The thresholds of the rules. What Patroni itself has a limit for (`maximum_lag_on_failover`, `ttl`) is not among them: the cluster's own
/// value counts there. A field has its line in [`LIMITS`], by which it can be configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// How much WAL a slot may keep, bytes.
    pub slot_retained_bytes: u64,
    /// Below which share of what it can hold a disk is low, if it is below the bytes too.
    pub disk_low_share: f64,
    /// Below how many bytes.
    pub disk_low_bytes: u64,
    /// Below which share that is critical, if it is below the bytes too.
    pub disk_critical_share: f64,
    /// Below how many bytes.
    pub disk_critical_bytes: u64,
    /// Within which time a disk that fills must not be full.
    pub disk_full_within: Duration,
    /// Which share of a disk's inodes must be free.
    pub disk_inodes_share: f64,
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
    /// How long a member may start, stop or fail before it counts as stuck.
    pub stuck: Duration,
    /// How long the data of a member may take to be made.
    pub creating: Duration,
    /// From how many starts of a PostgreSQL on it is a loop.
    pub restarts: usize,
    /// Within which span they count.
    pub restarts_within: Duration,
    /// From how many changes of its target on a route flaps.
    pub route_changes: usize,
    /// Within which span they count.
    pub route_changes_within: Duration,
    /// How long a pause may last before it counts as forgotten.
    pub pause: Duration,
    /// How late a replica may be with replaying what it has received.
    pub replay_delay: Duration,
    /// How long a switchover that was asked for may take until clients can write again.
    pub switchover: Duration,
    /// How long a commit may wait for a synchronous standby.
    pub commit_wait: Duration,
    /// How long a replica may receive nothing of what the leader has written, or a standby be late with its word to the leader.
    pub replication_stall: Duration,
    /// How long Airflow must have nothing to begin, so that a switchover fits in.
    pub quiet_window: Duration,
    /// How long Airflow lets a task be without a heartbeat until it takes it for dead.
    pub task_heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            slot_retained_bytes: 1 << 30,
            // Field practice warns at 10 to 20 % and calls 3 to 5 % critical; the bytes keep a large disk from being called low with room for days.
            disk_low_share: 0.1,
            disk_low_bytes: 100 << 30,
            disk_critical_share: 0.03,
            disk_critical_bytes: 10 << 30,
            disk_full_within: 24 * 60 * MINUTE,
            disk_inodes_share: 0.05,
            long_transaction: 30 * MINUTE,
            idle_in_transaction: 5 * MINUTE,
            certificate_left: 21 * 24 * 60 * MINUTE,
            clock_skew: Duration::from_secs(2),
            etcd_round_trip: Duration::from_millis(250),
            etcd_fsync: Duration::from_millis(100),
            etcd_db_share: 0.8,
            etcd_behind: 1000,
            stuck: MINUTE,
            creating: 30 * MINUTE,
            restarts: 3,
            restarts_within: 10 * MINUTE,
            route_changes: 4,
            route_changes_within: 2 * MINUTE,
            pause: 60 * MINUTE,
            replay_delay: MINUTE,
            // Patroni's REST API waits so long for one with its usual loop_wait (`patroni/api.py`).
            switchover: Duration::from_secs(20),
            commit_wait: Duration::from_secs(3),
            replication_stall: Duration::from_secs(2),
            quiet_window: 2 * MINUTE,
            task_heartbeat: TASK_TIMEOUT,
        }
    }
}

/// One of the limits: its name in pgbaton.toml, what it limits, and which findings depend on it.
#[derive(Debug)]
pub struct Limit {
    /// The key, which is the field's name.
    pub key: &'static str,
    /// What it limits.
    pub what: &'static str,
    /// The codes of the findings that depend on it.
    pub codes: &'static [&'static str],
    /// Its field.
    pub amount: Amount,
    /// The most that it can be: so much is remembered of what it counts, and so long. In the unit of the amount, microseconds for a time.
    pub most: Option<u128>,
}

/// A field of the limits, by what it is an amount of.
#[derive(Debug)]
pub enum Amount {
    /// Bytes.
    Bytes(fn(&mut Limits) -> &mut u64),
    /// A time.
    Span(fn(&mut Limits) -> &mut Duration),
    /// A share, above 0 and up to 1.
    Share(fn(&mut Limits) -> &mut f64),
    /// A number of things.
    Count(fn(&mut Limits) -> &mut u64),
    /// How often something happens.
    Times(fn(&mut Limits) -> &mut usize),
}

/// Every limit, in the order of the fields.
pub const LIMITS: &[Limit] = &[
    Limit {
        key: "slot_retained_bytes",
        what: "how much WAL a slot may keep",
        codes: &["slot-retains-wal"],
        amount: Amount::Bytes(|l| &mut l.slot_retained_bytes),
        most: None,
    },
    Limit {
        key: "disk_low_share",
        what: "below which share of what it can hold a disk is low, if it is below `disk_low_bytes` too",
        codes: &["disk-low", "dags-disk-low"],
        amount: Amount::Share(|l| &mut l.disk_low_share),
        most: None,
    },
    Limit {
        key: "disk_low_bytes",
        what: "below how much room a disk is low, if it is below `disk_low_share` too",
        codes: &["disk-low", "dags-disk-low"],
        amount: Amount::Bytes(|l| &mut l.disk_low_bytes),
        most: None,
    },
    Limit {
        key: "disk_critical_share",
        what: "the same for a disk that is critically low",
        codes: &["disk-low", "dags-disk-low"],
        amount: Amount::Share(|l| &mut l.disk_critical_share),
        most: None,
    },
    Limit {
        key: "disk_critical_bytes",
        what: "the same for a disk that is critically low",
        codes: &["disk-low", "dags-disk-low"],
        amount: Amount::Bytes(|l| &mut l.disk_critical_bytes),
        most: None,
    },
    Limit {
        key: "disk_full_within",
        what: "within which time a disk that fills must not be full",
        codes: &["disk-low"],
        amount: Amount::Span(|l| &mut l.disk_full_within),
        most: None,
    },
    Limit {
        key: "disk_inodes_share",
        what: "which share of a disk's inodes must be free",
        codes: &["disk-inodes-low", "dags-disk-low"],
        amount: Amount::Share(|l| &mut l.disk_inodes_share),
        most: None,
    },
    Limit {
        key: "long_transaction",
        what: "how long a transaction on the leader may stay open",
        codes: &["long-transaction"],
        amount: Amount::Span(|l| &mut l.long_transaction),
        most: None,
    },
    Limit {
        key: "idle_in_transaction",
        what: "how long a session on the leader may sit in an open transaction",
        codes: &["idle-in-transaction"],
        amount: Amount::Span(|l| &mut l.idle_in_transaction),
        most: None,
    },
    Limit {
        key: "certificate_left",
        what: "how long a certificate must still be valid",
        codes: &["certificate-expiring"],
        amount: Amount::Span(|l| &mut l.certificate_left),
        most: None,
    },
    Limit {
        key: "clock_skew",
        what: "by how much a clock may differ from ours",
        codes: &["clock-skew"],
        amount: Amount::Span(|l| &mut l.clock_skew),
        most: None,
    },
    Limit {
        key: "etcd_round_trip",
        what: "how long etcd may take for an answer",
        codes: &["etcd-slow"],
        amount: Amount::Span(|l| &mut l.etcd_round_trip),
        most: None,
    },
    Limit {
        key: "etcd_fsync",
        what: "how long etcd's disk may take for an fsync, at the 99th percentile",
        codes: &["etcd-slow"],
        amount: Amount::Span(|l| &mut l.etcd_fsync),
        most: None,
    },
    Limit {
        key: "etcd_db_share",
        what: "how full etcd's database may be, as a share of its quota",
        codes: &["etcd-db-near-quota"],
        amount: Amount::Share(|l| &mut l.etcd_db_share),
        most: None,
    },
    Limit {
        key: "etcd_behind",
        what: "by how many entries an etcd member may lie behind the others",
        codes: &["etcd-member-behind"],
        amount: Amount::Count(|l| &mut l.etcd_behind),
        most: None,
    },
    Limit {
        key: "stuck",
        what: "how long a member may start, stop or fail",
        codes: &["stuck"],
        amount: Amount::Span(|l| &mut l.stuck),
        most: None,
    },
    Limit {
        key: "creating",
        what: "how long the data of a member may take to be made",
        codes: &["stuck"],
        amount: Amount::Span(|l| &mut l.creating),
        most: None,
    },
    Limit {
        key: "restarts",
        what: "from how many starts of a PostgreSQL on it is a loop",
        codes: &["restart-loop"],
        amount: Amount::Times(|l| &mut l.restarts),
        most: Some(32),
    },
    Limit {
        key: "restarts_within",
        what: "within which time the starts count",
        codes: &["restart-loop"],
        amount: Amount::Span(|l| &mut l.restarts_within),
        most: None,
    },
    Limit {
        key: "route_changes",
        what: "from how many returns of a server on a route flaps",
        codes: &["route-flapping"],
        amount: Amount::Times(|l| &mut l.route_changes),
        most: None,
    },
    Limit {
        key: "route_changes_within",
        what: "within which time the returns count",
        codes: &["route-flapping"],
        amount: Amount::Span(|l| &mut l.route_changes_within),
        most: Some(600_000_000),
    },
    Limit {
        key: "pause",
        what: "how long a pause may last before it counts as forgotten",
        codes: &["pause-forgotten"],
        amount: Amount::Span(|l| &mut l.pause),
        most: None,
    },
    Limit {
        key: "replay_delay",
        what: "how late a replica may be with replaying what it has received",
        codes: &["lag-high"],
        amount: Amount::Span(|l| &mut l.replay_delay),
        most: None,
    },
    Limit {
        key: "switchover",
        what: "how long a switchover that was asked for may take until clients can write again",
        codes: &["switchover", "no-leader", "route-none", "leader-cannot-write", "member-down", "no-candidate"],
        amount: Amount::Span(|l| &mut l.switchover),
        most: None,
    },
    Limit {
        key: "commit_wait",
        what: "how long a commit may wait for a synchronous standby",
        codes: &["commits-hang"],
        amount: Amount::Span(|l| &mut l.commit_wait),
        most: None,
    },
    Limit {
        key: "replication_stall",
        what: "how long a replica may receive nothing of what the leader wrote",
        codes: &["replication-stalled"],
        amount: Amount::Span(|l| &mut l.replication_stall),
        most: None,
    },
    Limit {
        key: "quiet_window",
        what: "how long Airflow must have nothing to begin before a switchover",
        codes: &[],
        amount: Amount::Span(|l| &mut l.quiet_window),
        most: None,
    },
    Limit {
        key: "task_heartbeat",
        what: "how long Airflow lets a task be without a heartbeat before it takes it for dead",
        codes: &["rescue-window"],
        amount: Amount::Span(|l| &mut l.task_heartbeat),
        most: None,
    },
];

impl Limit {
    /// Its value, as pgbaton.toml would have it.
    pub fn told(&self, limits: &Limits) -> String {
        let mut limits = limits.clone();
        match self.amount {
            Amount::Bytes(field) => format!("\"{}\"", in_units(u128::from(*field(&mut limits)), &SIZES)),
            Amount::Span(field) => format!("\"{}\"", in_units(field(&mut limits).as_micros(), &SPANS)),
            Amount::Share(field) => field(&mut limits).to_string(),
            Amount::Count(field) => field(&mut limits).to_string(),
            Amount::Times(field) => field(&mut limits).to_string(),
        }
    }

    /// Whether its value is more than it can be.
    pub fn beyond(&self, limits: &Limits) -> bool {
        let mut limits = limits.clone();
        let amount = match self.amount {
            Amount::Bytes(field) | Amount::Count(field) => u128::from(*field(&mut limits)),
            Amount::Span(field) => field(&mut limits).as_micros(),
            Amount::Times(field) => *field(&mut limits) as u128,
            Amount::Share(_) => return false,
        };
        self.most.is_some_and(|most| amount > most)
    }

    /// The most that it can be, as pgbaton.toml would have it.
    pub fn most_told(&self) -> Option<String> {
        Some(match self.amount {
            Amount::Bytes(_) => in_units(self.most?, &SIZES),
            Amount::Span(_) => in_units(self.most?, &SPANS),
            Amount::Share(_) | Amount::Count(_) | Amount::Times(_) => self.most?.to_string(),
        })
    }

    /// Takes its value over.
    pub fn copy(&self, from: &Limits, to: &mut Limits) {
        let mut from = from.clone();
        match self.amount {
            Amount::Bytes(field) | Amount::Count(field) => *field(to) = *field(&mut from),
            Amount::Span(field) => *field(to) = *field(&mut from),
            Amount::Share(field) => *field(to) = *field(&mut from),
            Amount::Times(field) => *field(to) = *field(&mut from),
        }
    }
}

/// The amount in the largest unit in which it is a whole number.
fn in_units(amount: u128, units: &[(&str, u128)]) -> String {
    let (unit, size) = units.iter().rev().find(|(_, size)| amount >= *size && amount.is_multiple_of(*size)).copied().unwrap_or(units[0]);
    format!("{}{unit}", amount / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_shown_as_it_would_be_written() {
        let told: Vec<String> = LIMITS.iter().map(|l| format!("{} = {}", l.key, l.told(&Limits::default()))).collect();
        assert_eq!(
            told,
            [
                "slot_retained_bytes = \"1GB\"",
                "disk_low_share = 0.1",
                "disk_low_bytes = \"100GB\"",
                "disk_critical_share = 0.03",
                "disk_critical_bytes = \"10GB\"",
                "disk_full_within = \"1d\"",
                "disk_inodes_share = 0.05",
                "long_transaction = \"30min\"",
                "idle_in_transaction = \"5min\"",
                "certificate_left = \"21d\"",
                "clock_skew = \"2s\"",
                "etcd_round_trip = \"250ms\"",
                "etcd_fsync = \"100ms\"",
                "etcd_db_share = 0.8",
                "etcd_behind = 1000",
                "stuck = \"1min\"",
                "creating = \"30min\"",
                "restarts = 3",
                "restarts_within = \"10min\"",
                "route_changes = 4",
                "route_changes_within = \"2min\"",
                "pause = \"1h\"",
                "replay_delay = \"1min\"",
                "switchover = \"20s\"",
                "commit_wait = \"3s\"",
                "replication_stall = \"2s\"",
                "quiet_window = \"2min\"",
                "task_heartbeat = \"5min\"",
            ]
        );
    }

    #[test]
    fn each_field_can_be_configured() {
        let fields = format!("{:?}", Limits::default());
        let fields = fields.trim_start_matches("Limits { ").split(", ").filter_map(|field| field.split_once(": "));
        assert!(
            fields.map(|(name, _)| name).eq(LIMITS.iter().map(|limit| limit.key)),
            "a field has no line in LIMITS, or not in its place"
        );
    }

    #[test]
    fn each_limit_is_its_own_field() {
        for limit in LIMITS {
            let mut other = Limits::default();
            match limit.amount {
                Amount::Bytes(field) | Amount::Count(field) => *field(&mut other) = 7,
                Amount::Span(field) => *field(&mut other) = Duration::from_secs(7),
                Amount::Share(field) => *field(&mut other) = 0.7,
                Amount::Times(field) => *field(&mut other) = 7,
            }
            let changed = LIMITS.iter().filter(|l| l.told(&other) != l.told(&Limits::default())).map(|l| l.key);
            assert_eq!(changed.collect::<Vec<_>>(), [limit.key]);
            let mut copied = Limits::default();
            limit.copy(&other, &mut copied);
            assert_eq!(copied, other);
        }
    }
}
