//! `member-renamed`: one PostgreSQL under two names.

use pgbaton::document::Level;
use pgbaton::model::ErrorKind;
use serde_json::json;

use crate::scenario::Scenario;

const ADDRESSES: &str = r#"{"conn_url": "postgres://192.0.2.12:5432/postgres", "api_url": "http://192.0.2.12:8008/patroni"}"#;

/// The Patroni of `old` was started anew with another name.
fn renamed(s: &mut Scenario, old: &str) {
    s.patroni(old, json!({"patroni": {"version": "4.1.5", "scope": "psg", "name": "psg9"}})).pass(1);
}

#[test]
fn a_member_that_was_renamed_is_told_as_such_until_we_begin_anew() {
    let mut s = Scenario::healthy();
    // Its own key is not there yet.
    renamed(&mut s, "psg2");
    assert_eq!(s.codes(), ["member-renamed"]);
    assert_eq!(s.sentence("member-renamed"), "psg2 is called psg9 now; its old key in etcd stays until its lease runs out");
    s.put("members/psg9", ADDRESSES).joins("psg9").pass(1);
    assert_eq!(s.codes(), ["member-renamed"], "{:?}", s.document().findings);
    s.delete("members/psg2").pass(60);
    assert_eq!((s.codes(), s.sentence("member-renamed")), (vec!["member-renamed"], "psg2 is called psg9 now; its old key in etcd is gone"));
    assert_eq!(s.document().routes[1].up, ["psg9", "psg3"], "who is behind the server is the one of today");
    // A proxy that does not tell addresses, or knows it by its old name.
    s.haproxy("vm1", |status| status.servers.iter_mut().for_each(|server| server.address = None)).pass(1);
    assert_eq!(s.document().routes[1].up, ["psg9", "psg3"]);
    // It is started anew: psg2 is not what is missing.
    s.fails("rest psg2", ErrorKind::Refused, "refused").fails("sql psg2", ErrorKind::Refused, "refused").crash("psg9").pass(20);
    assert_eq!(s.finding("member-missing"), None, "{:?}", s.codes());
    assert!(s.finding("member-renamed").is_some());
}

#[test]
fn a_leader_that_was_renamed_is_not_two_that_write() {
    let mut s = Scenario::healthy();
    s.put("members/psg9", ADDRESSES.replace("192.0.2.12", "192.0.2.11")).joins("psg9");
    renamed(&mut s, "psg1");
    s.sql("psg9", |sql| (sql.in_recovery, sql.current_lsn) = (false, sql.replay_lsn))
        .patroni("psg9", json!({"role": "primary", "replication_state": null}));
    s.leader("psg9").pass(15);
    assert_eq!(s.finding("split-brain"), None);
    assert_eq!(s.finding("leader-disagreement"), None, "{}", s.sentence("leader-disagreement"));
    assert_eq!(s.finding("route-wrong"), None, "{}", s.sentence("route-wrong"));
    assert!(s.finding("member-renamed").is_some());
}

/// The PostgreSQL of `name` accepts writes.
fn writes(s: &mut Scenario, name: &str) {
    s.sql(name, |sql| (sql.in_recovery, sql.current_lsn) = (false, sql.current_lsn.or(sql.replay_lsn)));
}

/// Whether two are said to accept writes at once, and how bad it is that the key of psg1 is gone.
fn told(s: &Scenario) -> (bool, Option<Level>) {
    let missing = s.document().findings.iter().find(|f| f.code == "member-missing" && f.subject.as_deref() == Some("psg1"));
    (s.finding("split-brain").is_some(), missing.map(|f| f.severity))
}

#[test]
fn a_name_under_which_nobody_is_heard_hides_nobody_who_writes() {
    // Its own key is still there, and nobody has the new name's.
    let mut s = Scenario::healthy();
    renamed(&mut s, "psg1");
    s.promote("psg2", 2).patroni("psg1", json!({"patroni": {"version": "4.1.5", "scope": "psg", "name": "psg9"}}));
    writes(&mut s, "psg1");
    s.pass(2);
    assert_eq!(told(&s), (true, None));
    // Its own key has gone.
    s.delete("members/psg1").pass(2);
    assert_eq!(told(&s), (true, Some(Level::Critical)));
    // And its Patroni has gone too.
    s.fails("rest psg1", ErrorKind::Refused, "refused").pass(2);
    assert_eq!(told(&s), (true, Some(Level::Critical)));
    // In failsafe mode nobody holds one writer while another writes.
    s.delete("leader").patroni("psg2", json!({"failsafe_mode_is_active": true})).pass(2);
    assert_eq!(s.sentence("no-leader"), "nobody holds the leader key, yet psg1 and psg2 accept writes");

    // Somebody has the new name and its addresses, but we cannot ask him.
    let mut s = Scenario::healthy();
    s.put("members/psg9", ADDRESSES.replace("192.0.2.12", "192.0.2.11")).joins("psg9").fails("sql psg9", ErrorKind::Auth, "no");
    renamed(&mut s, "psg1");
    s.delete("members/psg1").promote("psg2", 2).patroni("psg1", json!({"patroni": {"version": "4.1.5", "scope": "psg", "name": "psg9"}}));
    writes(&mut s, "psg1");
    s.pass(2);
    assert_eq!(told(&s), (true, Some(Level::Critical)));
    // He is heard: it is the same one.
    s.answers("sql psg9");
    writes(&mut s, "psg9");
    s.pass(2);
    assert_eq!((told(&s), s.sentence("split-brain").contains("psg1")), ((true, None), false), "{}", s.sentence("split-brain"));
    // The new key has gone as well: it is still one PostgreSQL, and missing under its new name.
    s.crash("psg2").delete("leader").delete("members/psg9").pass(2);
    assert_eq!((told(&s), s.sentence("no-leader")), ((false, None), "nobody holds the leader key, yet psg9 accepts writes"));
    assert_eq!(s.finding("member-missing").map(|f| (f.subject.as_deref(), f.severity)), Some((Some("psg9"), Level::Critical)));
}

#[test]
fn one_that_never_came_under_its_new_name_is_missing_when_it_falls_silent() {
    let mut s = Scenario::healthy();
    renamed(&mut s, "psg2");
    s.delete("members/psg2").pass(2);
    assert_eq!((s.finding("member-missing"), s.finding("member-renamed").is_some()), (None, true), "it is just coming");
    s.crash("psg2").pass(2);
    assert_eq!((s.finding("member-renamed"), s.sentence("member-missing")), (None, "psg2 is missing: its key in etcd is gone"));
}

/// On one machine, addresses are loopback ones; for a moment there are two keys with the same.
#[test]
fn a_key_that_comes_before_its_first_answer_is_no_wrong_address() {
    let mut s = Scenario::healthy();
    for n in 1..=3 {
        let urls =
            json!({"api_url": format!("http://127.77.0.{n}:8008/patroni"), "conn_url": format!("postgres://127.77.0.{n}:5432/postgres")});
        s.merge(&format!("members/psg{n}"), urls);
    }
    s.pass(10);
    assert_eq!(s.finding("self-loop-api-url"), None);
    s.put("members/psg9", ADDRESSES.replace("192.0.2.12", "127.77.0.2")).joins("psg9");
    assert_eq!(s.finding("self-loop-api-url"), None, "psg2 was heard before");
    renamed(&mut s, "psg2");
    assert_eq!((s.finding("self-loop-api-url"), s.finding("member-renamed").is_some()), (None, true));
    // Two that live at one loopback address reach themselves.
    let mut s = Scenario::healthy();
    s.merge("members/psg1", json!({"api_url": "http://127.77.0.2:8008/patroni", "conn_url": "postgres://127.77.0.2:5432/postgres"}));
    s.merge("members/psg2", json!({"api_url": "http://127.77.0.2:8008/patroni", "conn_url": "postgres://127.77.0.2:5432/postgres"}));
    s.pass(2);
    assert!(s.finding("self-loop-api-url").is_some());
}

#[test]
fn two_members_with_one_address_are_not_one_that_was_renamed() {
    // Both keys are renewed, longer than a lease lasts.
    let mut s = Scenario::healthy();
    s.put("members/psg9", ADDRESSES).joins("psg9");
    renamed(&mut s, "psg2");
    assert_eq!(s.finding("self-loop-api-url"), None);
    s.pass(43);
    assert_eq!(s.finding("member-renamed"), None);
    assert_eq!(
        s.sentence("self-loop-api-url"),
        "the address that psg2 gives for its Patroni leads to psg9: http://192.0.2.12:8008/patroni"
    );
    // Only Patroni's address is the same: its PostgreSQL is another.
    let mut s = Scenario::healthy();
    s.put("members/psg9", ADDRESSES.replace(":5432", ":5433")).joins("psg9");
    renamed(&mut s, "psg2");
    assert_eq!((s.finding("member-renamed"), s.finding("self-loop-api-url").is_some()), (None, true));
    // Its old name was never heard, and nobody has the new one.
    let mut s = Scenario::unheard();
    s.patroni("psg2", json!({"patroni": {"version": "4.1.5", "scope": "psg", "name": "psg9"}})).list().pass(2);
    assert_eq!(s.codes(), ["self-loop-api-url"]);
    // What was said before it fell silent is not said now.
    let mut s = Scenario::healthy();
    renamed(&mut s, "psg2");
    s.fails("rest psg2", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.finding("member-renamed"), None);
}
