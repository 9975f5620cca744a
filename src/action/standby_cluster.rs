//! A cluster becomes a standby of another, and ends to be one: `PATCH /config` with `standby_cluster` (Patroni's standby_cluster.rst;
//! `patroni/ctl.py`, `change_cluster_role`).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::checks::{self, Check};
use super::operation::word;
use super::{Call, Confirm, Goal, Kept, Operation, Order, Phase, Reply, Situation, Standing};
use crate::model::{Cluster, Role, Time};

/// Demotes a cluster: its leader follows another cluster, or an archive.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DemoteCluster {
    /// The other cluster's address.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// A command that fetches WAL.
    pub restore_command: Option<String>,
    /// The slot on the other cluster.
    pub primary_slot_name: Option<String>,
}

/// Promotes a standby cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoteCluster;

impl DemoteCluster {
    fn source(&self) -> Value {
        let texts = [("host", &self.host), ("primary_slot_name", &self.primary_slot_name), ("restore_command", &self.restore_command)];
        let mut map = Map::new();
        for (key, value) in texts {
            map.extend(value.as_ref().map(|value| (key.to_owned(), Value::from(value.as_str()))));
        }
        map.extend(self.port.map(|port| ("port".to_owned(), Value::from(port))));
        Value::Object(map)
    }
}

fn order(s: &Situation<'_>, standby: &Value) -> Result<Order, String> {
    let leader = s.leader().ok_or("nobody leads")?;
    Ok(Call::new(leader, &s.api(leader)?, "PATCH", "/config").body(json!({ "standby_cluster": standby })).into())
}

fn is_standby(s: &Situation<'_>, wanted: bool) -> Check {
    const ID: &str = "standby-cluster";
    match s.cluster.config().map(|config| config.standby_cluster) {
        None => Check::amber(ID, "whether it is a standby cluster is not known"),
        Some(true) if wanted => Check::green(ID, "it is a standby cluster"),
        Some(false) if !wanted => Check::green(ID, "it is no standby cluster"),
        Some(true) => Check::impossible(ID, "it is a standby cluster already"),
        Some(false) => Check::impossible(ID, "it is no standby cluster"),
    }
}

fn leads(s: &Situation<'_>) -> Check {
    const ID: &str = "leader";
    match s.leader() {
        Some(leader) => Check::green(ID, format!("{leader} holds the leader key")),
        None => Check::impossible(ID, "nobody holds the leader key"),
    }
}

impl Operation for DemoteCluster {
    fn name(&self) -> &'static str {
        "demote-cluster"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::DemoteCluster(self.clone()))
    }

    fn sentence(&self, s: &Situation<'_>) -> String {
        format!("demotion of {} to a standby cluster", s.cluster.scope)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let mut all = vec![leads(s), checks::quorum(s), checks::not_paused(s, Some("Patroni does not demote it")), is_standby(s, false)];
        all.push(match (&self.host, self.port, &self.restore_command) {
            (None, None, None) => Check::impossible("source", "say whom it follows: a host, a port or a command that fetches WAL"),
            _ => Check::green("source", "it is said whom it follows"),
        });
        all.push(checks::no_request(s));
        all.extend(s.leader().map(|leader| checks::transactions(s, leader)));
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        order(s, &self.source())
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        let mut line = format!("patronictl demote-cluster {} --force", word(&s.cluster.scope));
        let port = self.port.map(|port| port.to_string());
        let flags = [
            ("--host", &self.host),
            ("--port", &port),
            ("--restore-command", &self.restore_command),
            ("--primary-slot-name", &self.primary_slot_name),
        ];
        for (flag, value) in flags {
            if let Some(value) = value {
                line += &format!(" {flag} {}", word(value));
            }
        }
        Some(line)
    }

    fn effects(&self, s: &Situation<'_>) -> Vec<String> {
        let leader = s.leader().unwrap_or("the leader");
        vec![format!(
            "{leader} stops, ends all its sessions and comes back in recovery: nobody can write to this cluster until it is promoted"
        )]
    }

    fn confirm(&self, s: &Situation<'_>) -> Confirm {
        Confirm::Type(s.cluster.scope.clone())
    }

    fn goal(&self, _: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Turned::new(true))
    }
}

impl Operation for PromoteCluster {
    fn name(&self) -> &'static str {
        "promote-cluster"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::PromoteCluster)
    }

    fn sentence(&self, s: &Situation<'_>) -> String {
        format!("promotion of the standby cluster {}", s.cluster.scope)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        vec![
            leads(s),
            checks::quorum(s),
            checks::not_paused(s, Some("Patroni does not promote it")),
            is_standby(s, true),
            checks::no_request(s),
        ]
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        order(s, &Value::Null)
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        Some(format!("patronictl promote-cluster {} --force", word(&s.cluster.scope)))
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        vec!["it takes writes of its own from then on: the cluster that it followed must not, or the two part for good".to_owned()]
    }

    fn confirm(&self, s: &Situation<'_>) -> Confirm {
        Confirm::Type(s.cluster.scope.clone())
    }

    fn goal(&self, _: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Turned::new(false))
    }
}

/// The leader is what it is to be, by etcd, by its Patroni and by its PostgreSQL.
#[derive(Debug)]
struct Turned {
    standby: bool,
    phases: [Phase; 2],
}

impl Turned {
    fn new(standby: bool) -> Self {
        let last = if standby { "the leader is in recovery (SQL) and a standby leader" } else { "the leader accepts writes (SQL)" };
        Self { standby, phases: ["the configuration in etcd says so", last].map(Phase::ahead) }
    }
}

impl Goal for Turned {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let stands = cluster.dcs_current(now) && cluster.config().is_some_and(|config| config.standby_cluster == self.standby);
        self.phases[0].see(stands, now);
        let role = if self.standby { Role::StandbyLeader } else { Role::Leader };
        let turned = cluster.holder_now(now).is_some_and(|leader| {
            let member = cluster.members.get(leader);
            let writes = member.and_then(|member| member.writable(now));
            let runs = member.and_then(|member| member.rest_now(now)).is_some_and(|rest| rest.state.0 == "running");
            writes == Some(!self.standby) && runs && cluster.role(leader, now) == role
        });
        self.phases[1].see(self.phases[0].at.is_some() && turned, now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, cluster: &Cluster, reply: Option<&Reply>, now: Time) -> Standing {
        let leader = cluster.holder_now(now).unwrap_or("nobody");
        match reply {
            _ if self.whole() && self.standby => Standing::Reached(format!("it is a standby cluster; {leader} leads it")),
            _ if self.whole() => Standing::Reached(format!("it is a cluster of its own; {leader} leads it and accepts writes")),
            Some(reply @ Reply::Answered(500..=599, _)) if self.phases[0].at.is_none() => Standing::Missed(format!("Patroni said {reply}")),
            _ => Standing::Open,
        }
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(120)
    }
}
