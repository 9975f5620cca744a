//! Whom a replica receives from, and whom it should.

use super::{Cluster, Member, PostgresStatus, Receiver, Role, Time};

/// Whom a standby receives from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender<'a> {
    /// The member at that address.
    Member(&'a str),
    /// An address that no member has.
    Address(String),
}

/// A replica that receives from somebody else than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray<'a> {
    /// Whom it receives from.
    pub from: Sender<'a>,
    /// Whom it should receive from.
    pub should: &'a str,
    /// Whether its tag `replicatefrom` says so; else it should because that one leads.
    pub by_tag: bool,
}

impl Cluster {
    /// Whom a standby receives from by its `pg_stat_wal_receiver`. `None`: nobody, or our user may not see it.
    pub fn sender(&self, sql: &PostgresStatus) -> Option<Sender<'_>> {
        let Receiver { sender_host, sender_port, .. } = sql.receiver.as_ref()?;
        let host = sender_host.as_deref()?;
        let at = |m: &&Member| m.address().is_some_and(|(h, p)| h == host && sender_port.is_none_or(|port| port == p));
        Some(match (self.members.values().find(at), sender_port) {
            (Some(member), _) => Sender::Member(&member.name),
            (None, Some(port)) => Sender::Address(format!("{host}:{port}")),
            (None, None) => Sender::Address(host.to_owned()),
        })
    }

    /// Whether `member` receives from somebody else than the leader or the member that its tag `replicatefrom` names. While that one is away
    /// the leader will do, as Patroni has it (`ha.py`, `_get_node_to_follow`). `None` also when nobody current says.
    pub fn stray(&self, member: &Member, now: Time) -> Option<Stray<'_>> {
        let leader = self.members.get(self.leader_now(now)?)?;
        let follows = matches!(self.role(&member.name, now), Role::Replica | Role::SyncStandby | Role::QuorumStandby);
        let sql = member.sql_now(now).filter(|s| follows && s.in_recovery && !member.tag("nostream"))?;
        let from = self.sender(sql)?;
        let named = member.dcs().and_then(|key| key.tags.get("replicatefrom")).and_then(serde_json::Value::as_str);
        let asked = named.filter(|n| *n != member.name && *n != leader.name).and_then(|n| self.members.get(n)).filter(|m| m.present);
        // The leader knows it under another address than the members' list has (a name, a proxy): its own word that it sends counts.
        let sends = || leader.sql_now(now).map(|s| s.replication.iter().any(|row| row.application_name == member.name));
        let by_leader = match &from {
            Sender::Member(name) => *name == leader.name,
            Sender::Address(_) => sends() != Some(false),
        };
        let should = match asked {
            Some(asked) if from == Sender::Member(&asked.name) => return None,
            // One that does not answer is no reason to leave the leader.
            Some(asked) if by_leader && asked.sql_now(now).is_none() => return None,
            Some(asked) => asked,
            None if by_leader => return None,
            None => leader,
        };
        Some(Stray { from, should: &should.name, by_tag: asked.is_some() })
    }

    /// Notes since when each member receives from the wrong one.
    pub(super) fn follow_strays(&mut self, now: Time) {
        let strays: Vec<bool> = self.members.values().map(|member| self.stray(member, now).is_some()).collect();
        for (member, stray) in self.members.values_mut().zip(strays) {
            member.stray_since = member.stray_since.or(Some(now)).filter(|_| stray);
        }
    }
}
