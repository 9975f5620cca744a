//! `failure-domain`: one host whose loss costs etcd's majority.

use std::collections::BTreeMap;

use url::Url;

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{EtcdMember, Level, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "failure-domain",
        runbook: None,
        fires: "so many of etcd's voting members have their client address on one host that without it there is no majority; and the leader is on that host, or \
                a majority of them is. Three etcd members on three hosts are as it should be, whoever of them leads etcd. Addresses are compared as they stand in \
                etcd's member list and in Patroni's keys; machines that share a hypervisor or a rack are not seen.",
        matters: "The loss of that one host takes the leader and the election of another with it, or makes a leader step down that is quite well. That is what \
                  the cluster was built to survive.",
        next: &[
            "Move etcd members so that no host has more of them than etcd can lose: three on three hosts, five on three to five.",
            "Until then take that host down only after a switchover away from it, and never for longer than needed.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    judge(case).into_iter().collect()
}

fn judge(case: &Case<'_>) -> Option<Finding> {
    let Case { cluster, now, .. } = *case;
    let membership = cluster.etcd_membership.last()?;
    let voters: Vec<&EtcdMember> = membership.members.iter().filter(|m| !m.is_learner).collect();
    let mut hosts: BTreeMap<String, usize> = BTreeMap::new();
    for voter in &voters {
        // One whose host is not known may be anywhere.
        *hosts.entry(host(voter)?).or_default() += 1;
    }
    let size = voters.len();
    let majority = size / 2 + 1;
    let fatal = |count: usize| size - count < majority;
    let leader = cluster.leader_now(now).and_then(|name| cluster.members.get(name));
    let of_leader = leader.and_then(|m| Some((m, m.address()?.0))).and_then(|(m, host)| Some((m, host, *hosts.get(host)?)));
    let (host, count, sentence) = match of_leader.filter(|(_, _, count)| fatal(*count)) {
        Some((leader, host, count)) => {
            let sentence = format!("losing {host} costs the leader {} and etcd's majority at once: nobody could take over", leader.name);
            (host.to_owned(), count, sentence)
        }
        None => {
            let (host, count) = hosts.into_iter().find(|(_, count)| *count >= majority)?;
            let sentence = format!("losing {host} costs etcd's majority ({count} of {size} members): the leader would step down");
            (host, count, sentence)
        }
    };
    let source = SourceId::new(SourceKind::Etcd, &host);
    let known = Evidence::new(source, "voting members there", format!("{count} of {size}"), cluster.etcd_membership.at());
    let address = leader.map(|m| Evidence::dcs(cluster, &format!("members/{} host", m.name), m.address().map_or("not known", |(h, _)| h)));
    Some(Finding::new("failure-domain", Level::Warning, sentence).about(host).because([known]).because(address))
}

/// Where clients reach an etcd member. An address that means "here" to everybody does not tell.
fn host(member: &EtcdMember) -> Option<String> {
    let hosts = member.client_urls.iter().filter_map(|url| Some(Url::parse(url).ok()?.host_str()?.to_owned()));
    let mut told = hosts.filter(|host| !matches!(host.as_str(), "127.0.0.1" | "0.0.0.0" | "localhost" | "[::1]" | "[::]"));
    told.next().map(|host| host.trim_start_matches('[').trim_end_matches(']').to_owned())
}
