//! Restarts of several members, one after the other: which is the next.

use pgbaton::action::{Light, Rolling, Situation, needless, next_pending};
use pgbaton::finding::{Forecast, Limits};
use pgbaton::model::{ErrorKind, Time};
use serde_json::json;

use crate::scenario::Scenario;

fn on<T>(s: &Scenario, f: impl FnOnce(&Situation<'_>) -> T) -> T {
    let (cluster, now) = (s.cluster(), s.now());
    let forecast = Forecast::of(cluster, now);
    f(&Situation { cluster, forecast: &forecast, limits: &Limits::default(), now })
}

/// The next member, whether it leads, and what is told.
fn next(s: &Scenario, rolling: &Rolling) -> Option<(String, bool, String)> {
    on(s, |s| rolling.next(s)).map(|step| (step.member, step.leads, step.told))
}

/// Its PostgreSQL has started a moment ago.
fn starts_anew(s: &mut Scenario, name: &str) {
    let now: Time = s.now();
    s.sql(name, |sql| sql.postmaster_start = Some(now));
    s.pass(1);
}

#[test]
fn the_leader_comes_last_and_who_has_started_anew_is_done() {
    let mut s = Scenario::healthy();
    let rolling = on(&s, Rolling::begin).expect("it begins");
    let told = "step 1 of 3 of a rolling restart; left after it: psg3 and psg1; the same command goes on with them";
    assert_eq!(next(&s, &rolling), Some(("psg2".to_owned(), false, told.to_owned())));
    // What was asked for is not what counts.
    s.pass(5);
    assert_eq!(next(&s, &rolling).map(|step| step.0), Some("psg2".to_owned()));
    starts_anew(&mut s, "psg2");
    assert_eq!(next(&s, &rolling).map(|step| step.0), Some("psg3".to_owned()));
    s.fails("sql psg2", ErrorKind::Refused, "refused");
    s.silent("rest psg2");
    s.pass(10);
    assert_eq!(next(&s, &rolling).map(|step| step.0), Some("psg2".to_owned()), "it is not known to run");
    s.answers("sql psg2");
    s.answers("rest psg2");
    s.pass(1);
    starts_anew(&mut s, "psg2");
    starts_anew(&mut s, "psg3");
    let told = "step 3 of 3 of a rolling restart; it is the last";
    assert_eq!(next(&s, &rolling), Some(("psg1".to_owned(), true, told.to_owned())));
    starts_anew(&mut s, "psg1");
    assert_eq!(next(&s, &rolling), None);
}

#[test]
fn a_member_that_is_removed_meanwhile_is_not_waited_for() {
    let mut s = Scenario::healthy();
    let rolling = on(&s, Rolling::begin).expect("it begins");
    starts_anew(&mut s, "psg2");
    s.delete("members/psg3");
    s.pass(1);
    let told = "step 2 of 2 of a rolling restart; it is the last";
    assert_eq!(next(&s, &rolling), Some(("psg1".to_owned(), true, told.to_owned())));
    starts_anew(&mut s, "psg1");
    assert_eq!(next(&s, &rolling), None);
}

#[test]
fn a_rolling_restart_does_not_begin_where_its_end_could_not_be_told() {
    let mut s = Scenario::healthy();
    s.fails("sql psg3", ErrorKind::Refused, "refused");
    s.silent("rest psg3");
    s.pass(10);
    let why = on(&s, |s| Rolling::begin(s).expect_err("it does not begin"));
    assert_eq!(why, "when psg3's PostgreSQL has started is not known");
}

#[test]
fn what_is_pending_is_restarted_in_turn() {
    let mut s = Scenario::healthy();
    assert_eq!(on(&s, next_pending), None);
    for name in ["psg1", "psg3"] {
        s.patroni(name, json!({"pending_restart": true}));
    }
    s.pass(1);
    let step = on(&s, next_pending).expect("a step");
    let told = "left after it: psg1; the same command goes on with them";
    assert_eq!((step.member.as_str(), step.leads, step.told.as_str()), ("psg3", false, told));
}

#[test]
fn another_round_right_after_the_last_needs_a_reason() {
    let mut s = Scenario::healthy();
    let told = |s: &Scenario| on(s, needless).map(|check| (check.light, check.sentence));
    for name in ["psg1", "psg2"] {
        starts_anew(&mut s, name);
    }
    assert_eq!(told(&s), None, "psg3 has started long ago");
    starts_anew(&mut s, "psg3");
    s.pass(720);
    let sentence = "every member's PostgreSQL has started within the last 12 min, and nothing waits for a restart";
    assert_eq!(told(&s), Some((Light::Amber, sentence.to_owned())));
    // Something waits, it is not known whether something does, or it is long ago: that is reason enough.
    s.patroni("psg2", json!({"pending_restart": true})).pass(1);
    assert_eq!(told(&s), None);
    s.patroni("psg2", json!({"pending_restart": false})).pass(1);
    assert!(told(&s).is_some());
    s.silent("rest psg2").pass(10);
    assert_eq!(told(&s), None);
    s.answers("rest psg2").pass(3600);
    assert_eq!(told(&s), None);
}
