//! What etcd says of itself.

use serde::{Deserialize, Serialize};

/// One member's answer to a status request (`Maintenance.Status`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdStatus {
    /// Id of the member that answers.
    pub member_id: u64,
    /// Id of the raft leader as it sees it; `None`: it sees none.
    pub leader_id: Option<u64>,
    /// Raft term.
    pub raft_term: u64,
    /// Raft index.
    pub raft_index: u64,
    /// Raft applied index; 0 before etcd 3.4.
    pub raft_applied_index: u64,
    /// Size of the database file, bytes.
    pub db_size: u64,
    /// The part of it in use, bytes; `None` before etcd 3.4.
    pub db_in_use: Option<u64>,
    /// The quota of the database, bytes, negative without one; `None` before etcd 3.6.
    pub db_quota: Option<i64>,
    /// Version, `3.4.23`.
    pub version: String,
    /// Whether it only learns and has no vote.
    pub is_learner: bool,
    /// What it complains of: `etcdserver: no leader`, and each alarm as `memberID:1 alarm:NOSPACE`.
    pub errors: Vec<String>,
}

impl EtcdStatus {
    /// Whether it sees a raft leader, and does not complain of having none.
    pub fn sees_leader(&self) -> bool {
        self.leader_id.is_some() && !self.errors.iter().any(|e| e.contains("no leader"))
    }

    /// Whether it names an alarm.
    pub fn names_alarm(&self) -> bool {
        self.errors.iter().any(|e| e.contains("alarm:"))
    }
}

/// The etcd cluster as one member tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EtcdMembership {
    /// The members.
    pub members: Vec<EtcdMember>,
    /// The alarms, none of a member that complains of nothing; `None`: they could not be read (without quorum they cannot).
    pub alarms: Option<Vec<EtcdAlarm>>,
}

/// One member of the etcd cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdMember {
    /// Its id.
    pub id: u64,
    /// Its name; empty until it has joined.
    pub name: String,
    /// Where clients reach it.
    pub client_urls: Vec<String>,
    /// Whether it only learns and has no vote.
    pub is_learner: bool,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdAlarm {
    /// The member that raised it.
    pub member_id: u64,
    /// `NOSPACE` or `CORRUPT`.
    pub kind: String,
}
