use super::*;
use crate::model::{SourceError, SourceId, SourceKind};

fn at(millis: i64) -> Time {
    Time::from_micros(millis * 1000)
}

fn lag(severity: Level) -> Finding {
    Finding::new("lag-high", severity, format!("a {severity}")).about("psg2")
}

/// Two PostgreSQLs were read at these moments.
fn split(first: i64, second: i64) -> Finding {
    Finding::new("split-brain", Level::Critical, "two".into()).comparing([Some(at(first)), Some(at(second)), None])
}

/// A tracker whose beginning is over, with a cluster that nobody has heard of.
struct Play(Tracker, Cluster);

impl Play {
    fn begun() -> Self {
        let mut play = Self(Tracker::default(), Cluster::new("psg", "/service/", BTreeMap::new()));
        play.look(vec![], 0);
        play.look(vec![], 10_001);
        play
    }

    /// What stands (as `code since`), and what is told.
    fn look(&mut self, findings: Vec<Finding>, millis: i64) -> (Vec<String>, Vec<String>) {
        let changes = self.0.track(&self.1, findings, at(millis));
        let standing = self.0.standing().iter().map(|t| format!("{} {}", t.finding.code, t.since.as_micros() / 1000));
        (standing.collect(), changes.iter().map(|c| format!("{}: {}", c.code(), c.sentence())).collect())
    }
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_gap_is_not_shown_and_not_told_and_a_long_one_is_the_end() {
    let mut play = Play::begun();
    let lag = || vec![lag(Level::Warning)];
    assert_eq!(play.look(lag(), 20_000), (vec!["lag-high 20000".into()], vec!["finding-raised: a warning".into()]));
    assert_eq!(play.look(vec![], 22_000), (none(), none()), "what is away is not shown");
    assert_eq!(play.look(lag(), 24_000), (vec!["lag-high 20000".into()], none()), "it is the same one");
    assert_eq!(play.look(vec![], 29_000), (none(), none()));
    assert_eq!(play.look(vec![], 29_100), (none(), vec!["finding-cleared: lag-high of psg2 is over; it was seen for 4 s".into()]));
    assert_eq!(play.look(lag(), 29_200), (vec!["lag-high 29200".into()], vec!["finding-raised: a warning".into()]));
}

#[test]
fn one_that_goes_on_by_another_name_is_not_called_over() {
    let mut play = Play::begun();
    let missing = || vec![Finding::new("member-missing", Level::Warning, "gone".into()).about("psg2")];
    play.look(vec![lag(Level::Warning)], 20_000);
    play.look(vec![lag(Level::Warning)], 40_900);
    play.look(missing(), 41_000);
    assert_eq!(play.look(missing(), 46_100).1, ["finding-cleared: lag-high of psg2 is member-missing now, after 20 s"]);
    // Another began long before the first one ended: that is over all the same.
    play.look([missing(), vec![lag(Level::Warning)]].concat(), 60_000);
    play.look([missing(), vec![lag(Level::Warning)]].concat(), 80_000);
    play.look(missing(), 81_000);
    assert_eq!(play.look(missing(), 86_100).1, ["finding-cleared: lag-high of psg2 is over; it was seen for 20 s"]);
}

#[test]
fn worse_is_told_at_once_and_milder_when_it_stays_so() {
    let mut play = Play::begun();
    let mut at_level = |severity, millis| play.look(vec![lag(severity)], millis).1;
    at_level(Level::Warning, 20_000);
    assert_eq!(at_level(Level::Critical, 21_000), ["finding-changed: lag-high of psg2 is critical, was warning: a critical"]);
    assert_eq!(at_level(Level::Warning, 22_000), none());
    assert_eq!(at_level(Level::Critical, 26_000), none(), "it was worse again before");
    assert_eq!(at_level(Level::Warning, 27_000), none());
    assert_eq!(at_level(Level::Warning, 32_000), none());
    assert_eq!(at_level(Level::Warning, 32_001), ["finding-changed: lag-high of psg2 is warning, was critical: a warning"]);
    assert_eq!(at_level(Level::Warning, 40_000), none(), "nobody has looked for a while, which is no end");
}

#[test]
fn a_comparison_waits_until_both_were_read_again() {
    let mut play = Play::begun();
    assert_eq!(play.look(vec![split(19_500, 20_000)], 20_000), (none(), none()), "psg1 was read before psg2");
    assert_eq!(play.look(vec![], 20_400), (none(), none()), "psg1 has stopped meanwhile");
    assert_eq!(play.look(vec![split(30_000, 30_600)], 30_600), (none(), none()));
    let confirmed = (vec!["split-brain 30600".to_owned()], vec!["finding-raised: two".to_owned()]);
    assert_eq!(play.look(vec![split(31_000, 30_600)], 31_000), confirmed, "psg1 still accepts writes after psg2 did");
    assert_eq!(play.look(vec![split(31_000, 31_600)], 31_600), (vec!["split-brain 30600".into()], none()));
}

#[test]
fn a_comparison_that_cannot_be_repeated_is_raised_all_the_same() {
    let mut play = Play::begun();
    assert_eq!(play.look(vec![split(19_500, 20_000)], 20_000).0, none());
    assert_eq!(play.look(vec![split(19_500, 23_000)], 23_999).0, none());
    assert_eq!(play.look(vec![split(19_500, 24_000)], 24_000).0, ["split-brain 20000"]);
}

#[test]
fn what_is_there_when_we_come_has_not_happened_and_its_end_is_told() {
    let mut play = Play(Tracker::default(), Cluster::new("psg", "/service/", BTreeMap::new()));
    let lag = || vec![lag(Level::Warning)];
    assert_eq!(play.look(lag(), 0), (vec!["lag-high 0".into()], none()));
    assert_eq!(play.look(lag(), 20_000), (vec!["lag-high 0".into()], none()));
    assert_eq!(play.look(vec![], 25_000).1, none());
    assert_eq!(play.look(vec![], 26_000).1, ["finding-cleared: lag-high of psg2 is over; it was seen for 20 s"]);
    assert_eq!(play.look(lag(), 27_000).1, ["finding-raised: a warning"]);
}

#[test]
fn what_comes_and_goes_before_the_picture_is_whole_is_not_told() {
    let mut play = Play(Tracker::default(), Cluster::new("psg", "/service/", BTreeMap::new()));
    play.look(vec![lag(Level::Warning)], 0);
    assert_eq!(play.look(vec![], 5_000), (none(), none()));
    assert_eq!(play.look(vec![], 6_000), (none(), none()));
    assert_eq!(play.look(vec![lag(Level::Warning)], 7_000), (vec!["lag-high 7000".into()], none()), "it is another one");
}

#[test]
fn etcds_first_answer_begins_the_opening_anew() {
    let mut play = Play::begun();
    play.1.apply(crate::model::Observation {
        source: SourceId::new(SourceKind::Dcs, "psg"),
        at: at(20_000),
        rtt: None,
        outcome: crate::model::Outcome::Heard(Box::new(crate::model::Fact::DcsListed {
            revision: 1,
            consistency: crate::model::Consistency::Linearizable,
            keys: Vec::new(),
        })),
    });
    assert_eq!(play.look(vec![lag(Level::Warning)], 20_000).1, none());
    let lease = SourceError::new(crate::model::ErrorKind::Refused, "refused");
    play.1.apply(crate::model::Observation {
        source: SourceId::new(SourceKind::Lease, "psg"),
        at: at(21_000),
        rtt: None,
        outcome: crate::model::Outcome::Failed(lease),
    });
    play.look(vec![], 25_000);
    assert_eq!(play.look(vec![], 26_000).1, none(), "etcd's members have not been heard of");
    assert_eq!(play.look(vec![lag(Level::Warning)], 30_001).1, ["finding-raised: a warning"]);
}
