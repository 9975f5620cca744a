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
        self.map().and_then(|map| object(map, "postgresql")).and_then(|p| p.get("use_slots")).and_then(switch).unwrap_or(true)
    }

    fn map(&self) -> Option<&Map<String, Value>> {
        self.raw.as_object()
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
