//! `api-hung` and `self-loop-api-url`: a member's REST API as the others and the proxies reach it.

use pgbaton::document::Level;
use pgbaton::model::ErrorKind;
use serde_json::json;

use crate::scenario::Scenario;

const SILENT: &str = "psg2 is silent, down or cut off from here: neither its Patroni nor its PostgreSQL answers (no answer within 2 s)";
const LATE: &str = "no answer within 2 s";

#[test]
fn an_api_that_hangs_before_a_postgresql_that_answers_is_told_once() {
    let mut s = Scenario::healthy();
    s.fails("rest psg1", ErrorKind::Timeout, LATE).pass(1);
    assert_eq!(s.codes(), ["leader-silent"], "its whole Patroni may hang, and then its lease runs out");
    s.pass(8).lease(30).pass(1);
    assert_eq!(s.codes(), ["api-hung"]);
    let finding = s.finding("api-hung").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Critical, Some("psg1")));
    assert_eq!(finding.sentence, "the REST API of psg1, the leader, hangs, while its PostgreSQL answers: HAProxy will drop it");
    let said: Vec<_> = finding.evidence.iter().map(|e| format!("{} {} {}", e.source, e.what, e.value)).collect();
    assert_eq!(said, ["rest psg1 error no answer within 2 s", "sql psg1 pg_is_in_recovery() false"]);
    s.writes_go_to(&[]).pass(1);
    assert_eq!(s.sentence("api-hung"), "the REST API of psg1, the leader, hangs, while its PostgreSQL answers: vm1 has dropped it");
    s.answers("rest psg1").writes_go_to(&["psg1"]).pass(1);
    assert_eq!(s.verdict(), "healthy");

    s.fails("rest psg3", ErrorKind::Timeout, LATE).pass(1);
    let finding = s.finding("api-hung").unwrap();
    assert_eq!((s.codes(), finding.severity), (vec!["api-hung"], Level::Warning));
    assert_eq!(finding.sentence, "the REST API of psg3 hangs, while its PostgreSQL answers: HAProxy will drop it");
}

/// Behind a cut line all is silent, and when it is mended PostgreSQL can be heard first: that says nothing of the REST API, which was asked before.
#[test]
fn an_api_that_was_asked_before_the_line_came_back_is_not_called_hung() {
    let mut s = Scenario::healthy();
    for member in ["psg1", "psg3"] {
        s.fails(&format!("rest {member}"), ErrorKind::Timeout, LATE).fails(&format!("sql {member}"), ErrorKind::Timeout, LATE);
    }
    s.pass(10).lease(30);
    s.answers("sql psg1").answers("sql psg3").moment();
    assert_eq!(s.finding("api-hung"), None, "{:?}", s.codes());
    s.pass(1);
    assert_eq!(s.finding("api-hung"), None, "asked a second after that at most: {:?}", s.codes());
    s.pass(8).lease(30).pass(1);
    assert_eq!(s.codes(), ["api-hung", "api-hung"], "asked afterwards, and no answer");
}

#[test]
fn what_is_refused_or_silent_as_a_whole_is_down() {
    let mut s = Scenario::healthy();
    for kind in [ErrorKind::Refused, ErrorKind::Broken, ErrorKind::Unavailable] {
        s.fails("rest psg2", kind, "no").pass(1);
        assert_eq!(s.codes(), ["member-down"], "{kind}");
    }
    s.fails("rest psg2", ErrorKind::Timeout, LATE).fails("sql psg2", ErrorKind::Timeout, LATE).pass(1);
    assert_eq!((s.codes(), s.sentence("member-down")), (vec!["member-down"], SILENT));
    // Its PostgreSQL was never asked.
    let mut s = Scenario::unheard();
    s.silent("sql psg2").fails("rest psg2", ErrorKind::Timeout, LATE).list().pass(1);
    assert_eq!(s.codes(), ["member-down"]);
}

#[test]
fn an_address_that_leads_everybody_to_himself_is_found() {
    for url in
        ["http://127.0.0.1:8008/patroni", "https://0.0.0.0:8008/patroni", "http://localhost:8008/patroni", "http://[::1]:8008/patroni"]
    {
        let mut s = Scenario::healthy();
        s.merge("members/psg2", json!({"api_url": url})).pass(1);
        let finding = s.finding("self-loop-api-url").unwrap();
        assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("psg2")), "{url}");
        assert_eq!(s.codes(), ["self-loop-api-url"]);
        assert_eq!(finding.evidence[0].value, url);
    }
    let mut s = Scenario::healthy();
    s.merge("members/psg2", json!({"api_url": "http://127.0.0.1:8008/patroni"})).pass(1);
    assert_eq!(
        s.sentence("self-loop-api-url"),
        "psg2 tells the others to ask its Patroni at 127.0.0.1: there they reach themselves, not psg2"
    );
    s.fails("dcs", ErrorKind::Timeout, LATE).pass(8);
    assert_eq!(s.finding("self-loop-api-url"), None, "what etcd held is old");
}

/// Every member on an address of the loopback of its own, or on a port of its own.
#[test]
fn a_cluster_on_one_machine_is_right() {
    let places: [fn(usize) -> (String, u16); 2] = [|n| (format!("127.77.1.{n}"), 8008), |n| ("127.0.0.1".to_owned(), 8000 + n as u16)];
    for place in places {
        let mut s = Scenario::healthy();
        s.answers("haproxy vm1");
        for n in 1..=3 {
            let (host, port) = place(n);
            let conn_url = format!("postgres://{host}:{}/postgres", port - 2000);
            s.merge(&format!("members/psg{n}"), json!({"api_url": format!("http://{host}:{port}/patroni"), "conn_url": conn_url}));
        }
        s.pass(1);
        assert_eq!(s.finding("self-loop-api-url"), None, "{:?}", place(1));
    }
    // The same address twice is not.
    let mut s = Scenario::healthy();
    for n in 1..=3 {
        let urls = json!({"api_url": "http://127.0.0.1:8008/patroni", "conn_url": format!("postgres://127.77.1.{n}:5432/postgres")});
        s.merge(&format!("members/psg{n}"), urls);
    }
    s.pass(1);
    assert_eq!(s.codes().iter().filter(|c| **c == "self-loop-api-url").count(), 3);
}

#[test]
fn somebody_else_who_answers_is_found() {
    let mut s = Scenario::healthy();
    s.patroni("psg2", json!({"patroni": {"version": "4.1.5", "scope": "psg", "name": "psg3"}})).pass(1);
    assert_eq!(s.codes(), ["self-loop-api-url"]);
    let told = "the address that psg2 gives for its Patroni leads to psg3: http://192.0.2.12:8008/patroni";
    assert_eq!(s.sentence("self-loop-api-url"), told);
    s.patroni("psg2", json!({"patroni": {"version": "4.1.5", "scope": "billing", "name": "psg2"}})).pass(1);
    assert!(
        s.sentence("self-loop-api-url").contains("leads to a Patroni of another cluster (billing)"),
        "{}",
        s.sentence("self-loop-api-url")
    );
    // Before 3.2 there is no name.
    s.patroni("psg2", json!({"patroni": {"version": "4.1.5", "scope": "psg"}})).pass(1);
    assert_eq!(s.verdict(), "healthy");
    // What an old answer said is not held against anybody.
    s.patroni("psg2", json!({"patroni": {"version": "4.1.5", "scope": "psg", "name": "psg3"}})).pass(1);
    s.fails("rest psg2", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.finding("self-loop-api-url"), None);
}

/// They fell silent together: the last answer of its PostgreSQL is from before.
#[test]
fn a_postgresql_that_was_heard_before_the_silence_does_not_make_it_a_hanging_api() {
    let mut s = Scenario::healthy();
    s.pass(3).silent("sql psg3").fails("rest psg3", ErrorKind::Timeout, LATE).moment();
    assert_eq!(s.finding("api-hung"), None);
    s.answers("sql psg3").moment();
    assert_eq!(s.codes(), ["api-hung"]);
}
