//! Until when what is found was there already.

use std::time::Duration;

use crate::model::{Cluster, Time};

/// When it is over, though somebody has not been heard at all: two deadlines after another, for those whom the first answers name.
const LONGEST: Duration = Duration::from_secs(10);

/// The time from the first look until everybody has been heard once, good or bad. It begins again when etcd is read for the first time: who
/// could not be asked before was in that state before.
#[derive(Debug, Clone, Default)]
pub(super) struct Opening {
    begun: Option<Time>,
    read: bool,
    over: bool,
}

impl Opening {
    /// Whether it is over at `now`.
    pub(super) fn over(&mut self, cluster: &Cluster, now: Time) -> bool {
        let read = cluster.dcs.revision.is_some();
        if read != self.read {
            *self = Self { begun: Some(now), read, over: false };
        }
        if !self.over {
            let begun = *self.begun.get_or_insert(now);
            let heard = cluster.sources(now).iter().all(|source| !source.pending());
            let members = !read || (cluster.etcd_membership.heard() && cluster.quorum(now).unheard == 0);
            self.over = heard && members || now.since(begun) > LONGEST;
        }
        self.over
    }
}
