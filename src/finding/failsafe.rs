//! `failsafe-active`: the leader stays without etcd, by its members' consent. `failsafe-incomplete`: it would not.

use super::{Case, Evidence, Explanation, Finding, Rule, SETTLING, listed};
use crate::model::{Cluster, Level, Member, Parsed, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[
        Explanation {
            code: "failsafe-active",
            runbook: Some("failsafe"),
            fires: "a member's Patroni says failsafe_mode_is_active: the leader cannot renew its key in etcd and asks every member instead. After etcd \
                    is back, members go on saying so for up to ttl seconds.",
            matters: "Clients can write, but the leader steps down as soon as one single member of the failsafe key does not answer it, and nobody takes over \
                      while etcd cannot be written.",
            next: &[
                "Bring etcd back: see what is said of its quorum, or of the network between the leader and etcd.",
                "Do not restart, stop or disconnect any member meanwhile, a replica neither.",
            ],
        },
        Explanation {
            code: "failsafe-incomplete",
            runbook: None,
            fires: "failsafe_mode is on, and for longer than 12 s and a loop the failsafe key in etcd has lacked a member that is there, or has not been there at all; or for \
                    12 s a member that it names has not answered at its REST API.",
            matters: "When etcd is lost, the leader stays only if every member that the key names answers it and it finds its own name there. As it is now it \
                      would step down, and failsafe mode would not help.",
            next: &[
                "Bring back the REST API of the member that does not answer; a member whose key in etcd is gone leaves the failsafe key by itself.",
                "The leader writes the key at each of its loops: if a member is not in it, see that it gives an api_url, and read the leader's log.",
            ],
        },
    ],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    active(cluster, now).or_else(|| incomplete(cluster, now)).into_iter().collect()
}

fn active(cluster: &Cluster, now: Time) -> Option<Finding> {
    let saying: Vec<&Member> = cluster.members.values().filter(|m| m.rest_now(now).is_some_and(|r| r.failsafe_active)).collect();
    let names: Vec<&str> = saying.iter().map(|m| m.name.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let say = if names.len() == 1 { "says" } else { "say" };
    let sentence =
        format!("failsafe mode is active, {} {say}: the leader stays without etcd as long as every member answers it", listed(&names));
    let evidence = saying.iter().map(|m| Evidence::rest(m, "failsafe_mode_is_active", true));
    Some(Finding::new("failsafe-active", Level::Warning, sentence).because(evidence.collect::<Vec<_>>()))
}

fn incomplete(cluster: &Cluster, now: Time) -> Option<Finding> {
    if !cluster.dcs_current(now) || !cluster.config().is_some_and(|c| c.failsafe_mode) {
        return None;
    }
    // The leader writes the key at its next loop; a key that cannot be read has a finding of its own.
    let written = cluster.failsafe_short_since.is_some_and(|since| now.since(since) > cluster.loop_wait() + SETTLING);
    let named = match &cluster.dcs.keys.failsafe {
        None => None,
        Some(key) => Some(Parsed::good(key)?),
    };
    let short: Vec<&str> = cluster.short_of_failsafe();
    let silent: Vec<&Member> = named
        .into_iter()
        .flat_map(|named| named.keys().filter_map(|name| cluster.members.get(name)))
        // The leader does not ask itself.
        .filter(|m| cluster.holder() != Some(m.name.as_str()))
        .filter(|m| m.rest.error().is_some() && m.rest.failing_since().is_some_and(|since| now.since(since) >= SETTLING))
        .collect();
    let key = Evidence::dcs(
        cluster,
        "failsafe",
        named.map_or("absent".to_owned(), |named| listed(&named.keys().map(String::as_str).collect::<Vec<_>>())),
    );
    let why = match named {
        None if written => "its key in etcd is not there".to_owned(),
        Some(_) if written && !short.is_empty() => format!("its key in etcd lacks {}", listed(&short)),
        _ if !silent.is_empty() => {
            let names: Vec<&str> = silent.iter().map(|m| m.name.as_str()).collect();
            let (does, api) = if names.len() == 1 { ("does", "its REST API") } else { ("do", "their REST APIs") };
            format!("{} {does} not answer at {api}", listed(&names))
        }
        _ => return None,
    };
    let sentence = format!("failsafe mode would not hold the leader if etcd were lost now: {why}");
    let errors = silent.iter().flat_map(|m| Evidence::errors(m));
    Some(Finding::new("failsafe-incomplete", Level::Warning, sentence).because([key]).because(errors.collect::<Vec<_>>()))
}
