//! Pools of Airflow's that were frozen from this machine: Airflow keeps neither who did it nor what they had before.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AirflowPool, AirflowStatus, Cluster, Time, spoken};

/// How long it may take until an order of which nobody has told the end is carried out, or is not.
const UNDER_WAY: Duration = Duration::from_secs(300);

/// What is remembered of them, from before the order went out until they have their slots again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenPools {
    /// When they were frozen.
    pub at: Time,
    /// When the newest order to freeze them went out.
    pub ordered: Time,
    /// Whether that one has ended: else it may still be carried out.
    #[serde(default)]
    pub ended: bool,
    /// By whom.
    pub by: String,
    /// The run of a runbook that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Why, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// PostgreSQL's system identifier: two clusters can have one scope.
    pub system: Option<String>,
    /// The slots that each pool had.
    pub slots: BTreeMap<String, i64>,
}

impl FrozenPools {
    /// Since when, by whom and why: `since 2026-11-24 03:12 UTC, for 12 min, by anna in the run 17-4: switchover`.
    pub fn told(&self, now: Time) -> String {
        let run = self.run.as_ref().map(|run| format!(" in the run {run}")).unwrap_or_default();
        let why = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("since {}, for {}, by {}{run}{why}", self.at.minute(), spoken(now.since(self.at)), self.by)
    }

    /// Whether the newest order may still be under way: nobody has told its end, SQL does not show all of it, and it is not long ago.
    pub fn under_way(&self, status: &AirflowStatus, now: Time) -> bool {
        let open = |(name, had): (&String, &i64)| *had != 0 && status.pools.iter().any(|pool| pool.name == *name && pool.slots == *had);
        !self.ended && now.since(self.ordered) < UNDER_WAY && self.slots.iter().any(open)
    }

    /// Those that are frozen still, with the slots that they had.
    pub fn still<'a>(&'a self, status: &'a AirflowStatus) -> impl Iterator<Item = (&'a AirflowPool, i64)> {
        let had = move |pool: &'a AirflowPool| Some((pool, *self.slots.get(&pool.name)?));
        status.pools.iter().filter(|pool| pool.slots == 0).filter_map(had).filter(|(_, had)| *had != 0)
    }
}

impl Cluster {
    /// Its pools that were frozen from this machine and have not got their slots back.
    pub fn frozen_pools(&self) -> Option<&FrozenPools> {
        let ours = self.dcs.keys.initialize.as_ref();
        self.frozen.iter().rfind(|pools| ours.zip(pools.system.as_ref()).is_none_or(|(ours, theirs)| ours == theirs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_of_another_cluster_of_this_scope_are_not_taken_for_ours() {
        let frozen = |system: Option<&str>| FrozenPools {
            at: Time::from_micros(0),
            ordered: Time::from_micros(0),
            ended: true,
            by: "anna".to_owned(),
            run: Some("17-4".to_owned()),
            reason: Some("switchover".to_owned()),
            system: system.map(str::to_owned),
            slots: BTreeMap::from([("default_pool".to_owned(), 128)]),
        };
        let mut cluster = Cluster::new("card", "/service/", BTreeMap::new());
        cluster.frozen = vec![frozen(Some("1")), frozen(Some("2"))];
        assert_eq!(cluster.frozen_pools().and_then(|pools| pools.system.as_deref()), Some("2"), "which is ours is not known yet");
        cluster.dcs.keys.initialize = Some("1".to_owned());
        assert_eq!(cluster.frozen_pools().and_then(|pools| pools.system.as_deref()), Some("1"));
        cluster.dcs.keys.initialize = Some("3".to_owned());
        assert_eq!(cluster.frozen_pools(), None);
        let told = frozen(None).told(Time::from_micros(720_000_000));
        assert_eq!(told, "since 1970-01-01 00:00 UTC, for 12 min, by anna in the run 17-4: switchover");
    }
}
