//! Whom to ask, besides what the configuration names.

use std::collections::{BTreeMap, BTreeSet};

use super::etcd::Endpoint;
use crate::model::Cluster;

/// What the cluster itself tells about where it can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    /// The members, by name.
    pub members: BTreeMap<String, MemberTarget>,
    /// URLs of etcd endpoints.
    pub etcd_endpoints: BTreeSet<String>,
    /// Host and port of the PostgreSQL of whoever holds the leader key, by etcd's last word.
    pub leader: Option<(String, u16)>,
}

/// Where one member can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberTarget {
    /// The address of its REST API as the DCS has it, `http://10.0.0.11:8008/patroni`.
    pub api_url: Option<String>,
    /// Host and port of its PostgreSQL.
    pub sql: Option<(String, u16)>,
}

impl Targets {
    /// The members that the DCS has ever named, and the etcd members that no endpoint in use belongs to.
    ///
    /// An etcd member often has another name for itself than the configuration has for it. So its own addresses are taken only when all of
    /// the `configured` endpoints have been heard, good or bad, and none of them has answered with its id.
    pub fn of(cluster: &Cluster, configured: &[Endpoint]) -> Self {
        let members = cluster.members.values().map(|member| {
            let api_url = member.dcs().and_then(|key| key.api_url.clone());
            let sql = member.address().map(|(host, port)| (host.to_owned(), port));
            (member.name.clone(), MemberTarget { api_url, sql })
        });
        let heard = |endpoint: &Endpoint| cluster.etcd.get(endpoint.url()).is_some_and(crate::model::Observed::heard);
        let mut etcd_endpoints = BTreeSet::new();
        if configured.iter().all(heard)
            && let Some(membership) = cluster.etcd_membership.last()
        {
            let answered: BTreeSet<u64> = cluster.etcd.values().filter_map(|seen| seen.last()).map(|status| status.member_id).collect();
            let missing = membership.members.iter().filter(|member| !answered.contains(&member.id));
            etcd_endpoints.extend(missing.filter_map(|member| usable(&member.client_urls, configured)));
        }
        let leader = cluster.holder().and_then(|name| cluster.members.get(name)).and_then(|member| member.address());
        let leader = leader.map(|(host, port)| (host.to_owned(), port));
        Self { members: members.collect(), etcd_endpoints, leader }
    }
}

/// The first of a member's client URLs that can mean the member. One of the member's own machine (`http://localhost:2379`) would lead to
/// whatever etcd runs where we are, unless that is where the configuration points to as well.
fn usable(urls: &[String], configured: &[Endpoint]) -> Option<String> {
    let own_machine = configured.iter().any(Endpoint::is_own_machine);
    let endpoints = urls.iter().filter_map(|url| Endpoint::parse(url).ok());
    endpoints.filter(|endpoint| own_machine || !endpoint.is_own_machine()).map(|endpoint| endpoint.url().to_owned()).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Consistency, DcsKey, ErrorKind, EtcdMember, EtcdMembership, EtcdStatus, Fact, Observation, Outcome, SourceError, SourceId,
        SourceKind, Time,
    };

    fn tell(cluster: &mut Cluster, kind: SourceKind, target: &str, outcome: Outcome) {
        cluster.apply(Observation { source: SourceId::new(kind, target), at: Time::from_micros(1), rtt: None, outcome });
    }

    fn heard(fact: Fact) -> Outcome {
        Outcome::Heard(Box::new(fact))
    }

    fn status(member_id: u64) -> Fact {
        Fact::EtcdStatus(EtcdStatus {
            member_id,
            leader_id: Some(1),
            raft_term: 2,
            raft_index: 3,
            raft_applied_index: 3,
            db_size: 4,
            db_quota: None,
            db_in_use: None,
            version: "3.4.23".into(),
            is_learner: false,
            errors: Vec::new(),
        })
    }

    fn member(id: u64, url: &str) -> EtcdMember {
        EtcdMember { id, name: format!("e{id}"), client_urls: vec![url.to_owned()], is_learner: false }
    }

    #[test]
    fn a_member_has_the_addresses_of_its_key() {
        let mut cluster = Cluster::new("psg", "/service/", BTreeMap::new());
        let value = r#"{"conn_url":"postgres://10.0.0.11:5433/postgres","api_url":"http://10.0.0.11:8008/patroni"}"#;
        let key = DcsKey { key: "members/psg1".into(), value: value.into(), create_revision: 1, mod_revision: 1, lease: 7 };
        let list = Fact::DcsListed { revision: 1, consistency: Consistency::Linearizable, keys: vec![key] };
        tell(&mut cluster, SourceKind::Dcs, "psg", heard(list));
        let targets = Targets::of(&cluster, &[]);
        let expected = MemberTarget { api_url: Some("http://10.0.0.11:8008/patroni".into()), sql: Some(("10.0.0.11".into(), 5433)) };
        assert_eq!(targets.members["psg1"], expected);
    }

    #[test]
    fn an_etcd_member_is_not_asked_under_two_names() {
        let configured = ["http://etcd1:2379", "http://etcd2:2379"].map(|u| Endpoint::parse(u).expect("parses"));
        let mut cluster = Cluster::new("psg", "/service/", BTreeMap::new());
        let members = vec![member(1, "http://10.0.0.8:2379"), member(2, "http://10.0.0.9:2379"), member(3, "http://10.0.0.10:2379")];
        tell(&mut cluster, SourceKind::Etcd, "http://etcd1:2379", heard(status(1)));
        let membership = Fact::EtcdMembership(EtcdMembership { members, alarms: None });
        tell(&mut cluster, SourceKind::Etcd, "http://etcd1:2379", heard(membership));
        assert!(Targets::of(&cluster, &configured).etcd_endpoints.is_empty(), "the second may be any of them");
        tell(&mut cluster, SourceKind::Etcd, "http://etcd2:2379", heard(status(2)));
        assert_eq!(Vec::from_iter(Targets::of(&cluster, &configured).etcd_endpoints), ["http://10.0.0.10:2379"]);
    }

    #[test]
    fn a_member_that_calls_itself_localhost_is_not_looked_for_here() {
        let configured = ["http://etcd1:2379"].map(|u| Endpoint::parse(u).expect("parses"));
        let mut cluster = Cluster::new("psg", "/service/", BTreeMap::new());
        tell(&mut cluster, SourceKind::Etcd, "http://etcd1:2379", Outcome::Failed(SourceError::new(ErrorKind::Refused, "refused")));
        let membership = Fact::EtcdMembership(EtcdMembership { members: vec![member(3, "http://localhost:2379")], alarms: None });
        tell(&mut cluster, SourceKind::Etcd, "http://etcd1:2379", heard(membership));
        assert!(Targets::of(&cluster, &configured).etcd_endpoints.is_empty());
    }
}
