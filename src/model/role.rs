//! A member's part in replication, with the leader key as the judge.

use serde::{Deserialize, Serialize};

/// A member's part in replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, schemars::JsonSchema, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Holds the leader key.
    Leader,
    /// Leads a standby cluster.
    StandbyLeader,
    /// A replica in the synchronous set.
    SyncStandby,
    /// A replica in the quorum's set.
    QuorumStandby,
    /// Follows.
    Replica,
    /// Accepts writes, or says so, without the leader key.
    Primary,
    /// Was leader and gave up.
    Demoted,
    /// Has no data yet.
    Uninitialized,
    /// Nobody fresh says, or in words we do not know.
    Unknown,
}
