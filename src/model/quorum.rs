//! Whether etcd's majority decides.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cluster, EtcdStatus, SourceKind, Time};

/// What is known of etcd's majority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quorum {
    /// Whether there is one; `None`: nobody fresh says.
    pub has: Option<bool>,
    /// Voting members; `None`: no member list was ever read.
    pub size: Option<u32>,
    /// Voting members that answered within the freshness limit and see a raft leader.
    pub healthy: u32,
    /// Voting members of which nothing was heard yet, good or bad.
    pub unheard: u32,
    /// How many more may fail; `None` when the size is not known, when there is no quorum, and while a member is unheard.
    pub tolerance: Option<u32>,
}

impl Cluster {
    /// The newest status of each etcd member that answers, by member id, fresh ones only.
    pub fn etcd_now(&self, now: Time) -> BTreeMap<u64, (&str, &EtcdStatus)> {
        let mut by_id: BTreeMap<u64, (&str, &EtcdStatus)> = BTreeMap::new();
        for (endpoint, seen) in &self.etcd {
            if seen.error().is_none()
                && let Some(status) = seen.fresh(now, SourceKind::Etcd.freshness())
            {
                by_id.entry(status.member_id).or_insert((endpoint.as_str(), status));
            }
        }
        by_id
    }

    /// What is known of etcd's majority at `now`.
    ///
    /// A member that sees a raft leader has heard from it within an election timeout, and a raft leader without a majority steps down, so one
    /// such answer proves the quorum. A member that sees none proves its absence only when no other sees one.
    pub fn quorum(&self, now: Time) -> Quorum {
        let voters: Option<Vec<u64>> =
            self.etcd_membership.last().map(|m| m.members.iter().filter(|m| !m.is_learner).map(|m| m.id).collect());
        let answering = self.etcd_now(now);
        let votes = |id: &u64| voters.as_ref().is_none_or(|v| v.contains(id));
        let healthy = answering.iter().filter(|(id, (_, s))| votes(id) && s.sees_leader()).count();
        let size = voters.as_ref().map(Vec::len).filter(|n| *n > 0);
        let confirmed = self.dcs.confirmed_at.is_some_and(|at| now.since(at) <= SourceKind::Dcs.freshness()) && self.dcs.error().is_none();
        let has = if confirmed || healthy > 0 {
            Some(true)
        } else if !answering.is_empty() {
            Some(false)
        } else {
            None
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let unheard = self.unheard_voters();
        let tolerance = size.filter(|_| has == Some(true) && unheard == 0).map(|n| count(healthy.saturating_sub(n / 2 + 1)));
        Quorum { has, size: size.map(count), healthy: count(healthy), unheard: count(unheard), tolerance }
    }

    /// Voting members that never answered and whose endpoint has not failed either. An endpoint that fails and never told its id may be
    /// anybody's, under a name of the configuration's own; it stands for one of them.
    fn unheard_voters(&self) -> usize {
        let Some(membership) = self.etcd_membership.last() else { return 0 };
        let answered: BTreeSet<u64> = self.etcd.values().filter_map(|seen| seen.last()).map(|status| status.member_id).collect();
        let voters = membership.members.iter().filter(|m| !m.is_learner);
        let never = voters.filter(|m| !answered.contains(&m.id)).count();
        let nameless = self.etcd.values().filter(|seen| seen.last().is_none() && seen.error().is_some()).count();
        never.saturating_sub(nameless)
    }
}
