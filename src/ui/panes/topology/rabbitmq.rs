//! RabbitMQ in the picture: its nodes, its alarms, and the queues beside the tasks that run.

use super::airflow::old;
use super::card::{Card, Item};
use super::part::Part;
use crate::document::{Document, Level, RabbitmqDoc, RabbitmqNodeDoc, RabbitmqQueueDoc, RabbitmqState};
use crate::model::counted;
use crate::theme::{Role, sign};
use crate::ui::format::{age_short, bytes};
use crate::ui::pane::{Ctx, Details};
use crate::ui::panes::asked;
use crate::ui::widget::Sheet;

/// How bad the worst is that is found of it; unknown where it is not known to be well.
fn level(document: &Document, rabbitmq: &RabbitmqDoc) -> Level {
    let about = document.findings.iter().filter(|finding| finding.code.starts_with("rabbitmq-"));
    let found = about.map(|finding| finding.severity).max().unwrap_or(Level::Ok);
    // A finding may come a moment later than what it is about.
    let parted = rabbitmq.parted();
    let away = rabbitmq.nodes.iter().any(|node| node.state != RabbitmqState::Running);
    let worst =
        match (rabbitmq.alarms.as_ref().is_some_and(|alarms| !alarms.is_empty()) || parted.as_ref().is_some_and(|p| !p.is_empty()), away) {
            (true, _) => Level::Critical,
            (false, true) => found.max(Level::Warning),
            (false, false) => found,
        };
    let known = rabbitmq.alarms.is_some() && rabbitmq.queues_asked.fresh && parted.is_some();
    if worst == Level::Ok && !known { Level::Unknown } else { worst }
}

pub(super) fn card<'d>(ctx: &Ctx<'_>, document: &'d Document) -> Option<Card<'d>> {
    let rabbitmq = document.rabbitmq.as_ref()?;
    let mut items: Vec<Item<'d>> = rabbitmq.nodes.iter().map(|node| of_node(ctx, rabbitmq, node)).collect();
    if let Some(item) = alarms(rabbitmq) {
        items.push(item);
    }
    match &rabbitmq.queues {
        Some(queues) => {
            items.extend(queues.iter().map(|queue| of_queue(document, rabbitmq, queue).stale(old(ctx, &rabbitmq.queues_asked))));
            items.extend(rabbitmq.queues_missing.iter().map(|name| Item::new(Level::Warning, name, "NO SUCH QUEUE")));
        }
        None => items.push(Item::new(Level::Unknown, "queues", "not known")),
    }
    let run = rabbitmq.nodes.iter().filter(|node| node.state == RabbitmqState::Running).count();
    let title = format!("RabbitMQ {run}/{} run", rabbitmq.nodes.len());
    Some(Card::new(Some(Part::Rabbitmq), title, items).at_least(level(document, rabbitmq)))
}

/// Whether somebody takes what is in a queue, by a list that is current; and whether something is under way.
pub(super) fn consumed(rabbitmq: &RabbitmqDoc) -> Option<bool> {
    let queues = rabbitmq.queues.as_ref().filter(|_| rabbitmq.queues_asked.fresh)?;
    let taken = |queue: &&RabbitmqQueueDoc| queue.consumers.is_some_and(|n| n > 0);
    let mut taken = queues.iter().filter(taken).peekable();
    taken.peek()?;
    Some(taken.any(|queue| queue.unacknowledged.is_some_and(|n| n > 0)))
}

fn of_node<'d>(ctx: &Ctx<'_>, rabbitmq: &RabbitmqDoc, node: &'d RabbitmqNodeDoc) -> Item<'d> {
    let alarmed = rabbitmq.alarms.iter().flatten().filter(|alarm| alarm.node == node.name);
    let alarmed: Vec<String> = alarmed.map(|alarm| format!("ALARM {}", alarm.resource)).collect();
    let parted = node.partitions.as_ref().filter(|from| !from.is_empty()).map(|from| format!("PARTED from {}", from.join(", ")));
    let wrong: Vec<String> = alarmed.into_iter().chain(parted).collect();
    let since = node.asked.age_ms.map(|ms| format!(", last heard {} ago", age_short(ctx.aged(ms)))).unwrap_or_default();
    let item = match node.state {
        RabbitmqState::Down => Item::new(Level::Warning, &node.name, format!("DOWN, as others see it{since}")).short("DOWN"),
        RabbitmqState::Silent => {
            let old = node.asked.age_ms.map(|ms| format!(" {}", age_short(ctx.aged(ms)))).unwrap_or_default();
            Item::new(Level::Warning, &node.name, format!("SILENT{since}")).short(format!("SILENT{old}"))
        }
        RabbitmqState::Unknown => Item::new(Level::Unknown, &node.name, format!("not known{since}")).short("not known"),
        RabbitmqState::Running if !wrong.is_empty() => Item::new(Level::Critical, &node.name, wrong.join(", ")),
        RabbitmqState::Running => {
            let used =
                [node.mem_used_bytes.map(|n| format!("mem {}", bytes(n))), node.disk_free_bytes.map(|n| format!("{} disk free", bytes(n)))];
            let used: Vec<String> = used.into_iter().flatten().collect();
            let words = if used.is_empty() { "runs".to_owned() } else { used.join(", ") };
            // The lists of all nodes stand still while one hangs; that this one runs is current.
            let words = match old(ctx, &node.lists_asked) {
                Some(age) => format!("runs; of before: {words} · {age}"),
                None => words,
            };
            Item::new(Level::Ok, &node.name, words).short("")
        }
    };
    item.of(Part::Rabbit(&node.name))
}

/// Alarms and partitions, where they are not told of a node that is shown.
fn alarms<'d>(rabbitmq: &RabbitmqDoc) -> Option<Item<'d>> {
    let known = |name: &str| rabbitmq.nodes.iter().any(|node| node.name == name && node.state == RabbitmqState::Running);
    let elsewhere: Vec<String> = rabbitmq
        .alarms
        .iter()
        .flatten()
        .filter(|alarm| !known(&alarm.node))
        .map(|a| format!("ALARM {} on {}", a.resource, a.node))
        .collect();
    match (&rabbitmq.alarms, rabbitmq.parted()) {
        (Some(_), _) if !elsewhere.is_empty() => Some(Item::new(Level::Critical, "", elsewhere.join(", "))),
        (None, _) => Some(Item::new(Level::Unknown, "alarms", "not known").short("?")),
        (_, None) => Some(Item::new(Level::Unknown, "partitions", "not known").short("?")),
        _ => None,
    }
}

fn of_queue<'d>(document: &Document, rabbitmq: &RabbitmqDoc, queue: &'d RabbitmqQueueDoc) -> Item<'d> {
    let about =
        document.findings.iter().filter(|finding| finding.subject.as_ref() == Some(&queue.name) && finding.code.starts_with("rabbitmq-"));
    let found = about.map(|finding| finding.severity).max();
    // A finding waits for a while: a worker may only be starting.
    let work = [queue.ready, queue.unacknowledged, rabbitmq.running_tasks].into_iter().flatten().any(|n| n > 0);
    let lost = queue.consumers == Some(0) && work;
    let tasks =
        rabbitmq.running_tasks.filter(|n| *n > 0).map_or_else(String::new, |n| format!(" · {}", counted(n, "task runs", "tasks run")));
    let told = counts(queue);
    let item = if lost {
        Item::new(found.unwrap_or(Level::Warning), &queue.name, format!("NO CONSUMER, {told}"))
    } else {
        Item::new(found.unwrap_or(Level::Ok), &queue.name, format!("{told}{tasks}")).short(told)
    };
    item.of(Part::Queue(&queue.name))
}

/// `0 ready 2 unacked 1 consumer`.
fn counts(queue: &RabbitmqQueueDoc) -> String {
    let n = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let consumers = if queue.consumers == Some(1) { "consumer" } else { "consumers" };
    let lies = if queue.online.len() < queue.members.len() {
        format!(" on {}/{}", queue.online.len(), queue.members.len())
    } else {
        String::new()
    };
    format!("{} ready {} unacked {} {consumers}{lies}", n(queue.ready), n(queue.unacknowledged), n(queue.consumers))
}

/// The sheet behind it.
pub(super) fn details(ctx: &Ctx<'_>, width: u16) -> Option<Details> {
    let document = ctx.document()?;
    let rabbitmq = document.rabbitmq.as_ref()?;
    let mut sheet = Sheet::new(ctx.look, width);
    for one in &rabbitmq.nodes {
        node(ctx, &mut sheet, one);
    }
    let by = rabbitmq.queues_by.as_deref().map_or_else(String::new, |by| format!("rabbitmq {by}"));
    for one in rabbitmq.queues.iter().flatten() {
        queue(ctx, &mut sheet, rabbitmq, one);
    }
    for name in &rabbitmq.queues_missing {
        sheet.heading(&format!("queue {name}"));
        sheet.fact("", format!("there is none in the virtual host {}", rabbitmq.vhost), Role::Warning, &by);
    }
    asked::lines(ctx, &mut sheet, "queues", &rabbitmq.queues_asked);
    let tasks = rabbitmq.running_tasks.map_or_else(|| "not known".to_owned(), |n| n.to_string());
    sheet.fact("running", tasks, Role::Text, "tasks, by Airflow's metadata");
    Some(Details { title: "RabbitMQ".to_owned(), lines: sheet.lines() })
}

/// The sheet of one node.
pub(super) fn node_details(ctx: &Ctx<'_>, name: &str, width: u16) -> Option<Details> {
    let one = ctx.document()?.rabbitmq.as_ref()?.nodes.iter().find(|node| node.name == name)?;
    let mut sheet = Sheet::new(ctx.look, width);
    node(ctx, &mut sheet, one);
    Some(Details { title: format!("RabbitMQ {name}"), lines: sheet.lines() })
}

/// The sheet of one queue.
pub(super) fn queue_details(ctx: &Ctx<'_>, name: &str, width: u16) -> Option<Details> {
    let rabbitmq = ctx.document()?.rabbitmq.as_ref()?;
    let one = rabbitmq.queues.iter().flatten().find(|queue| queue.name == name)?;
    let mut sheet = Sheet::new(ctx.look, width);
    queue(ctx, &mut sheet, rabbitmq, one);
    let tasks = rabbitmq.running_tasks.map_or_else(|| "not known".to_owned(), |n| n.to_string());
    sheet.fact("tasks that run", tasks, Role::Text, "by Airflow's metadata");
    asked::lines(ctx, &mut sheet, "asked", &rabbitmq.queues_asked);
    Some(Details { title: format!("queue {name}"), lines: sheet.lines() })
}

fn queue(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, rabbitmq: &RabbitmqDoc, one: &RabbitmqQueueDoc) {
    let by = rabbitmq.queues_by.as_deref().map_or_else(String::new, |by| format!("rabbitmq {by}"));
    sheet.heading(&format!("queue {}", one.name));
    let role = if rabbitmq.queues_asked.fresh { Role::Text } else { Role::Stale };
    sheet.fact("holds", counts(one), role, &asked::said(ctx, &by, &rabbitmq.queues_asked));
    sheet.fact("type", one.kind.clone(), role, one.state.as_deref().unwrap_or_default());
    sheet.fact("leader", one.leader.clone().unwrap_or_else(|| "?".to_owned()), role, "");
    sheet.fact("online", format!("{} of {}", one.online.join(", "), one.members.join(", ")), role, "");
}

fn node(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, node: &RabbitmqNodeDoc) {
    let (level, role) = match node.state {
        RabbitmqState::Running => (Level::Ok, Role::Text),
        RabbitmqState::Down | RabbitmqState::Silent => (Level::Critical, Role::Critical),
        RabbitmqState::Unknown => (Level::Unknown, Role::Unknown),
    };
    sheet.heading(&node.name);
    sheet.fact("state", format!("{} {}", sign(level), node.state), role, node.node.as_deref().unwrap_or_default());
    if let Some(version) = &node.version {
        sheet.fact("version", version.clone(), Role::Text, "");
    }
    let of = |used: Option<u64>, limit: Option<u64>| match (used, limit) {
        (Some(used), Some(limit)) => Some(format!("{} (alarm at {})", bytes(used), bytes(limit))),
        (Some(used), None) => Some(bytes(used)),
        (None, _) => None,
    };
    let by = asked::said(ctx, &format!("rabbitmq {}", node.name), &node.lists_asked);
    let old = if node.lists_asked.fresh { Role::Text } else { Role::Stale };
    for (name, text) in
        [("memory", of(node.mem_used_bytes, node.mem_limit_bytes)), ("disk free", of(node.disk_free_bytes, node.disk_free_limit_bytes))]
    {
        if let Some(text) = text {
            sheet.fact(name, text, old, &by);
        }
    }
    let (parted, role) = match &node.partitions {
        None => ("not known".to_owned(), Role::Unknown),
        Some(from) if from.is_empty() => ("from nobody".to_owned(), Role::Text),
        Some(from) => (from.join(", "), Role::Critical),
    };
    sheet.fact("parted", parted, role, "");
    asked::lines(ctx, sheet, "alarms", &node.asked);
    asked::lines(ctx, sheet, "lists", &node.lists_asked);
    asked::certificate(ctx, sheet, "rabbitmq", &node.name);
}
