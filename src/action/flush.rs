//! Taking back what is scheduled: `DELETE /switchover` and `DELETE /restart` (`patroni/api.py`).

use serde::{Deserialize, Serialize};

use super::checks::{self, Check};
use super::operation::word;
use super::{Call, Confirm, Goal, Kept, Operation, Order, Phase, Reply, Situation, Standing};
use crate::model::{Cluster, Time};

/// Takes back a scheduled switchover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlushSwitchover;

/// Takes back a member's scheduled restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlushRestart {
    /// The member.
    pub member: String,
}

impl Operation for FlushSwitchover {
    fn name(&self) -> &'static str {
        "flush-switchover"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::FlushSwitchover)
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        "taking back the scheduled switchover".to_owned()
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let asked = s.cluster.dcs.keys.pending_failover().and_then(|asked| asked.scheduled_at);
        let scheduled = match asked {
            Some(at) => Check::green("scheduled", format!("a switchover is scheduled for {}", at.minute())),
            None => Check::impossible("scheduled", "no switchover is scheduled"),
        };
        vec![checks::quorum(s), scheduled]
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        let any = s.cluster.members.values().find(|member| member.present && member.rest_now(s.now).is_some());
        let member = s.leader().or(any.map(|member| member.name.as_str())).ok_or("no member's Patroni answers")?;
        Ok(Call::new(member, &s.api(member)?, "DELETE", "/switchover").into())
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        Some(format!("patronictl flush {} switchover --force", word(&s.cluster.scope)))
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        vec!["the scheduled switchover is not made".to_owned()]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::YesNo
    }

    fn goal(&self, _: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Gone { member: None, phases: [Phase::ahead("nothing is scheduled any more")] })
    }
}

impl Operation for FlushRestart {
    fn name(&self) -> &'static str {
        "flush-restart"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::FlushRestart(self.clone()))
    }

    fn member(&self) -> Option<&str> {
        Some(&self.member)
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        format!("taking back the scheduled restart of {}", self.member)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let scheduled = match restart_at(s.cluster, &self.member, s.now) {
            Some(at) => Check::green("scheduled", format!("a restart of {} is scheduled for {}", self.member, at.minute())),
            None => Check::impossible("scheduled", format!("no restart of {} is scheduled", self.member)),
        };
        vec![checks::answers(s, &self.member), scheduled]
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        Ok(Call::new(&self.member, &s.api(&self.member)?, "DELETE", "/restart").into())
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        Some(format!("patronictl flush {} {} restart --force", word(&s.cluster.scope), word(&self.member)))
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        vec![format!("the scheduled restart of {} is not made", self.member)]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::YesNo
    }

    fn goal(&self, _: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Gone { member: Some(self.member.clone()), phases: [Phase::ahead("nothing is scheduled any more")] })
    }
}

fn restart_at(cluster: &Cluster, member: &str, now: Time) -> Option<Time> {
    let member = cluster.members.get(member)?;
    match member.rest_now(now) {
        Some(rest) => rest.scheduled_restart,
        None => member.dcs().and_then(|key| key.scheduled_restart),
    }
}

/// Nothing is scheduled any more.
#[derive(Debug)]
struct Gone {
    /// The member whose restart it is; `None`: the switchover.
    member: Option<String>,
    phases: [Phase; 1],
}

impl Goal for Gone {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let gone = match &self.member {
            Some(member) => {
                let answers = cluster.members.get(member).is_some_and(|member| member.rest_now(now).is_some());
                answers && restart_at(cluster, member, now).is_none()
            }
            None => cluster.dcs_current(now) && cluster.dcs.keys.pending_failover().is_none(),
        };
        self.phases[0].see(gone, now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, _: &Cluster, reply: Option<&Reply>, _: Time) -> Standing {
        match reply {
            _ if self.whole() => Standing::Reached("nothing is scheduled any more".to_owned()),
            Some(reply @ Reply::Answered(500..=599, _)) => Standing::Missed(format!("Patroni said {reply}")),
            _ => Standing::Open,
        }
    }
}
