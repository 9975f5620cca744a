//! A value with its age and with what went wrong since.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{SourceError, Time};

/// The last value a source gave, when it gave it, and why it has given none since.
///
/// A failure never erases the value: a screen shows the last one, how old it is, and the reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed<T> {
    value: Option<(Time, T)>,
    failure: Option<Failing>,
    rtt: Option<Duration>,
    /// When the first of the present, or last, row of answers was.
    #[serde(default)]
    good_since: Option<Time>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Failing {
    since: Time,
    last: Time,
    error: SourceError,
}

impl<T> Default for Observed<T> {
    fn default() -> Self {
        Self { value: None, failure: None, rtt: None, good_since: None }
    }
}

impl<T> Observed<T> {
    /// Takes in an answer; it ends a failure.
    pub fn record(&mut self, value: T, at: Time, rtt: Option<Duration>) {
        self.value = Some((at, value));
        self.answered(at);
        self.rtt = rtt;
    }

    /// Says that the value, as it stands, was confirmed.
    pub fn confirm(&mut self, at: Time) {
        if let Some((when, _)) = &mut self.value {
            *when = at;
            self.answered(at);
        }
    }

    fn answered(&mut self, at: Time) {
        if self.failure.take().is_some() || self.good_since.is_none() {
            self.good_since = Some(at);
        }
    }

    /// Takes in a failure; the value stays, and so does the moment of the first failure in a row.
    pub fn fail(&mut self, error: SourceError, at: Time) {
        let since = self.failure.as_ref().map_or(at, |f| f.since);
        self.failure = Some(Failing { since, last: at, error });
    }

    /// The last value, however old.
    pub fn last(&self) -> Option<&T> {
        self.value.as_ref().map(|(_, value)| value)
    }

    /// The last value, for changes in place.
    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut().map(|(_, value)| value)
    }

    /// The last value if it is not older than `limit`.
    pub fn fresh(&self, now: Time, limit: Duration) -> Option<&T> {
        self.value.as_ref().filter(|(at, _)| now.since(*at) <= limit).map(|(_, value)| value)
    }

    /// When the last value was given.
    pub fn at(&self) -> Option<Time> {
        self.value.as_ref().map(|(at, _)| *at)
    }

    /// How old the last value is.
    pub fn age(&self, now: Time) -> Option<Duration> {
        self.at().map(|at| now.since(at))
    }

    /// Why the newest attempt failed, if it did.
    pub fn error(&self) -> Option<&SourceError> {
        self.failure.as_ref().map(|f| &f.error)
    }

    /// When the first of the present, or last, row of answers was.
    pub fn good_since(&self) -> Option<Time> {
        self.good_since
    }

    /// When the first of the present row of failures was.
    pub fn failing_since(&self) -> Option<Time> {
        self.failure.as_ref().map(|f| f.since)
    }

    /// Since when nothing good was heard: since the last answer, or since the first failure where there never was one. `None` while it answers.
    ///
    /// A failure is known only when its deadline has passed, seconds after the last answer. What tells for how long somebody has been silent
    /// counts from here, so that it is one number wherever it stands.
    pub fn silent_since(&self) -> Option<Time> {
        self.failure.as_ref().map(|failing| self.at().unwrap_or(failing.since))
    }

    /// When the newest failure of that row was.
    pub fn failed_at(&self) -> Option<Time> {
        self.failure.as_ref().map(|f| f.last)
    }

    /// How long the last good answer took.
    pub fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// Whether anything was ever heard, good or bad.
    pub fn heard(&self) -> bool {
        self.value.is_some() || self.failure.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorKind;

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_failure_keeps_the_value_and_its_age() {
        let mut seen = Observed::default();
        seen.record(7, at(10), None);
        seen.fail(SourceError::new(ErrorKind::Refused, "refused"), at(12));
        seen.fail(SourceError::new(ErrorKind::Timeout, "late"), at(14));
        assert_eq!(seen.last(), Some(&7));
        assert_eq!(seen.age(at(15)), Some(Duration::from_secs(5)));
        assert_eq!((seen.failing_since(), seen.failed_at()), (Some(at(12)), Some(at(14))));
        assert_eq!(seen.silent_since(), Some(at(10)), "it is silent for as long as its last answer is old");
        assert_eq!(seen.fresh(at(15), Duration::from_secs(4)), None);
        seen.record(8, at(16), None);
        assert!(seen.error().is_none() && seen.silent_since().is_none());
        let mut never: Observed<u8> = Observed::default();
        never.fail(SourceError::new(ErrorKind::Refused, "refused"), at(12));
        assert_eq!(never.silent_since(), Some(at(12)));
    }
}
