//! Airflow's pools: what is found of them, and the plans that freeze and thaw them.

use std::collections::BTreeMap;
use std::time::Duration;

use pgbaton::action::{AirflowWay, Freeze, Goal, Light, Operation, Plan, Reply, Situation, Standing, Thaw};
use pgbaton::finding::{Forecast, Limits};
use pgbaton::model::*;

use crate::scenario::{Scenario, airflow_at_rest};

fn pool(name: &str, slots: i64) -> AirflowPool {
    AirflowPool { name: name.into(), slots, taken: 0, waiting: 0, include_deferred: false, description: None, team: None, whole: true }
}

/// The metadata is read, with two tasks that wait and one that runs.
fn reads(s: &mut Scenario, pools: Vec<AirflowPool>) {
    let status = AirflowStatus {
        tasks: BTreeMap::from([("scheduled".to_owned(), 2), ("running".to_owned(), 1)]),
        pools,
        ..airflow_at_rest(s.now())
    };
    s.report(SourceId::new(SourceKind::Airflow, "psg"), Fact::Airflow(Box::new(status)));
}

fn frozen(s: &Scenario, had: &[(&str, i64)]) -> FrozenPools {
    FrozenPools {
        at: s.now().before(Duration::from_secs(720)),
        ordered: s.now().before(Duration::from_secs(720)),
        ended: true,
        by: "anna".into(),
        run: None,
        reason: None,
        system: None,
        slots: had.iter().map(|(name, slots)| ((*name).to_owned(), *slots)).collect(),
    }
}

/// What this machine remembers.
fn remembers(s: &mut Scenario, had: &[(&str, i64)]) {
    let frozen = frozen(s, had);
    s.report(SourceId::new(SourceKind::Audit, "psg"), Fact::FrozenPools(vec![frozen]));
}

fn with<T>(s: &Scenario, f: impl FnOnce(&Situation<'_>) -> T) -> T {
    let (cluster, now) = (s.cluster(), s.now());
    let forecast = Forecast::of(cluster, now);
    f(&Situation { cluster, forecast: &forecast, limits: &Limits::default(), now })
}

/// The checks that are not green, and the order.
fn plan(s: &Scenario, operation: impl Operation + 'static) -> (Vec<String>, String) {
    with(s, |situation| {
        let plan = Plan::of(Box::new(operation), situation);
        let mark = |light: Light, may: bool| format!("{light}{}", if light == Light::Red && !may { "!" } else { "" });
        let lights = plan.checks.iter().filter(|c| c.light != Light::Green).map(|c| format!("{} {}", c.id, mark(c.light, c.patroni_would)));
        (lights.collect(), plan.order.map_or_else(|why| why, |order| order.to_string()))
    })
}

fn way() -> Option<AirflowWay> {
    Some(AirflowWay::Cli { host: "vm1".into() })
}

fn by_api(user: Option<&str>) -> Option<AirflowWay> {
    Some(AirflowWay::Api { url: "https://vm1:8080".into(), user: user.map(str::to_owned) })
}

fn freeze() -> Freeze {
    Freeze { way: way(), ..Freeze::default() }
}

fn thaw() -> Thaw {
    Thaw { way: way() }
}

#[test]
fn pools_are_frozen_as_long_as_one_has_not_got_back_what_it_had() {
    let told = |had: &[(&str, i64)], pools: Option<Vec<AirflowPool>>| {
        let mut s = Scenario::healthy();
        if !had.is_empty() {
            remembers(&mut s, had);
        }
        if let Some(pools) = pools {
            reads(&mut s, pools);
        }
        s.finding("pools-frozen").map(|finding| finding.sentence.clone())
    };
    let had = [("a", 5), ("b", 0)];
    let half = told(&had, Some(vec![pool("a", 0), pool("b", 0), pool("c", 7)])).unwrap();
    assert!(
        half.starts_with("pools of Airflow are frozen since ") && half.ends_with(", for 12 min, by anna: a had 5; 2 tasks wait"),
        "{half}"
    );
    assert_eq!(told(&had, Some(vec![pool("a", 5), pool("b", 0)])), None, "b had none before");
    assert_eq!(told(&had, Some(vec![pool("a", 3)])), None, "somebody else has set it");
    let other = "every pool of Airflow has 0 slots, and not by this machine: no task begins; 2 tasks wait";
    assert_eq!(told(&[], Some(vec![pool("x", 0)])).as_deref(), Some(other));
    assert_eq!(told(&[], Some(vec![pool("x", 1), pool("y", 0)])), None);
    assert_eq!(told(&had, None), None, "there is no Airflow");
    let mut s = Scenario::healthy();
    remembers(&mut s, &had);
    s.report_failure(SourceId::new(SourceKind::Airflow, "psg"), SourceError::new(ErrorKind::Refused, "refused"));
    let unread = s.finding("pools-frozen").unwrap().sentence.clone();
    assert!(unread.ends_with(", by anna; whether they are still is not known"), "{unread}");
    assert_eq!(s.document().airflow.as_ref().unwrap().frozen_here.as_ref().unwrap().slots["a"], 5);
}

#[test]
fn nothing_is_frozen_that_could_not_be_given_back_as_it_was() {
    let mut s = Scenario::healthy();
    let none = (vec!["metadata red!".to_owned()], "no Airflow is configured".to_owned());
    assert_eq!(plan(&s, freeze()), none);
    reads(&mut s, vec![pool("default_pool", 128), pool("etl", -1), pool("shut", 0)]);
    assert_eq!(plan(&s, freeze()), (vec![], "airflow pools import (vm1): default_pool 128 -> 0, etl -1 -> 0".into()));
    assert_eq!(plan(&s, Freeze::default()).0, ["command red!"], "nobody can be told");
    reads(&mut s, vec![pool("a", 1), AirflowPool { whole: false, ..pool("b", 2) }]);
    let (lights, order) = plan(&s, freeze());
    assert_eq!(lights, ["order red!"]);
    assert!(order.starts_with("the description of the pool b was not read as Airflow has it"), "{order}");
    reads(&mut s, vec![pool("a", 0)]);
    assert_eq!(plan(&s, freeze()).0, ["pools red!"]);
    s.pass_unheard(10);
    assert_eq!(plan(&s, freeze()).0, ["metadata red!"], "what there is now nobody knows");
}

#[test]
fn by_the_api_each_pool_is_a_request_and_only_its_slots_change() {
    let mut s = Scenario::healthy();
    reads(&mut s, vec![pool("default_pool", 128), pool("etl", -1), pool("shut", 0)]);
    let freeze = |user: Option<&str>| Freeze { way: by_api(user), ..Freeze::default() };
    let order = "PATCH https://vm1:8080/api/v1/pools/default_pool?update_mask=slots {\"slots\":0}; \
                 PATCH https://vm1:8080/api/v1/pools/etl?update_mask=slots {\"slots\":0} (as pgbaton)";
    assert_eq!(plan(&s, freeze(Some("pgbaton"))), (vec![], order.into()));
    let told = with(&s, |situation| {
        let plan = Plan::of(Box::new(freeze(Some("pgbaton"))), situation);
        (plan.checks[0].clone(), plan.patronictl.expect("the same by hand"))
    });
    assert_eq!(
        (told.0.id.as_str(), told.0.sentence.as_str()),
        ("api", "pools are changed by Airflow's API at https://vm1:8080, as pgbaton")
    );
    let curl = |name: &str| {
        format!(
            "curl -fsS -u pgbaton -X PATCH -H 'Content-Type: application/json' -d '{{\"slots\":0}}' \
             'https://vm1:8080/api/v1/pools/{name}?update_mask=slots'"
        )
    };
    assert_eq!(told.1, format!("{} && {}", curl("default_pool"), curl("etl")));
    // The description is not sent, but a name that was washed is another pool's.
    reads(&mut s, vec![AirflowPool { whole: false, ..pool("b", 2) }]);
    assert!(plan(&s, freeze(None)).1.contains("may have another name"));
    // Airflow 3, and back.
    let status = AirflowStatus { is_3: true, pools: vec![pool("a", 0)], ..airflow_at_rest(s.now()) };
    s.report(SourceId::new(SourceKind::Airflow, "psg"), Fact::Airflow(Box::new(status)));
    remembers(&mut s, &[("a", 5)]);
    let order =
        "PATCH https://vm1:8080/api/v2/pools/a?update_mask=slots {\"pool\":\"a\",\"slots\":5,\"include_deferred\":false} (with a token)";
    assert_eq!(plan(&s, Thaw { way: by_api(None) }), (vec![], order.into()));
}

#[test]
fn what_is_remembered_of_a_frozen_pool_is_what_it_had_before() {
    let mut s = Scenario::healthy();
    reads(&mut s, vec![pool("a", 0), pool("b", 7), pool("c", 0)]);
    let before = frozen(&s, &[("a", 5), ("gone", 1)]);
    let now = s.now();
    let kept = with(&s, |situation| freeze().remembers(situation, Some(&before), (now, "bert"))).unwrap();
    let slots = |frozen: &FrozenPools| frozen.slots.iter().map(|(name, slots)| format!("{name} {slots}")).collect::<Vec<_>>().join(", ");
    assert_eq!((slots(&kept).as_str(), kept.by.as_str(), kept.at), ("a 5, b 7, c 0, gone 1", "anna", before.at));
    let anew = with(&s, |situation| freeze().remembers(situation, None, (now, "bert"))).unwrap();
    assert_eq!((slots(&anew).as_str(), anew.by.as_str(), anew.at), ("a 0, b 7, c 0", "bert", now));
    // One that came to nothing says nothing of the next.
    let nothing = frozen(&s, &[("b", 6), ("c", 0)]);
    let anew = with(&s, |situation| freeze().remembers(situation, Some(&nothing), (now, "bert"))).unwrap();
    assert_eq!((slots(&anew).as_str(), anew.by.as_str()), ("a 0, b 7, c 0", "bert"));
    // Half of an order may have been carried out: it can be frozen once more.
    s.report(SourceId::new(SourceKind::Audit, "psg"), Fact::FrozenPools(vec![before]));
    assert_eq!(plan(&s, freeze()), (vec!["remembered amber".into()], "airflow pools import (vm1): b 7 -> 0".into()));
}

#[test]
fn what_somebody_else_has_set_meanwhile_is_told_and_left() {
    let mut s = Scenario::healthy();
    reads(&mut s, vec![pool("a", 0), pool("b", 0), pool("c", 3), pool("d", 9)]);
    assert_eq!(plan(&s, thaw()).0, ["remembered red!"]);
    remembers(&mut s, &[("a", 5), ("b", 0), ("c", 2), ("gone", 1)]);
    assert_eq!(plan(&s, thaw()), (vec!["pool amber".into(), "pool amber".into()], "airflow pools import (vm1): a 0 -> 5".into()));
    reads(&mut s, vec![pool("a", 5), pool("b", 0)]);
    assert_eq!(plan(&s, thaw()), (vec!["pool amber".into(), "pool amber".into()], "nothing is sent: no pool is to be changed".into()));
}

#[test]
fn nothing_is_thawed_while_the_order_to_freeze_may_still_be_carried_out() {
    let told = |ended: bool, seconds: u64, a: i64| {
        let mut s = Scenario::healthy();
        reads(&mut s, vec![pool("a", a), pool("b", 0)]);
        let had = FrozenPools { ended, ordered: s.now().before(Duration::from_secs(seconds)), ..frozen(&s, &[("a", 5), ("b", 6)]) };
        s.report(SourceId::new(SourceKind::Audit, "psg"), Fact::FrozenPools(vec![had]));
        plan(&s, thaw()).0
    };
    assert_eq!(told(false, 10, 5), ["under-way red!"]);
    assert_eq!(told(true, 10, 5), [""; 0], "its end was told");
    assert_eq!(told(false, 10, 0), [""; 0], "SQL shows all of it");
    assert_eq!(told(false, 301, 5), [""; 0], "it is too long ago");
}

#[test]
fn pools_are_as_they_should_by_what_sql_reads_after_the_order() {
    /// An order at this moment, a reading a second later, then the answer, then perhaps another reading.
    fn stands(operation: &dyn Operation, had: &[(&str, i64)], first: i64, reply: Reply, second: Option<i64>) -> Standing {
        let mut s = Scenario::healthy();
        reads(&mut s, vec![pool("a", if had.is_empty() { 5 } else { 0 })]);
        if !had.is_empty() {
            remembers(&mut s, had);
        }
        let mut goal: Box<dyn Goal> = with(&s, |situation| operation.goal(situation));
        goal.look(s.cluster(), s.now());
        assert_eq!(goal.standing(s.cluster(), None, s.now()), Standing::Open);
        assert!(!goal.whole(), "what was read before proves nothing");
        s.pass(1);
        reads(&mut s, vec![pool("a", first)]);
        goal.look(s.cluster(), s.now());
        s.pass(1);
        goal.heard(s.now());
        if let Some(slots) = second {
            s.pass(1);
            reads(&mut s, vec![pool("a", slots)]);
            goal.look(s.cluster(), s.now());
        }
        goal.standing(s.cluster(), Some(&reply), s.now())
    }
    let taken = || Reply::Taken("taken".into());
    let failed = || Reply::Failed("no database".into());
    let lost = || Reply::Lost("cut".into());
    let closed = "every pool has 0 slots, by SQL, so that no task begins; 1 task that runs or is queued goes on";
    assert_eq!(stands(&freeze(), &[], 0, taken(), None), Standing::Reached(closed.into()));
    assert_eq!(stands(&freeze(), &[], 5, lost(), Some(0)), Standing::Reached(closed.into()), "the line was cut, and it was done");
    assert_eq!(stands(&freeze(), &[], 5, taken(), None), Standing::Open, "it may have been read before the command ended");
    assert_eq!(stands(&freeze(), &[], 5, taken(), Some(5)), Standing::Missed("taken; SQL reads a 5".into()));
    let why = "not carried out, or not all of it: no database; SQL reads a 5";
    assert_eq!(stands(&freeze(), &[], 5, failed(), Some(5)), Standing::Missed(why.into()));
    assert_eq!(stands(&freeze(), &[], 5, lost(), Some(5)), Standing::Open, "it may still be carried out");
    let had = [("a", 7)];
    assert_eq!(stands(&thaw(), &had, 7, taken(), None), Standing::Reached("the pools have their slots again, by SQL: a 7".into()));
    assert_eq!(stands(&thaw(), &had, 0, taken(), Some(3)), Standing::Missed("taken; SQL reads a 3".into()));
}
