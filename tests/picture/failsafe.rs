//! `failsafe-active`, `failsafe-incomplete`, `watchdog-off`: what keeps a leader, and what stops it.

use pgbaton::document::Level;
use pgbaton::model::ErrorKind;
use serde_json::json;

use crate::scenario::Scenario;

/// Failsafe mode is on and these are in its key.
fn on(names: &[&str]) -> Scenario {
    let mut s = Scenario::healthy();
    let urls: serde_json::Map<String, _> = names.iter().map(|n| ((*n).to_owned(), json!("http://192.0.2.11:8008/patroni"))).collect();
    s.merge("config", json!({"failsafe_mode": true})).put("failsafe", json!(urls)).pass(1);
    s
}

#[test]
fn an_active_failsafe_mode_is_told_with_who_says_so() {
    let mut s = on(&["psg1", "psg2", "psg3"]);
    s.patroni("psg1", json!({"failsafe_mode_is_active": true})).pass(1);
    assert_eq!(s.codes(), ["failsafe-active"]);
    let finding = s.finding("failsafe-active").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, None));
    let told = "failsafe mode is active, psg1 says: the leader stays without etcd as long as every member answers it";
    assert_eq!(finding.sentence, told);
    s.patroni("psg2", json!({"failsafe_mode_is_active": true})).pass(1);
    assert!(s.sentence("failsafe-active").starts_with("failsafe mode is active, psg1 and psg2 say: "));
    // What was said before it fell silent is not said now.
    s.answers("rest psg2").fails("rest psg1", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.finding("failsafe-active"), None);
}

/// The leader reaches every member, and no etcd: its lease has ended, and every member has said yes to it.
fn cut_off() -> Scenario {
    let mut s = on(&["psg1", "psg2", "psg3"]);
    for name in ["psg1", "psg2", "psg3"] {
        s.patroni(name, json!({"failsafe_mode_is_active": true}));
    }
    s.pass(10).lease_runs_out("psg1");
    s.patroni("psg2", json!({"cluster_unlocked": true})).patroni("psg3", json!({"cluster_unlocked": true})).pass(1);
    s
}

#[test]
fn a_leader_that_failsafe_mode_holds_without_its_key_is_told_with_the_reason() {
    let mut s = cut_off();
    assert_eq!(s.codes(), ["no-leader", "member-missing", "failsafe-active"]);
    assert!(s.document().findings.iter().all(|f| f.severity == Level::Warning), "{:?}", s.document().findings);
    let told = "psg1 accepts writes without the leader key: failsafe mode holds it as long as every member answers it";
    assert_eq!((s.sentence("no-leader"), s.document().headline.leads.as_str()), (told, "psg1 leads in failsafe mode"));
    assert_eq!(s.sentence("member-missing"), "the key of psg1 in etcd is gone, as it does not reach etcd: it leads in failsafe mode");
    let said: Vec<_> = s.finding("no-leader").unwrap().evidence.iter().map(|e| format!("{} {} {}", e.source, e.what, e.value)).collect();
    assert!(said.contains(&"rest psg1 failsafe_mode_is_active true".to_owned()), "{said:?}");
    assert!(said.contains(&"sql psg1 pg_is_in_recovery() false".to_owned()), "{said:?}");
    let forecast = &s.document().forecast;
    assert_eq!((forecast.leader.as_deref(), forecast.next.len()), (Some("psg1"), 2), "{}", forecast.sentence);
    assert_eq!(s.member("psg2").questions[1].because, "psg1 asked it lately, in failsafe mode");
    assert_eq!(s.member("psg1").questions[2].because, "it leads without the key, as long as every member answers it");
    assert_eq!(s.document().routes[0].right, Some(true));
    // It has its key again; members say that the mode is active for up to ttl seconds.
    s.put("members/psg1", r#"{"conn_url": "postgres://192.0.2.11:5432/postgres"}"#)
        .leader("psg1")
        .patroni("psg1", json!({"failsafe_mode_is_active": null}));
    s.pass(1);
    assert_eq!((s.codes(), s.document().headline.leads.as_str()), (vec!["failsafe-active"], "psg1 leads"));
}

#[test]
fn who_writes_without_the_key_and_not_by_failsafe_mode_is_critical() {
    let critical = |s: &Scenario, told: &str| {
        let finding = s.finding("no-leader").unwrap();
        assert_eq!((finding.severity, finding.sentence.as_str()), (Level::Critical, told));
        assert_eq!(s.document().headline.leads, "nobody leads");
    };
    let writes = "nobody holds the leader key, yet psg1 accepts writes";
    // What the others say of it lasts for ttl after its end.
    let mut s = cut_off();
    s.patroni("psg1", json!({"failsafe_mode_is_active": null})).pass(1);
    critical(&s, writes);
    let mut s = cut_off();
    s.fails("rest psg1", ErrorKind::Refused, "refused").pass(1);
    critical(&s, writes);
    // An old timeline; another writer; a PostgreSQL that has stepped down.
    let mut s = cut_off();
    s.sql("psg2", |sql| sql.timeline = Some(2)).pass(1);
    critical(&s, writes);
    let mut s = cut_off();
    s.sql("psg2", |sql| sql.in_recovery = false).pass(1);
    critical(&s, "nobody holds the leader key, yet psg1 and psg2 accept writes");
    let mut s = cut_off();
    s.sql("psg1", |sql| sql.in_recovery = true).pass(1);
    critical(&s, "nobody leads: clients cannot write");
}

#[test]
fn a_failsafe_key_that_lacks_a_member_is_found_once_the_leader_had_its_loop() {
    let mut s = on(&["psg1", "psg2"]);
    s.pass(21);
    assert_eq!(s.codes(), Vec::<&str>::new(), "the leader writes it at its next loop");
    s.pass(1);
    assert_eq!(s.codes(), ["failsafe-incomplete"]);
    let told = "failsafe mode would not hold the leader if etcd were lost now: its key in etcd lacks psg3";
    assert_eq!((s.sentence("failsafe-incomplete"), s.finding("failsafe-incomplete").unwrap().severity), (told, Level::Warning));
    assert_eq!(s.finding("failsafe-incomplete").unwrap().evidence[0].value, "psg1 and psg2");
    s.delete("failsafe").pass(1);
    assert_eq!(
        s.sentence("failsafe-incomplete"),
        "failsafe mode would not hold the leader if etcd were lost now: its key in etcd is not there"
    );
    s.merge("config", json!({"failsafe_mode": false})).pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn a_member_of_the_key_that_does_not_answer_would_end_it() {
    let mut s = on(&["psg1", "psg2", "psg3"]);
    s.pass(60);
    assert_eq!(s.verdict(), "healthy");
    s.fails("rest psg3", ErrorKind::Refused, "refused").pass(12);
    assert_eq!(s.codes(), ["member-down"]);
    s.pass(2);
    assert_eq!(s.codes(), ["member-down", "failsafe-incomplete"], "what follows from it");
    assert_eq!(
        s.sentence("failsafe-incomplete"),
        "failsafe mode would not hold the leader if etcd were lost now: psg3 does not answer at its REST API"
    );
    // Its key goes, and with it its name: then it is not asked any more.
    s.delete("members/psg3").put("failsafe", r#"{"psg1": "http://a", "psg2": "http://b"}"#).pass(1);
    assert_eq!(s.finding("failsafe-incomplete"), None);
}

#[test]
fn what_is_not_known_of_the_failsafe_key_is_not_said() {
    // The leader does not ask itself; off; unreadable; etcd not read.
    let mut s = on(&["psg1", "psg2", "psg3"]);
    s.fails("rest psg1", ErrorKind::Refused, "refused").pass(15);
    assert_eq!(s.finding("failsafe-incomplete"), None);
    let mut s = Scenario::healthy();
    s.fails("rest psg3", ErrorKind::Refused, "refused").pass(60);
    assert_eq!(s.finding("failsafe-incomplete"), None);
    let mut s = on(&[]);
    s.put("failsafe", "nonsense").pass(60);
    assert_eq!(s.codes(), ["dcs-value-bad"]);
    let mut s = on(&["psg1"]);
    s.pass(30).fails("dcs", ErrorKind::Timeout, "no answer").pass(8);
    assert_eq!(s.finding("failsafe-incomplete"), None);
}

#[test]
fn a_watchdog_that_is_required_and_fails_is_found() {
    let mut s = Scenario::healthy();
    s.patroni("psg2", json!({"watchdog_failed": true})).pass(1);
    assert_eq!(s.codes(), ["watchdog-off"]);
    let finding = s.finding("watchdog-off").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("psg2")));
    assert_eq!(finding.sentence, "the watchdog that psg2 requires does not work: it will not take over");
    s.patroni("psg1", json!({"watchdog_failed": true})).patroni("psg2", json!({"watchdog_failed": null})).pass(1);
    let told = "the watchdog that psg1, the leader, requires does not work: nothing stops its PostgreSQL if Patroni hangs";
    assert_eq!(s.sentence("watchdog-off"), told);
    s.fails("rest psg1", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.finding("watchdog-off"), None, "nobody current says");
}
