//! The cluster's keys in etcd, as Patroni lays them out (`patroni/dcs/__init__.py`, `patroni/dcs/etcd3.py`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::patroni::{flag, lsn, number, object, pending_changes, tags, text, time};
use super::{Lsn, PendingChange, Time, clean};

/// Who vouches for a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consistency {
    /// A majority of etcd: the value was current when it was read.
    Linearizable,
    /// One etcd member, on its own; the value may be old by any amount.
    Serializable,
}

/// A key with its value, the prefix `/namespace/scope/` taken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DcsKey {
    /// `leader`, `members/psg1`, ...
    pub key: String,
    /// The value; bytes that are not UTF-8 are replaced.
    pub value: String,
    /// Revision of the key's creation.
    pub create_revision: i64,
    /// Revision of its last change.
    pub mod_revision: i64,
    /// Id of the lease it hangs on; 0: none.
    pub lease: i64,
}

/// One event of a watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DcsEvent {
    /// A key was written.
    Put(DcsKey),
    /// A key was deleted, or its lease ended.
    Delete {
        /// The key, without the prefix.
        key: String,
        /// Revision of the deletion.
        revision: i64,
    },
}

/// A value that should have a form: the parsed one, or what is wrong with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Parsed<T> {
    /// It has the form.
    Good(T),
    /// It has not: `the key config is not JSON: expected value at line 1 column 1`.
    Bad(String),
}

impl<T> Parsed<T> {
    /// The value, if it has the form.
    pub fn good(&self) -> Option<&T> {
        match self {
            Parsed::Good(value) => Some(value),
            Parsed::Bad(_) => None,
        }
    }

    /// What is wrong with it.
    pub fn bad(&self) -> Option<&str> {
        match self {
            Parsed::Good(_) => None,
            Parsed::Bad(why) => Some(why),
        }
    }
}

/// The keys, parsed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Dcs {
    /// `initialize`: the system identifier; empty while the cluster is bootstrapped.
    pub initialize: Option<String>,
    /// `leader`: who holds the lock, and the lease it hangs on.
    pub leader: Option<LeaderKey>,
    /// `members/NAME`.
    pub members: BTreeMap<String, Parsed<DcsMember>>,
    /// `config`: the dynamic configuration.
    pub config: Option<Parsed<DynamicConfig>>,
    /// etcd's revision at which `config` was last written.
    pub config_revision: Option<i64>,
    /// `status`: written by the leader once each loop.
    pub status: Option<Parsed<DcsStatus>>,
    /// `sync`: the synchronous set.
    pub sync: Option<Parsed<DcsSync>>,
    /// `failover`: a switchover or failover that is asked for.
    pub failover: Option<Parsed<Failover>>,
    /// `history`: the changes of timeline, oldest first.
    pub history: Option<Parsed<Vec<HistoryEntry>>>,
    /// `failsafe`: the members that must agree when etcd is gone, name to address.
    pub failsafe: Option<Parsed<BTreeMap<String, String>>>,
}

/// The key `leader`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderKey {
    /// The holder's name.
    pub name: String,
    /// The lease it hangs on.
    pub lease: i64,
    /// Revision at which the lock was taken.
    pub create_revision: i64,
}

/// A key `members/NAME` (`ha.py`, `touch_member`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DcsMember {
    /// Host in `conn_url`.
    pub host: Option<String>,
    /// Port in `conn_url`.
    pub port: Option<u16>,
    /// `api_url`.
    pub api_url: Option<String>,
    /// `state`.
    pub state: Option<String>,
    /// `role`.
    pub role: Option<String>,
    /// `version`: Patroni's.
    pub version: Option<String>,
    /// `timeline`.
    pub timeline: Option<u32>,
    /// `xlog_location`.
    pub location: Option<Lsn>,
    /// `receive_lsn`, from Patroni 4.1.
    pub received: Option<Lsn>,
    /// `replay_lsn`, from Patroni 4.1.
    pub replayed: Option<Lsn>,
    /// `replication_state`.
    pub replication_state: Option<String>,
    /// `tags`.
    pub tags: Map<String, Value>,
    /// `pause`.
    pub paused: bool,
    /// `pending_restart`.
    pub pending_restart: bool,
    /// `pending_restart_reason`.
    pub pending_changes: Vec<PendingChange>,
    /// `scheduled_restart.schedule`.
    pub scheduled_restart: Option<Time>,
}

/// The key `config`, the parts with a meaning for us; the rest is kept as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DynamicConfig {
    /// `ttl`, seconds.
    pub ttl: Option<u32>,
    /// `loop_wait`, seconds.
    pub loop_wait: Option<u32>,
    /// `retry_timeout`, seconds.
    pub retry_timeout: Option<u32>,
    /// `maximum_lag_on_failover`, bytes.
    pub maximum_lag_on_failover: Option<u64>,
    /// `synchronous_mode`: `off`, `on` or `quorum`.
    pub synchronous_mode: String,
    /// `failsafe_mode`.
    pub failsafe_mode: bool,
    /// `check_timeline`: a member on an older timeline may not take over.
    pub check_timeline: bool,
    /// `pause`.
    pub paused: bool,
    /// `standby_cluster` is there: the leader follows another cluster.
    pub standby_cluster: bool,
    /// The whole.
    pub raw: Value,
}

/// The key `status`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DcsStatus {
    /// `optime`: where the leader wrote at its last loop. It stands still when the leader is gone.
    pub optime: Option<Lsn>,
}

/// The key `sync`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DcsSync {
    /// `leader`: the leader it was written for.
    pub leader: Option<String>,
    /// `sync_standby`: the names.
    pub standbys: Vec<String>,
    /// `quorum`, from Patroni 4.0.
    pub quorum: Option<u32>,
}

/// The key `failover`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Failover {
    /// `leader`: whom it is to be taken from.
    pub leader: Option<String>,
    /// `member`: the candidate.
    pub candidate: Option<String>,
    /// `scheduled_at`.
    pub scheduled_at: Option<Time>,
}

/// An entry of `history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The timeline that ended.
    pub timeline: u32,
    /// Where it ended.
    pub lsn: Lsn,
    /// The reason, as PostgreSQL's history file has it.
    pub reason: String,
    /// When.
    pub at: Option<Time>,
    /// Who led afterwards.
    pub new_leader: Option<String>,
}

impl Dcs {
    /// Takes in a written key. Keys with no meaning for us are passed over.
    pub fn put(&mut self, key: &DcsKey) {
        let value = key.value.as_str();
        match key.key.as_str() {
            "initialize" => self.initialize = Some(clean(value)),
            "leader" => {
                self.leader = Some(LeaderKey { name: clean(value), lease: key.lease, create_revision: key.create_revision });
            }
            "config" => {
                self.config = Some(parse_object(key, DynamicConfig::read));
                self.config_revision = Some(key.mod_revision);
            }
            "status" => self.status = Some(parse_object(key, |o| DcsStatus { optime: lsn(o, "optime") })),
            "sync" => self.sync = Some(parse_object(key, DcsSync::read)),
            "failover" => self.failover = Some(parse_object(key, Failover::read)),
            "failsafe" => self.failsafe = Some(parse_object(key, names_and_addresses)),
            "history" => self.history = Some(parse(key, |v| v.as_array().map(|rows| rows.iter().filter_map(HistoryEntry::read).collect()))),
            other => {
                if let Some(name) = other.strip_prefix("members/") {
                    self.members.insert(clean(name), parse_object(key, DcsMember::read));
                }
            }
        }
    }

    /// Takes in a deleted key.
    pub fn delete(&mut self, key: &str) {
        match key {
            "initialize" => self.initialize = None,
            "leader" => self.leader = None,
            "config" => {
                self.config = None;
                self.config_revision = None;
            }
            "status" => self.status = None,
            "sync" => self.sync = None,
            "failover" => self.failover = None,
            "failsafe" => self.failsafe = None,
            "history" => self.history = None,
            other => {
                if let Some(name) = other.strip_prefix("members/") {
                    self.members.remove(&clean(name));
                }
            }
        }
    }

    /// The dynamic configuration, if it can be read.
    pub fn config(&self) -> Option<&DynamicConfig> {
        self.config.as_ref().and_then(Parsed::good)
    }

    /// A switchover that is asked for or scheduled; Patroni leaves `{}` behind when it is done.
    pub fn pending_failover(&self) -> Option<&Failover> {
        self.failover.as_ref().and_then(Parsed::good).filter(|f| **f != Failover::default())
    }

    /// What is wrong with the values, one sentence for each.
    pub fn complaints(&self) -> Vec<&str> {
        let members = self.members.values().filter_map(Parsed::bad);
        members
            .chain(self.config.as_ref().and_then(Parsed::bad))
            .chain(self.status.as_ref().and_then(Parsed::bad))
            .chain(self.sync.as_ref().and_then(Parsed::bad))
            .chain(self.failover.as_ref().and_then(Parsed::bad))
            .chain(self.history.as_ref().and_then(Parsed::bad))
            .chain(self.failsafe.as_ref().and_then(Parsed::bad))
            .collect()
    }
}

fn parse<T>(key: &DcsKey, read: impl FnOnce(&Value) -> Option<T>) -> Parsed<T> {
    let name = clean(&key.key);
    match serde_json::from_str::<Value>(&key.value) {
        Err(error) => Parsed::Bad(clean(&format!("the DCS key {name} is not JSON: {error}"))),
        Ok(value) => match read(&value) {
            Some(parsed) => Parsed::Good(parsed),
            None => Parsed::Bad(format!("the DCS key {name} has an unexpected form")),
        },
    }
}

fn parse_object<T>(key: &DcsKey, read: impl FnOnce(&Map<String, Value>) -> T) -> Parsed<T> {
    parse(key, |value| value.as_object().map(read))
}

fn names_and_addresses(map: &Map<String, Value>) -> BTreeMap<String, String> {
    map.iter().filter_map(|(name, url)| Some((clean(name), clean(url.as_str()?)))).collect()
}

impl DcsMember {
    fn read(map: &Map<String, Value>) -> Self {
        let address = text(map, "conn_url").and_then(|u| url::Url::parse(&u).ok());
        Self {
            host: address.as_ref().and_then(url::Url::host_str).map(|h| clean(h.trim_start_matches('[').trim_end_matches(']'))),
            port: address.as_ref().map(|u| u.port().unwrap_or(5432)),
            api_url: text(map, "api_url"),
            state: text(map, "state"),
            role: text(map, "role"),
            version: text(map, "version"),
            timeline: number(map, "timeline"),
            location: lsn(map, "xlog_location"),
            received: lsn(map, "receive_lsn"),
            replayed: lsn(map, "replay_lsn"),
            replication_state: text(map, "replication_state"),
            tags: tags(map),
            paused: flag(map, "pause"),
            pending_restart: flag(map, "pending_restart"),
            pending_changes: pending_changes(map),
            scheduled_restart: object(map, "scheduled_restart").and_then(|s| time(s, "schedule")),
        }
    }
}

impl DynamicConfig {
    fn read(map: &Map<String, Value>) -> Self {
        let synchronous_mode = match map.get("synchronous_mode") {
            Some(Value::String(s)) if s.eq_ignore_ascii_case("quorum") => "quorum",
            Some(Value::String(s)) if matches!(s.to_ascii_lowercase().as_str(), "on" | "true" | "yes" | "1") => "on",
            Some(Value::Bool(true)) => "on",
            _ => "off",
        };
        Self {
            ttl: number(map, "ttl"),
            loop_wait: number(map, "loop_wait"),
            retry_timeout: number(map, "retry_timeout"),
            maximum_lag_on_failover: map.get("maximum_lag_on_failover").and_then(Value::as_u64),
            synchronous_mode: synchronous_mode.to_owned(),
            failsafe_mode: flag(map, "failsafe_mode"),
            check_timeline: flag(map, "check_timeline"),
            paused: flag(map, "pause"),
            standby_cluster: object(map, "standby_cluster").is_some_and(|m| !m.is_empty()),
            raw: Value::Object(map.clone()),
        }
    }

    /// The dynamic configuration out of a JSON value, such as the body of `/config`.
    pub fn from_value(value: &Value) -> Option<Self> {
        value.as_object().map(Self::read)
    }
}

impl DcsSync {
    fn read(map: &Map<String, Value>) -> Self {
        let names = map.get("sync_standby").and_then(Value::as_str).unwrap_or_default();
        Self {
            leader: text(map, "leader"),
            standbys: names.split(',').map(str::trim).filter(|n| !n.is_empty()).map(clean).collect(),
            quorum: number(map, "quorum"),
        }
    }
}

impl Failover {
    fn read(map: &Map<String, Value>) -> Self {
        Self { leader: text(map, "leader"), candidate: text(map, "member"), scheduled_at: time(map, "scheduled_at") }
    }
}

impl HistoryEntry {
    fn read(row: &Value) -> Option<Self> {
        let row = row.as_array()?;
        Some(Self {
            timeline: u32::try_from(row.first()?.as_u64()?).ok()?,
            lsn: Lsn(row.get(1)?.as_u64()?),
            reason: clean(row.get(2).and_then(Value::as_str).unwrap_or_default()),
            at: row.get(3).and_then(Value::as_str).and_then(Time::parse),
            new_leader: row.get(4).and_then(Value::as_str).map(clean),
        })
    }

    /// The history out of a JSON value, such as the body of `/history`.
    pub fn list(value: &Value) -> Option<Vec<Self>> {
        value.as_array().map(|rows| rows.iter().filter_map(Self::read).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str, value: &str) -> DcsKey {
        DcsKey { key: key.into(), value: value.into(), create_revision: 1, mod_revision: 2, lease: 9 }
    }

    #[test]
    fn the_keys_of_a_cluster() {
        let mut dcs = Dcs::default();
        for (name, value) in [
            ("leader", "psg3"),
            ("config", r#"{"ttl":30,"loop_wait":10,"retry_timeout":10,"maximum_lag_on_failover":1048576,"synchronous_mode":"quorum"}"#),
            ("failover", "{}"),
            ("history", r#"[[1,67243696,"no recovery target specified","2026-11-24T01:50:27.441270+00:00","psg2"],[2,5,"x"]]"#),
            (
                "members/psg1",
                r#"{"conn_url":"postgres://192.0.2.11:5433/postgres","api_url":"http://192.0.2.11:8008/patroni","state":"running","role":"replica","version":"4.1.5","receive_lsn":197627744,"timeline":3}"#,
            ),
            ("sync", r#"{"leader":"psg3","quorum":1,"sync_standby":"psg1,psg2"}"#),
            ("somebody/elses", "?"),
        ] {
            dcs.put(&key(name, value));
        }
        assert_eq!(dcs.leader.as_ref().map(|l| l.lease), Some(9));
        assert_eq!(dcs.config().map(|c| c.synchronous_mode.as_str()), Some("quorum"));
        assert_eq!(dcs.pending_failover(), None);
        let history = dcs.history.as_ref().and_then(Parsed::good).expect("a history");
        assert_eq!((history.len(), history[0].new_leader.as_deref(), history[1].at), (2, Some("psg2"), None));
        let member = dcs.members["psg1"].good().expect("a member");
        assert_eq!((member.host.as_deref(), member.port, member.received), (Some("192.0.2.11"), Some(5433), Some(Lsn(197_627_744))));
        assert!(dcs.complaints().is_empty());
        dcs.delete("leader");
        dcs.delete("members/psg1");
        assert!(dcs.leader.is_none() && dcs.members.is_empty());
    }

    #[test]
    fn a_value_that_is_not_json_is_named_and_harms_nothing_else() {
        let mut dcs = Dcs::default();
        dcs.put(&key("members/psg2", "running?"));
        dcs.put(&key("config", "[]"));
        dcs.put(&key("leader", "psg1"));
        assert_eq!(dcs.leader.as_ref().map(|l| l.name.as_str()), Some("psg1"));
        let complaints = dcs.complaints();
        assert_eq!(complaints.len(), 2);
        assert!(complaints[0].contains("members/psg2 is not JSON"), "{complaints:?}");
        assert!(complaints[1].contains("config has an unexpected form"), "{complaints:?}");
    }
}
