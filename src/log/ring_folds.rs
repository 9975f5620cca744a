//! What a stream says over and over: told once, with how often and until when.
//!
//! A heartbeat is one line. A complaint may have lines that belong to it, and comes in turns with other complaints: it is the same one only if all of
//! it is the same, so that no line is lost. It is counted where it was said before as soon as it begins, and stands for itself when it goes on
//! otherwise.

use std::time::Duration;

use super::{Key, Log, Slot, find};
use crate::log::entry::{Again, Part, Repeat};
use crate::log::{Entry, Stream};

/// Most that a stream is known to say over and over at one time: two by Patroni, and what it complains of while its PostgreSQL is away; one by each
/// that asks a HAProxy for its page.
const MOST: usize = 16;

/// A complaint that was not heard for longer is a new one, and stands where it is said: three turns of Patroni's loop.
const APART: Duration = Duration::from_secs(30);

/// What one stream says over and over.
#[derive(Debug, Clone, Default)]
pub(super) struct Folds {
    /// Each with its place.
    said: Vec<(Repeat, Key)>,
    held: Option<Held>,
}

/// A complaint that has begun like one that was said before; more may follow that belongs to it.
#[derive(Debug, Clone)]
struct Held {
    /// As it has come so far.
    entry: Entry,
    repeat: Repeat,
    /// Where it is counted.
    key: Key,
    /// How often that was said before it.
    before: Option<Again>,
}

impl Folds {
    /// What has lines that belong to it is no heartbeat.
    pub(super) fn goes_on(&mut self, key: Key) {
        self.said.retain(|(repeat, known)| repeat.complaint || *known != key);
    }

    /// Takes in what begins at a place. Where something else is said, what comes after that is not what was before.
    pub(super) fn begin(&mut self, repeat: Option<Repeat>, key: Key) {
        let other = |repeat: &Repeat| {
            let instead = |(known, _): &(Repeat, Key)| known.turn == repeat.turn && known != repeat;
            self.said.len() >= MOST || self.said.iter().any(instead)
        };
        if repeat.as_ref().is_none_or(other) {
            self.said.clear();
        }
        self.said.extend(repeat.map(|repeat| (repeat, key)));
    }
}

impl Log {
    /// Counts a message that begins where it was said before; gives it back if it was not.
    pub(super) fn fold(&mut self, entry: Entry, repeat: Option<&Repeat>, fresh: &mut [Slot]) -> Option<Entry> {
        let Some(repeat) = repeat else { return Some(entry) };
        match self.said_before(&entry, repeat, fresh, |known, entry| known.starts_with(&entry.more)) {
            Some(key) => self.count(key, entry, repeat, fresh),
            None => {
                // Its place was let go, or it is long ago.
                if let Some(folds) = self.folds.get_mut(entry.stream.as_ref()).filter(|_| !repeat.complaint) {
                    folds.said.retain(|(known, _)| known != repeat);
                }
                Some(entry)
            }
        }
    }

    /// Takes in what belongs to a complaint that is counted elsewhere; whether it does: else the complaint stands for itself from now on.
    pub(super) fn fold_more(&mut self, stream: &Stream, parts: &[Part], (lines, cut): (u64, u64), fresh: &mut Vec<Slot>) -> bool {
        let Some(mut held) = self.take_held(stream, fresh) else { return false };
        let goes_on = |known: &[Part], entry: &Entry| known.strip_prefix(entry.more.as_slice()).is_some_and(|rest| rest.starts_with(parts));
        let found = if cut == 0 { self.said_before(&held.entry, &held.repeat, fresh, goes_on) } else { None };
        let Some(key) = found else {
            self.stand(held, fresh);
            return false;
        };
        held.entry.more.extend_from_slice(parts);
        held.entry.lines += lines;
        self.count(key, held.entry, &held.repeat, fresh);
        true
    }

    /// The next message begins: of the one before nothing more comes.
    pub(super) fn settle(&mut self, stream: &Stream, fresh: &mut Vec<Slot>) {
        let Some(held) = self.take_held(stream, fresh) else { return };
        match self.said_before(&held.entry, &held.repeat, fresh, |known, entry| known == entry.more) {
            Some(key) => {
                self.count(key, held.entry, &held.repeat, fresh);
                if let Some(folds) = self.folds.get_mut(stream) {
                    folds.held = None;
                }
            }
            None => self.stand(held, fresh),
        }
    }

    /// Takes the complaint that is held back from where it is counted. One whose place was let go for lack of room is gone with it.
    fn take_held(&mut self, stream: &Stream, fresh: &mut [Slot]) -> Option<Held> {
        let held = self.folds.get_mut(stream)?.held.take()?;
        let slot = find(&mut self.slots, fresh, held.key)?;
        slot.entry.again = held.before;
        slot.entry.lines -= held.entry.lines;
        Some(held)
    }

    /// The place of the newest message that says the same, as far as that can be said yet.
    fn said_before(&mut self, entry: &Entry, repeat: &Repeat, fresh: &mut [Slot], same: impl Fn(&[Part], &Entry) -> bool) -> Option<Key> {
        let folds = self.folds.get(entry.stream.as_ref())?;
        let slots = &mut self.slots;
        let mut is = |key: Key| {
            let known = find(slots, fresh, key).map(|slot| &slot.entry);
            known.is_some_and(|known| {
                let last = known.again.map_or(known.when, |again| again.last);
                let lately = entry.when.since(last) <= APART && entry.bare == known.bare && known.cut + entry.cut == 0;
                !repeat.complaint || lately && same(&known.more, entry)
            })
        };
        folds.said.iter().rev().find(|(known, key)| known == repeat && is(*key)).map(|(_, key)| *key)
    }

    /// Counts a message at a place.
    fn count(&mut self, key: Key, entry: Entry, repeat: &Repeat, fresh: &mut [Slot]) -> Option<Entry> {
        let Some(slot) = find(&mut self.slots, fresh, key) else { return Some(entry) };
        let before = slot.entry.again;
        slot.entry.again = Some(Again { times: before.map_or(1, |again| again.times) + 1, last: entry.when });
        slot.entry.lines += entry.lines;
        self.newest.insert(entry.stream.as_ref().clone(), key);
        if let Some(folds) = self.folds.get_mut(entry.stream.as_ref()).filter(|_| repeat.complaint) {
            folds.held = Some(Held { repeat: repeat.clone(), key, before, entry });
        }
        None
    }

    fn stand(&mut self, held: Held, fresh: &mut Vec<Slot>) {
        self.add(held.entry, Some(held.repeat), fresh);
    }
}
