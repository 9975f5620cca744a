//! `etcd-slow`: etcd's members take long to answer, or their disks take long to write.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{EtcdPace, EtcdTrend, Level, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "etcd-slow",
        runbook: None,
        fires: "an etcd member has taken longer than the limit `etcd_round_trip` (250 ms) for its status in three readings in a row (6 s); or \
                the 99th percentile of its fsyncs was longer than the limit `etcd_fsync` (100 ms) for certain in two readings in a row (20 s; \
                etcd counts in buckets, so with 100 ms it is told from 128 ms on).",
        matters: "Every renewal of the leader key waits for an fsync on a majority of the members. When etcd is slower than Patroni's retry_timeout, the leader steps down although nothing else is wrong; when it is slower than etcd's own election timeout (1 s), etcd changes its raft leader again and again.",
        next: &[
            "See in the evidence whether it is the disk (fsync, commit) or only the way there from here (answer).",
            "Disk: see who else writes to it (iostat -x); etcd wants a disk of its own. A backup or a checkpoint of PostgreSQL on the same disk is the usual reason.",
            "Answer only, of all members: measure the network from here (ping); the members among themselves may be fine.",
        ],
    }],
};

/// Statuses in a row, two seconds apart.
const ANSWERS: usize = 3;
/// Readings of the counters in a row, ten seconds apart.
const WINDOWS: usize = 2;

/// A member that is slow.
struct Slow<'a> {
    endpoint: &'a str,
    name: String,
    /// How long its answers take, when that is too long.
    answer: Option<Duration>,
    /// How long its fsyncs take at least, when that is too long.
    fsync: Option<Duration>,
    trend: &'a EtcdTrend,
}

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, limits, now, .. } = *case;
    let answering = cluster.etcd_now(now);
    let mut slow: Vec<Slow<'_>> = Vec::new();
    for (endpoint, status) in answering.values() {
        let Some(trend) = cluster.etcd_trends.get(*endpoint) else { continue };
        let answer = trend.round_trip.held(ANSWERS, |took| *took > limits.etcd_round_trip);
        let too_long = |pace: &EtcdPace| pace.fsync.is_some_and(|f| f.more_than > limits.etcd_fsync);
        let fsync = trend.pace.held(WINDOWS, too_long).filter(|_| trend.pace_now(now).is_some()).and_then(|pace| pace.fsync);
        if answer.is_some() || fsync.is_some() {
            let name = cluster.etcd_name(status.member_id);
            slow.push(Slow { endpoint, name, answer: answer.copied(), fsync: fsync.map(|f| f.more_than), trend });
        }
    }
    let only_far = slow.iter().all(|s| s.fsync.is_none());
    if only_far && slow.len() > 1 && slow.len() == answering.len() {
        let longest = slow.iter().filter_map(|s| s.answer).max().unwrap_or_default();
        let sentence = format!(
            "all etcd members take long to answer, up to {} (limit {}): is the way there from here slow?",
            milliseconds(longest),
            milliseconds(limits.etcd_round_trip)
        );
        return vec![Finding::new("etcd-slow", Level::Warning, sentence).because(slow.iter().flat_map(evidence))];
    }
    slow.iter().map(|s| Finding::new("etcd-slow", Level::Warning, sentence(s, case)).about(&s.name).because(evidence(s))).collect()
}

fn sentence(slow: &Slow<'_>, case: &Case<'_>) -> String {
    let limits = case.limits;
    let name = &slow.name;
    match (slow.fsync, slow.answer) {
        (Some(fsync), _) => {
            let (fsync, limit) = (milliseconds(fsync), milliseconds(limits.etcd_fsync));
            format!("the disk of the etcd member {name} is slow: the 99th percentile of its fsyncs is over {fsync} (limit {limit})")
        }
        (None, answer) => {
            let (answer, limit) = (milliseconds(answer.unwrap_or_default()), milliseconds(limits.etcd_round_trip));
            format!("the etcd member {name} takes {answer} to answer (limit {limit})")
        }
    }
}

fn evidence(slow: &Slow<'_>) -> Vec<Evidence> {
    let source = || SourceId::new(SourceKind::Etcd, slow.endpoint);
    let trend = slow.trend;
    let mut all = Vec::new();
    if let Some(took) = trend.round_trip.last() {
        all.push(Evidence::new(source(), "answer took", milliseconds(*took), trend.round_trip.at()));
    }
    if let Some(pace) = trend.pace.last() {
        let told = [
            ("fsync, 99th percentile", pace.fsync.map(|q| about(q.about))),
            ("commit, 99th percentile", pace.commit.map(|q| about(q.about))),
            ("slow applies", pace.slow_applies.filter(|n| *n > 0).map(|n| n.to_string())),
            ("proposals failed", pace.proposals_failed.filter(|n| *n > 0).map(|n| n.to_string())),
            ("changes of the raft leader", pace.leader_changes.filter(|n| *n > 0).map(|n| n.to_string())),
        ];
        let at = trend.pace.at();
        all.extend(told.into_iter().filter_map(|(what, value)| Some(Evidence::new(source(), what, value?, at))));
    }
    all
}

fn about(span: Duration) -> String {
    format!("about {}", milliseconds(span))
}

fn milliseconds(span: Duration) -> String {
    format!("{} ms", span.as_millis())
}
