//! How far the copy of a server's data is, and how fast it goes.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::{Cluster, Time, size};

/// Over how long the rate is taken.
const SPAN: Duration = Duration::from_secs(10);

/// What the sender's PostgreSQL has told of a copy.
#[derive(Debug, Default)]
pub struct Copied {
    /// The bytes that were sent, each with the moment of the reading.
    readings: VecDeque<(Time, u64)>,
    told: Option<String>,
}

impl Copied {
    /// Looks whether a member's copy has gone on.
    pub fn look(&mut self, cluster: &Cluster, member: &str, now: Time) {
        let Some((from, backup)) = cluster.copied_to(member, now) else {
            self.told = None;
            return;
        };
        let read = cluster.members.get(from).and_then(|sender| sender.sql.at()).unwrap_or(now);
        let streamed = backup.streamed.unwrap_or(0);
        // Patroni tries again with a new copy when one fails.
        if self.readings.back().is_some_and(|(_, before)| streamed < *before) {
            self.readings.clear();
        }
        if streamed > 0 && self.readings.back().is_none_or(|(at, _)| *at < read) {
            self.readings.push_back((read, streamed));
        }
        while self.readings.len() > 2 && self.readings.front().is_some_and(|(at, _)| read.since(*at) > SPAN) {
            self.readings.pop_front();
        }
        let mut told = format!("copy from {from}, {}", backup.phase.as_deref().unwrap_or("phase not known"));
        if streamed > 0 {
            told += &format!(": {}", size(streamed));
            told += &backup.total.map(|total| format!(" of {}", size(total))).unwrap_or_default();
            told += &backup.percent().map(|percent| format!(" ({percent} %)")).unwrap_or_default();
            told += &self.rate().map(|rate| format!(", {}/s", size(rate))).unwrap_or_default();
        }
        self.told = Some(told);
    }

    /// How far it is, as a sentence without a full stop; `None`: nobody says.
    pub fn told(&self) -> Option<&str> {
        self.told.as_deref()
    }

    /// Bytes a second; `None` until there are two readings.
    fn rate(&self) -> Option<u64> {
        let (first, last) = self.readings.front().zip(self.readings.back())?;
        let span = last.0.since(first.0).as_secs_f64();
        (span > 0.0).then(|| ((last.1 - first.1) as f64 / span) as u64)
    }
}
