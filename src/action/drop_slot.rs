//! Dropping a replication slot that nobody uses: `pg_drop_replication_slot()` (PostgreSQL's manual, "Replication Management Functions").

use serde::{Deserialize, Serialize};

use super::checks::{self, Check};
use super::operation::read_since;
use super::{Confirm, Goal, Kept, Operation, Order, Phase, Reply, Situation, SqlOrder, Standing, Statement};
use crate::model::{Cluster, Member, Slot, SlotCare, Time, clean, size};

/// Drops a slot of a member, and with it the WAL that is kept for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropSlot {
    /// The member.
    pub member: String,
    /// The slot.
    pub slot: String,
}

impl DropSlot {
    fn found<'a>(&self, s: &Situation<'a>) -> Option<&'a Slot> {
        let sql = s.member(&self.member)?.sql_now(s.now)?;
        sql.slots.iter().find(|slot| slot.name == self.slot)
    }

    fn slot(&self, s: &Situation<'_>) -> Check {
        const ID: &str = "slot";
        let (name, member) = (clean(&self.slot), &self.member);
        match self.found(s) {
            None if s.member(member).is_some_and(|member| member.sql_now(s.now).is_some()) => {
                Check::impossible(ID, format!("{member} has no slot {name}"))
            }
            None => Check::impossible(ID, format!("the slots of {member} are not known")),
            Some(slot) if slot.active => Check::impossible(ID, format!("somebody uses the slot {name}")),
            Some(slot) if slot.temporary => Check::impossible(ID, format!("the slot {name} is temporary: it ends with its session")),
            Some(slot) => {
                let kept = slot.retained.map(|bytes| format!(", and {} of WAL are kept for it", size(bytes))).unwrap_or_default();
                Check::green(ID, format!("nobody uses the slot {name}{kept}"))
            }
        }
    }

    /// Whom it is for.
    fn owner(&self, s: &Situation<'_>) -> Check {
        const ID: &str = "owner";
        let whose = s.cluster.members.values().find(|member| member.present && Member::slot_name(&member.name) == self.slot);
        if let Some(member) = whose {
            let told =
                format!("it is the slot of the member {}, which would have to be built anew without what is kept for it", member.name);
            return Check::impossible(ID, told);
        }
        let gone = s.cluster.members.values().find(|member| !member.present && Member::slot_name(&member.name) == self.slot);
        match gone {
            Some(member) => {
                Check::amber(ID, format!("it is the slot of {}, which is missing; it needs what is kept when it comes back", member.name))
            }
            None => Check::green(ID, "it belongs to no member"),
        }
    }

    /// Whether Patroni would make it again.
    fn permanent(&self, s: &Situation<'_>) -> Option<Check> {
        const ID: &str = "permanent";
        let config = s.cluster.config()?;
        let carried = self.found(s).is_some_and(|slot| config.care_of(slot) == SlotCare::Carries);
        let named = ["permanent_replication_slots", "permanent_slots", "slots"]
            .iter()
            .any(|key| config.raw.get(key).and_then(|slots| slots.get(&self.slot)).is_some());
        (carried || named)
            .then(|| Check::amber(ID, "Patroni's configuration has it as permanent: Patroni makes it again; take it out there first"))
    }
}

impl Operation for DropSlot {
    fn name(&self) -> &'static str {
        "drop-slot"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::DropSlot(self.clone()))
    }

    fn member(&self) -> Option<&str> {
        Some(&self.member)
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        format!("drop of the slot {} of {}", clean(&self.slot), self.member)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let mut all = vec![checks::sql(s, &self.member), self.slot(s), self.owner(s)];
        all.extend(self.permanent(s));
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        let database = self.found(s).and_then(|slot| slot.database.clone());
        Ok(SqlOrder::new(s, &self.member, Statement::DropSlot { slot: self.slot.clone() })?.database(database).into())
    }

    fn patronictl(&self, _: &Situation<'_>) -> Option<String> {
        None
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        vec!["whoever meant to go on from there has to begin anew: the WAL that was kept is removed".to_owned()]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::Type(self.slot.clone())
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Gone { drop: self.clone(), asked: s.now, phases: [Phase::ahead("the slot is gone")] })
    }
}

/// A reading after the order does not have it any more.
#[derive(Debug)]
struct Gone {
    drop: DropSlot,
    asked: Time,
    phases: [Phase; 1],
}

impl Goal for Gone {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let reading = read_since(cluster, &self.drop.member, self.asked, now);
        self.phases[0].see(reading.is_some_and(|sql| sql.slots.iter().all(|slot| slot.name != self.drop.slot)), now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, _: &Cluster, _: Option<&Reply>, _: Time) -> Standing {
        if self.whole() { Standing::Reached(format!("{} has no such slot any more", self.drop.member)) } else { Standing::Open }
    }
}
