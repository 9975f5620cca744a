//! The program's clock.

use std::time::{Instant, SystemTime};

use crate::model::Time;

/// The wall time at the start plus what the monotonic clock has counted since. The one place where the program reads a clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Time,
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        let micros = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_micros());
        Self { wall: Time::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)), start: Instant::now() }
    }

    /// Now.
    pub fn now(&self) -> Time {
        self.wall.plus(self.start.elapsed())
    }
}
