//! Airflow's pools get the slots back that they had before they were frozen from this machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::checks::Check;
use super::pools::{self, Read};
use super::{AirflowWay, Confirm, Goal, Kept, Operation, Order, Situation};

/// Gives every pool back what is remembered of it. What somebody else has set meanwhile is left as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thaw {
    /// By whom pools are changed, if that is configured.
    pub way: Option<AirflowWay>,
}

/// The slots of the pools that are frozen still.
fn wanted(s: &Situation<'_>) -> BTreeMap<String, i64> {
    let Some((frozen, status)) = s.cluster.frozen_pools().zip(pools::read(s.cluster, s.now)) else { return BTreeMap::new() };
    frozen.still(status).map(|(pool, slots)| (pool.name.clone(), slots)).collect()
}

impl Operation for Thaw {
    fn name(&self) -> &'static str {
        "thaw"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Thaw(self.clone()))
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        "thaw of Airflow's pools".to_owned()
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let mut all = pools::checks(s, self.way.as_ref());
        let Some(frozen) = s.cluster.frozen_pools() else {
            all.push(Check::impossible("remembered", "this machine remembers no pools that were frozen"));
            return all;
        };
        all.push(Check::green("remembered", format!("they were frozen {}", frozen.told(s.now))));
        let Ok(status) = pools::known(s) else { return all };
        if frozen.under_way(status, s.now) {
            let told = "the order to freeze them may still be carried out: what was thawed now could be frozen after it, and nobody would remember";
            all.push(Check::impossible("under-way", told));
        }
        for (name, had) in &frozen.slots {
            match status.pools.iter().find(|pool| pool.name == *name).map(|pool| pool.slots) {
                Some(slots) if slots == *had => {}
                Some(0) => all.push(Check::green("pool", format!("{name} has 0 slots and gets {had} back"))),
                Some(slots) => all.push(Check::amber(
                    "pool",
                    format!("{name} has {slots} slots now, which somebody else has set; it had {had}, and is left so"),
                )),
                None => all.push(Check::amber("pool", format!("the pool {name} is not there any more; it is not made again"))),
            }
        }
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        let status = pools::known(s)?;
        let frozen = s.cluster.frozen_pools().ok_or("this machine remembers no pools that were frozen")?;
        pools::order(self.way.as_ref(), status, frozen.still(status)).map(Order::Airflow)
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        self.order(s).ok()?.by_hand()
    }

    fn effects(&self, s: &Situation<'_>) -> Vec<String> {
        let waiting = |status: &crate::model::AirflowStatus| status.tasks.get("scheduled").copied().unwrap_or(0);
        let begins = match pools::known(s).map(waiting) {
            Ok(0) => "nothing waits in them now".to_owned(),
            Ok(1) => "1 task that waits begins".to_owned(),
            Ok(n) => format!("{n} tasks that wait begin, as far as there are slots"),
            Err(_) => "what waits begins".to_owned(),
        };
        vec![begins, "what was remembered is forgotten once SQL reads the slots".to_owned()]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::YesNo
    }

    fn forgets(&self) -> bool {
        true
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Read::new(s, wanted(s)))
    }
}
