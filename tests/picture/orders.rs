//! What is checked before an order goes to etcd or to PostgreSQL.

use pgbaton::action::{
    Base, Confirm, DropSlot, EditConfig, Failover, Light, Operation, Plan, ResumeReplay, Situation, Switchover, Terminate, with_setting,
};
use pgbaton::finding::{Forecast, Limits};
use pgbaton::model::{ClientSession, ErrorKind, Lsn, Slot, Time};
use serde_json::json;

use crate::scenario::{Scenario, WRITTEN};

/// The plan of an operation on the cluster as it is.
fn plan(s: &Scenario, operation: impl Operation + 'static) -> Plan {
    let (cluster, now) = (s.cluster(), s.now());
    let forecast = Forecast::of(cluster, now);
    Plan::of(Box::new(operation), &Situation { cluster, forecast: &forecast, limits: &Limits::default(), now })
}

/// The colour and the sentence of a check of it.
fn check(plan: &Plan, id: &str) -> (Light, bool, String) {
    let found = plan.checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no check {id} in {:#?}", plan.checks));
    (found.light, found.patroni_would, found.sentence.clone())
}

fn slot(name: &str, active: bool) -> Slot {
    Slot { active, retained: Some(64 << 20), ..crate::scenario::slot(name, "physical") }
}

#[test]
fn only_a_slot_that_nobody_needs_is_dropped() {
    let mut s = Scenario::healthy();
    s.sql("psg1", |sql| sql.slots = vec![slot("old", false), slot("used", true), slot("psg2", false), slot("kept", false)]);
    s.merge("config", json!({"slots": {"kept": {"type": "physical"}}}));
    s.pass(1);
    let of = |s: &Scenario, name: &str| plan(s, DropSlot { member: "psg1".to_owned(), slot: name.to_owned() });
    let old = of(&s, "old");
    assert_eq!(old.light(), Light::Green, "{:#?}", old.checks);
    assert_eq!(check(&old, "slot").2, "nobody uses the slot old, and 64.0 MB of WAL are kept for it");
    assert_eq!(check(&of(&s, "used"), "slot"), (Light::Red, false, "somebody uses the slot used".to_owned()));
    assert_eq!(check(&of(&s, "none"), "slot"), (Light::Red, false, "psg1 has no slot none".to_owned()));
    let (light, may, told) = check(&of(&s, "psg2"), "owner");
    assert!(light == Light::Red && !may && told.starts_with("it is the slot of the member psg2"), "{told}");
    assert_eq!(check(&of(&s, "kept"), "permanent").0, Light::Amber);
    s.delete("members/psg2");
    let (light, _, told) = check(&of(&s, "psg2"), "owner");
    assert!(light == Light::Amber && told.contains("psg2, which is missing"), "{told}");
    s.fails("sql psg1", ErrorKind::Refused, "refused");
    s.pass_unheard(10);
    assert_eq!(of(&s, "old").light(), Light::Red, "what is not known is not dropped");
}

#[test]
fn only_a_paused_replay_is_resumed() {
    let mut s = Scenario::healthy();
    let of = |s: &Scenario, name: &str| check(&plan(s, ResumeReplay { member: name.to_owned() }), "replay");
    assert_eq!(of(&s, "psg2"), (Light::Red, false, "psg2's replay is not paused".to_owned()));
    assert_eq!(of(&s, "psg1"), (Light::Red, false, "psg1 is no standby: it replays nothing".to_owned()));
    s.sql("psg2", |sql| sql.replay_paused = Some(true));
    s.pass(1);
    assert_eq!(of(&s, "psg2").0, Light::Green);
}

#[test]
fn only_a_clients_session_is_ended() {
    let s = Scenario::healthy();
    let session = |kind: &str| ClientSession {
        pid: 7,
        started: Time::from_micros(0),
        kind: kind.to_owned(),
        user: "app".to_owned(),
        application: "job".to_owned(),
        database: "cards".to_owned(),
        client: Some("192.0.2.9".to_owned()),
        state: "idle in transaction".to_owned(),
        transaction: Some(Time::from_micros(0)),
        query: None,
        blocks: 0,
        server_time: Time::from_micros(90_000_000),
    };
    for (kind, light) in [("client backend", Light::Green), ("walsender", Light::Red), ("", Light::Red)] {
        let plan = plan(&s, Terminate { member: "psg1".to_owned(), session: session(kind) });
        assert_eq!(check(&plan, "session").0, light, "{kind}");
        let told = "end of the session 7 on psg1: app (job) in cards from 192.0.2.9, idle in transaction, in a transaction for 1 min";
        assert_eq!(plan.sentence, told);
    }
}

#[test]
fn a_configuration_that_somebody_changed_meanwhile_is_not_overwritten() {
    let mut s = Scenario::healthy();
    let base = Base::of(s.cluster(), s.now()).expect("a configuration");
    let edit = |base: &Base| EditConfig::new(base.clone(), with_setting(base.settings(), "ttl", json!(40)));
    let first = plan(&s, edit(&base));
    assert_eq!(check(&first, "config").0, Light::Green);
    let order = first.order.as_ref().expect("an order").to_string();
    assert!(order.ends_with(&format!("if its mod_revision is {}", base.revision)), "{order}");
    s.merge("config", json!({"loop_wait": 9}));
    let told = check(&plan(&s, edit(&base)), "config");
    assert_eq!(told, (Light::Red, false, "somebody changed the configuration meanwhile".to_owned()));
    let base = Base::of(s.cluster(), s.now()).expect("a configuration");
    assert_eq!(check(&plan(&s, EditConfig::new(base.clone(), base.settings())), "changes").0, Light::Red);
    s.delete("config");
    assert!(Base::of(s.cluster(), s.now()).is_err());
}

#[test]
fn an_edit_at_which_patroni_would_fail_wants_the_clusters_name() {
    let s = Scenario::healthy();
    let base = Base::of(s.cluster(), s.now()).unwrap();
    let confirm = |ttl: serde_json::Value| plan(&s, EditConfig::new(base.clone(), with_setting(base.settings(), "ttl", ttl))).confirm;
    assert_eq!(confirm(json!(40)), Confirm::YesNo);
    assert_eq!(confirm(json!("ten")), Confirm::Type(s.cluster().scope.clone()));
}

#[test]
fn an_edit_that_pauses_or_makes_a_standby_is_that_too() {
    let s = Scenario::healthy();
    let of = |edits: &[(&str, serde_json::Value)]| {
        let base = Base::of(s.cluster(), s.now()).expect("a configuration");
        let after = edits.iter().fold(base.settings(), |mut after, (key, value)| {
            after.insert((*key).to_owned(), value.clone());
            after
        });
        plan(&s, EditConfig::new(base, after)).also
    };
    assert!(of(&[("ttl", json!(45))]).is_empty());
    assert_eq!(of(&[("pause", json!(true))]), ["pause", "resume"]);
    let standby = of(&[("standby_cluster", json!({ "host": "192.0.2.1" })), ("ttl", json!(45))]);
    assert_eq!(standby, ["demote-cluster", "promote-cluster"]);
}

#[test]
fn who_replays_late_is_no_candidate_without_a_word() {
    let of = |seconds: f64, failover: bool| {
        let mut s = Scenario::healthy();
        s.sql("psg1", |sql| {
            let row = sql.replication.iter_mut().find(|row| row.application_name == "psg2").unwrap();
            row.replay_lsn = row.replay_lsn.map(|at| Lsn(at.0 - 20_000));
            row.replay_lag = Some(seconds);
        });
        s.pass(1);
        let candidate = "psg2".to_owned();
        let plan = match failover {
            true => plan(&s, Failover { candidate }),
            false => plan(&s, Switchover { candidate: Some(candidate), at: None, leader: None }),
        };
        check(&plan, "lag")
    };
    assert_eq!(of(0.1, false), (Light::Green, true, "psg2 is 19 kB behind".to_owned()));
    let (light, _, told) = of(43.0, false);
    assert!(light == Light::Amber && told.starts_with("what psg2 has replayed is 43 s old"), "{told}");
    // Patroni would: who knows better can insist.
    let (light, would, _) = of(74.0, false);
    assert_eq!((light, would), (Light::Red, true));
    assert_eq!(of(74.0, true).0, Light::Amber, "there may be nobody better");
}

#[test]
fn who_lacks_too_much_takes_a_key_that_nobody_holds_if_somebody_insists() {
    let mut s = Scenario::healthy();
    let at = WRITTEN - (4 << 20);
    s.patroni("psg2", json!({"xlog": {"received_location": at, "replayed_location": at, "replayed_timestamp": null, "paused": false}}));
    s.sql("psg2", |sql| (sql.receive_lsn, sql.replay_lsn) = (Some(Lsn(at)), Some(Lsn(at)))).pass(1);
    let of = |s: &Scenario| plan(s, Failover { candidate: "psg2".to_owned() });
    let (light, would, _) = check(&of(&s), "candidate-lagging");
    assert_eq!((light, would), (Light::Red, false), "a leader does not hand over to it");
    s.crash("psg1").delete("leader").pass(1);
    let forced = of(&s);
    let (light, would, _) = check(&forced, "candidate-lagging");
    assert_eq!((light, would), (Light::Red, true));
    assert!(forced.overridable().contains(&"loss"), "{:?}", forced.checks);
}
