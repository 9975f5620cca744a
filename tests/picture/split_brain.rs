//! `split-brain`: two that accept writes at once, what each has written, and data that is not the cluster's.

use std::time::Duration;

use pgbaton::document::{FindingDoc, Level};
use pgbaton::model::{ErrorKind, Fact, Lsn, PostgresStatus, SourceId, SourceKind};
use serde_json::json;

use crate::scenario::{Scenario, WRITTEN};

/// psg2 is promoted beside psg1, which goes on: its Patroni was killed and its lease has run out.
fn parted() -> Scenario {
    let mut s = Scenario::healthy();
    s.fails("rest psg1", ErrorKind::Refused, "connection refused").pass(20);
    s.delete("leader").delete("members/psg1").moment();
    s.leader("psg2").writes_go_to(&[]).moment();
    s.sql("psg2", |sql| writes(sql, 2, WRITTEN + 160)).patroni("psg2", json!({"role": "primary", "timeline": 2})).moment();
    s
}

fn writes(sql: &mut PostgresStatus, timeline: u32, at: u64) {
    (sql.in_recovery, sql.timeline, sql.current_lsn) = (false, Some(timeline), Some(Lsn(at)));
    (sql.receive_lsn, sql.replay_lsn, sql.receiver) = (None, None, None);
}

fn evidence(finding: &FindingDoc, what: &str) -> Vec<String> {
    let said = finding.evidence.iter().filter(|e| e.what == what);
    said.map(|e| format!("{}: {}", e.source, e.value)).collect()
}

#[test]
fn two_that_accept_writes_are_the_worst() {
    let mut s = Scenario::healthy();
    s.delete("leader").sql("psg2", |sql| writes(sql, 2, WRITTEN)).pass(1);
    assert_eq!(s.codes()[..2], ["split-brain", "no-leader"]);
    let finding = s.finding("split-brain").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Critical, None));
    assert_eq!(
        finding.sentence,
        "psg1 and psg2 both accept writes: their data part ways; since that was seen psg1 has written 0 B, psg2 0 B; new sessions write to psg1"
    );
    s.sql("psg3", |sql| writes(sql, 2, WRITTEN)).pass(1);
    assert!(s.sentence("split-brain").starts_with("psg1, psg2 and psg3 all accept writes, for 1 s: their data part ways"));
    s.answers("sql psg2").answers("sql psg3").leader("psg1").pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn it_is_there_with_the_second_ones_first_word_and_tells_what_each_has_written() {
    let mut s = parted();
    let head = "psg1 and psg2 both accept writes: their data part ways; since that was seen";
    assert_eq!(s.sentence("split-brain"), format!("{head} psg1 has written 0 B, psg2 0 B; new sessions write to nobody"));

    // Both go on; the history is not there yet, so the fork is not known.
    s.sql("psg1", |sql| sql.current_lsn = Some(Lsn(WRITTEN + 3 * 1_048_576))).sql("psg2", |sql| writes(sql, 2, WRITTEN + 40_160)).pass(12);
    s.writes_go_to(&["psg2"]).pass(1);
    assert_eq!(
        s.sentence("split-brain"),
        "psg1 and psg2 both accept writes, for 13 s: their data part ways; since that was seen psg1 has written 3.0 MB, psg2 39 kB; \
         new sessions write to psg2"
    );
    let finding = s.finding("split-brain").unwrap();
    let written = evidence(finding, "written since the data parted");
    assert_eq!(written[0], "sql psg1: 3145728 bytes since the second was seen; where they parted is not known");
    assert_eq!(evidence(finding, "leader key"), ["etcd: psg2"]);
    assert_eq!(evidence(finding, "pg_is_in_recovery()")[..2], ["sql psg1: false", "sql psg2: false"]);
    assert_eq!(evidence(finding, "accepts writes, seen since").len(), 2);

    // Patroni's history says where.
    s.put("history", format!(r#"[[1,{},"x","2026-11-24T03:00:20+00:00","psg2"]]"#, WRITTEN + 100)).pass(1);
    assert_eq!(
        s.sentence("split-brain"),
        "psg1 and psg2 both accept writes, for 14 s: their data part ways; since the fork psg1 has written 3.0 MB, psg2 39 kB; \
         new sessions write to psg2"
    );
    let written = evidence(s.finding("split-brain").unwrap(), "written since the data parted");
    assert_eq!(
        written,
        ["sql psg1: 3145628 bytes from the fork at 0/50001AC (history)", "sql psg2: 40060 bytes from the fork at 0/50001AC (history)"]
    );
}

#[test]
fn a_history_that_does_not_lead_to_the_leaders_timeline_is_no_fork() {
    let mut s = parted();
    s.put("history", format!(r#"[[1,{},"x"],[2,{},"x"]]"#, WRITTEN - 900, WRITTEN - 100)).pass(1);
    assert!(s.sentence("split-brain").contains("since that was seen psg1 has written 0 B, psg2 0 B"), "{}", s.sentence("split-brain"));
    // Nobody says where psg1 writes.
    s.sql("psg1", |sql| sql.current_lsn = None).pass(1);
    assert!(s.sentence("split-brain").contains("psg1 has written an unknown amount, psg2 0 B"), "{}", s.sentence("split-brain"));
}

/// One answer of psg2's PostgreSQL, now.
fn psg2_writes(s: &mut Scenario) {
    let mut status = s.cluster().members["psg2"].sql.last().unwrap().clone();
    writes(&mut status, 2, WRITTEN + 160);
    s.report(SourceId::new(SourceKind::Sql, "psg2"), Fact::Postgres(Box::new(status)));
}

/// psg1's last answer is that it accepts writes, and it stands there unrefuted for seconds.
#[test]
fn an_old_leaders_last_word_is_no_second_writer() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
    s.silent("sql psg1").silent("sql psg2").delete("leader").moment().moment().moment();
    s.leader("psg2");
    psg2_writes(&mut s);
    assert_eq!(s.finding("split-brain"), None, "0.3 s lie between the two answers");
    assert!(s.cluster().writers_undecided(s.now()), "who asks once only waits for the next answer");
    for _ in 0..3 {
        s.pass(1);
        psg2_writes(&mut s);
        assert_eq!(s.finding("split-brain"), None, "{}", s.sentence("split-brain"));
    }
    // Its next answer tells: it has become a replica.
    s.sql("psg1", |sql| sql.in_recovery = true).pass(1);
    assert_eq!((s.finding("split-brain"), s.cluster().writers_undecided(s.now())), (None, false));
}

#[test]
fn a_second_answer_of_the_first_one_proves_it() {
    let mut s = Scenario::healthy();
    s.silent("sql psg1").silent("sql psg2").leader("psg2").pass(1);
    psg2_writes(&mut s);
    assert_eq!(s.finding("split-brain"), None);
    s.answers("sql psg1").pass(1);
    assert!(s.sentence("split-brain").starts_with("psg1 and psg2 both accept writes, for 1 s"), "{}", s.sentence("split-brain"));
    // An answer that was asked for before psg2 began proves nothing, however late it comes.
    let mut s = Scenario::healthy();
    s.silent("sql psg1").silent("sql psg2").leader("psg2").pass(1);
    psg2_writes(&mut s);
    let status = s.cluster().members["psg1"].sql.last().unwrap().clone();
    s.report_late(SourceId::new(SourceKind::Sql, "psg1"), Fact::Postgres(Box::new(status)), Duration::from_millis(900));
    assert_eq!(s.finding("split-brain"), None);
}

#[test]
fn a_writer_that_fails_is_not_held_against_the_other() {
    let mut s = parted();
    s.fails("sql psg1", ErrorKind::Refused, "connection refused").pass(1);
    assert_eq!(s.finding("split-brain"), None);
    s.answers("sql psg1").pass(1);
    assert!(s.finding("split-brain").is_some());
    // It is back as a replica: a new parting would begin anew.
    s.sql("psg1", |sql| sql.in_recovery = true).pass(1);
    assert_eq!((s.finding("split-brain"), s.cluster().parting.since), (None, None));
}

#[test]
fn every_step_of_a_switchover_is_quiet() {
    let mut s = Scenario::healthy();
    s.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#).pass(1);
    s.patroni("psg1", json!({"state": "stopping"})).fails("sql psg1", ErrorKind::Refused, "refused").pass(1);
    s.patroni("psg1", json!({"state": "stopped", "role": "demoted"})).delete("leader").pass(1);
    s.leader("psg2").put("failover", "{}").pass(1);
    s.answers("sql psg1").promote("psg2", 2).pass(1);
    for _ in 0..15 {
        assert_eq!(s.finding("split-brain"), None);
        s.pass(1);
    }
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn data_that_is_not_the_clusters_is_found() {
    let mut s = Scenario::healthy();
    s.sql("psg3", |sql| sql.system_identifier = Some(42)).pass(1);
    let finding = s.finding("split-brain").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Critical, Some("psg3")));
    assert_eq!(finding.sentence, "the data of psg3 is not this cluster's: its system identifier is 42, not 7711549358043286544");
    assert_eq!(evidence(finding, "system identifier"), ["sql psg3: 42"]);
    s.sql("psg3", |sql| sql.in_recovery = false).pass(1);
    assert!(s.document().findings.iter().any(|f| f.sentence.ends_with(", and it accepts writes")), "{:?}", s.codes());

    // By REST, when our user may not call pg_control_system().
    let mut s = Scenario::healthy();
    s.sql("psg3", |sql| sql.system_identifier = None).patroni("psg3", json!({"database_system_identifier": "43"})).pass(1);
    assert!(s.sentence("split-brain").contains("its system identifier is 43"), "{}", s.sentence("split-brain"));
    // Unknown is not another, and an old answer is none.
    s.patroni("psg3", json!({"database_system_identifier": null})).pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn a_cluster_that_is_made_anew_is_not_compared_with_what_it_was() {
    let mut s = Scenario::healthy();
    s.put("initialize", "").pass(1);
    assert_eq!(s.finding("split-brain"), None, "it is being made");
    for name in ["psg1", "psg2", "psg3"] {
        s.silent(&format!("sql {name}"));
    }
    s.put("initialize", "77").pass(1);
    assert_eq!(s.finding("split-brain"), None, "the last answers are of the cluster that was");
    s.answers("sql psg2").pass(1);
    assert_eq!(s.finding("split-brain").unwrap().subject.as_deref(), Some("psg2"));
}
