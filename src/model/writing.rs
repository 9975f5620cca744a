//! Who accepts writes at the same time as somebody else, as far as that is proved.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Cluster, Lsn, Member, PostgresStatus, Time};

/// How far apart two answers may be and still be called one moment. Between the last answer of a leader that hands over and the first of the
/// one that is promoted lie a shutdown, a key that goes, a key that comes, and a promotion: never less than 0.4 s, measured 1 s and more.
const ONE_MOMENT: Duration = Duration::from_millis(250);

/// A member's answers that it is not in recovery, one after the other without another answer or a failure between them.
///
/// A PostgreSQL that is not in recovery stays so until it is stopped, so from the first answer to the last it was not at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writing {
    /// When the first was complete.
    pub since: Time,
    /// When the last was asked for.
    pub asked: Time,
    /// `pg_current_wal_lsn()` in the first.
    pub from: Option<Lsn>,
}

/// Since when more than one member has accepted writes, and what each has written since.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parting {
    /// When the second one was seen.
    pub since: Option<Time>,
    /// Where each wrote when it was first seen beside another. A member leaves when it says that it is in recovery.
    pub from: BTreeMap<String, Lsn>,
}

/// What a member has written since its data parted from another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Bytes from the point at which its history and the leader's part, by the history in etcd.
    SinceFork {
        /// The bytes.
        bytes: u64,
        /// The point.
        fork: Lsn,
    },
    /// Bytes since the second writer was seen; before that there may have been more.
    SinceSeen(u64),
    /// Nobody says.
    Unknown,
}

impl Writing {
    /// The answers so far and one more; `None` in recovery.
    pub(super) fn next(before: Option<Self>, status: &PostgresStatus, asked: Time, at: Time) -> Option<Self> {
        let first = || Self { since: at, asked, from: status.current_lsn };
        (!status.in_recovery).then(|| before.map_or_else(first, |before| Self { asked, ..before }))
    }

    /// Whether this and another lasted at the same time for a moment at least: the one that began first was asked again when the other had
    /// begun. What an old leader said last before it gave up lies before the new one's first word.
    fn overlaps(self, other: Self) -> bool {
        let (first, second) = if self.since <= other.since { (self, other) } else { (other, self) };
        first.asked.plus(ONE_MOMENT) >= second.since
    }
}

impl Cluster {
    /// Members that are not in recovery by their current answers, where it is proved of each that another was not either at the same time.
    pub fn writers(&self, now: Time) -> Vec<&Member> {
        let writing: Vec<(&Member, Writing)> = self.writing(now).collect();
        let beside = |member: &Member, own: Writing| writing.iter().any(|(m, w)| m.name != member.name && w.overlaps(own));
        writing.iter().filter(|(member, own)| beside(member, *own)).map(|(member, _)| *member).collect()
    }

    /// Whether two members say that they are not in recovery and only their next answers can tell whether both are at once.
    pub fn writers_undecided(&self, now: Time) -> bool {
        let count = self.writing(now).count();
        count > 1 && self.writers(now).len() < count
    }

    fn writing(&self, now: Time) -> impl Iterator<Item = (&Member, Writing)> {
        // One that was renamed is asked under both names.
        let asked = self.members.values().filter(move |m| !self.told_under_its_new_name(m, now));
        asked.filter_map(move |m| m.sql_now(now).and(m.writing).map(|w| (m, w)))
    }

    /// What a writer has written since its data parted from another's.
    pub fn written(&self, member: &Member, now: Time) -> Written {
        let Some(at) = member.sql_now(now).and_then(|s| s.current_lsn) else { return Written::Unknown };
        if let Some(fork) = self.fork_of_writers(member, now) {
            return Written::SinceFork { bytes: at.bytes_since(fork), fork };
        }
        self.parting.from.get(&member.name).map_or(Written::Unknown, |from| Written::SinceSeen(at.bytes_since(*from)))
    }

    /// Where a writer and another part: the leader and those that write on timelines before its own.
    fn fork_of_writers(&self, member: &Member, now: Time) -> Option<Lsn> {
        let leader = self.holder_now(now)?;
        if member.name != leader {
            return self.fork(self.timeline(&member.name, now)?, now);
        }
        let others = self.writers(now).into_iter().filter(|m| m.name != leader);
        others.filter_map(|m| self.fork(self.timeline(&m.name, now)?, now)).min()
    }

    /// Where `timeline` ends on the way to the timeline of the holder of the leader key. `None` when it is the holder's own, and when the
    /// history in etcd does not lead from one to the other (a new leader writes it about a second after it has taken the key).
    pub fn fork(&self, timeline: u32, now: Time) -> Option<Lsn> {
        let of_leader = self.timeline(self.holder_now(now)?, now)?;
        let history = self.dcs.keys.history.as_ref().and_then(super::Parsed::good)?;
        let reaches = history.last().is_some_and(|last| last.timeline.checked_add(1) == Some(of_leader));
        history.iter().find(|entry| reaches && entry.timeline == timeline && timeline < of_leader).map(|entry| entry.lsn)
    }

    /// Notes where each writer writes when it is first seen beside another.
    pub(super) fn follow_writers(&mut self, now: Time) {
        let beside: Vec<(String, Writing, Option<Lsn>)> = self
            .writers(now)
            .into_iter()
            .filter_map(|m| Some((m.name.clone(), m.writing?, m.sql.last().and_then(|s| s.current_lsn))))
            .collect();
        let recovered =
            |name: &String, members: &BTreeMap<String, Member>| members.get(name).is_none_or(|m| m.writable(now) == Some(false));
        self.parting.from.retain(|name, _| !recovered(name, &self.members));
        if let Some(second) = beside.iter().map(|(_, writing, _)| writing.since).max() {
            self.parting.since.get_or_insert(second);
            for (name, writing, lsn) in beside {
                let from = if writing.since == second { writing.from } else { lsn };
                if let Some(from) = from {
                    self.parting.from.entry(name).or_insert(from);
                }
            }
        } else if self.parting.from.len() < 2 {
            self.parting = Parting::default();
        }
    }
}
