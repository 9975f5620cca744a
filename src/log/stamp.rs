//! Times as they stand in lines.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::model::Time;

/// A date and a time of day at the beginning of a text (`2026-11-26 23:38:41,564`, with `T` or a space, the fraction after a point or a comma), and
/// what follows.
pub(super) fn civil(text: &str) -> Option<(DateTime, &str)> {
    let bytes = text.as_bytes();
    let signs = [(4, b"-".as_slice()), (7, b"-"), (10, b" T"), (13, b":"), (16, b":")];
    if bytes.len() < 19 || signs.iter().any(|(at, of)| !of.contains(&bytes[*at])) {
        return None;
    }
    let number = |from: usize, to: usize| digits(bytes.get(from..to)?);
    let (day, clock) = ((number(0, 4)?, number(5, 7)?, number(8, 10)?), (number(11, 13)?, number(14, 16)?, number(17, 19)?));
    let (nanos, rest) = fraction(text.get(19..)?);
    let small = |n: u32| i8::try_from(n).ok();
    let year = i16::try_from(day.0).ok()?;
    let (month, of_month) = (small(day.1)?, small(day.2)?);
    let moment = DateTime::new(year, month, of_month, small(clock.0)?, small(clock.1)?, small(clock.2)?, nanos).ok()?;
    Some((moment, rest))
}

/// A fraction of a second at the beginning of a text, in nanoseconds, and what follows.
pub(super) fn fraction(text: &str) -> (i32, &str) {
    let Some(behind) = text.strip_prefix(['.', ',']) else { return (0, text) };
    let count = behind.bytes().take_while(u8::is_ascii_digit).count();
    if count == 0 {
        return (0, text);
    }
    let nanos = behind.bytes().take(count.min(9)).fold(0_i32, |sum, digit| sum * 10 + i32::from(digit - b'0'));
    (nanos * 10_i32.pow(9 - u32::try_from(count.min(9)).unwrap_or(9)), &behind[count..])
}

/// When a line was written, as it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Then.
    At(Time),
    /// At a time of day without a zone, and the node's own is not known: it can be any hour.
    Zoneless,
}

impl Told {
    /// A date and time so many seconds east of Greenwich; `None` there: nobody knows how many.
    pub fn of(civil: DateTime, east: Option<i32>) -> Option<Self> {
        match east {
            Some(east) => moment(civil, east).map(Self::At),
            None => Some(Self::Zoneless),
        }
    }

    /// The moment, if it is one.
    pub fn time(self) -> Option<Time> {
        match self {
            Self::At(at) => Some(at),
            Self::Zoneless => None,
        }
    }
}

/// The zone that follows a time: `Z`, `+00:00`, `-0330`, `+02`, ` UTC`, in seconds east of Greenwich. Letters that name another zone are taken for the
/// node's own. `None`: there is no zone.
pub(super) fn zone(text: &str, own: Option<i32>) -> Option<(Option<i32>, &str)> {
    let zone = text.strip_prefix(' ').unwrap_or(text);
    if let Some(sign) = zone.chars().next().filter(|c| matches!(c, '+' | '-')) {
        let behind = &zone[1..];
        let hours = digits(behind.as_bytes().get(..2)?)?;
        let rest = &behind[2..];
        let colon = rest.strip_prefix(':').unwrap_or(rest);
        let minutes = colon.as_bytes().get(..2).and_then(digits);
        let seconds = i32::try_from(hours * 3600 + minutes.unwrap_or(0) * 60).ok()?;
        let rest = if minutes.is_some() { &colon[2..] } else { rest };
        return Some((Some(if sign == '-' { -seconds } else { seconds }), rest));
    }
    let letters = zone.bytes().take_while(u8::is_ascii_alphabetic).count();
    match &zone[..letters] {
        "" => None,
        "Z" | "UTC" | "GMT" => Some((Some(0), &zone[letters..])),
        _ if (2..=5).contains(&letters) => Some((own, &zone[letters..])),
        _ => None,
    }
}

/// The moment of a date and time so many seconds east of Greenwich.
pub(super) fn moment(civil: DateTime, east: i32) -> Option<Time> {
    let stamp = Offset::from_seconds(east).ok()?.to_timestamp(civil).ok()?;
    Some(Time::from_micros(stamp.as_microsecond()))
}

/// Date and time of a moment so many seconds east of Greenwich.
pub(super) fn there(at: Time, east: i32) -> Option<DateTime> {
    let stamp = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    Some(Offset::from_seconds(east).ok()?.to_datetime(stamp))
}

/// A time with its zone, or in the node's own.
pub(super) fn full(text: &str, own: Option<i32>) -> Option<(Told, &str)> {
    let (civil, rest) = civil(text)?;
    let (east, rest) = zone(rest, own).unwrap_or((own, rest));
    Some((Told::of(civil, east)?, rest))
}

/// The same where words follow that could be taken for a zone's name: only one in figures counts, right behind the time.
pub(super) fn followed_by_words(text: &str, own: Option<i32>) -> Option<(Told, &str)> {
    let (civil, rest) = civil(text)?;
    let (east, rest) = if rest.starts_with(['+', '-', 'Z']) { zone(rest, own) } else { None }.unwrap_or((own, rest));
    Some((Told::of(civil, east)?, rest))
}

/// Of a month's three letters, its number from 1.
pub(super) fn month(letters: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    MONTHS.iter().position(|month| *month == letters).and_then(|at| i8::try_from(at + 1).ok())
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(told: Told) -> String {
        told.time().map_or("?".to_owned(), |at| at.to_string())
    }

    fn read(text: &str, own: i32) -> Option<(String, &str)> {
        full(text, Some(own)).map(|(at, rest)| (told(at), rest))
    }

    #[test]
    fn without_a_zone_of_its_own_or_the_nodes_a_time_is_no_moment() {
        for (text, expected) in [
            ("2026-11-26 23:38:40,003 x", "?"),
            ("2026-11-26 23:38:40.003 CET x", "?"),
            ("2026-11-26 23:38:40.003 UTC x", "2026-11-26T23:38:40.003Z"),
            ("2026-11-26 23:38:40.003+01 x", "2026-11-26T22:38:40.003Z"),
        ] {
            assert_eq!(full(text, None).map(|(at, rest)| (told(at), rest)), Some((expected.to_owned(), " x")), "{text}");
        }
    }

    #[test]
    fn each_program_writes_its_times_in_its_own_way() {
        let at = |text: &str| text.to_owned();
        let words = |text, own| followed_by_words(text, Some(own)).map(|(at, rest)| (told(at), rest));
        assert_eq!(words("2026-11-26 23:38:40,003 INFO: x", 3600), Some((at("2026-11-26T22:38:40.003Z"), " INFO: x")));
        assert_eq!(words("2026-11-26T23:38:40.003+00:00 INFO: x", 3600), Some((at("2026-11-26T23:38:40.003Z"), " INFO: x")));
        assert_eq!(read("2026-11-26 23:38:41.564 UTC [1]", 7200), Some((at("2026-11-26T23:38:41.564Z"), " [1]")));
        assert_eq!(read("2026-11-26 23:38:41 CET [1]", 3600), Some((at("2026-11-26T22:38:41.000Z"), " [1]")));
        assert_eq!(read("2026-11-26T23:38:37.169Z", 0), Some((at("2026-11-26T23:38:37.169Z"), "")));
        assert_eq!(read("2026-11-26 23:38:41.5-03:30 x", 0), Some((at("2026-11-27T03:08:41.500Z"), " x")));
        assert_eq!(read("2026-11-26T23:38:41.123456+02 x", 0), Some((at("2026-11-26T21:38:41.123Z"), " x")));
        for wrong in
            ["", "2026-11-26", "2026-13-26 23:38:40", "2026-11-26 25:38:40", "2026-11-26 23:38:4x", "日本語のノードのノードのノード"]
        {
            assert_eq!(read(wrong, 0), None, "{wrong}");
        }
    }
}
