//! What the leader would do without etcd's majority (Patroni's dcs_failsafe_mode.rst).

use crate::model::{Cluster, Parsed, Time, listed};

/// What the leader would do, or does, without etcd's majority.
#[derive(Debug, Clone, PartialEq)]
pub struct WithoutQuorum {
    /// Whether it would stay leader; `None`: not known.
    pub stays: Option<bool>,
    /// In words, as the end of "without etcd's quorum": `psg1 would step down: failsafe mode is off`.
    pub sentence: String,
}

impl WithoutQuorum {
    /// The answer at `now`.
    pub(super) fn of(cluster: &Cluster, leader: Option<&str>, now: Time) -> Self {
        let Some(leader) = leader else {
            return Self { stays: None, sentence: "there is no leader to stay".to_owned() };
        };
        let Some(config) = cluster.config() else {
            return Self { stays: None, sentence: "not known: the dynamic configuration was not read".to_owned() };
        };
        if config.paused {
            let sentence = format!("{leader} would stay: the cluster is paused, and nobody would take over");
            return Self { stays: Some(true), sentence };
        }
        if !config.failsafe_mode {
            return Self { stays: Some(false), sentence: format!("{leader} would step down: failsafe mode is off") };
        }
        let names = cluster.dcs.keys.failsafe.as_ref().and_then(Parsed::good);
        let Some(names) = names.filter(|names| names.contains_key(leader)) else {
            let sentence = format!("{leader} would step down: failsafe mode is on, but {leader} is not in the failsafe key");
            return Self { stays: Some(false), sentence };
        };
        // All that are in the key must answer the leader's question; whether they answer ours is the nearest that can be seen from here.
        let others = names.keys().filter(|name| *name != leader);
        let (mut silent, mut unheard) = (Vec::new(), Vec::new());
        for name in others {
            match cluster.members.get(name) {
                Some(member) if member.rest_now(now).is_some() => {}
                Some(member) if !member.rest.heard() => unheard.push(name.as_str()),
                _ => silent.push(name.as_str()),
            }
        }
        if !silent.is_empty() {
            let do_not = if silent.len() == 1 { "does not" } else { "do not" };
            let sentence = format!("{leader} would step down: failsafe mode needs every member, and {} {do_not} answer", listed(&silent));
            return Self { stays: Some(false), sentence };
        }
        if !unheard.is_empty() {
            return Self { stays: None, sentence: format!("not known: {} not heard yet", listed(&unheard)) };
        }
        Self { stays: Some(true), sentence: format!("{leader} would stay: failsafe mode is on, and every member of it answers") }
    }
}
