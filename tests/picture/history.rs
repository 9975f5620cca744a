//! What Patroni's history tells of before, and what of it was seen.

use crate::scenario::Scenario;

const FIRST: &str = r#"[6,100,"no recovery target specified"]"#;
const SECOND: &str = r#"[7,200,"no recovery target specified","2026-11-24T01:50:27.441270+00:00","psg1"]"#;
const THIRD: &str = r#"[8,300,"no recovery target specified","2026-11-24T03:00:40.000000+00:00","psg2"]"#;
const FOURTH: &str = r#"[9,400,"no recovery target specified","2026-11-24T03:00:50.000000+00:00","psg3"]"#;

fn history(entries: &[&str]) -> String {
    format!("[{}]", entries.join(","))
}

/// The timelines of the document's history that nobody here has seen begin.
fn unseen(s: &Scenario) -> Vec<(u32, Option<&str>)> {
    s.document().history.iter().filter(|t| !t.watched).map(|t| (t.timeline, t.leader.as_deref())).collect()
}

#[test]
fn what_was_before_is_told_from_the_history_and_what_was_seen_is_not_told_twice() {
    let mut s = Scenario::unheard();
    s.put("history", history(&[FIRST, SECOND])).list().pass(2);
    assert_eq!(unseen(&s), [(7, None), (8, Some("psg1"))], "the timeline that began, not the one that ended");
    s.delete("leader").moment().promote("psg2", 9).pass(1);
    s.put("history", history(&[FIRST, SECOND, THIRD])).pass(1);
    assert_eq!(unseen(&s), [(7, None), (8, Some("psg1"))]);
    assert_eq!(s.document().history.len(), 3, "the document has the whole");
    s.put("history", history(&[SECOND, THIRD])).pass(1);
    assert_eq!(unseen(&s), [(8, Some("psg1"))], "Patroni drops the oldest");
}

#[test]
fn a_change_that_came_between_two_looks_is_told_from_the_history() {
    let mut s = Scenario::unheard();
    s.put("history", history(&[SECOND])).list().pass(2);
    s.fails("dcs", pgbaton::model::ErrorKind::Timeout, "no answer").pass(2);
    s.promote("psg3", 10).put("history", history(&[SECOND, THIRD, FOURTH]));
    s.answers("dcs").pass(1);
    assert_eq!(unseen(&s), [(8, Some("psg1")), (9, Some("psg2"))], "psg3's beginning was seen, psg2's reign was not");
}

#[test]
fn a_leader_that_was_there_before_us_and_is_written_down_after_is_told_from_the_history() {
    let mut s = Scenario::unheard();
    s.put("history", history(&[SECOND])).list().pass(2);
    s.put("history", history(&[SECOND, THIRD])).pass(1);
    assert_eq!(unseen(&s), [(8, Some("psg1")), (9, Some("psg2"))]);
}
