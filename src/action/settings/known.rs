//! The settings that Patroni knows, and what it takes for them (its dynamic_configuration.rst; `patroni/global_config.py`,
//! `patroni/validator.py`, `patroni/config.py`).

use serde_json::Value;

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// A whole number from here on.
    Whole(i64),
    /// Seconds from here on, which may be a text with a unit.
    Span(i64),
    /// A switch.
    Switch,
    /// A switch, or `quorum`.
    Synchronous,
    /// A text.
    Text,
    /// A port.
    Port,
    /// Settings below it.
    Table,
    /// A list.
    List,
}

use Takes::{List, Port, Span, Switch, Synchronous, Table, Text, Whole};

/// At the top.
pub(super) const TOP: [(&str, Takes); 23] = [
    ("loop_wait", Whole(1)),
    ("ttl", Whole(20)),
    ("retry_timeout", Whole(3)),
    ("maximum_lag_on_failover", Whole(0)),
    ("maximum_lag_on_syncnode", Whole(-1)),
    ("max_timelines_history", Whole(0)),
    ("primary_start_timeout", Whole(0)),
    ("primary_stop_timeout", Whole(0)),
    ("master_start_timeout", Whole(0)),
    ("master_stop_timeout", Whole(0)),
    ("synchronous_mode", Synchronous),
    ("synchronous_mode_strict", Switch),
    ("synchronous_node_count", Whole(1)),
    ("failsafe_mode", Switch),
    ("check_timeline", Switch),
    ("pause", Switch),
    ("member_slots_ttl", Span(0)),
    ("postgresql", Table),
    ("standby_cluster", Table),
    ("slots", Table),
    ("permanent_slots", Table),
    ("permanent_replication_slots", Table),
    ("ignore_slots", List),
];

/// Below `postgresql`. Other keys there are commands that make replicas, under names of their own.
pub(super) const POSTGRESQL: [(&str, Takes); 21] = [
    ("parameters", Table),
    ("pg_hba", List),
    ("pg_ident", List),
    ("use_pg_rewind", Switch),
    ("use_slots", Switch),
    ("recovery_conf", Table),
    ("remove_data_directory_on_rewind_failure", Switch),
    ("remove_data_directory_on_diverged_timelines", Switch),
    ("use_unix_socket", Switch),
    ("use_unix_socket_repl", Switch),
    ("pg_ctl_timeout", Whole(0)),
    ("create_replica_methods", List),
    ("callbacks", Table),
    ("custom_conf", Text),
    ("bin_dir", Text),
    ("bin_name", Table),
    ("before_stop", Text),
    ("pre_promote", Text),
    ("rewind", List),
    ("config_base_name", Text),
    ("replica_method", List),
];

/// Below `standby_cluster`.
pub(super) const STANDBY: [(&str, Takes); 7] = [
    ("host", Text),
    ("port", Port),
    ("primary_slot_name", Text),
    ("create_replica_methods", List),
    ("restore_command", Text),
    ("archive_cleanup_command", Text),
    ("recovery_min_apply_delay", Text),
];

/// What Patroni takes from each member's own file alone, and passes over here (`_safe_copy_dynamic_configuration`).
pub(super) const LOCAL: [&str; 7] = ["connect_address", "proxy_address", "listen", "config_dir", "data_dir", "pgpass", "authentication"];

/// Parameters that Patroni sets by itself, whatever stands here.
pub(super) const PATRONIS: [&str; 4] = ["listen_addresses", "port", "cluster_name", "hot_standby"];

/// Parameters that must be alike on all members: the least that Patroni takes, and what it runs with instead (`CMDLINE_OPTIONS`).
pub(super) const ALIKE: [(&str, i64, &str); 7] = [
    ("max_connections", 25, "100"),
    ("max_wal_senders", 3, "10"),
    ("wal_keep_segments", 1, "8"),
    ("max_prepared_transactions", 0, "0"),
    ("max_locks_per_transaction", 32, "64"),
    ("max_replication_slots", 4, "10"),
    ("max_worker_processes", 2, "8"),
];

impl Takes {
    /// Whether Patroni takes this value; `Err` says what it takes.
    pub(super) fn takes(self, value: &Value) -> Result<(), String> {
        let whole = match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let (fits, wanted) = match self {
            Whole(least) => (whole.is_some_and(|n| n >= least), format!("a whole number, {least} or more")),
            Span(least) => {
                let fits = whole.map_or_else(|| value.as_str().is_some_and(is_span), |n| n >= least);
                (fits, "seconds, or a text with a unit, as 30min".to_owned())
            }
            Port => (whole.is_some_and(|n| (1..=65_535).contains(&n)), "a port, 1 to 65535".to_owned()),
            Switch => (switch(value), "true or false".to_owned()),
            Synchronous => {
                let quorum = value.as_str().is_some_and(|word| word.eq_ignore_ascii_case("quorum"));
                (quorum || switch(value), "true, false or quorum".to_owned())
            }
            Text => (value.is_string() || value.is_number(), "a text".to_owned()),
            Table => (value.is_object(), "settings below it".to_owned()),
            List => (value.is_array(), "a list".to_owned()),
        };
        if fits { Ok(()) } else { Err(wanted) }
    }
}

fn is_span(text: &str) -> bool {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    digits > 0 && matches!(text[digits..].trim(), "ms" | "s" | "min" | "h" | "d")
}

/// The words that `parse_bool` takes.
fn switch(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::Number(number) => matches!(number.as_i64(), Some(0 | 1)),
        Value::String(word) => {
            matches!(word.to_ascii_lowercase().as_str(), "on" | "true" | "yes" | "1" | "off" | "false" | "no" | "0")
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_setting_takes() {
        for (takes, value, fits) in [
            (Whole(20), json!(20), true),
            (Whole(20), json!("30"), true),
            (Whole(20), json!(19), false),
            (Whole(0), json!("1MB"), false),
            (Whole(0), json!(1.5), false),
            (Span(0), json!("30 min"), true),
            (Span(0), json!("30 x"), false),
            (Switch, json!("off"), true),
            (Switch, json!("maybe"), false),
            (Switch, json!(2), false),
            (Synchronous, json!("Quorum"), true),
            (Port, json!(0), false),
            (Table, json!([]), false),
            (List, json!([]), true),
        ] {
            assert_eq!(takes.takes(&value).is_ok(), fits, "{takes:?} {value}");
        }
    }
}
