//! `long-transaction`, `idle-in-transaction`.

use pgbaton::model::{ErrorKind, Level, Time, Transaction};

use crate::scenario::Scenario;

/// A transaction that will have been open for so many seconds, and its session in this state, at the next reading.
fn open(s: &Scenario, pid: i32, seconds: i64, state: &str, in_state: i64) -> Transaction {
    let ago = |seconds: i64| Some(Time::from_micros(s.now().as_micros() - (seconds - 1) * 1_000_000));
    Transaction {
        pid,
        user: Some("airflow".to_owned()),
        application: Some("scheduler".to_owned()),
        database: Some("cards".to_owned()),
        client: Some("192.0.2.1".to_owned()),
        state: Some(state.to_owned()),
        started: ago(seconds),
        state_since: ago(in_state),
        holds_back: None,
    }
}

#[test]
fn a_transaction_that_is_open_for_long() {
    let mut s = Scenario::healthy();
    let oldest = open(&s, 4711, 1800, "active", 3);
    s.sql("psg1", |sql| sql.oldest_transaction = Some(oldest)).pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new(), "the limit itself is allowed");
    s.pass(1);
    assert_eq!(s.codes(), ["long-transaction"]);
    assert_eq!(s.sentence("long-transaction"), "airflow (scheduler, pid 4711) has had a transaction open on psg1 for 30 min");
    let found = s.finding("long-transaction").unwrap();
    assert_eq!((found.severity, found.subject.as_deref()), (Level::Warning, Some("psg1")));
    let evidence: Vec<_> = found.evidence.iter().map(|e| format!("{}: {}", e.what, e.value)).collect();
    assert_eq!(
        evidence.join(", "),
        "pid: 4711, user: airflow, application: scheduler, database: cards, client: 192.0.2.1, state: active, for: 1801 s, age of its xmin: none"
    );
    for (held, end) in
        [(0, "for 30 min"), (1, "; it holds vacuum back by 1 transaction"), (812, "; it holds vacuum back by 812 transactions")]
    {
        s.sql("psg1", |sql| sql.oldest_transaction.as_mut().unwrap().holds_back = Some(held)).pass(1);
        assert!(s.sentence("long-transaction").ends_with(end), "{}", s.sentence("long-transaction"));
    }
    s.sql("psg1", |sql| {
        let oldest = sql.oldest_transaction.as_mut().unwrap();
        (oldest.user, oldest.application, oldest.holds_back) = (None, None, None);
    });
    assert_eq!(s.pass(1).sentence("long-transaction"), "a session (pid 4711) has had a transaction open on psg1 for 30 min");
    let doc = s.member("psg1").oldest_transaction.clone().unwrap();
    assert_eq!((doc.pid, doc.open_seconds, doc.state_seconds), (4711, Some(1805.0), Some(8.0)));
}

#[test]
fn a_session_that_sits_idle_in_one() {
    let mut s = Scenario::healthy();
    let idle = open(&s, 12, 400, "idle in transaction", 300);
    s.sql("psg1", |sql| sql.idle_transaction = Some(idle.clone())).pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new(), "the limit itself is allowed");
    s.pass(1);
    assert_eq!(s.sentence("idle-in-transaction"), "airflow (scheduler, pid 12) has been idle in a transaction on psg1 for 5 min");

    // The same session is told once, another one beside it.
    let both = open(&s, 12, 7000, "idle in transaction", 900);
    s.sql("psg1", |sql| (sql.idle_transaction, sql.oldest_transaction) = (Some(both.clone()), Some(both)));
    assert_eq!(s.pass(1).codes(), ["idle-in-transaction"]);
    let other = open(&s, 13, 9000, "active", 9000);
    s.sql("psg1", |sql| sql.oldest_transaction = Some(other));
    assert_eq!(s.pass(1).codes(), ["idle-in-transaction", "long-transaction"]);

    // A long transaction that is idle for a moment.
    let busy = open(&s, 12, 7000, "idle in transaction", 0);
    s.sql("psg1", |sql| (sql.idle_transaction, sql.oldest_transaction) = (Some(busy.clone()), Some(busy)));
    assert_eq!(s.pass(1).codes(), ["long-transaction"]);
}

#[test]
fn only_what_is_seen_now_on_the_leader() {
    let mut s = Scenario::healthy();
    let old = open(&s, 4711, 90_000, "active", 90_000);
    s.sql("psg2", |sql| sql.oldest_transaction = Some(old.clone())).pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new(), "a replica's queries hold up nobody's writes");
    s.sql("psg1", |sql| sql.oldest_transaction = Some(old.clone())).pass(1);
    assert_eq!(s.codes(), ["long-transaction"]);
    s.fails("sql psg1", ErrorKind::Timeout, "late").pass(1);
    assert_eq!(s.finding("long-transaction"), None);
    s.answers("sql psg1").sql("psg1", |sql| sql.oldest_transaction = Some(Transaction { started: None, ..old })).pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new(), "how long it has been open is not known");
}
