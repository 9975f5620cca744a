//! A picture of a screen: a [`Buffer`] as SVG with an exact grid of cells.
//!
//! Lines, blocks and signs are drawn as shapes, so that they meet without seams whatever font there is; every word is a text of its own with
//! its width given, so that columns stay straight.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::theme::{Screen, rgb_of};

/// Width and height of a cell, and the size of the font that fits it (an advance of 0.6).
const CELL: (f64, f64) = (9.0, 19.0);
const FONT_SIZE: f64 = 15.0;
/// From the top of a cell to the line on which letters stand.
const BASELINE: f64 = 14.2;
/// Room around the screen.
const MARGIN: f64 = 14.0;
const FONTS: &str = "'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace";

/// The screen as SVG.
pub fn svg(buffer: &Buffer, screen: Screen) -> String {
    let area = buffer.area;
    let (width, height) = (f64::from(area.width) * CELL.0 + 2.0 * MARGIN, f64::from(area.height) * CELL.1 + 2.0 * MARGIN);
    let mut out = String::new();
    let _ = writeln!(out, r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">"#);
    let _ = writeln!(out, r#"<rect width="{width}" height="{height}" rx="8" fill="{}"/>"#, hex(screen.background));
    let _ = writeln!(
        out,
        r#"<g font-family="{FONTS}" font-size="{FONT_SIZE}" style="font-variant-ligatures:none;font-feature-settings:'liga' 0,'calt' 0">"#
    );
    for y in 0..area.height {
        let row: Vec<&Cell> = (0..area.width).filter_map(|x| buffer.cell((area.x + x, area.y + y))).collect();
        backgrounds(&mut out, &row, y, screen);
        foregrounds(&mut out, &row, y, screen);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// How a cell looks in the end.
#[derive(Clone, Copy, PartialEq)]
struct Ink {
    fore: (u8, u8, u8),
    back: Option<(u8, u8, u8)>,
    modifier: Modifier,
}

fn ink(cell: &Cell, screen: Screen) -> Ink {
    let (mut fore, mut back) = (rgb_of(cell.fg).unwrap_or(screen.foreground), rgb_of(cell.bg).filter(|_| cell.bg != Color::Reset));
    if cell.modifier.contains(Modifier::REVERSED) {
        let ground = back.unwrap_or(screen.background);
        back = Some(fore);
        fore = ground;
    }
    if cell.modifier.contains(Modifier::DIM) {
        fore = mix(fore, back.unwrap_or(screen.background));
    }
    let modifier = cell.modifier & (Modifier::BOLD | Modifier::ITALIC | Modifier::UNDERLINED);
    Ink { fore, back, modifier }
}

/// Two parts of a colour and one of another, which is how most terminals dim.
fn mix(a: (u8, u8, u8), b: (u8, u8, u8)) -> (u8, u8, u8) {
    let part = |x: u8, y: u8| ((u16::from(x) * 2 + u16::from(y)) / 3) as u8;
    (part(a.0, b.0), part(a.1, b.1), part(a.2, b.2))
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn left(x: usize) -> f64 {
    MARGIN + x as f64 * CELL.0
}

fn top(y: u16) -> f64 {
    MARGIN + f64::from(y) * CELL.1
}

fn backgrounds(out: &mut String, row: &[&Cell], y: u16, screen: Screen) {
    let mut x = 0;
    while x < row.len() {
        let back = ink(row[x], screen).back;
        let end = (x..row.len()).find(|at| ink(row[*at], screen).back != back).unwrap_or(row.len());
        if let Some(back) = back {
            let width = (end - x) as f64 * CELL.0;
            let _ = writeln!(out, r#"<rect x="{}" y="{}" width="{width}" height="{}" fill="{}"/>"#, left(x), top(y), CELL.1, hex(back));
        }
        x = end;
    }
}

fn foregrounds(out: &mut String, row: &[&Cell], y: u16, screen: Screen) {
    let mut x = 0;
    while x < row.len() {
        let symbol = row[x].symbol();
        let ink = ink(row[x], screen);
        if symbol.trim().is_empty() {
            if ink.modifier.contains(Modifier::UNDERLINED) {
                rect(out, left(x), top(y) + BASELINE + 2.0, CELL.0, 1.0, ink);
            }
            x += 1;
            continue;
        }
        if let Some(width) = run_of_line(row, x, ink, screen) {
            line(out, symbol, x, width, y, ink);
            x += width;
            continue;
        }
        if shape(out, symbol, left(x), top(y), ink) {
            x += 1;
            continue;
        }
        let mut word = String::new();
        let start = x;
        while x < row.len() && !row[x].symbol().trim().is_empty() && self::ink(row[x], screen) == ink && !is_shape(row[x].symbol()) {
            // Two signs side by side could become one ligature.
            let sign = |text: &str| text.ends_with(|c: char| c.is_ascii_punctuation());
            if sign(&word) && sign(row[x].symbol()) {
                break;
            }
            word.push_str(row[x].symbol());
            x += 1;
        }
        text(out, &word, start, x - start, y, ink);
    }
}

/// How many cells from `x` on are one straight line.
fn run_of_line(row: &[&Cell], x: usize, ink: Ink, screen: Screen) -> Option<usize> {
    let symbol = row[x].symbol();
    if !matches!(symbol, "─" | "━") {
        return None;
    }
    Some(row[x..].iter().take_while(|cell| cell.symbol() == symbol && self::ink(cell, screen) == ink).count())
}

fn line(out: &mut String, symbol: &str, x: usize, cells: usize, y: u16, ink: Ink) {
    let thick = if symbol == "━" { 2.2 } else { 1.0 };
    rect(out, left(x), top(y) + CELL.1 / 2.0 - thick / 2.0, cells as f64 * CELL.0, thick, ink);
}

fn rect(out: &mut String, x: f64, y: f64, width: f64, height: f64, ink: Ink) {
    // Where two blocks meet there is no seam, however the picture is scaled.
    let fill = hex(ink.fore);
    let _ = writeln!(out, r#"<rect x="{x}" y="{y:.2}" width="{width}" height="{height:.2}" fill="{fill}" shape-rendering="crispEdges"/>"#);
}

fn path(out: &mut String, d: &str, ink: Ink, filled: bool, width: f64) {
    let color = hex(ink.fore);
    let _ = if filled {
        writeln!(out, r#"<path d="{d}" fill="{color}"/>"#)
    } else {
        writeln!(out, r#"<path d="{d}" fill="none" stroke="{color}" stroke-width="{width}"/>"#)
    };
}

fn is_shape(symbol: &str) -> bool {
    matches!(symbol, "─" | "━" | "│" | "╭" | "╮" | "╰" | "╯" | "●" | "○" | "▲" | "✖" | "▸") || block(symbol).is_some()
}

/// Eighths of a cell that a block fills.
fn block(symbol: &str) -> Option<u32> {
    let c = symbol.chars().next()?;
    ('▁'..='█').contains(&c).then(|| u32::from(c) - u32::from('▁') + 1)
}

/// Draws a sign; `false`: it is text.
fn shape(out: &mut String, symbol: &str, x: f64, y: f64, ink: Ink) -> bool {
    let (w, h) = CELL;
    let (cx, cy) = (x + w / 2.0, y + h / 2.0);
    let (right, bottom) = (x + w, y + h);
    if let Some(eighths) = block(symbol) {
        let height = h * f64::from(eighths) / 8.0;
        rect(out, x, bottom - height, w, height, ink);
        return true;
    }
    let radius = 4.0;
    match symbol {
        "│" => rect(out, cx - 0.5, y, 1.0, h, ink),
        "╭" => path(out, &format!("M{cx} {bottom}V{}Q{cx} {cy} {} {cy}H{right}", cy + radius, cx + radius), ink, false, 1.0),
        "╮" => path(out, &format!("M{cx} {bottom}V{}Q{cx} {cy} {} {cy}H{x}", cy + radius, cx - radius), ink, false, 1.0),
        "╰" => path(out, &format!("M{cx} {y}V{}Q{cx} {cy} {} {cy}H{right}", cy - radius, cx + radius), ink, false, 1.0),
        "╯" => path(out, &format!("M{cx} {y}V{}Q{cx} {cy} {} {cy}H{x}", cy - radius, cx - radius), ink, false, 1.0),
        "●" => {
            let _ = writeln!(out, r#"<circle cx="{cx}" cy="{cy}" r="3.9" fill="{}"/>"#, hex(ink.fore));
        }
        "○" => {
            let _ = writeln!(out, r#"<circle cx="{cx}" cy="{cy}" r="3.4" fill="none" stroke="{}" stroke-width="1.2"/>"#, hex(ink.fore));
        }
        "▲" => path(out, &format!("M{cx} {}L{} {}H{}Z", cy - 4.4, right - 0.2, cy + 3.8, x + 0.2), ink, true, 0.0),
        "✖" => path(
            out,
            &format!("M{} {}L{} {}M{} {}L{} {}", cx - 3.4, cy - 3.4, cx + 3.4, cy + 3.4, cx + 3.4, cy - 3.4, cx - 3.4, cy + 3.4),
            ink,
            false,
            2.4,
        ),
        "▸" => path(out, &format!("M{} {}L{} {cy}L{} {}Z", x + 2.0, cy - 4.2, right - 1.0, x + 2.0, cy + 4.2), ink, true, 0.0),
        _ => return false,
    }
    true
}

fn text(out: &mut String, word: &str, x: usize, cells: usize, y: u16, ink: Ink) {
    let mut style = String::new();
    if ink.modifier.contains(Modifier::BOLD) {
        style.push_str(r#" font-weight="700""#);
    }
    if ink.modifier.contains(Modifier::ITALIC) {
        style.push_str(r#" font-style="italic""#);
    }
    if ink.modifier.contains(Modifier::UNDERLINED) {
        style.push_str(r#" text-decoration="underline""#);
    }
    let escaped = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        out,
        r#"<text x="{}" y="{}" textLength="{}" fill="{}"{style}>{escaped}</text>"#,
        left(x),
        top(y) + BASELINE,
        cells as f64 * CELL.0,
        hex(ink.fore)
    );
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    const SCREEN: Screen = Screen { foreground: (200, 200, 200), background: (0, 0, 0) };

    #[test]
    fn words_are_placed_on_the_grid_and_escaped() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 1));
        buffer.set_string(0, 0, "a <b&c> ─█", Style::new());
        let svg = svg(&buffer, SCREEN);
        assert!(svg.contains(&format!(r#"<text x="{}""#, left(2))) && svg.contains(">&lt;b&amp;c&gt;</text>"), "{svg}");
        assert!(!svg.contains('─') && !svg.contains('█'), "lines and blocks are shapes: {svg}");
    }

    #[test]
    fn a_reversed_cell_has_its_colours_swapped() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        buffer.set_string(0, 0, "x", Style::new().add_modifier(Modifier::REVERSED));
        let svg = svg(&buffer, SCREEN);
        assert!(svg.contains(r##"height="19" fill="#c8c8c8""##) && svg.contains(r##"fill="#000000">x"##), "{svg}");
    }
}
