//! Which of the timelines in Patroni's history began before our eyes.

use std::collections::BTreeSet;

use super::Cluster;

/// How many changes of leader wait for their entry at most.
const LONGEST: usize = 32;

/// Which timelines began before our eyes.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Past {
    /// Those that the history had when it was last read; `None`: it was never read.
    known: Option<BTreeSet<u32>>,
    watched: BTreeSet<u32>,
    /// Leaders that were seen to take the key, and that the history does not have yet.
    unwritten: Vec<String>,
}

impl Past {
    /// Somebody was seen to take the leader key.
    pub(super) fn led(&mut self, name: &str) {
        self.unwritten.push(name.to_owned());
        // A key that changes hands without anybody being promoted is not written down; that has an end.
        if self.unwritten.len() > LONGEST {
            self.unwritten.remove(0);
        }
    }

    /// Takes in the history as it is now. An entry that was not there before belongs to a change of leader that was seen, or to one that was
    /// not, while nobody watched.
    pub(super) fn follow(&mut self, cluster: &Cluster) {
        let Some(history) = cluster.history() else { return };
        let now: BTreeSet<u32> = history.iter().map(|entry| entry.timeline).collect();
        if let Some(known) = &self.known {
            for entry in history.iter().filter(|entry| !known.contains(&entry.timeline)) {
                let same = |name: &String| entry.new_leader.as_ref().is_none_or(|leader| leader == name);
                if let Some(at) = self.unwritten.iter().position(same) {
                    // Those before it were leaders for no timeline of their own.
                    self.unwritten.drain(..=at);
                    self.watched.insert(entry.timeline);
                }
            }
        }
        self.known = Some(now);
    }

    /// Whether the end of this timeline was seen, as a change of leader.
    pub(super) fn watched(&self, timeline: u32) -> bool {
        self.watched.contains(&timeline)
    }
}
