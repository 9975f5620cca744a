//! From what was heard to what is printed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::time::Duration;

use crate::log::{Clocks, Entry, Filter, Heard, Kind, Merge, Read, Reader, Stream, ahead_told};
use crate::model::{Cluster, Time};

/// How long a message waits for earlier ones of other nodes: a file is looked at twice a second.
const WINDOW: Duration = Duration::from_millis(900);

/// A clock's difference is told anew when it has changed by so much, microseconds: a clock that is slewed changes all the time.
const WORTH: u64 = 50_000;

/// Puts messages in order, and prints those that are wanted.
pub(super) struct Teller {
    readers: BTreeMap<Stream, Reader>,
    merge: Merge,
    clocks: Clocks,
    /// What was said of them last.
    said: BTreeMap<String, i64>,
    since: Time,
    filter: Filter,
    json: bool,
    unmasked: bool,
}

impl Teller {
    /// Tells what was written since then, and passes the filter; `unmasked`: with secrets.
    pub fn new(since: Time, filter: Filter, json: bool, unmasked: bool) -> Self {
        Self {
            readers: BTreeMap::new(),
            merge: Merge::new(WINDOW),
            clocks: Clocks::default(),
            said: BTreeMap::new(),
            since,
            filter,
            json,
            unmasked,
        }
    }

    /// Learns how the nodes' clocks differ from ours; what is to be said of them, as they are reckoned with in the order.
    pub fn hear_clocks(&mut self, cluster: &Cluster, now: Time) -> Vec<String> {
        let mut words = Vec::new();
        for node in cluster.members.keys().chain(cluster.hosts.keys()) {
            let Some(ahead) = cluster.clock(node, now).and_then(|(_, skew)| self.clocks.hear(node, skew)) else { continue };
            self.readers.iter_mut().filter(|(stream, _)| stream.node == *node).for_each(|(_, reader)| reader.set_skew(ahead));
            let said = self.said.entry(node.clone()).or_default();
            if ahead.abs_diff(*said) >= WORTH {
                *said = ahead;
                words.push(match ahead_told(ahead) {
                    Some(told) => format!("the clock of {node} is {told}: reckoned with in the order, the times stay its own"),
                    None => format!("the clock of {node} is as ours again"),
                });
            }
        }
        words
    }

    /// Takes in what was heard.
    pub fn take(&mut self, heard: Vec<Heard>) {
        for Heard { stream, at, what } in heard {
            let skew = self.clocks.ahead(&stream.node);
            let reader = self.readers.entry(stream).or_insert_with_key(|stream| {
                let mut reader = Reader::new(stream.clone());
                reader.set_skew(skew);
                reader
            });
            for read in reader.take(at, what) {
                self.merge.take(read, at);
            }
        }
    }

    /// Prints what nothing earlier is to be expected before; whether somebody still reads.
    pub fn tell(&mut self, now: Time) -> std::io::Result<bool> {
        let ready = self.merge.ready(now);
        self.print(&ready)
    }

    /// Prints all that is left.
    pub fn end(&mut self) -> std::io::Result<bool> {
        let unfinished: Vec<(Time, Vec<Read>)> = self.readers.values_mut().map(|reader| (self.since, reader.end(self.since))).collect();
        for (heard, reads) in unfinished {
            reads.into_iter().for_each(|read| self.merge.take(read, heard));
        }
        let left = self.merge.end();
        self.print(&left)
    }

    fn print(&self, entries: &[Entry]) -> std::io::Result<bool> {
        let mut text = Vec::new();
        let seen = entries.iter().map(|entry| if self.unmasked { entry.unmasked() } else { Cow::Borrowed(entry) });
        for entry in seen.filter(|entry| self.is_wanted(entry)) {
            match self.json {
                true => serde_json::to_writer(&mut text, entry.as_ref())?,
                false => text.extend_from_slice(entry.plain().as_bytes()),
            }
            text.push(b'\n');
        }
        if text.is_empty() {
            return Ok(true);
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(&text).and_then(|()| out.flush()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn is_wanted(&self, entry: &Entry) -> bool {
        (entry.kind != Kind::Line || entry.when >= self.since) && self.filter.passes(entry)
    }
}
