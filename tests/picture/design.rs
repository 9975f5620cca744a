//! `version-skew` and `failure-domain`: how the cluster is built.

use pgbaton::document::Level;
use pgbaton::model::{ErrorKind, EtcdMember, EtcdMembership, Fact, SourceId, SourceKind};
use serde_json::json;

use crate::scenario::{Scenario, url};

fn patroni(version: &str) -> serde_json::Value {
    json!({"patroni": {"version": version, "scope": "psg"}})
}

#[test]
fn major_versions_that_differ_are_found_and_minor_ones_are_not() {
    let mut s = Scenario::healthy();
    s.patroni("psg2", patroni("4.0.7")).sql("psg3", |sql| sql.server_version_num = 150_012).pass(1);
    assert_eq!(s.verdict(), "healthy", "a rolling update");
    s.patroni("psg2", patroni("3.3.2")).pass(1);
    assert_eq!(s.codes(), ["version-skew"]);
    let finding = s.finding("version-skew").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("Patroni")));
    assert_eq!(finding.sentence, "the members run different major versions of Patroni: psg2 3.3.2, psg1 and psg3 4.1.5");
    assert_eq!(finding.evidence.len(), 3);

    let mut s = Scenario::healthy();
    s.sql("psg3", |sql| sql.server_version_num = 160_004).pass(1);
    assert_eq!(s.sentence("version-skew"), "the members run different major versions of PostgreSQL: psg1 and psg2 15.18, psg3 16.4");
    // By REST, where SQL is not allowed.
    s.fails("sql psg3", ErrorKind::Auth, "refused").patroni("psg3", json!({"server_version": 170_001})).pass(1);
    assert_eq!(s.sentence("version-skew"), "the members run different major versions of PostgreSQL: psg1 and psg2 15.18, psg3 17.1");
    s.patroni("psg3", json!({"server_version": null})).pass(1);
    assert_eq!(s.finding("version-skew"), None, "unknown is not another");
    // What is no number is nobody's version; an old answer is none.
    let mut s = Scenario::healthy();
    s.patroni("psg2", patroni("devel")).pass(1);
    assert_eq!(s.verdict(), "healthy");
    s.patroni("psg2", patroni("3.3.2")).pass(1).fails("rest psg2", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.finding("version-skew"), None);
}

/// etcd's members have these client addresses.
fn etcd_at(urls: &[&str]) -> Scenario {
    let mut s = Scenario::healthy();
    let member = |(n, url): (usize, &&str)| EtcdMember {
        id: n as u64 + 1,
        name: format!("e{n}"),
        client_urls: vec![(*url).to_owned()],
        is_learner: false,
    };
    let membership = EtcdMembership { members: urls.iter().enumerate().map(member).collect(), alarms: Some(Vec::new()) };
    s.report(SourceId::new(SourceKind::Etcd, url(1)), Fact::EtcdMembership(membership));
    s
}

#[test]
fn three_on_three_hosts_are_as_it_should_be() {
    for urls in [
        ["http://192.0.2.11:2379", "http://192.0.2.12:2379", "http://192.0.2.13:2379"],
        ["http://10.0.0.1:2379", "http://10.0.0.2:2379", "http://10.0.0.3:2379"],
        ["http://127.77.0.1:2379", "http://127.77.0.2:2379", "http://127.77.0.3:2379"],
        // Where they are is not known.
        ["http://127.0.0.1:2379", "http://127.0.0.1:2381", "http://localhost:2379"],
        ["http://192.0.2.11:2379", "http://192.0.2.11:2381", ""],
    ] {
        assert_eq!(etcd_at(&urls).finding("failure-domain"), None, "{urls:?}");
    }
}

#[test]
fn a_majority_on_one_host_is_found() {
    let mut s = etcd_at(&["http://192.0.2.11:2379", "http://192.0.2.11:2381", "http://192.0.2.12:2379"]);
    let finding = s.finding("failure-domain").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("192.0.2.11")));
    assert_eq!(finding.sentence, "losing 192.0.2.11 costs the leader psg1 and etcd's majority at once: nobody could take over");
    assert_eq!((finding.evidence[0].value.as_str(), finding.evidence[1].value.as_str()), ("2 of 3", "192.0.2.11"));
    s.promote("psg2", 2).pass(1);
    assert_eq!(s.sentence("failure-domain"), "losing 192.0.2.11 costs etcd's majority (2 of 3 members): the leader would step down");
    let s = etcd_at(&["http://10.0.0.1:2379", "http://10.0.0.1:2381", "http://10.0.0.1:2383"]);
    assert_eq!(s.sentence("failure-domain"), "losing 10.0.0.1 costs etcd's majority (3 of 3 members): the leader would step down");
    // Of two, each is one too many; only that of the leader takes him along.
    let s = etcd_at(&["http://192.0.2.11:2379", "http://192.0.2.12:2379"]);
    assert!(s.sentence("failure-domain").starts_with("losing 192.0.2.11 costs the leader psg1"), "{}", s.sentence("failure-domain"));
    let s = etcd_at(&["http://192.0.2.12:2379", "http://192.0.2.13:2379"]);
    assert_eq!(s.finding("failure-domain"), None);
}
