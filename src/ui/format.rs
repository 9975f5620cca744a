//! Numbers as people read them, in fixed widths.

use unicode_segmentation::UnicodeSegmentation;

pub use super::wrap::wrap;
pub use crate::model::spoken as since;

/// What stands for a value that is not known.
pub const UNKNOWN: &str = "?";

/// What stands where a value makes no sense.
pub const NONE: &str = "–";

/// Bytes, in PostgreSQL's units of 1024: `0 B`, `24 kB`, `4.2 MB`. At most 7 characters.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // 999.5 of a unit would be rounded to four digits.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    // Below one megabyte a tenth of a kilobyte is noise.
    if value < 9.95 && unit > 0 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}

/// A span that is measured: `0.1 s`, `12 s`, `3 min`, `2 h`. At most 6 characters.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() || s < 0.0 => UNKNOWN.to_owned(),
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 99.5 => format!("{s:.0} s"),
        s if s < 5940.0 => format!("{:.0} min", s / 60.0),
        s if s < 356_400.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} d", (s / 86400.0).min(9999.0)),
    }
}

/// An age, coarser the older it is, so that it seldom changes: `now`, `3 s`, `15 s`, `2 min`, `5 h`, `3 d`.
pub fn age(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0 => "now".to_owned(),
        1..10 => format!("{s} s"),
        10..60 => format!("{} s", s / 5 * 5),
        60..3600 => format!("{} min", s / 60),
        3600..172_800 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86400),
    }
}

/// An age in a narrow cell, at most 4 characters: `3 s`, `15 s`, `2 m`, `5 h`, `99 d`; never `now`, because what it stands beside is old.
pub fn age_short(ms: u64) -> String {
    let s = (ms / 1000).max(1);
    match s {
        1..10 => format!("{s} s"),
        10..60 => format!("{} s", s / 5 * 5),
        60..3600 => format!("{} m", s / 60),
        3600..172_800 => format!("{} h", s / 3600),
        s => format!("{} d", (s / 86400).min(99)),
    }
}

/// How long an answer took. Below 10 ms the number would only flicker.
pub fn rtt(ms: f64) -> String {
    match ms {
        ms if !ms.is_finite() || ms < 0.0 => UNKNOWN.to_owned(),
        ms if ms < 10.0 => "<10 ms".to_owned(),
        ms if ms < 100.0 => format!("{:.0} ms", (ms / 10.0).floor() * 10.0),
        ms if ms < 1000.0 => format!("{:.0} ms", (ms / 50.0).floor() * 50.0),
        ms => seconds(ms / 1000.0),
    }
}

/// `text` in `width` columns; what is cut is cut at the end.
pub fn cut_end(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let mut out = head(text, width.saturating_sub(1));
    if width > 0 {
        out.push('…');
    }
    out
}

/// `text` in `width` columns; what is cut is cut in the middle, because names differ at their ends.
pub fn cut_middle(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    if width < 3 {
        return cut_end(text, width);
    }
    let front = (width - 1) / 3;
    let back = width - 1 - front;
    let tail: Vec<&str> = within(text.graphemes(true).rev(), back).collect();
    format!("{}…{}", head(text, front), tail.into_iter().rev().collect::<String>())
}

pub(super) fn head(text: &str, width: usize) -> String {
    within(text.graphemes(true), width).collect()
}

/// As many of these as have room in so many columns. They are what looks like one character: its parts have other widths than the whole.
fn within<'t>(graphemes: impl Iterator<Item = &'t str>, width: usize) -> impl Iterator<Item = &'t str> {
    graphemes.scan(0, move |used, grapheme| {
        *used += display_width(grapheme);
        (*used <= width).then_some(grapheme)
    })
}

/// Columns that a text takes.
pub fn display_width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn bytes_stay_within_seven_columns() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 kB"),
            (24_576, "24 kB"),
            (1_048_575, "1.0 MB"),
            (1_048_576, "1.0 MB"),
            (4_404_019, "4.2 MB"),
            (67_108_864, "64 MB"),
            (1_073_741_824, "1.0 GB"),
        ];
        for (value, text) in cases {
            assert_eq!(bytes(value), text);
        }
        for shift in 0..64 {
            assert!(bytes(u64::MAX >> shift).len() <= 7, "{}", bytes(u64::MAX >> shift));
        }
    }

    #[test]
    fn ages_get_coarser() {
        for (ms, text) in [(999, "now"), (3400, "3 s"), (14_000, "10 s"), (61_000, "1 min"), (7_300_000, "2 h"), (260_000_000, "3 d")] {
            assert_eq!(age(ms), text);
        }
        assert_eq!(since(Duration::from_secs(3 * 86400 + 4 * 3600 + 59)), "3 d 04 h");
        assert_eq!(seconds(0.04), "0.0 s");
        assert_eq!(seconds(f64::NAN), "?");
        assert_eq!(rtt(2.4), "<10 ms");
        assert_eq!(rtt(37.0), "30 ms");
        assert_eq!(rtt(1530.0), "1.5 s");
    }

    #[test]
    fn names_are_cut_in_the_middle_and_never_too_wide() {
        assert_eq!(cut_middle("card-prod-postgres-01", 12), "car…tgres-01");
        assert_eq!(cut_end("unreachable", 5), "unre…");
        // A mark stays with the letter that it is on.
        assert_eq!(cut_middle("ae\u{301}ie\u{301}oe\u{301}", 4), "a…oe\u{301}");
        for width in 0..12 {
            for text in [
                "card-prod-postgres-01",
                "日本語のノード",
                "é",
                "❤️❤️❤️❤️❤️❤️❤️",
                "👩‍💻👩‍💻👩‍💻👩‍💻👩‍💻👩‍💻",
                "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
            ] {
                assert!(display_width(&cut_middle(text, width)) <= width.max(1), "{text} {width}");
                assert!(display_width(&cut_end(text, width)) <= width.max(1), "{text} {width}");
            }
        }
    }
}
