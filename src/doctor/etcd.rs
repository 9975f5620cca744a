//! `etcd-quorum`, `failure-domain`, `etcd-space`, `etcd-election`: what etcd can lose, and what is lost together.

use std::time::Duration;

use super::judged::{Judged, Severity, unless};
use super::{Case, Judgement};
use crate::finding::Evidence;
use crate::model::{SourceId, SourceKind};

pub(super) const QUORUM: Judgement = Judgement {
    code: "etcd-quorum",
    why: "Nobody can take over without etcd's majority. Two members lose it with either of them, and four with as many as three do.",
    cites: &["quorum-lost", "quorum-at-risk", "etcd-member-down", "etcd-member-behind"],
    judge: quorum,
};

pub(super) const DOMAIN: Judgement = Judgement {
    code: "failure-domain",
    why: "What stands on one host is lost at once: a leader together with etcd's majority leaves nobody to choose another, and a leader together with an \
          HAProxy leaves its clients without a way to the new one.",
    cites: &["failure-domain"],
    judge: domain,
};

pub(super) const SPACE: Judgement = Judgement {
    code: "etcd-space",
    why: "At its quota etcd refuses every write: the leader cannot renew its key, and nobody can take it.",
    cites: &["etcd-db-near-quota", "etcd-alarm"],
    judge: space,
};

pub(super) const ELECTION: Judgement = Judgement {
    code: "etcd-election",
    why: "While etcd chooses a leader of its own it takes no write. That must be over well within Patroni's retry_timeout, or every such choice is a \
          failover of PostgreSQL as well.",
    cites: &["etcd-slow"],
    judge: election,
};

fn quorum(case: &Case<'_>) -> Vec<Judged> {
    let found = case.cite(QUORUM.cites);
    let quorum = case.cluster.quorum(case.now);
    let at = case.cluster.etcd_membership.at();
    let told = |what: &str, value: String| Evidence::new(SourceId::new(SourceKind::Etcd, &case.cluster.scope), what, value, at);
    let (Some(size), Some(_)) = (quorum.size, quorum.has) else {
        return found
            .into_iter()
            .chain([Judged::not_known("etcd's members, or whether they have a majority, are not known now")])
            .collect();
    };
    let evidence = [told("voting members", size.to_string()), told("of those well", quorum.healthy.to_string())];
    let add = |sentence: String, severity| {
        let to = if size < 3 { 3 } else { size + 1 };
        Judged::hurts(severity, sentence).change("etcd", format!("{to} voting members on {to} hosts (etcdctl member add)"))
    };
    let hurts = match size {
        0..3 => Some(add(format!("etcd has {size} voting member(s): it loses its majority with any one of them"), Severity::Warning)),
        _ if size % 2 == 0 => {
            Some(add(format!("etcd has {size} voting members: it can lose no more of them than with {}", size - 1), Severity::Note))
        }
        _ => None,
    };
    let found = found.into_iter().chain(hurts.map(|judged| judged.by(evidence.clone()))).collect();
    let open = match quorum.tolerance {
        Some(_) => None,
        None => Some(Judged::not_known("not every member of etcd has answered")),
    };
    unless(found, open.into_iter().collect(), || Judged::holds(format!("etcd can lose {} of {size}", (size - 1) / 2)).by(evidence))
}

fn domain(case: &Case<'_>) -> Vec<Judged> {
    let mut found = case.cite(DOMAIN.cites);
    let mut open = Vec::new();
    if case.cluster.etcd_membership.last().is_none() {
        open.push(Judged::not_known("where etcd's members are is not known"));
    }
    let members = match case.members() {
        Ok(members) => members,
        Err(unknown) => return found.into_iter().chain([unknown]).collect(),
    };
    for (proxy, host) in &case.survey.proxy_hosts {
        let Some(host) = host else {
            open.push(Judged::not_known("nothing names its host: its statistics come by a socket, and it has no write_address").of(proxy));
            continue;
        };
        if let Some(member) = members.iter().find(|m| m.address().is_some_and(|(address, _)| address == host)) {
            let sentence = format!(
                "HAProxy {proxy} runs on the host of {}: when it is lost as the leader, the clients of {proxy} lose their way too",
                member.name
            );
            let address = Evidence::dcs(case.cluster, &format!("members/{} host", member.name), host);
            let judged = Judged::hurts(Severity::Note, sentence).of(proxy).by([address]);
            found.push(judged.change("the host of the clients", format!("an HAProxy there instead of on {host}")));
        }
    }
    unless(found, open, || {
        let addresses =
            members.iter().filter_map(|m| Some(Evidence::dcs(case.cluster, &format!("members/{} host", m.name), m.address()?.0)));
        Judged::holds(
            "no single host takes the leader and the choice of another, by the addresses that are told; what they share below is not seen",
        )
        .by(addresses)
    })
}

fn space(case: &Case<'_>) -> Vec<Judged> {
    let members = case.cluster.etcd_now(case.now);
    let mut open = Vec::new();
    let mut evidence = Vec::new();
    for (endpoint, status) in members.values() {
        match case.cluster.etcd_quota(endpoint) {
            Some(quota) => evidence.push(Evidence::new(
                SourceId::new(SourceKind::Etcd, *endpoint),
                "database and quota, bytes",
                format!("{} of {quota}", status.db_size),
                case.cluster.etcd.get(*endpoint).and_then(|seen| seen.at()),
            )),
            None => open
                .push(Judged::not_known("neither its status nor its /metrics tell its quota").of(case.cluster.etcd_name(status.member_id))),
        }
    }
    if members.is_empty() {
        open.push(Judged::not_known("no member of etcd answers now"));
    }
    unless(case.cite(SPACE.cites), open, || Judged::holds("etcd's databases are far from their quota").by(evidence))
}

fn election(case: &Case<'_>) -> Vec<Judged> {
    let mut found = case.cite(ELECTION.cites);
    let retry = case.config().ok().and_then(|config| config.timeouts()).map(|times| times.retry_timeout);
    let survey = &case.survey.elections;
    if survey.is_empty() {
        let retry = retry.map_or(String::new(), |seconds| format!(" It must be well below Patroni's retry_timeout of {seconds} s."));
        let why = format!(
            "etcd tells its election timeout to nobody: see --election-timeout (1000 ms if not set) of each member, or have it read there by a table [ssh].{retry}"
        );
        return found.into_iter().chain([Judged::not_known(why)]).collect();
    }
    let mut open = Vec::new();
    let mut known = Vec::new();
    for (node, read) in survey {
        match read {
            Ok((times, at)) => known.push((node.as_str(), times, *at)),
            Err(why) => open.push(Judged::not_known(format!("the election timeout of its etcd is not seen: {why}")).of(node)),
        }
    }
    match case.cluster.quorum(case.now).size {
        Some(size) if usize::try_from(size).is_ok_and(|size| size > survey.len()) => {
            open.push(Judged::not_known(format!("etcd has {size} voting members, and the hosts of {} are known here", survey.len())));
        }
        Some(_) => {}
        None => open.push(Judged::not_known("how many members etcd has is not known now")),
    }
    let evidence = |wanted: &dyn Fn(Duration) -> bool| -> Vec<Evidence> {
        let wanted = known.iter().filter(|(_, times, _)| wanted(times.election));
        let says = wanted.map(|(node, times, at)| {
            let what = format!("election-timeout of etcd ({})", times.by);
            Evidence::new(SourceId::new(SourceKind::Host, *node), &what, format!("{} ms", times.election.as_millis()), Some(*at))
        });
        says.collect()
    };
    let longest = known.iter().map(|(_, times, _)| times.election).max();
    let shortest = known.iter().map(|(_, times, _)| times.election).min();
    if let (Some(longest), Some(shortest)) = (longest, shortest) {
        // Each waits for a time between the timeout and twice that, drawn anew, before it asks for votes (etcd's raft).
        let most = longest * 2;
        match retry.map(|seconds| Duration::from_secs(u64::from(seconds))) {
            None => open.push(Judged::not_known("Patroni's retry_timeout is not known").by(evidence(&|_| true))),
            Some(retry) if most >= retry => {
                let sentence = format!(
                    "without its leader etcd waits for up to {} s before it chooses another, and Patroni gives up after {} s",
                    most.as_secs_f64(),
                    retry.as_secs()
                );
                let judged = Judged::hurts(Severity::Warning, sentence).by(evidence(&|election| election == longest));
                found.push(judged.change("etcd's options, on all its hosts", SETTING));
            }
            Some(_) => {}
        }
        if shortest != longest {
            let sentence =
                "the members of etcd wait for different times, and the quickest disturbs the others: etcd wants one value for all";
            found.push(Judged::hurts(Severity::Note, sentence).by(evidence(&|_| true)).change("etcd's options, on all its hosts", SETTING));
        }
    }
    unless(found, open, || {
        let sentence = format!(
            "without its leader etcd waits for up to {} s before it chooses another, well within Patroni's retry_timeout",
            longest.unwrap_or_default().as_secs_f64() * 2.0
        );
        Judged::holds(sentence).by(evidence(&|_| true))
    })
}

/// etcd's own defaults, milliseconds.
const SETTING: &str = "--election-timeout=1000 --heartbeat-interval=100";
