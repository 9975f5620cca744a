//! How a silence is told: who hangs, who does not run, and what may be the network; and that it is of one age wherever it stands.

use pgbaton::model::ErrorKind;

use crate::scenario::Scenario;

const HUNG: &str = "takes the connection and gives no answer within 1.9 s";
const FAR: &str = "no connection within 1.5 s";

#[test]
fn a_frozen_member_is_not_told_like_a_dead_one() {
    let both = |kind, why| {
        let mut s = Scenario::healthy();
        s.fails("rest psg2", kind, why).fails("sql psg2", kind, why).pass(5);
        s.sentence("member-down").to_owned()
    };
    assert_eq!(both(ErrorKind::Hung, HUNG), "psg2 hangs: its Patroni and its PostgreSQL accept connections, answer nothing for 5 s");
    assert_eq!(
        both(ErrorKind::Refused, "connection refused"),
        "psg2 is down: its Patroni and its PostgreSQL refuse connections: not running"
    );
}

/// Who asks a Patroni that is stopped fills its queue of connections, and PostgreSQL's is long.
#[test]
fn a_queue_that_is_full_does_not_hide_that_it_hangs() {
    let mut s = Scenario::healthy();
    s.fails("rest psg2", ErrorKind::Unreachable, FAR).fails("sql psg2", ErrorKind::Hung, HUNG).pass(9);
    assert_eq!(
        s.sentence("member-down"),
        "psg2 hangs: its PostgreSQL accepts connections, answers nothing for 9 s; its Patroni takes none: its queue is full, or a firewall \
         drops them"
    );
}

/// The etcd on its machine tells one from the other.
#[test]
fn what_does_not_take_a_connection_is_far_only_while_nothing_else_of_its_machine_is_heard() {
    let mut s = Scenario::healthy();
    s.fails("rest psg2", ErrorKind::Unreachable, FAR).fails("sql psg2", ErrorKind::Unreachable, FAR);
    s.fails("etcd 2", ErrorKind::Unreachable, FAR).pass(5);
    assert_eq!(s.sentence("member-down"), "psg2 is out of reach: no answer from the host for 5 s: network or machine");
    assert_eq!(
        s.sentence("quorum-at-risk"),
        "etcd cannot lose another member: 2 of 3 are healthy, psg2 is out of reach: no answer from the host for 5 s: network or machine"
    );
    s.answers("etcd 2").pass(5);
    let one = "takes no connections for 10 s, though its machine is there: it hangs, or a firewall drops them";
    assert_eq!(s.sentence("member-down"), format!("psg2 is silent, down or cut off from here: its Patroni {one}; its PostgreSQL {one}"));
}

/// Its queue of connections is full after five: then the kernel takes none any more, and the machine lives all the same.
#[test]
fn a_patroni_that_hangs_beside_a_postgresql_that_answers() {
    let mut s = Scenario::healthy();
    s.fails("rest psg2", ErrorKind::Hung, HUNG).pass(3);
    assert_eq!(
        s.sentence("api-hung"),
        "the REST API of psg2 hangs: accepts connections, answers nothing for 3 s, while its PostgreSQL answers: HAProxy will drop it"
    );
    s.fails("rest psg2", ErrorKind::Unreachable, FAR).pass(3);
    assert_eq!(
        s.sentence("api-hung"),
        "the REST API of psg2 takes no connections for 6 s, though its machine is there: it hangs, or a firewall drops them, \
         while its PostgreSQL answers: HAProxy will drop it"
    );
}

#[test]
fn a_leader_that_hangs_is_silent_for_as_long_as_its_last_answer_is_old() {
    let mut s = Scenario::healthy();
    s.lease(27).fails("rest psg1", ErrorKind::Hung, HUNG).pass(4);
    let told = s.sentence("leader-silent");
    assert!(told.starts_with("psg1's Patroni hangs: accepts connections, answers nothing for 4 s, its lease ends in 2"), "{told}");
    assert_eq!(s.document().headline.leads, "psg1 leads", "its PostgreSQL says so");
    s.fails("sql psg1", ErrorKind::Hung, HUNG).pass(8);
    assert_eq!(s.document().headline.leads, "psg1 has the key, but hangs");
    s.answers("sql psg1").answers("rest psg1").pass(2).fails("rest psg1", ErrorKind::Hung, HUNG).pass(4);
    let finding = s.finding("leader-silent").unwrap();
    let error = finding.evidence.iter().find(|e| e.source == "rest psg1" && e.what == "error").unwrap();
    assert_eq!(
        (error.age_ms, s.member("psg1").rest.age_ms),
        (Some(4000), Some(4000)),
        "one age in the sentence, the evidence and the pane"
    );
}

#[test]
fn one_who_never_answered_has_no_last_answer() {
    let mut s = Scenario::unheard();
    s.list().fails("rest psg1", ErrorKind::Refused, "connection refused").pass(6);
    let told = s.sentence("leader-silent");
    assert!(told.starts_with("psg1's Patroni refuses connections: not running, its lease ends in"), "{told}");
}

#[test]
fn etcd_and_haproxy_that_hang_are_said_to() {
    let mut s = Scenario::healthy();
    s.fails("etcd 3", ErrorKind::Hung, HUNG).fails("haproxy vm1", ErrorKind::Hung, HUNG).pass(8);
    assert_eq!(
        s.sentence("quorum-at-risk"),
        "etcd cannot lose another member: 2 of 3 are healthy, psg3 hangs: accepts connections, answers nothing for 8 s"
    );
    assert_eq!(s.sentence("source-stale"), "where vm1 sends clients is not known: it hangs: accepts connections, answers nothing for 8 s");
}
