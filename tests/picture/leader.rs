//! Who leads: `no-leader`, `leader-disagreement`, and what the headline says of it.

use pgbaton::document::Level;
use pgbaton::model::{ErrorKind, Role};
use serde_json::json;

use crate::scenario::Scenario;

#[test]
fn a_lost_leader_is_told_first_then_who_it_was_then_what_follows() {
    let mut s = Scenario::healthy();
    s.crash("psg1").writes_go_to(&[]).pass(1);
    assert_eq!(s.document().headline.leads, "psg1 has the key, but is silent", "its key is there until its lease ends");
    assert_eq!(
        s.sentence("leader-silent"),
        "psg1's Patroni refuses connections: not running, last answer 1 s ago, its lease ends in 28 s, then psg2 or psg3 takes over"
    );
    assert_eq!(s.codes(), ["leader-silent", "route-none"]);

    s.delete("leader").pass(1);
    assert_eq!(s.codes(), ["no-leader", "member-down", "route-none"]);
    assert_eq!(s.sentence("no-leader"), "nobody leads: clients cannot write");
    assert_eq!(s.sentence("member-down"), "psg1, the last leader, is down: its Patroni and its PostgreSQL refuse connections: not running");
    assert_eq!(s.document().headline.leads, "nobody leads");
    assert_eq!(s.verdict(), "nobody leads: clients cannot write (and 2 more)");
    assert_eq!((s.document().cluster.leader.as_deref(), s.document().cluster.leader_since), (None, None));

    s.delete("members/psg1").pass(1);
    assert_eq!(s.sentence("member-missing"), "psg1, the last leader, is missing: its key in etcd is gone");
    assert_eq!(s.codes(), ["no-leader", "member-missing", "route-none"]);

    s.promote("psg2", 2).pass(1);
    assert_eq!(s.document().headline.leads, "psg2 leads");
    assert_eq!(s.codes(), ["member-missing"]);
    let missing = s.finding("member-missing").unwrap();
    assert_eq!((missing.severity, missing.sentence.as_str()), (Level::Warning, "psg1 is missing: its key in etcd is gone"));
}

#[test]
fn a_writer_without_the_key_is_told() {
    let mut s = Scenario::healthy();
    s.delete("leader").pass(1);
    assert_eq!(s.codes(), ["no-leader"]);
    assert_eq!(s.sentence("no-leader"), "nobody holds the leader key, yet psg1 accepts writes");
    assert_eq!(s.member("psg1").role, Role::Primary);
    s.leader("psg1").pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn no_leader_while_paused_says_that_nobody_will() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"pause": true})).delete("leader").crash("psg1").pass(1);
    assert_eq!(s.sentence("no-leader"), "nobody leads, and nobody will: the cluster is paused");
}

#[test]
fn a_cluster_that_is_not_there_is_told_from_one_without_a_leader() {
    let mut s = Scenario::unheard();
    for key in ["initialize", "leader", "config", "status", "members/psg1", "members/psg2", "members/psg3"] {
        s.delete(key);
    }
    s.list().pass(1);
    assert_eq!(s.sentence("no-leader"), "etcd holds no cluster named psg: nothing is under its keys");
    let mut gone = Scenario::healthy();
    for key in ["initialize", "leader", "members/psg1", "members/psg2", "members/psg3"] {
        gone.delete(key);
    }
    gone.pass(1);
    assert_eq!(gone.sentence("no-leader"), "the cluster psg is gone from etcd: neither members nor a leader");
}

/// The old leader gives up its key and answers `demoted`, `stopped`; nothing of that is a disagreement.
#[test]
fn a_graceful_change_is_no_disagreement() {
    let mut s = Scenario::healthy();
    let stopped = json!({"state": "stopped", "role": "demoted", "xlog": null, "timeline": null, "replication_state": null});
    s.patroni("psg1", stopped).fails("sql psg1", ErrorKind::Refused, "connection refused").delete("leader").pass(1);
    assert_eq!(s.codes(), ["no-leader", "member-down"]);
    assert_eq!(s.sentence("member-down"), "psg1, the last leader, does not serve: Patroni calls it stopped");
    assert_eq!(s.member("psg1").role, Role::Demoted);

    // psg2 has the key and promotes; HAProxy and psg3 follow later.
    s.leader("psg2").pass(1);
    let finding = s.finding("leader-disagreement").unwrap();
    assert_eq!(finding.severity, Level::Warning);
    assert_eq!(
        finding.sentence,
        "psg2 holds the leader key, but no REST API says that it leads, no PostgreSQL accepts writes, the write routes lead to psg1; \
         the change is under way"
    );
    s.answers("sql psg1").promote("psg2", 2).pass(1);
    assert_eq!((s.codes(), s.verdict()), (vec![], "healthy"));
}

#[test]
fn a_key_that_nobody_follows_is_a_disagreement() {
    let mut s = Scenario::healthy();
    s.leader("psg3").pass(1);
    assert_eq!(s.finding("leader-disagreement").unwrap().severity, Level::Warning, "a change may be under way");
    s.pass(12);
    let finding = s.finding("leader-disagreement").unwrap();
    assert_eq!(finding.severity, Level::Critical);
    assert_eq!(
        finding.sentence,
        "psg3 holds the leader key, but by REST psg1 leads, by SQL psg1 accepts writes, the write routes lead to psg1"
    );
    let said: Vec<_> = finding.evidence.iter().map(|e| format!("{} {} {}", e.source, e.what, e.value)).collect();
    assert!(said.contains(&"etcd leader key psg3".to_owned()), "{said:?}");
    assert!(said.contains(&"sql psg1 pg_is_in_recovery() false".to_owned()), "{said:?}");
    assert!(finding.evidence.iter().all(|e| e.age_ms == Some(0)), "{finding:?}");
    s.leader("psg1").pass(13);
    assert_eq!(s.codes(), Vec::<&str>::new());
}

#[test]
fn silence_is_no_disagreement() {
    let mut s = Scenario::healthy();
    s.silent("rest psg1").silent("sql psg1").pass(10);
    assert_eq!(s.finding("leader-disagreement"), None);
    assert_eq!(s.document().headline.leads, "psg1 leads", "etcd says so, and now");
    let rest = &s.document().cluster.truths[1];
    assert_eq!((rest.leaders.len(), rest.note.as_deref()), (0, Some("no current answer: psg1")));
}

#[test]
fn a_standby_cluster_has_a_leader_in_recovery() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"standby_cluster": {"host": "192.0.2.50"}}));
    s.patroni("psg1", json!({"role": "standby_leader"})).sql("psg1", |sql| sql.in_recovery = true).pass(15);
    assert_eq!(s.finding("leader-disagreement"), None);
    assert_eq!(s.member("psg1").role, Role::StandbyLeader);
}

#[test]
fn while_etcd_cannot_be_read_the_last_holder_is_called_old() {
    let mut s = Scenario::healthy();
    s.fails("dcs", ErrorKind::Timeout, "no answer within 2 s").fails("lease", ErrorKind::Timeout, "no answer within 2 s");
    s.pass(8);
    let document = s.document();
    assert_eq!(document.headline.leads, "psg1 leads by its own word");
    assert_eq!(document.headline.level, Level::Critical);
    assert_eq!((document.cluster.leader.as_deref(), document.cluster.dcs_age_ms), (Some("psg1"), Some(8_000)));
    assert_eq!(document.cluster.dcs_error.as_deref(), Some("no answer within 2 s"));
    assert_eq!((document.cluster.truths[0].leaders.len(), document.cluster.truths[0].agrees), (0, None));
    assert_eq!(document.cluster.lease_age_ms, Some(8_000), "the countdown has the age of its reading");

    // Neither its PostgreSQL nor its REST API says so any more.
    s.crash("psg1").pass(1);
    let document = s.document();
    assert_eq!(document.headline.leads, "leader unknown, it was psg1");
    assert_eq!((document.cluster.timeline, document.cluster.leader_since), (None, None));
    assert!(document.members.iter().all(|m| m.role != Role::Leader), "{:?}", document.members);
    assert_eq!(s.sentence("member-down"), "psg1, the last leader, is down: its Patroni and its PostgreSQL refuse connections: not running");

    // One member's own copy is read: shown, with its age, and not called confirmed.
    s.list_serializable();
    let document = s.document();
    assert_eq!((document.cluster.dcs_linearizable, document.cluster.dcs_age_ms), (Some(false), Some(0)));
    assert_eq!(document.headline.leads, "leader unknown, it was psg1");
}

#[test]
fn without_etcd_the_others_are_compared() {
    let mut s = Scenario::healthy();
    s.fails("dcs", ErrorKind::Timeout, "no answer").patroni("psg1", json!({"role": "replica"})).patroni("psg2", json!({"role": "primary"}));
    s.pass(8);
    assert_eq!(s.sentence("leader-disagreement"), "psg2 leads by REST, but by SQL psg1 accepts writes, the write routes lead to psg1");
    s.patroni("psg1", json!({"role": "primary"})).pass(1);
    assert_eq!(s.sentence("leader-disagreement"), "psg1 accepts writes, but by REST psg1 and psg2 lead");
    s.answers("rest psg1").answers("rest psg2").pass(1);
    assert_eq!(s.finding("leader-disagreement"), None);
}

#[test]
fn the_absence_of_a_leader_is_not_told_once_it_is_old() {
    let mut s = Scenario::healthy();
    s.delete("leader").pass(1);
    assert!(s.document().cluster.leaderless_since.is_some());
    s.fails("dcs", ErrorKind::Timeout, "no answer within 2 s").pass(8);
    assert_eq!((s.finding("no-leader"), s.document().cluster.leaderless_since), (None, None));
    assert_eq!(s.document().headline.leads, "leader unknown");
}
