//! By how much another machine's clock differs from ours.
//!
//! There is one rule, for the findings, the order of the logs, the document and what is shown: a reading proves an interval and no more
//! ([`ClockReading::skew`]), readings that do not contradict each other narrow it ([`ClockSkew::agreed`]), and a difference is reckoned with only
//! when it is certain that there is one ([`ClockSkew::reckoned`]).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Cluster, Member, Recent, SourceId, SourceKind, Time};

/// A clock is compared each five seconds, and an answer may take two: three periods and a deadline.
const FRESH: Duration = Duration::from_secs(17);

/// What another machine's clock said in an answer, and what our machine's clock said when the answer had come.
///
/// Ours is the machine's clock at that moment, not the program's time: that one is anchored at the start of the program and does not follow
/// when somebody sets the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReading {
    /// Theirs.
    pub theirs: Time,
    /// Ours.
    pub ours: Time,
    /// Whether theirs is cut to whole seconds, as in HTTP's `Date`.
    pub whole_seconds: bool,
}

/// By how much a clock is ahead of ours, microseconds, negative when it is behind: between these two for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSkew {
    /// It is ahead by this at least.
    pub least: i64,
    /// It is ahead by this at most.
    pub most: i64,
}

impl ClockReading {
    /// What it proves: theirs was read somewhere on the way, and what was cut off is not known.
    pub fn skew(&self, rtt: Duration) -> ClockSkew {
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        let least = self.theirs.as_micros().saturating_sub(self.ours.as_micros());
        let cut = if self.whole_seconds { 1_000_000 } else { 0 };
        ClockSkew { least, most: least.saturating_add(cut).saturating_add(micros(rtt)) }
    }
}

impl ClockSkew {
    /// What the newest readings prove together: as many of them, from the newest back, as can all be true. Where one cannot, a clock was set
    /// since, and it counts no more. `None`: there is no reading.
    pub fn agreed(readings: &Recent<Self>) -> Option<Self> {
        let mut newest_first = readings.newest_first().copied();
        let mut agreed = newest_first.next()?;
        for reading in newest_first {
            let both = Self { least: agreed.least.max(reading.least), most: agreed.most.min(reading.most) };
            if both.least > both.most {
                break;
            }
            agreed = both;
        }
        Some(agreed)
    }

    /// What lies so many milliseconds around a middle, as the document tells it.
    pub fn around(ms: f64, within_ms: f64) -> Option<Self> {
        let micros = |ms: f64| ms.is_finite().then_some((ms * 1000.0).round() as i64);
        Some(Self { least: micros(ms - within_ms)?, most: micros(ms + within_ms)? })
    }

    /// By how much the clock is reckoned to be ahead where its times are made ours, microseconds; 0 as long as the clocks may agree. What was
    /// reckoned with `before` stays while it may be right, so that what is measured does not move what was put in order by it.
    pub fn reckoned(self, before: i64) -> i64 {
        match self {
            _ if self.certain().is_zero() => 0,
            Self { least, most } if before != 0 && (least..=most).contains(&before) => before,
            _ => self.about(),
        }
    }

    /// Half of the interval, microseconds: [`Self::about`] is wrong by that at most.
    pub fn within(self) -> i64 {
        self.most.saturating_sub(self.least) / 2
    }

    /// By how much the clocks differ at least.
    pub fn certain(self) -> Duration {
        Duration::from_micros(self.least.max(self.most.saturating_neg()).max(0).unsigned_abs())
    }

    /// The middle of what is possible, microseconds.
    pub fn about(self) -> i64 {
        self.least.saturating_add(self.most.saturating_sub(self.least) / 2)
    }
}

impl Member {
    /// How its host's clock was over the newest readings, and who said so: its PostgreSQL, which tells it exactly, else its REST API. `None`:
    /// neither has told it lately.
    pub fn clock_now(&self, now: Time) -> Option<(SourceId, &Recent<ClockSkew>)> {
        let fresh = |recent: &Recent<ClockSkew>| recent.at().is_some_and(|at| now.since(at) <= FRESH);
        let sql = (SourceKind::Sql, &self.sql_clock, self.sql_now(now).is_some());
        let rest = (SourceKind::Rest, &self.rest_clock, self.rest_now(now).is_some());
        let found = [sql, rest].into_iter().find(|(_, recent, answers)| *answers && fresh(recent));
        found.map(|(kind, recent, _)| (SourceId::new(kind, &self.name), recent))
    }
}

impl Cluster {
    /// By how much a node's clock is ahead of ours, and who says so: the member's PostgreSQL, else its REST API, else the node itself over ssh.
    /// `None`: nobody has told it lately.
    pub fn clock(&self, node: &str, now: Time) -> Option<(SourceId, ClockSkew)> {
        let of_member = self.members.get(node).and_then(|member| member.clock_now(now));
        let itself = || Some((SourceId::new(SourceKind::Host, node), self.hosts.get(node)?.clock_now(now)?));
        let (source, readings) = of_member.or_else(itself)?;
        Some((source, ClockSkew::agreed(readings)?))
    }

    /// Takes in what a member's clock said.
    pub(super) fn clock_read(&mut self, source: &SourceId, reading: ClockReading, at: Time, rtt: Option<Duration>) {
        let skew = reading.skew(rtt.unwrap_or_default());
        if source.kind == SourceKind::Host {
            return self.hosts.entry(source.target.clone()).or_default().clock.push(skew, at);
        }
        let Some(member) = self.members.get_mut(&source.target) else { return };
        match source.kind {
            SourceKind::Sql => member.sql_clock.push(skew, at),
            SourceKind::Rest => member.rest_clock.push(skew, at),
            SourceKind::Host
            | SourceKind::Dcs
            | SourceKind::Lease
            | SourceKind::Etcd
            | SourceKind::Haproxy
            | SourceKind::Airflow
            | SourceKind::AirflowHealth
            | SourceKind::Rabbitmq
            | SourceKind::Dags
            | SourceKind::Target
            | SourceKind::Audit => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(theirs: i64, ours: i64, whole_seconds: bool) -> ClockReading {
        ClockReading { theirs: Time::from_micros(theirs), ours: Time::from_micros(ours), whole_seconds }
    }

    #[test]
    fn what_a_reading_proves() {
        let second = 1_000_000;
        // PostgreSQL said 10.0 s, and the answer was here at 10.1 s after 0.3 s on the way: it may be right.
        let skew = reading(10 * second, 10 * second + 100_000, false).skew(Duration::from_millis(300));
        assert_eq!((skew.least, skew.most, skew.certain()), (-100_000, 200_000, Duration::ZERO));
        // A Date of 10 s at 10.9 s by ours: it may be right.
        let skew = reading(10 * second, 10 * second + 900_000, true).skew(Duration::ZERO);
        assert_eq!((skew.least, skew.most, skew.certain()), (-900_000, 100_000, Duration::ZERO));
        // Ahead by 4 to 5 s, behind by 4 to 5 s.
        let ahead = reading(14 * second, 10 * second, true).skew(Duration::ZERO);
        let behind = reading(5 * second, 10 * second, true).skew(Duration::ZERO);
        assert_eq!((ahead.certain(), ahead.about()), (Duration::from_secs(4), 4_500_000));
        assert_eq!((behind.certain(), behind.about()), (Duration::from_secs(4), -4_500_000));
    }

    fn agreed(readings: &[(i64, i64)]) -> Option<(i64, i64)> {
        let mut recent = Recent::default();
        readings.iter().for_each(|(least, most)| recent.push(ClockSkew { least: *least, most: *most }, Time::from_micros(0)));
        ClockSkew::agreed(&recent).map(|skew| (skew.least, skew.most))
    }

    #[test]
    fn readings_that_do_not_contradict_each_other_narrow_what_is_possible() {
        for (oldest_first, expected) in [
            (&[][..], None),
            (&[(-900, 100)], Some((-900, 100))),
            // Whole seconds, told at different moments.
            (&[(-700, 300), (-400, 600), (200, 1200)], Some((200, 300))),
            // Somebody has set the clock: what was before is no more.
            (&[(5000, 5010), (-5, 5), (-2, 8)], Some((-2, 5))),
            (&[(0, 10), (20, 30), (5, 25)], Some((20, 25))),
        ] {
            assert_eq!(agreed(oldest_first), expected, "{oldest_first:?}");
        }
    }

    #[test]
    fn a_difference_is_reckoned_with_only_when_it_is_certain() {
        let reckoned = |least, most, before| ClockSkew { least, most }.reckoned(before);
        for (least, most, before, expected) in [
            (-100, 900, 0, 0),
            (0, 900, 0, 0),
            (-900, 0, -450, 0),
            (-100, 900, 400, 0),
            (1, 901, 0, 451),
            (-901, -1, 0, -451),
            (2000, 4000, 2500, 2500),
            (2000, 4000, 1999, 3000),
            (-4000, -2000, 2500, -3000),
        ] {
            assert_eq!(reckoned(least, most, before), expected, "{least}..{most} after {before}");
        }
        let around = ClockSkew::around(3200.0, 0.5);
        assert_eq!(around, Some(ClockSkew { least: 3_199_500, most: 3_200_500 }));
        assert_eq!((around.map(ClockSkew::about), around.map(ClockSkew::within)), (Some(3_200_000), Some(500)));
        assert_eq!((ClockSkew::around(f64::NAN, 1.0), ClockSkew::around(1.0, f64::INFINITY)), (None, None));
    }
}
