//! What has happened since the console was opened.

use std::collections::VecDeque;
use std::time::Duration;

use crate::document::Level;
use crate::model::{Change, Sign, Time};

/// How many events are kept.
const KEPT: usize = 1000;

/// Within this a finding that is raised is the change that was told before: a comparison waits for a second reading.
const SAME: Duration = Duration::from_secs(5);

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
    /// Adds an event; the oldest goes when there are too many. Of what is told as a change and found by a rule as well there is one line, with when it
    /// was seen and what the rule says of it.
    pub fn push(&mut self, line: EventLine) {
        let found = line.code == "finding-raised";
        let mut recent = self.lines.iter_mut().rev().take_while(|told| line.at.since(told.at) <= SAME);
        let told = recent.find(|told| found && told.about.is_some() && told.about == line.about && !told.code.starts_with("finding-"));
        if let Some(told) = told {
            *told = EventLine { at: told.at, level: told.level.max(line.level), code: std::mem::take(&mut told.code), ..line };
            return;
        }
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
    use crate::model::ChangeKind;

    fn line(n: u64) -> EventLine {
        EventLine::new(Time::from_micros(0), Level::Ok, "test", n.to_string())
    }

    #[test]
    fn what_changes_and_is_found_is_told_once() {
        let at = |seconds: i64| Time::from_micros(seconds * 1_000_000);
        let missing = |seconds: i64, member: &str| {
            EventLine::from(&Change { at: at(seconds), kind: ChangeKind::MemberMissing { member: member.to_owned() } })
        };
        let raised = |seconds: i64, member: &str| {
            let sentence = format!("{member}, the last leader, is missing: its key in etcd is gone");
            let (code, subject) = ("member-missing".to_owned(), Some(member.to_owned()));
            let sign = Sign { at: Some(at(seconds)), source: "etcd".to_owned(), what: "members/x".to_owned(), value: "gone".to_owned() };
            let kind = ChangeKind::FindingRaised { code, subject, severity: Level::Critical, sentence, evidence: vec![sign] };
            EventLine::from(&Change { at: at(seconds), kind })
        };
        let mut log = EventLog::default();
        for line in [missing(10, "psg1"), missing(10, "psg2"), raised(11, "psg1")] {
            log.push(line);
        }
        let told: Vec<(u64, i64, &str, &str, Level, usize)> = log
            .newest_first()
            .map(|(n, l)| (n, l.at.as_micros() / 1_000_000, l.code.as_str(), l.sentence.as_str(), l.level, l.evidence.len()))
            .collect();
        let once = "psg1, the last leader, is missing: its key in etcd is gone";
        let other = "psg2 is missing: its key in etcd is gone";
        assert_eq!(
            told,
            [(2, 10, "member-missing", other, Level::Warning, 0), (1, 10, "member-missing", once, Level::Critical, 1)],
            "the first line says what the rule says, from when it was seen"
        );
        log.push(raised(40, "psg2"));
        assert_eq!(log.len(), 3, "what comes much later is told by itself");
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
