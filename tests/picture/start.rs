//! From nothing heard to a whole picture: nothing is called right before it was verified, and nothing is cried out on the way.

use pgbaton::document::Level;
use pgbaton::model::{Role, SourceKind, Time};

use crate::scenario::Scenario;

#[test]
fn before_the_first_answer_everything_is_unknown() {
    let scenario = Scenario::unheard();
    let document = scenario.document();
    assert_eq!((document.headline.level, document.headline.verdict.as_str()), (Level::Unknown, "asking etcd"));
    assert_eq!(document.headline.leads, "leader unknown");
    assert_eq!(document.cluster.leader, None);
    assert_eq!((document.cluster.paused, document.cluster.timeline, document.cluster.lease_ttl_seconds), (None, None, None));
    assert_eq!((document.etcd.quorum, document.etcd.size, document.etcd.failure_tolerance), (None, None, None));
    assert!(document.findings.is_empty());
    assert!(document.sources.iter().all(|s| s.age_ms.is_none() && !s.fresh && s.error.is_none()));
}

#[test]
fn members_that_were_not_heard_have_no_figures() {
    let mut scenario = Scenario::unheard();
    scenario.list();
    let psg2 = scenario.member("psg2");
    assert_eq!((psg2.state.as_deref(), psg2.timeline, psg2.receive_lag_bytes, psg2.replay_lag_bytes), (None, None, None, None));
    assert_eq!((psg2.replay_lag_seconds, psg2.sessions, psg2.in_recovery, psg2.lsn), (None, None, None, None));
    assert_eq!(psg2.role, Role::Replica, "its key says so, and etcd has just vouched for it");
    assert_eq!(scenario.document().headline.level, Level::Unknown);
}

/// The sources of a healthy cluster answer one after the other, in an order that differs with each run; no half of the picture is bad news.
#[test]
fn a_healthy_start_is_quiet_in_every_order() {
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
    for first in 0..all.len() {
        for backwards in [false, true] {
            let mut scenario = Scenario::unheard();
            for source in all {
                scenario.silent(source);
            }
            for step in 0..all.len() {
                let source = all[(if backwards { first + all.len() - step } else { first + step }) % all.len()];
                scenario.answers(source);
                if source == "dcs" {
                    scenario.list();
                }
                scenario.moment();
                assert_eq!(scenario.codes(), Vec::<&str>::new(), "{source} is the newest to answer");
                let expected = if step + 1 == all.len() { Level::Ok } else { Level::Unknown };
                assert_eq!(scenario.document().headline.level, expected, "{source}: {}", scenario.verdict());
            }
            assert_eq!(scenario.changes(), Vec::<String>::new(), "what was there has not changed");
        }
    }
}

#[test]
fn a_confirmation_of_nothing_read_is_no_absence_of_a_leader() {
    let mut scenario = Scenario::unheard();
    scenario.pass(2);
    assert_eq!((scenario.codes(), scenario.document().headline.leads.as_str()), (vec![], "leader unknown"));
}

#[test]
fn a_leader_key_that_was_never_there_is_not_said_to_have_gone_just_now() {
    let mut scenario = Scenario::unheard();
    scenario.delete("leader").crash("psg1").list().pass(1);
    assert_eq!(scenario.sentence("no-leader"), "nobody leads: clients cannot write");
    assert_eq!(scenario.document().cluster.leaderless_since, None);
}

#[test]
fn without_a_history_the_leader_leads_since_an_unknown_moment() {
    let scenario = Scenario::healthy();
    assert_eq!(scenario.document().cluster.leader_since, None);
    let mut known = Scenario::unheard();
    known.put("history", r#"[[1,67243696,"x","2026-11-24T01:50:27.441270+00:00","psg1"]]"#).list().pass(1);
    assert_eq!(known.document().cluster.leader_since, pgbaton::model::Time::parse("2026-11-24T01:50:27.441270Z"));
    let mut foreign = Scenario::unheard();
    foreign.put("history", r#"[[1,67243696,"no recovery target specified","2026-11-24T01:50:27.441270+00:00","psg3"]]"#).list().pass(1);
    assert_eq!(foreign.document().cluster.leader_since, None, "the history speaks of another");
}

#[test]
fn each_source_has_a_row_as_soon_as_it_is_known() {
    let scenario = Scenario::healthy();
    let sources = &scenario.document().sources;
    let count = |kind: SourceKind| sources.iter().filter(|s| s.name == kind.to_string()).count();
    let counts = [SourceKind::Dcs, SourceKind::Lease, SourceKind::Etcd, SourceKind::Rest, SourceKind::Sql, SourceKind::Haproxy].map(count);
    assert_eq!(counts, [1, 1, 3, 3, 3, 1]);
    assert!(sources.iter().all(|s| s.fresh && s.error.is_none() && s.age_ms == Some(0)));
}

/// Its key outlived the lost quorum; it stepped down all the same, and was promoted anew.
#[test]
fn a_leader_that_was_promoted_anew_leads_since_then() {
    let mut s = Scenario::healthy();
    let entry = |timeline: u32, at: Time| format!(r#"[{timeline},67243696,"no recovery target specified","{at}","psg1"]"#);
    let first = s.now();
    s.put("history", format!("[{}]", entry(1, first))).list();
    s.pass(300);
    assert_eq!(s.document().cluster.leader_since, Some(first));
    let anew = s.now();
    s.pass(1).put("history", format!("[{},{}]", entry(1, first), entry(2, anew))).list();
    assert_eq!(s.document().cluster.leader_since, Some(anew));
    // A clock that goes wrong is not believed.
    let later = s.now().plus(std::time::Duration::from_secs(3600));
    s.put("history", format!("[{},{},{}]", entry(1, first), entry(2, anew), entry(3, later))).list();
    assert_eq!(s.document().cluster.leader_since, Some(anew));
}
