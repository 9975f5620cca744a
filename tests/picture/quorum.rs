//! etcd's majority: `quorum-lost`, `quorum-at-risk`, `etcd-member-down`.

use pgbaton::document::Level;
use pgbaton::model::ErrorKind;
use serde_json::json;

use crate::scenario::Scenario;

fn alone(status: &mut pgbaton::model::EtcdStatus) {
    status.leader_id = None;
    status.errors = vec!["etcdserver: no leader".to_owned()];
}

#[test]
fn one_of_three_gone_is_a_risk() {
    let mut s = Scenario::healthy();
    assert_eq!((s.document().etcd.healthy, s.document().etcd.failure_tolerance), (3, Some(1)));
    s.fails("etcd 3", ErrorKind::Refused, "connection refused by 192.0.2.13:2379").pass(1);
    assert_eq!(s.codes(), ["quorum-at-risk"]);
    assert_eq!(s.sentence("quorum-at-risk"), "etcd cannot lose another member: 2 of 3 are healthy, psg3 refuses connections: not running");
    assert_eq!((s.document().etcd.healthy, s.document().etcd.failure_tolerance), (2, Some(0)));
    s.answers("etcd 3").pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn one_of_five_gone_is_no_risk_yet() {
    let mut s = Scenario::healthy();
    s.etcd_members(5).pass(1);
    assert_eq!((s.verdict(), s.document().etcd.failure_tolerance), ("healthy", Some(2)));
    s.fails("etcd 5", ErrorKind::Timeout, "no answer").pass(1);
    assert_eq!(s.codes(), ["etcd-member-down"]);
    assert_eq!(s.sentence("etcd-member-down"), "4 of 5 etcd members are healthy: psg5 does not answer");
    s.etcd(4, alone).pass(1);
    assert_eq!(
        s.sentence("quorum-at-risk"),
        "etcd cannot lose another member: 3 of 5 are healthy, psg5 does not answer, psg4 sees no raft leader"
    );
    s.answers("etcd 4").fails("etcd 4", ErrorKind::Timeout, "no answer").pass(1);
    assert_eq!(s.sentence("quorum-at-risk"), "etcd cannot lose another member: 3 of 5 are healthy, psg4 and psg5 do not answer");
    s.answers("etcd 4").answers("etcd 5").pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new());
}

#[test]
fn a_single_etcd_never_could_lose_one() {
    let mut s = Scenario::healthy();
    s.etcd_members(1).pass(1);
    assert_eq!(s.codes(), ["failure-domain"], "it is on the leader's host");
    assert_eq!((s.finding("quorum-at-risk"), s.document().etcd.failure_tolerance), (None, Some(0)));
}

#[test]
fn a_majority_that_is_gone_is_lost() {
    let mut s = Scenario::healthy();
    s.fails("etcd 2", ErrorKind::Refused, "refused").fails("etcd 3", ErrorKind::Refused, "refused").etcd(1, alone);
    s.fails("dcs", ErrorKind::Unavailable, "etcd has no leader").fails("lease", ErrorKind::Unavailable, "etcd has no leader").pass(8);
    assert_eq!(s.codes()[0], "quorum-lost");
    assert_eq!(s.sentence("quorum-lost"), "etcd has lost its quorum: the leader steps down within its ttl");
    assert_eq!((s.document().etcd.quorum, s.document().etcd.failure_tolerance), (Some(false), None));
    s.sql("psg1", |sql| sql.in_recovery = true).pass(1);
    assert_eq!(s.sentence("quorum-lost"), "etcd has lost its quorum, and nobody accepts writes: psg1 has stepped down");
    s.sql("psg1", |sql| sql.in_recovery = false);
    assert_eq!(s.document().headline.level, Level::Critical);
    for source in ["etcd 1", "etcd 2", "etcd 3", "dcs", "lease"] {
        s.answers(source);
    }
    s.pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn in_failsafe_mode_the_leader_stays() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"failsafe_mode": true})).pass(1);
    s.fails("dcs", ErrorKind::Unavailable, "etcd has no leader").etcd(1, alone).etcd(2, alone).etcd(3, alone).pass(8);
    let stays = "etcd has lost its quorum: in failsafe mode the leader stays as long as it reaches every member";
    assert_eq!(s.sentence("quorum-lost"), stays);
}

#[test]
fn when_nobody_answers_nobody_can_say() {
    let mut s = Scenario::healthy();
    for n in 1..=3 {
        s.fails(&format!("etcd {n}"), ErrorKind::Timeout, "no answer");
    }
    s.fails("dcs", ErrorKind::Timeout, "no answer").pass(8);
    assert_eq!(s.sentence("quorum-lost"), "no etcd member answers: nobody can say who leads");
    assert_eq!((s.document().etcd.quorum, s.document().etcd.healthy), (None, 0));
}

#[test]
fn one_member_without_a_leader_does_not_speak_for_the_others() {
    let mut s = Scenario::healthy();
    s.etcd(3, alone).pass(1);
    assert_eq!(s.codes(), ["quorum-at-risk"]);
    assert_eq!(s.sentence("quorum-at-risk"), "etcd cannot lose another member: 2 of 3 are healthy, psg3 sees no raft leader");
}

#[test]
fn a_member_not_heard_yet_is_neither_healthy_nor_down() {
    let mut s = Scenario::unheard();
    s.silent("etcd 2").silent("etcd 3").list().pass(2);
    assert_eq!(s.codes(), Vec::<&str>::new());
    assert_eq!(s.verdict(), "2 of 3 etcd members have not answered yet");
    assert_eq!((s.document().etcd.quorum, s.document().etcd.failure_tolerance), (Some(true), None));
    s.answers("etcd 2").fails("etcd 3", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.codes(), ["quorum-at-risk"]);
}

/// A member that comes back with a newer term makes the others elect anew.
#[test]
fn an_election_of_etcd_is_not_the_loss_of_its_quorum() {
    let mut s = Scenario::healthy();
    s.etcd(1, alone).etcd(2, alone).etcd(3, alone).fails("dcs", ErrorKind::Unavailable, "etcd has no leader").pass(1);
    assert_eq!((s.finding("quorum-lost"), s.document().headline.level), (None, Level::Unknown));
    assert_eq!(s.verdict(), "etcd has no quorum");
    s.pass(4);
    assert_eq!(s.sentence("quorum-lost"), "etcd has lost its quorum: the leader steps down within its ttl");

    let mut s = Scenario::healthy();
    s.etcd(1, alone).fails("etcd 2", ErrorKind::Refused, "refused").fails("etcd 3", ErrorKind::Refused, "refused");
    s.fails("dcs", ErrorKind::Unavailable, "etcd has no leader").pass(1);
    assert_eq!(s.codes()[0], "quorum-lost", "a majority that does not answer elects nobody");
}

#[test]
fn members_that_hang_are_evidence_too() {
    let mut s = Scenario::healthy();
    s.silent("etcd 1").silent("etcd 2").silent("etcd 3").pass(9);
    let finding = s.finding("quorum-at-risk").unwrap();
    let hung = finding.evidence.iter().filter(|e| e.value == "nothing was heard for more than 7 s").count();
    assert_eq!(hung, 3, "{finding:#?}");
}

#[test]
fn etcds_that_do_not_let_us_in_are_not_gone() {
    let mut s = Scenario::unheard();
    for n in 1..=3 {
        s.fails(&format!("etcd {n}"), ErrorKind::Tls, "the server's certificate is from an unknown CA");
    }
    s.fails("dcs", ErrorKind::Tls, "the server's certificate is from an unknown CA").pass(8);
    assert_eq!(s.codes(), ["source-stale"]);
    assert_eq!(s.verdict(), "etcd cannot be read: the server's certificate is from an unknown CA");
}
