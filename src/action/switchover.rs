//! Switchover and manual failover: `POST /switchover` and `POST /failover` (Patroni's rest_api.rst; `patroni/api.py`, `do_POST_failover`).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::checks::{self, Check};
use super::operation::word;
use super::{Call, Confirm, Goal, Kept, Operation, Order, Phase, Reply, Situation, Standing};
use crate::model::{Cluster, RouteKind, Time};

/// Hands the leadership over, while leader and candidate are well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switchover {
    /// To whom; `None`: to the best at that moment, as Patroni finds it.
    pub candidate: Option<String>,
    /// When; `None`: now.
    pub at: Option<Time>,
    /// From whom, if that was said: refused when somebody else leads.
    pub leader: Option<String>,
}

/// Takes the leadership, whether or not there is a leader that could hand it over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failover {
    /// To whom.
    pub candidate: String,
}

/// For how long Patroni itself polls for the result before it answers: `2 * max(10, loop_wait)` turns of a second and a reading of etcd
/// (`poll_failover_result`).
fn patience(cluster: &Cluster) -> Duration {
    cluster.loop_wait().max(Duration::from_secs(10)) * 2 + Duration::from_secs(15)
}

impl Operation for Switchover {
    fn name(&self) -> &'static str {
        "switchover"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Switchover(self.clone()))
    }

    fn sentence(&self, s: &Situation<'_>) -> String {
        let from = s.leader_told();
        let to = self.candidate.as_deref().unwrap_or("the best candidate");
        match self.at {
            None => format!("switchover from {from} to {to}"),
            Some(at) => format!("switchover from {from} to {to} at {}", at.minute()),
        }
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let mut all = vec![checks::leader(s)];
        if let (Some(meant), Some(leader)) = (&self.leader, s.leader())
            && meant != leader
        {
            all.push(Check::impossible("leader-name", format!("{leader} leads, not {meant}")));
        }
        all.push(checks::quorum(s));
        let forbids = match (&self.candidate, self.at) {
            (_, Some(_)) => Some("nothing can be scheduled"),
            (None, None) => Some("a switchover needs a candidate then"),
            (Some(_), None) => None,
        };
        all.push(checks::not_paused(s, forbids));
        all.push(checks::no_request(s));
        if let Some(at) = self.at {
            let check = match at > s.now {
                true => Check::green("time", format!("{} is ahead", at.minute())),
                false => Check::impossible("time", format!("{} is past", at.minute())),
            };
            all.push(check);
        }
        let paused = s.cluster.config().is_some_and(|config| config.paused);
        match (&self.candidate, self.at) {
            (Some(name), None) => all.extend(checks::candidate(s, name, false)),
            (Some(name), Some(_)) => all.extend(checks::candidate(s, name, false).into_iter().map(checks::at_its_time)),
            // That nobody is named is what the pause forbids.
            (None, _) if paused => {}
            (None, None) => all.extend(checks::candidates(s)),
            (None, Some(_)) => all.extend(checks::candidates(s).into_iter().map(checks::at_its_time)),
        }
        all.push(checks::routes(s));
        all.extend(checks::servers(s, self.candidate.as_deref()));
        all.push(checks::archiver(s));
        all.extend(s.leader().map(|leader| checks::transactions(s, leader)));
        // What runs at the time of a scheduled one nobody knows yet.
        all.extend(if self.at.is_some() { checks::airflow_told(s) } else { checks::airflow(s) });
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        let leader = s.leader().ok_or_else(|| format!("{} cannot be asked to hand over", s.leader_told()))?;
        let mut body = Map::new();
        body.insert("leader".to_owned(), Value::from(leader));
        if let Some(candidate) = &self.candidate {
            body.insert("candidate".to_owned(), Value::from(candidate.as_str()));
        }
        if let Some(at) = self.at {
            body.insert("scheduled_at".to_owned(), Value::from(at.to_string()));
        }
        Ok(Call::new(leader, &s.api(leader)?, "POST", "/switchover").body(Value::Object(body)).patience(patience(s.cluster)).into())
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        let mut line = format!("patronictl switchover {} --leader {}", word(&s.cluster.scope), word(s.leader().unwrap_or("?")));
        if let Some(candidate) = &self.candidate {
            line += &format!(" --candidate {}", word(candidate));
        }
        if let Some(at) = self.at {
            line += &format!(" --scheduled {}", word(&at.to_string()));
        }
        Some(line + " --force")
    }

    fn effects(&self, s: &Situation<'_>) -> Vec<String> {
        let from = s.leader().unwrap_or("the leader");
        let mut told = match self.at {
            Some(at) => vec![format!("nothing now; at {} what follows", at.minute())],
            None => Vec::new(),
        };
        told.push(format!(
            "{from} stops and ends all its sessions; nobody can write until another has taken over and the routes have moved"
        ));
        told.push("no committed work is lost: the old leader sends all it has before it stops".to_owned());
        told
    }

    fn confirm(&self, s: &Situation<'_>) -> Confirm {
        Confirm::Type(s.cluster.scope.clone())
    }

    fn moves_writes(&self) -> bool {
        self.at.is_none()
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        match self.at {
            Some(at) => Box::new(Scheduled::new(at)),
            None => Box::new(Handover::new(s, self.candidate.clone())),
        }
    }
}

impl Operation for Failover {
    fn name(&self) -> &'static str {
        "failover"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Failover(self.clone()))
    }

    fn member(&self) -> Option<&str> {
        Some(&self.candidate)
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        format!("failover to {}", self.candidate)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let mut all = vec![checks::quorum(s), checks::not_paused(s, None), checks::no_request(s)];
        if let Some(leader) = s.leader() {
            let told = format!("{leader} leads: Patroni makes it a switchover, without looking at the synchronous set");
            all.push(Check::amber("leader", told));
        }
        all.extend(checks::candidate(s, &self.candidate, true));
        all.push(checks::loss(s, &self.candidate));
        all.push(checks::routes(s));
        all.extend(checks::servers(s, Some(&self.candidate)));
        all.extend(checks::airflow_told(s));
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        let mut body = Map::new();
        body.insert("candidate".to_owned(), Value::from(self.candidate.as_str()));
        // As patronictl does: the leader if there is one, else any member that can be reached.
        let first = s.leader().map(str::to_owned).unwrap_or_else(|| self.candidate.clone());
        Ok(Call::new(&first, &s.api(&first)?, "POST", "/failover").body(Value::Object(body)).patience(patience(s.cluster)).into())
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        Some(format!("patronictl failover {} --candidate {} --force", word(&s.cluster.scope), word(&self.candidate)))
    }

    fn effects(&self, s: &Situation<'_>) -> Vec<String> {
        let mut told = vec![checks::loss(s, &self.candidate).sentence];
        if let Some(leader) = s.leader() {
            told.push(format!("{leader} stops and ends all its sessions"));
        }
        told
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::Type(self.candidate.clone())
    }

    fn moves_writes(&self) -> bool {
        true
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Handover::new(s, Some(self.candidate.clone())))
    }
}

/// Another leads.
#[derive(Debug)]
struct Handover {
    /// Who led.
    old: Option<String>,
    candidate: Option<String>,
    old_timeline: Option<u32>,
    /// Who leads instead, once it was seen to take writes.
    moved_to: Option<String>,
    phases: [Phase; 6],
}

/// The name of the step with which clients are where the new leader is.
pub const ROUTES_MOVED: &str = "routes moved";

const RELEASED: usize = 0;
const TAKEN: usize = 1;
const WRITES: usize = 2;
const TIMELINE: usize = 3;
const ROUTES: usize = 4;
const FOLLOWS: usize = 5;

impl Handover {
    fn new(s: &Situation<'_>, candidate: Option<String>) -> Self {
        let old = s.leader().map(str::to_owned);
        let old_timeline = old.as_ref().and_then(|old| s.cluster.timeline(old, s.now));
        let follows = old.as_ref().map_or_else(|| "the others follow".to_owned(), |old| format!("{old} follows"));
        let names = ["leader key released", "leader key taken", "accepts writes (SQL)", "new timeline", ROUTES_MOVED, &follows];
        Self { old, candidate, old_timeline, moved_to: None, phases: names.map(Phase::ahead) }
    }

    /// Who leads instead, by etcd.
    fn new_leader<'a>(&self, cluster: &'a Cluster, now: Time) -> Option<&'a str> {
        cluster.holder_now(now).filter(|holder| Some(*holder) != self.old.as_deref())
    }
}

impl Goal for Handover {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let gone = cluster.dcs_current(now) && cluster.holder() != self.old.as_deref();
        self.phases[RELEASED].see(gone, now);
        let Some(leader) = self.new_leader(cluster, now) else { return };
        self.phases[TAKEN].see(true, now);
        let writes = cluster.members.get(leader).and_then(|member| member.writable(now)) == Some(true);
        self.phases[WRITES].see(writes, now);
        if writes {
            self.moved_to = Some(leader.to_owned());
        }
        let timeline = cluster.members.get(leader).and_then(|m| m.sql_now(now)).filter(|sql| !sql.in_recovery).and_then(|sql| sql.timeline);
        self.phases[TIMELINE].see(timeline > self.old_timeline && timeline.is_some(), now);
        let routes = cluster.routes(now);
        let mut write = routes.iter().filter(|route| route.kind == RouteKind::Write).peekable();
        let moved = write.peek().is_none() || write.all(|route| route.up() == [leader]);
        self.phases[ROUTES].see(writes && moved, now);
        let follows = match &self.old {
            None => true,
            Some(old) => cluster.members.get(old).and_then(|member| member.sql_now(now)).is_some_and(|sql| {
                let streams = sql.receiver.as_ref().is_some_and(|receiver| receiver.status.as_deref() == Some("streaming"));
                sql.in_recovery && streams && sql.timeline >= timeline
            }),
        };
        self.phases[FOLLOWS].see(writes && follows, now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, cluster: &Cluster, reply: Option<&Reply>, now: Time) -> Standing {
        if let Some(leader) = self.new_leader(cluster, now)
            && self.phases[WRITES].at.is_some()
        {
            return match &self.candidate {
                Some(candidate) if candidate != leader => Standing::Missed(format!("{leader} leads now, not {candidate}")),
                _ => Standing::Reached(format!("{leader} leads and accepts writes")),
            };
        }
        // Only its own word that it is over, with the request gone and the leader still there, makes it a failure.
        let over = matches!(reply, Some(Reply::Answered(status, _)) if *status >= 500);
        let kept = self.old.is_some() && cluster.holder_now(now) == self.old.as_deref();
        let asked = cluster.dcs.keys.pending_failover().is_some();
        match (reply, &self.old) {
            (Some(reply), Some(old)) if over && kept && !asked => Standing::Missed(format!("{old} still leads; Patroni said {reply}")),
            _ => Standing::Open,
        }
    }

    fn moved_to(&self) -> Option<&str> {
        self.moved_to.as_deref()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// The request stands in the key `failover`.
#[derive(Debug)]
struct Scheduled {
    at: Time,
    phases: [Phase; 1],
}

impl Scheduled {
    fn new(at: Time) -> Self {
        Self { at, phases: [Phase::ahead("the request stands in etcd")] }
    }
}

impl Goal for Scheduled {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let stands = cluster.dcs_current(now)
            && cluster.dcs.keys.pending_failover().and_then(|asked| asked.scheduled_at).is_some_and(|at| at.same_second(self.at));
        self.phases[0].see(stands, now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, _: &Cluster, reply: Option<&Reply>, _: Time) -> Standing {
        match reply {
            _ if self.phases[0].at.is_some() => Standing::Reached(format!("it is scheduled for {}", self.at.minute())),
            Some(reply @ Reply::Answered(500..=599, _)) => Standing::Missed(format!("Patroni said {reply}")),
            _ => Standing::Open,
        }
    }
}
