//! Routes, maintenance, sources and keys: `route-wrong`, `route-none`, `paused`, `source-stale`, `dcs-value-bad`; and the headline.

use pgbaton::document::Level;
use pgbaton::model::{ErrorKind, Fact, PauseNote, SourceError, SourceId, SourceKind};
use serde_json::json;

use crate::scenario::Scenario;

#[test]
fn writes_that_go_to_another_than_the_leader_are_found() {
    let mut s = Scenario::healthy();
    s.writes_go_to(&["psg2"]).pass(1);
    assert_eq!(s.sentence("route-wrong"), "vm1 sends writes to psg2, but psg1 leads");
    assert_eq!(s.finding("route-wrong").unwrap().severity, Level::Critical);
    assert_eq!(s.finding("route-wrong").unwrap().subject.as_deref(), Some("vm1 primary"));
    s.writes_go_to(&["psg1", "psg2"]).pass(1);
    assert_eq!(s.sentence("route-wrong"), "vm1 sends some writes to psg2, but psg1 leads");
    s.writes_go_to(&["psg1"]).pass(1);
    assert_eq!((s.verdict(), s.document().routes[0].right), ("healthy", Some(true)));
}

#[test]
fn a_route_may_follow_a_change_for_a_while() {
    let mut s = Scenario::healthy();
    s.promote("psg2", 2).writes_go_to(&["psg1"]).pass(1);
    assert_eq!(s.finding("route-wrong").unwrap().severity, Level::Warning);
    s.pass(12);
    assert_eq!(s.finding("route-wrong").unwrap().severity, Level::Critical);
}

#[test]
fn a_route_that_leads_nowhere_is_found() {
    let mut s = Scenario::healthy();
    s.haproxy("vm1", |h| h.servers.iter_mut().filter(|x| x.backend == "primary").for_each(|x| x.status = "DOWN".to_owned())).pass(1);
    assert_eq!((s.codes(), s.sentence("route-none")), (vec!["route-none"], "clients of vm1 cannot write: primary has no server"));
    assert_eq!(s.document().headline.level, Level::Critical);
    s.answers("haproxy vm1");
    s.haproxy("vm1", |h| h.servers.iter_mut().filter(|x| x.backend == "replicas").for_each(|x| x.status = "MAINT".to_owned())).pass(1);
    assert_eq!((s.codes(), s.sentence("route-none")), (vec!["route-none"], "clients of vm1 cannot read: replicas has no server"));
    assert_eq!(s.document().headline.level, Level::Warning);
    s.haproxy("vm1", |h| h.servers.iter_mut().filter(|x| x.name == "psg3").for_each(|x| x.status = "UP 1/2".to_owned())).pass(1);
    assert_eq!(s.finding("route-none"), None, "one that is going down still serves");
}

#[test]
fn a_route_that_is_not_heard_leads_nowhere_known() {
    let mut s = Scenario::healthy();
    s.fails("haproxy vm1", ErrorKind::Refused, "connection refused by 192.0.2.1:7000").pass(2);
    assert_eq!(
        (s.codes(), s.document().headline.level),
        (vec![], Level::Unknown),
        "its answer is not too old yet, but it is no longer sure"
    );
    s.pass(2);
    assert_eq!(s.codes(), ["source-stale"], "nor is it old yet, but it has failed for a while");
    s.pass(6);
    assert_eq!(s.sentence("source-stale"), "where vm1 sends clients is not known: it refuses connections: not running");
    assert!(s.document().routes.iter().all(|r| r.right.is_none()));
    let haproxy = &s.document().cluster.truths[3];
    assert_eq!((haproxy.leaders.len(), haproxy.agrees, haproxy.note.as_deref()), (0, None, Some("no current answer: vm1")));
    s.answers("haproxy vm1").pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn maintenance_is_told_with_those_who_have_not_seen_it() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"pause": true})).pass(1);
    assert_eq!(s.sentence("paused"), "paused: there will be no failover (psg1, psg2 and psg3 have not seen it yet)");
    s.patroni("psg1", json!({"pause": true})).patroni("psg2", json!({"pause": true})).pass(1);
    assert_eq!(s.sentence("paused"), "paused: there will be no failover (psg3 has not seen it yet)");
    s.patroni("psg3", json!({"pause": true})).pass(1);
    assert_eq!((s.codes(), s.sentence("paused")), (vec!["paused"], "paused: there will be no failover"));
    assert_eq!(s.document().cluster.paused, Some(true));
    s.merge("config", json!({"pause": false})).pass(1);
    assert_eq!((s.codes(), s.document().cluster.paused), (vec![], Some(false)));
}

#[test]
fn a_source_that_fails_is_found_after_3_s_and_one_that_hangs_when_its_answer_is_old() {
    let mut s = Scenario::healthy();
    s.fails("sql psg2", ErrorKind::Auth, "the password is refused").fails("sql psg3", ErrorKind::Auth, "the password is refused").pass(2);
    assert_eq!((s.codes(), s.document().headline.level), (vec![], Level::Unknown));
    s.pass(2);
    assert_eq!(s.codes(), ["source-stale"]);
    assert_eq!(s.sentence("source-stale"), "PostgreSQL on psg2 and psg3 cannot be asked: the password is refused");
    s.answers("sql psg2").answers("sql psg3").silent("rest psg2").silent("etcd 2").pass(8);
    let sentences: Vec<&str> = s.document().findings.iter().map(|f| f.sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "etcd cannot lose another member: 2 of 3 are healthy, psg2 does not answer",
            "how http://192.0.2.12:2379 does is not known: nothing was heard for more than 7 s",
            "the Patroni of psg2 cannot be asked: nothing was heard for more than 5 s",
        ]
    );
    s.answers("rest psg2").answers("etcd 2").pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn a_lease_that_cannot_be_read_is_found() {
    let mut s = Scenario::healthy();
    assert_eq!(s.document().cluster.lease_ttl_seconds, Some(28.0));
    s.fails("lease", ErrorKind::Denied, "permission denied").pass(2);
    assert_eq!((s.document().cluster.lease_ttl_seconds, s.document().cluster.lease_age_ms), (Some(26.0), Some(2_000)), "counted down");
    s.pass(5);
    assert_eq!(s.sentence("source-stale"), "the leader's lease cannot be read: permission denied");
    s.delete("leader").pass(1);
    assert_eq!(s.finding("source-stale"), None, "without a key there is no lease to be missed");
    assert_eq!(s.document().cluster.lease_ttl_seconds, None);
}

#[test]
fn keys_that_are_no_longer_confirmed_are_found() {
    let mut s = Scenario::unheard();
    s.fails_with("dcs", SourceError::new(ErrorKind::Auth, "etcd refuses the user").with_hint("see etcd.username")).pass(1);
    assert_eq!(s.sentence("source-stale"), "etcd cannot be read: etcd refuses the user (see etcd.username)");
    assert_eq!(s.document().cluster.dcs_error.as_deref(), Some("etcd refuses the user (see etcd.username)"));
    let mut s = Scenario::healthy();
    s.silent("dcs").silent("lease").pass(6);
    assert_eq!(s.codes(), ["source-stale"]);
    assert_eq!(s.sentence("source-stale"), "what etcd holds is no longer confirmed: nothing was heard for more than 5 s");
    assert_eq!(s.document().headline.level, Level::Critical);
}

#[test]
fn a_hint_stands_wherever_the_error_does() {
    let mut s = Scenario::healthy();
    s.fails_with("rest psg2", SourceError::new(ErrorKind::Tls, "the certificate is not trusted").with_hint("set ctl.cacert")).pass(1);
    let told = "the certificate is not trusted (set ctl.cacert)";
    assert_eq!(s.member("psg2").rest.error.as_deref(), Some(told));
    assert_eq!(s.document().sources.iter().find(|x| x.name == "rest" && x.target == "psg2").unwrap().error.as_deref(), Some(told));
    s.pass(3);
    assert_eq!(s.finding("source-stale").unwrap().evidence[0].value, told);
}

#[test]
fn a_value_that_is_not_json_is_named() {
    let mut s = Scenario::healthy();
    s.put("config", "ttl: 30").pass(1);
    assert_eq!(s.codes(), ["dcs-value-bad"]);
    assert_eq!(s.sentence("dcs-value-bad"), "the DCS key config is not JSON: expected ident at line 1 column 2");
    assert_eq!(s.finding("dcs-value-bad").unwrap().subject.as_deref(), Some("config"));
    assert_eq!((s.document().cluster.paused, s.document().cluster.ttl), (None, None), "not false, not 30");
    s.put("members/psg2", "[1]").pass(1);
    let sentences: Vec<&str> = s.document().findings.iter().map(|f| f.sentence.as_str()).collect();
    assert!(sentences.contains(&"the DCS key members/psg2 has an unexpected form"), "{sentences:?}");
    assert_eq!(s.member("psg2").host.as_deref(), Some("192.0.2.12"), "its address stays, and so it is still asked");
    s.put("config", r#"{"ttl": 30}"#).put("members/psg2", r#"{"role": "replica"}"#).pass(1);
    assert_eq!((s.codes(), s.document().cluster.paused), (vec![], Some(false)));
}

/// Every single source, failing or silent, fresh or not: never healthy.
#[test]
fn the_headline_is_never_ok_while_a_source_is_not_well() {
    let all = [
        "dcs",
        "lease",
        "etcd 1",
        "etcd 2",
        "etcd 3",
        "rest psg1",
        "rest psg2",
        "rest psg3",
        "sql psg1",
        "sql psg2",
        "sql psg3",
        "haproxy vm1",
    ];
    for source in all {
        let mut s = Scenario::healthy();
        s.fails(source, ErrorKind::Other, "it fails").moment();
        assert_ne!(s.document().headline.level, Level::Ok, "{source} fails");
        s.answers(source).pass(1);
        assert_eq!(s.document().headline.level, Level::Ok, "{source} is back: {}", s.verdict());
        s.silent(source).pass(9);
        assert_ne!(s.document().headline.level, Level::Ok, "{source} is silent");
    }
}

#[test]
fn the_headline_counts_the_rest() {
    let mut s = Scenario::healthy();
    s.crash("psg2").crash("psg3").pass(1);
    assert_eq!(s.verdict(), "if psg1 died now, nobody could take over: psg2 is down, psg3 is down (and 2 more)");
    assert_eq!(s.codes(), ["no-candidate", "member-down", "member-down"]);
    assert_eq!(s.document().headline.level, Level::Warning);
}

#[test]
fn a_finding_has_a_beginning() {
    let mut s = Scenario::healthy();
    s.crash("psg2").pass(1);
    let begun = s.now();
    s.pass(30);
    assert_eq!(s.finding("member-down").unwrap().since, begun);
    s.answers("rest psg2").answers("sql psg2").pass(10).crash("psg2").pass(1);
    assert_eq!(s.finding("member-down").unwrap().since, s.now());
}

#[test]
fn a_pause_that_lasts_may_be_forgotten() {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"pause": true})).later(std::time::Duration::from_secs(3595));
    assert_eq!(s.finding("pause-forgotten"), None);
    s.pass(6);
    assert_eq!(s.sentence("pause-forgotten"), "the pause has lasted for 1 h 00 min at least: was it forgotten?");
    s.merge("config", json!({"pause": null})).pass(1);
    s.merge("config", json!({"pause": true})).pass(1);
    assert_eq!(s.finding("pause-forgotten"), None, "a new pause is a new one");
}

#[test]
fn a_pause_that_was_ordered_from_here_says_by_whom_and_reminds() {
    let mut s = Scenario::healthy();
    let seen = ["psg1", "psg2", "psg3"];
    let audit = SourceId::new(SourceKind::Audit, s.cluster().scope.clone());
    let ordered = s.now();
    let remind_at = ordered.plus(std::time::Duration::from_secs(600));
    let note = PauseNote {
        at: ordered,
        by: "anna".to_owned(),
        asked: None,
        reason: Some("reindex\x1b[1m".to_owned()),
        remind_at: Some(remind_at),
    };
    s.merge("config", json!({"pause": true}));
    seen.iter().fold(&mut s, |s, name| s.patroni(name, json!({"pause": true}))).report(audit, Fact::PauseNote(Some(note))).pass(1);
    assert_eq!(s.sentence("paused"), "paused: there will be no failover; ordered by anna, 1 s ago: reindex\u{fffd}[1m");
    assert_eq!(s.codes(), ["paused"]);
    s.later(std::time::Duration::from_secs(600)).pass(2);
    assert_eq!(s.sentence("pause-reminder"), "of this pause somebody wanted to be reminded 3 s ago: anna, 10 min ago: reindex\u{fffd}[1m");
    assert!(
        s.finding("pause-reminder")
            .unwrap()
            .evidence
            .iter()
            .any(|e| e.source == "audit" && e.value == "anna, 10 min ago: reindex\u{fffd}[1m")
    );
    s.merge("config", json!({"pause": null}));
    seen.iter().fold(&mut s, |s, name| s.patroni(name, json!({"pause": false}))).pass(1);
    assert_eq!(s.codes(), [""; 0]);
    // Another pause, ordered elsewhere, is not hers.
    s.later(std::time::Duration::from_secs(600)).merge("config", json!({"pause": true})).pass(1);
    assert!(!s.sentence("paused").contains("anna"), "{}", s.sentence("paused"));
}

#[test]
fn a_pause_that_was_on_before_may_be_another_than_the_one_that_is_written_down() {
    let mut s = Scenario::unheard();
    s.merge("config", json!({"pause": true}));
    ["psg1", "psg2", "psg3"].iter().fold(&mut s, |s, name| s.patroni(name, json!({"pause": true}))).list().pass(2);
    let audit = SourceId::new(SourceKind::Audit, s.cluster().scope.clone());
    let at = s.now().before(std::time::Duration::from_secs(7200));
    let note = |asked: &str| PauseNote { at, by: "anna".to_owned(), asked: Some(asked.to_owned()), reason: None, remind_at: Some(at) };
    s.report(audit.clone(), Fact::PauseNote(Some(note("http://10.9.9.9:8008")))).pass(1);
    assert_eq!((s.codes(), s.sentence("paused")), (vec!["paused"], "paused: there will be no failover"), "a cluster of the same scope");
    let own = s.cluster().members["psg1"].dcs().unwrap().api_url.clone().unwrap();
    s.report(audit, Fact::PauseNote(Some(note(own.trim_end_matches("/patroni"))))).pass(1);
    assert_eq!(s.sentence("paused"), "paused: there will be no failover; the last pause ordered from here: anna, 2 h 00 min ago");
    let told = s.sentence("pause-reminder");
    assert!(told.starts_with("of the last pause ordered from here somebody wanted to be reminded 2 h 00 min ago"), "{told}");
}
