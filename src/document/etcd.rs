//! The part on etcd.

use super::{EtcdDoc, EtcdMemberDoc, asked, fine_millis, millis};
use crate::model::{Cluster, EtcdStatus, Observed, SourceKind, Time};

pub(super) fn document(cluster: &Cluster, now: Time) -> EtcdDoc {
    let quorum = cluster.quorum(now);
    let mut members: Vec<EtcdMemberDoc> = Vec::new();
    for (endpoint, seen) in &cluster.etcd {
        let member = member(cluster, endpoint, seen, now);
        // One member may be asked under two addresses; the one that answers counts.
        match members.iter_mut().find(|m| m.id.is_some() && m.id == member.id) {
            Some(known) if !known.asked.fresh && member.asked.fresh => *known = member,
            Some(_) => {}
            None => members.push(member),
        }
    }
    let known = cluster.etcd_membership.last().map(|m| m.members.as_slice()).unwrap_or_default();
    for unasked in known {
        let id = format!("{:x}", unasked.id);
        let listed = members.iter().any(|m| m.id.as_deref() == Some(&id) || unasked.client_urls.contains(&m.endpoint));
        if !listed {
            members.push(EtcdMemberDoc {
                name: unasked.name.clone(),
                id: Some(id),
                endpoint: unasked.client_urls.first().cloned().unwrap_or_default(),
                ..blank(asked(&Observed::<EtcdStatus>::default(), SourceKind::Etcd, now))
            });
        }
    }
    members.sort_by(|a, b| (&a.name, &a.endpoint).cmp(&(&b.name, &b.endpoint)));
    let leader = members.iter().find(|m| m.state == "leader").map(|m| m.name.clone());
    EtcdDoc { quorum: quorum.has, size: quorum.size, healthy: quorum.healthy, failure_tolerance: quorum.tolerance, leader, members }
}

fn member(cluster: &Cluster, endpoint: &str, seen: &Observed<EtcdStatus>, now: Time) -> EtcdMemberDoc {
    let membership = cluster.etcd_membership.last();
    let status = seen.last();
    let listed = membership.and_then(|m| {
        let by_id = status.and_then(|s| m.members.iter().find(|member| member.id == s.member_id));
        by_id.or_else(|| m.members.iter().find(|member| member.client_urls.iter().any(|url| url == endpoint)))
    });
    let id = status.map(|s| s.member_id).or(listed.map(|m| m.id));
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let asked = asked(seen, SourceKind::Etcd, now);
    let state = match status {
        _ if seen.error().is_some() => "unreachable",
        None => "unknown",
        Some(_) if !asked.fresh => "unknown",
        Some(s) if cluster.etcd_learns(s) => "learner",
        Some(s) if s.leader_id == Some(s.member_id) => "leader",
        Some(s) if s.leader_id.is_some() => "follower",
        Some(_) => "no leader",
    };
    let alarms = cluster.etcd_alarms.last().into_iter().flatten().filter(|a| Some(a.member_id) == id).map(|a| a.kind.clone());
    let trend = cluster.etcd_trends.get(endpoint);
    let (metrics, pace) = (trend.and_then(|t| t.metrics.last()), trend.and_then(|t| t.pace_now(now)));
    EtcdMemberDoc {
        name: listed.map(|m| m.name.clone()).filter(|n| !n.is_empty()).unwrap_or_else(|| host.to_owned()),
        id: id.map(|id| format!("{id:x}")),
        endpoint: endpoint.to_owned(),
        state: state.to_owned(),
        raft_term: status.map(|s| s.raft_term),
        raft_index: status.map(|s| s.raft_index),
        raft_applied_index: status.map(|s| s.raft_applied_index).filter(|i| *i > 0),
        behind_entries: trend.and_then(|t| t.behind.last().copied()),
        db_size_bytes: status.map(|s| s.db_size),
        db_in_use_bytes: status.and_then(|s| s.db_in_use),
        quota_bytes: cluster.etcd_quota(endpoint),
        fsync_p99_ms: pace.and_then(|p| p.fsync).map(|q| fine_millis(q.about)),
        commit_p99_ms: pace.and_then(|p| p.commit).map(|q| fine_millis(q.about)),
        leader_changes_total: metrics.and_then(|m| m.leader_changes),
        proposals_pending: metrics.and_then(|m| m.proposals_pending),
        proposals_failed_total: metrics.and_then(|m| m.proposals_failed),
        slow_applies_total: metrics.and_then(|m| m.slow_applies),
        metrics_age_ms: trend.and_then(|t| t.metrics.age(now)).map(millis),
        version: status.map(|s| s.version.clone()),
        alarms: alarms.collect(),
        errors: status.map(|s| s.errors.clone()).unwrap_or_default(),
        asked,
    }
}

fn blank(asked: super::Asked) -> EtcdMemberDoc {
    EtcdMemberDoc {
        name: String::new(),
        id: None,
        endpoint: String::new(),
        state: "unknown".to_owned(),
        raft_term: None,
        raft_index: None,
        raft_applied_index: None,
        behind_entries: None,
        db_size_bytes: None,
        db_in_use_bytes: None,
        quota_bytes: None,
        fsync_p99_ms: None,
        commit_p99_ms: None,
        leader_changes_total: None,
        proposals_pending: None,
        proposals_failed_total: None,
        slow_applies_total: None,
        metrics_age_ms: None,
        version: None,
        alarms: Vec::new(),
        errors: Vec::new(),
        asked,
    }
}
