//! What has happened since the console was opened, the newest first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::{EventLine, Facts, PaneModel, RowId, View};
use crate::document::Level;
use crate::theme::{Role, sign};
use crate::ui::format::wrap;
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{Item, Sheet, list};

/// The pane.
pub(super) struct Events;

/// Columns before the sentence: mark, time, sign.
const LEAD: usize = 2 + 10 + 2;

impl PaneModel for Events {
    fn title(&self) -> &'static str {
        "Events"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        shown(facts, view).map(|(number, _)| number.to_string()).collect()
    }
}

impl Pane for Events {
    fn summary(&self, ctx: &Ctx<'_>) -> Vec<Span<'static>> {
        match ctx.facts.events.dropped() {
            0 if ctx.facts.events.is_empty() => vec![ctx.look.span("none since the console was opened", Role::Muted)],
            0 => Vec::new(),
            n => vec![ctx.look.span(format!("{n} older ones dropped"), Role::Muted)],
        }
    }

    fn want(&self, ctx: &Ctx<'_>, _width: u16) -> Want {
        let lines = u16::try_from(ctx.facts.events.len()).unwrap_or(u16::MAX);
        Want { min: lines.min(1), ideal: lines.min(6), max: u16::MAX }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let room = usize::from(area.width).saturating_sub(LEAD + 1).max(10);
        let items: Vec<Item> = shown(ctx.facts, ctx.view).map(|(number, event)| item(ctx, number, event, room)).collect();
        if items.is_empty() {
            if !ctx.facts.events.is_empty() {
                ctx.say("no event passes the filter", Role::Muted, area, buffer);
            }
            return Drawn::default();
        }
        list(ctx, &items, area, buffer)
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        let event = row.parse().ok().and_then(|number| ctx.facts.events.get(number))?;
        let mut sheet = Sheet::new(ctx.look, width);
        sheet.text(&event.sentence, Role::Emphasis);
        sheet.heading("Event");
        sheet.fact("seen at", event.at.to_string(), Role::Text, &format!("{} ago", ctx.ago(event.at)));
        sheet.fact("code", event.code.clone(), Role::Text, "");
        sheet.fact("matters", event.level.to_string(), ctx.look.level(event.level), "");
        Some(Details { title: event.code.clone(), lines: sheet.lines() })
    }
}

fn shown<'f>(facts: &'f Facts, view: &'f View) -> impl Iterator<Item = (u64, &'f EventLine)> {
    facts.events.newest_first().filter(|(_, event)| view.passes([event.code.as_str(), &event.sentence]))
}

fn item(ctx: &Ctx<'_>, number: u64, event: &EventLine, room: usize) -> Item {
    let role = ctx.look.level(event.level);
    let mark = if event.level == Level::Ok { "·" } else { sign(event.level) };
    let lines = wrap(&event.sentence, room).into_iter().enumerate().map(|(n, text)| {
        let mut line = if n == 0 {
            let mark_role = if event.level == Level::Ok { Role::Muted } else { role };
            Line::from(vec![ctx.look.span(format!("{}  ", event.at.clock()), Role::Muted), ctx.look.span(mark, mark_role), Span::raw(" ")])
        } else {
            Line::from(" ".repeat(LEAD - 2))
        };
        line.push_span(ctx.look.span(text, Role::Text));
        line
    });
    Item { id: number.to_string(), lines: lines.collect() }
}
