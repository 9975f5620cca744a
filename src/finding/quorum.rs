//! `quorum-lost`: etcd has no majority. `quorum-at-risk`: one more failure and it has none, though more members are meant to be there.

use super::{Evidence, Finding, listed};
use crate::model::{Cluster, Level, SourceId, SourceKind, Time};

pub(super) fn check(cluster: &Cluster, now: Time) -> Vec<Finding> {
    let quorum = cluster.quorum(now);
    let answering = cluster.etcd_now(now);
    let silent: Vec<String> = silent(cluster, now);
    let evidence = || {
        let said = answering.values().map(|(endpoint, status)| {
            let value = match status.leader_id {
                Some(id) => format!("sees raft leader {id:x}, term {}", status.raft_term),
                None => "sees no raft leader".to_owned(),
            };
            Evidence::new(SourceId::new(SourceKind::Etcd, *endpoint), "status", value, cluster.etcd.get(*endpoint).and_then(|s| s.at()))
        });
        let errors = cluster.etcd.iter().filter_map(|(url, seen)| Evidence::error(SourceKind::Etcd, url, seen));
        said.chain(errors).chain(Evidence::dcs_error(cluster)).collect::<Vec<_>>()
    };
    match (quorum.has, quorum.size) {
        (Some(false), _) => {
            let stays = cluster.config().is_some_and(|c| c.failsafe_mode);
            let then = if stays {
                "in failsafe mode the leader stays as long as it reaches every member"
            } else {
                "the leader steps down within its ttl"
            };
            let sentence = format!("etcd has lost its quorum: {then}");
            vec![Finding::new("quorum-lost", Level::Critical, sentence).because(evidence())]
        }
        (None, _) if all_failed(cluster) => {
            let sentence = "no etcd member answers: nobody can say who leads".to_owned();
            // Etcd that was never heard may be quite well, and only we do not reach it.
            let severity = if cluster.dcs.revision.is_none() { Level::Unknown } else { Level::Critical };
            vec![Finding::new("quorum-lost", severity, sentence).because(evidence())]
        }
        (Some(true), Some(size)) if quorum.tolerance == Some(0) && size > 2 && quorum.healthy < size => {
            let who = if silent.is_empty() { String::new() } else { format!(" ({} does not answer)", listed(&silent)) };
            let sentence = format!("etcd cannot lose another member: {} of {size} are healthy{who}", quorum.healthy);
            vec![Finding::new("quorum-at-risk", Level::Warning, sentence).because(evidence())]
        }
        (Some(true), Some(size)) if quorum.healthy < size && size > 2 => {
            let sentence = format!("{} of {size} etcd members are healthy: {} does not answer", quorum.healthy, listed(&silent));
            vec![Finding::new("etcd-member-down", Level::Warning, sentence).because(evidence())]
        }
        _ => Vec::new(),
    }
}

/// Whether every endpoint was asked and none answers. `false` while one of them has not been heard at all.
fn all_failed(cluster: &Cluster) -> bool {
    !cluster.etcd.is_empty() && cluster.etcd.values().all(|seen| seen.error().is_some())
}

/// The etcd members that do not answer, by name as far as it is known.
fn silent(cluster: &Cluster, now: Time) -> Vec<String> {
    let answering = cluster.etcd_now(now);
    match cluster.etcd_membership.last() {
        Some(known) => {
            let silent = known.members.iter().filter(|m| !m.is_learner && !answering.contains_key(&m.id));
            silent.map(|m| if m.name.is_empty() { format!("{:x}", m.id) } else { m.name.clone() }).collect()
        }
        None => cluster.etcd.iter().filter(|(_, seen)| seen.error().is_some()).map(|(url, _)| url.clone()).collect(),
    }
}
