//! What has happened, the newest first: what was seen since the console was opened, and below it the timelines that Patroni's history tells of.

use std::iter::Peekable;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::{EventLine, Facts, PaneModel, RowId, View};
use crate::document::{Level, TimelineDoc};
use crate::model::Time;
use crate::theme::{Role, sign};
use crate::ui::format::wrap;
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{Item, Sheet, list};

/// The pane.
pub(super) struct Events;

/// Columns before the sentence: mark, time, sign.
const LEAD: usize = 2 + 10 + 2;

/// The code of what the history tells, for the filter.
const HISTORY: &str = "history";

/// Lines that the history alone asks room for.
const PAST: usize = 2;

/// A row: an event with its number, or the beginning of a timeline.
#[derive(Clone, Copy)]
enum Row<'f> {
    Seen(u64, &'f EventLine),
    Told(&'f TimelineDoc),
}

impl PaneModel for Events {
    fn title(&self) -> &'static str {
        "Events"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        shown(facts, view).into_iter().map(id).collect()
    }

    fn newest_first(&self) -> bool {
        true
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
        let short = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
        let (seen, told) = (ctx.facts.events.len(), past(ctx.facts).count());
        Want { min: short(seen.min(1)), ideal: short((seen + told.min(PAST)).min(6)), max: u16::MAX }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let room = usize::from(area.width).saturating_sub(LEAD + 1).max(10);
        let items: Vec<Item> = shown(ctx.facts, ctx.view).into_iter().map(|row| item(ctx, row, room)).collect();
        if items.is_empty() {
            if !ctx.facts.events.is_empty() || past(ctx.facts).next().is_some() {
                ctx.say("no event passes the filter", Role::Muted, area, buffer);
            }
            return Drawn::default();
        }
        list(ctx, &items, area, buffer)
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        let mut sheet = Sheet::new(ctx.look, width);
        if let Some(began) = past(ctx.facts).find(|began| id(Row::Told(began)) == row) {
            sheet.text(&sentence(began), Role::Emphasis);
            sheet.heading("Patroni's history");
            match began.at {
                Some(at) => sheet.fact("began at", at.to_string(), Role::Text, &format!("{} ago, by the leader's clock", ctx.ago(at))),
                None => sheet.fact("began at", "not noted", Role::Muted, ""),
            }
            sheet.fact("who led", began.leader.clone().unwrap_or_else(|| "not noted".to_owned()), Role::Text, "");
            let before = format!("timeline {}, which ended at {}", began.timeline.saturating_sub(1), began.lsn);
            sheet.fact("after", before, Role::Text, "");
            sheet.fact("why", "not recorded there, and not seen by pgbaton", Role::Muted, "");
            return Some(Details { title: row.to_owned(), lines: sheet.lines() });
        }
        let event = row.parse().ok().and_then(|number| ctx.facts.events.get(number))?;
        sheet.text(&event.sentence, Role::Emphasis);
        sheet.heading("Event");
        sheet.fact("seen at", event.at.to_string(), Role::Text, &format!("{} ago", ctx.ago(event.at)));
        sheet.fact("code", event.code.clone(), Role::Text, "");
        if let Some(finding) = &event.about {
            sheet.fact("finding", finding.clone(), Role::Text, "");
        }
        sheet.fact("matters", event.level.to_string(), ctx.look.level(event.level), "");
        if !event.evidence.is_empty() {
            sheet.heading("Evidence");
        }
        for sign in &event.evidence {
            let when = sign.at.map_or("before we looked".to_owned(), Time::fine_clock);
            sheet.fact(&sign.what, sign.value.clone(), Role::Text, &format!("{}, {when}", sign.source));
        }
        Some(Details { title: event.code.clone(), lines: sheet.lines() })
    }
}

/// What the history tells and was not seen, the newest first.
fn past(facts: &Facts) -> impl Iterator<Item = &TimelineDoc> {
    facts.document.iter().flat_map(|document| document.history.iter().rev()).filter(|began| !began.watched)
}

/// Events and history by their time. The history is in order by itself, so an entry without a time comes below the one after it.
fn shown<'f>(facts: &'f Facts, view: &View) -> Vec<Row<'f>> {
    fn before<'f>(told: &mut Peekable<impl Iterator<Item = &'f TimelineDoc>>, at: Time, rows: &mut Vec<Row<'f>>) {
        while let Some(began) = told.next_if(|began| began.at.is_some_and(|began| began > at)) {
            rows.push(Row::Told(began));
        }
    }
    let mut rows = Vec::new();
    let mut told = past(facts).peekable();
    for (number, event) in facts.events.newest_first() {
        before(&mut told, event.at, &mut rows);
        rows.push(Row::Seen(number, event));
    }
    rows.extend(told.map(Row::Told));
    rows.retain(|row| match row {
        Row::Seen(_, event) => view.passes([event.code.as_str(), &event.sentence, event.about.as_deref().unwrap_or_default()]),
        Row::Told(began) => view.passes([HISTORY, &sentence(began)]),
    });
    rows
}

fn id(row: Row<'_>) -> RowId {
    match row {
        Row::Seen(number, _) => number.to_string(),
        Row::Told(began) => format!("timeline {}", began.timeline),
    }
}

fn sentence(began: &TimelineDoc) -> String {
    let led = began.leader.as_deref().map(|leader| format!(", {leader} led")).unwrap_or_default();
    format!("timeline {} began{led} (by Patroni's history)", began.timeline)
}

/// The time of day while it says enough, else the day.
fn began_at(ctx: &Ctx<'_>, at: Time) -> String {
    if ctx.now().since(at).as_secs() < 86_400 { at.clock() } else { at.day() }
}

fn item(ctx: &Ctx<'_>, row: Row<'_>, room: usize) -> Item {
    let (time, mark, mark_role, text, text_role) = match row {
        Row::Seen(_, event) if event.level == Level::Ok => (event.at.clock(), "·", Role::Muted, event.sentence.clone(), Role::Text),
        Row::Seen(_, event) => (event.at.clock(), sign(event.level), ctx.look.level(event.level), event.sentence.clone(), Role::Text),
        Row::Told(began) => (began.at.map(|at| began_at(ctx, at)).unwrap_or_default(), "·", Role::Muted, sentence(began), Role::Muted),
    };
    let lines = wrap(&text, room).into_iter().enumerate().map(|(n, text)| {
        let mut line = if n == 0 {
            Line::from(vec![ctx.look.span(format!("{time:<8}  "), Role::Muted), ctx.look.span(mark, mark_role), Span::raw(" ")])
        } else {
            Line::from(" ".repeat(LEAD - 2))
        };
        line.push_span(ctx.look.span(text, text_role));
        line
    });
    Item { id: id(row), lines: lines.collect() }
}
