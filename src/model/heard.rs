//! How a source does.

use std::time::Duration;

use super::{Observed, SourceError, SourceId, SourceKind, Time};

/// How a source does.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard<'a> {
    /// Which one.
    pub source: SourceId,
    /// Time since its last good answer; `None`: there never was one.
    pub age: Option<Duration>,
    /// Why the newest attempt failed, if it did.
    pub error: Option<&'a SourceError>,
    /// When the first of the present row of failures was.
    pub failing_since: Option<Time>,
    /// When it last gave a good answer, or else began to fail; `None`: it was not heard yet.
    pub silent_since: Option<Time>,
    /// How long the last good answer took.
    pub rtt: Option<Duration>,
}

impl<'a> Heard<'a> {
    pub(super) fn of<T>(kind: SourceKind, target: &str, seen: &'a Observed<T>, now: Time) -> Self {
        Self {
            source: SourceId::new(kind, target),
            age: seen.age(now),
            error: seen.error(),
            failing_since: seen.failing_since(),
            silent_since: seen.at().or(seen.failing_since()),
            rtt: seen.rtt(),
        }
    }

    /// Whether its last answer is within its freshness limit.
    pub fn fresh(&self) -> bool {
        self.age.is_some_and(|age| age <= self.source.kind.freshness())
    }

    /// Whether it has not been heard at all yet, good or bad.
    pub fn pending(&self) -> bool {
        self.age.is_none() && self.error.is_none()
    }
}
