//! By how much another machine's clock differs from ours.

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
}
