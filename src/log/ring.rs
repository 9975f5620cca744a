//! The newest messages of all streams in the order in which they were written, as many as there is room for.

#[path = "ring_folds.rs"]
mod folds;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use self::folds::Folds;
use super::entry::Repeat;
use super::{Clocks, Entry, Filter, Gap, Heard, Read, Reader, Stream, Troubles, What};
use crate::model::{ClockSkew, Time, clean};

/// A message's place and identity: its time by our clock, and its number.
pub type Key = (Time, u64);

/// The newest messages of all streams, in order.
#[derive(Debug, Clone)]
pub struct Log {
    readers: BTreeMap<Stream, Reader>,
    files: BTreeMap<Stream, String>,
    slots: VecDeque<Slot>,
    /// The number of the next message.
    next: u64,
    /// The newest message of each stream.
    newest: BTreeMap<Stream, Key>,
    /// What each stream says over and over, and where that stands.
    folds: BTreeMap<Stream, Folds>,
    clocks: Clocks,
    troubles: Troubles,
    /// Whether it shows secrets.
    unmasked: bool,
    /// Messages and bytes that are kept.
    room: (usize, usize),
    bytes: usize,
    filter: Filter,
    shown: usize,
    taken: u64,
    dropped: Dropped,
}

#[derive(Debug, Clone)]
struct Slot {
    key: Key,
    entry: Entry,
    /// Whether the filter lets it pass.
    passes: bool,
}

/// What is not kept any more, or never was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Lines that were the oldest when room was needed.
    pub lines: u64,
    /// Bytes of them, about.
    pub bytes: u64,
    /// Lines that whoever reads the nodes has let go.
    pub unread: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self::with_room(Self::MESSAGES, Self::BYTES)
    }
}

impl Log {
    /// Messages that are kept.
    pub const MESSAGES: usize = 100_000;
    /// Bytes that they take, about.
    pub const BYTES: usize = 64 * 1024 * 1024;

    /// An empty one with room for so many messages and, about, bytes. It masks secrets.
    pub fn with_room(messages: usize, bytes: usize) -> Self {
        Self {
            room: (messages, bytes),
            readers: BTreeMap::new(),
            files: BTreeMap::new(),
            slots: VecDeque::new(),
            next: 0,
            newest: BTreeMap::new(),
            folds: BTreeMap::new(),
            clocks: Clocks::default(),
            troubles: Troubles::default(),
            unmasked: false,
            bytes: 0,
            filter: Filter::default(),
            shown: 0,
            taken: 0,
            dropped: Dropped::default(),
        }
    }

    /// Learns what is known of a node's clock. It counts for what is read from now on.
    pub fn hear_clock(&mut self, node: &str, skew: ClockSkew) {
        if let Some(ahead) = self.clocks.hear(node, skew) {
            self.readers.iter_mut().filter(|(stream, _)| stream.node == node).for_each(|(_, reader)| reader.set_skew(ahead));
        }
    }

    /// Which streams are not read at the moment.
    pub fn troubles(&self) -> &Troubles {
        &self.troubles
    }

    /// By how much the nodes' clocks are reckoned to be ahead of ours.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// Takes in what was heard, each stream's in its order.
    pub fn take(&mut self, batch: Vec<Heard>) {
        let first = self.next;
        let mut fresh: Vec<Slot> = Vec::new();
        for heard in batch {
            self.troubles.hear(&heard);
            match &heard.what {
                What::Open { file, .. } => drop(self.files.insert(heard.stream.clone(), clean(file))),
                What::Line { .. } => self.taken += 1,
                What::Gap(Gap::Dropped { lines, .. }) => self.dropped.unread += lines,
                _ => {}
            }
            for read in self.reader(&heard.stream).take(heard.at, heard.what) {
                match read {
                    Read::New(entry) => self.begin(entry, &mut fresh),
                    Read::More { stream, parts, lines, cut } => {
                        if self.fold_more(&stream, &parts, (lines, cut), &mut fresh) {
                            continue;
                        }
                        self.belongs(&stream, &mut fresh, first, |entry| {
                            parts.into_iter().for_each(|part| entry.add(part));
                            (entry.lines, entry.cut) = (entry.lines + lines, entry.cut + cut);
                        });
                    }
                }
            }
        }
        self.put(fresh);
        self.make_room();
    }

    fn reader(&mut self, stream: &Stream) -> &mut Reader {
        let skew = self.clocks.ahead(&stream.node);
        self.readers.entry(stream.clone()).or_insert_with(|| {
            let mut reader = Reader::new(stream.clone());
            reader.set_skew(skew);
            reader
        })
    }

    /// A message that begins: one of its own, or what the stream says over and over.
    fn begin(&mut self, entry: Entry, fresh: &mut Vec<Slot>) {
        self.settle(&entry.stream, fresh);
        let repeat = entry.repeat();
        if let Some(entry) = self.fold(entry, repeat.as_ref(), fresh) {
            self.add(entry, repeat, fresh);
        }
    }

    /// A message of its own.
    fn add(&mut self, entry: Entry, repeat: Option<Repeat>, fresh: &mut Vec<Slot>) {
        let stream = entry.stream.as_ref().clone();
        let key = (entry.when, self.next);
        self.next += 1;
        self.folds.entry(stream.clone()).or_default().begin(repeat, key);
        self.newest.insert(stream, key);
        self.bytes += entry.size();
        let passes = self.passes(&entry);
        fresh.push(Slot { key, entry, passes });
    }

    /// Changes the newest message of a stream.
    fn belongs(&mut self, stream: &Arc<Stream>, fresh: &mut [Slot], first: u64, change: impl FnOnce(&mut Entry)) {
        let Some(key) = self.newest.get(stream.as_ref()).copied() else { return };
        if let Some(folds) = self.folds.get_mut(stream.as_ref()) {
            folds.goes_on(key);
        }
        let of_batch = key.1 >= first;
        let Some(slot) = find(&mut self.slots, fresh, key) else {
            // Its message was let go for lack of room, and it goes with it.
            let mut gone = Entry::new(stream, key.0, super::Severity::Unknown, String::new());
            gone.lines = 0;
            change(&mut gone);
            self.dropped.lines += gone.lines;
            self.dropped.bytes += gone.size() as u64;
            return;
        };
        let before = (slot.entry.size(), slot.passes);
        change(&mut slot.entry);
        self.bytes = self.bytes + slot.entry.size() - before.0;
        slot.passes = self.filter.passes(&seen(self.unmasked, &slot.entry));
        if !of_batch {
            self.shown = self.shown + usize::from(slot.passes) - usize::from(before.1);
        }
    }

    /// Puts new messages in their places.
    fn put(&mut self, mut fresh: Vec<Slot>) {
        not_after_what_follows(&mut fresh);
        fresh.sort_by_key(|slot| slot.key);
        self.shown += fresh.iter().filter(|slot| slot.passes).count();
        let Some(earliest) = fresh.first().map(|slot| slot.key) else { return };
        let place = self.slots.partition_point(|slot| slot.key < earliest);
        let mut later = self.slots.split_off(place).into_iter().peekable();
        for slot in fresh {
            while let Some(old) = later.next_if(|old| old.key < slot.key) {
                self.slots.push_back(old);
            }
            self.slots.push_back(slot);
        }
        self.slots.extend(later);
    }

    fn make_room(&mut self) {
        while self.slots.len() > self.room.0 || self.bytes > self.room.1 {
            let Some(old) = self.slots.pop_front() else { break };
            let size = old.entry.size();
            self.bytes = self.bytes.saturating_sub(size);
            self.shown -= usize::from(old.passes);
            self.dropped.lines += old.entry.lines;
            self.dropped.bytes += size as u64;
        }
    }

    /// Shows other messages.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.sift();
    }

    /// Shows secrets, or masks them again. What is looked for is looked for in what is shown.
    pub fn set_unmasked(&mut self, unmasked: bool) {
        if std::mem::replace(&mut self.unmasked, unmasked) != unmasked && !self.filter.is_empty() {
            self.sift();
        }
    }

    /// Whether it shows secrets.
    pub fn is_unmasked(&self) -> bool {
        self.unmasked
    }

    /// A message as it is to be shown, copied, saved and looked through: the ones that are handed out have their secrets masked.
    pub fn seen<'e>(&self, entry: &'e Entry) -> Cow<'e, Entry> {
        seen(self.unmasked, entry)
    }

    fn passes(&self, entry: &Entry) -> bool {
        self.filter.passes(&self.seen(entry))
    }

    fn sift(&mut self) {
        for slot in &mut self.slots {
            slot.passes = self.filter.passes(&seen(self.unmasked, &slot.entry));
        }
        self.shown = self.slots.iter().filter(|slot| slot.passes).count();
    }

    /// Which messages are shown.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// How many pass the filter.
    pub fn shown(&self) -> usize {
        self.shown
    }

    /// About how many bytes they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many messages there have been, those that were let go included.
    pub fn total(&self) -> u64 {
        self.next
    }

    /// How many lines were taken in.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// How many lines are in the messages that are kept, or wait for the end of one.
    pub fn kept(&self) -> u64 {
        self.slots.iter().map(|slot| slot.entry.lines).sum()
    }

    /// What is not kept any more.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// The streams that were heard of, each with its file.
    pub fn streams(&self) -> impl Iterator<Item = (&Stream, Option<&str>)> {
        self.readers.keys().map(|stream| (stream, self.files.get(stream).map(String::as_str)))
    }

    /// The message at this place.
    pub fn get(&self, key: Key) -> Option<&Entry> {
        let at = self.slots.binary_search_by_key(&key, |slot| slot.key).ok()?;
        self.slots.get(at).map(|slot| &slot.entry)
    }

    /// The messages that pass the filter from this place on, itself included.
    pub fn from(&self, key: Key) -> impl Iterator<Item = (Key, &Entry)> {
        let at = self.slots.partition_point(|slot| slot.key < key);
        self.slots.range(at..).filter(|slot| slot.passes).map(|slot| (slot.key, &slot.entry))
    }

    /// The messages that pass the filter before this place, itself left out, the nearest first.
    pub fn before(&self, key: Key) -> impl Iterator<Item = (Key, &Entry)> {
        let at = self.slots.partition_point(|slot| slot.key < key);
        self.slots.range(..at).rev().filter(|slot| slot.passes).map(|slot| (slot.key, &slot.entry))
    }

    /// The place of the newest message that passes the filter.
    pub fn last(&self) -> Option<Key> {
        self.slots.iter().rev().find(|slot| slot.passes).map(|slot| slot.key)
    }

    /// The place of the oldest message that passes the filter.
    pub fn first(&self) -> Option<Key> {
        self.slots.iter().find(|slot| slot.passes).map(|slot| slot.key)
    }
}

/// A line that tells no time was not written after the next one of its stream that tells one. It matters where reading begins: what stands first in a
/// file was not written when it was heard.
fn not_after_what_follows(fresh: &mut [Slot]) {
    let mut next: BTreeMap<Arc<Stream>, (Time, Time)> = BTreeMap::new();
    for slot in fresh.iter_mut().rev() {
        let entry = &mut slot.entry;
        match next.get(&entry.stream) {
            Some((at, when)) if entry.guessed && *when < entry.when => {
                (entry.at, entry.when) = (*at, *when);
                slot.key.0 = *when;
            }
            _ if !entry.guessed => drop(next.insert(Arc::clone(&entry.stream), (entry.at, entry.when))),
            _ => {}
        }
    }
}

fn seen(unmasked: bool, entry: &Entry) -> Cow<'_, Entry> {
    if unmasked { entry.unmasked() } else { Cow::Borrowed(entry) }
}

/// The slot of a place, among those that are new or those that were there.
fn find<'s>(slots: &'s mut VecDeque<Slot>, fresh: &'s mut [Slot], key: Key) -> Option<&'s mut Slot> {
    // New ones stand in the order of their numbers, without a hole.
    let first = fresh.first().map_or(u64::MAX, |slot| slot.key.1);
    match key.1.checked_sub(first) {
        Some(back) => fresh.get_mut(usize::try_from(back).ok()?),
        None => {
            let at = slots.binary_search_by_key(&key, |slot| slot.key).ok()?;
            slots.get_mut(at)
        }
    }
}
