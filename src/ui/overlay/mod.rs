//! What lies over the panes.

mod book;
mod choice;
mod help;
pub(super) mod keys;
mod palette;
mod plan;
mod question;
mod themes;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::format::{cut_end, display_width, wrap};
use super::look::Look;
use super::pane::{Ctx, Details};
use super::panes::PANES;
use super::put::put;
use crate::app::{Overlay, State};
use crate::theme::Role;

/// The widest text that is easy to read.
const WIDEST: u16 = 96;

/// The widest sheet of values.
const SHEET: u16 = 132;

/// Draws the overlay, if there is one; tells how many of its lines fit, and how far it can be scrolled.
pub(super) fn draw(state: &State, look: &Look<'_>, body: Rect, buffer: &mut Buffer) -> (u16, u16) {
    let fitted = draw_content(state, look, body, buffer);
    match &state.overlay {
        None => {}
        Some(Overlay::Looks(_)) => mark(state, look, aside(body), buffer),
        Some(Overlay::Details { .. }) => mark(state, look, spacious(body), buffer),
        Some(_) => mark(state, look, place(body, WIDEST), buffer),
    }
    fitted
}

/// Which cluster it is about, at the right end of the frame's first line: what is confirmed here is done there.
fn mark(state: &State, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(label) = super::badge::badge(state, look).into_iter().next() else { return };
    let width = u16::try_from(label.width()).unwrap_or(u16::MAX);
    if area.width > width.saturating_add(8) {
        buffer.set_span(area.right() - width - 2, area.y, &label, width);
    }
}

/// The right side of the body.
fn aside(body: Rect) -> Rect {
    let width = themes::WIDTH.min(body.width);
    Rect { x: body.right() - width, width, ..body }
}

fn draw_content(state: &State, look: &Look<'_>, body: Rect, buffer: &mut Buffer) -> (u16, u16) {
    match &state.overlay {
        None => (0, 0),
        Some(Overlay::Help { place: here, query, scroll }) => {
            let area = place(body, WIDEST);
            let lines = help::lines(look, here, query, area.width.saturating_sub(4));
            framed(look, &Details { title: "Help".to_owned(), lines }, *scroll, area, buffer)
        }
        Some(Overlay::Plan(dialog)) => {
            let area = place(body, WIDEST);
            framed(look, &plan::dialog(look, &state.editor, dialog, area.width.saturating_sub(4)), dialog.scroll, area, buffer)
        }
        Some(Overlay::Question(question)) => {
            let area = place(body, WIDEST);
            framed(
                look,
                &question::question(look, &state.editor, question, state.now, area.width.saturating_sub(4)),
                question.scroll,
                area,
                buffer,
            )
        }
        Some(Overlay::Choice(choice)) => {
            let area = place(body, WIDEST);
            let (page, _) =
                framed(look, &choice::choice(look, choice, area.width.saturating_sub(4), area.height.saturating_sub(2)), 0, area, buffer);
            (page, 0)
        }
        Some(Overlay::Palette(palette)) => {
            let area = place(body, WIDEST);
            let (details, page) = palette::palette(state, look, palette, area.width.saturating_sub(4), area.height.saturating_sub(2));
            framed(look, &details, 0, area, buffer);
            (page, 0)
        }
        Some(Overlay::Looks(list)) => {
            let area = aside(body);
            let (page, _) = framed(look, &themes::themes(look, list, area.height.saturating_sub(2)), 0, area, buffer);
            (page, 0)
        }
        Some(Overlay::Text { title, lines, scroll }) => {
            let area = place(body, WIDEST);
            let lines = lines.iter().flat_map(|line| indented(look, line, usize::from(area.width.saturating_sub(4)))).collect();
            framed(look, &Details { title: title.clone(), lines }, *scroll, area, buffer)
        }
        Some(Overlay::Book { scroll }) => {
            let area = place(body, body.width);
            let (Some(of), Some(document)) = (&state.book, state.facts.document.as_deref()) else { return (0, 0) };
            let now = state.now.unwrap_or(document.at);
            let course = state.course.as_ref();
            let mut details = book::view(look, of, course, document, now, area.width.saturating_sub(4));
            // It has the whole of the body: what lies below would be taken for a part of it.
            let page = usize::from(area.height.saturating_sub(2));
            details.lines.resize_with(details.lines.len().max(page), Line::default);
            framed(look, &details, *scroll, area, buffer)
        }
        Some(Overlay::Course { scroll }) => {
            let area = place(body, WIDEST);
            let Some(course) = &state.course else { return (0, 0) };
            framed(look, &plan::course(look, course, state.facts.document.as_deref(), area.width.saturating_sub(4)), *scroll, area, buffer)
        }
        Some(Overlay::Details { pane, row, scroll }) => {
            let area = spacious(body);
            let details = Ctx::of(state, look, *pane)
                .zip(PANES.get(*pane))
                .and_then(|(ctx, pane)| pane.details(&ctx, row, area.width.saturating_sub(4)));
            // What it was about can go away while one reads.
            let details = details.unwrap_or_else(|| Details {
                title: row.clone(),
                lines: vec![Line::from(look.span("it is not there any more", Role::Muted))],
            });
            framed(look, &details, *scroll, area, buffer)
        }
    }
}

/// A line of a text, wrapped below itself.
fn indented(look: &Look<'_>, line: &str, width: usize) -> Vec<Line<'static>> {
    let text = line.trim_start();
    let before = line.len() - text.len();
    let parts = wrap(text, width.saturating_sub(before + 2).max(10)).into_iter().enumerate();
    parts.map(|(n, part)| Line::from(look.span(format!("{}{part}", " ".repeat(before + if n == 0 { 0 } else { 2 })), Role::Text))).collect()
}

/// Draws what can follow the keys that were pressed.
pub(super) fn draw_keys(state: &State, look: &Look<'_>, body: Rect, buffer: &mut Buffer) {
    if let Some(area) = keys::draw(state, look, body, buffer) {
        mark(state, look, area, buffer);
    }
}

/// Room for a sheet of values, each with its source and age: it is looked through and not read line by line, so it has all the lines that there are,
/// and more columns than a text.
fn spacious(body: Rect) -> Rect {
    let width = body.width.min(SHEET);
    Rect { x: body.x + (body.width - width) / 2, width, ..body }
}

/// The middle of the body, with the panes still visible at the sides where there is room.
fn place(body: Rect, widest: u16) -> Rect {
    let width = body.width.min(widest);
    let margin = if body.height >= 30 { 1 } else { 0 };
    Rect { x: body.x + (body.width - width) / 2, y: body.y + margin, width, height: body.height.saturating_sub(2 * margin) }
}

fn framed(look: &Look<'_>, details: &Details, scroll: u16, area: Rect, buffer: &mut Buffer) -> (u16, u16) {
    let page = area.height.saturating_sub(2);
    let count = u16::try_from(details.lines.len()).unwrap_or(u16::MAX);
    let end = count.saturating_sub(page);
    let scroll = scroll.min(end);
    // A short sheet needs no tall frame.
    let area = Rect { height: area.height.min(count.saturating_add(2)), ..area };
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    buffer.set_style(area.intersection(buffer.area), look.style(Role::Overlay));
    border(look, &details.title, scroll, page, count, area, buffer);
    for (y, line) in (area.y + 1..area.bottom().saturating_sub(1)).zip(details.lines.iter().skip(usize::from(scroll))) {
        put(buffer, area.x + 2, y, line, area.width.saturating_sub(4));
    }
    (page, end)
}

fn border(look: &Look<'_>, title: &str, scroll: u16, page: u16, count: u16, area: Rect, buffer: &mut Buffer) {
    if area.width < 4 || area.height < 2 {
        return;
    }
    let style = look.style(Role::OverlayBorder);
    let inner = usize::from(area.width - 2);
    let width = usize::from(area.width);
    buffer.set_stringn(area.x, area.y, format!("╭{}╮", "─".repeat(inner)), width, style);
    for y in area.y + 1..area.bottom() - 1 {
        buffer.set_stringn(area.x, y, "│", 1, style);
        buffer.set_stringn(area.right() - 1, y, "│", 1, style);
    }
    let bottom = area.bottom() - 1;
    buffer.set_stringn(area.x, bottom, format!("╰{}╯", "─".repeat(inner)), width, style);
    let title = cut_end(title, inner.saturating_sub(4));
    buffer.set_stringn(area.x + 2, area.y, format!(" {title} "), inner.saturating_sub(2), look.style(Role::TitleFocus));
    if count > page {
        let last = (scroll + page).min(count);
        let text = format!(" {} to {last} of {count} ", scroll + 1);
        let x = area.right().saturating_sub(u16::try_from(display_width(&text)).unwrap_or(0) + 2).max(area.x);
        buffer.set_stringn(x, bottom, text, inner, look.style(Role::Muted));
    }
}
