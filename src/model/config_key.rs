//! What is known of the dynamic configuration when its key is not there.

use super::{Cluster, DynamicConfig, Time};

/// The key `config` over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct ConfigKey {
    /// As it was last read. Patroni goes on with it too, when the key is gone (`GlobalConfig.update`).
    pub known: Option<DynamicConfig>,
    gone_since: Option<Time>,
}

impl Cluster {
    /// Since when the key `config` has not been there, though the cluster is; for one that was not there at the first reading, since then.
    pub fn config_gone_since(&self) -> Option<Time> {
        self.config_key.gone_since
    }

    /// Takes in the keys after a change.
    pub(super) fn follow_config(&mut self, at: Time) {
        let (keys, key) = (&self.dcs.keys, &mut self.config_key);
        let exists = keys.initialize.as_deref().is_some_and(|id| !id.is_empty());
        let gone = exists && keys.config.is_none();
        key.gone_since = key.gone_since.or(Some(at)).filter(|_| gone);
        match keys.config() {
            Some(config) if key.known.as_ref() != Some(config) => key.known = Some(config.clone()),
            // What was configured for a cluster that is no more says nothing of the next.
            None if keys.initialize.is_none() && keys.members.is_empty() => key.known = None,
            _ => {}
        }
    }
}
