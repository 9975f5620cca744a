//! The keys of a scenario, as they are written and read.

use pgbaton::model::*;
use serde_json::Value;

use super::answers::{merge, url};
use super::{LEASE, Scenario, Voice};

impl Scenario {
    /// Reads all keys, as a source does first, with the membership of etcd.
    pub fn list(&mut self) -> &mut Self {
        self.list_as(Consistency::Linearizable)
    }

    /// The same, with one etcd member's own word.
    pub fn list_serializable(&mut self) -> &mut Self {
        self.list_as(Consistency::Serializable)
    }

    fn list_as(&mut self, consistency: Consistency) -> &mut Self {
        let listing = self.listing(consistency);
        self.report(SourceId::new(SourceKind::Dcs, "psg"), listing);
        if let Some(membership) = self.membership.clone() {
            self.report(SourceId::new(SourceKind::Etcd, url(1)), Fact::EtcdMembership(membership));
        }
        self
    }

    pub(super) fn listing(&self, consistency: Consistency) -> Fact {
        let keys = self.keys.iter().map(|(key, (value, lease))| self.dcs_key(key, value, *lease)).collect();
        Fact::DcsListed { revision: self.revision, consistency, keys }
    }

    /// Writes a key, which the watch pushes at once, if it is read at all.
    pub fn put(&mut self, key: &str, value: impl ToString) -> &mut Self {
        let value = value.to_string();
        let lease = if key == "leader" { LEASE } else { 0 };
        self.keys.insert(key.to_owned(), (value.clone(), lease));
        self.revision += 1;
        let event = DcsEvent::Put(self.dcs_key(key, &value, lease));
        self.push(event)
    }

    /// Deletes a key, likewise.
    pub fn delete(&mut self, key: &str) -> &mut Self {
        self.keys.remove(key);
        self.revision += 1;
        let event = DcsEvent::Delete { key: key.to_owned(), revision: self.revision };
        self.push(event)
    }

    /// The lease of a leader ends: etcd deletes its leader key and its member's key in one revision.
    pub fn lease_runs_out(&mut self, name: &str) -> &mut Self {
        self.revision += 1;
        let keys = ["leader".to_owned(), format!("members/{name}")];
        keys.iter().for_each(|key| drop(self.keys.remove(key)));
        let events = keys.map(|key| DcsEvent::Delete { key, revision: self.revision });
        self.push_all(events.into())
    }

    /// Changes fields of a key that is a JSON object; null takes a field away.
    pub fn merge(&mut self, key: &str, fields: Value) -> &mut Self {
        let mut value: Value = serde_json::from_str(&self.keys[key].0).unwrap();
        merge(&mut value, fields);
        self.put(key, value)
    }

    /// The leader key says this name.
    pub fn leader(&mut self, name: &str) -> &mut Self {
        self.put("leader", name)
    }

    fn push(&mut self, event: DcsEvent) -> &mut Self {
        self.push_all(vec![event])
    }

    fn push_all(&mut self, events: Vec<DcsEvent>) -> &mut Self {
        if matches!(self.dcs, Voice::Says(())) {
            let fact = Fact::DcsChanged { revision: self.revision, events };
            self.report(SourceId::new(SourceKind::Dcs, "psg"), fact);
        }
        self
    }

    fn dcs_key(&self, key: &str, value: &str, lease: i64) -> DcsKey {
        DcsKey { key: key.to_owned(), value: value.to_owned(), create_revision: 1, mod_revision: self.revision, lease }
    }
}
