//! What a pane can do besides knowing its rows: say how much room it wants, and draw.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::format::{display_width, since};
use super::look::Look;
use super::put::put;
use crate::app::{Facts, PaneModel, State, View};
use crate::document::Document;
use crate::model::Time;
use crate::theme::Role;

/// What a pane is drawn from.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// Everything.
    pub state: &'a State,
    /// What there is to show.
    pub facts: &'a Facts,
    /// What was chosen in this pane.
    pub view: &'a View,
    /// Whether it has the focus.
    pub focused: bool,
    /// What to draw with.
    pub look: Look<'a>,
}

/// Lines that a pane wants below its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// With fewer it says nothing.
    pub min: u16,
    /// With these it says everything.
    pub ideal: u16,
    /// With more it says nothing more.
    pub max: u16,
}

/// What fitted into a pane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drawn {
    /// Rows of one page.
    pub page: u16,
    /// Rows that are not shown for lack of room; the title says how many.
    pub hidden: usize,
}

/// Everything about one row.
pub struct Details {
    /// What it is about.
    pub title: String,
    /// What is known.
    pub lines: Vec<Line<'static>>,
}

/// A pane: adding one means a file with this and a line in [`PANES`](super::PANES).
pub trait Pane: PaneModel {
    /// What stands behind its title.
    fn summary(&self, ctx: &Ctx<'_>) -> Vec<Span<'static>>;

    /// How much room it wants at this width.
    fn want(&self, ctx: &Ctx<'_>, width: u16) -> Want;

    /// Draws what is below the title; tells what fitted.
    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn;

    /// Everything about a row, for this width; `None` when there is no such row any more.
    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details>;
}

impl<'a> Ctx<'a> {
    /// The context of a pane.
    pub fn of(state: &'a State, look: &Look<'a>, number: usize) -> Option<Self> {
        let view = state.views.get(number)?;
        let focused = state.focus == number;
        Some(Self { state, facts: &state.facts, view, focused, look: *look })
    }

    /// The picture, if there is one.
    pub fn document(&self) -> Option<&'a Document> {
        self.facts.document.as_deref()
    }

    /// The moment that ages are counted to.
    pub fn now(&self) -> Time {
        let shown = self.document().map(|d| d.at);
        self.state.now.or(shown).unwrap_or(Time::from_micros(0))
    }

    /// What an age of the document has become by now.
    pub fn aged(&self, ms: u64) -> u64 {
        let later = self.document().map_or(0, |d| self.now().since(d.at).as_millis());
        ms.saturating_add(u64::try_from(later).unwrap_or(u64::MAX))
    }

    /// How long ago a moment was, in words.
    pub fn ago(&self, at: Time) -> String {
        since(self.now().since(at))
    }

    /// How long until a moment, in words; what should have begun is said to be due.
    pub fn until(&self, at: Time) -> String {
        if at > self.now() { format!("in {}", since(at.since(self.now()))) } else { "is due".to_owned() }
    }

    /// Says one thing in an otherwise empty pane.
    pub fn say(&self, text: &str, role: Role, area: Rect, buffer: &mut Buffer) {
        let width = usize::from(area.width.saturating_sub(2));
        for (y, line) in (area.y..area.bottom()).zip(super::format::wrap(text, width)) {
            buffer.set_stringn(area.x.saturating_add(2), y, line, width, self.look.style(role));
        }
    }
}

/// Draws the line with the title, then the pane below it.
pub(super) fn draw_framed(pane: &dyn Pane, number: usize, state: &State, look: &Look<'_>, area: Rect, buffer: &mut Buffer) -> u16 {
    let Some(ctx) = Ctx::of(state, look, number) else { return 0 };
    if area.is_empty() {
        return 0;
    }
    rule(pane, number, &ctx, Rect { height: 1, ..area }, buffer);
    let inner = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let drawn =
        if inner.is_empty() { Drawn { page: 0, hidden: pane.rows(ctx.facts, ctx.view).len() } } else { pane.draw(&ctx, inner, buffer) };
    if drawn.hidden > 0 {
        let text = format!(" {} more ", drawn.hidden);
        let width = u16::try_from(display_width(&text)).unwrap_or(u16::MAX);
        let x = area.right().saturating_sub(width.saturating_add(1)).max(area.x);
        buffer.set_stringn(x, area.y, text, usize::from(area.right() - x), look.style(Role::Muted));
    }
    drawn.page
}

/// Draws the details of the row that is selected where the focus is, or else of the member that is; as much of them as fits.
pub(super) fn draw_details(state: &State, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let of = |number: usize| {
        let row = state.views.get(number)?.selected.clone()?;
        let ctx = Ctx::of(state, look, number)?;
        super::panes::PANES.get(number)?.details(&ctx, &row, area.width.saturating_sub(3))
    };
    let Some(details) = of(state.focus).or_else(|| of(0)).filter(|_| !area.is_empty()) else { return };
    let width = usize::from(area.width);
    buffer.set_stringn(area.x, area.y, "─".repeat(width), width, look.style(Role::Border));
    let title = super::format::cut_end(&format!(" Details · {} ", details.title), width.saturating_sub(2));
    buffer.set_stringn(area.x + 1, area.y, title, width.saturating_sub(1), look.style(Role::Title));
    let room = usize::from(area.height - 1);
    for (y, line) in (area.y + 1..area.bottom()).zip(&details.lines) {
        put(buffer, area.x + 2, y, line, area.width.saturating_sub(3));
    }
    if details.lines.len() > room {
        let text = format!(" {} more ", details.lines.len() - room);
        let wide = u16::try_from(display_width(&text)).unwrap_or(u16::MAX);
        let x = area.right().saturating_sub(wide.saturating_add(1)).max(area.x);
        buffer.set_stringn(x, area.y, text, usize::from(area.right() - x), look.style(Role::Muted));
    }
}

/// `─ 1 Members · 3 ──────`; the pane with the focus has a line of another shape, not only of another colour.
fn rule(pane: &dyn Pane, number: usize, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) {
    let (line, border, title) = if ctx.focused { ("━", Role::BorderFocus, Role::TitleFocus) } else { ("─", Role::Border, Role::Title) };
    buffer.set_stringn(area.x, area.y, line.repeat(usize::from(area.width)), usize::from(area.width), ctx.look.style(border));
    // Ten of them have a digit that leads there, the tenth `0`.
    let digit = if number < 10 { format!("{} ", (number + 1) % 10) } else { String::new() };
    let mut spans = vec![ctx.look.span(format!(" {digit}{} ", pane.title()), title)];
    if !ctx.view.filter.is_empty() {
        spans.push(ctx.look.span(format!("/{} ", ctx.view.filter), Role::Match));
    }
    if let Some(sort) = pane.sorts().get(ctx.view.sort).filter(|_| ctx.view.sort > 0 || ctx.view.reverse) {
        let reversed = if ctx.view.reverse { ", reversed" } else { "" };
        spans.push(ctx.look.span(format!("by {sort}{reversed} "), Role::Hint));
    }
    let summary = pane.summary(ctx);
    let mut room = usize::from(area.width).saturating_sub(2);
    let mut line = Line::default();
    for span in spans {
        room = room.saturating_sub(display_width(&span.content));
        line.push_span(span);
    }
    let wanted: usize = summary.iter().map(|s| display_width(&s.content)).sum();
    if !summary.is_empty() && wanted + 2 <= room {
        line.push_span(ctx.look.span("· ", border));
        line.extend(summary);
        line.push_span(" ");
    }
    buffer.set_line(area.x + 1, area.y, &line, area.width.saturating_sub(1));
}
