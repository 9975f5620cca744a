//! Messages of several streams, held back shortly so that they come out in the order in which they were written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Bare, Entry, Read, Severity, Stream};
use crate::model::Time;

/// Most messages that are held; with more the oldest go on early.
const MOST: usize = 50_000;

/// Holds messages until nothing earlier is to be expected, by when they were heard.
#[derive(Debug, Clone)]
pub struct Merge {
    window: Duration,
    held: Vec<Entry>,
    /// The newest message of each stream that went on, for lines that belong to it and come too late.
    gone: BTreeMap<Arc<Stream>, Entry>,
}

impl Merge {
    /// Holds a message for this long after it was heard.
    pub fn new(window: Duration) -> Self {
        Self { window, held: Vec::new(), gone: BTreeMap::new() }
    }

    /// Takes what was read.
    pub fn take(&mut self, read: Read, heard: Time) {
        match read {
            Read::New(entry) => self.held.push(entry),
            Read::More { stream, parts, lines, cut } => {
                let newest = self.held.iter_mut().rev().find(|entry| entry.stream == stream);
                if let Some(newest) = newest {
                    parts.into_iter().for_each(|part| newest.add(part));
                    (newest.lines, newest.cut) = (newest.lines + lines, newest.cut + cut);
                    return;
                }
                // Its message is gone: it follows on its own.
                let mut texts = parts.into_iter();
                let (first, bare) = texts.next().map(|part| part.whole()).unwrap_or_default();
                let before = self.gone.get(&stream);
                let level = before.map_or(Severity::Unknown, |before| before.level);
                let mut entry = Entry::new(&stream, heard, level, first).with_bare(bare);
                if let Some(before) = before {
                    (entry.at, entry.when) = (before.at, before.when);
                }
                entry.guessed = true;
                (entry.lines, entry.cut) = (lines, entry.cut + cut);
                texts.for_each(|part| entry.add(part));
                self.held.push(entry);
            }
        }
    }

    /// The messages that were heard long enough ago, in order.
    pub fn ready(&mut self, now: Time) -> Vec<Entry> {
        let due = now.before(self.window);
        self.held.sort_by_key(|entry| entry.when);
        let early = self.held.len().saturating_sub(MOST);
        // What was written before something that goes on goes on with it.
        let last = self.held.iter().rposition(|entry| entry.heard <= due).map_or(0, |at| at + 1);
        let ready: Vec<Entry> = self.held.drain(..last.max(early)).collect();
        for entry in &ready {
            let head = Entry { text: String::new(), bare: Bare::default(), more: Vec::new(), ..entry.clone() };
            self.gone.insert(Arc::clone(&entry.stream), head);
        }
        ready
    }

    /// All that is held, in order: nothing more comes.
    pub fn end(&mut self) -> Vec<Entry> {
        self.held.sort_by_key(|entry| entry.when);
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Part, Program};

    fn entry(node: &str, written: i64, heard: i64) -> Read {
        let stream = Arc::new(Stream { node: node.to_owned(), program: Program::Etcd });
        let mut entry = Entry::new(&stream, at(heard), Severity::Info, format!("{node} {written}"));
        (entry.at, entry.when) = (at(written), at(written));
        Read::New(entry)
    }

    fn at(ms: i64) -> Time {
        Time::from_micros(ms * 1000)
    }

    fn texts(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.text.as_str()).collect()
    }

    #[test]
    fn what_comes_a_little_late_is_put_in_its_place() {
        let mut merge = Merge::new(Duration::from_millis(500));
        for (node, written, heard) in [("a", 100, 1000), ("a", 300, 1000), ("b", 200, 1300), ("b", 900, 1600)] {
            merge.take(entry(node, written, heard), at(heard));
        }
        assert_eq!(texts(&merge.ready(at(1400))), Vec::<&str>::new());
        assert_eq!(texts(&merge.ready(at(1500))), ["a 100", "b 200", "a 300"]);
        assert_eq!(texts(&merge.end()), ["b 900"]);
    }

    #[test]
    fn a_line_whose_message_is_gone_is_not_lost() {
        let mut merge = Merge::new(Duration::from_millis(500));
        let more = |text: &str| {
            let stream = Arc::new(Stream { node: "a".to_owned(), program: Program::Etcd });
            Read::More { stream, parts: vec![Part { label: "", text: text.to_owned(), bare: Bare::default() }], lines: 1, cut: 0 }
        };
        merge.take(entry("a", 100, 1000), at(1000));
        merge.take(more("one"), at(1001));
        let ready = merge.ready(at(2000));
        assert_eq!((ready[0].lines, ready[0].more.len()), (2, 1));
        merge.take(more("two"), at(2100));
        let left = merge.end();
        assert_eq!((texts(&left), left[0].level, left[0].when, left[0].lines), (vec!["two"], Severity::Info, at(100), 1));
    }
}
