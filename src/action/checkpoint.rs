//! A checkpoint: `CHECKPOINT`, so that the one of a shutdown is short (PostgreSQL's manual).

use serde::{Deserialize, Serialize};

use super::checks::{self, Check};
use super::{Confirm, Goal, Kept, Operation, Order, Phase, Reply, Situation, SqlOrder, Standing, Statement};
use crate::model::{Cluster, Time};

/// Has a member write everything to disk that its next checkpoint would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The member.
    pub member: String,
}

impl Operation for Checkpoint {
    fn name(&self) -> &'static str {
        "checkpoint"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Checkpoint(self.clone()))
    }

    fn member(&self) -> Option<&str> {
        Some(&self.member)
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        format!("checkpoint on {}", self.member)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        vec![checks::sql(s, &self.member)]
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        Ok(SqlOrder::new(s, &self.member, Statement::Checkpoint)?.into())
    }

    fn patronictl(&self, _: &Situation<'_>) -> Option<String> {
        None
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        vec![format!("{} writes its changed pages to disk as fast as it can: others there wait for the disk longer meanwhile", self.member)]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::YesNo
    }

    fn goal(&self, _: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Carried { member: self.member.clone(), phases: [Phase::ahead("the statement has ended")] })
    }
}

/// The statement has ended, which it does when the checkpoint has; our readings do not show checkpoints, so this is the proof.
#[derive(Debug)]
struct Carried {
    member: String,
    phases: [Phase; 1],
}

impl Goal for Carried {
    fn look(&mut self, _: &Cluster, _: Time) {}

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, _: &Cluster, reply: Option<&Reply>, _: Time) -> Standing {
        match reply {
            Some(Reply::Taken(_)) => Standing::Reached(format!("the checkpoint on {} is complete: the statement has ended", self.member)),
            _ => Standing::Open,
        }
    }

    fn whole(&self) -> bool {
        true
    }
}
