//! `switchover`: what was asked for and takes its usual time is told as what it is.

use std::time::Duration;

use pgbaton::document::Level;
use pgbaton::finding::Limits;
use pgbaton::model::{ErrorKind, Lsn, SourceKind, Time};
use serde_json::json;

use crate::scenario::Scenario;

fn worst(s: &Scenario) -> Option<Level> {
    s.document().findings.iter().map(|f| f.severity).max()
}

/// psg1's Patroni stops its PostgreSQL, to hand over.
fn stops(s: &mut Scenario, state: &str) {
    s.patroni("psg1", json!({"state": state, "role": "demoted", "xlog": null, "timeline": null}));
    s.fails("sql psg1", ErrorKind::Refused, "connection refused");
}

#[test]
fn a_switchover_is_told_step_by_step_and_nothing_of_it_is_critical() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
    assert_eq!(s.verdict(), "switchover from psg1 to psg2 under way; psg1 still accepts writes");
    s.pass(1);
    assert_eq!(s.verdict(), "switchover from psg1 to psg2 under way, 1 s; psg1 still accepts writes");

    stops(&mut s, "stopping");
    s.pass(1);
    assert_eq!(s.codes(), ["switchover", "leader-cannot-write"]);
    assert_eq!(s.sentence("switchover"), "switchover from psg1 to psg2 under way, 2 s; writes are away");

    stops(&mut s, "stopped");
    s.delete("leader").writes_go_to(&[]).pass(1);
    assert_eq!(s.codes(), ["switchover", "no-leader", "member-down", "route-none"]);
    assert_eq!(s.sentence("no-leader"), "nobody leads while psg1 hands over to psg2 as asked: clients cannot write");
    assert_eq!(s.sentence("member-down"), "psg1, the last leader, hands over: Patroni calls it stopped, as a switchover is asked for");
    assert_eq!(worst(&s), Some(Level::Warning));

    // psg2 has the key and writes; the request is taken away; HAProxy has not seen it yet.
    s.promote("psg2", 2).put("failover", "{}").writes_go_to(&[]);
    stops(&mut s, "stopped");
    s.pass(2);
    assert_eq!(s.codes(), ["switchover", "member-down", "route-none"]);
    let told = "switchover from psg1 to psg2 under way, 5 s; writes are away: psg2 accepts them, but no route leads there yet";
    assert_eq!((s.sentence("switchover"), worst(&s)), (told, Some(Level::Warning)));
    s.second_haproxy().writes_of("vm4", &["psg2"]).pass(1);
    let told = "switchover from psg1 to psg2 under way, 7 s; psg2 accepts writes, but not every route leads there yet";
    assert_eq!((s.sentence("switchover"), worst(&s)), (told, Some(Level::Warning)));

    s.promote("psg2", 2).answers("sql psg1").patroni("psg1", json!({"state": "running"}));
    s.sql("psg1", |sql| (sql.in_recovery, sql.timeline, sql.current_lsn) = (true, Some(2), None)).pass(1);
    assert_eq!(s.finding("switchover"), None, "{:?}", s.codes());
    // What happens to the routes afterwards does not belong to it.
    s.writes_go_to(&[]).pass(1);
    assert_eq!((s.finding("switchover"), s.finding("route-none").unwrap().severity), (None, Level::Critical));
}

#[test]
fn a_new_leader_that_has_something_to_replay_is_named() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
    stops(&mut s, "stopped");
    s.delete("leader").writes_go_to(&[]).pass(1);
    s.leader("psg2").put("failover", "{}");
    s.sql("psg2", |sql| sql.replay_lsn = sql.receive_lsn.map(|at| Lsn(at.0 - (5 << 20)))).pass(1);
    let told = "switchover from psg1 to psg2 under way, 2 s; writes are away: psg2 has 5.0 MB to replay before it accepts them";
    assert_eq!((s.sentence("switchover"), worst(&s)), (told, Some(Level::Warning)));
    // It is bad when it lasts, as any other.
    s.pass(30);
    let told = "the switchover from psg1 to psg2 is not over after 32 s (limit 20 s); writes are away: psg2 has 5.0 MB to replay before it accepts them";
    assert_eq!((s.sentence("switchover"), worst(&s)), (told, Some(Level::Critical)));
}

#[test]
fn one_that_takes_too_long_is_critical_in_all_its_parts() {
    let mut s = Scenario::healthy();
    s.limits(Limits { switchover: Duration::from_secs(5), ..Limits::default() });
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
    stops(&mut s, "stopped");
    s.delete("leader").writes_go_to(&[]).pass(5);
    assert_eq!(worst(&s), Some(Level::Warning));
    s.pass(1);
    assert_eq!(s.sentence("switchover"), "the switchover from psg1 to psg2 is not over after 6 s (limit 5 s); writes are away");
    let critical: Vec<&str> = s.document().findings.iter().filter(|f| f.severity == Level::Critical).map(|f| f.code.as_str()).collect();
    assert_eq!(critical, ["switchover", "no-leader", "member-down", "route-none"]);
    assert_eq!(s.sentence("no-leader"), "nobody leads: clients cannot write");
}

#[test]
fn one_that_does_not_begin_is_no_outage() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#).pass(60);
    let finding = s.finding("switchover").unwrap();
    let told = "the switchover from psg1 to psg2 is not over after 1 min (limit 20 s); psg1 still accepts writes";
    assert_eq!((finding.severity, finding.sentence.as_str()), (Level::Warning, told));
    s.put("failover", "{}").pass(1);
    assert_eq!(s.verdict(), "healthy", "it was taken back");
}

#[test]
fn a_crash_is_none_and_neither_is_one_for_later() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "scheduled_at": "2026-11-24T03:01:00+00:00"}"#).pass(1);
    assert_eq!(s.verdict(), "healthy");
    s.pass(58);
    assert_eq!(s.sentence("switchover"), "switchover from psg1 under way, 1 s; psg1 still accepts writes", "it is due");

    // While it is under way, the old leader's Patroni falls silent: that was not asked for.
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1"}"#).crash("psg1").pass(2);
    assert_eq!(s.finding("leader-silent").unwrap().severity, Level::Critical);
    assert_eq!(s.sentence("switchover"), "switchover from psg1 under way, 2 s; writes are away");

    // Somebody accepts writes without the key.
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1"}"#).delete("leader").pass(1);
    assert_eq!(s.finding("no-leader").unwrap().severity, Level::Critical);

    // Asked for when nobody led: there was nothing to hand over.
    let mut s = Scenario::healthy();
    s.crash("psg1").delete("leader").delete("members/psg1").pass(1);
    s.put("failover", r#"{"member": "psg2"}"#).pass(1);
    assert_eq!((s.finding("switchover"), s.finding("no-leader").unwrap().severity), (None, Level::Critical));

    // Another one than asked for has the key, a while after the request was taken away.
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1"}"#).put("failover", "{}").pass(12);
    s.crash("psg1").delete("leader").writes_go_to(&[]).pass(1);
    assert_eq!((s.finding("switchover"), s.finding("route-none").unwrap().severity), (None, Level::Critical));
}

#[test]
fn one_that_was_there_when_we_came_says_that_it_began_before() {
    let mut s = Scenario::unheard();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#).list().pass(3);
    assert_eq!(s.sentence("switchover"), "switchover from psg1 to psg2 under way, 3 s at least; psg1 still accepts writes");
    // Nobody says whether it accepts writes.
    s.fails("sql psg1", ErrorKind::Auth, "no").pass(1);
    let told = "switchover from psg1 to psg2 under way, 4 s at least; whether writes are away is not known";
    assert_eq!(s.sentence("switchover"), told);
    s.merge("config", json!({"standby_cluster": {"host": "192.0.2.50"}})).pass(1);
    assert_eq!(s.sentence("switchover"), "switchover from psg1 to psg2 under way, 5 s at least", "nobody writes to a standby cluster");
}

/// The codes of what is critical.
fn critical(s: &Scenario) -> Vec<&str> {
    s.document().findings.iter().filter(|f| f.severity == Level::Critical).map(|f| f.code.as_str()).collect()
}

/// A check that runs once a minute comes anew each time: it must not count the limit anew as well.
#[test]
fn one_whose_beginning_nobody_saw_lessens_nothing() {
    let mut s = Scenario::unheard();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
    stops(&mut s, "stopping");
    s.writes_go_to(&[]).list().pass(2);
    assert_eq!(critical(&s), ["switchover", "leader-cannot-write", "route-none"]);
    assert_eq!(s.sentence("switchover"), "switchover from psg1 to psg2 under way, 2 s at least; writes are away");
    assert_eq!(
        s.sentence("leader-cannot-write"),
        "psg1 holds the leader key, but its PostgreSQL does not serve: Patroni calls it stopping: clients cannot write"
    );

    // It names a leader, and nobody holds the key: for how long, nobody knows.
    let mut s = Scenario::unheard();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#).delete("leader");
    stops(&mut s, "stopped");
    s.writes_go_to(&[]).list().pass(1);
    assert_eq!(critical(&s), ["switchover", "no-leader", "route-none"]);
    assert_eq!(s.sentence("no-leader"), "nobody leads: clients cannot write");
}

/// Clients wrote a moment ago: whatever hangs has not hung for longer than that.
#[test]
fn one_whose_beginning_nobody_saw_has_taken_no_longer_than_since_the_last_commit() {
    let came = |clock: &[(&str, SourceKind, i64)], ago: i64| {
        let mut s = Scenario::unheard();
        s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#).delete("leader");
        stops(&mut s, "stopped");
        s.writes_go_to(&[]).list().pass(1);
        s.clocks(clock);
        let at = s.now().as_micros() - ago * 1_000_000;
        s.sql("psg3", |sql| sql.replay_timestamp = Some(Time::from_micros(at))).pass(1);
        s
    };
    let known = [("psg1", SourceKind::Rest, 0)];
    let s = came(&known, 3);
    assert_eq!((critical(&s), worst(&s)), (Vec::new(), Some(Level::Warning)));
    assert_eq!(s.sentence("no-leader"), "nobody leads while psg1 hands over to psg2 as asked: clients cannot write");
    let told = s.sentence("switchover");
    assert!(told.contains("writes are away, for ") && told.ends_with(" s at most"), "{told}");
    // One that hangs is not new each time.
    assert_eq!(critical(&came(&known, 30)), ["switchover", "no-leader", "route-none"]);
    // A commit has the time of who made it: by a clock that is ahead it may be old, and by one that nobody knows it says nothing.
    assert_eq!(critical(&came(&[("psg1", SourceKind::Rest, 60_000)], 3)), ["switchover", "no-leader", "route-none"]);
    assert_eq!(critical(&came(&[("psg2", SourceKind::Rest, 0)], 3)), ["switchover", "no-leader", "route-none"]);
    // And it ends as every other does.
    let mut s = came(&known, 3);
    s.pass(20);
    assert_eq!(critical(&s), ["switchover", "no-leader", "route-none"]);
}

#[test]
fn one_that_was_scheduled_counts_from_then_whenever_we_come() {
    let came = |due: &str, state: Option<&str>| {
        let mut s = Scenario::unheard();
        s.put("failover", format!(r#"{{"leader": "psg1", "member": "psg2", "scheduled_at": "2026-11-24T{due}+00:00"}}"#));
        if let Some(state) = state {
            stops(&mut s, state);
            s.writes_go_to(&[]);
        }
        s.list().pass(1);
        s
    };
    let s = came("02:59:50", None);
    assert_eq!(s.sentence("switchover"), "switchover from psg1 to psg2 under way, 11 s; psg1 still accepts writes");
    let s = came("02:59:50", Some("stopping"));
    assert_eq!((s.codes(), worst(&s)), (vec!["switchover", "leader-cannot-write", "route-none"], Some(Level::Warning)));
    let s = came("02:59:30", Some("stopping"));
    assert_eq!(critical(&s), ["switchover", "leader-cannot-write", "route-none"]);
    assert_eq!(s.sentence("switchover"), "the switchover from psg1 to psg2 is not over after 31 s (limit 20 s); writes are away");
    // We came before it was due.
    let mut s = came("03:00:05", None);
    assert_eq!(s.verdict(), "healthy");
    s.pass(7);
    assert_eq!(s.sentence("switchover"), "switchover from psg1 to psg2 under way, 3 s; psg1 still accepts writes");
}

#[test]
fn what_happens_after_it_is_over_is_as_bad_as_ever() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#).delete("leader").promote("psg2", 2).put("failover", "{}").pass(2);
    assert_eq!((s.finding("switchover"), worst(&s)), (None, None));
    // Only seconds after the request was taken away, the new leader dies.
    s.crash("psg2").delete("leader").writes_go_to(&[]).pass(1);
    assert_eq!(s.finding("switchover"), None);
    assert_eq!(critical(&s), ["no-leader", "member-down", "route-none"]);
    assert_eq!(s.sentence("no-leader"), "nobody leads: clients cannot write");
}

#[test]
fn only_a_cluster_that_hands_over_is_without_a_leader_as_asked() {
    let told = |s: &Scenario| s.finding("no-leader").map(|f| (f.severity, f.sentence.clone()));
    let asked = || {
        let mut s = Scenario::healthy();
        s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
        s
    };
    // The last word of who hands over is from before its key went: whether it still accepts writes is not known.
    let mut s = asked();
    s.silent("sql psg1").pass(1).delete("leader");
    assert_eq!(told(&s), Some((Level::Warning, "nobody leads while psg1 hands over to psg2 as asked".to_owned())));
    // Somebody else's is not its.
    let mut s = asked();
    s.sql("psg3", |sql| (sql.in_recovery, sql.current_lsn) = (false, sql.replay_lsn)).pass(1);
    s.silent("sql psg1").silent("sql psg3").pass(1).delete("leader");
    assert_eq!(told(&s), Some((Level::Critical, "nobody leads: the leader key is gone".to_owned())));

    let mut s = asked();
    stops(&mut s, "stopped");
    for key in ["initialize", "leader", "members/psg1", "members/psg2", "members/psg3"] {
        s.delete(key);
    }
    s.pass(1);
    assert_eq!(told(&s), Some((Level::Critical, "the cluster psg is gone from etcd: neither members nor a leader".to_owned())));

    // While the cluster is paused, only a candidate who is named takes over, and only as long as he is.
    let mut s = Scenario::healthy();
    s.merge("config", json!({"pause": true})).put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
    stops(&mut s, "stopped");
    s.delete("leader").pass(1);
    let handing = "nobody leads while psg1 hands over to psg2 as asked: clients cannot write";
    assert_eq!(told(&s), Some((Level::Warning, handing.to_owned())));
    s.put("failover", "{}").pass(1);
    assert_eq!(told(&s), Some((Level::Critical, "nobody leads, and nobody will: the cluster is paused".to_owned())));
}

#[test]
fn one_that_names_another_leader_is_none_of_the_holder() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg3"}"#);
    stops(&mut s, "stopped");
    s.writes_go_to(&[]).pass(1);
    assert_eq!((s.finding("switchover"), critical(&s)), (None, vec!["leader-cannot-write", "route-none"]));

    // We come when psg2 has the key, and the request is still there; it names the old leader, or nobody.
    for request in [r#"{"leader": "psg1", "member": "psg2"}"#, r#"{"member": "psg2"}"#] {
        let mut s = Scenario::unheard();
        s.put("failover", request).promote("psg2", 2).list().pass(2);
        assert_eq!((s.finding("switchover"), worst(&s)), (None, None), "{request}: {:?}", s.codes());
    }

    // The new leader of a paused cluster writes the request anew, without the old one's name, while it promotes.
    let mut s = Scenario::healthy();
    s.merge("config", json!({"pause": true})).put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
    stops(&mut s, "stopped");
    s.delete("leader").promote("psg2", 2).put("failover", r#"{"member": "psg2"}"#).writes_go_to(&[]);
    stops(&mut s, "stopped");
    s.pass(1);
    let told = "switchover from psg1 to psg2 under way, 1 s; writes are away: psg2 accepts them, but no route leads there yet";
    assert_eq!((s.sentence("switchover"), worst(&s)), (told, Some(Level::Warning)));
}

#[test]
fn one_route_that_stays_wrong_does_not_keep_it_open() {
    let mut s = Scenario::healthy();
    s.limits(Limits { switchover: Duration::from_secs(5), ..Limits::default() });
    s.second_haproxy().put("failover", r#"{"leader": "psg1", "member": "psg2"}"#).delete("leader").promote("psg2", 2).put("failover", "{}");
    s.pass(5);
    let told = "switchover from psg1 to psg2 under way, 5 s; psg2 accepts writes, but not every route leads there yet";
    assert_eq!((s.sentence("switchover"), s.finding("switchover").unwrap().severity), (told, Level::Warning));
    s.pass(1);
    assert_eq!(s.finding("switchover"), None, "clients write: the route tells the rest");
    s.pass(9);
    assert_eq!(critical(&s), ["route-wrong"]);
    // What happens to the routes then does not belong to it.
    s.writes_go_to(&[]).pass(1);
    assert_eq!((s.finding("switchover"), critical(&s)), (None, vec!["route-none", "route-wrong"]));

    // Nobody asks the new leader's PostgreSQL: its Patroni's word is enough.
    let mut s = Scenario::healthy();
    s.second_haproxy().put("failover", r#"{"leader": "psg1", "member": "psg2"}"#).delete("leader").promote("psg2", 2).put("failover", "{}");
    s.fails("sql psg2", ErrorKind::Auth, "no").pass(3);
    let told = "switchover from psg1 to psg2 under way, 3 s; psg2 accepts writes, but not every route leads there yet";
    assert_eq!(s.sentence("switchover"), told);
}

#[test]
fn nobody_writes_to_a_standby_cluster_so_a_late_one_is_no_outage() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"standby_cluster": {"host": "192.0.2.50"}}));
    s.patroni("psg1", json!({"role": "standby_leader"})).sql("psg1", |sql| sql.in_recovery = true).pass(15);
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#).pass(60);
    let finding = s.finding("switchover").unwrap();
    let told = "the switchover from psg1 to psg2 is not over after 1 min (limit 20 s)";
    assert_eq!((finding.severity, finding.sentence.as_str()), (Level::Warning, told));
}
