//! The program's clock, and its machine's.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::Sink;
use crate::model::{ClockReading, Fact, Observation, Outcome, SourceId, Time};

/// The wall time at the start plus what the monotonic clock has counted since. The one place where the program reads a clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Time,
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self { wall: wall(), start: Instant::now() }
    }

    /// Now.
    pub fn now(&self) -> Time {
        self.wall.plus(self.start.elapsed())
    }
}

/// What this machine's clock says now. It jumps when somebody sets it, so it is good for a comparison with another clock and nothing else.
pub(super) fn wall() -> Time {
    let micros = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_micros());
    Time::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// How often another clock is compared with ours.
const PERIOD: Duration = Duration::from_secs(5);

/// Compares the clock of one source's host with ours, each time that an answer tells it, but not more often than each five seconds.
pub(super) struct Comparison {
    sink: Sink,
    clock: Clock,
    source: SourceId,
    last: Mutex<Option<Instant>>,
}

impl Comparison {
    /// Nothing was compared yet.
    pub fn new(sink: Sink, clock: Clock, source: SourceId) -> Self {
        Self { sink, clock, source, last: Mutex::new(None) }
    }

    /// To be called as soon as the answer has come, with what it says and how long it took.
    pub fn told(&self, theirs: Time, whole_seconds: bool, rtt: Duration) {
        let ours = wall();
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|at| at.elapsed() < PERIOD) {
                return;
            }
            *last = Some(Instant::now());
        }
        let outcome = Outcome::Heard(Box::new(Fact::Clock(ClockReading { theirs, ours, whole_seconds })));
        self.sink.report(Observation { source: self.source.clone(), at: self.clock.now(), rtt: Some(rtt), outcome });
    }
}
