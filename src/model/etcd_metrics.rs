//! What an etcd member counts (`/metrics`, Prometheus' text format), and what two such readings tell of the time between them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// etcd's quota when its `--quota-backend-bytes` is 0 or not set (etcd's `server/storage/quota.go`).
const DEFAULT_QUOTA: u64 = 2 << 30;

/// One reading of a member's counters; `None`: this version does not have it. What is called total counts from the start of the process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EtcdMetrics {
    /// How long its fsyncs of the write-ahead log took (`etcd_disk_wal_fsync_duration_seconds`).
    pub fsync: Option<Histogram>,
    /// How long its commits of the database took (`etcd_disk_backend_commit_duration_seconds`).
    pub commit: Option<Histogram>,
    /// `etcd_server_quota_backend_bytes` as it stands there: 0 is the default, a negative one no quota at all.
    pub quota: Option<i64>,
    /// Changes of the raft leader that it has seen, total.
    pub leader_changes: Option<u64>,
    /// Proposals that wait to be committed, now.
    pub proposals_pending: Option<u64>,
    /// Proposals that failed, total.
    pub proposals_failed: Option<u64>,
    /// Entries that took it long to apply, total.
    pub slow_applies: Option<u64>,
}

/// Durations, counted by buckets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Histogram {
    /// Upper bounds, seconds, ascending, each with how many lasted at most so long.
    pub buckets: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
}

/// What a histogram tells of a share of the durations: no more than the bounds of a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// It is longer than this for certain.
    pub more_than: Duration,
    /// Between the bounds, as Prometheus' `histogram_quantile` has it.
    pub about: Duration,
}

/// What happened on a member between two readings.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EtcdPace {
    /// fsync of the write-ahead log, 99th percentile; `None`: there was none, or the process was restarted.
    pub fsync: Option<Quantile>,
    /// Commit of the database, 99th percentile.
    pub commit: Option<Quantile>,
    /// Changes of the raft leader.
    pub leader_changes: Option<u64>,
    /// Proposals that failed.
    pub proposals_failed: Option<u64>,
    /// Entries that took it long to apply.
    pub slow_applies: Option<u64>,
}

impl EtcdMetrics {
    /// Reads Prometheus' text format; lines that are not understood, and metrics that are not needed, are passed over.
    pub fn from_text(text: &str) -> Self {
        let mut read = Self::default();
        for line in text.lines() {
            let Some((name, labels, value)) = sample(line) else { continue };
            let total = Some(value as u64);
            match name {
                "etcd_disk_wal_fsync_duration_seconds_bucket" => read.fsync.get_or_insert_default().bucket(labels, value),
                "etcd_disk_wal_fsync_duration_seconds_count" => read.fsync.get_or_insert_default().count = value as u64,
                "etcd_disk_backend_commit_duration_seconds_bucket" => read.commit.get_or_insert_default().bucket(labels, value),
                "etcd_disk_backend_commit_duration_seconds_count" => read.commit.get_or_insert_default().count = value as u64,
                "etcd_server_quota_backend_bytes" => read.quota = Some(value as i64),
                "etcd_server_leader_changes_seen_total" => read.leader_changes = total,
                "etcd_server_proposals_pending" => read.proposals_pending = total,
                "etcd_server_proposals_failed_total" => read.proposals_failed = total,
                "etcd_server_slow_apply_total" => read.slow_applies = total,
                _ => {}
            }
        }
        read
    }

    /// Whether there is nothing of etcd's in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The size, bytes, at which its database is full; `None`: not told, or without a limit.
    pub fn quota_bytes(&self) -> Option<u64> {
        self.quota.and_then(quota_bytes)
    }

    /// Whether it counts less than it did: the process was started anew in between.
    pub fn began_anew(&self, earlier: &Self) -> bool {
        let totals = |read: &Self| {
            let counted = [&read.fsync, &read.commit].map(|histogram| histogram.as_ref().map(|h| h.count));
            [counted[0], counted[1], read.leader_changes, read.proposals_failed, read.slow_applies]
        };
        totals(self).iter().zip(totals(earlier)).any(|(now, then)| now.is_some() && then.is_some() && *now < then)
    }

    /// What happened since `earlier`.
    pub fn since(&self, earlier: &Self) -> EtcdPace {
        let quantile = |now: &Option<Histogram>, then: &Option<Histogram>| now.as_ref()?.since(then.as_ref()?)?.quantile(0.99);
        let grown = |now: Option<u64>, then: Option<u64>| now?.checked_sub(then?);
        EtcdPace {
            fsync: quantile(&self.fsync, &earlier.fsync),
            commit: quantile(&self.commit, &earlier.commit),
            leader_changes: grown(self.leader_changes, earlier.leader_changes),
            proposals_failed: grown(self.proposals_failed, earlier.proposals_failed),
            slow_applies: grown(self.slow_applies, earlier.slow_applies),
        }
    }
}

/// A quota as etcd is configured with it, bytes: 0 is the default, a negative one none.
pub(super) fn quota_bytes(configured: i64) -> Option<u64> {
    match configured {
        0 => Some(DEFAULT_QUOTA),
        n => u64::try_from(n).ok(),
    }
}

impl Histogram {
    fn bucket(&mut self, labels: &str, count: f64) {
        let bound = labels.split(',').find_map(|label| label.trim().strip_prefix("le=\"")?.strip_suffix('"')?.parse::<f64>().ok());
        if let Some(bound) = bound.filter(|bound| bound.is_finite()) {
            self.buckets.push((bound, count as u64));
        }
    }

    /// What was counted since `earlier`; `None` when it counts less than it did: the process was restarted.
    fn since(&self, earlier: &Self) -> Option<Self> {
        let count = self.count.checked_sub(earlier.count)?;
        let grown = |((bound, now), (same, then)): (&(f64, u64), &(f64, u64))| {
            (bound == same).then_some(()).and_then(|()| Some((*bound, now.checked_sub(*then)?)))
        };
        let buckets = self.buckets.iter().zip(&earlier.buckets).map(grown).collect::<Option<Vec<_>>>()?;
        Some(Self { buckets, count })
    }

    /// How long this share of the durations lasted at most; `None` when there were none.
    pub fn quantile(&self, share: f64) -> Option<Quantile> {
        if self.count == 0 {
            return None;
        }
        let rank = share * self.count as f64;
        let (mut bound_below, mut count_below) = (0.0, 0);
        for (bound, count) in &self.buckets {
            if *count as f64 >= rank {
                let part = (rank - count_below as f64) / (*count).saturating_sub(count_below).max(1) as f64;
                let about = bound_below + (bound - bound_below) * part;
                return Some(Quantile { more_than: seconds(bound_below), about: seconds(about) });
            }
            (bound_below, count_below) = (*bound, *count);
        }
        // Longer than the last bound, nobody knows by how much.
        Some(Quantile { more_than: seconds(bound_below), about: seconds(bound_below) })
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// Name, labels and value of a line: `name{le="0.001"} 3`, `name 2.147483648e+09`.
fn sample(line: &str) -> Option<(&str, &str, f64)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (series, value) = match line.split_once('}') {
        Some((series, value)) => (series, value),
        None => line.split_once(' ')?,
    };
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    // A time may follow the value.
    let value = value.split_ascii_whitespace().next()?.parse::<f64>().ok()?;
    value.is_finite().then_some((name, labels, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(buckets: &[(f64, u64)], count: u64) -> Histogram {
        Histogram { buckets: buckets.to_vec(), count }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_etcd_writes() {
        let read = EtcdMetrics::from_text(
            "# HELP etcd_disk_wal_fsync_duration_seconds The latency distributions of fsync called by WAL.\n\
             # TYPE etcd_disk_wal_fsync_duration_seconds histogram\n\
             etcd_disk_wal_fsync_duration_seconds_bucket{le=\"0.001\"} 3\n\
             etcd_disk_wal_fsync_duration_seconds_bucket{le=\"0.002\"} 5\n\
             etcd_disk_wal_fsync_duration_seconds_bucket{le=\"+Inf\"} 6\n\
             etcd_disk_wal_fsync_duration_seconds_sum 0.03\n\
             etcd_disk_wal_fsync_duration_seconds_count 6\n\
             etcd_server_quota_backend_bytes 2.147483648e+09\n\
             etcd_server_slow_apply_total 4 1795489200000\n\
             etcd_server_leader_changes_seen_total NaN\n\
             nonsense{\n\n",
        );
        assert_eq!(read.fsync, Some(histogram(&[(0.001, 3), (0.002, 5)], 6)));
        assert_eq!((read.quota_bytes(), read.slow_applies, read.leader_changes, read.commit), (Some(2 << 30), Some(4), None, None));
        assert!(EtcdMetrics::from_text("<html>404</html>").is_empty());
    }

    #[test]
    fn a_quota_that_is_the_default_and_none() {
        let quota = |configured| EtcdMetrics { quota: configured, ..EtcdMetrics::default() }.quota_bytes();
        assert_eq!([quota(Some(0)), quota(Some(8 << 30)), quota(Some(-1)), quota(None)], [Some(2 << 30), Some(8 << 30), None, None]);
    }

    #[test]
    fn a_percentile_is_of_the_time_between_two_readings() {
        let read = |fsync| EtcdMetrics { fsync: Some(fsync), ..EtcdMetrics::default() };
        // A thousand quick ones in the past, ten slow ones now.
        let before = read(histogram(&[(0.064, 1000), (0.128, 1000), (0.256, 1000)], 1000));
        let after = read(histogram(&[(0.064, 1000), (0.128, 1000), (0.256, 1010)], 1010));
        let fsync = after.since(&before).fsync.expect("it is known");
        assert_eq!(fsync.more_than, ms(128));
        assert!(fsync.about > ms(250) && fsync.about < ms(256), "{fsync:?}");
        assert_eq!(after.since(&after).fsync, None, "there was none");
        assert_eq!(before.since(&after).fsync, None, "it counts less: it was restarted");
        assert_eq!(after.since(&EtcdMetrics::default()).fsync, None);
    }

    #[test]
    fn the_bounds_of_a_percentile() {
        for (buckets, count, more_than, about) in [
            (&[(0.001, 100), (0.002, 100)][..], 100, ms(0), Duration::from_micros(990)),
            (&[(0.001, 0), (0.002, 0)], 7, ms(2), ms(2)),
            (&[(0.001, 50), (0.002, 100)], 100, ms(1), Duration::from_micros(1980)),
        ] {
            let quantile = histogram(buckets, count).quantile(0.99).expect("some");
            assert_eq!((quantile.more_than, quantile.about), (more_than, about), "{buckets:?}");
        }
        assert_eq!(histogram(&[(0.001, 0)], 0).quantile(0.99), None);
    }
}
