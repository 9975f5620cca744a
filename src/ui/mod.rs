//! The picture: a [`State`] into a [`Buffer`].
//!
//! Nothing here knows a terminal; tests, screenshots and the console draw through the same [`draw`].

mod badge;
mod copied;
mod fact;
mod footer;
pub mod format;
mod headline;
mod layout;
mod look;
mod overlay;
mod pane;
mod panes;
mod put;
mod recall;
pub mod svg;
mod widget;
mod wrap;

pub use copied::copied;
pub use look::Look;
pub use pane::{Ctx, Details, Drawn, Pane, Want};
pub use panes::{PANES, models};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::{Measured, State};
use crate::theme::{Role, ascii};

/// The smallest screen with panes.
pub const SMALLEST: (u16, u16) = (60, 12);

/// Draws the whole screen and tells what fitted.
pub fn draw(state: &State, look: &Look<'_>, buffer: &mut Buffer) -> Measured {
    let area = buffer.area;
    for cell in &mut buffer.content {
        cell.reset();
    }
    buffer.set_style(area, look.style(Role::Text));
    let measured = if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        small(state, look, area, buffer);
        Measured::default()
    } else {
        full(state, look, area, buffer)
    };
    if look.ascii {
        to_ascii(buffer);
    }
    measured
}

fn full(state: &State, look: &Look<'_>, area: Rect, buffer: &mut Buffer) -> Measured {
    let head = headline::draw(state, look, area, buffer);
    let foot = footer::height(state, look, area.width);
    let body = Rect { y: area.y + head, height: area.height.saturating_sub(head + foot), ..area };
    let foot = Rect { y: area.bottom() - foot, height: foot, ..area };
    let mut measured = Measured { pages: vec![0; state.panes.len()], columns: area.width, ..Measured::default() };
    for (number, area) in layout::places(state, look, body) {
        if number == layout::DETAILS {
            pane::draw_details(state, look, area, buffer);
        } else if let Some(pane) = PANES.get(number) {
            let page = pane::draw_framed(*pane, number, state, look, area, buffer);
            if let Some(slot) = measured.pages.get_mut(number) {
                *slot = page;
            }
        }
    }
    (measured.overlay_page, measured.overlay_end) = overlay::draw(state, look, body, buffer);
    overlay::draw_keys(state, look, body, buffer);
    footer::draw(state, look, foot, buffer);
    measured
}

/// A screen too small for panes says so, and tells the main thing in what is left.
fn small(state: &State, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let (width, height) = SMALLEST;
    let mut lines = vec![(format!("pgbaton needs {width}x{height}, this is {}x{}", area.width, area.height), Role::Muted)];
    if let Some(document) = &state.facts.document {
        lines.push((document.headline.leads.clone(), Role::Emphasis));
        lines.push((document.headline.verdict.clone(), look.verdict(document.headline.level)));
    }
    // On a single line the main thing is worth more than the complaint.
    if area.height == 1 && lines.len() > 1 {
        lines.remove(0);
    }
    for (y, (text, role)) in (area.y..area.bottom()).zip(lines) {
        buffer.set_stringn(area.x, y, text, usize::from(area.width), look.style(role));
    }
}

fn to_ascii(buffer: &mut Buffer) {
    dots(buffer);
    for cell in &mut buffer.content {
        let mut chars = cell.symbol().chars();
        if let (Some(first), None) = (chars.next(), chars.next())
            && first.is_ascii()
        {
            continue;
        }
        let replaced = cell.symbol().chars().next().map_or(' ', ascii);
        cell.set_char(replaced);
    }
}

/// What is cut ends with three dots where they have room: in the blank behind it, or over the last letters of what is cut.
fn dots(buffer: &mut Buffer) {
    let columns = usize::from(buffer.area.width);
    for at in 0..buffer.content.len() {
        if buffer.content[at].symbol() != "…" {
            continue;
        }
        let (begin, end) = (at - at % columns, at - at % columns + columns);
        let blank = |cell: usize| cell >= end || buffer.content[cell].symbol() == " ";
        let first = if at + 2 < end && (at + 1..=at + 3).all(blank) {
            at
        } else if at >= begin + 2 && blank(at + 1) && !blank(at - 1) && !blank(at - 2) {
            at - 2
        } else if at >= begin + 2 && at + 1 < end && blank(at + 1) && blank(at + 2) && blank(at - 1) && !blank(at - 2) {
            at - 1
        } else {
            continue;
        };
        for cell in &mut buffer.content[first..first + 3] {
            cell.set_char('.');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_ends_with_dots_where_there_is_only_ascii() {
        for (line, told) in [
            ("unreachab…  x", "unreach...  x".to_owned()),
            ("more …          ", "more ...        ".to_owned()),
            ("psg…01          ", "psg~01          ".to_owned()),
            ("clients cannot…", "clients cann...".to_owned()),
            ("and so on; … ", "and so on;...".to_owned()),
            ("g …", "g ~".to_owned()),
        ] {
            let width = u16::try_from(line.chars().count()).unwrap_or(0);
            let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
            buffer.set_string(0, 0, line, ratatui::style::Style::default());
            to_ascii(&mut buffer);
            let drawn: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
            assert_eq!(drawn.trim_end(), told.trim_end(), "{line}");
        }
    }
}
