//! Who leads, and what each of the four parties says about it.

use std::time::Duration;

use super::{Cluster, Role, RouteKind, SourceKind, Time};

/// How long a new holder of the key may need until its PostgreSQL accepts writes and has said so. Measured: it follows within 0.6 s of the key,
/// and is asked once a second.
const PROMOTION: Duration = Duration::from_secs(3);

/// What one party says about who leads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Says {
    /// Whom it names, from current answers only.
    pub names: Vec<String>,
    /// How many it was asked of, and how many of them answered.
    pub asked: usize,
    /// How many answered with something current.
    pub answered: usize,
    /// Those that gave no current answer.
    pub silent: Vec<String>,
    /// Age of the oldest answer that counts.
    pub age: Option<Duration>,
}

/// The four truths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Truths {
    /// Holder of the leader key.
    pub etcd: Says,
    /// Members whose REST API says that they lead.
    pub rest: Says,
    /// Members that are not in recovery.
    pub sql: Says,
    /// Members that a write route sends new sessions to.
    pub haproxy: Says,
}

impl Truths {
    /// The one that the first party with something to say names, if it names exactly one.
    pub fn reference(&self) -> Option<&str> {
        [&self.etcd, &self.rest, &self.sql, &self.haproxy].into_iter().find_map(|says| match says.names.as_slice() {
            [one] => Some(one.as_str()),
            _ => None,
        })
    }

    /// The four with their names, in the order of their authority.
    pub fn all(&self) -> [(&'static str, &Says); 4] {
        [("etcd", &self.etcd), ("rest", &self.rest), ("sql", &self.sql), ("haproxy", &self.haproxy)]
    }
}

impl Cluster {
    /// Holder of the leader key, if etcd's majority has confirmed it within the freshness limit.
    pub fn holder_now(&self, now: Time) -> Option<&str> {
        let confirmed = self.dcs.confirmed_at?;
        (now.since(confirmed) <= SourceKind::Dcs.freshness()).then_some(())?;
        self.holder()
    }

    /// Holder of the leader key as etcd last said, however long ago.
    pub fn holder(&self) -> Option<&str> {
        self.dcs.keys.leader.as_ref().map(|l| l.name.as_str())
    }

    /// Who leads, as far as something current says so: the holder of the leader key; or whom failsafe mode holds without it; or, while etcd cannot be read, the last holder if its own
    /// PostgreSQL or its REST API still says so.
    pub fn leader_now(&self, now: Time) -> Option<&str> {
        if let Some(holder) = self.holder_now(now) {
            return Some(holder);
        }
        if self.dcs_current(now) {
            return self.failsafe_leader(now);
        }
        let member = self.members.get(self.holder()?)?;
        let says = member.writable(now).or_else(|| member.rest_now(now).map(super::PatroniStatus::says_it_leads));
        (says == Some(true)).then_some(member.name.as_str())
    }

    /// Whether the leader key changed hands so lately that the new holder may still be promoting its PostgreSQL.
    pub fn promoting(&self, now: Time) -> bool {
        self.leader_since.is_some_and(|at| now.since(at) < PROMOTION)
    }

    /// Whether etcd's majority has confirmed the DCS values within the freshness limit.
    pub fn dcs_current(&self, now: Time) -> bool {
        self.dcs.confirmed_at.is_some_and(|at| now.since(at) <= SourceKind::Dcs.freshness())
    }

    /// A member's role at `now`.
    pub fn role(&self, name: &str, now: Time) -> Role {
        let Some(member) = self.members.get(name) else { return Role::Unknown };
        let rest = member.rest_now(now);
        let says = rest.and_then(|r| r.role.as_deref());
        if self.leader_now(now) == Some(name) {
            let standby = says == Some("standby_leader") || self.dcs.keys.config().is_some_and(|c| c.standby_cluster);
            return if standby { Role::StandbyLeader } else { Role::Leader };
        }
        if member.writable(now) == Some(true) || rest.is_some_and(super::PatroniStatus::says_it_leads) {
            return Role::Primary;
        }
        // The key is only as good as the last confirmation, and the last words of a member that fell silent are not its state.
        let key_says = if self.dcs_current(now) && member.present { member.dcs().and_then(|k| k.role.as_deref()) } else { None };
        match says.or(key_says) {
            Some("demoted") => Role::Demoted,
            Some("uninitialized") => Role::Uninitialized,
            Some("replica") => self.standby_kind(name),
            // The key still says so, but it holds no lock and its own voices are silent or deny it.
            Some("primary" | "master" | "promoted" | "standby_leader") => Role::Unknown,
            _ if member.writable(now) == Some(false) => self.standby_kind(name),
            _ => Role::Unknown,
        }
    }

    fn standby_kind(&self, name: &str) -> Role {
        let Some(sync) = self.dcs.keys.sync.as_ref().and_then(super::Parsed::good) else { return Role::Replica };
        // Patroni compares the names in `sync` without regard to case.
        if !sync.standbys.iter().any(|s| s.eq_ignore_ascii_case(name)) {
            return Role::Replica;
        }
        match self.dcs.keys.config().map(|c| c.synchronous_mode.as_str()) {
            Some("quorum") => Role::QuorumStandby,
            Some("on") => Role::SyncStandby,
            _ => Role::Replica,
        }
    }

    /// What the four parties say at `now`.
    pub fn truths(&self, now: Time) -> Truths {
        let mut truths = Truths::default();
        truths.etcd.asked = 1;
        if self.dcs_current(now) {
            truths.etcd.answered = 1;
            truths.etcd.age = self.dcs.confirmed_at.map(|at| now.since(at));
            truths.etcd.names.extend(self.holder().map(str::to_owned));
        } else {
            truths.etcd.silent.push("etcd".to_owned());
        }
        // One that was renamed is asked under both names, and speaks under the new one as soon as that is heard.
        for (name, member) in self.members.iter().filter(|(_, member)| !self.told_under_its_new_name(member, now)) {
            // A member that left for good is asked on, but nobody waits for it.
            let expected = member.present || !self.dcs_current(now);
            let rest = member.rest_now(now).map(|r| r.says_it_leads());
            truths.rest.hear(name, rest, member.rest.age(now), expected);
            truths.sql.hear(name, member.writable(now), member.sql.age(now), expected);
        }
        for route in self.routes(now).iter().filter(|r| r.kind == RouteKind::Write) {
            truths.haproxy.asked += 1;
            if route.fresh && route.known() {
                truths.haproxy.answered += 1;
                let age = self.haproxies.get(route.instance).and_then(|seen| seen.age(now));
                truths.haproxy.age = truths.haproxy.age.max(age);
                for name in route.up() {
                    if !truths.haproxy.names.iter().any(|n| n == name) {
                        truths.haproxy.names.push(name.to_owned());
                    }
                }
            } else {
                truths.haproxy.silent.push(route.instance.to_owned());
            }
        }
        for (instance, seen) in self.haproxies.iter().filter(|(_, seen)| seen.last().is_none()) {
            truths.haproxy.asked += 1;
            if seen.heard() {
                truths.haproxy.silent.push(instance.clone());
            }
        }
        truths
    }
}

impl Says {
    fn hear(&mut self, name: &str, leads: Option<bool>, age: Option<Duration>, expected: bool) {
        match leads {
            Some(leads) => {
                self.asked += 1;
                self.answered += 1;
                self.age = self.age.max(age);
                if leads {
                    self.names.push(name.to_owned());
                }
            }
            None if expected => {
                self.asked += 1;
                self.silent.push(name.to_owned());
            }
            None => {}
        }
    }
}
