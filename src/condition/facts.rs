//! The document as a condition sees it. A screen shows an old value with its age; a condition would take it for the present, so here it is null.

use std::collections::HashMap;
use std::sync::Arc;

use cel::Value;
use serde_json::Value as Json;

use crate::document::{Document, Level};

/// The document with null for what is not known now.
pub(super) fn json(document: &Document) -> Result<Json, String> {
    let mut json = serde_json::to_value(document).map_err(|error| error.to_string())?;
    forget(&mut json, document);
    Ok(json)
}

/// The document's fields, by their names.
pub(super) fn of(document: &Document) -> Result<Vec<(String, Value)>, String> {
    let Json::Object(fields) = json(document)? else { return Err("the document is no object".to_owned()) };
    Ok(fields.into_iter().map(|(name, value)| (name, value_of(value))).collect())
}

/// Makes null what was said by sources that are silent now, and lists of which nobody can say that they are complete.
fn forget(json: &mut Json, document: &Document) {
    let fresh = |name: &str| document.sources.iter().any(|source| source.name == name && source.fresh);
    if !fresh("dcs") {
        null(&mut json["cluster"], &["leader", "paused", "sync_standbys", "scheduled_switchover"]);
        each(&mut json["members"], |member| null(member, &["present", "missing_since"]));
    }
    if !fresh("lease") {
        null(&mut json["cluster"], &["lease_ttl_seconds"]);
    }
    // An empty list would make "all of them" true.
    if document.cluster.dcs_revision.is_none() {
        null(json, &["members", "history"]);
    }
    if document.etcd.size.is_none() {
        null(&mut json["etcd"], &["members", "healthy"]);
    }
    if document.findings.is_empty() && document.headline.level == Level::Unknown {
        null(json, &["findings"]);
    }
    let stale = |asked: &Json| asked["asked"]["fresh"] != true;
    each(&mut json["etcd"]["members"], |member| {
        if stale(member) {
            null(
                member,
                &["raft_term", "raft_index", "raft_applied_index", "db_size_bytes", "db_in_use_bytes", "version", "alarms", "errors"],
            );
        }
    });
    each(&mut json["nodes"], |node| {
        if stale(node) {
            let keys: Vec<String> = node.as_object().into_iter().flat_map(|fields| fields.keys()).cloned().collect();
            // The last word stands on a screen, with its age.
            null(node, &keys.iter().map(String::as_str).filter(|key| !["name", "asked"].contains(key)).collect::<Vec<_>>());
        }
    });
    if document.dags.is_some() {
        each(&mut json["dags"]["hosts"], |host| {
            if stale(host) {
                null(host, DAGS_OF_A_HOST);
            }
        });
    }
    if document.dags.is_some() && document.dags.iter().flat_map(|dags| &dags.hosts).any(|host| !host.asked.fresh) {
        null(&mut json["dags"], &["same"]);
    }
    if document.target.as_ref().is_some_and(|target| !target.asked.fresh) {
        null(&mut json["target"], OF_THE_TARGET);
    }
    if document.airflow.as_ref().is_some_and(|airflow| !airflow.asked.fresh) {
        null(&mut json["airflow"], &["metadata"]);
    }
    if let Some(rabbitmq) = &document.rabbitmq {
        if !rabbitmq.queues_asked.fresh {
            null(&mut json["rabbitmq"], &["queues", "queues_missing"]);
        }
        each(&mut json["rabbitmq"]["nodes"], |node| {
            if node["lists_asked"]["fresh"] != true {
                null(node, &["mem_used_bytes", "mem_limit_bytes", "disk_free_bytes", "disk_free_limit_bytes"]);
            }
        });
    }
    each(&mut json["routes"], |route| {
        if stale(route) {
            null(route, &["up", "servers", "sessions"]);
        }
    });
}

/// What a host has told of the folder of the DAGs, and the target of itself.
const DAGS_OF_A_HOST: &[&str] =
    &["mounted", "hung_seconds", "available_bytes", "used_share", "inodes_free_share", "files", "newest_file", "newest_changed"];
const OF_THE_TARGET: &[&str] = &["load_1", "available_bytes", "used_share", "book"];

fn null(json: &mut Json, keys: &[&str]) {
    for key in keys {
        if let Some(value) = json.get_mut(*key) {
            *value = Json::Null;
        }
    }
}

fn each(json: &mut Json, change: impl Fn(&mut Json)) {
    json.as_array_mut().into_iter().flatten().for_each(change);
}

/// As CEL has it. Whole numbers are signed ones, as those are that somebody writes.
fn value_of(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Value::Int(value),
            (None, Some(value)) => Value::UInt(value),
            (None, None) => number.as_f64().map_or(Value::Null, Value::Float),
        },
        Json::String(text) => Value::String(Arc::new(text)),
        Json::Array(items) => Value::List(Arc::new(items.into_iter().map(value_of).collect())),
        Json::Object(fields) => {
            let fields: HashMap<String, Value> = fields.into_iter().map(|(name, value)| (name, value_of(value))).collect();
            Value::Map(fields.into())
        }
    }
}
