//! `etcd-alarm`: etcd itself has raised an alarm. While one is raised it refuses every write (etcd's maintenance guide, "Space quota"; an alarm
//! CORRUPT likewise).

use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{Cluster, EtcdAlarm, Level, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "etcd-alarm",
        runbook: Some("etcd-space"),
        fires: "etcd's list of alarms names NOSPACE (a member's database has reached its quota) or CORRUPT (a member's data differs from the others').",
        matters: "etcd refuses writes on all members until the alarm is disarmed, even when there is space again. The leader can go on renewing its lease, but nobody can take the leader key: the next fault of the leader is an outage. Switchovers and changes of the configuration fail too.",
        next: &[
            "NOSPACE: compact the history, defragment one member after the other (the raft leader last), then etcdctl alarm disarm. Find out what has filled it before that: Patroni alone needs a few hundred KiB.",
            "CORRUPT: take the member that is named out of the cluster, delete its data, and add it anew; disarm the alarm only when the others agree with each other.",
            "Afterwards see that etcdctl alarm list is empty and that a put works.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let alarms = cluster.etcd_alarms_now(now).unwrap_or_default();
    let mut kinds: Vec<&str> = alarms.iter().map(|a| a.kind.as_str()).filter(|kind| *kind != "NONE").collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().map(|kind| finding(cluster, kind, alarms)).collect()
}

fn finding(cluster: &Cluster, kind: &str, alarms: &[EtcdAlarm]) -> Finding {
    let raised: Vec<&EtcdAlarm> = alarms.iter().filter(|a| a.kind == kind).collect();
    let mut names: Vec<String> = raised.iter().map(|a| cluster.etcd_name(a.member_id)).collect();
    names.sort_unstable();
    let who = listed(&names);
    let sentence = match kind {
        "NOSPACE" => format!("etcd is full (alarm NOSPACE of {who}): it takes no writes, so nobody can take over"),
        "CORRUPT" => format!("etcd has found its data on {who} corrupt (alarm CORRUPT): it takes no writes, so nobody can take over"),
        other => format!("etcd has raised the alarm {other} on {who}"),
    };
    let at = cluster.etcd_alarms.at();
    let evidence = raised.iter().map(|alarm| {
        let endpoint = cluster.etcd.iter().find(|(_, seen)| seen.last().is_some_and(|s| s.member_id == alarm.member_id));
        let target = endpoint.map_or_else(|| cluster.etcd_name(alarm.member_id), |(url, _)| url.clone());
        Evidence::new(SourceId::new(SourceKind::Etcd, target), "alarm", kind, at)
    });
    Finding::new("etcd-alarm", Level::Critical, sentence).about(kind).because(evidence)
}
