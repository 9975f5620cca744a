//! Colours, and the nearest ones that a terminal can show.

use ratatui::style::Color;

/// How many colours a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::Display, strum::EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Depth {
    /// None: bold, dim, underline and reverse only.
    Mono,
    /// The 16 that the user's own palette defines.
    #[strum(serialize = "16")]
    Sixteen,
    /// xterm's 256.
    #[strum(serialize = "256")]
    Indexed,
    /// 24 bits.
    TrueColor,
}

/// A colour as a theme gives it: the wanted one, and which of the 16 stands in for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    exact: Color,
    sixteen: Option<Color>,
}

/// The names of the 16, with the values that xterm gives them.
const ANSI: [(&str, Color, (u8, u8, u8)); 16] = [
    ("black", Color::Black, (0, 0, 0)),
    ("red", Color::Red, (205, 49, 49)),
    ("green", Color::Green, (35, 161, 85)),
    ("yellow", Color::Yellow, (196, 160, 0)),
    ("blue", Color::Blue, (52, 101, 214)),
    ("magenta", Color::Magenta, (173, 92, 190)),
    ("cyan", Color::Cyan, (24, 155, 180)),
    ("white", Color::Gray, (204, 204, 204)),
    ("bright-black", Color::DarkGray, (110, 118, 129)),
    ("bright-red", Color::LightRed, (241, 86, 86)),
    ("bright-green", Color::LightGreen, (60, 209, 120)),
    ("bright-yellow", Color::LightYellow, (240, 205, 70)),
    ("bright-blue", Color::LightBlue, (90, 150, 245)),
    ("bright-magenta", Color::LightMagenta, (214, 130, 230)),
    ("bright-cyan", Color::LightCyan, (60, 200, 220)),
    ("bright-white", Color::White, (255, 255, 255)),
];

impl Paint {
    /// A colour with nothing said about the 16.
    pub fn new(exact: Color) -> Self {
        Self { exact, sixteen: None }
    }

    /// The same, with one of the 16 that stands in for it.
    pub fn with_sixteen(self, sixteen: Color) -> Self {
        Self { sixteen: Some(sixteen), ..self }
    }

    /// Reads `#8ec07c`, `default`, a number up to 255, or the name of one of the 16 (`red`, `bright-red`).
    pub fn parse(text: &str) -> Option<Self> {
        if text == "default" {
            return Some(Self::new(Color::Reset));
        }
        if let Some((_, color, _)) = ANSI.iter().find(|(name, ..)| *name == text) {
            return Some(Self::new(*color));
        }
        if let Some(digits) = text.strip_prefix('#') {
            let all_hex = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let value = u32::from_str_radix(digits, 16).ok().filter(|_| all_hex)?;
            let [_, r, g, b] = value.to_be_bytes();
            return Some(Self::new(Color::Rgb(r, g, b)));
        }
        text.parse::<u8>().ok().map(|index| Self::new(Color::Indexed(index)))
    }

    /// What [`Paint::parse`] reads, for a hint.
    pub fn allowed() -> String {
        let names: Vec<&str> = ANSI.iter().take(8).map(|(name, ..)| *name).collect();
        format!("a colour is #rrggbb, 0 to 255, default, {}, or one of these with bright-", names.join(", "))
    }

    /// The colour on a terminal of this depth; `None`: no colour at all.
    pub fn at(self, depth: Depth) -> Option<Color> {
        match (depth, self.exact) {
            (Depth::Mono, _) => None,
            (Depth::TrueColor, exact) => Some(exact),
            (Depth::Indexed, Color::Rgb(r, g, b)) => Some(Color::Indexed(nearest_index((r, g, b)))),
            (Depth::Indexed, exact) => Some(exact),
            (Depth::Sixteen, exact) => Some(self.sixteen.unwrap_or_else(|| match rgb_of(exact) {
                Some(rgb) if matches!(exact, Color::Rgb(..) | Color::Indexed(_)) => nearest_sixteen(rgb),
                _ => exact,
            })),
        }
    }
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    // The eye tells greens apart best.
    2 * square(a.0, b.0) + 4 * square(a.1, b.1) + 3 * square(a.2, b.2)
}

fn nearest_sixteen(rgb: (u8, u8, u8)) -> Color {
    ANSI.iter().min_by_key(|(_, _, known)| distance(*known, rgb)).map_or(Color::Reset, |(_, color, _)| *color)
}

/// The nearest of the cube and the greys; the first 16 are the user's own and not to be guessed.
fn nearest_index(rgb: (u8, u8, u8)) -> u8 {
    (16..=255u8).min_by_key(|index| distance(indexed_rgb(*index), rgb)).unwrap_or(16)
}

fn indexed_rgb(index: u8) -> (u8, u8, u8) {
    match index {
        0..=15 => ANSI[usize::from(index)].2,
        16..=231 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let index = index - 16;
            (level(index / 36), level(index / 6 % 6), level(index % 6))
        }
        232..=255 => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

/// How a colour looks on a usual terminal; `None` for the terminal's own.
pub fn rgb_of(color: Color) -> Option<(u8, u8, u8)> {
    match color {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(index) => Some(indexed_rgb(index)),
        named => ANSI.iter().find(|(_, color, _)| *color == named).map(|(_, _, rgb)| *rgb),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_and_nonsense_is_not() {
        assert_eq!(Paint::parse("#8ec07c").map(|p| p.exact), Some(Color::Rgb(0x8e, 0xc0, 0x7c)));
        assert_eq!(Paint::parse("bright-red").map(|p| p.exact), Some(Color::LightRed));
        assert_eq!(Paint::parse("208").map(|p| p.exact), Some(Color::Indexed(208)));
        for bad in ["", "#fff", "#12345", "#+12345", "256", "-1", "Red", "bright-default"] {
            assert_eq!(Paint::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_colour_goes_down_to_what_the_terminal_shows() {
        let red = Paint::parse("#ff0000").expect("red");
        assert_eq!(red.at(Depth::TrueColor), Some(Color::Rgb(255, 0, 0)));
        assert_eq!(red.at(Depth::Indexed), Some(Color::Indexed(196)));
        assert_eq!(red.at(Depth::Sixteen), Some(Color::Red));
        assert_eq!(red.at(Depth::Mono), None);
        assert_eq!(red.with_sixteen(Color::LightRed).at(Depth::Sixteen), Some(Color::LightRed));
        assert_eq!(Paint::new(Color::Reset).at(Depth::Sixteen), Some(Color::Reset));
        assert_eq!(Paint::parse("#808080").and_then(|p| p.at(Depth::Indexed)), Some(Color::Indexed(244)));
    }
}
