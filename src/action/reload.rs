//! Reload of a member's configuration: `POST /reload`.

use serde::{Deserialize, Serialize};

use super::checks::{self, Check};
use super::operation::word;
use super::{Call, Confirm, Goal, Kept, Operation, Order, Phase, Reply, Situation, Standing};
use crate::model::{Cluster, Time};

/// Has a member's Patroni read its configuration again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reload {
    /// The member.
    pub member: String,
}

impl Operation for Reload {
    fn name(&self) -> &'static str {
        "reload"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Reload(self.clone()))
    }

    fn member(&self) -> Option<&str> {
        Some(&self.member)
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        format!("reload of {}", self.member)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        vec![checks::answers(s, &self.member)]
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        Ok(Call::new(&self.member, &s.api(&self.member)?, "POST", "/reload").into())
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        Some(format!("patronictl reload {} {} --force", word(&s.cluster.scope), word(&self.member)))
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        vec!["Patroni reads its file again; what needs a restart is marked as pending".to_owned()]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::YesNo
    }

    fn goal(&self, _: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Ordered { member: self.member.clone() })
    }
}

/// Patroni has taken the order. What it makes of its file shows nowhere but in its log; there is no better proof.
#[derive(Debug)]
struct Ordered {
    member: String,
}

impl Goal for Ordered {
    fn look(&mut self, _: &Cluster, _: Time) {}

    fn phases(&self) -> &[Phase] {
        &[]
    }

    fn standing(&self, _: &Cluster, reply: Option<&Reply>, _: Time) -> Standing {
        match reply {
            Some(reply) if reply.accepted() => {
                Standing::Reached(format!("{}'s Patroni took the order ({reply}); what it made of its file, its log tells", self.member))
            }
            Some(reply @ Reply::Answered(..)) => Standing::Missed(format!("Patroni said {reply}")),
            _ => Standing::Open,
        }
    }
}
