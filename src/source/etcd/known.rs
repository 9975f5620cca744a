//! What the watcher knows of the keys, so that it can tell whether it has missed something.

use std::collections::BTreeSet;

use super::link::{Listing, Since};
use crate::model::DcsEvent;

/// The state up to a revision.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    cluster_id: u64,
    /// Everything up to this revision is known.
    pub revision: i64,
    names: BTreeSet<String>,
    /// The lease of the leader key; `None`: there is no leader key.
    pub lease: Option<i64>,
}

/// How a list relates to what is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// Nothing has changed.
    Same,
    /// It is later: the events in between can be had from a watch.
    Later,
    /// Another etcd cluster, or one whose revision went back (a restored backup): what is known is void.
    Foreign,
}

/// What a read says about the watch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The watch has delivered everything.
    Complete,
    /// The watch has delivered more than the read saw.
    Overtaken,
    /// The read saw something that the watch has not delivered yet.
    Behind,
    /// etcd's revision went back.
    WentBack,
}

impl Known {
    /// What a list tells.
    pub fn listed(listing: &Listing) -> Self {
        Self {
            cluster_id: listing.cluster_id,
            revision: listing.revision,
            names: listing.keys.iter().map(|k| k.key.clone()).collect(),
            lease: listing.keys.iter().find(|k| k.key == "leader").map(|k| k.lease),
        }
    }

    /// Takes in what the watch has delivered.
    pub fn apply(&mut self, event: &DcsEvent) {
        match event {
            DcsEvent::Put(key) => {
                if key.key == "leader" {
                    self.lease = Some(key.lease);
                }
                self.names.insert(key.key.clone());
                self.revision = self.revision.max(key.mod_revision);
            }
            DcsEvent::Delete { key, revision } => {
                if key == "leader" {
                    self.lease = None;
                }
                self.names.remove(key);
                self.revision = self.revision.max(*revision);
            }
        }
    }

    /// Compares with a new list.
    pub fn relation(&self, listing: &Listing) -> Relation {
        if listing.cluster_id != self.cluster_id || listing.revision < self.revision {
            return Relation::Foreign;
        }
        let written = listing.keys.iter().any(|k| k.mod_revision > self.revision);
        let same_names = listing.keys.len() == self.names.len() && listing.keys.iter().all(|k| self.names.contains(&k.key));
        if written || !same_names { Relation::Later } else { Relation::Same }
    }

    /// Judges a read that asked for what was written after `asked`, the revision known at that time.
    ///
    /// A written key shows by its revision, a deleted one by the number of keys.
    pub fn judge(&self, since: &Since, asked: i64) -> Verdict {
        if since.revision < asked {
            return Verdict::WentBack;
        }
        if since.revision < self.revision {
            return Verdict::Overtaken;
        }
        let written = since.newest.is_some_and(|newest| newest > self.revision);
        let same_count = usize::try_from(since.count).is_ok_and(|count| count == self.names.len());
        if written || !same_count { Verdict::Behind } else { Verdict::Complete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DcsKey;

    fn key(name: &str, revision: i64) -> DcsKey {
        DcsKey { key: name.into(), value: String::new(), create_revision: 1, mod_revision: revision, lease: 7 }
    }

    fn listing(cluster_id: u64, revision: i64, keys: &[(&str, i64)]) -> Listing {
        Listing { cluster_id, revision, keys: keys.iter().map(|(n, r)| key(n, *r)).collect() }
    }

    #[test]
    fn a_list_is_compared_by_cluster_revision_and_keys() {
        let known = Known::listed(&listing(1, 10, &[("leader", 5), ("config", 6)]));
        assert_eq!(known.lease, Some(7));
        assert_eq!(known.relation(&listing(1, 12, &[("leader", 5), ("config", 6)])), Relation::Same);
        assert_eq!(known.relation(&listing(1, 12, &[("leader", 5), ("config", 11)])), Relation::Later);
        assert_eq!(known.relation(&listing(1, 12, &[("config", 6)])), Relation::Later);
        assert_eq!(known.relation(&listing(1, 9, &[("leader", 5), ("config", 6)])), Relation::Foreign);
        assert_eq!(known.relation(&listing(2, 12, &[("leader", 5), ("config", 6)])), Relation::Foreign);
    }

    #[test]
    fn a_silent_watch_is_found_out() {
        let mut known = Known::listed(&listing(1, 10, &[("leader", 5), ("config", 6)]));
        let since = |revision, count, newest| Since { revision, count, newest };
        assert_eq!(known.judge(&since(11, 2, None), 10), Verdict::Complete);
        assert_eq!(known.judge(&since(11, 2, Some(11)), 10), Verdict::Behind);
        assert_eq!(known.judge(&since(11, 1, None), 10), Verdict::Behind);
        assert_eq!(known.judge(&since(9, 2, None), 10), Verdict::WentBack);
        known.apply(&DcsEvent::Delete { key: "leader".into(), revision: 12 });
        assert_eq!((known.lease, known.revision), (None, 12));
        assert_eq!(known.judge(&since(11, 2, None), 10), Verdict::Overtaken);
        assert_eq!(known.judge(&since(12, 1, None), 10), Verdict::Complete);
        known.apply(&DcsEvent::Put(key("leader", 14)));
        assert_eq!(known.judge(&since(14, 2, Some(14)), 12), Verdict::Complete);
    }
}
