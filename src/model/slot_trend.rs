//! How the WAL that a slot keeps changes over time.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Slot, Time};

/// How far back the readings are kept.
const WINDOW: Duration = Duration::from_secs(600);
/// Readings that are nearer to each other than this are kept as one.
const STEP: Duration = Duration::from_secs(10);
/// How long a slot must have been watched before a rate is told: what a checkpoint or a burst does within a minute is no rate.
const SHORTEST: Duration = Duration::from_secs(60);

/// What a slot kept over the last ten minutes, as far as it was watched.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SlotTrend {
    /// Oldest first.
    steps: VecDeque<Step>,
}

/// Readings of a few seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    begun: Time,
    ended: Time,
    /// Bytes kept at the end.
    retained: u64,
    /// The least that was kept in it, bytes.
    least: u64,
    /// Whether somebody was connected in any of them.
    active: bool,
}

impl SlotTrend {
    /// Takes in a reading. One that does not tell how much is kept ends the row.
    pub(super) fn record(&mut self, slot: &Slot, at: Time) {
        let Some(retained) = slot.retained else {
            self.steps.clear();
            return;
        };
        match self.steps.back_mut().filter(|step| at.since(step.begun) < STEP) {
            Some(step) => {
                step.ended = at;
                step.retained = retained;
                step.least = step.least.min(retained);
                step.active |= slot.active;
            }
            None => self.steps.push_back(Step { begun: at, ended: at, retained, least: retained, active: slot.active }),
        }
        while self.steps.front().is_some_and(|step| at.since(step.ended) > WINDOW) {
            self.steps.pop_front();
        }
    }

    /// By how many bytes a second the WAL kept grows, below zero when it shrinks; `None` when it was not watched for a minute yet.
    pub fn growth(&self) -> Option<f64> {
        let (first, last) = (self.steps.front()?, self.steps.back()?);
        let span = last.ended.since(first.ended);
        (span >= SHORTEST).then(|| (last.retained as f64 - first.retained as f64) / span.as_secs_f64())
    }

    /// Whether it has been watched for `span`.
    pub fn watched_for(&self, span: Duration) -> bool {
        self.steps.front().zip(self.steps.back()).is_some_and(|(first, last)| last.ended.since(first.begun) >= span)
    }

    /// The least that was kept at any reading of the last `span`, as far as it was watched, bytes.
    pub fn least_within(&self, span: Duration) -> Option<u64> {
        self.within(span).map(|step| step.least).min()
    }

    /// Whether somebody was connected at any reading of the last `span`, as far as it was watched.
    pub fn active_within(&self, span: Duration) -> bool {
        self.within(span).any(|step| step.active)
    }

    fn within(&self, span: Duration) -> impl Iterator<Item = &Step> {
        let last = self.steps.back().map(|step| step.ended);
        self.steps.iter().filter(move |step| last.is_some_and(|last| last.since(step.ended) <= span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(retained: Option<u64>, active: bool) -> Slot {
        Slot {
            name: "a".into(),
            kind: "physical".into(),
            database: None,
            plugin: None,
            temporary: false,
            active,
            retained,
            unconfirmed: None,
            wal_status: None,
            safe: None,
            invalidation: None,
            failover: false,
        }
    }

    /// The trend of a slot that keeps this much at each second from 0 on.
    fn watched(seconds: u64, retained: impl Fn(u64) -> u64, active: impl Fn(u64) -> bool) -> SlotTrend {
        let mut trend = SlotTrend::default();
        for second in 0..=seconds {
            let at = Time::from_micros(i64::try_from(second).expect("small") * 1_000_000);
            trend.record(&slot(Some(retained(second)), active(second)), at);
        }
        trend
    }

    #[test]
    fn a_rate_is_known_after_a_minute_and_of_the_last_ten_only() {
        let growth = |seconds| watched(seconds, |s| 5000 + s * 100, |_| false).growth();
        assert_eq!(growth(0), None);
        assert_eq!(growth(60), None, "the first step ends at 9 s");
        assert_eq!(growth(70).map(f64::round), Some(100.0));
        let late = watched(3600, |s| if s < 2000 { s * 1_000_000 } else { 2_000_000_000 }, |_| false);
        assert_eq!(late.growth(), Some(0.0));
        assert!(late.steps.len() <= 62, "{}", late.steps.len());
        assert!(watched(100, |s| 1_000_000 - s * 10, |_| true).growth().is_some_and(|g| (-10.1..-9.9).contains(&g)));
    }

    #[test]
    fn what_was_so_for_a_while_is_told_from_what_was_so_for_a_moment() {
        let dip = |s: u64| if s == 50 { 10 } else { 1000 };
        let short = watched(29, |_| 1000, |_| true);
        assert_eq!((short.watched_for(Duration::from_secs(30)), short.least_within(Duration::from_secs(30))), (false, Some(1000)));
        assert!(watched(30, |_| 1000, |_| true).watched_for(Duration::from_secs(30)));
        assert_eq!(watched(70, dip, |_| true).least_within(Duration::from_secs(30)), Some(10));
        assert_eq!(watched(100, dip, |_| true).least_within(Duration::from_secs(30)), Some(1000));
        assert!(watched(70, dip, |s| s == 45).active_within(Duration::from_secs(30)));
        assert!(!watched(100, dip, |s| s == 45).active_within(Duration::from_secs(30)));
    }

    #[test]
    fn a_reading_without_a_figure_ends_the_row() {
        let mut trend = watched(100, |s| s, |_| false);
        trend.record(&slot(None, false), Time::from_micros(101_000_000));
        assert_eq!(trend, SlotTrend::default());
    }
}
