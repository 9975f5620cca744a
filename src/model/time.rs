//! A moment, as the program's clock gave it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since the Unix epoch.
///
/// The shell's clock takes the wall time once at its start and adds what the monotonic clock has counted since, so that two moments of one
/// run can be subtracted even when somebody sets the machine's clock in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

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
    fn the_date_of_an_answer() {
        assert_eq!(Time::parse_http("Tue, 24 Nov 2026 01:53:26 GMT"), Time::parse("2026-11-24T01:53:26Z"));
        assert_eq!(Time::parse_http("yesterday"), None);
    }

    #[test]
    fn a_moment_that_lies_ahead_is_no_age() {
        assert_eq!(Time::from_micros(5).since(Time::from_micros(9)), Duration::ZERO);
    }
}
