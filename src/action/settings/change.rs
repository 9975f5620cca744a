//! What is different between two configurations.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::clean;

/// What stands for what may be a secret.
const MASK: &str = "***";
/// Parts of names, and of values, that give a secret away. Patroni's documentation says that there are none in the dynamic configuration;
/// commands and connection strings are written into it all the same.
const TELLTALE: [&str; 6] = ["passw", "secret", "token", "conninfo", "credential", "access_key"];

/// One setting that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The keys that lead to it: `["postgresql", "parameters", "work_mem"]`.
    pub path: Vec<String>,
    /// What it was; `None`: it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is; `None`: it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Whether the values stand here masked, as they may be a secret.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
}

impl Change {
    /// The changes from one configuration to another, setting by setting where both are tables.
    pub fn between(before: &Value, after: &Value) -> Vec<Self> {
        let mut changes = Vec::new();
        collect(&mut Vec::new(), Some(before), Some(after), &mut changes);
        changes
    }

    /// The keys with dots between them.
    pub fn name(&self) -> String {
        clean(&self.path.join("."))
    }

    /// Without what may be a secret.
    #[must_use]
    pub fn without_secrets(self) -> Self {
        let told = |value: &Option<Value>| value.as_ref().is_some_and(tells_secret);
        let secret = self.path.iter().any(|key| telltale(key)) || told(&self.before) || told(&self.after);
        if !secret {
            return self;
        }
        let mask = |value: Option<Value>| value.map(|_| Value::from(MASK));
        Self { before: mask(self.before), after: mask(self.after), masked: true, ..self }
    }

    /// `ttl: 30 -> 20`.
    pub fn told(&self) -> String {
        let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "not set".to_owned(), |value| clean(&value.to_string()));
        let shown = self.clone().without_secrets();
        format!("{}: {} -> {}", shown.name(), value(&shown.before), value(&shown.after))
    }
}

fn telltale(text: &str) -> bool {
    let text = text.to_lowercase();
    TELLTALE.iter().any(|part| text.contains(part)) || text.split_once("://").is_some_and(|(_, rest)| rest.contains('@'))
}

fn tells_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => telltale(text),
        Value::Array(items) => items.iter().any(tells_secret),
        Value::Object(map) => map.iter().any(|(key, value)| telltale(key) || tells_secret(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn collect(path: &mut Vec<String>, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                path.push(key.clone());
                collect(path, old.get(key), new.get(key), changes);
                path.pop();
            }
        }
        (before, after) if before == after => {}
        (before, after) => {
            changes.push(Change { path: path.clone(), before: before.cloned(), after: after.cloned(), masked: false });
        }
    }
}

/// The value at the end of a path.
pub(super) fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// Puts a value at the end of a path, or takes it away; tables on the way are made.
pub(super) fn put(map: &mut Map<String, Value>, path: &[String], value: Option<Value>) {
    match (path, value) {
        ([], _) => {}
        ([key], Some(value)) => drop(map.insert(key.clone(), value)),
        ([key], None) => drop(map.shift_remove(key)),
        ([key, rest @ ..], value) => {
            let entry = map.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = entry {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_is_told_setting_by_setting() {
        let before = json!({"ttl": 30, "postgresql": {"parameters": {"work_mem": "4MB"}, "pg_hba": ["a"]}, "pause": true});
        let after = json!({"ttl": 30, "postgresql": {"parameters": {"work_mem": "8MB", "x.y": 1}, "pg_hba": ["a", "b"]}});
        let told: Vec<String> = Change::between(&before, &after).iter().map(Change::told).collect();
        let expected = [
            "postgresql.parameters.work_mem: \"4MB\" -> \"8MB\"",
            "postgresql.parameters.x.y: not set -> 1",
            "postgresql.pg_hba: [\"a\"] -> [\"a\",\"b\"]",
            "pause: true -> not set",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_may_be_a_secret_is_masked() {
        for (path, value) in [
            ("primary_conninfo", json!("host=a")),
            ("restore_command", json!("SECRET_ACCESS_KEY=x wal-g")),
            ("pg_hba", json!(["host all all ldap ldapbindpasswd=geheim"])),
            ("x", json!({"password": "geheim"})),
            ("archive_command", json!("cp %p ftp://u:geheim@h/%f")),
        ] {
            let change = Change { path: vec![path.to_owned()], before: None, after: Some(value), masked: false };
            let shown = change.clone().without_secrets();
            assert!(shown.masked && shown.after == Some(json!("***")) && shown.before.is_none(), "{shown:?}");
            assert!(!change.told().contains("geheim"), "{}", change.told());
        }
        let plain = Change { path: vec!["ttl".to_owned()], before: Some(json!(1)), after: None, masked: false };
        assert_eq!(plain.clone().without_secrets(), plain);
    }
}
