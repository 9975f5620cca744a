//! What the dynamic configuration says of less common settings, read from its whole as Patroni reads it (`patroni/global_config.py`).

use serde_json::{Map, Value};

use super::patroni::object;
use super::{DynamicConfig, Slot};

/// The keys under which permanent slots may stand; the first that is not empty counts.
const PERMANENT: [&str; 3] = ["permanent_replication_slots", "permanent_slots", "slots"];

/// What Patroni does with a slot that somebody else made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotCare {
    /// It copies the slot to the replicas, so that it is there after a failover.
    Carries,
    /// It leaves the slot alone (`ignore_slots`).
    Ignores,
    /// It drops the slot as soon as nobody is connected to it.
    Drops,
}

impl DynamicConfig {
    /// What Patroni does with a logical slot on the leader (`patroni/postgresql/slots.py`, `patroni/dcs/__init__.py`).
    pub fn care_of(&self, slot: &Slot) -> SlotCare {
        let permanent = PERMANENT.iter().filter_map(|key| object(self.map()?, key)).find(|slots| !slots.is_empty());
        let configured = permanent.and_then(|slots| slots.get(&slot.name)?.as_object());
        let word = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        // A slot of another database or plugin than the configured one is dropped and made anew.
        let same = |map: &Map<String, Value>| {
            word(map, "type").is_none_or(|kind| kind == "logical")
                && word(map, "database").is_some_and(|d| Some(d) == slot.database)
                && word(map, "plugin").is_some_and(|p| Some(p) == slot.plugin)
        };
        if self.uses_slots() && configured.is_some_and(same) {
            return SlotCare::Carries;
        }
        let matchers = self.map().and_then(|map| map.get("ignore_slots")).and_then(Value::as_array);
        let ignored = matchers.into_iter().flatten().filter_map(Value::as_object).any(|matcher| {
            let fits = |key: &str, value: Option<&str>| {
                word(matcher, key).is_none_or(|wanted| wanted.is_empty() || Some(wanted.as_str()) == value)
            };
            word(matcher, "name").is_none_or(|name| name == slot.name)
                && fits("database", slot.database.as_deref())
                && fits("plugin", slot.plugin.as_deref())
                && fits("type", Some(&slot.kind))
        });
        if ignored { SlotCare::Ignores } else { SlotCare::Drops }
    }

    /// `postgresql.use_slots`; on unless it is switched off.
    pub fn uses_slots(&self) -> bool {
        self.postgresql("use_slots").and_then(switch).unwrap_or(true)
    }

    /// Whether `postgresql.use_pg_rewind` is switched off here. A member's own file may set it as well, and its word counts more.
    pub fn forbids_rewind(&self) -> bool {
        self.postgresql("use_pg_rewind") == Some(&Value::Bool(false))
    }

    /// `postgresql.use_pg_rewind`, where it stands here; `None`: a member's own file may have it, and without that it is off.
    pub fn rewinds(&self) -> Option<bool> {
        self.postgresql("use_pg_rewind").and_then(switch)
    }

    /// Whether a permanent slot is logical: then the replicas must hold back vacuum for it.
    pub fn has_logical_slots(&self) -> bool {
        let permanent = PERMANENT.iter().filter_map(|key| object(self.map()?, key)).find(|slots| !slots.is_empty());
        let logical = |slot: &Value| slot.get("type").and_then(Value::as_str) == Some("logical");
        permanent.is_some_and(|slots| slots.values().any(logical))
    }

    /// Whether a member whose timeline has parted is built anew by itself (`postgresql.remove_data_directory_on_diverged_timelines`).
    pub fn rebuilds_diverged(&self) -> bool {
        self.postgresql("remove_data_directory_on_diverged_timelines").and_then(switch).unwrap_or(false)
    }

    /// Whether a command is known here that fetches WAL from an archive.
    pub fn restores(&self) -> bool {
        let command = |section: &str| self.postgresql(section)?.get("restore_command")?.as_str();
        ["parameters", "recovery_conf"].into_iter().filter_map(command).any(|command| !command.is_empty())
    }

    /// `synchronous_mode_strict`: commits wait even when no standby is there to wait for.
    pub fn synchronous_strict(&self) -> bool {
        self.map().and_then(|map| map.get("synchronous_mode_strict")).and_then(switch).unwrap_or(false)
    }

    /// `ttl`, `loop_wait` and `retry_timeout`, seconds, with Patroni's defaults; `None`: one of them is no number.
    pub fn timeouts(&self) -> Option<Timeouts> {
        let number = |key: &str, default: u32| match self.map()?.get(key) {
            None => Some(default),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => u32::try_from(value.as_u64()?).ok(),
        };
        Some(Timeouts { ttl: number("ttl", 30)?, loop_wait: number("loop_wait", 10)?, retry_timeout: number("retry_timeout", 10)? })
    }

    fn postgresql(&self, key: &str) -> Option<&Value> {
        object(self.map()?, "postgresql")?.get(key)
    }

    fn map(&self) -> Option<&Map<String, Value>> {
        self.raw.as_object()
    }
}

/// The three times that must fit together, seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// `ttl`: how long the leader key holds without being renewed.
    pub ttl: u32,
    /// `loop_wait`: the pause between two loops.
    pub loop_wait: u32,
    /// `retry_timeout`: how long the DCS and PostgreSQL are tried again.
    pub retry_timeout: u32,
}

impl Timeouts {
    /// Whether the leader can wait out `retry_timeout` twice and still renew its key.
    pub fn fit(self) -> bool {
        u64::from(self.loop_wait) + 2 * u64::from(self.retry_timeout) <= u64::from(self.ttl)
    }

    /// What Patroni 3.2 and later run with instead: each at its least (20, 1 and 3), then as much shorter as is needed to fit
    /// (`patroni/config.py`, `_validate_and_adjust_timeouts`).
    pub fn adjusted(self) -> Self {
        let least = Self { ttl: self.ttl.max(20), loop_wait: self.loop_wait.max(1), retry_timeout: self.retry_timeout.max(3) };
        if least.fit() {
            return least;
        }
        match u32::try_from(u64::from(least.ttl).saturating_sub(2 * u64::from(least.retry_timeout))) {
            Ok(loop_wait) if loop_wait >= 1 => Self { loop_wait, ..least },
            _ => Self { loop_wait: 1, retry_timeout: (least.ttl - 1) / 2, ..least },
        }
    }
}

/// A switch as Patroni understands it (`patroni/utils.py`, `parse_bool`): true and false, and the words that PostgreSQL takes for them.
fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::Number(number) => match number.as_u64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(word) => match word.to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Some(true),
            "off" | "false" | "no" | "0" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_do_not_fit_are_shortened_as_patroni_does() {
        let times = |ttl, loop_wait, retry_timeout| Timeouts { ttl, loop_wait, retry_timeout };
        for (configured, run) in [
            (times(30, 10, 10), times(30, 10, 10)),
            (times(20, 5, 5), times(20, 5, 5)),
            (times(15, 5, 5), times(20, 5, 5)),
            (times(30, 11, 10), times(30, 10, 10)),
            (times(21, 10, 10), times(21, 1, 10)),
            (times(20, 10, 10), times(20, 1, 9)),
            (times(30, 10, 4_000_000_000), times(30, 1, 14)),
            (times(20, 0, 1), times(20, 1, 3)),
        ] {
            assert_eq!(configured.adjusted(), run, "{configured:?}");
            assert!(run.fit());
        }
    }
}
