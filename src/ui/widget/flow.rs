//! Lines that lead from one place to another: where traffic goes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ratatui::buffer::Buffer;

use crate::theme::Role;
use crate::ui::look::Look;

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// A line of which nothing is known to go along, and one with traffic, by the sides of a cell that it touches.
const THIN: [&str; 16] = [" ", "│", "│", "│", "─", "┘", "┐", "┤", "─", "└", "┌", "├", "─", "┴", "┬", "┼"];
const THICK: [&str; 16] = [" ", "║", "║", "║", "═", "╝", "╗", "╣", "═", "╚", "╔", "╠", "═", "╩", "╦", "╬"];

/// Lines that share their cells: where two meet there is one character for both.
#[derive(Default)]
pub(in crate::ui) struct Flow {
    /// Sides, whether it is thick, and what it means, by row and column.
    cells: BTreeMap<(u16, u16), (u8, bool, Role)>,
}

impl Flow {
    /// A line from `from` to `to`, both (column, row), that changes its row in the column `bend`. Where it shares a cell the later one's meaning
    /// counts, so the ones that matter most come last.
    pub(in crate::ui) fn lead(&mut self, from: (u16, u16), bend: u16, to: (u16, u16), thick: bool, role: Role) {
        let (top, bottom) = (from.1.min(to.1), from.1.max(to.1));
        for x in from.0..=bend {
            self.touch((from.1, x), if x < bend { LEFT | RIGHT } else { LEFT }, thick, role);
        }
        for y in top..=bottom {
            let sides = match (y == top, y == bottom) {
                (true, true) => 0,
                (true, false) => DOWN,
                (false, true) => UP,
                (false, false) => UP | DOWN,
            };
            self.touch((y, bend), sides, thick, role);
        }
        for x in bend..=to.0 {
            self.touch((to.1, x), if x > bend { LEFT | RIGHT } else { RIGHT }, thick, role);
        }
    }

    /// A line through these places (column, row), each in the row or the column of the one before; the first is where it comes from, and is not drawn
    /// on.
    pub(in crate::ui) fn path(&mut self, places: &[(u16, u16)], thick: bool, role: Role) {
        let Some(first) = places.first() else { return };
        for pair in places.windows(2) {
            let ((from_x, from_y), (to_x, to_y)) = (pair[0], pair[1]);
            let (back, on) = match (to_x.cmp(&from_x), to_y.cmp(&from_y)) {
                (Ordering::Greater, _) => (LEFT, RIGHT),
                (Ordering::Less, _) => (RIGHT, LEFT),
                (Ordering::Equal, Ordering::Less) => (DOWN, UP),
                (Ordering::Equal, _) => (UP, DOWN),
            };
            let (columns, rows) = (from_x.min(to_x)..=from_x.max(to_x), from_y.min(to_y)..=from_y.max(to_y));
            for (x, y) in columns.flat_map(|x| rows.clone().map(move |y| (x, y))) {
                let sides = if (x, y) == pair[0] { on } else { back } | if (x, y) == pair[1] { 0 } else { on };
                if (x, y) != *first && pair[0] != pair[1] {
                    self.touch((y, x), sides, thick, role);
                }
            }
        }
    }

    fn touch(&mut self, place: (u16, u16), sides: u8, thick: bool, role: Role) {
        let cell = self.cells.entry(place).or_insert((0, false, role));
        *cell = (cell.0 | sides, cell.1 || thick, role);
    }

    /// Draws them.
    pub(in crate::ui) fn draw(&self, look: &Look<'_>, buffer: &mut Buffer) {
        for ((y, x), (sides, thick, role)) in &self.cells {
            let shapes = if *thick { &THICK } else { &THIN };
            buffer.set_stringn(*x, *y, shapes[usize::from(*sides)], 1, look.style(*role));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(flow: &Flow) -> Vec<String> {
        let height = flow.cells.keys().map(|(y, _)| *y).max().unwrap_or(0);
        let line = |y| {
            let shape = |x| flow.cells.get(&(y, x)).map_or(" ", |(sides, thick, _)| if *thick { THICK } else { THIN }[usize::from(*sides)]);
            (0..6).map(shape).collect::<String>()
        };
        (0..=height).map(line).collect()
    }

    #[test]
    fn lines_that_meet_have_one_character() {
        let mut flow = Flow::default();
        flow.lead((0, 0), 3, (5, 0), true, Role::Ok);
        assert_eq!(text(&flow), ["══════"]);
        flow.lead((0, 2), 3, (5, 0), true, Role::Ok);
        assert_eq!(text(&flow), ["═══╦══", "   ║  ", "═══╝  "]);
        flow.lead((0, 1), 3, (5, 0), true, Role::Ok);
        assert_eq!(text(&flow), ["═══╦══", "═══╣  ", "═══╝  "]);
        let mut flow = Flow::default();
        flow.path(&[(4, 0), (4, 1), (0, 1), (0, 3), (2, 3)], true, Role::Ok);
        flow.path(&[(4, 0), (4, 1), (0, 1), (0, 2), (2, 2)], true, Role::Ok);
        assert_eq!(text(&flow), ["      ", "╔═══╝ ", "╠══   ", "╚══   "]);
        let mut flow = Flow::default();
        flow.lead((0, 0), 1, (5, 2), false, Role::Ok);
        flow.lead((0, 2), 3, (5, 0), false, Role::Ok);
        assert_eq!(text(&flow), ["─┐ ┌──", " │ │  ", "─┴─┴──"]);
    }
}
