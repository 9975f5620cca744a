//! The maintenance mode: `PATCH /config` with `pause` (Patroni's pause.rst; `patroni/ctl.py`, `toggle_pause`).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::checks::{self, Check};
use super::operation::word;
use super::{Call, Confirm, Goal, Kept, Operation, Order, Phase, Reply, Situation, Standing};
use crate::model::{Cluster, Time, clean, listed, spoken};

/// Switches the maintenance mode on: Patroni watches and manages nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why, for the audit and for whoever reads it at night.
    pub reason: Option<String>,
    /// After how long a finding reminds of it, if it is still on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind: Option<Duration>,
}

/// Switches it off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume;

/// The leader is asked, else the first member that answers, as patronictl does.
fn order(s: &Situation<'_>, pause: bool) -> Result<Order, String> {
    let answering = s.cluster.members.values().filter(|member| member.present && member.rest_now(s.now).is_some());
    let first = answering.map(|member| member.name.as_str()).next();
    let leader = s.leader().filter(|leader| s.member(leader).is_some_and(|member| member.rest_now(s.now).is_some()));
    let member = leader.or(first).ok_or("no member's Patroni answers")?;
    let value = if pause { json!(true) } else { json!(null) };
    Ok(Call::new(member, &s.api(member)?, "PATCH", "/config").body(json!({ "pause": value })).into())
}

fn checks(s: &Situation<'_>, pause: bool) -> Vec<Check> {
    let mut all = vec![checks::quorum(s)];
    match s.cluster.config().map(|config| config.paused) {
        Some(paused) if paused == pause => {
            all.push(Check::impossible("pause", if pause { "the cluster is paused already" } else { "the cluster is not paused" }));
        }
        Some(false) => all.push(Check::green("pause", "the cluster is not paused")),
        Some(true) => {
            // Whoever ends it shall see whose it is.
            let ordered = s.cluster.pause_ordered(s.now).map(|told| format!("; {told}")).unwrap_or_default();
            all.push(Check::green("pause", format!("the cluster is paused{ordered}")));
        }
        None => all.push(Check::amber("pause", "whether the cluster is paused is not known")),
    }
    all
}

impl Operation for Pause {
    fn name(&self) -> &'static str {
        "pause"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Pause(self.clone()))
    }

    fn sentence(&self, s: &Situation<'_>) -> String {
        let why = self.reason.as_deref().map(|reason| format!(": {}", clean(reason))).unwrap_or_default();
        format!("pause of {} (maintenance mode){why}", s.cluster.scope)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let mut all = checks(s, true);
        all.push(checks::no_request(s));
        all.extend(checks::airflow_told(s));
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        order(s, true)
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        Some(format!("patronictl pause {} --wait", word(&s.cluster.scope)))
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        let reminder = match self.remind {
            Some(after) => format!("after {} a finding reminds of it, on this machine", spoken(after)),
            None => "nothing reminds of it but the limit `pause`; --remind does".to_owned(),
        };
        vec!["if the leader fails, nobody takes over until the pause is ended".to_owned(), reminder]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::YesNo
    }

    fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    fn remind_after(&self) -> Option<Duration> {
        self.remind
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Seen::new(s, true))
    }
}

impl Operation for Resume {
    fn name(&self) -> &'static str {
        "resume"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Resume)
    }

    fn sentence(&self, s: &Situation<'_>) -> String {
        format!("end of the pause of {}", s.cluster.scope)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let mut all = checks(s, false);
        if let Some(Some(leader)) = s.cluster.dcs_current(s.now).then(|| s.cluster.holder()) {
            let writes = s.member(leader).and_then(|member| member.writable(s.now));
            if writes == Some(false) {
                let told = format!("{leader} has the leader key and is in recovery: when the pause ends, Patroni acts on that");
                all.push(Check::amber("leader", told));
            }
        } else {
            all.push(Check::amber("leader", "nobody leads: when the pause ends, Patroni holds an election"));
        }
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        order(s, false)
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        Some(format!("patronictl resume {} --wait", word(&s.cluster.scope)))
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        vec!["Patroni manages the cluster again: it may start, stop or promote at once what is not as it should be".to_owned()]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::YesNo
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Seen::new(s, false))
    }
}

/// The configuration says so, and every member that answers has seen it.
#[derive(Debug)]
struct Seen {
    pause: bool,
    phases: [Phase; 2],
}

impl Seen {
    fn new(_: &Situation<'_>, pause: bool) -> Self {
        Self { pause, phases: ["the configuration in etcd says so", "every member has seen it"].map(Phase::ahead) }
    }

    /// The members that have not seen it.
    fn blind<'a>(&self, cluster: &'a Cluster, now: Time) -> Vec<&'a str> {
        let seen = |member: &crate::model::Member| {
            let by_rest = member.rest_now(now).map(|rest| rest.paused);
            by_rest.or_else(|| member.dcs().map(|key| key.paused)) == Some(self.pause)
        };
        cluster.members.values().filter(|member| member.present && !seen(member)).map(|member| member.name.as_str()).collect()
    }
}

impl Goal for Seen {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let stands = cluster.dcs_current(now) && cluster.config().is_some_and(|config| config.paused == self.pause);
        self.phases[0].see(stands, now);
        self.phases[1].see(self.phases[0].at.is_some() && self.blind(cluster, now).is_empty(), now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, cluster: &Cluster, reply: Option<&Reply>, now: Time) -> Standing {
        let what = if self.pause { "paused" } else { "managed again" };
        match reply {
            _ if self.phases[1].at.is_some() => Standing::Reached(format!("the cluster is {what}, and every member has seen it")),
            Some(reply @ Reply::Answered(500..=599, _)) => Standing::Missed(format!("Patroni said {reply}")),
            // A member that is down will not see it; the mode counts all the same.
            Some(_) if self.phases[0].at.is_some_and(|at| now.since(at) > cluster.loop_wait() * 3) => {
                Standing::Reached(format!("the cluster is {what}; {} did not see it yet", listed(&self.blind(cluster, now))))
            }
            _ => Standing::Open,
        }
    }

    fn whole(&self) -> bool {
        true
    }
}
