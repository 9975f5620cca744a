//! What Patroni makes of a changed configuration, setting by setting. It takes anything; what does not fit it passes over without a word to
//! the one who wrote it.

use serde_json::Value;

use super::change::at;
use super::known::{ALIKE, LOCAL, PATRONIS, POSTGRESQL, STANDBY, TOP, Takes};
use super::restart::at_start;
use super::{Base, Change};
use crate::action::Check;
use crate::config::nearest;
use crate::model::{DynamicConfig, clean, listed};

/// The checks of a configuration that is to take the place of another.
pub(super) fn checks(base: &Base, after: &Value, changes: &[Change]) -> Vec<Check> {
    let mut all: Vec<Check> = changes.iter().flat_map(of_change).collect();
    all.extend(timeouts(base, after));
    all.extend(restart(changes));
    all.extend(standby(&base.value, after));
    if changes.iter().any(|change| change.path.first().is_some_and(|key| key == "pause")) {
        all.push(Check::amber(
            "pause",
            "the maintenance mode has commands of its own, which wait until every member has seen it: pause, resume",
        ));
    }
    all
}

/// A changed setting and, where it is a table, every setting in it.
fn of_change(change: &Change) -> Vec<Check> {
    let mut all = Vec::new();
    if let Some(after) = &change.after {
        let mut path: Vec<&str> = change.path.iter().map(String::as_str).collect();
        descend(&mut path, after, &mut all);
    }
    all
}

fn descend<'v>(path: &mut Vec<&'v str>, value: &'v Value, out: &mut Vec<Check>) {
    out.extend(setting(path, value));
    let has_settings = matches!(path.as_slice(), [] | ["postgresql" | "standby_cluster"] | ["postgresql", "parameters"]);
    if let Some(map) = value.as_object().filter(|_| has_settings) {
        for (key, value) in map {
            path.push(key);
            descend(path, value, out);
            path.pop();
        }
    }
}

/// What is to be said of one setting.
fn setting(path: &[&str], value: &Value) -> Option<Check> {
    match path {
        [key] => of(path, key, value, &TOP, true),
        ["postgresql", key] if LOCAL.contains(key) => {
            let told = format!("Patroni passes postgresql.{key} over here: it counts in each member's own file only");
            Some(Check::amber(&id(path), told))
        }
        ["postgresql", key] => of(path, key, value, &POSTGRESQL, false),
        ["standby_cluster", key] => of(path, key, value, &STANDBY, true),
        ["postgresql", "parameters", name] => parameter(path, name, value),
        _ => None,
    }
}

/// A setting of a table. `closed`: Patroni passes over what it does not know there.
fn of(path: &[&str], key: &str, value: &Value, known: &[(&str, Takes)], closed: bool) -> Option<Check> {
    let name = id(path);
    if value.is_null() {
        return Some(Check::amber(&name, format!("{name} is null: Patroni runs as if it were not there")));
    }
    if let Some((_, takes)) = known.iter().find(|(other, _)| *other == key) {
        let wanted = takes.takes(value).err()?;
        return Some(Check::red(&name, format!("{name} takes {wanted}; Patroni would pass this over, or fail at it")));
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    match (nearest(key, &names), closed) {
        (Some(near), _) => Some(Check::amber(&name, format!("Patroni knows no {name}; is {near} meant?"))),
        (None, true) => Some(Check::amber(&name, format!("Patroni knows no {name}, and passes it over"))),
        (None, false) => None,
    }
}

fn parameter(path: &[&str], name: &str, value: &Value) -> Option<Check> {
    let lower = name.to_ascii_lowercase();
    if value.is_object() || value.is_array() {
        return Some(Check::red(&id(path), format!("{} takes one value, not several", id(path))));
    }
    if PATRONIS.contains(&lower.as_str()) {
        return Some(Check::amber(&id(path), format!("Patroni sets {} by itself, whatever stands here", clean(name))));
    }
    let (_, least, instead) = ALIKE.iter().find(|(other, ..)| *other == lower)?;
    let fits = Takes::Whole(*least).takes(value).is_ok();
    (!fits).then(|| Check::red(&id(path), format!("Patroni takes {lower} from {least} on, and would run with {instead} instead")))
}

fn id(path: &[&str]) -> String {
    clean(&path.join("."))
}

/// The three times must fit together (`_validate_and_adjust_timeouts`). Told only when it is this change that spoils them.
fn timeouts(base: &Base, after: &Value) -> Option<Check> {
    const ID: &str = "timeouts";
    let times = |value: &Value| DynamicConfig::from_value(value).and_then(|config| config.timeouts());
    if times(&base.value) == times(after) {
        return None;
    }
    let Some(times) = times(after) else {
        return Some(Check::red(ID, "ttl, loop_wait and retry_timeout are not all whole numbers"));
    };
    let run = times.adjusted();
    if run == times {
        return Some(Check::green(ID, "ttl is at least loop_wait + 2 * retry_timeout"));
    }
    let told = format!(
        "ttl {} must be at least loop_wait {} + 2 * retry_timeout {}, with ttl from 20 on, loop_wait from 1 and retry_timeout from 3: \
         Patroni would run with {}, {} and {}",
        times.ttl, times.loop_wait, times.retry_timeout, run.ttl, run.loop_wait, run.retry_timeout
    );
    Some(Check::red(ID, told))
}

fn restart(changes: &[Change]) -> Option<Check> {
    let parameters = changes.iter().flat_map(|change| match change.path.as_slice() {
        [first, second, name] if first == "postgresql" && second == "parameters" => vec![name.clone()],
        [first, second] if first == "postgresql" && second == "parameters" => {
            let tables = [&change.before, &change.after].into_iter().flatten().filter_map(Value::as_object);
            tables.flat_map(|table| table.keys().cloned()).collect()
        }
        _ => Vec::new(),
    });
    let waiting: Vec<String> = parameters.filter(|name| at_start(name)).map(|name| clean(&name)).collect();
    let told = || format!("PostgreSQL takes {} at its start only: every member needs a restart for it", listed(&waiting));
    (!waiting.is_empty()).then(|| Check::amber("restart", told()))
}

fn standby(before: &Value, after: &Value) -> Option<Check> {
    const ID: &str = "standby-cluster";
    let is = |value: &Value| DynamicConfig::from_value(value).is_some_and(|config| config.standby_cluster);
    match (is(before), is(after)) {
        (false, true) => {
            Some(Check::red(ID, "the cluster becomes a standby of another: its leader is demoted, and nobody can write to it"))
        }
        (true, false) => Some(Check::red(ID, "the cluster ends to be a standby of another: its leader is promoted")),
        _ if at(before, &["standby_cluster".to_owned()]) != at(after, &["standby_cluster".to_owned()]) => {
            Some(Check::amber(ID, "the cluster follows another source than before"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Light;
    use serde_json::json;

    /// The checks of a change of a usual configuration, by their ids; the sentence of the first.
    fn of_edit(after: Value) -> (Vec<(String, Light)>, String) {
        let value = json!({"ttl": 30, "loop_wait": 10, "retry_timeout": 10, "postgresql": {"parameters": {"max_connections": 100}}});
        let base = Base { revision: 7, value };
        let mut whole = base.value.clone();
        for (key, value) in after.as_object().expect("a table") {
            whole[key] = value.clone();
        }
        let changes = Change::between(&base.value, &whole);
        let all = checks(&base, &whole, &changes);
        let first = all.first().map(|check| check.sentence.clone()).unwrap_or_default();
        (all.into_iter().map(|check| (check.id, check.light)).collect(), first)
    }

    #[test]
    fn what_patroni_makes_of_a_setting() {
        let pg = |parameters: Value| json!({"postgresql": {"parameters": parameters}});
        for (after, id, light, says) in [
            (json!({"ttl": 19}), "ttl", Light::Red, "ttl takes a whole number, 20 or more"),
            (json!({"loop_wait": "often"}), "loop_wait", Light::Red, "a whole number, 1 or more"),
            (json!({"retry_timout": 5}), "retry_timout", Light::Amber, "is retry_timeout meant?"),
            (json!({"colour": 5}), "colour", Light::Amber, "passes it over"),
            (json!({"synchronous_mode": "maybe"}), "synchronous_mode", Light::Red, "true, false or quorum"),
            (json!({"loop_wait": 11}), "timeouts", Light::Red, "would run with 30, 10 and 10"),
            (json!({"loop_wait": 9}), "timeouts", Light::Green, "at least"),
            (json!({"maximum_lag_on_failover": null}), "maximum_lag_on_failover", Light::Amber, "is null"),
            (json!({"postgresql": {"listen": "*"}}), "postgresql.listen", Light::Amber, "each member's own file"),
            (json!({"postgresql": {"use_pg_rewnd": true}}), "postgresql.use_pg_rewnd", Light::Amber, "is use_pg_rewind meant?"),
            (pg(json!({"max_connections": 10})), "postgresql.parameters.max_connections", Light::Red, "run with 100 instead"),
            (pg(json!({"max_connections": 200})), "restart", Light::Amber, "max_connections at its start only"),
            (pg(json!({"max_connections": 100, "port": 1})), "postgresql.parameters.port", Light::Amber, "by itself"),
            (pg(json!({"max_connections": 100, "work_mem": [1]})), "postgresql.parameters.work_mem", Light::Red, "one value"),
            (json!({"standby_cluster": {"host": "x"}}), "standby-cluster", Light::Red, "its leader is demoted"),
            (json!({"pause": true}), "pause", Light::Amber, "commands of its own"),
        ] {
            let (ids, first) = of_edit(after.clone());
            assert!(ids.contains(&(id.to_owned(), light)), "{after}: {ids:?}");
            assert!(first.contains(says), "{after}: {first}");
        }
        for after in [pg(json!({"max_connections": 100, "work_mem": "8MB"})), json!({"postgresql": {"wal_g": {"command": "x"}}})] {
            assert!(of_edit(after.clone()).0.iter().all(|(id, _)| id == "restart"), "{after}: {:?}", of_edit(after.clone()));
        }
    }
}
