//! The part on RabbitMQ.

use super::schema_rabbitmq::{RabbitmqAlarmDoc, RabbitmqDoc, RabbitmqNodeDoc, RabbitmqQueueDoc};
use super::{Asked, asked, asked_within};
use crate::model::{
    Cluster, Observed, RABBITMQ_LISTS_FRESH, Rabbitmq, RabbitmqNode, RabbitmqQueue, RabbitmqSeen, RabbitmqState, SourceKind, Time, Work,
    fresh_airflow,
};

/// `None`: no RabbitMQ is configured.
pub(super) fn document(cluster: &Cluster, now: Time) -> Option<RabbitmqDoc> {
    let rabbitmq = cluster.rabbitmq.as_ref()?;
    let alarm = |alarm: &crate::model::RabbitmqAlarm| RabbitmqAlarmDoc {
        node: rabbitmq.called(&alarm.node).to_owned(),
        resource: alarm.resource.clone(),
    };
    let told = rabbitmq.queues();
    let queues = told.and_then(|(_, queues)| queues.last());
    let missing = |queues: &Vec<RabbitmqQueue>| {
        rabbitmq.wanted.iter().filter(|name| !queues.iter().any(|queue| queue.name == **name)).cloned().collect()
    };
    Some(RabbitmqDoc {
        vhost: rabbitmq.vhost.clone(),
        nodes: rabbitmq.seen.iter().map(|(name, seen)| node(rabbitmq, name, seen, now)).collect(),
        alarms: rabbitmq.alarms_now(now).map(|alarms| alarms.into_keys().map(alarm).collect()),
        queues: queues.map(|queues| queues.iter().map(|queue| queue_doc(rabbitmq, queue, now)).collect()),
        queues_asked: queues_asked(rabbitmq, now),
        queues_by: told.map(|(name, _)| name.to_owned()),
        queues_missing: queues.map(missing).unwrap_or_default(),
        running_tasks: fresh_airflow(cluster, now).map(|status| Work::of(status).running),
    })
}

/// Of the newest list; of the first node, where nobody has given one.
fn queues_asked(rabbitmq: &Rabbitmq, now: Time) -> Asked {
    let nobody = Observed::default();
    let first = || rabbitmq.seen.values().map(|seen| &seen.queues).find(|queues| queues.error().is_some());
    let seen = rabbitmq.queues().map(|(_, queues)| queues).or_else(first).unwrap_or(&nobody);
    asked_within(seen, RABBITMQ_LISTS_FRESH, now)
}

fn node(rabbitmq: &Rabbitmq, name: &str, seen: &RabbitmqSeen, now: Time) -> RabbitmqNodeDoc {
    let called = seen.overview.last();
    let own = rabbitmq.erlang_name(name, now);
    // Each tells most of itself: its own word first, at whatever age, then what others say now.
    let of = |list: &Vec<RabbitmqNode>| list.iter().find(|node| Some(node.name.as_str()) == own).cloned();
    let itself = seen.nodes.last().and_then(of);
    let rows: Vec<RabbitmqNode> = rabbitmq.nodes_now(now).filter_map(|(_, list)| list.last().and_then(of)).collect();
    let parted = rows.iter().filter_map(|row| row.partitions.as_ref()).max_by_key(|partitions| partitions.len());
    let state = rabbitmq.state(name, now);
    RabbitmqNodeDoc {
        name: name.to_owned(),
        node: own.map(str::to_owned),
        state,
        version: called.map(|overview| overview.version.clone()),
        partitions: parted.map(|partitions| partitions.iter().map(|node| rabbitmq.called(node).to_owned()).collect()),
        mem_used_bytes: itself.as_ref().and_then(|row| row.mem_used),
        mem_limit_bytes: itself.as_ref().and_then(|row| row.mem_limit),
        disk_free_bytes: itself.as_ref().and_then(|row| row.disk_free),
        disk_free_limit_bytes: itself.as_ref().and_then(|row| row.disk_free_limit),
        asked: asked(&seen.alarms, SourceKind::Rabbitmq, now),
        lists_asked: asked_within(&seen.nodes, RABBITMQ_LISTS_FRESH, now),
    }
}

fn queue_doc(rabbitmq: &Rabbitmq, queue: &RabbitmqQueue, now: Time) -> RabbitmqQueueDoc {
    let called = |names: &[String]| -> Vec<String> { names.iter().map(|name| rabbitmq.called(name).to_owned()).collect() };
    RabbitmqQueueDoc {
        name: queue.name.clone(),
        kind: queue.kind.clone(),
        state: queue.state.clone(),
        ready: queue.ready,
        unacknowledged: queue.unacknowledged,
        consumers: queue.consumers,
        leader: queue.leader.as_deref().map(|name| rabbitmq.called(name).to_owned()),
        members: called(&queue.members),
        // The list goes on naming a member for a while that the others have given up (3.10).
        online: called(&queue.online).into_iter().filter(|name| rabbitmq.state(name, now) != RabbitmqState::Down).collect(),
    }
}
