//! Restart of a member's PostgreSQL: `POST /restart` (`patroni/api.py`, `do_POST_restart`).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::anew::Anew;
use super::checks::{self, Check};
use super::operation::word;
use super::{Call, Confirm, Goal, Kept, Operation, Order, Phase, Reply, Situation, Standing};
use crate::model::{Cluster, Time, spoken};

/// A role that a member must have for the restart to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::VariantNames, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case")]
pub enum RestartRole {
    /// `primary`.
    Primary,
    /// `standby_leader`.
    StandbyLeader,
    /// `replica`.
    Replica,
}

/// Restarts one member's PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restart {
    /// The member.
    pub member: String,
    /// Only if it has this role then.
    pub role: Option<RestartRole>,
    /// Only if a restart is pending.
    pub pending: bool,
    /// Only if its PostgreSQL is older than this version.
    pub older_than: Option<String>,
    /// If it takes longer, a leader is failed over.
    pub timeout: Option<Duration>,
    /// When; `None`: now.
    pub at: Option<Time>,
}

/// A restart waits for the checkpoint at the shutdown, and nothing bounds that; the timeout of ours is for a Patroni that is gone.
const PATIENCE: Duration = Duration::from_secs(600);

impl Operation for Restart {
    fn name(&self) -> &'static str {
        "restart"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Restart(self.clone()))
    }

    fn member(&self) -> Option<&str> {
        Some(&self.member)
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        let mut told = format!("restart of {}", self.member);
        if self.pending {
            told += ", if one is pending";
        }
        if let Some(role) = self.role {
            told += &format!(", if it is {role} then");
        }
        if let Some(version) = &self.older_than {
            told += &format!(", if it is older than {version}");
        }
        if let Some(at) = self.at {
            told += &format!(", at {}", at.minute());
        }
        told
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let name = self.member.as_str();
        let mut all = vec![checks::answers(s, name), checks::not_busy(s, name), checks::is_leader(s, name)];
        if let Some(at) = self.at {
            all.push(checks::not_paused(s, Some("no restart can be scheduled")));
            let ahead = at > s.now;
            let told = format!("{} is {}", at.minute(), if ahead { "ahead" } else { "past" });
            all.push(if ahead { Check::green("time", told) } else { Check::impossible("time", told) });
        }
        let rest = s.member(name).and_then(|member| member.rest_now(s.now));
        match rest.and_then(|rest| rest.scheduled_restart) {
            Some(at) if self.at.is_some() => {
                all.push(Check::impossible("scheduled", format!("a restart of {name} is scheduled for {} already", at.minute())));
            }
            Some(at) => all.push(Check::amber("scheduled", format!("a restart of {name} is scheduled for {} as well", at.minute()))),
            None => {}
        }
        if self.pending && rest.is_some_and(|rest| !rest.pending_restart) {
            all.push(Check::impossible("pending", format!("no restart of {name} is pending")));
        }
        all.push(checks::rest_of_cluster(s, name));
        all.push(checks::transactions(s, name));
        if s.leader() == Some(name) {
            all.push(checks::archiver(s));
            all.extend(if self.at.is_some() { checks::airflow_told(s) } else { checks::airflow(s) });
        }
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        let mut body = Map::new();
        if let Some(role) = self.role {
            body.insert("role".to_owned(), Value::from(role.to_string()));
        }
        if self.pending {
            body.insert("restart_pending".to_owned(), Value::from(true));
        }
        if let Some(version) = &self.older_than {
            body.insert("postgres_version".to_owned(), Value::from(version.as_str()));
        }
        if let Some(timeout) = self.timeout {
            body.insert("timeout".to_owned(), Value::from(timeout.as_secs()));
        }
        if let Some(at) = self.at {
            body.insert("schedule".to_owned(), Value::from(at.to_string()));
        }
        let patience = if self.at.is_some() { Duration::from_secs(15) } else { self.timeout.unwrap_or_default().max(PATIENCE) };
        Ok(Call::new(&self.member, &s.api(&self.member)?, "POST", "/restart").body(Value::Object(body)).patience(patience).into())
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        let mut line = format!("patronictl restart {} {}", word(&s.cluster.scope), word(&self.member));
        if let Some(role) = self.role {
            line += &format!(" --role {}", role.to_string().replace('_', "-"));
        }
        if self.pending {
            line += " --pending";
        }
        if let Some(version) = &self.older_than {
            line += &format!(" --pg-version {}", word(version));
        }
        if let Some(timeout) = self.timeout {
            line += &format!(" --timeout {}", timeout.as_secs());
        }
        line += &self.at.map_or_else(|| " --scheduled now".to_owned(), |at| format!(" --scheduled {}", word(&at.to_string())));
        Some(line + " --force")
    }

    fn effects(&self, s: &Situation<'_>) -> Vec<String> {
        let name = &self.member;
        let mut told = vec![format!("all sessions on {name} end")];
        if s.leader() == Some(name) {
            told.push("nobody can write until it is back".to_owned());
            match self.timeout {
                Some(timeout) => told.push(format!("if it is not back within {}, another takes over", spoken(timeout))),
                None => told.push("if it does not come back, another takes over by Patroni's usual rules".to_owned()),
            }
        }
        told
    }

    fn confirm(&self, s: &Situation<'_>) -> Confirm {
        if s.leader() == Some(&self.member) { Confirm::Type(self.member.clone()) } else { Confirm::YesNo }
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        match self.at {
            Some(at) => Box::new(Scheduled { member: self.member.clone(), at, phases: [Phase::ahead("its key says so")] }),
            None => Box::new(Restarted::new(s, &self.member)),
        }
    }
}

/// Its PostgreSQL has started anew and serves; one that streamed streams again, so that the next member can be restarted.
#[derive(Debug)]
struct Restarted {
    anew: Anew,
    phases: Vec<Phase>,
}

/// As `patronictl list` calls a replica that receives from its upstream.
const STREAMING: &str = "streaming";

impl Restarted {
    fn new(s: &Situation<'_>, member: &str) -> Self {
        let streams = s.member(member).and_then(|member| member.state(s.now)).is_some_and(|state| state == STREAMING);
        let names = ["PostgreSQL started anew", "Patroni calls it running", "it streams again"];
        let phases = names.into_iter().take(if streams { 3 } else { 2 }).map(Phase::ahead).collect();
        Self { anew: Anew::of(s, member), phases }
    }
}

impl Goal for Restarted {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        self.phases[0].see(self.anew.seen(cluster, now), now);
        self.phases[1].see(self.anew.rest(cluster, now).is_some_and(|rest| rest.state.0 == "running"), now);
        let seen = self.phases[0].at.is_some();
        if let Some(streams) = self.phases.get_mut(2) {
            let state = cluster.members.get(self.anew.member()).and_then(|member| member.state(now));
            streams.see(seen && state.as_deref() == Some(STREAMING), now);
        }
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, _: &Cluster, reply: Option<&Reply>, _: Time) -> Standing {
        match reply {
            _ if self.whole() => Standing::Reached(format!("{} has started anew and runs", self.anew.member())),
            // The filters did not fit, or PostgreSQL did not start: Patroni says which.
            // `ha.py`, `restart`: these come before anything is begun, with the status of what went wrong in the middle.
            Some(reply @ Reply::Answered(503, text))
                if text.contains("conditions are not satisfied") || text.contains("already in progress") =>
            {
                Standing::Refused(format!("Patroni refused: {reply}"))
            }
            Some(reply @ Reply::Answered(500..=599, _)) => Standing::Missed(format!("Patroni said {reply}")),
            _ => Standing::Open,
        }
    }
}

/// A restart stands in the member's key.
#[derive(Debug)]
struct Scheduled {
    member: String,
    at: Time,
    phases: [Phase; 1],
}

impl Goal for Scheduled {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let member = cluster.members.get(&self.member);
        let by_rest = member.and_then(|member| member.rest_now(now)).and_then(|rest| rest.scheduled_restart);
        let by_key = member.and_then(|member| member.dcs()).and_then(|key| key.scheduled_restart);
        self.phases[0].see([by_rest, by_key].into_iter().flatten().any(|at| at.same_second(self.at)), now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, _: &Cluster, reply: Option<&Reply>, _: Time) -> Standing {
        match reply {
            _ if self.whole() => Standing::Reached(format!("a restart of {} is scheduled for {}", self.member, self.at.minute())),
            Some(reply @ Reply::Answered(500..=599, _)) => Standing::Missed(format!("Patroni said {reply}")),
            _ => Standing::Open,
        }
    }
}
