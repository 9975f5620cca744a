//! `routes-differ`, `route-flapping`, `sessions-on-old-leader`: the proxies beside each other and over time.

use pgbaton::document::Level;
use pgbaton::model::ErrorKind;

use crate::scenario::Scenario;

#[test]
fn two_proxies_that_disagree_on_the_writer_are_found_once_it_lasts() {
    let mut s = Scenario::healthy();
    s.second_haproxy();
    assert_eq!(s.verdict(), "healthy");
    s.writes_of("vm4", &["psg2"]).pass(11);
    assert_eq!(s.codes(), ["route-wrong"], "their checks do not come at the same moment");
    s.pass(2);
    assert_eq!(s.codes(), ["route-wrong", "routes-differ"]);
    let finding = s.finding("routes-differ").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("write")));
    assert_eq!(finding.sentence, "the HAProxies send writes to different members: vm1 to psg1, vm4 to psg2");
    assert_eq!(finding.evidence.len(), 6);
    // Nobody knows who leads: neither is known to be right.
    s.fails("dcs", ErrorKind::Timeout, "no answer").crash("psg1").pass(8);
    assert_eq!(s.finding("routes-differ").unwrap().severity, Level::Critical);
    // A route that is not heard differs from nothing.
    s.fails("haproxy vm4", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.finding("routes-differ"), None);
}

#[test]
fn two_proxies_that_disagree_on_the_readers_are_found() {
    let mut s = Scenario::healthy();
    s.second_haproxy().up_in("vm4", "replicas", &["psg2"]).pass(13);
    assert_eq!(s.codes(), ["routes-differ"]);
    assert_eq!(s.sentence("routes-differ"), "the HAProxies send reads to different members: vm1 to psg2 and psg3, vm4 to psg2");
    assert_eq!(s.finding("routes-differ").unwrap().subject.as_deref(), Some("read"));
    // It leads to nobody: that is told as such.
    s.up_in("vm4", "replicas", &[]).pass(13);
    assert_eq!(s.codes(), ["route-none"]);
    s.up_in("vm4", "replicas", &["psg2", "psg3"]).pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn who_asks_once_knows_by_haproxys_own_count() {
    let mut s = Scenario::unheard();
    s.second_haproxy().up_in("vm4", "replicas", &["psg2"]).list().pass(1);
    assert_eq!(s.finding("routes-differ"), None, "it has just changed");
    let mut s = Scenario::unheard();
    s.haproxy("vm1", |h| h.servers.retain(|x| x.name != "psg3")).second_haproxy().list().pass(1);
    assert_eq!(s.codes(), ["routes-differ"], "vm1 has been so for a minute");
    assert_eq!(s.sentence("routes-differ"), "the HAProxies send reads to different members: vm1 to psg2, vm4 to psg2 and psg3");
}

#[test]
fn a_change_of_leader_is_no_difference() {
    let mut s = Scenario::healthy();
    s.second_haproxy().promote("psg2", 2).writes_of("vm4", &["psg1"]).pass(5);
    assert_eq!(s.codes(), ["route-wrong"]);
    s.writes_of("vm4", &["psg2"]).up_in("vm4", "replicas", &["psg1", "psg3"]);
    s.haproxy("vm4", |h| h.servers.iter_mut().for_each(|server| server.sessions = Some(0))).pass(1);
    for _ in 0..20 {
        assert_eq!(s.codes(), Vec::<&str>::new());
        s.pass(1);
    }
}

#[test]
fn a_route_that_comes_and_goes_is_found() {
    let mut s = Scenario::healthy();
    for round in 1..=4 {
        assert_eq!(s.finding("route-flapping"), None, "{round}");
        s.writes_go_to(&[]).pass(4).writes_go_to(&["psg1"]).pass(4);
    }
    // Its read backend flaps with it: whoever does not write reads here.
    let finding = s.document().findings.iter().find(|f| f.subject.as_deref() == Some("vm1 primary")).unwrap();
    assert_eq!((finding.code.as_str(), finding.severity), ("route-flapping", Level::Warning));
    assert_eq!(finding.sentence, "vm1 changed 4 times within 2 min where it sends writes");
    assert_eq!(finding.evidence[0].value, "came back 4 times, now UP, L7OK");
    s.pass(120);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn a_reader_that_comes_and_goes_is_found_and_a_rolling_restart_is_not() {
    let mut s = Scenario::healthy();
    for name in ["psg2", "psg3", "psg2", "psg3"] {
        let other = if name == "psg2" { "psg3" } else { "psg2" };
        s.up_in("vm1", "replicas", &[other]).pass(5).up_in("vm1", "replicas", &["psg2", "psg3"]).pass(5);
    }
    assert_eq!(s.codes(), Vec::<&str>::new(), "each came back twice");
    for _ in 0..2 {
        s.up_in("vm1", "replicas", &["psg3"]).pass(3).up_in("vm1", "replicas", &["psg2", "psg3"]).pass(3);
    }
    assert_eq!(s.codes(), ["route-flapping"]);
    assert_eq!(s.sentence("route-flapping"), "vm1 dropped psg2 from its reads and took it back 4 times within 2 min");
}

#[test]
fn a_switchover_there_and_back_is_not_flapping() {
    let mut s = Scenario::healthy();
    s.writes_go_to(&[]).pass(4).promote("psg2", 2).pass(20).writes_go_to(&[]).pass(4).promote("psg1", 3).pass(20);
    assert_eq!(s.codes(), Vec::<&str>::new());
}

#[test]
fn what_comes_and_goes_between_two_answers_is_seen_by_haproxys_count() {
    let mut s = Scenario::healthy();
    s.silent("haproxy vm1").pass(3);
    for _ in 0..4 {
        // UP for one second when it is asked next, seven seconds later.
        s.answers("haproxy vm1").restarted_check("vm1").moment().silent("haproxy vm1").pass(7);
    }
    assert_eq!(s.cluster().route_memory["vm1"].server("primary", "psg1").unwrap().returns.len(), 4);
}

#[test]
fn sessions_that_stay_behind_are_found() {
    let mut s = Scenario::healthy();
    s.promote("psg2", 2);
    let left = |s: &mut Scenario, count: Option<u32>| {
        s.haproxy("vm1", |h| h.servers.iter_mut().filter(|x| x.backend == "primary" && x.name == "psg1").for_each(|x| x.sessions = count));
    };
    left(&mut s, Some(14));
    s.pass(11);
    assert_eq!(s.codes(), Vec::<&str>::new(), "they may be on their way out");
    s.pass(3);
    assert_eq!(s.codes(), ["sessions-on-old-leader"]);
    let finding = s.finding("sessions-on-old-leader").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("vm1 primary psg1")));
    assert_eq!(finding.sentence, "14 sessions of vm1's are still on psg1, which does not lead: their writes are refused");
    assert_eq!((finding.evidence[0].what.as_str(), finding.evidence[0].value.as_str()), ("primary psg1", "DOWN, 14 open"));
    left(&mut s, Some(1));
    s.fails("sql psg1", ErrorKind::Timeout, "no answer").pass(1);
    let told = "1 session of vm1's is still on psg1, which does not lead: whether it takes their writes is not known";
    assert_eq!(s.sentence("sessions-on-old-leader"), told);
    s.answers("sql psg1").sql("psg1", |sql| sql.in_recovery = false).pass(1);
    let finding = s.finding("sessions-on-old-leader").unwrap();
    assert_eq!(finding.severity, Level::Critical);
    assert!(finding.sentence.ends_with("what they write there is lost"), "{}", finding.sentence);
    for none in [Some(0), None] {
        left(&mut s, none);
        s.pass(1);
        assert_eq!(s.finding("sessions-on-old-leader"), None);
    }
}

#[test]
fn sessions_elsewhere_are_nobodys_fault() {
    let mut s = Scenario::healthy();
    // On the leader, whose check fails; on a replica, through the read backend; with nobody known to lead.
    s.haproxy("vm1", |h| h.servers.iter_mut().for_each(|x| x.sessions = Some(4)));
    s.haproxy("vm1", |h| h.servers.iter_mut().filter(|x| x.backend == "primary" && x.name != "psg1").for_each(|x| x.sessions = Some(0)));
    s.writes_go_to(&[]).pass(20);
    assert_eq!(s.finding("sessions-on-old-leader"), None);
}

#[test]
fn a_server_that_was_taken_out_is_found_before_its_member_leads() {
    let mut s = Scenario::healthy();
    let state = |s: &mut Scenario, name: &'static str, status: &'static str| {
        s.haproxy("vm1", |h| {
            h.servers.iter_mut().filter(|x| x.backend == "primary" && x.name == name).for_each(|x| x.status = status.into())
        })
        .pass(1);
    };
    for status in ["MAINT", "DRAIN"] {
        state(&mut s, "psg2", status);
        assert_eq!(s.codes(), ["server-out"], "{status}");
        let told = format!("if psg2 led, clients of vm1 could not write: its server in primary is in {status}");
        assert_eq!(s.sentence("server-out"), told);
    }
    assert_eq!(s.finding("server-out").unwrap().severity, Level::Warning);
    state(&mut s, "psg2", "DOWN");
    assert_eq!(s.codes(), Vec::<&str>::new(), "what is DOWN comes back when its member leads");
    // A backend for reads is another matter.
    s.haproxy("vm1", |h| {
        h.servers.iter_mut().filter(|x| x.backend == "replicas" && x.name == "psg3").for_each(|x| x.status = "MAINT".into())
    })
    .pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new());
}
