//! RabbitMQ in the picture: its nodes, its alarms, and the queues beside the tasks that run.

use ratatui::text::{Line, Span};

use super::below::said;
use crate::document::{Asked, Document, Level, RabbitmqDoc, RabbitmqNodeDoc, RabbitmqQueueDoc, RabbitmqState};
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

/// Two lines: the nodes and what of them is wrong; the queues.
pub(super) fn lines(ctx: &Ctx<'_>, document: &Document, rabbitmq: &RabbitmqDoc, width: u16) -> Vec<Line<'static>> {
    let level = level(document, rabbitmq);
    let mut lines = said(ctx, level, "RabbitMQ", &nodes(rabbitmq), width);
    let queues = match &rabbitmq.queues {
        Some(queues) if queues.is_empty() => format!("no queue {}", rabbitmq.queues_missing.join(", ")),
        Some(queues) => queues.iter().map(queue).collect::<Vec<_>>().join("; "),
        None => "queues not known".to_owned(),
    };
    let tasks = rabbitmq.running_tasks.map_or_else(String::new, |n| format!(" · {n} running"));
    let role = if rabbitmq.queues_asked.fresh { Role::Text } else { Role::Stale };
    let old = old(ctx, &rabbitmq.queues_asked);
    for text in crate::ui::format::wrap(&format!("{queues}{tasks}{old}"), usize::from(width).saturating_sub(14).max(10)) {
        lines.push(Line::from(vec![Span::raw(" ".repeat(11)), ctx.look.span(text, role)]));
    }
    lines
}

fn old(ctx: &Ctx<'_>, asked: &Asked) -> String {
    match asked.age_ms.filter(|_| !asked.fresh) {
        Some(ms) => format!(" ◐ {} old", age_short(ctx.aged(ms))),
        None => String::new(),
    }
}

/// `3/3 run · alarm none · part none`, and who does not run.
fn nodes(rabbitmq: &RabbitmqDoc) -> String {
    let of = |state: RabbitmqState| rabbitmq.nodes.iter().filter(move |node| node.state == state).map(|node| node.name.as_str());
    let mut parts = vec![format!("{}/{} run", of(RabbitmqState::Running).count(), rabbitmq.nodes.len())];
    for state in [RabbitmqState::Down, RabbitmqState::Silent, RabbitmqState::Unknown] {
        let names: Vec<&str> = of(state).collect();
        if !names.is_empty() {
            parts.push(format!("{} {state}", names.join(", ")));
        }
    }
    parts.push(match &rabbitmq.alarms {
        None => "alarms ?".to_owned(),
        Some(alarms) if alarms.is_empty() => "no alarm".to_owned(),
        Some(alarms) => alarms.iter().map(|alarm| format!("ALARM {} {}", alarm.node, alarm.resource)).collect::<Vec<_>>().join(", "),
    });
    parts.push(match rabbitmq.parted() {
        None => "partitions ?".to_owned(),
        Some(parted) if parted.is_empty() => "no partition".to_owned(),
        Some(parted) => format!("PARTED {}", parted.join(", ")),
    });
    parts.join(" · ")
}

/// `default 0 ready 2 unacked 1 consumer`.
fn queue(queue: &RabbitmqQueueDoc) -> String {
    let n = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let consumers = if queue.consumers == Some(1) { "consumer" } else { "consumers" };
    let lies = if queue.online.len() < queue.members.len() {
        format!(" on {}/{}", queue.online.len(), queue.members.len())
    } else {
        String::new()
    };
    format!("{} {} ready {} unacked {} {consumers}{lies}", queue.name, n(queue.ready), n(queue.unacknowledged), n(queue.consumers))
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
        sheet.heading(&format!("queue {}", one.name));
        let role = if rabbitmq.queues_asked.fresh { Role::Text } else { Role::Stale };
        sheet.fact("holds", queue(one), role, &asked::said(ctx, &by, &rabbitmq.queues_asked));
        sheet.fact("type", one.kind.clone(), Role::Text, one.state.as_deref().unwrap_or_default());
        sheet.fact("leader", one.leader.clone().unwrap_or_else(|| "?".to_owned()), Role::Text, "");
        sheet.fact("online", format!("{} of {}", one.online.join(", "), one.members.join(", ")), Role::Text, "");
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
