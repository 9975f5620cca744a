//! What the document says of a node itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Asked;
use crate::model::PlaceKind;

/// One node, as it tells of itself over ssh. While it cannot be asked the values are its last ones, and `asked` says how old they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeDoc {
    /// The member's name, the HAProxy's in the configuration, or an etcd's host.
    pub name: String,
    /// How asking it went; its first half minute without an answer is not old yet.
    pub asked: Asked,
    /// The places of data that are there.
    pub places: Vec<PlaceDoc>,
    /// Processes that run or wait, averaged over a minute.
    pub load_1: Option<f64>,
    /// The same over 5 minutes.
    pub load_5: Option<f64>,
    /// The same over 15 minutes.
    pub load_15: Option<f64>,
    /// Processors in use.
    pub cpus: Option<u32>,
    /// Memory.
    pub memory_bytes: Option<u64>,
    /// What of it programs could have without swapping.
    pub memory_available_bytes: Option<u64>,
    /// Swap in use.
    pub swap_used_bytes: Option<u64>,
    /// Processes that the kernel has killed for want of memory since the boot.
    pub oom_kills_total: Option<u64>,
    /// The id of the boot.
    pub boot: Option<String>,
    /// Time since the boot.
    pub uptime_seconds: Option<u64>,
    /// By how much its clock is ahead of ours, milliseconds, negative when it is behind: the middle of what is possible.
    pub clock_skew_ms: Option<f64>,
    /// By how much that can be wrong, milliseconds. The clocks may agree while it is not less than the difference; then none is reckoned with.
    pub clock_skew_within_ms: Option<f64>,
    /// Whether the node itself takes its clock for synchronised; `null`: it does not tell.
    pub clock_synchronized: Option<bool>,
    /// The units of Patroni, PostgreSQL, etcd and HAProxy; `null`: there is no systemd, or it does not answer.
    pub units: Option<Vec<UnitDoc>>,
    /// Who is logged in at a terminal; `null`: not told.
    pub logins: Option<Vec<LoginDoc>>,
}

/// A place of data on a node, and the file system under it. Places with the same `device` share it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceDoc {
    /// What is kept there.
    pub kind: PlaceKind,
    /// Its path on the node.
    pub path: Option<String>,
    /// Why nothing is known of its file system, if so.
    pub error: Option<String>,
    /// The file system's device.
    pub device: Option<u64>,
    /// Where it is mounted.
    pub mount: Option<String>,
    /// Its size.
    pub size_bytes: Option<u64>,
    /// What nothing is stored in, root's reserve included.
    pub free_bytes: Option<u64>,
    /// What users other than root can still fill.
    pub available_bytes: Option<u64>,
    /// That as a share of what they could fill.
    pub available_share: Option<f64>,
    /// How many files it can hold; `null`: not known, or without a limit.
    pub inodes: Option<u64>,
    /// How many more.
    pub inodes_free: Option<u64>,
    /// How fast it fills, bytes a second; `null`: it does not, was not watched for long enough, or its end lies too far ahead to be told.
    pub filling_bytes_per_second: Option<f64>,
    /// Until it is full, if that goes on.
    pub full_in_seconds: Option<u64>,
    /// Over how long that was watched.
    pub filling_watched_seconds: Option<u64>,
}

/// A unit of systemd's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnitDoc {
    /// `patroni.service`.
    pub name: String,
    /// systemd's word: `active`, `inactive`, `failed`, `activating`.
    pub state: String,
    /// The finer one: `running`, `dead`, `auto-restart`.
    pub sub: String,
    /// How its last run ended: `success`, `exit-code`, `oom-kill`.
    pub result: String,
    /// Time since its state changed, when it was asked.
    pub changed_seconds_ago: Option<u64>,
    /// How often systemd has started it again by itself.
    pub restarts: Option<u32>,
}

/// Somebody who is logged in at a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoginDoc {
    /// Who.
    pub user: String,
    /// At which terminal.
    pub terminal: String,
    /// From where.
    pub from: Option<String>,
    /// Since when, in the node's own time.
    pub since: String,
}
