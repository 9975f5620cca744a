//! Celery, where the lab has RabbitMQ beside Airflow: the scheduler on vm1 gives the tasks to a queue, a worker on vm4 takes them from there.

use std::fmt::Write;

use anyhow::Result;

use super::{airflow, rabbitmq};
use crate::lab::layout::{AMQP, Lab, PROXIES, RABBITS};
use crate::lab::secrets::{Owner, Secrets};

/// The machine of the worker, which reaches the metadata by its HAProxy.
pub const NODE: &str = PROXIES[1];
/// The worker among Airflow's programs.
pub const PROGRAM: &str = "worker";
/// Tasks that it runs at once; each of its processes stays, and takes memory, as long as the worker does.
const CONCURRENCY: u8 = 4;

/// The words behind `airflow` that start it. Nobody asks it for its logs: their server would listen on every address of the machine.
pub const WORDS: [&str; 7] = ["celery", "worker", "--skip-serve-logs", "--celery-hostname", "worker@vm4", "--queues", rabbitmq::QUEUE];

/// The worker's key among the processes; `None`: the lab has none.
#[must_use]
pub fn key(lab: &Lab) -> Option<String> {
    lab.record.options.celery().then(|| format!("{NODE}/{}{PROGRAM}", airflow::PREFIX))
}

/// The executor that Airflow is told to use.
#[must_use]
pub fn executor(lab: &Lab) -> &'static str {
    if lab.record.options.celery() { "CeleryExecutor" } else { "LocalExecutor" }
}

/// The part of Airflow's configuration on a machine, whose HAProxy the results go by; nothing where the lab has no Celery. `connection` is the
/// one of the metadata there.
///
/// # Errors
/// When there is no password of RabbitMQ.
pub fn section(lab: &Lab, secrets: &Secrets, connection: &str) -> Result<String> {
    if !lab.record.options.celery() {
        return Ok(String::new());
    }
    let (user, password) = (rabbitmq::APP, secrets.expose(Owner::RabbitmqApp)?);
    // Whose node goes away goes over to the next.
    let nodes: Vec<String> = RABBITS.iter().map(|node| format!("amqp://{user}:{password}@{}:{AMQP}//", lab.ip(node))).collect();
    let mut out =
        format!("\n[celery]\nbroker_url = {}\nresult_backend = db+{connection}\nworker_concurrency = {CONCURRENCY}\n", nodes.join(";"));
    if airflow::is_3(lab) {
        // Else it wants what a quorum queue refuses (global qos), and takes nothing from it.
        writeln!(out, "extra_celery_config = {{\"task_default_queue_type\": \"quorum\"}}")?;
    }
    Ok(out)
}
