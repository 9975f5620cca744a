//! Airflow's pools get 0 slots: no task begins, and what runs ends. Then the database can go away without a task that runs twice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::checks::Check;
use super::pools::{self, Read};
use super::{AirflowWay, Confirm, Goal, Kept, Operation, Order, Situation};
use crate::model::{FrozenPools, Time, clean, listed};

/// Takes every pool's slots away, and remembers them on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// By whom pools are changed, if that is configured.
    pub way: Option<AirflowWay>,
    /// Why, for the audit and for whoever finds them frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The run of a runbook that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

impl Freeze {
    /// What is to be remembered: the slots as they are, and of a pool that was frozen before those that it had then.
    fn slots(s: &Situation<'_>, before: Option<&FrozenPools>) -> BTreeMap<String, i64> {
        let mut slots = before.map(|before| before.slots.clone()).unwrap_or_default();
        for pool in pools::read(s.cluster, s.now).map(|status| status.pools.as_slice()).unwrap_or_default() {
            if pool.slots != 0 || !slots.contains_key(&pool.name) {
                slots.insert(pool.name.clone(), pool.slots);
            }
        }
        slots
    }
}

impl Operation for Freeze {
    fn name(&self) -> &'static str {
        "freeze"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Freeze(self.clone()))
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        let why = self.reason.as_deref().map(|reason| format!(": {}", clean(reason))).unwrap_or_default();
        format!("freeze of Airflow's pools{why}")
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let mut all = pools::checks(s, self.way.as_ref());
        let Ok(status) = pools::known(s) else { return all };
        let open: Vec<String> =
            status.pools.iter().filter(|pool| pool.slots != 0).map(|pool| pools::told(&pool.name, pool.slots)).collect();
        let frozen = s.cluster.frozen_pools();
        all.push(match (open.is_empty(), frozen) {
            (false, _) => Check::green("pools", format!("these will be remembered here: {}", listed(&open))),
            (true, Some(frozen)) => Check::impossible("pools", format!("every pool has 0 slots already, {}", frozen.told(s.now))),
            (true, None) => Check::impossible("pools", "every pool has 0 slots already, and not by this machine"),
        });
        if let Some(frozen) = frozen.filter(|frozen| !open.is_empty() && frozen.still(status).next().is_some()) {
            all.push(Check::amber(
                "remembered",
                format!("pools were frozen before, {}: what they had then stays remembered", frozen.told(s.now)),
            ));
        }
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        let status = pools::known(s)?;
        let open = status.pools.iter().filter(|pool| pool.slots != 0);
        pools::order(self.way.as_ref(), status, open.map(|pool| (pool, 0))).map(Order::Airflow)
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        self.order(s).ok()?.by_hand()
    }

    fn effects(&self, s: &Situation<'_>) -> Vec<String> {
        let runs = match pools::known(s).map(pools::busy) {
            Ok(0) => "nothing runs or is queued now".to_owned(),
            Ok(1) => "1 task that runs or is queued goes on".to_owned(),
            Ok(n) => format!("{n} tasks that run or are queued go on"),
            Err(_) => "what runs goes on".to_owned(),
        };
        vec![
            format!("no task begins until the pools are thawed; {runs}"),
            "what each pool had is remembered on this machine, for `pgbaton thaw`".to_owned(),
        ]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::YesNo
    }

    fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    fn remembers(&self, s: &Situation<'_>, before: Option<&FrozenPools>, (at, by): (Time, &str)) -> Option<FrozenPools> {
        // What an order that came to nothing has left says nothing of this one.
        let status = pools::read(s.cluster, s.now);
        let before = before.filter(|before| status.is_some_and(|status| before.still(status).next().is_some()));
        let slots = Self::slots(s, before);
        let anew = || FrozenPools {
            at,
            ordered: at,
            ended: false,
            by: clean(by),
            run: self.run.as_deref().map(clean),
            reason: self.reason.as_deref().map(clean),
            system: s.cluster.dcs.keys.initialize.clone(),
            slots: BTreeMap::new(),
        };
        Some(FrozenPools { slots, ordered: at, ended: false, ..before.cloned().unwrap_or_else(anew) })
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Read::closed(s))
    }
}
