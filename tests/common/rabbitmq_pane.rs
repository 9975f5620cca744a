//! RabbitMQ in the picture of the estate.

use pgbaton::document::{Asked, RabbitmqAlarmDoc, RabbitmqDoc, RabbitmqNodeDoc, RabbitmqQueueDoc, RabbitmqState};

use super::*;

fn asked(age_ms: u64, fresh: bool) -> Asked {
    let error = (!fresh).then(|| "10.0.0.5:15672: no answer within 2 s to /api/queues".to_owned());
    Asked { age_ms: Some(age_ms), fresh, error, error_kind: None, rtt_ms: Some(3.0) }
}

fn node(name: &str) -> RabbitmqNodeDoc {
    RabbitmqNodeDoc {
        name: name.to_owned(),
        node: Some(format!("rabbit@{name}")),
        state: RabbitmqState::Running,
        version: Some("3.10.8".to_owned()),
        partitions: Some(Vec::new()),
        mem_used_bytes: Some(149 << 20),
        mem_limit_bytes: Some(3 << 30),
        disk_free_bytes: Some(73 << 30),
        disk_free_limit_bytes: Some(50_000_000),
        asked: asked(400, true),
        lists_asked: asked(900, true),
    }
}

pub(super) fn healthy() -> RabbitmqDoc {
    let names = ["vm5", "vm6", "vm7"];
    RabbitmqDoc {
        vhost: "/".to_owned(),
        nodes: names.iter().map(|name| node(name)).collect(),
        alarms: Some(Vec::new()),
        queues: Some(vec![RabbitmqQueueDoc {
            name: "default".to_owned(),
            kind: "quorum".to_owned(),
            state: Some("running".to_owned()),
            ready: Some(0),
            unacknowledged: Some(2),
            consumers: Some(1),
            leader: Some("vm5".to_owned()),
            members: names.map(str::to_owned).to_vec(),
            online: names.map(str::to_owned).to_vec(),
        }]),
        queues_asked: asked(900, true),
        queues_by: Some("vm5".to_owned()),
        queues_missing: Vec::new(),
        running_tasks: Some(2),
    }
}

/// vm6 hangs: its own API is silent, and the lists of all are as old as that.
pub(super) fn frozen() -> RabbitmqDoc {
    let mut doc = healthy();
    for node in &mut doc.nodes {
        (node.partitions, node.lists_asked) = (None, asked(14_000, false));
    }
    (doc.nodes[1].state, doc.nodes[1].asked) = (RabbitmqState::Silent, asked(14_000, false));
    (doc.queues_asked, doc.running_tasks) = (asked(14_000, false), None);
    doc
}

fn alarmed() -> RabbitmqDoc {
    let mut doc = healthy();
    doc.alarms = Some(vec![RabbitmqAlarmDoc { node: "vm7".to_owned(), resource: "memory".to_owned() }]);
    doc.nodes[0].partitions = Some(vec!["vm6".to_owned()]);
    doc
}

fn picture(rabbitmq: RabbitmqDoc, size: (u16, u16)) -> Buffer {
    let mut state = console(vec![Document { rabbitmq: Some(rabbitmq), ..sample::healthy() }]);
    press(&mut state, &[CommandId::Pane0]);
    screen(&mut state, size, false)
}

#[test]
fn rabbitmq_is_in_the_picture() {
    for (name, doc) in [("healthy", healthy()), ("frozen", frozen()), ("alarmed", alarmed())] {
        for size in [(80, 24), (160, 48)] {
            snapshot(&format!("rabbitmq-{name}-{}x{}", size.0, size.1), &picture(doc.clone(), size));
        }
    }
}

/// The sign before RabbitMQ.
fn sign_of(doc: RabbitmqDoc) -> char {
    let shown = text(&picture(doc, (120, 40)));
    let line = shown.lines().find(|line| line.contains(" RabbitMQ ")).unwrap_or_else(|| panic!("{shown}"));
    line.split(" RabbitMQ ").next().and_then(|before| before.chars().last()).unwrap_or_else(|| panic!("{shown}"))
}

#[test]
fn what_is_not_known_to_be_well_is_not_green() {
    assert_eq!(sign_of(healthy()), '●');
    assert_ne!(sign_of(frozen()), '●');
    assert_eq!(sign_of(alarmed()), '✖');
    assert_ne!(sign_of(RabbitmqDoc { alarms: None, ..healthy() }), '●');
    assert_ne!(sign_of(RabbitmqDoc { queues: None, queues_asked: asked(9, false), ..healthy() }), '●');
}

#[test]
fn the_sheet_has_each_node_and_queue() {
    let mut state = console(vec![Document { rabbitmq: Some(frozen()), ..sample::healthy() }]);
    press(&mut state, &[CommandId::Pane0]);
    state.views[9].selected = Some("rabbitmq".to_owned());
    press(&mut state, &[CommandId::Open]);
    snapshot("rabbitmq-details", &screen(&mut state, (80, 60), false));
    // Its last two are the third node and the queue.
    press(&mut state, &[CommandId::Back, CommandId::Bottom, CommandId::Open]);
    let queue = text(&screen(&mut state, (80, 24), false));
    assert!(
        queue.contains("queue default") && queue.contains("0 ready 2 unacked 1 consumer") && queue.contains("tasks that run"),
        "{queue}"
    );
    press(&mut state, &[CommandId::Back, CommandId::Up, CommandId::Open]);
    let node = text(&screen(&mut state, (80, 24), false));
    assert!(node.contains("RabbitMQ vm7") && node.contains("rabbit@vm7") && !node.contains("rabbit@vm6"), "{node}");
}
