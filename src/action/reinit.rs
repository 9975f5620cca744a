//! Reinitialisation of a replica: `POST /reinitialize` (`patroni/api.py`, `do_POST_reinitialize`; `ha.py`, `reinitialize`).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::anew::Anew;
use super::checks::{self, Check};
use super::copied::Copied;
use super::operation::word;
use super::{Call, Confirm, Goal, Kept, Operation, Order, Phase, Reply, Situation, Standing};
use crate::model::{Cluster, Time};

/// Throws a replica's data away and copies it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reinit {
    /// The member.
    pub member: String,
    /// Even if something else is under way on it.
    pub force: bool,
    /// From the leader, whatever other sources of a copy are configured (Patroni 4.1 and later).
    pub from_leader: bool,
}

impl Operation for Reinit {
    fn name(&self) -> &'static str {
        "reinit"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Reinit(self.clone()))
    }

    fn member(&self) -> Option<&str> {
        Some(&self.member)
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        let from = if self.from_leader { " from the leader" } else { "" };
        format!("reinitialisation of {}{from}", self.member)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let name = self.member.as_str();
        let mut all = vec![checks::answers(s, name)];
        match s.leader() {
            None if s.current() => all.push(Check::impossible("leader", "nobody leads: there is nothing to copy from")),
            None => all.push(Check::impossible("leader", "who leads, and would be copied from, is not known: etcd does not answer")),
            Some(leader) if leader == name => {
                all.push(Check::impossible("leader", format!("{name} is the leader: its data is the cluster's")));
            }
            Some(leader) => all.push(Check::green("leader", format!("{leader} leads, {name} is copied anew"))),
        }
        if s.member(name).and_then(|member| member.writable(s.now)) == Some(true) {
            all.push(Check::impossible("writes", format!("{name} accepts writes: what was written there only would be gone")));
        }
        match (checks::not_busy(s, name), self.force) {
            (busy, true) if busy.light == super::Light::Red => {
                all.push(Check::amber("busy", format!("{}; that is cancelled", busy.sentence)));
            }
            (busy, _) => all.push(busy),
        }
        all.push(checks::not_paused(s, None));
        all.push(checks::rest_of_cluster(s, name));
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        let mut body = Map::new();
        if self.force {
            body.insert("force".to_owned(), Value::from(true));
        }
        if self.from_leader {
            // The documentation writes `from-leader`; the code reads this.
            body.insert("from_leader".to_owned(), Value::from(true));
        }
        let call = Call::new(&self.member, &s.api(&self.member)?, "POST", "/reinitialize");
        Ok(call.body(Value::Object(body)).patience(Duration::from_secs(60)).into())
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        let from = if self.from_leader { " --from-leader" } else { "" };
        Some(format!("patronictl reinit {} {} --force{from}", word(&s.cluster.scope), word(&self.member)))
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        let name = &self.member;
        vec![format!("{name}'s data is thrown away and copied anew; until then {name} serves nobody and cannot take over")]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::Type(self.member.clone())
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        let phases = ["its data is being copied", "PostgreSQL started anew", "it streams"].map(Phase::ahead);
        Box::new(Rebuilt { anew: Anew::of(s, &self.member), copying: None, copied: Copied::default(), phases })
    }
}

/// Its PostgreSQL was created anew, and streams again.
#[derive(Debug)]
struct Rebuilt {
    anew: Anew,
    /// When it was last seen to be copied.
    copying: Option<Time>,
    copied: Copied,
    phases: [Phase; 3],
}

impl Goal for Rebuilt {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let Some(member) = cluster.members.get(self.anew.member()) else { return };
        let by_key = member.dcs().and_then(|key| key.state.as_deref());
        let by_rest = member.rest_now(now).map(|rest| rest.state.0.as_str());
        if by_rest.or(by_key) == Some("creating replica") {
            self.copying = Some(now);
            self.phases[0].see(true, now);
        }
        self.copied.look(cluster, self.anew.member(), now);
        self.phases[1].see(self.anew.seen(cluster, now), now);
        let rest = self.anew.rest(cluster, now);
        self.phases[2].see(rest.is_some_and(|rest| rest.replication_state.as_deref() == Some("streaming")), now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, _: &Cluster, reply: Option<&Reply>, _: Time) -> Standing {
        let member = self.anew.member();
        match reply {
            // That it is another PostgreSQL says nothing alone: it could have been restarted.
            Some(reply) if self.whole() && (reply.accepted() || self.copying.is_some()) => {
                Standing::Reached(format!("{member} was copied anew and streams"))
            }
            // `ha.py`, `reinitialize`: what it says instead of starting.
            Some(reply @ Reply::Answered(503, _)) if self.copying.is_none() => Standing::Refused(format!("Patroni refused: {reply}")),
            Some(reply @ Reply::Answered(500..=599, _)) if self.copying.is_none() => Standing::Missed(format!("Patroni said {reply}")),
            _ => Standing::Open,
        }
    }

    fn progress(&self) -> Option<&str> {
        self.copied.told()
    }

    /// A copy takes as long as the data is large.
    fn at_work(&self) -> Option<Time> {
        self.copying
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(300)
    }

    /// A small copy is made between two looks.
    fn whole(&self) -> bool {
        self.phases[1].at.is_some() && self.phases[2].at.is_some()
    }
}
