//! Since when the leader leads.

use std::time::Duration;

use super::{Cluster, Time};

/// A change of timeline that Patroni wrote down so long after the key had changed hands is another one; it writes it within a second or two.
const ANEW: Duration = Duration::from_secs(10);

impl Cluster {
    /// The history's last entry names the present holder only when no change of timeline came after it.
    pub(super) fn leader_since_by_history(&self) -> Option<Time> {
        let history = self.history()?;
        let last = history.last()?;
        (last.new_leader.as_deref() == self.holder()).then_some(last.at).flatten()
    }

    /// One that kept the key through a lost quorum has stepped down meanwhile and leads anew, on another timeline. Its clock wrote the history, so
    /// that what it has of the future is not taken.
    pub(super) fn follow_promotion(&mut self, at: Time) {
        let Some(anew) = self.leader_since_by_history().filter(|_| self.holder().is_some()) else { return };
        if self.leader_since.is_none_or(|since| (since.plus(ANEW)..=at).contains(&anew)) {
            self.leader_since = Some(anew);
        }
    }
}
