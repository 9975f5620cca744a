//! What the programs of a node were started with, read there once.

use std::time::Duration;

/// How etcd chooses its leader: as the process was started, and not as a file would have it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectionTimes {
    /// `election-timeout`: how long a member waits for the leader's word before it asks for votes.
    pub election: Duration,
    /// What says so: `its command line`, a file, `not set`.
    pub by: String,
    /// `heartbeat-interval`; `None`: not seen.
    pub heartbeat: Option<Duration>,
}

impl ElectionTimes {
    /// What etcd takes for `election-timeout` if nothing is said, milliseconds.
    pub const ELECTION_MS: u64 = 1000;
    /// The same for `heartbeat-interval`.
    pub const HEARTBEAT_MS: u64 = 100;
}

/// Patroni's `watchdog.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum WatchdogMode {
    /// None is used.
    Off,
    /// One is used if it can be; what Patroni does if nothing is said.
    Automatic,
    /// Nobody leads without one.
    Required,
}

/// A member's watchdog: what its Patroni's file says, and what its machine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchdogSeen {
    /// The file of Patroni's configuration.
    pub file: String,
    /// The block `watchdog` in it; `None`: there is none.
    pub block: Option<WatchdogBlock>,
    /// Whether the file was changed after Patroni was started: it may or may not have been reloaded since.
    pub newer: bool,
    /// The devices that there are: `/dev/watchdog`.
    pub devices: Vec<String>,
    /// Whether somebody holds one of them now, by the kernel's own word; `None`: it does not tell.
    pub active: Option<bool>,
}

/// A block `watchdog` of Patroni's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchdogBlock {
    /// `mode`.
    pub mode: WatchdogMode,
    /// `device`.
    pub device: String,
}

impl WatchdogBlock {
    /// A block as Patroni reads it; `None`: it is none. A mode that Patroni does not know is off for it (patroni/watchdog/base.py).
    pub fn of(value: &serde_json::Value) -> Option<Self> {
        let map = value.as_object().filter(|map| !map.is_empty())?;
        let mode = match map.get("mode") {
            None => WatchdogMode::Automatic,
            Some(mode) => match mode.as_str().unwrap_or_default().to_lowercase().as_str() {
                "require" | "required" => WatchdogMode::Required,
                "auto" | "automatic" => WatchdogMode::Automatic,
                _ => WatchdogMode::Off,
            },
        };
        let device = map.get("device").and_then(serde_json::Value::as_str).map_or_else(|| Self::default().device, super::clean);
        Some(Self { mode, device })
    }
}

/// What Patroni does if nothing is said.
impl Default for WatchdogBlock {
    fn default() -> Self {
        Self { mode: WatchdogMode::Automatic, device: "/dev/watchdog".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_block_is_read_as_patroni_reads_it() {
        let mode = |value: serde_json::Value| WatchdogBlock::of(&value).map(|block| block.mode);
        for (word, expected) in [
            (json!("required"), WatchdogMode::Required),
            (json!("Require"), WatchdogMode::Required),
            (json!("auto"), WatchdogMode::Automatic),
            (json!("off"), WatchdogMode::Off),
            // What `off` without quotes is in YAML.
            (json!(false), WatchdogMode::Off),
            (json!("sometimes"), WatchdogMode::Off),
        ] {
            assert_eq!(mode(json!({"mode": word})), Some(expected), "{word}");
        }
        assert_eq!(mode(json!({"safety_margin": 5})), Some(WatchdogMode::Automatic));
        assert_eq!((mode(json!({})), mode(json!(null))), (None, None));
        assert_eq!(WatchdogBlock::of(&json!({"device": "/dev/watchdog1"})).map(|block| block.device).as_deref(), Some("/dev/watchdog1"));
    }
}
