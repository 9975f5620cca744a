//! What has happened since the console was opened.

use std::collections::VecDeque;

use crate::document::Level;
use crate::model::{Change, Sign, Time};

/// How many events are kept.
const KEPT: usize = 1000;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLine {
    /// When it was seen.
    pub at: Time,
    /// How much it matters.
    pub level: Level,
    /// Its stable code: `leader-changed`.
    pub code: String,
    /// One sentence.
    pub sentence: String,
    /// The finding that it is about, if it is about one.
    pub about: Option<String>,
    /// What it rests on, with when that was seen.
    pub evidence: Vec<Sign>,
}

impl EventLine {
    /// Whether it tells who leads: another, or nobody.
    pub fn is_of_leader(&self) -> bool {
        matches!(self.code.as_str(), "leader-changed" | "leader-lost")
    }

    /// An event that is told in one sentence.
    pub fn new(at: Time, level: Level, code: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { at, level, code: code.into(), sentence: sentence.into(), about: None, evidence: Vec::new() }
    }
}

impl From<&Change> for EventLine {
    fn from(change: &Change) -> Self {
        Self {
            about: change.about(),
            evidence: change.evidence().to_vec(),
            ..Self::new(change.at, change.severity(), change.code(), change.sentence())
        }
    }
}

/// The last events.
#[derive(Debug, Clone, Default)]
pub struct EventLog {
    lines: VecDeque<EventLine>,
    total: u64,
}

impl EventLog {
    /// Adds an event; the oldest goes when there are too many.
    pub fn push(&mut self, line: EventLine) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
        self.total += 1;
    }

    /// How many were dropped to make room.
    pub fn dropped(&self) -> u64 {
        self.total - self.lines.len() as u64
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nothing has happened.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The kept events with their numbers, the newest first. A number stays the same for as long as its event is kept.
    pub fn newest_first(&self) -> impl Iterator<Item = (u64, &EventLine)> {
        let total = self.total;
        self.lines.iter().rev().enumerate().map(move |(back, line)| (total - back as u64, line))
    }

    /// The event of this number.
    pub fn get(&self, number: u64) -> Option<&EventLine> {
        let back = usize::try_from(self.total.checked_sub(number)?).ok()?;
        self.lines.len().checked_sub(back + 1).and_then(|at| self.lines.get(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: u64) -> EventLine {
        EventLine::new(Time::from_micros(0), Level::Ok, "test", n.to_string())
    }

    #[test]
    fn the_oldest_go_and_are_counted() {
        let mut log = EventLog::default();
        for n in 1..=1003 {
            log.push(line(n));
        }
        assert_eq!((log.len(), log.dropped()), (1000, 3));
        assert_eq!(log.newest_first().next().map(|(n, l)| (n, l.sentence.clone())), Some((1003, "1003".to_owned())));
        assert_eq!(log.get(4).map(|l| l.sentence.as_str()), Some("4"));
        assert_eq!(log.get(3), None);
        assert_eq!(log.get(1004), None);
    }
}
