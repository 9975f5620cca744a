//! How an etcd member has done over its newest readings.

use std::time::Duration;

use super::etcd_metrics::quota_bytes;
use super::{Cluster, EtcdAlarm, EtcdMetrics, EtcdPace, EtcdStatus, Observed, Recent, SourceKind, Time};

/// The alarms are asked for each ten seconds, and an answer may take four: two periods and a deadline.
const ALARMS_FRESH: Duration = Duration::from_secs(24);

/// Its counters are read each ten seconds, and an answer may take two: two periods and a deadline.
const METRICS_FRESH: Duration = Duration::from_secs(22);

/// What lies farther apart tells nothing of the present.
const LONGEST_WINDOW: Duration = Duration::from_secs(60);

/// The newest readings of one etcd endpoint. A failure ends the row: what comes after it is another one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EtcdTrend {
    /// How long it took to answer.
    pub round_trip: Recent<Duration>,
    /// Its raft index.
    pub index: Recent<u64>,
    /// By how many entries it was behind the member that is farthest, as far as both were read in this order: the other first.
    pub behind: Recent<u64>,
    /// How many entries it had and had not applied yet.
    pub unapplied: Recent<u64>,
    /// Its counters.
    pub metrics: Observed<EtcdMetrics>,
    /// What they tell of the time between each two readings of them.
    pub pace: Recent<EtcdPace>,
}

impl EtcdTrend {
    /// The row ends.
    pub(super) fn end(&mut self) {
        self.round_trip.clear();
        self.index.clear();
        self.behind.clear();
        self.unapplied.clear();
        self.pace.clear();
    }

    /// What its counters tell of the last seconds; `None` before the second reading, and when there is no current one.
    pub fn pace_now(&self, now: Time) -> Option<&EtcdPace> {
        self.pace.last().filter(|_| self.pace.at().is_some_and(|at| now.since(at) <= METRICS_FRESH))
    }
}

impl Cluster {
    /// Takes in an etcd member's status.
    ///
    /// Members are read some time apart, and the cluster goes on writing in between, so two indices cannot just be subtracted. What another
    /// member had before this one was asked, this one should have by the time it answers: less is a lag for certain.
    pub(super) fn etcd_told(&mut self, endpoint: &str, status: EtcdStatus, at: Time, rtt: Option<Duration>) {
        let asked = at.before(rtt.unwrap_or_default());
        let listed = |id: u64| self.etcd_membership.last().is_none_or(|m| m.members.iter().any(|member| member.id == id));
        let farthest = self
            .etcd
            .iter()
            .filter(|(url, _)| url.as_str() != endpoint)
            .filter(|(_, seen)| {
                seen.fresh(at, SourceKind::Etcd.freshness()).is_some_and(|s| s.member_id != status.member_id && listed(s.member_id))
            })
            .filter_map(|(url, _)| self.etcd_trends.get(url)?.index.until(asked).copied())
            .max();
        let trend = self.etcd_trends.entry(endpoint.to_owned()).or_default();
        if let Some(rtt) = rtt {
            trend.round_trip.push(rtt, at);
        }
        trend.index.push(status.raft_index, at);
        if let Some(farthest) = farthest {
            trend.behind.push(farthest.saturating_sub(status.raft_index), at);
        }
        if status.raft_applied_index > 0 {
            trend.unapplied.push(status.raft_index.saturating_sub(status.raft_applied_index), at);
        }
        self.etcd.entry(endpoint.to_owned()).or_default().record(status, at, rtt);
    }

    /// Takes in an etcd member's counters.
    pub(super) fn etcd_counted(&mut self, endpoint: &str, metrics: EtcdMetrics, at: Time) {
        let trend = self.etcd_trends.entry(endpoint.to_owned()).or_default();
        match trend.metrics.fresh(at, LONGEST_WINDOW) {
            Some(earlier) if !metrics.began_anew(earlier) => trend.pace.push(metrics.since(earlier), at),
            _ => trend.pace.clear(),
        }
        trend.metrics.record(metrics, at, None);
    }

    /// The size, bytes, at which an etcd member's database is full, by its status (etcd 3.6) or its counters; `None`: not told, or no limit.
    pub fn etcd_quota(&self, endpoint: &str) -> Option<u64> {
        let status = self.etcd.get(endpoint).and_then(|seen| seen.last());
        match status.and_then(|s| s.db_quota) {
            Some(configured) => quota_bytes(configured),
            None => self.etcd_trends.get(endpoint)?.metrics.last()?.quota_bytes(),
        }
    }

    /// The alarms of etcd, if a majority told them lately, or a member that complains of nothing did.
    pub fn etcd_alarms_now(&self, now: Time) -> Option<&[EtcdAlarm]> {
        self.etcd_alarms.fresh(now, ALARMS_FRESH).map(Vec::as_slice)
    }

    /// How an etcd member is called: by its name, by its id while it has none.
    pub fn etcd_name(&self, id: u64) -> String {
        let member = self.etcd_membership.last().and_then(|m| m.members.iter().find(|member| member.id == id));
        member.map(|m| m.name.clone()).filter(|name| !name.is_empty()).unwrap_or_else(|| format!("{id:x}"))
    }

    /// Whether an etcd member only learns and has no vote, by its own word or the member list's.
    pub fn etcd_learns(&self, status: &EtcdStatus) -> bool {
        let listed = self.etcd_membership.last().and_then(|m| m.members.iter().find(|member| member.id == status.member_id));
        status.is_learner || listed.is_some_and(|member| member.is_learner)
    }
}
