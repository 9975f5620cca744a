//! The maintenance mode, as it was seen and as it was written down: Patroni keeps of it that it is on, and nothing else.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Cluster, Time, spoken};

/// How long it may take from the line in the audit to the key in etcd.
const UNDER_WAY: Duration = Duration::from_secs(60);

/// The newest pause that was ordered from this machine and not ended from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseNote {
    /// When it was ordered.
    pub at: Time,
    /// Who ordered it.
    pub by: String,
    /// The REST API that was asked; `None`: that is not known.
    pub asked: Option<String>,
    /// Why, if that was said.
    pub reason: Option<String>,
    /// When somebody is to be reminded of it, if that was wanted.
    pub remind_at: Option<Time>,
}

impl PauseNote {
    /// Who, when and why: `anna, 2 h 05 min ago: reindex of the orders`.
    pub fn told(&self, now: Time) -> String {
        let who = format!("{}, {} ago", self.by, spoken(now.since(self.at)));
        match &self.reason {
            Some(reason) => format!("{who}: {reason}"),
            None => who,
        }
    }

    /// Whether it was ordered from a cluster with such an API: two clusters can have one scope.
    pub fn of_cluster<'a>(&self, mut apis: impl Iterator<Item = &'a str>) -> bool {
        self.asked.as_deref().is_none_or(|asked| apis.any(|api| api.trim_end_matches('/').trim_end_matches("/patroni") == asked))
    }
}

/// What is known of the mode while it is on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PauseWatch {
    /// Whether it was off when it was first read.
    off_before: bool,
    since: Option<Time>,
    note: Option<PauseNote>,
}

impl PauseWatch {
    /// When it was first seen; `None`: it is off.
    pub fn since(&self) -> Option<Time> {
        self.since
    }

    /// Whether it was seen to begin: then what was written down at that time is of this one, and nothing older.
    pub fn begun(&self) -> bool {
        self.off_before
    }

    /// What the audit of this machine has of it. A pause whose beginning was not seen may be another one: somebody elsewhere may have ended the
    /// one that was ordered from here.
    pub fn note(&self) -> Option<&PauseNote> {
        let ordered = |note: &&PauseNote| self.since.is_some_and(|since| !self.off_before || note.at >= since.before(UNDER_WAY));
        self.note.as_ref().filter(ordered)
    }

    pub(super) fn hear(&mut self, note: Option<PauseNote>) {
        self.note = note;
    }

    /// What etcd has of it now.
    pub(super) fn follow(&mut self, paused: bool, at: Time) {
        match paused {
            true => self.since = self.since.or(Some(at)),
            false => *self = Self { off_before: true, ..Self::default() },
        }
    }
}

impl Cluster {
    /// What the audit of this machine has of the pause of this cluster.
    pub fn pause_note(&self) -> Option<&PauseNote> {
        let apis = self.members.values().filter_map(|member| member.dcs().and_then(|key| key.api_url.as_deref()));
        self.pause.note().filter(|note| note.of_cluster(apis))
    }

    /// The same in words: `ordered by anna, 2 h 05 min ago: reindex of the orders`. Who has not seen it begin cannot tell whether somebody
    /// elsewhere has ended that one and ordered another.
    pub fn pause_ordered(&self, now: Time) -> Option<String> {
        let told = self.pause_note()?.told(now);
        Some(if self.pause.begun() { format!("ordered by {told}") } else { format!("the last pause ordered from here: {told}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn note(seconds: i64) -> Option<PauseNote> {
        Some(PauseNote {
            at: at(seconds),
            by: "anna".to_owned(),
            asked: Some("http://a:8008".to_owned()),
            reason: Some("reindex".to_owned()),
            remind_at: None,
        })
    }

    #[test]
    fn a_note_counts_for_a_pause_whose_beginning_nobody_saw_and_for_the_one_it_was_written_for() {
        let mut watch = PauseWatch::default();
        watch.hear(note(100));
        assert_eq!(watch.note(), None, "whether it is paused is not known");
        watch.follow(true, at(5000));
        let noted = watch.note().expect("a note");
        assert_eq!(noted.told(at(7300)), "anna, 2 h 00 min ago: reindex");
        assert!(noted.of_cluster(["http://b:8008/patroni", "http://a:8008/patroni"].into_iter()));
        assert!(!noted.of_cluster(["http://b:8008/patroni"].into_iter()), "another cluster of this scope");
        watch.follow(false, at(6000));
        assert_eq!((watch.note(), watch.since()), (None, None));
        // Seen to begin, and nobody here has ordered it.
        watch.follow(true, at(7000));
        watch.hear(note(100));
        assert_eq!(watch.note(), None);
        watch.hear(note(6999));
        assert_eq!(watch.note(), note(6999).as_ref());
        assert_eq!(watch.since(), Some(at(7000)));
    }
}
