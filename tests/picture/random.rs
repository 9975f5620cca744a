//! Random courses of a cluster whose truth is known: whatever is heard in whatever order, some things are never said.

use std::collections::BTreeSet;

use pgbaton::document::{Document, Level, Role};
use pgbaton::model::{ChangeKind, ErrorKind, Lsn, SourceKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scenario::Scenario;

const SOURCES: [&str; 12] = [
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
const NAMES: [&str; 3] = ["psg1", "psg2", "psg3"];

/// What may happen.
#[derive(Debug, Clone)]
enum Event {
    Fails(usize),
    Silent(usize),
    Answers(usize),
    Leader(usize),
    NoLeader,
    Promote(usize),
    MemberGone(usize),
    MemberBack(usize),
    Writable(usize, bool),
    RestRole(usize, usize),
    Behind(usize, u64),
    Routes(u8),
    List,
    Serializable,
    Garbage(usize),
    Pass(u32),
    Hang(u32),
}

fn event() -> impl Strategy<Value = Event> {
    let (source, name) = (0..SOURCES.len(), 0..NAMES.len());
    prop_oneof![
        3 => source.clone().prop_map(Event::Fails),
        2 => source.clone().prop_map(Event::Silent),
        5 => source.prop_map(Event::Answers),
        2 => name.clone().prop_map(Event::Leader),
        1 => Just(Event::NoLeader),
        1 => name.clone().prop_map(Event::Promote),
        1 => name.clone().prop_map(Event::MemberGone),
        1 => name.clone().prop_map(Event::MemberBack),
        1 => (name.clone(), any::<bool>()).prop_map(|(n, w)| Event::Writable(n, w)),
        1 => (name.clone(), 0..5usize).prop_map(|(n, r)| Event::RestRole(n, r)),
        1 => (name, any::<u64>()).prop_map(|(n, b)| Event::Behind(n, b)),
        1 => (0..8u8).prop_map(Event::Routes),
        1 => Just(Event::List),
        1 => Just(Event::Serializable),
        1 => (0..6usize).prop_map(Event::Garbage),
        6 => (1..4u32).prop_map(Event::Pass),
        1 => (1..12u32).prop_map(Event::Hang),
    ]
}

/// What is true of the sources, kept beside the product: which of them do not answer well now, and for how many seconds.
struct Truth {
    /// By source: seconds since it last answered; none: it answers.
    unwell: [Option<u32>; SOURCES.len()],
}

impl Truth {
    /// The sources whose last answer is older than they may be.
    fn old(&self) -> Vec<&'static str> {
        let limit = |source: &str| if source.starts_with("etcd") || source.starts_with("haproxy") { 7 } else { 5 };
        SOURCES.into_iter().zip(self.unwell).filter(|(source, since)| since.is_some_and(|s| s > limit(source))).map(|(s, _)| s).collect()
    }

    fn pass(&mut self, seconds: u32) {
        self.unwell.iter_mut().flatten().for_each(|since| *since += seconds);
    }
}

fn play(scenario: &mut Scenario, truth: &mut Truth, event: &Event) {
    match event {
        Event::Fails(n) => {
            scenario.fails(SOURCES[*n], ErrorKind::Timeout, "no answer");
            truth.unwell[*n].get_or_insert(0);
        }
        Event::Silent(n) => {
            scenario.silent(SOURCES[*n]);
            truth.unwell[*n].get_or_insert(0);
        }
        Event::Answers(n) => {
            scenario.answers(SOURCES[*n]).moment();
            truth.unwell[*n] = None;
        }
        Event::Leader(n) => drop(scenario.leader(NAMES[*n]).now()),
        Event::NoLeader => drop(scenario.delete("leader").now()),
        Event::Promote(n) => drop(scenario.promote(NAMES[*n], 2).now()),
        Event::MemberGone(n) => drop(scenario.delete(&format!("members/{}", NAMES[*n])).now()),
        Event::MemberBack(n) => drop(scenario.put(&format!("members/{}", NAMES[*n]), r#"{"role": "replica", "state": "running"}"#).now()),
        Event::Writable(n, writable) => {
            if truth.unwell[8 + n].is_none() {
                scenario.sql(NAMES[*n], |sql| sql.in_recovery = !writable);
            }
        }
        Event::RestRole(n, role) => {
            if truth.unwell[5 + n].is_none() {
                let roles = [json!("primary"), json!("replica"), json!("demoted"), Value::Null, json!("standby_leader")];
                scenario.patroni(NAMES[*n], json!({"role": roles[*role]}));
            }
        }
        Event::Behind(n, bytes) => {
            if truth.unwell[8 + n].is_none() {
                scenario.sql(NAMES[*n], |sql| {
                    sql.replay_lsn = Some(Lsn(*bytes));
                    sql.replication.iter_mut().for_each(|row| row.replay_lsn = Some(Lsn(bytes / 2)));
                });
            }
        }
        Event::Routes(bits) => {
            if truth.unwell[11].is_none() {
                let up: Vec<&str> = NAMES.into_iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, name)| name).collect();
                scenario.writes_go_to(&up);
            }
        }
        // A list is an answer of the keys' source; one that does not answer gives none.
        Event::List => {
            if truth.unwell[0].is_none() {
                scenario.list();
            }
        }
        Event::Serializable => drop(scenario.list_serializable().now()),
        Event::Garbage(n) => {
            let key = ["config", "sync", "failover", "history", "status", "members/psg2"][*n];
            scenario.put(key, "{\u{1b}[2J");
        }
        Event::Pass(seconds) => {
            scenario.pass(*seconds);
            truth.pass(*seconds);
        }
        Event::Hang(seconds) => {
            // Nobody is heard at all, and then all that are well are.
            scenario.pass_unheard(*seconds).moment();
            truth.pass(*seconds);
        }
    }
}

/// What must hold of every document.
fn hold(scenario: &Scenario, truth: &Truth) -> Result<(), TestCaseError> {
    let document = scenario.document();
    let old = truth.old();
    if !old.is_empty() {
        prop_assert_ne!(document.headline.level, Level::Ok, "{:?} are old: {}", old, document.headline.verdict);
    }
    prop_assert_eq!(document.headline.verdict == "healthy", document.headline.level == Level::Ok);
    let asked_again = document.headline.verdict.ends_with("they are being asked again");
    let quiet = document.findings.is_empty() && document.sources.iter().all(|s| s.fresh);
    prop_assert_eq!(document.headline.level == Level::Ok || asked_again, quiet);
    leaders_are_named_by_somebody(scenario, &old)?;
    unknown_is_null(document, &old)?;
    who_takes_over_was_heard(document, &old)?;
    let worst: Vec<Level> = document.findings.iter().map(|f| f.severity).collect();
    prop_assert!(worst.is_sorted_by(|a, b| a >= b), "{:?}", worst);
    let identities: BTreeSet<_> = document.findings.iter().map(|f| (&f.code, &f.subject)).collect();
    prop_assert_eq!(identities.len(), document.findings.len(), "one finding for each code and subject: {:?}", document.findings);
    let json = serde_json::to_string(document).unwrap();
    prop_assert_eq!(&serde_json::from_str::<Document>(&json).unwrap(), document);
    prop_assert!(!json.contains("\\u001b"), "{}", json);
    Ok(())
}

/// A leader in the members' list is named by a source that is current: etcd, its own REST API, or its own PostgreSQL.
fn leaders_are_named_by_somebody(scenario: &Scenario, old: &[&str]) -> Result<(), TestCaseError> {
    let document = scenario.document();
    let leaders: Vec<_> = document.members.iter().filter(|m| matches!(m.role, Role::Leader | Role::StandbyLeader)).collect();
    prop_assert!(leaders.len() <= 1, "{:?}", leaders);
    for member in leaders {
        let by = |source: &str| !old.contains(&source);
        let etcd = by("dcs") && scenario.cluster().holder() == Some(&member.name);
        let rest = by(&format!("rest {}", member.name)) && member.rest.fresh;
        let sql = by(&format!("sql {}", member.name)) && member.in_recovery == Some(false);
        prop_assert!(etcd || rest || sql, "{} leads by nobody's current word; old: {:?}", member.name, old);
        prop_assert!(document.headline.leads.starts_with(&member.name), "{}", document.headline.leads);
    }
    if old.contains(&"dcs") {
        prop_assert!(!document.headline.leads.ends_with(" leads"), "{}", document.headline.leads);
        prop_assert_ne!(document.headline.leads.as_str(), "nobody leads");
    }
    Ok(())
}

/// Nobody is named as the next leader who does not answer now, and nobody is said to be unable without a reason.
fn who_takes_over_was_heard(document: &Document, old: &[&str]) -> Result<(), TestCaseError> {
    let forecast = &document.forecast;
    prop_assert_eq!(forecast.outcome == "takes-over", !forecast.next.is_empty());
    for name in &forecast.next {
        let member = document.members.iter().find(|m| m.name == *name).unwrap();
        prop_assert!(member.rest.fresh && !old.contains(&format!("rest {name}").as_str()), "{} is silent", name);
        prop_assert_eq!(member.can_take_over, Some(true));
        prop_assert_ne!(forecast.leader.as_ref(), Some(name));
    }
    for member in &document.members {
        let leads = forecast.leader.as_ref() == Some(&member.name);
        prop_assert!(leads || member.can_take_over == Some(true) || !member.cannot_because.is_empty(), "{} without a reason", member.name);
        prop_assert!(!leads || matches!(member.role, Role::Leader | Role::StandbyLeader), "{:?}", member.role);
    }
    Ok(())
}

fn unknown_is_null(document: &Document, old: &[&str]) -> Result<(), TestCaseError> {
    for member in &document.members {
        let old_sql = old.contains(&format!("sql {}", member.name).as_str());
        let old_rest = old.contains(&format!("rest {}", member.name).as_str());
        if old_sql {
            prop_assert_eq!((member.in_recovery, member.sessions), (None, None));
        }
        if old_rest {
            prop_assert_eq!((member.state.as_deref(), member.paused), (None, None));
        }
        if old_sql && old_rest {
            prop_assert_eq!((member.timeline, member.lsn, member.receive_lsn, member.replay_lsn), (None, None, None, None));
        }
        if member.lag_source.is_none() {
            prop_assert_eq!((member.receive_lag_bytes, member.replay_lag_bytes, member.replay_lag_seconds), (None, None, None));
        }
    }
    if old.contains(&"haproxy vm1") {
        prop_assert!(document.routes.iter().all(|r| r.right.is_none()));
    }
    for source in &document.sources {
        prop_assert_eq!(source.fresh, source.error.is_none() && source.age_ms.is_some_and(|age| age <= source.limit_ms));
    }
    Ok(())
}

/// Each finding is raised before it is shown, and is raised and cleared by turns.
fn lives(scenario: &mut Scenario, raised: &mut BTreeSet<(String, Option<String>)>) -> Result<(), TestCaseError> {
    for change in scenario.raw_changes() {
        match change.kind {
            ChangeKind::FindingRaised { code, subject, .. } => {
                prop_assert!(raised.insert((code.clone(), subject.clone())), "{} {:?} is raised twice", code, subject);
            }
            ChangeKind::FindingCleared { code, subject, since, seconds, now: _ } => {
                prop_assert!(raised.remove(&(code.clone(), subject)), "{} ends and was not there", code);
                prop_assert!(seconds >= 0.0 && since <= change.at);
            }
            ChangeKind::FindingChanged { code, subject, from, to, .. } => {
                prop_assert!(from != to && raised.contains(&(code, subject)));
            }
            _ => {}
        }
    }
    let shown = scenario.document().findings.iter().map(|f| (f.code.clone(), f.subject.clone()));
    let untold: Vec<_> = shown.filter(|finding| !raised.contains(finding)).collect();
    prop_assert!(untold.is_empty(), "shown, and never raised: {:?}", untold);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_untrue_is_said(events in prop::collection::vec(event(), 1..60)) {
        let mut scenario = Scenario::healthy();
        let mut truth = Truth { unwell: [None; SOURCES.len()] };
        let mut raised = BTreeSet::new();
        for event in &events {
            play(&mut scenario, &mut truth, event);
            hold(&scenario, &truth)?;
            lives(&mut scenario, &mut raised)?;
        }
    }

    #[test]
    fn whoever_answers_first_nothing_unheard_is_a_figure(order in Just(SOURCES.to_vec()).prop_shuffle(), heard in 0..SOURCES.len()) {
        let mut scenario = Scenario::unheard();
        for source in SOURCES {
            scenario.silent(source);
        }
        for source in &order[..heard] {
            scenario.answers(source);
            if *source == "dcs" {
                scenario.list();
            }
            scenario.moment();
        }
        let document = scenario.document();
        prop_assert_eq!(document.headline.level, Level::Unknown, "{}", document.headline.verdict);
        let unheard = |source: &str| !order[..heard].contains(&source);
        for member in &document.members {
            if unheard(&format!("sql {}", member.name)) {
                prop_assert_eq!((member.in_recovery, member.sessions, member.sql.age_ms), (None, None, None));
            }
            if unheard(&format!("rest {}", member.name)) {
                prop_assert_eq!((member.state.as_deref(), member.rest.age_ms), (None, None));
            }
        }
        if unheard("lease") {
            prop_assert_eq!(document.cluster.lease_ttl_seconds, None);
        }
        if unheard("dcs") {
            prop_assert_eq!((document.cluster.leader.as_deref(), document.cluster.paused, document.members.len()), (None, None, 0));
        }
        let etcd: Vec<_> = document.etcd.members.iter().filter(|m| m.asked.age_ms.is_none()).collect();
        prop_assert!(etcd.iter().all(|m| m.raft_term.is_none() && m.db_size_bytes.is_none() && m.state == "unknown"), "{:?}", etcd);
        let rest = |kind: SourceKind| document.sources.iter().filter(|s| s.name == kind.to_string() && s.age_ms.is_none()).all(|s| !s.fresh);
        prop_assert!(rest(SourceKind::Rest) && rest(SourceKind::Sql));
    }
}
