//! RabbitMQ on three nodes of its own: configuration, environment, and the users.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::airflow;
use crate::lab::files::{self, PRIVATE, PUBLIC};
use crate::lab::layout::{AMQP, ERLANG, Lab, MANAGEMENT, RABBITS, epmd_port};
use crate::lab::secrets::{Owner, Secrets};

/// The user of Airflow's part, who may do everything.
pub const APP: &str = "airflow";
/// The console's user, who sees everything and may touch nothing.
pub const CONSOLE: &str = "pgbaton";
/// The queue of Airflow's tasks.
pub const QUEUE: &str = "default";

/// The queue of Airflow's tasks as its Celery would make it itself, which refuses one that is otherwise: the Celery of Airflow 2.10 cannot take from a
/// quorum queue.
#[must_use]
pub fn queue(lab: &Lab) -> Value {
    if policy(lab).is_some() { json!({"durable": true}) } else { json!({"durable": true, "arguments": {"x-queue-type": "quorum"}}) }
}

/// What makes a classic queue lie on every node; `None`: it is a quorum queue, which does.
#[must_use]
pub fn policy(lab: &Lab) -> Option<Value> {
    let definition = json!({"ha-mode": "all", "ha-sync-mode": "automatic"});
    let classic = lab.record.options.celery() && !airflow::is_3(lab);
    classic.then(|| json!({"pattern": format!("^{QUEUE}$"), "apply-to": "queues", "definition": definition}))
}

/// Writes what the nodes read. The users come from a file: a password on a command line could be read by everybody.
///
/// # Errors
/// When a file cannot be written.
pub fn write(lab: &Lab, secrets: &Secrets) -> Result<()> {
    let owner = &lab.record.account;
    let users = json!({
        "users": [
            {"name": APP, "password": secrets.expose(Owner::RabbitmqApp)?, "tags": "administrator"},
            {"name": CONSOLE, "password": secrets.expose(Owner::Rabbitmq)?, "tags": "monitoring"},
        ],
        "vhosts": [{"name": "/"}],
        "permissions": [
            {"user": APP, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
            {"user": CONSOLE, "vhost": "/", "configure": "^$", "write": "^$", "read": "^$"},
        ],
    });
    for node in RABBITS {
        let dir = lab.node_dir(node);
        files::write(&dir.join("definitions.json"), &users.to_string(), PRIVATE, owner)?;
        files::write(&dir.join("rabbitmq.conf"), &config(lab, node), PUBLIC, owner)?;
        files::write(&dir.join("enabled_plugins"), "[rabbitmq_management].\n", PUBLIC, owner)?;
        files::write(&dir.join("inetrc"), &hosts(lab), PUBLIC, owner)?;
        files::write(&dir.join(".erlang.cookie"), secrets.expose(Owner::ErlangCookie)?, 0o400, owner)?;
    }
    files::write(&lab.dir.join("rabbitmq-password"), secrets.expose(Owner::Rabbitmq)?, PRIVATE, owner)
}

/// RabbitMQ's own name for a node: its first part must be another on each, as one epmd knows all three.
#[must_use]
pub fn name(node: &str) -> String {
    format!("rabbit{}@{node}", node.trim_start_matches("vm"))
}

fn config(lab: &Lab, node: &str) -> String {
    let (ip, dir) = (lab.ip(node), lab.node_dir(node));
    let mut out = format!(
        "listeners.tcp.1 = {ip}:{AMQP}\nmanagement.tcp.ip = {ip}\nmanagement.tcp.port = {MANAGEMENT}\nload_definitions = {}/definitions.json\n\
         cluster_name = {}\ncluster_partition_handling = pause_minority\ncluster_formation.peer_discovery_backend = classic_config\n\
         log.console = true\nlog.file = false\ndisk_free_limit.absolute = 50MB\n",
        dir.display(),
        lab.record.name
    );
    for (n, other) in RABBITS.iter().enumerate() {
        let _ = writeln!(out, "cluster_formation.classic_config.nodes.{} = {}", n + 1, name(other));
    }
    out
}

/// Erlang's own hosts file, as no resolver knows the nodes.
fn hosts(lab: &Lab) -> String {
    let mut out = String::from("{lookup, [file, native]}.\n");
    for node in RABBITS {
        let _ = writeln!(out, "{{host, {}, [{node:?}]}}.", tuple(lab, node));
    }
    out
}

/// A node's address as Erlang writes it.
fn tuple(lab: &Lab, node: &str) -> String {
    format!("{{{}}}", lab.ip(node).octets().map(|part| part.to_string()).join(","))
}

/// What its programs, and its own commands, find in their environment.
#[must_use]
pub fn env(lab: &Lab, node: &str) -> Vec<(String, String)> {
    let dir = lab.node_dir(node);
    let at = |file: &str| dir.join(file).to_string_lossy().into_owned();
    let port = ERLANG + u16::from(lab.ip(node).octets()[3]);
    // One scheduler, which sleeps when there is nothing to do: three nodes share the machine with all the rest.
    let erl = format!("+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {}", tuple(lab, node));
    [
        ("ERL_EPMD_PORT", epmd_port(lab.record.block).to_string()),
        ("ERL_INETRC", at("inetrc")),
        ("RABBITMQ_NODENAME", name(node)),
        ("RABBITMQ_CONFIG_FILE", at("rabbitmq.conf")),
        ("RABBITMQ_CONF_ENV_FILE", "/dev/null".to_owned()),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", at("enabled_plugins")),
        ("RABBITMQ_MNESIA_BASE", at("mnesia")),
        ("RABBITMQ_LOG_BASE", at("log")),
        ("RABBITMQ_PID_FILE", at("run/rabbitmq.pid")),
        ("RABBITMQ_DIST_PORT", port.to_string()),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", erl),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn folder(lab: &Lab) -> Result<&PathBuf> {
    lab.record.tools.rabbitmq.as_ref().context("the lab has no RabbitMQ")
}

/// The server.
///
/// # Errors
/// When the lab has none.
pub fn argv(lab: &Lab) -> Result<Vec<String>> {
    Ok(vec![folder(lab)?.join("rabbitmq-server").to_string_lossy().into_owned()])
}

/// `rabbitmqctl` with these words.
///
/// # Errors
/// When the lab has no RabbitMQ.
pub fn ctl(lab: &Lab, words: &[&str]) -> Result<Vec<String>> {
    let program = folder(lab)?.join("rabbitmqctl").to_string_lossy().into_owned();
    Ok([program].into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect())
}

/// The directory of Erlang's nodes, a program of its own, so that none is started as a daemon that nobody ends. It always listens on 127.0.0.1 too:
/// without network namespaces there is one for all three.
#[must_use]
pub fn epmd(lab: &Lab, node: &str) -> Vec<String> {
    let nodes: Vec<String> = match lab.record.options.netns {
        true => vec![lab.ip(node).to_string()],
        false => RABBITS.iter().map(|node| lab.ip(node).to_string()).collect(),
    };
    vec!["epmd".into(), "-port".into(), epmd_port(lab.record.block).to_string(), "-address".into(), nodes.join(",")]
}

/// The programs of one of its nodes, in the order in which they are started.
#[must_use]
pub fn programs(lab: &Lab, node: &str) -> &'static [&'static str] {
    if lab.record.options.netns || node == RABBITS[0] { &["sshd", "epmd", "rabbitmq"] } else { &["sshd", "rabbitmq"] }
}
