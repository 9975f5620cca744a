//! Sizes and times as PostgreSQL's configuration writes them: `1GB`, `30min`, a bare number in the smallest unit that makes sense.

use std::time::Duration;

/// Units of sizes, as PostgreSQL's configuration has them, with their bytes.
pub const SIZES: [(&str, u128); 5] = [("B", 1), ("kB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("TB", 1 << 40)];

/// Units of times, likewise, with their microseconds.
pub const SPANS: [(&str, u128); 6] =
    [("us", 1), ("ms", 1000), ("s", 1_000_000), ("min", 60_000_000), ("h", 3_600_000_000), ("d", 86_400_000_000)];

/// What a time is said to be in a hint.
pub const SPAN: &str = "a time is a number with one of the units us, ms, s, min, h and d, as \"30min\"; without a unit it is seconds";
/// What a size is said to be in a hint.
pub const SIZE: &str = "a size is a number with one of the units B, kB, MB, GB and TB, as \"1GB\"; without a unit it is bytes";

/// The longest time that means anything here: a hundred years, microseconds.
const LONGEST: f64 = 100.0 * 365.0 * 86_400.0 * 1_000_000.0;
/// The largest size, likewise: an exbibyte.
const LARGEST: f64 = (1_u64 << 60) as f64;

/// A time above 0; `None`: not one.
pub fn span(text: &str) -> Option<Duration> {
    let micros = amount(text, &SPANS, 1_000_000)?.round();
    (1.0..=LONGEST).contains(&micros).then(|| Duration::from_micros(micros as u64))
}

/// A size above 0, bytes; `None`: not one.
pub fn size(text: &str) -> Option<u64> {
    let bytes = amount(text, &SIZES, 1)?.round();
    (1.0..=LARGEST).contains(&bytes).then_some(bytes as u64)
}

/// A number and a unit, with room between them as PostgreSQL allows it. Units are told apart by their case: `mB` is none.
fn amount(text: &str, units: &[(&str, u128)], bare: u128) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let size = match unit.trim_start() {
        "" => bare,
        unit => units.iter().find(|(name, _)| *name == unit)?.1,
    };
    Some(number.parse::<f64>().ok()? * size as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_postgresql_reads_them() {
        for (text, millis) in
            [("30min", 1_800_000), ("5s", 5000), ("250ms", 250), ("1.5 h", 5_400_000), ("21d", 1_814_400_000), ("7", 7000), ("0.5", 500)]
        {
            assert_eq!(span(text), Some(Duration::from_millis(millis)), "{text:?}");
        }
        assert_eq!(span("10us"), Some(Duration::from_micros(10)));
        for text in ["", "min", "5 m", "5S", "5 minutes", "-1s", "0s", "0", "1e3s", "1.2.3s", "9999999d", ".", "ä"] {
            assert_eq!(span(text), None, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in
            [("1GB", 1 << 30), ("512 MB", 512 << 20), ("16kB", 16 << 10), ("8192", 8192), ("100B", 100), ("0.5TB", 1 << 39)]
        {
            assert_eq!(size(text), Some(bytes), "{text:?}");
        }
        for text in ["", "GB", "1gb", "1GiB", "1K", "0", "-1GB", "9999999999TB"] {
            assert_eq!(size(text), None, "{text:?}");
        }
    }
}
