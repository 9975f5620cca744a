//! Below the picture: etcd as a whole, who takes over, what Airflow says, and RabbitMQ.

use ratatui::text::{Line, Span};

use super::node::etcd_of;
use super::{Part, estate, rabbitmq};
use crate::document::{Document, Level};
use crate::theme::{Role, sign};
use crate::ui::fact::{etcd, forecast};
use crate::ui::format::wrap;
use crate::ui::pane::Ctx;
use crate::ui::panes::airflow::level as verdict_level;

/// Each with what it is a part of, if it can be selected.
pub(super) fn lines<'d>(ctx: &Ctx<'_>, document: &'d Document, width: u16) -> Vec<(Option<Part<'d>>, Vec<Line<'static>>)> {
    let mut all = Vec::new();
    let told = etcd(document);
    // Where etcd has hosts of its own no node shows them.
    let apart = document.etcd.members.iter().filter(|e| !document.members.iter().any(|m| etcd_of(document, m) == Some(e)));
    let apart: Vec<String> = apart.map(|e| format!("{} {}", e.name, e.state)).collect();
    let text = if apart.is_empty() { told.long } else { format!("{}: {}", told.long, apart.join(", ")) };
    all.push((Some(Part::Etcd), said(ctx, level(told.role), "etcd", text.trim_start_matches("etcd "), width)));
    let next = forecast(document);
    all.push((None, said(ctx, level(next.role), "next", next.long.trim_start_matches("next: "), width)));
    if let Some(airflow) = &document.airflow {
        let level = verdict_level(airflow.quiet.verdict);
        let why = airflow.quiet.grounds.first().map(|ground| ground.sentence.as_str()).unwrap_or_default();
        all.push((Some(Part::Airflow), said(ctx, level, "Airflow", &format!("{}: {why}", airflow.quiet.verdict), width)));
    }
    if let Some(doc) = &document.rabbitmq {
        all.push((Some(Part::Rabbitmq), rabbitmq::lines(ctx, document, doc, width)));
    }
    all.extend(estate::lines(ctx, document, width));
    all
}

fn level(role: Role) -> Level {
    match role {
        Role::Critical => Level::Critical,
        Role::Warning => Level::Warning,
        Role::Unknown | Role::Stale => Level::Unknown,
        _ => Level::Ok,
    }
}

/// A sign, a name, and words that are wrapped beside it.
pub(super) fn said(ctx: &Ctx<'_>, level: Level, name: &str, text: &str, width: u16) -> Vec<Line<'static>> {
    const LEAD: usize = 11;
    let lines = wrap(text, usize::from(width).saturating_sub(LEAD + 3).max(10)).into_iter().enumerate();
    let line = |(n, text): (usize, String)| match n {
        0 => Line::from(vec![
            ctx.look.span(format!("{} ", sign(level)), ctx.look.level(level)),
            ctx.look.span(format!("{name:<9}"), Role::Text),
            ctx.look.span(text, if level == Level::Ok { Role::Text } else { ctx.look.level(level) }),
        ]),
        _ => Line::from(vec![Span::raw(" ".repeat(LEAD)), ctx.look.span(text, Role::Text)]),
    };
    lines.map(line).collect()
}
