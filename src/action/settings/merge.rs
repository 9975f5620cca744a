//! How patronictl makes a new configuration out of the old one and what it is given (`patroni/ctl.py`, `edit_config`; `patroni/utils.py`,
//! `patch_config`).

use serde_json::{Map, Value};

/// The configuration with a file merged in: a null takes a setting away, tables are merged, anything else takes the old value's place, unless
/// both read the same.
#[must_use]
pub fn merged(mut config: Map<String, Value>, news: &Map<String, Value>) -> Map<String, Value> {
    merge(&mut config, news);
    config
}

fn merge(config: &mut Map<String, Value>, news: &Map<String, Value>) {
    for (name, value) in news {
        match (config.get_mut(name), value) {
            (_, Value::Null) => drop(config.shift_remove(name)),
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (Some(old), new) if !new.is_object() && spelled(old) == spelled(new) => {}
            _ => drop(config.insert(name.clone(), value.clone())),
        }
    }
}

/// As Python's `str` spells it, so far as two values of a configuration can be told apart by it.
fn spelled(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The configuration with one setting changed; `path` has dots between the keys, but a parameter's name keeps its own. A null takes it away,
/// and with it the tables that are empty then.
#[must_use]
pub fn with_setting(mut config: Map<String, Value>, path: &str, value: Value) -> Map<String, Value> {
    let path = path.trim();
    let keys: Vec<&str> = match path.strip_prefix("postgresql.parameters.") {
        Some(parameter) => vec!["postgresql", "parameters", parameter],
        None => path.split('.').collect(),
    };
    set(&mut config, &keys, value);
    config
}

fn set(config: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] if value.is_null() => drop(config.shift_remove(*key)),
        [key] => drop(config.insert((*key).to_owned(), value)),
        [key, rest @ ..] => {
            let below = config.entry(*key).or_insert(Value::Null);
            if !below.is_object() {
                *below = Value::Object(Map::new());
            }
            if let Value::Object(inner) = below {
                set(inner, rest, value);
                if inner.is_empty() {
                    config.shift_remove(*key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("a table")
    }

    #[test]
    fn settings_are_set_and_taken_away_with_their_empty_tables() {
        let config = json!({"ttl": 30, "slots": {"a": {"type": "physical"}}, "postgresql": {"parameters": {"x": 1}}});
        for (path, value, expected) in [
            ("ttl", json!(20), json!({"ttl": 20, "slots": {"a": {"type": "physical"}}, "postgresql": {"parameters": {"x": 1}}})),
            ("slots.a.type", json!(null), json!({"ttl": 30, "postgresql": {"parameters": {"x": 1}}})),
            ("ttl.x", json!(1), json!({"ttl": {"x": 1}, "slots": {"a": {"type": "physical"}}, "postgresql": {"parameters": {"x": 1}}})),
            (
                "postgresql.parameters.pg_stat.x",
                json!(5),
                json!({"ttl": 30, "slots": {"a": {"type": "physical"}}, "postgresql": {"parameters": {"x": 1, "pg_stat.x": 5}}}),
            ),
        ] {
            assert_eq!(Value::Object(with_setting(map(config.clone()), path, value)), expected, "{path}");
        }
    }

    #[test]
    fn a_merge_keeps_what_reads_the_same_and_takes_nulls_away() {
        let config = map(json!({"a": 30, "b": {"x": 1, "y": 2}, "c": true}));
        let news = map(json!({"a": "30", "b": {"x": null, "z": {"n": null}}, "c": "true", "d": [1]}));
        assert_eq!(Value::Object(merged(config, &news)), json!({"a": 30, "b": {"y": 2, "z": {"n": null}}, "c": "true", "d": [1]}));
        let news = map(json!({"a": null, "b": {"c": null}}));
        assert_eq!(Value::Object(merged(Map::new(), &news)), json!({"b": {"c": null}}), "below a new table nulls stay");
    }
}
