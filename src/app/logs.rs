//! The nodes' logs: what is kept of them, where one is in them, and what is looked for.

use std::collections::BTreeSet;

use crate::document::Document;
use crate::log::{Entry, Filter, Heard, Key, Log, Pattern, Program, Severity};
use crate::model::Time;

/// Whether the nodes' logs are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reading {
    /// Nobody has asked for them.
    #[default]
    Idle,
    /// They are.
    Begun,
    /// They cannot be, and why.
    Refused(String),
}

/// What is shown beside the filter that is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrow {
    /// Only this node.
    pub node: Option<String>,
    /// Only this program.
    pub program: Option<Program>,
    /// Only from this level on.
    pub least: Option<Severity>,
}

/// The pane's state.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    pub(super) log: Log,
    /// Whether they are read.
    pub reading: Reading,
    /// The line one is at; `None`: the newest, whichever that is.
    pub at: Option<Key>,
    /// The first line of the page, while one does not follow.
    pub top: Option<Key>,
    /// The number that the next message had when following ended.
    held: u64,
    /// The moment whose lines were wanted before the nodes had told theirs, and until when they are waited for.
    pub(super) wanted: Option<(Time, Time)>,
    /// What is shown beside the filter.
    pub narrow: Narrow,
    /// What the filter was made of: the text, and what is shown beside it.
    filtered: (String, Narrow),
    /// Why the filter that is typed does not count.
    pub wrong: Option<String>,
    /// The search as it was typed.
    pub query: String,
    /// The same, understood.
    pub search: Option<Pattern>,
    /// The time that is typed.
    pub time: String,
    /// The word that is typed to have secrets shown.
    pub word: String,
    /// The file that is typed for lines to be saved to.
    pub place: String,
    /// Lines that are marked.
    pub marks: BTreeSet<Key>,
}

impl Logs {
    /// The lines.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Takes in what was heard.
    pub(super) fn take(&mut self, batch: Vec<Heard>) {
        self.log.take(batch);
        let log = &self.log;
        self.marks.retain(|key| log.get(*key).is_some());
        // The line one was at was let go for lack of room: the oldest is nearest to it.
        if self.at.is_some_and(|at| log.get(at).is_none()) {
            self.at = log.first();
        }
    }

    /// What the clocks of the nodes differ by.
    pub(super) fn clocks(&mut self, document: &Document) {
        document.clocks().for_each(|(node, skew)| self.log.hear_clock(node, skew));
    }

    /// Whether the newest lines are shown as they come.
    pub fn follows(&self) -> bool {
        self.at.is_none()
    }

    /// How many messages came since one stopped following.
    pub fn fresh(&self) -> u64 {
        if self.follows() { 0 } else { self.log.total().saturating_sub(self.held) }
    }

    /// The line one is at.
    pub fn here(&self) -> Option<(Key, &Entry)> {
        let key = self.at.or_else(|| self.log.last())?;
        self.log.get(key).map(|entry| (key, entry))
    }

    /// Whether a message has what is searched for, as it is shown.
    pub(super) fn has(&self, entry: &Entry, search: &Pattern) -> bool {
        self.log.seen(entry).texts().any(|text| search.is_in(text))
    }

    /// The lines of a page with so many rows.
    pub fn page(&self, rows: usize) -> Vec<(Key, &Entry)> {
        let top = self.top.filter(|_| self.at.is_some());
        if let Some(top) = top {
            let lines: Vec<_> = self.log.from(top).take(rows).collect();
            // Where the end is near, the page is filled from above.
            if lines.len() == rows || self.log.shown() <= lines.len() {
                return lines;
            }
        }
        let Some(last) = self.log.last() else { return Vec::new() };
        let mut lines: Vec<_> = self.log.get(last).map(|entry| (last, entry)).into_iter().collect();
        lines.extend(self.log.before(last).take(rows.saturating_sub(1)));
        lines.reverse();
        lines
    }

    /// Goes to a line. The page moves as little as it can, or the line stands in its middle.
    pub(super) fn go(&mut self, key: Key, rows: usize, middle: bool) {
        let page = self.page(rows);
        let top = page.first().map(|(key, _)| *key);
        let seen = page.iter().any(|(shown, _)| *shown == key);
        self.top = match top {
            Some(top) if seen && !middle => Some(top),
            Some(top) if !middle && key < top => Some(key),
            _ => {
                let above = if middle { rows / 2 } else { rows.saturating_sub(1) };
                Some(self.log.before(key).take(above).last().map_or(key, |(key, _)| key))
            }
        };
        self.stay(key);
    }

    fn stay(&mut self, key: Key) {
        if self.follows() {
            self.held = self.log.total();
        }
        self.at = Some(key);
    }

    pub(super) fn follow(&mut self) {
        (self.at, self.top) = (None, None);
    }

    /// Makes the filter and the search anew, if what was typed has changed.
    pub(super) fn settle(&mut self, typed: &str) {
        if self.search.as_ref().map_or("", Pattern::source) != self.query {
            self.search = Some(self.query.as_str()).filter(|query| !query.is_empty()).and_then(|query| Pattern::parse(query).ok());
        }
        if self.filtered.0 == typed && self.filtered.1 == self.narrow {
            return;
        }
        self.filtered = (typed.to_owned(), self.narrow.clone());
        match Filter::parse(typed) {
            Ok(mut filter) => {
                filter.nodes.extend(self.narrow.node.clone());
                filter.programs.extend(self.narrow.program);
                filter.least = filter.least.max(self.narrow.least);
                self.log.set_filter(filter);
                self.wrong = None;
                let at = self.at.filter(|at| self.log.from(*at).next().is_none_or(|(key, _)| key != *at));
                if let Some(at) = at {
                    // The line one was at is hidden: one goes on where it was.
                    self.at = self.log.from(at).next().or_else(|| self.log.before(at).next()).map(|(key, _)| key);
                    self.top = self.at;
                }
            }
            // The one before counts on.
            Err(why) => self.wrong = Some(why),
        }
    }
}

/// A line as a row: its place and number.
pub(super) fn row_of(key: Key) -> String {
    format!("{} {}", key.0.as_micros(), key.1)
}

/// The place and number of a row.
pub fn key_of(row: &str) -> Option<Key> {
    let (at, number) = row.split_once(' ')?;
    Some((Time::from_micros(at.parse().ok()?), number.parse().ok()?))
}
