//! `etcd-db-near-quota`: an etcd member's database is nearly as large as it may be.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{EtcdStatus, Level, SourceId, SourceKind, size};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "etcd-db-near-quota",
        runbook: Some("etcd-space"),
        fires: "the database file of an etcd member is larger than the limit `etcd_db_share` (80 %) of its quota (--quota-backend-bytes, \
                2 GiB when not set). The quota is read from /metrics, with etcd 3.6 from its status; where neither tells it, nothing is found.",
        matters: "At the quota etcd raises the alarm NOSPACE and refuses every write: nobody can take the leader key any more.",
        next: &[
            "See what fills it: Patroni alone needs a few hundred KiB. Other programs on the same etcd, or a history that is never compacted (--auto-compaction-retention), are the usual reasons.",
            "Compact the history (etcdctl compact), then defragment one member after the other, the raft leader last: a member does not answer while it defragments.",
            "Only a file whose content is really in use needs a larger quota.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    case.cluster.etcd_now(case.now).values().filter_map(|(endpoint, status)| judge(case, endpoint, status)).collect()
}

fn judge(case: &Case<'_>, endpoint: &str, status: &EtcdStatus) -> Option<Finding> {
    let Case { cluster, limits, .. } = *case;
    let quota = cluster.etcd_quota(endpoint).filter(|quota| *quota > 0)?;
    let share = status.db_size as f64 / quota as f64;
    if share <= limits.etcd_db_share {
        return None;
    }
    let name = cluster.etcd_name(status.member_id);
    let percent = |share: f64| (share * 100.0).floor() as u64;
    let (file, limit) = (size(status.db_size), size(quota));
    let frees = match status.db_in_use {
        Some(used) if used < status.db_size / 2 => format!("; only {} of it are in use, a defragmentation frees the rest", size(used)),
        _ => String::new(),
    };
    let sentence = format!("the database of the etcd member {name} is at {} % of its quota: {file} of {limit}{frees}", percent(share));
    let at = cluster.etcd.get(endpoint).and_then(|seen| seen.at());
    let source = || SourceId::new(SourceKind::Etcd, endpoint);
    let quota_at = if status.db_quota.is_some() { at } else { cluster.etcd_trends.get(endpoint).and_then(|t| t.metrics.at()) };
    let evidence =
        [Evidence::new(source(), "database, bytes", status.db_size, at), Evidence::new(source(), "quota, bytes", quota, quota_at)];
    let in_use = status.db_in_use.map(|used| Evidence::new(source(), "of that in use, bytes", used, at));
    Some(Finding::new("etcd-db-near-quota", Level::Warning, sentence).about(name).because(evidence).because(in_use))
}
