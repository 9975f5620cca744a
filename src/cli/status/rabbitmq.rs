//! RabbitMQ in the plain text: a line for the nodes, one for each queue.

use std::fmt::Write;

use crate::document::{RabbitmqDoc, RabbitmqState};

/// The lines, each with its end.
pub(super) fn lines(rabbitmq: &RabbitmqDoc) -> String {
    let running = rabbitmq.nodes.iter().filter(|node| node.state == RabbitmqState::Running).count();
    let mut out = format!("rabbitmq: {running} of {} nodes run", rabbitmq.nodes.len());
    for node in rabbitmq.nodes.iter().filter(|node| node.state != RabbitmqState::Running) {
        let _ = write!(out, ", {} {}", node.name, node.state);
    }
    let _ = match &rabbitmq.alarms {
        None => write!(out, ", alarms ?"),
        Some(alarms) if alarms.is_empty() => write!(out, ", no alarm"),
        Some(alarms) => alarms.iter().try_for_each(|alarm| write!(out, ", ALARM {} {}", alarm.node, alarm.resource)),
    };
    match rabbitmq.parted() {
        None => out.push_str(", partitions ?"),
        Some(parted) if parted.is_empty() => out.push_str(", no partition"),
        Some(parted) => out.push_str(&format!(", PARTED {}", parted.join(", "))),
    }
    out.push('\n');
    let asked = &rabbitmq.queues_asked;
    let age = match (&rabbitmq.queues, asked.age_ms, asked.fresh, &asked.error) {
        (None, _, _, Some(error)) => format!("queues: {error}\n"),
        (None, ..) => "queues: not heard yet\n".to_owned(),
        (Some(_), Some(ms), false, error) => {
            let why = error.as_ref().map(|error| format!(", {error}")).unwrap_or_default();
            format!("queues: {} s old{why}\n", ms / 1000)
        }
        _ => String::new(),
    };
    out.push_str(&age);
    let n = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let running = rabbitmq.running_tasks.map_or_else(String::new, |n| format!(", {n} tasks running"));
    for queue in rabbitmq.queues.iter().flatten() {
        let (ready, unacked, consumers) = (n(queue.ready), n(queue.unacknowledged), n(queue.consumers));
        let _ = writeln!(
            out,
            "queue {} ({}): {ready} ready, {unacked} unacknowledged, {consumers} consumers, leader {}{running}",
            queue.name,
            queue.kind,
            queue.leader.as_deref().unwrap_or("?")
        );
    }
    for name in &rabbitmq.queues_missing {
        let _ = writeln!(out, "queue {name}: there is none in the virtual host {}", rabbitmq.vhost);
    }
    out
}
