//! How far the replicas were behind over the last minutes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::members::lag_role;
use crate::app::{Facts, PaneModel, Point, RowId, SPAN, View};
use crate::document::{Document, MemberDoc, Role as MemberRole};
use crate::theme::Role;
use crate::ui::format::{UNKNOWN, age, bytes, cut_middle, display_width, seconds};
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{chart, first_row, mark, scale_of};

/// The pane.
pub(super) struct Lag;

/// Most rows of a member's chart.
const TALLEST: u16 = 10;

/// Columns of the numbers: bytes, a gap, seconds.
const NUMBERS: u16 = 15;

/// Names are shown up to this width.
const NAME: usize = 16;

impl PaneModel for Lag {
    fn title(&self) -> &'static str {
        "Lag"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        facts.document.as_deref().map(|d| replicas(d, view).into_iter().map(|m| m.name.clone()).collect()).unwrap_or_default()
    }

    fn rows_are_members(&self) -> bool {
        true
    }
}

impl Pane for Lag {
    fn summary(&self, ctx: &Ctx<'_>) -> Vec<Span<'static>> {
        let Some(document) = ctx.document() else { return Vec::new() };
        let text = match document.cluster.maximum_lag_on_failover {
            Some(limit) => format!("replay, limit {}", bytes(limit).replace(".0 ", " ")),
            None => "replay".to_owned(),
        };
        vec![ctx.look.span(text, Role::Muted)]
    }

    fn want(&self, ctx: &Ctx<'_>, _width: u16) -> Want {
        let rows = ctx.document().map_or(1, |d| u16::try_from(replicas(d, ctx.view).len()).unwrap_or(u16::MAX)).max(1);
        Want { min: rows.min(3), ideal: rows.saturating_add(1), max: rows.saturating_mul(TALLEST + 1).saturating_add(1) }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let Some(document) = ctx.document() else { return Drawn::default() };
        let members = replicas(document, ctx.view);
        if members.is_empty() {
            let hidden = !replicas(document, &View::default()).is_empty();
            ctx.say(if hidden { "no replica passes the filter" } else { "no replica is known" }, Role::Muted, area, buffer);
            return Drawn::default();
        }
        let count = u16::try_from(members.len()).unwrap_or(u16::MAX);
        let axis = u16::from(area.height > count);
        let each = ((area.height - axis) / count).clamp(1, TALLEST + 1);
        // One row between two charts, so that the peak of one does not touch the foot of the other.
        let gap = u16::from(each > 2);
        let fitting = usize::from((area.height - axis) / each);
        let widest = members.iter().map(|m| display_width(&m.name)).max().unwrap_or(0).min(NAME);
        let name_width = u16::try_from(widest).unwrap_or(0);
        let left = area.x.saturating_add(2 + name_width + 2);
        let room = area.right().saturating_sub(NUMBERS + 2).saturating_sub(left);
        // The finest span with which the whole history fits.
        let step = SPAN.div_ceil(usize::from(room).max(1));
        let plot = Rect { x: left, width: u16::try_from(SPAN.div_ceil(step)).unwrap_or(room).min(room), ..area };

        let selected = ctx.view.selected.as_ref().and_then(|id| members.iter().position(|m| m.name == *id)).unwrap_or(0);
        let first = first_row(members.len(), fitting, selected);
        let mut y = area.y;
        for member in members.iter().skip(first).take(fitting) {
            let row = Rect { y: y + gap, height: each - gap, ..area };
            draw_member(ctx, document, member, Columns { name: widest, step }, Rect { y: row.y, height: row.height, ..plot }, row, buffer);
            y += each;
        }
        if axis == 1 && y < area.bottom() {
            draw_axis(ctx, Rect { y, height: 1, ..plot }, step, buffer);
        }
        Drawn { page: u16::try_from(fitting).unwrap_or(u16::MAX), hidden: members.len().saturating_sub(fitting) }
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        super::member_details::details(ctx, row, width)
    }
}

/// Everybody who is not the leader, by name.
fn replicas<'d>(document: &'d Document, view: &View) -> Vec<&'d MemberDoc> {
    let leads = |m: &MemberDoc| matches!(m.role, MemberRole::Leader | MemberRole::StandbyLeader);
    let mut members: Vec<&MemberDoc> = document.members.iter().filter(|m| !leads(m) && view.passes([m.name.as_str()])).collect();
    members.sort_by(|a, b| (!a.present, &a.name).cmp(&(!b.present, &b.name)));
    members
}

/// What all charts of the pane have in common.
#[derive(Clone, Copy)]
struct Columns {
    /// Columns of the names.
    name: usize,
    /// Seconds of one column of a chart.
    step: usize,
}

fn draw_member(ctx: &Ctx<'_>, document: &Document, member: &MemberDoc, columns: Columns, plot: Rect, row: Rect, buffer: &mut Buffer) {
    let limit = document.cluster.maximum_lag_on_failover;
    let points = ctx.facts.history.series(&member.name, usize::from(plot.width), columns.step);
    let top = scale_of(&points, limit);
    let silent = ctx.facts.history.silent_seconds(&member.name);
    // Name and numbers stand at the foot, where the newest value ends.
    let foot = row.bottom() - 1;
    // No sample at all is worth a word, an empty chart would look like a calm one.
    let never = silent.is_none() && !points.iter().any(|point| matches!(point, Point::Bytes(_)));
    if never && plot.width >= 12 {
        buffer.set_stringn(plot.x, foot, "no value yet", usize::from(plot.width), ctx.look.style(Role::Unknown));
    } else {
        chart(&ctx.look, &points, top, limit, plot, buffer);
    }
    let name = cut_middle(&member.name, columns.name);
    buffer.set_stringn(row.x.saturating_add(2), foot, name, columns.name, ctx.look.style(Role::Text));
    let unknown = || (UNKNOWN.to_owned(), Role::Unknown);
    let numbers = match (member.replay_lag_bytes, silent) {
        // How old the last value is, in words: beside a sign of nothing, a time alone would be read as one.
        (None, Some(silent)) => [(String::new(), Role::Muted), (format!("{UNKNOWN} for {}", age(silent * 1000)), Role::Unknown)],
        (lag, _) => [
            lag.map_or_else(unknown, |lag| (bytes(lag), lag_role(lag, limit))),
            member.replay_lag_seconds.map_or_else(unknown, |delay| (seconds(delay), Role::Muted)),
        ],
    };
    for (end, (text, role)) in [8, NUMBERS + 1].into_iter().zip(numbers) {
        let width = u16::try_from(display_width(&text)).unwrap_or(u16::MAX);
        let x = plot.right().saturating_add(end).saturating_sub(width);
        let room = usize::from(row.right().saturating_sub(x));
        buffer.set_stringn(x, foot, text, room, ctx.look.style(role));
    }
    if ctx.focused && ctx.view.selected.as_deref() == Some(&member.name) {
        mark(ctx, Rect { y: foot, height: 1, ..row }, buffer);
    }
}

/// `10 min ago                 5                     now`
fn draw_axis(ctx: &Ctx<'_>, area: Rect, step: usize, buffer: &mut Buffer) {
    let span = usize::from(area.width) * step;
    let style = ctx.look.style(Role::Muted);
    let word = |s: usize| if s >= 120 { format!("{} min", s / 60) } else { format!("{s} s") };
    let start = format!("{} ago", word(span));
    if display_width(&start) + 5 <= usize::from(area.width) {
        buffer.set_stringn(area.x, area.y, start, usize::from(area.width), style);
    }
    let x = area.right().saturating_sub(3).max(area.x);
    buffer.set_stringn(x, area.y, "now", usize::from(area.right() - x), style);
}
