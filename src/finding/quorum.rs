//! `quorum-lost`: etcd has no majority. `quorum-at-risk`: one more failure and it has none, though more members are meant to be there.

use std::time::Duration;

use super::silence::Silence;
use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{Cluster, EtcdMember, EtcdStatus, Level, Observed, SourceId, SourceKind, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[
        Explanation {
            code: "quorum-lost",
            runbook: Some("quorum-lost"),
            fires: "the etcd members that answer see no raft leader, or none answers. While a majority of them answers, only after 4 s: an election takes that long.",
            matters: "No leader key can be renewed. The leader steps down within its ttl unless failsafe mode holds it; nobody can take over. What Patroni's /cluster says meanwhile is its cache.",
            next: &[
                "Bring one etcd member back: with one more the majority decides again.",
                "Look at the hosts first (power, network, disk), then at etcd's log.",
                "Do not make a new etcd cluster from one member before you know that the others are lost for good.",
            ],
        },
        Explanation {
            code: "quorum-at-risk",
            runbook: Some("etcd-member-down"),
            fires: "etcd has a majority, and one more member that fails ends it.",
            matters: "The next fault, or the next maintenance, stops the cluster.",
            next: &["Bring the missing etcd member back before any other work.", "Do not restart a node that runs one of the others."],
        },
        Explanation {
            code: "etcd-member-down",
            runbook: Some("etcd-member-down"),
            fires: "an etcd member does not answer or sees no raft leader, and the majority can still lose another one.",
            matters: "The margin is smaller than it was meant to be.",
            next: &["Look at the member: systemctl status etcd, its log, its disk."],
        },
    ],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let quorum = cluster.quorum(now);
    let answering = cluster.etcd_now(now);
    let evidence = || {
        let said = answering.values().map(|(endpoint, status)| {
            let value = match status.leader_id {
                Some(id) => format!("sees raft leader {id:x}, term {}", status.raft_term),
                None => "sees no raft leader".to_owned(),
            };
            Evidence::new(SourceId::new(SourceKind::Etcd, *endpoint), "status", value, cluster.etcd.get(*endpoint).and_then(|s| s.at()))
        });
        let errors = cluster.etcd.iter().filter_map(|(url, seen)| Evidence::error(SourceKind::Etcd, url, seen));
        // One that neither answers nor fails hangs.
        let limit = SourceKind::Etcd.freshness();
        let hanging = cluster.etcd.iter().filter(|(_, seen)| seen.error().is_none() && seen.heard() && seen.fresh(now, limit).is_none());
        let hung = hanging.map(|(url, seen)| {
            let value = format!("nothing was heard for more than {} s", limit.as_secs());
            Evidence::new(SourceId::new(SourceKind::Etcd, url), "status", value, seen.at())
        });
        said.chain(errors).chain(hung).chain(Evidence::dcs_error(cluster)).collect::<Vec<_>>()
    };
    match (quorum.has, quorum.size) {
        (Some(false), Some(size)) if electing(cluster, answering.len(), size, now) => Vec::new(),
        (Some(false), _) => {
            let stays = cluster.config().is_some_and(|c| c.failsafe_mode);
            let then = if stays {
                "in failsafe mode the leader stays as long as it reaches every member"
            } else {
                "the leader steps down within its ttl"
            };
            let down = cluster.holder().filter(|holder| cluster.members.get(*holder).is_some_and(|m| m.writable(now) == Some(false)));
            let nobody = cluster.members.values().filter(|m| m.present).all(|m| m.writable(now) == Some(false));
            let sentence = match down {
                Some(leader) if nobody => format!("etcd has lost its quorum, and nobody accepts writes: {leader} has stepped down"),
                Some(leader) => format!("etcd has lost its quorum: {leader} has stepped down"),
                None => format!("etcd has lost its quorum: {then}"),
            };
            vec![Finding::new("quorum-lost", Level::Critical, sentence).because(evidence())]
        }
        (None, _) if all_failed(cluster) => {
            let sentence = "no etcd member answers: nobody can say who leads".to_owned();
            // Etcd that was never heard may be quite well, and only we do not reach it.
            let severity = if cluster.dcs.revision.is_none() { Level::Unknown } else { Level::Critical };
            vec![Finding::new("quorum-lost", severity, sentence).because(evidence())]
        }
        // Who was not heard yet is not called unhealthy.
        (Some(true), Some(size)) if size > 2 && quorum.healthy + quorum.unheard < size => {
            let who = unhealthy(cluster, now);
            let (code, sentence) = if quorum.healthy + quorum.unheard <= size / 2 + 1 {
                let are = if quorum.healthy == 1 { "is" } else { "are" };
                ("quorum-at-risk", format!("etcd cannot lose another member: {} of {size} {are} healthy, {who}", quorum.healthy))
            } else {
                ("etcd-member-down", format!("{} of {size} etcd members are healthy: {who}", quorum.healthy))
            };
            vec![Finding::new(code, Level::Warning, sentence).because(evidence())]
        }
        _ => Vec::new(),
    }
}

/// Whether a majority answers and etcd confirmed its keys a moment ago: then it elects, which a member that comes back after a cut brings about
/// too (measured: up to 2 s). The headline calls nothing healthy meanwhile.
fn electing(cluster: &Cluster, answering: usize, size: u32, now: Time) -> bool {
    let majority = answering > size as usize / 2;
    majority && cluster.dcs.confirmed_at.is_some_and(|at| now.since(at) < ELECTION)
}

/// How long etcd may be without a raft leader while it elects one.
const ELECTION: Duration = Duration::from_secs(4);

/// Whether every endpoint was asked and none answers. `false` while one of them has not been heard at all, and when one refuses us for a password
/// or a certificate: it is there.
fn all_failed(cluster: &Cluster) -> bool {
    !cluster.etcd.is_empty() && cluster.etcd.values().all(|seen| seen.error().is_some_and(|error| error.kind.is_absence()))
}

/// What is wrong with the voting members that are not healthy: `psg2 does not answer, psg3 sees no raft leader`.
fn unhealthy(cluster: &Cluster, now: Time) -> String {
    let answering = cluster.etcd_now(now);
    let voters = cluster.etcd_membership.last().into_iter().flat_map(|known| &known.members).filter(|m| !m.is_learner);
    let (mut silent, mut alone, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for member in voters {
        let name = if member.name.is_empty() { format!("{:x}", member.id) } else { member.name.clone() };
        match answering.get(&member.id) {
            None => match silence(cluster, member, now) {
                Some(silence) => told.push(format!("{name} {}", silence.told())),
                None => silent.push(name),
            },
            Some((_, status)) if !status.sees_leader() => alone.push(name),
            Some(_) => {}
        }
    }
    let said = |names: &[String], one: &str, many: &str| {
        (!names.is_empty()).then(|| format!("{} {}", listed(names), if names.len() == 1 { one } else { many }))
    };
    let parts = [said(&silent, "does not answer", "do not answer"), said(&alone, "sees no raft leader", "see no raft leader")];
    told.into_iter().chain(parts.into_iter().flatten()).collect::<Vec<_>>().join(", ")
}

/// How a voting member is silent, where that says more than that it is.
fn silence<'c>(cluster: &'c Cluster, voter: &EtcdMember, now: Time) -> Option<Silence<'c>> {
    let is_its = |url: &str, seen: &Observed<EtcdStatus>| {
        voter.client_urls.iter().any(|own| own == url) || seen.last().is_some_and(|status| status.member_id == voter.id)
    };
    let (_, seen) = cluster.etcd.iter().find(|(url, seen)| is_its(url, seen))?;
    Silence::of(seen, now).filter(Silence::says_more)
}
