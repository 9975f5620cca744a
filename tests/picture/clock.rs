//! `clock-skew`.

use pgbaton::document::Level;
use pgbaton::model::{ClockReading, ErrorKind, Fact, SourceId, SourceKind, Time};

use crate::scenario::Scenario;

const SQL: SourceKind = SourceKind::Sql;
const REST: SourceKind = SourceKind::Rest;

#[test]
fn one_clock_that_is_off() {
    let mut s = Scenario::healthy();
    s.clocks(&[("psg1", SQL, 5000), ("psg2", SQL, 10), ("psg3", SQL, -1500)]);
    assert_eq!(s.codes(), ["clock-skew"]);
    assert_eq!(s.sentence("clock-skew"), "the clock of psg1 is 5.0 s ahead of ours, with which psg2 and psg3 agree (limit 2 s)");
    let finding = s.finding("clock-skew").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref(), finding.evidence.len()), (Level::Warning, Some("psg1"), 3));
    assert_eq!((finding.evidence[0].source.as_str(), finding.evidence[0].value.as_str()), ("sql psg1", "5.0 s ahead of ours"));
    assert_eq!(s.member("psg1").clock_skew_ms, Some(5001.0));
    s.clocks(&[("psg1", SQL, 100), ("psg2", SQL, 10), ("psg3", SQL, 0)]);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn all_alike_is_our_own_clock() {
    let mut s = Scenario::healthy();
    s.clocks(&[("psg1", SQL, 3_600_000), ("psg2", SQL, 3_600_300), ("psg3", REST, 3_600_000)]);
    let behind = "the clock of this machine is 1 h 00 min behind: those of psg1, psg2 and psg3 agree with each other (limit 2 s)";
    assert_eq!(s.sentence("clock-skew"), behind);
    assert_eq!((s.codes(), s.finding("clock-skew").unwrap().subject.as_deref()), (vec!["clock-skew"], Some("this machine")));

    // Somebody sets our clock right: what counts is what it says now, whatever the program's own time is anchored to.
    s.clocks(&[("psg1", SQL, 0), ("psg2", SQL, 300), ("psg3", REST, 0)]);
    assert_eq!(s.verdict(), "healthy");

    let mut s = Scenario::healthy();
    s.clocks(&[("psg1", SQL, -7000), ("psg2", SQL, -7100)]);
    assert!(s.sentence("clock-skew").starts_with("the clock of this machine is 7.0 s ahead"), "{}", s.sentence("clock-skew"));
}

#[test]
fn clocks_that_differ_from_each_other_too_are_told_one_by_one() {
    let mut s = Scenario::healthy();
    s.clocks(&[("psg1", SQL, 5000), ("psg2", SQL, -8000), ("psg3", SQL, 20_000)]);
    let found: Vec<&str> = s.document().findings.iter().map(|f| f.sentence.as_str()).collect();
    assert_eq!(
        found,
        [
            "the clock of psg1 is 5.0 s ahead of ours (limit 2 s)",
            "the clock of psg2 is 8.0 s behind ours (limit 2 s)",
            "the clock of psg3 is 20.0 s ahead of ours (limit 2 s)",
        ]
    );
}

#[test]
fn of_two_clocks_nobody_knows_which_is_wrong() {
    let mut s = Scenario::healthy();
    s.clocks(&[("psg2", SQL, 5000)]);
    let one = "the clock of psg2 is 5.0 s ahead of ours, and no other tells which one is wrong (limit 2 s)";
    assert_eq!(s.sentence("clock-skew"), one);
}

#[test]
fn whole_seconds_and_the_way_are_allowed_for() {
    // A Date that is right may look a second old; one that is 2.9 s off may be 1.9 s off.
    for (ahead, found) in [(0, false), (2900, false), (-2900, false), (4100, true), (-4100, true)] {
        let mut s = Scenario::healthy();
        s.clocks(&[("psg1", REST, ahead), ("psg2", REST, 0), ("psg3", REST, 0)]);
        assert_eq!(s.finding("clock-skew").is_some(), found, "{ahead}: {:?}", s.finding("clock-skew"));
    }
    // An answer that was ten seconds on the way proves nothing of five.
    let mut s = Scenario::healthy();
    s.takes("psg1", 10_000).clocks(&[("psg1", SQL, -5000), ("psg2", SQL, 0)]);
    assert_eq!(s.finding("clock-skew"), None);
}

#[test]
fn one_reading_is_none_and_a_silent_member_is_not_judged() {
    let mut s = Scenario::healthy();
    let reading = ClockReading { theirs: s.now().plus(std::time::Duration::from_secs(60)), ours: s.now(), whole_seconds: false };
    s.report(SourceId::new(SQL, "psg1"), Fact::Clock(reading));
    assert_eq!(s.verdict(), "healthy");
    s.clocks(&[("psg1", SQL, 5000), ("psg2", SQL, 0)]);
    assert_eq!(s.codes(), ["clock-skew"]);
    s.fails("sql psg1", ErrorKind::Timeout, "no answer").pass(1);
    assert_eq!((s.finding("clock-skew"), s.member("psg1").clock_skew_ms), (None, None));
    // A clock of a member that was never named is nobody's.
    s.report(SourceId::new(SQL, "psg9"), Fact::Clock(ClockReading { theirs: Time::from_micros(0), ..reading }));
    assert!(s.document().members.iter().all(|m| m.name != "psg9"));
}
