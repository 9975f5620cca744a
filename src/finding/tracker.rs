//! Since when.

use std::collections::HashMap;
use std::time::Duration;

use super::Finding;
use crate::model::Time;

/// How long a finding may be away and still be the same one when it is back.
const SAME: Duration = Duration::from_secs(5);

/// A finding with its beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracked {
    /// The finding.
    pub finding: Finding,
    /// When it was first seen.
    pub since: Time,
}

/// Remembers when each finding began.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    /// By code and subject: first and last seen.
    seen: HashMap<(&'static str, Option<String>), (Time, Time)>,
}

impl Tracker {
    /// The findings of this moment, each with its beginning.
    pub fn track(&mut self, findings: Vec<Finding>, now: Time) -> Vec<Tracked> {
        self.seen.retain(|_, (_, last)| now.since(*last) <= SAME);
        let mut track = |finding: Finding| {
            let seen = self.seen.entry((finding.code, finding.subject.clone())).or_insert((now, now));
            seen.1 = now;
            Tracked { since: seen.0, finding }
        };
        findings.into_iter().map(&mut track).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Level;

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_finding_keeps_its_beginning_over_a_short_gap_only() {
        let mut tracker = Tracker::default();
        let lag = || vec![Finding::new("lag-high", Level::Warning, "x".into()).about("psg2")];
        assert_eq!(tracker.track(lag(), at(10))[0].since, at(10));
        tracker.track(vec![], at(12));
        assert_eq!(tracker.track(lag(), at(14))[0].since, at(10));
        tracker.track(vec![], at(18));
        assert_eq!(tracker.track(lag(), at(30))[0].since, at(30));
    }
}
