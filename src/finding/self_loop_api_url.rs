//! `self-loop-api-url`: the address at which a member's Patroni says it is to be asked leads to somebody else.

use url::{Host, Url};

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Cluster, Level, Member, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "self-loop-api-url",
        runbook: None,
        fires: "a member's api_url in etcd is a loopback address (127.0.0.0/8, ::1, localhost) or 0.0.0.0 while another member is on another host or has \
                the same one; or whoever answers there gives another name (patroni.name, from Patroni 3.2) or another scope than the member's, and it was not renamed (`member-renamed`). Loopback addresses \
                that differ from member to member are one machine and right.",
        matters: "The other members ask that address before a failover or a switchover, and the leader for failsafe mode. They reach themselves, or \
                  nobody: candidates are turned down, or counted, by somebody else's answers.",
        next: &[
            "On the member, set restapi.connect_address to the address at which the others reach it, then reload Patroni.",
            "If another member answers there, two of them have the same address configured, or something forwards to the wrong host.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    if !cluster.dcs_current(now) {
        return Vec::new();
    }
    cluster
        .members
        .values()
        .filter(|m| m.present && cluster.renamed(m, now).is_none())
        .filter_map(|member| judge(cluster, member, now))
        .collect()
}

fn judge(cluster: &Cluster, member: &Member, now: Time) -> Option<Finding> {
    let name = &member.name;
    let api_url = member.dcs()?.api_url.as_deref()?;
    let url = Url::parse(api_url).ok()?;
    let said = Evidence::dcs(cluster, &format!("members/{name} api_url"), api_url);
    let mut others = cluster.members.values().filter(|m| m.present && m.name != *name && cluster.renamed(m, now).is_none());
    if own(&url) && others.any(|other| elsewhere(&url, other)) {
        let at = url.host_str().unwrap_or_default();
        let sentence = format!("{name} tells the others to ask its Patroni at {at}: there they reach themselves, not {name}");
        // Two keys with one address may be one member that is just being renamed, which its next answer tells.
        let twins: Vec<&Member> = cluster.members.values().filter(|m| m.present && m.address() == member.address()).collect();
        if twins.len() > 1 && twins.iter().any(|m| !m.rest.heard()) {
            return None;
        }
        let moments = twins.iter().map(|m| m.rest.at());
        let beside = cluster.dcs.confirmed_at.filter(|_| twins.len() > 1);
        let finding = Finding::new("self-loop-api-url", Level::Warning, sentence).about(name).because([said]);
        return Some(finding.comparing(moments).comparing([beside]));
    }
    let rest = member.rest_now(now)?;
    let (what, who) = match (rest.name.as_deref(), rest.scope.as_deref()) {
        (_, Some(scope)) if scope != cluster.scope => ("patroni.scope", format!("a Patroni of another cluster ({scope})")),
        (Some(answers), _) if answers != name => ("patroni.name", answers.to_owned()),
        _ => return None,
    };
    let sentence = format!("the address that {name} gives for its Patroni leads to {who}: {api_url}");
    let answer = Evidence::rest(member, what, who);
    Some(Finding::new("self-loop-api-url", Level::Warning, sentence).about(name).because([said, answer]))
}

/// Whether the address leads whoever uses it to himself.
fn own(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        None => false,
    }
}

/// Whether another member is on another host than this machine, or claims the same address.
fn elsewhere(url: &Url, other: &Member) -> bool {
    let its = other.dcs().and_then(|key| key.api_url.as_deref()).and_then(|u| Url::parse(u).ok());
    let same = its.as_ref().is_some_and(|its| its.host() == url.host() && its.port_or_known_default() == url.port_or_known_default());
    let away = |host: &str| match Host::parse(host) {
        Ok(Host::Ipv4(ip)) => !ip.is_loopback() && !ip.is_unspecified(),
        Ok(Host::Ipv6(ip)) => !ip.is_loopback() && !ip.is_unspecified(),
        Ok(Host::Domain(name)) => !name.eq_ignore_ascii_case("localhost"),
        // A socket's folder, or an IPv6 address without brackets.
        Err(_) => !host.starts_with('/') && host != "::1",
    };
    same || its.as_ref().is_some_and(|its| !own(its)) || other.address().is_some_and(|(host, _)| away(host))
}
