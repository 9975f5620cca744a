//! What part a member plays, for a sentence about its absence.

use crate::model::{Cluster, Time};

/// A member's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It holds the leader key.
    Leader,
    /// It was the last that held it, and nobody is known to hold it now.
    LastLeader,
    /// Neither.
    Follower,
}

impl Part {
    /// The part of `name` at `now`.
    pub(super) fn of(cluster: &Cluster, name: &str, now: Time) -> Self {
        match cluster.holder_now(now) {
            Some(holder) if holder == name => Part::Leader,
            None if cluster.last_leader.as_deref() == Some(name) => Part::LastLeader,
            _ => Part::Follower,
        }
    }

    /// The member's name with its part: `psg1, the leader,`.
    pub(super) fn call(self, name: &str) -> String {
        match self {
            Part::Leader => format!("{name}, the leader,"),
            Part::LastLeader => format!("{name}, the last leader,"),
            Part::Follower => name.to_owned(),
        }
    }
}
