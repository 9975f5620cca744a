//! What has no box: each system on a line, or on as many as it takes, with what is wrong in it behind its sign.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::card::{Card, Item};
use super::mark_if;
use crate::document::Level;
use crate::theme::{Role, sign};
use crate::ui::format::{cut_end, display_width, wrap};
use crate::ui::pane::Ctx;
use crate::ui::put::put;

/// Columns of the sign and the name of a system.
const LEAD: u16 = 11;
/// Blanks between two that stand on one line.
const GAP: u16 = 2;

/// Where a text stands, and which item of its card it says.
struct Placed {
    row: u16,
    x: u16,
    text: String,
    item: usize,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    All,
    /// Of what is well only the first.
    Wrong,
    /// What is well as a whole is left out.
    OnlyWrong,
}

/// Rows that the cards take at this width, if they get them.
pub(super) fn wanted(cards: &[Card<'_>], width: u16) -> u16 {
    cards.iter().map(|card| rows(&placed(card, width, Said::All))).sum()
}

/// Draws them; tells how many systems had no room. What is wrong is said before what is well, where there is not room for both.
pub(super) fn draw(ctx: &Ctx<'_>, cards: &[Card<'_>], area: Rect, buffer: &mut Buffer) -> usize {
    let fits = |said: Said| {
        cards.iter().filter(|card| shown(card, said)).map(|card| rows(&placed(card, area.width, said))).sum::<u16>() <= area.height
    };
    let said = [Said::All, Said::Wrong].into_iter().find(|said| fits(*said)).unwrap_or(Said::OnlyWrong);
    let (mut y, mut hidden) = (area.y, 0);
    for card in cards {
        let pieces = placed(card, area.width, said);
        if !shown(card, said) || y >= area.bottom() {
            hidden += 1;
            continue;
        }
        let height = rows(&pieces).min(area.bottom() - y);
        one(ctx, card, &pieces, Rect { y, height, ..area }, buffer);
        y += height;
    }
    hidden
}

fn shown(card: &Card<'_>, said: Said) -> bool {
    said != Said::OnlyWrong || card.level() != Level::Ok
}

fn rows(pieces: &[Placed]) -> u16 {
    pieces.iter().map(|piece| piece.row + 1).max().unwrap_or(1)
}

/// The texts of a card, one behind the other as they fit, behind its name; what is longer than a line is wrapped.
fn placed(card: &Card<'_>, width: u16, said: Said) -> Vec<Placed> {
    let (left, right) = (LEAD + 2, width.saturating_sub(1));
    let room = right.saturating_sub(left).max(10);
    let first_well = card.items.iter().position(|item| item.level == Level::Ok && item.chip().is_some());
    let all_well = card.level() == Level::Ok;
    let keep = |at: usize, item: &Item<'_>| said == Said::All || item.level != Level::Ok || all_well && Some(at) == first_well;
    let (mut out, mut row, mut x): (Vec<Placed>, u16, u16) = (Vec::new(), 0, left);
    for (item, text) in card.items.iter().enumerate().filter(|(at, item)| keep(*at, item)).filter_map(|(at, item)| Some((at, item.chip()?)))
    {
        let wide = u16::try_from(display_width(&text)).unwrap_or(u16::MAX);
        if x > left && x.saturating_add(wide) > right {
            (row, x) = (row + 1, left);
        }
        if wide <= room {
            out.push(Placed { row, x, text, item });
            x += wide + GAP;
            continue;
        }
        let lines = wrap(&text, usize::from(room));
        for (n, text) in (0_u16..).zip(lines) {
            row += u16::from(n > 0);
            x = left + u16::try_from(display_width(&text)).unwrap_or(room) + GAP;
            out.push(Placed { row, x: left, text, item });
        }
    }
    out
}

fn one(ctx: &Ctx<'_>, card: &Card<'_>, pieces: &[Placed], area: Rect, buffer: &mut Buffer) {
    let level = card.level();
    let name = cut_end(card.title.split(' ').next().unwrap_or_default(), usize::from(LEAD - 2));
    let head = [
        ctx.look.span(format!("{} ", sign(level)), ctx.look.level(level)),
        ctx.look.span(name, if level == Level::Ok { Role::Text } else { ctx.look.level(level) }),
    ];
    put(buffer, area.x + 2, area.y, &Line::from(head.to_vec()), LEAD);
    let first = Rect { height: 1, width: LEAD + 1, ..area };
    for piece in pieces.iter().filter(|piece| piece.row < area.height) {
        let (x, y) = (area.x + piece.x, area.y + piece.row);
        let Some(item) = card.items.get(piece.item) else { continue };
        let span = ctx.look.span(piece.text.clone(), item.role(ctx));
        put(buffer, x, y, &Line::from(span), area.right().saturating_sub(x));
    }
    let own = |item: &Item<'_>| item.part.map(|part| part.id()) != card.part.map(|part| part.id());
    for (at, item) in card.items.iter().enumerate().filter(|(_, item)| own(item)) {
        for piece in pieces.iter().filter(|piece| piece.item == at && piece.row < area.height) {
            let width = u16::try_from(display_width(&piece.text)).unwrap_or(u16::MAX).saturating_add(1);
            mark_if(ctx, item.part.as_ref(), Rect { x: area.x + piece.x - 1, y: area.y + piece.row, width, height: 1 }, buffer);
        }
    }
    mark_if(ctx, card.part.as_ref(), first, buffer);
}
