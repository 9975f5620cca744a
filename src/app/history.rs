//! How far each member was behind, second by second.

use std::collections::{BTreeMap, VecDeque};

use crate::document::{Document, Role};

/// How many seconds are kept.
pub const SPAN: usize = 600;

/// A value in a chart.
///
/// In this order, because of several values the one that says most counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// There was nothing to be known: it led, or nobody looked yet.
    Nothing,
    /// Nobody said anything in that time; it is drawn as a gap, never as 0.
    Unknown,
    /// The largest value of that time, bytes.
    Bytes(u64),
}

/// Replay lag of each member over the last [`SPAN`] seconds.
#[derive(Debug, Clone, Default)]
pub struct LagHistory {
    members: BTreeMap<String, Ring>,
}

/// One value for each second; the last is that of `newest`.
#[derive(Debug, Clone, Default)]
struct Ring {
    newest: i64,
    /// The last second of which a value is known.
    known: Option<i64>,
    seconds: VecDeque<Point>,
}

impl LagHistory {
    /// Notes what the document says. Within one second the largest value counts, so that no peak is lost.
    pub fn record(&mut self, document: &Document) {
        let second = document.at.as_micros().div_euclid(1_000_000);
        self.members.retain(|name, _| document.members.iter().any(|m| m.name == *name));
        for member in &document.members {
            let leads = matches!(member.role, Role::Leader | Role::StandbyLeader);
            let value = member.replay_lag_bytes.filter(|_| !leads).map(Point::Bytes);
            let value = value.unwrap_or(if leads { Point::Nothing } else { Point::Unknown });
            self.members.entry(member.name.clone()).or_default().record(second, value);
        }
    }

    /// The last `count` spans of `step` seconds, oldest first. Spans begin at multiples of `step` of the clock, so that a chart moves once in
    /// `step` seconds and not at every second.
    pub fn series(&self, member: &str, count: usize, step: usize) -> Vec<Point> {
        let step = i64::try_from(step.max(1)).unwrap_or(1);
        let Some(ring) = self.members.get(member) else { return vec![Point::Nothing; count] };
        let last = ring.newest.div_euclid(step);
        let first = last - i64::try_from(count).unwrap_or(0) + 1;
        (first..=last).map(|span| (span * step..(span + 1) * step).map(|second| ring.at(second)).max().unwrap_or(Point::Nothing)).collect()
    }

    /// Since how many seconds nobody has said how far a member is behind; `None`: it is known now, or never was.
    pub fn silent_seconds(&self, member: &str) -> Option<u64> {
        let ring = self.members.get(member)?;
        u64::try_from(ring.newest - ring.known?).ok().filter(|seconds| *seconds > 0)
    }
}

impl Ring {
    fn record(&mut self, second: i64, value: Point) {
        if matches!(value, Point::Bytes(_)) {
            self.known = self.known.max(Some(second));
        }
        if self.seconds.is_empty() || second - self.newest >= SPAN as i64 {
            self.seconds.clear();
            self.seconds.push_back(value);
            self.newest = second;
            return;
        }
        if second <= self.newest {
            if let Some(slot) = self.slot(second) {
                *slot = (*slot).max(value);
            }
            return;
        }
        while self.newest + 1 < second {
            self.push(Point::Unknown);
        }
        self.push(value);
    }

    fn push(&mut self, value: Point) {
        if self.seconds.len() == SPAN {
            self.seconds.pop_front();
        }
        self.seconds.push_back(value);
        self.newest += 1;
    }

    fn slot(&mut self, second: i64) -> Option<&mut Point> {
        let back = usize::try_from(self.newest - second).ok()?;
        let at = self.seconds.len().checked_sub(back + 1)?;
        self.seconds.get_mut(at)
    }

    fn at(&self, second: i64) -> Point {
        let back = usize::try_from(self.newest - second).ok();
        let at = back.and_then(|back| self.seconds.len().checked_sub(back + 1));
        at.and_then(|at| self.seconds.get(at).copied()).unwrap_or(Point::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::Point::{Bytes, Nothing, Unknown};
    use super::*;

    fn history(values: &[(i64, Option<u64>)]) -> LagHistory {
        let mut ring = Ring::default();
        for (second, value) in values {
            ring.record(*second, value.map_or(Unknown, Bytes));
        }
        LagHistory { members: BTreeMap::from([("psg2".to_owned(), ring)]) }
    }

    #[test]
    fn a_second_without_a_word_is_a_gap_and_not_zero() {
        let history = history(&[(100, Some(7)), (101, Some(0)), (104, None), (105, Some(3))]);
        assert_eq!(history.series("psg2", 7, 1), [Nothing, Bytes(7), Bytes(0), Unknown, Unknown, Unknown, Bytes(3)]);
        assert_eq!(history.series("nobody", 2, 1), [Nothing, Nothing], "nobody looked yet");
    }

    #[test]
    fn a_silence_has_its_age() {
        let mut values = vec![(100, None)];
        assert_eq!(history(&values).silent_seconds("psg2"), None, "it was never known");
        values.extend([(101, Some(4)), (102, None), (130, None)]);
        assert_eq!(history(&values).silent_seconds("psg2"), Some(29));
        values.push((2000, None));
        assert_eq!(history(&values).silent_seconds("psg2"), Some(1899), "though it began before what is kept");
        values.push((2001, Some(0)));
        assert_eq!(history(&values).silent_seconds("psg2"), None);
    }

    #[test]
    fn the_peak_of_a_span_is_kept_and_spans_stand_still() {
        let mut values = vec![(100, Some(1)), (105, Some(900)), (109, Some(2)), (110, Some(5))];
        assert_eq!(history(&values).series("psg2", 2, 10), [Bytes(900), Bytes(5)]);
        values.push((119, Some(4)));
        assert_eq!(history(&values).series("psg2", 2, 10), [Bytes(900), Bytes(5)]);
        values.push((120, Some(4)));
        assert_eq!(history(&values).series("psg2", 2, 10), [Bytes(5), Bytes(4)]);
    }

    #[test]
    fn within_a_second_the_largest_counts() {
        assert_eq!(history(&[(100, Some(1)), (100, Some(9)), (100, None), (100, Some(3))]).series("psg2", 1, 1), [Bytes(9)]);
    }

    #[test]
    fn no_more_than_the_span_is_kept_however_long_the_silence() {
        let history = history(&[(0, Some(1)), (i64::from(u32::MAX), Some(2))]);
        assert_eq!(history.members["psg2"].seconds.len(), 1);
        assert_eq!(history.series("psg2", 2, 1), [Nothing, Bytes(2)]);
    }
}
