//! What is said of a system of the estate: drawn in a box where there is room, and else in lines of its own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::mark_if;
use super::part::Part;
use crate::document::Level;
use crate::theme::{Role, sign};
use crate::ui::format::{cut_end, cut_middle, display_width, wrap};
use crate::ui::pane::Ctx;
use crate::ui::put::put;
use crate::ui::widget::frame;

/// Lines that one item has in a box at most: what is well is said shortly.
const LINES_WELL: usize = 2;
const LINES_WRONG: usize = 4;

/// One thing that is said.
pub(super) struct Item<'d> {
    pub(super) part: Option<Part<'d>>,
    pub(super) level: Level,
    /// Whether it is old.
    stale: bool,
    pub(super) name: String,
    /// In a box.
    long: String,
    /// Among others on a line; `None`: there it is not said.
    short: Option<String>,
}

/// A system, with what is said of it.
pub(super) struct Card<'d> {
    pub(super) part: Option<Part<'d>>,
    pub(super) title: String,
    pub(super) items: Vec<Item<'d>>,
    /// How bad it is as a whole, if that is worse than its items.
    pub(super) least: Level,
}

impl<'d> Item<'d> {
    /// Said alike in a box and on a line.
    pub(super) fn new(level: Level, name: impl Into<String>, words: impl Into<String>) -> Self {
        let words = words.into();
        Self { part: None, level, stale: false, name: name.into(), long: words.clone(), short: Some(words) }
    }

    pub(super) fn of(self, part: Part<'d>) -> Self {
        Self { part: Some(part), ..self }
    }

    /// Shorter on a line.
    pub(super) fn short(self, words: impl Into<String>) -> Self {
        Self { short: Some(words.into()), ..self }
    }

    /// Said in a box only, unless something is wrong.
    pub(super) fn aside(self) -> Self {
        if self.level == Level::Ok && !self.stale { Self { short: None, ..self } } else { self }
    }

    /// What it says was so a while ago: `age` says when, and how it is now is not known.
    pub(super) fn stale(mut self, age: Option<String>) -> Self {
        let Some(age) = age else { return self };
        // Whoever reads it first reads that it is old.
        let told = |words: &str| if words.is_empty() { age.clone() } else { format!("{age}: {words}") };
        self.long = told(&self.long);
        self.short = self.short.map(|short| told(&short));
        Self { stale: true, level: self.level.max(Level::Unknown), ..self }
    }

    pub(super) fn sign(&self) -> &'static str {
        // That it is old is not the worst of it.
        if self.stale && self.level <= Level::Unknown { "◐" } else { sign(self.level) }
    }

    pub(super) fn role(&self, ctx: &Ctx<'_>) -> Role {
        match (self.stale, self.level) {
            (true, Level::Ok | Level::Unknown) => Role::Stale,
            (_, Level::Ok) => Role::Text,
            (_, level) => ctx.look.level(level),
        }
    }

    fn sign_role(&self, ctx: &Ctx<'_>) -> Role {
        if self.level == Level::Ok { Role::Ok } else { self.role(ctx) }
    }

    /// What stands on a line among others: a sign only where something is not well.
    pub(super) fn chip(&self) -> Option<String> {
        let words = self.short.as_ref()?;
        let text = [self.name.as_str(), words].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ");
        Some(if self.level == Level::Ok { text } else { format!("{} {text}", self.sign()) })
    }
}

impl<'d> Card<'d> {
    pub(super) fn new(part: Option<Part<'d>>, title: impl Into<String>, items: Vec<Item<'d>>) -> Self {
        Self { part, title: title.into(), items, least: Level::Ok }
    }

    pub(super) fn at_least(self, level: Level) -> Self {
        Self { least: self.least.max(level), ..self }
    }

    pub(super) fn level(&self) -> Level {
        self.items.iter().map(|item| item.level).max().unwrap_or(Level::Ok).max(self.least)
    }

    /// Rows of its box at this width.
    pub(super) fn height(&self, ctx: &Ctx<'_>, width: u16) -> u16 {
        let lines: usize = self.lines(ctx, width).iter().map(Vec::len).sum();
        u16::try_from(lines + 2).unwrap_or(u16::MAX)
    }

    /// The lines of each item in a box: between edges and mark on the left, and an edge with a blank on the right.
    fn lines(&self, ctx: &Ctx<'_>, width: u16) -> Vec<Vec<Line<'static>>> {
        let room = usize::from(width).saturating_sub(4);
        let names = self.items.iter().map(|item| display_width(&item.name)).max().unwrap_or(0).min((room * 2 / 5).max(4));
        let line = |item: &Item<'_>| -> Vec<Line<'static>> {
            let most = if item.level == Level::Ok { LINES_WELL } else { LINES_WRONG };
            // Who has no name has the whole width.
            let lead = if item.name.is_empty() { 2 } else { names + 4 };
            let behind = room.saturating_sub(lead).max(8);
            // What fits stands as it is: blanks in it are columns.
            let mut words = if display_width(&item.long) <= behind { vec![item.long.clone()] } else { wrap(&item.long, behind) };
            if words.len() > most {
                words.truncate(most);
                if let Some(last) = words.last_mut() {
                    *last = cut_end(&format!("{last} …"), behind);
                }
            }
            let role = item.role(ctx);
            let name = cut_middle(&item.name, names);
            let pad = " ".repeat((lead - 2).saturating_sub(display_width(&name)));
            let first = [
                ctx.look.span(format!("{} ", item.sign()), item.sign_role(ctx)),
                ctx.look.span(format!("{name}{pad}"), if item.level == Level::Ok { Role::Text } else { role }),
            ];
            let rest = || vec![Span::raw(" ".repeat(lead))];
            let lead_of = |n: usize| if n == 0 { first.to_vec() } else { rest() };
            let spans = words.into_iter().enumerate().map(|(n, text)| [lead_of(n), vec![ctx.look.span(text, role)]].concat());
            spans.map(Line::from).collect()
        };
        self.items.iter().map(line).collect()
    }

    /// Draws its box; tells the row of each item that is shown.
    pub(super) fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Vec<u16> {
        let level = self.level();
        let border = if level == Level::Ok { Role::Border } else { ctx.look.level(level) };
        let title = Line::from(vec![
            ctx.look.span(format!(" {} ", sign(level)), ctx.look.level(level)),
            ctx.look.span(format!("{} ", self.title), if level == Level::Ok { Role::Title } else { ctx.look.level(level) }),
        ]);
        frame(&ctx.look, &title, border, area, buffer);
        let edge = Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: 1, ..area };
        mark_if(ctx, self.part.as_ref(), edge, buffer);
        let lines = self.lines(ctx, area.width);
        let kept = self.kept(ctx, &lines, usize::from(area.height.saturating_sub(2)));
        let left = lines.len() - kept.len();
        if left > 0 {
            put(buffer, area.x + 2, area.bottom() - 1, &Line::from(ctx.look.span(format!(" {left} more "), border)), area.width - 4);
        }
        let (mut y, mut rows, last) = (area.y + 1, vec![0; lines.len()], area.bottom().saturating_sub(1));
        for at in kept {
            let top = y;
            for line in &lines[at] {
                if y < last {
                    put(buffer, area.x + 2, y, line, area.width.saturating_sub(3));
                    y += 1;
                }
            }
            rows[at] = top;
            mark_if(ctx, self.items[at].part.as_ref(), Rect { x: area.x + 1, y: top, width: area.width - 2, height: y - top }, buffer);
        }
        rows
    }

    /// The items that have room, in their order; what is well goes first, and of that what is said last. What is selected stays.
    fn kept(&self, ctx: &Ctx<'_>, lines: &[Vec<Line<'_>>], room: usize) -> Vec<usize> {
        let mut kept: Vec<usize> = (0..lines.len()).collect();
        let selected = |at: usize| self.items[at].part.is_some_and(|part| ctx.view.selected.as_deref() == Some(part.id().as_str()));
        while kept.iter().map(|at| lines[*at].len()).sum::<usize>() > room && kept.len() > 1 {
            let least = kept.iter().filter(|at| !selected(**at)).map(|at| self.items[*at].level).min();
            let goes = kept.iter().rposition(|at| Some(self.items[*at].level) == least && !selected(*at));
            kept.remove(goes.unwrap_or(kept.len() - 1));
        }
        kept
    }
}
