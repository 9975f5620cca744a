//! A moment, as the program's clock gave it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since the Unix epoch.
///
/// The shell's clock takes the wall time once at its start and adds what the monotonic clock has counted since, so that two moments of one
/// run can be subtracted even when somebody sets the machine's clock in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl schemars::JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

impl Time {
    /// The moment `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The moment `span` later.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The moment `span` earlier.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Whether both are of one second, as far as two writers of it round.
    pub fn same_second(self, other: Time) -> bool {
        self.0.abs_diff(other.0) < 1_000_000
    }

    /// Parses RFC 3339 (`2026-11-24T03:12:44.120Z`), or PostgreSQL's and Patroni's form with a space instead of `T`.
    pub fn parse(text: &str) -> Option<Self> {
        text.trim().parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_microsecond()))
    }

    /// Understands what somebody types: `03:00` is the next moment at which it is so late here, `2026-11-24 03:00` is meant in the zone of the
    /// machine we run on, and one with its zone is what it says.
    ///
    /// # Errors
    /// It is no time, or one that is past; the error is a sentence.
    pub fn typed(text: &str, now: Time) -> Result<Self, String> {
        Self::typed_in(text, now, &jiff::tz::TimeZone::system())
    }

    /// Understands what somebody types for a moment that has been: `03:00` or `03:00:12` is the last moment at which it was so late here, `-10min` is
    /// so long ago, one with its date is what it says, and a date alone is its midnight here.
    ///
    /// # Errors
    /// It is no time, or one that is yet to come; the error is a sentence.
    pub fn typed_past(text: &str, now: Time) -> Result<Self, String> {
        Self::typed_past_in(text, now, &jiff::tz::TimeZone::system())
    }

    fn typed_past_in(text: &str, now: Time, zone: &jiff::tz::TimeZone) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || format!("{text:?} is no time: write 03:00, 03:00:12, -10min, 2026-11-24, or 2026-11-24 03:00");
        if let Some(span) = text.strip_prefix('-') {
            return super::quantity::span(span).map(|span| now.before(span)).ok_or_else(wrong);
        }
        // What is there twice, or not at all, when the clock is set: the first that fits.
        let here = |civil: jiff::civil::DateTime| zone.to_timestamp(civil).map(|t| Self(t.as_microsecond())).map_err(|_| wrong());
        let today = now.timestamp().to_zoned_datetime(zone.clone()).date();
        // A date with a time of day is read as a time of day too.
        let time = match (Self::parse(text), text.parse::<jiff::civil::DateTime>(), text.parse::<jiff::civil::Time>()) {
            (Some(time), ..) => time,
            _ if !text.contains(':') => match text.parse::<jiff::civil::Date>() {
                Ok(date) => here(date.to_datetime(jiff::civil::Time::midnight()))?,
                Err(_) => return Err(wrong()),
            },
            (_, Ok(civil), _) => here(civil)?,
            (_, _, Ok(clock)) => match here(today.to_datetime(clock))? {
                time if time <= now => time,
                _ => here(today.yesterday().map_err(|_| wrong())?.to_datetime(clock))?,
            },
            _ => return Err(wrong()),
        };
        if time <= now { Ok(time) } else { Err(format!("{} is yet to come", time.minute())) }
    }

    fn typed_in(text: &str, now: Time, zone: &jiff::tz::TimeZone) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || format!("{text:?} is no time: write 03:00, 2026-11-24 03:00, or 2026-11-24 03:00+00:00");
        let time = match Self::parse(text) {
            Some(time) => time,
            None if !text.contains(':') => return Err(wrong()),
            None => {
                // The clock is set twice a year: an hour is there twice then, or not at all.
                let here = |civil: jiff::civil::DateTime| {
                    let moment = zone.to_ambiguous_timestamp(civil).unambiguous();
                    moment
                        .map(|t| Self(t.as_microsecond()))
                        .map_err(|_| "the clock here is set then: write the time with its zone".to_owned())
                };
                let today = now.timestamp().to_zoned_datetime(zone.clone()).date();
                match (text.parse::<jiff::civil::DateTime>(), text.parse::<jiff::civil::Time>()) {
                    (Ok(civil), _) => here(civil)?,
                    (_, Ok(clock)) => match here(today.to_datetime(clock)) {
                        Ok(time) if time > now => time,
                        _ => here(today.tomorrow().map_err(|_| wrong())?.to_datetime(clock))?,
                    },
                    _ => return Err(wrong()),
                }
            }
        };
        if time > now { Ok(time) } else { Err(format!("{} is past", time.minute())) }
    }

    /// Parses HTTP's `Date` (RFC 9110, 5.6.7): `Tue, 24 Nov 2026 01:53:26 GMT`.
    pub fn parse_http(text: &str) -> Option<Self> {
        jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(|t| Self(t.as_microsecond()))
    }

    fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or_default()
    }

    /// The time of day likewise, to the millisecond: `03:12:44.120`.
    pub fn fine_clock(self) -> String {
        self.local("%H:%M:%S%.3f")
    }

    /// Day and month in the zone of the machine we run on, `24 Nov`.
    pub fn day(self) -> String {
        self.local("%d %b")
    }

    /// Date and time of day to the minute, in UTC: `2026-11-24 03:12 UTC`.
    pub fn minute(self) -> String {
        self.timestamp().strftime("%Y-%m-%d %H:%M UTC").to_string()
    }

    /// The same in the zone of the machine we run on, `2026-11-24 04:12 +01:00`.
    pub fn minute_here(self) -> String {
        self.local("%Y-%m-%d %H:%M %:z")
    }

    /// The time of day in the zone of the machine we run on, `03:12:44`.
    pub fn clock(self) -> String {
        self.local("%H:%M:%S")
    }

    fn local(self, form: &str) -> String {
        self.timestamp().to_zoned_datetime(jiff::tz::TimeZone::system()).strftime(form).to_string()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.6}", self.timestamp()))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Time::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("not a time: {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_json_to_the_microsecond() {
        let time = Time::from_micros(1_795_490_000_123_456);
        let json = serde_json::to_string(&time).expect("serializes");
        assert_eq!(serde_json::from_str::<Time>(&json).expect("parses"), time, "{json}");
    }

    #[test]
    fn patronis_form_is_understood() {
        assert_eq!(Time::parse("2026-11-24 03:12:44.5+00:00"), Time::parse("2026-11-24T03:12:44.5Z"));
        assert_eq!(Time::parse("yesterday"), None);
    }

    #[test]
    fn what_is_typed_is_meant_here_unless_it_says_otherwise() {
        let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        let now = Time::parse("2026-03-28T12:00:00Z").expect("a time");
        let typed = |text: &str| Time::typed_in(text, now, &zone).map(Time::minute);
        let utc = |text: &str| Ok(format!("{text} UTC"));
        assert_eq!(typed("14:30"), utc("2026-03-28 13:30"));
        assert_eq!(typed(" 03:00:00 "), utc("2026-03-29 01:00"), "the next day, on which summer begins");
        assert_eq!(typed("2026-11-24 03:00"), utc("2026-11-24 02:00"));
        assert_eq!(typed("2026-11-24T03:00+00:00"), utc("2026-11-24 03:00"));
        assert_eq!(typed("02:30"), Err("the clock here is set then: write the time with its zone".to_owned()));
        assert_eq!(typed("2026-10-25 02:30"), Err("the clock here is set then: write the time with its zone".to_owned()));
        assert_eq!(typed("2026-03-28 12:00"), Err("2026-03-28 11:00 UTC is past".to_owned()));
        for wrong in ["", "3", "2026-11-24", "25:00", "tomorrow", "03:00 tomorrow", "now"] {
            assert!(typed(wrong).is_err_and(|why| why.contains("is no time")), "{wrong}");
        }
    }

    #[test]
    fn what_is_typed_for_the_past_is_the_last_time_that_it_was_so() {
        let zone = jiff::tz::TimeZone::posix("CET-1").expect("a zone");
        let now = Time::parse("2026-11-24T12:00:00Z").expect("a time");
        let typed = |text: &str| Time::typed_past_in(text, now, &zone).map(|time| time.to_string());
        let utc = |text: &str| Ok(text.to_owned());
        assert_eq!(typed("12:30"), utc("2026-11-24T11:30:00.000Z"));
        assert_eq!(typed("13:00:00"), utc("2026-11-24T12:00:00.000Z"));
        assert_eq!(typed("13:00:01"), utc("2026-11-23T12:00:01.000Z"), "that of yesterday");
        assert_eq!(typed("-10min"), utc("2026-11-24T11:50:00.000Z"));
        assert_eq!(typed("2026-11-20 03:00"), utc("2026-11-20T02:00:00.000Z"));
        assert_eq!(typed("2026-11-20"), utc("2026-11-19T23:00:00.000Z"), "a date is its midnight here");
        assert_eq!(typed("2026-11-20T03:00:00Z"), utc("2026-11-20T03:00:00.000Z"));
        assert_eq!(typed("2026-11-25 03:00"), Err("2026-11-25 02:00 UTC is yet to come".to_owned()));
        for wrong in ["", "3", "-", "-x", "25:00", "2026-11-31", "tomorrow"] {
            assert!(typed(wrong).is_err_and(|why| why.contains("is no time")), "{wrong}");
        }
    }

    #[test]
    fn the_date_of_an_answer() {
        assert_eq!(Time::parse_http("Tue, 24 Nov 2026 01:53:26 GMT"), Time::parse("2026-11-24T01:53:26Z"));
        assert_eq!(Time::parse_http("yesterday"), None);
    }

    #[test]
    fn a_moment_that_lies_ahead_is_no_age() {
        assert_eq!(Time::from_micros(5).since(Time::from_micros(9)), Duration::ZERO);
    }
}
