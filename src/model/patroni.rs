//! What a member's Patroni says of itself.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::hygiene::Hygiene;
use super::{Lsn, PatroniState, Time, clean};

/// A member's `GET /patroni` (Patroni's rest_api.rst, "Monitoring endpoint"; `patroni/api.py`).
///
/// Only `state` is always there: when Patroni's own SQL fails, or PostgreSQL is down, most fields are missing. A field of an unexpected type
/// counts as missing, because unknown is the truth about it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PatroniStatus {
    /// `state`: `running`, `starting`, `stopped`, `start failed`, `crashed`, ... or a word that a later Patroni has.
    pub state: PatroniState,
    /// `role`: `primary` (before 4.0: `master`), `replica`, `standby_leader`, `demoted`, `uninitialized`, `promoted`.
    pub role: Option<String>,
    /// `patroni.name`, from Patroni 3.2.
    pub name: Option<String>,
    /// `patroni.scope`.
    pub scope: Option<String>,
    /// `patroni.version`.
    pub version: Option<String>,
    /// `server_version`: 150018.
    pub server_version: Option<u32>,
    /// `postmaster_start_time`.
    pub postmaster_start: Option<Time>,
    /// `timeline`.
    pub timeline: Option<u32>,
    /// `xlog.location`: where a primary writes.
    pub location: Option<Lsn>,
    /// `xlog.received_location`.
    pub received: Option<Lsn>,
    /// `xlog.replayed_location`.
    pub replayed: Option<Lsn>,
    /// `xlog.replayed_timestamp`.
    pub replayed_at: Option<Time>,
    /// `xlog.paused`: whether replay is paused.
    pub replay_paused: Option<bool>,
    /// `replication_state`: `streaming`, `in archive recovery`.
    pub replication_state: Option<String>,
    /// `replication`: who receives from it.
    pub replication: Vec<PatroniReplication>,
    /// `sync_standby`.
    pub sync_standby: bool,
    /// `quorum_standby`.
    pub quorum_standby: bool,
    /// `pause`: whether it has seen the maintenance mode.
    pub paused: bool,
    /// `cluster_unlocked`: it sees no leader key.
    pub cluster_unlocked: bool,
    /// `failsafe_mode_is_active`.
    pub failsafe_active: bool,
    /// `dcs_last_seen`.
    pub dcs_last_seen: Option<Time>,
    /// `database_system_identifier`.
    pub system_identifier: Option<String>,
    /// `pending_restart`.
    pub pending_restart: bool,
    /// `pending_restart_reason`, from Patroni 3.3.
    pub pending_changes: Vec<PendingChange>,
    /// `scheduled_restart.schedule`.
    pub scheduled_restart: Option<Time>,
    /// `watchdog_failed`: a watchdog is required and does not work.
    pub watchdog_failed: bool,
    /// `tags`.
    pub tags: Map<String, Value>,
}

/// An entry of `replication`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatroniReplication {
    /// `application_name`: the member's name.
    pub application_name: String,
    /// `client_addr`.
    pub client_addr: Option<String>,
    /// `state`.
    pub state: Option<String>,
    /// `sync_state`.
    pub sync_state: Option<String>,
}

/// An entry of `pending_restart_reason`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingChange {
    /// The parameter.
    pub parameter: String,
    /// `old_value`: what runs.
    pub old: Option<String>,
    /// `new_value`: what is configured.
    pub new: Option<String>,
}

impl PatroniStatus {
    /// Reads the body of `/patroni`. The error is a sentence that says what the body is instead.
    pub fn from_json(body: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(body).map_err(|e| format!("the body is not JSON: {e}"))?;
        let Some(top) = value.as_object() else { return Err("the body is not a JSON object".to_owned()) };
        let Some(state) = text(top, "state") else { return Err("the body has no \"state\"".to_owned()) };
        let patroni = object(top, "patroni");
        let xlog = object(top, "xlog");
        Ok(Self {
            state: PatroniState(state),
            role: text(top, "role"),
            name: patroni.and_then(|p| text(p, "name")),
            scope: patroni.and_then(|p| text(p, "scope")),
            version: patroni.and_then(|p| text(p, "version")),
            server_version: number(top, "server_version"),
            postmaster_start: time(top, "postmaster_start_time"),
            timeline: number(top, "timeline"),
            location: xlog.and_then(|x| lsn(x, "location")),
            received: xlog.and_then(|x| lsn(x, "received_location")),
            replayed: xlog.and_then(|x| lsn(x, "replayed_location")),
            replayed_at: xlog.and_then(|x| time(x, "replayed_timestamp")),
            replay_paused: xlog.and_then(|x| x.get("paused")).and_then(Value::as_bool),
            replication_state: text(top, "replication_state"),
            replication: replication(top),
            sync_standby: flag(top, "sync_standby"),
            quorum_standby: flag(top, "quorum_standby"),
            paused: flag(top, "pause"),
            cluster_unlocked: flag(top, "cluster_unlocked"),
            failsafe_active: flag(top, "failsafe_mode_is_active"),
            dcs_last_seen: top.get("dcs_last_seen").and_then(Value::as_i64).and_then(|s| s.checked_mul(1_000_000)).map(Time::from_micros),
            system_identifier: text(top, "database_system_identifier"),
            pending_restart: flag(top, "pending_restart"),
            pending_changes: pending_changes(top),
            scheduled_restart: object(top, "scheduled_restart").and_then(|s| time(s, "schedule")),
            watchdog_failed: flag(top, "watchdog_failed"),
            tags: tags(top),
        })
    }

    /// Up to where a replica has the WAL: what was replayed is there even when the receiver began further back.
    pub fn wal_held(&self) -> Option<Lsn> {
        self.received.max(self.replayed)
    }

    /// Whether this Patroni gives `replication_state` at all: from 3.0.4. `None`: its version is not known or not of the usual form.
    pub fn tells_replication_state(&self) -> Option<bool> {
        Some(self.version_parts()? >= (3, 0, 4))
    }

    /// Whether this Patroni makes `loop_wait` and `retry_timeout` fit into `ttl`: from 3.2. `None`: as above.
    pub fn adjusts_timeouts(&self) -> Option<bool> {
        Some(self.version_parts()? >= (3, 2, 0))
    }

    fn version_parts(&self) -> Option<(u32, u32, u32)> {
        let mut parts = self.version.as_deref()?.split('.').map(|part| part.parse::<u32>().ok());
        Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
    }

    /// Whether it says that it leads: `primary`, `master` before 4.0, `standby_leader`.
    pub fn says_it_leads(&self) -> bool {
        matches!(self.role.as_deref(), Some("primary" | "master" | "standby_leader"))
    }
}

fn replication(top: &Map<String, Value>) -> Vec<PatroniReplication> {
    let rows = top.get("replication").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    rows.iter()
        .filter_map(Value::as_object)
        .filter_map(|row| {
            Some(PatroniReplication {
                application_name: text(row, "application_name")?,
                client_addr: text(row, "client_addr"),
                state: text(row, "state"),
                sync_state: text(row, "sync_state"),
            })
        })
        .collect()
}

/// `pending_restart_reason`, which `/patroni` and the member's DCS key share: `{"max_connections": {"old_value": "100", "new_value": "200"}}`.
pub(super) fn pending_changes(top: &Map<String, Value>) -> Vec<PendingChange> {
    let Some(reasons) = object(top, "pending_restart_reason") else { return Vec::new() };
    let side = |change: &Value, key: &str| match change.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(s)) => Some(clean(s)),
        Some(other) => Some(clean(&other.to_string())),
    };
    reasons
        .iter()
        .map(|(name, change)| PendingChange { parameter: clean(name), old: side(change, "old_value"), new: side(change, "new_value") })
        .collect()
}

/// `tags`: names and values that somebody chose.
pub(super) fn tags(map: &Map<String, Value>) -> Map<String, Value> {
    let mut tags = object(map, "tags").cloned().unwrap_or_default();
    tags.wash();
    tags
}

pub(super) fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).map(clean)
}

pub(super) fn flag(map: &Map<String, Value>, key: &str) -> bool {
    map.get(key).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn number(map: &Map<String, Value>, key: &str) -> Option<u32> {
    map.get(key).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok())
}

pub(super) fn lsn(map: &Map<String, Value>, key: &str) -> Option<Lsn> {
    map.get(key).and_then(Value::as_u64).map(Lsn)
}

pub(super) fn time(map: &Map<String, Value>, key: &str) -> Option<Time> {
    map.get(key).and_then(Value::as_str).and_then(Time::parse)
}

pub(super) fn object<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Map<String, Value>> {
    map.get(key).and_then(Value::as_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_as_patroni_4_1_gives_it() {
        let status = PatroniStatus::from_json(
            br#"{"state": "running", "postmaster_start_time": "2026-11-24 02:04:57.722263+00:00", "role": "primary", "server_version": 150018,
                "xlog": {"location": 67109680}, "timeline": 1, "replication": [{"usename": "replicator", "application_name": "psg2",
                "client_addr": "192.0.2.12", "state": "streaming", "sync_state": "async", "sync_priority": 0}], "dcs_last_seen": 1795485918,
                "pending_restart": true, "pending_restart_reason": {"max_connections": {"old_value": "100", "new_value": "200"}},
                "database_system_identifier": "7711553202865957151", "patroni": {"version": "4.1.5", "scope": "psg", "name": "psg3"}}"#,
        )
        .expect("parses");
        assert!(status.says_it_leads() && status.state.serves());
        assert_eq!(status.location, Some(Lsn(67_109_680)));
        assert_eq!(status.postmaster_start, Time::parse("2026-11-24T02:04:57.722263Z"));
        assert_eq!(status.replication[0].application_name, "psg2");
        assert_eq!(status.pending_changes[0].new.as_deref(), Some("200"));
        assert_eq!(status.replayed, None);
    }

    #[test]
    fn what_is_missing_or_odd_is_unknown() {
        let status = PatroniStatus::from_json(br#"{"state": "levitating", "timeline": "one", "xlog": {"location": -4}}"#).expect("parses");
        assert!(!status.state.serves());
        assert_eq!((status.timeline, status.location, status.role), (None, None, None));
    }

    #[test]
    fn what_is_not_a_status_is_said() {
        for (body, says) in
            [(&b"{\"state\": \"runn"[..], "not JSON"), (b"[1]", "not a JSON object"), (b"{}", "no \"state\""), (b"", "not JSON")]
        {
            let error = PatroniStatus::from_json(body).expect_err("an error");
            assert!(error.contains(says), "{error}");
        }
    }
}
