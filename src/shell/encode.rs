//! What differs between two screens, as bytes for a terminal.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// The looks that a terminal is in.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// Columns from which on erasing is shorter than writing blanks.
const ERASE_FROM: u16 = 10;

/// A frame below this is short enough as it comes, bytes.
const SHORT: usize = 400;
/// Looks that are drawn in a go of their own, at most, and how many are tried for each.
const GOES: usize = 4;
const TRIED: usize = 4;

/// In what order a terminal may be told. One that is told slowly, and has no way to wait for the whole or does not wait that long, shows half of
/// it for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Words from the top to the bottom, as they are read: of a changed picture a new name beside an old role would be false.
    Reading,
    /// As is shortest: the picture is another one altogether.
    Any,
}

/// A cell to be written, with its place.
type Change<'a> = (u16, u16, &'a Cell);

/// The bytes that turn a terminal that shows `before` into one that shows `after`; empty when nothing differs. The terminal's looks are
/// plain before and after.
///
/// Every byte counts on a slow line, so that the shortest of what all terminals understand is taken. Looks that come up again and again, as
/// those of the frames beside each line, are drawn in one go where that is shorter than to switch to and fro.
pub fn difference(before: &Buffer, after: &Buffer, order: Order) -> String {
    let changes = changes(before, after);
    let movable = match order {
        Order::Reading => is_line,
        Order::Any => is_seen,
    };
    let often = |changes: &[Change<'_>]| often(changes.iter().filter(|(_, _, cell)| movable(cell)).map(|(_, _, cell)| pen(cell)));
    let mut shortest = encode(&changes, after);
    let mut goes: Vec<Pen> = Vec::new();
    while shortest.len() > SHORT && goes.len() < GOES {
        let others = often(&changes).into_iter().filter(|pen| !goes.contains(pen)).take(TRIED);
        let tried = others.map(|pen| {
            let goes: Vec<Pen> = goes.iter().copied().chain([pen]).collect();
            (encode(&in_goes(&changes, &goes, movable), after), goes)
        });
        match tried.min_by_key(|(bytes, _)| bytes.len()) {
            Some((bytes, more)) if bytes.len() < shortest.len() => (shortest, goes) = (bytes, more),
            _ => break,
        }
    }
    shortest
}

/// These looks, those that are taken up most often first.
fn often(looks: impl Iterator<Item = Pen>) -> Vec<Pen> {
    let mut times: Vec<(Pen, usize)> = Vec::new();
    let mut last = None;
    for pen in looks {
        if last.replace(pen) == Some(pen) {
            continue;
        }
        match times.iter_mut().find(|(known, _)| *known == pen) {
            Some((_, times)) => *times += 1,
            None => times.push((pen, 1)),
        }
    }
    times.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    times.into_iter().map(|(pen, _)| pen).collect()
}

/// The changes in another order: what may be moved of each of these looks first, then the others. No write undoes another: a wide character
/// that the first of them breaks is broken for all.
fn in_goes<'a>(changes: &[Change<'a>], goes: &[Pen], movable: fn(&Cell) -> bool) -> Vec<Change<'a>> {
    let go = |(_, _, cell): &Change<'_>| goes.iter().position(|go| movable(cell) && *go == pen(cell)).unwrap_or(goes.len());
    let mut ordered = changes.to_vec();
    ordered.sort_by_key(go);
    ordered
}

fn pen(cell: &Cell) -> Pen {
    Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
}

/// Whether a cell shows something.
fn is_seen(cell: &Cell) -> bool {
    ground(cell).is_none()
}

/// Whether a cell shows a line, and no word.
fn is_line(cell: &Cell) -> bool {
    is_seen(cell) && cell.symbol().chars().all(|c| ('\u{2500}'..='\u{257f}').contains(&c))
}

fn encode(changes: &[Change<'_>], after: &Buffer) -> String {
    let mut out = String::new();
    let mut pen = PLAIN;
    let mut cursor: Option<(u16, u16)> = None;
    let mut changes = changes.iter().copied().peekable();
    while let Some((x, y, cell)) = changes.next() {
        // Erasing takes the ground that is switched on, as most terminals do it; a plain one is plain on all.
        let mut blanks = 0;
        if ground(cell) == Some(Color::Reset) {
            blanks = 1;
            while changes.next_if(|(nx, ny, next)| *ny == y && *nx == x + blanks && ground(next) == Some(Color::Reset)).is_some() {
                blanks += 1;
            }
        }
        go(&mut out, after, cursor, (x, y), pen);
        let wanted = match ground(cell) {
            // A blank shows nothing of what is written; only its ground counts.
            Some(bg) if bg == pen.bg && !(pen.modifier.intersects(SEEN_ON_BLANKS)) => pen,
            Some(bg) => Pen { bg, ..PLAIN },
            None => self::pen(cell),
        };
        if wanted != pen {
            switch(&mut out, pen, wanted);
            pen = wanted;
        }
        let end = x + blanks.max(1);
        match blanks {
            0 => out.push_str(cell.symbol()),
            ERASE_FROM.. if end >= after.area.width => {
                out.push_str("\x1b[K");
                cursor = Some((x, y));
                continue;
            }
            ERASE_FROM.. => {
                push(&mut out, format_args!("\x1b[{blanks}X"));
                cursor = Some((x, y));
                continue;
            }
            few => out.extend((0..few).map(|_| ' ')),
        }
        // At the last column a terminal's cursor waits; where it goes next is not the same everywhere.
        let next = if blanks > 0 { end } else { x.saturating_add(width(cell)) };
        cursor = (next < after.area.width).then_some((next, y));
    }
    if pen != PLAIN {
        out.push_str("\x1b[m");
    }
    out
}

/// What is seen of a blank beside its ground.
const SEEN_ON_BLANKS: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// The ground of a cell that shows nothing else; `None`: there is something to be seen.
fn ground(cell: &Cell) -> Option<Color> {
    (matches!(cell.symbol(), " " | "") && !cell.modifier.intersects(SEEN_ON_BLANKS)).then_some(cell.bg)
}

/// Whether two cells look alike.
fn alike(a: &Cell, b: &Cell) -> bool {
    a == b || matches!((ground(a), ground(b)), (Some(x), Some(y)) if x == y)
}

/// Moves the cursor, by the shortest way.
fn go(out: &mut String, shown: &Buffer, cursor: Option<(u16, u16)>, (x, y): (u16, u16), pen: Pen) {
    match cursor {
        Some(at) if at == (x, y) => {}
        Some((cx, cy)) if cy == y && x > cx => {
            // To write a few cells anew as they are can be shorter than to pass over them.
            let between: Option<String> = (cx..x).map(|at| plainly(shown, at, y, pen)).collect();
            let over = forward(x - cx);
            out.push_str(&between.filter(|text| text.len() <= over.len()).unwrap_or(over));
        }
        Some((_, cy)) if cy + 1 == y => {
            out.push_str("\r\n");
            out.push_str(&forward(x));
        }
        _ if x == 0 => push(out, format_args!("\x1b[{}H", y + 1)),
        _ => push(out, format_args!("\x1b[{};{}H", y + 1, x + 1)),
    }
}

/// A cell's character if writing it with this pen makes it what it is.
fn plainly(buffer: &Buffer, x: u16, y: u16, pen: Pen) -> Option<String> {
    let cell = buffer.cell((buffer.area.x + x, buffer.area.y + y))?;
    let fits = match ground(cell) {
        Some(bg) => bg == pen.bg && !pen.modifier.intersects(SEEN_ON_BLANKS),
        None => pen == Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier },
    };
    (fits && width(cell) == 1).then(|| if cell.symbol().is_empty() { " ".to_owned() } else { cell.symbol().to_owned() })
}

fn forward(columns: u16) -> String {
    match columns {
        0 => String::new(),
        1 => "\x1b[C".to_owned(),
        n => format!("\x1b[{n}C"),
    }
}

/// The cells to be written, with their places from 0.
///
/// A wide character of which one half is overwritten loses the other too, in looks that differ between terminals; that half is written anew.
fn changes<'a>(before: &'a Buffer, after: &'a Buffer) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    let columns = after.area.width;
    for y in 0..after.area.height {
        let at = |buffer: &'a Buffer, x: u16| buffer.cell((buffer.area.x + x, buffer.area.y + y));
        let mut broken_until = 0;
        let mut x = 0;
        while let Some(cell) = at(after, x).filter(|_| x < columns) {
            let wide = width(cell);
            let old = at(before, x);
            if !old.is_some_and(|old| alike(old, cell)) || x < broken_until {
                changes.push((x, y, cell));
                for covered in x..x.saturating_add(wide) {
                    let halves = at(before, covered).map_or(1, width);
                    if halves > 1 {
                        broken_until = broken_until.max(covered.saturating_add(halves));
                    }
                }
            }
            x = x.saturating_add(wide);
        }
    }
    changes
}

/// Columns that a cell's character takes.
fn width(cell: &Cell) -> u16 {
    u16::try_from(cell.symbol().width()).unwrap_or(1).max(1)
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
}

const MODIFIERS: [(Modifier, u8); 7] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

fn switch(out: &mut String, from: Pen, to: Pen) {
    let mut codes: Vec<String> = Vec::new();
    let mut from = from;
    // Taking one modifier away has its own code on some terminals only; to begin anew works on all.
    if !(from.modifier - to.modifier).is_empty() || (to.fg == Color::Reset && to.bg == Color::Reset && to.modifier.is_empty()) {
        // Nothing stands for 0.
        codes.push(String::new());
        from = PLAIN;
    }
    for (modifier, code) in MODIFIERS {
        if (to.modifier - from.modifier).contains(modifier) {
            codes.push(code.to_string());
        }
    }
    if to.fg != from.fg {
        codes.push(color(to.fg, 30));
    }
    if to.bg != from.bg {
        codes.push(color(to.bg, 40));
    }
    push(out, format_args!("\x1b[{}m", codes.join(";")));
}

/// The code of a colour; `base` is 30 for what is written, 40 for what it is written on.
fn color(color: Color, base: u8) -> String {
    let plain = |n: u8| (base + n).to_string();
    let bright = |n: u8| (base + 60 + n).to_string();
    match color {
        Color::Reset => plain(9),
        Color::Black => plain(0),
        Color::Red => plain(1),
        Color::Green => plain(2),
        Color::Yellow => plain(3),
        Color::Blue => plain(4),
        Color::Magenta => plain(5),
        Color::Cyan => plain(6),
        Color::Gray => plain(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(index) => format!("{};5;{index}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    const AREA: Rect = Rect { x: 0, y: 0, width: 20, height: 4 };

    #[test]
    fn nothing_changed_is_no_byte() {
        let mut buffer = Buffer::empty(AREA);
        buffer.set_string(1, 1, "psg1 leads", Style::new().fg(Color::Green));
        assert_eq!(difference(&buffer, &buffer, Order::Any), "");
    }

    #[test]
    fn one_digit_is_a_few_bytes() {
        let mut before = Buffer::empty(AREA);
        before.set_string(0, 0, "lease 27 s", Style::new());
        let mut after = before.clone();
        after.set_string(0, 0, "lease 26 s", Style::new());
        assert_eq!(difference(&before, &after, Order::Reading), "\x1b[1;8H6");
    }

    fn size(cells: u16) -> std::num::NonZero<u16> {
        std::num::NonZero::new(cells).expect("a size")
    }

    /// What a terminal shows after the bytes is what the buffer holds.
    fn shown(before: &Buffer, after: &Buffer, order: Order) -> vt100::Parser {
        let mut parser = vt100::Parser::new(size(AREA.height), size(AREA.width), 0);
        parser.process(difference(&Buffer::empty(AREA), before, Order::Any).as_bytes());
        parser.process(difference(before, after, order).as_bytes());
        parser
    }

    fn screens() -> impl Strategy<Value = Vec<(u16, u16, String, usize)>> {
        let text = prop::sample::select(vec!["psg1", "●", "日本", "█▁", "a  b", " "]).prop_map(str::to_owned);
        prop::collection::vec((0..20u16, 0..4u16, text, 0..6usize), 0..30)
    }

    fn paint(buffer: &mut Buffer, marks: &[(u16, u16, String, usize)]) {
        let styles = [
            Style::new(),
            Style::new().fg(Color::LightRed).add_modifier(Modifier::BOLD),
            Style::new().bg(Color::Blue),
            Style::new().fg(Color::Indexed(200)).add_modifier(Modifier::REVERSED | Modifier::ITALIC),
            Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::White),
            Style::new().add_modifier(Modifier::UNDERLINED),
        ];
        for (x, y, text, style) in marks {
            buffer.set_string(*x, *y, text, styles[*style]);
        }
    }

    /// Enough of them that an order by looks would be shorter.
    #[test]
    fn half_of_a_changed_picture_has_its_words_in_their_order() {
        let area = Rect { x: 0, y: 0, width: 60, height: 20 };
        let (mut before, mut after) = (Buffer::empty(area), Buffer::empty(area));
        let styles = [Style::new().fg(Color::Rgb(70, 70, 70)), Style::new().fg(Color::Rgb(70, 170, 70)).add_modifier(Modifier::BOLD)];
        for (buffer, words) in [(&mut before, ["psg1", "primary"]), (&mut after, ["sgp2", "replica"])] {
            for y in 0..area.height {
                buffer.set_string(2, y, words[0], styles[0]);
                buffer.set_string(8, y, words[1], styles[1]);
            }
        }
        assert!(difference(&before, &after, Order::Any).len() < difference(&before, &after, Order::Reading).len());
        let mut parser = vt100::Parser::new(size(area.height), size(area.width), 0);
        parser.process(difference(&Buffer::empty(area), &before, Order::Any).as_bytes());
        for byte in difference(&before, &after, Order::Reading).bytes() {
            parser.process(&[byte]);
            let words = parser.screen().contents();
            let news: Vec<bool> = words.split_whitespace().map(|word| word == "sgp2" || word == "replica").collect();
            let last_new = news.iter().rposition(|new| *new).map_or(0, |at| at + 1);
            assert!(news[..last_new].iter().all(|new| *new), "{words}");
        }
    }

    proptest! {
        #[test]
        fn a_terminal_shows_what_the_buffer_holds(first in screens(), second in screens(), any: bool) {
            let (mut before, mut after) = (Buffer::empty(AREA), Buffer::empty(AREA));
            paint(&mut before, &first);
            paint(&mut after, &second);
            let parser = shown(&before, &after, if any { Order::Any } else { Order::Reading });
            for y in 0..AREA.height {
                for x in 0..AREA.width {
                    let cell = parser.screen().cell(y, x).expect("a cell");
                    if cell.is_wide_continuation() {
                        continue;
                    }
                    let wanted = &after[(x, y)];
                    let shown = if cell.contents().is_empty() { " " } else { cell.contents() };
                    prop_assert_eq!(shown, wanted.symbol(), "at {} {}", x, y);
                    // Bold is not seen of a blank.
                    prop_assert!(shown == " " || cell.bold() == wanted.modifier.contains(Modifier::BOLD), "bold at {} {}", x, y);
                    prop_assert_eq!(cell.inverse(), wanted.modifier.contains(Modifier::REVERSED));
                    let default_back = cell.bgcolor() == vt100::Color::Default;
                    prop_assert_eq!(default_back, wanted.bg == Color::Reset, "back at {} {}", x, y);
                }
            }
        }
    }
}
