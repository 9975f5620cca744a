//! Removal of a cluster's keys from etcd (`patroni/ctl.py`, `remove`).

use serde::{Deserialize, Serialize};

use super::checks::{self, Check};
use super::operation::word;
use super::{Confirm, DcsOrder, Goal, Kept, Operation, Order, Phase, Reply, Situation, Standing};
use crate::model::{Cluster, Dcs, Time, listed};

/// Deletes everything that Patroni keeps of a cluster in etcd. No data directory is touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove;

impl Operation for Remove {
    fn name(&self) -> &'static str {
        "remove"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Remove)
    }

    fn sentence(&self, s: &Situation<'_>) -> String {
        format!("removal of {} from etcd", s.cluster.scope)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let keys = match s.cluster.dcs_current(s.now) {
            false => Check::impossible("keys", "what etcd has of the cluster is not known"),
            true if empty(&s.cluster.dcs.keys) => Check::impossible("keys", format!("etcd has nothing of {}", s.cluster.scope)),
            true => Check::green("keys", format!("etcd has keys of {}", s.cluster.scope)),
        };
        let alive: Vec<&str> = s.cluster.members.values().filter(|m| m.present).map(|m| m.name.as_str()).collect();
        let members = match alive.as_slice() {
            [] => Check::green("members", "no member lives"),
            alive => {
                let told = format!("{} live: the leader loses its key, and they write a part of the keys again", listed(alive));
                Check::red("members", told)
            }
        };
        vec![checks::quorum(s), keys, members]
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        let leader_revision = s.cluster.dcs.keys.leader.as_ref().map_or(0, |leader| leader.create_revision);
        let prefix = format!("{}{}/", s.cluster.namespace, s.cluster.scope);
        Ok(DcsOrder::Delete { prefix, leader_revision }.into())
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        Some(format!("patronictl remove {}", word(&s.cluster.scope)))
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        vec![
            "the dynamic configuration, the history and the system identifier are gone from etcd, for good; the data directories stay"
                .to_owned(),
        ]
    }

    fn confirm(&self, s: &Situation<'_>) -> Confirm {
        let scope = &s.cluster.scope;
        Confirm::Type(s.cluster.holder().map_or_else(|| scope.clone(), |leader| format!("{scope} {leader}")))
    }

    fn goal(&self, _: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Gone { phases: [Phase::ahead("etcd has no key of it")] })
    }
}

/// Whether there is no key of Patroni's.
fn empty(keys: &Dcs) -> bool {
    *keys == Dcs::default()
}

/// etcd's watch has shown that no key was left. Members that live write theirs again.
#[derive(Debug)]
struct Gone {
    phases: [Phase; 1],
}

impl Goal for Gone {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        self.phases[0].see(cluster.dcs_current(now) && empty(&cluster.dcs.keys), now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, cluster: &Cluster, _: Option<&Reply>, _: Time) -> Standing {
        match self.whole() {
            true if empty(&cluster.dcs.keys) => Standing::Reached("etcd has nothing of it any more".to_owned()),
            true => Standing::Reached("etcd had nothing of it any more; its members have written keys again".to_owned()),
            false => Standing::Open,
        }
    }
}
