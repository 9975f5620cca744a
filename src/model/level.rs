//! How bad something is.

use serde::{Deserialize, Serialize};

/// How bad it is. The order is from good to bad.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    schemars::JsonSchema,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Level {
    /// Verified, within the freshness limits, and nothing fired.
    Ok,
    /// Not enough is known to say anything.
    Unknown,
    /// Something wants attention; clients can write.
    Warning,
    /// Clients cannot write, or the next fault will stop them, or the parties disagree about who leads.
    Critical,
}
