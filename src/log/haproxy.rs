//! HAProxy's lines, as it prints them or as syslog has them: what it says of servers, and one line for each connection.

use jiff::civil::{Date, DateTime};

use super::Severity;
use super::head::Head;
use super::stamp::{self, Told};
use crate::model::Time;

/// Reads a line; each is a message of its own unless it is indented. `near` is about when it was written, as syslog's times have no year.
pub(super) fn head(line: &str, utc_offset: Option<i32>, near: Time) -> Option<Head> {
    if line.starts_with([' ', '\t']) || line.is_empty() {
        return None;
    }
    let (said, mut text) = syslog(line, utc_offset, near).unwrap_or((None, line));
    let mut head = Head { at: said, ..Head::default() };
    if let Some((level, at, pid, rest)) = bracketed(text, utc_offset, near) {
        (head.level, head.origin, text) = (Some(level), format!("pid {pid}"), rest);
        head.at = head.at.or(at);
    }
    if let Some((at, from, level)) = connection(text, utc_offset) {
        head.at = head.at.or(Some(at));
        head.level = Some(level);
        head.origin = from.to_owned();
    }
    head.text = text.to_owned();
    head.level = head.level.or_else(|| by_words(text));
    Some(head)
}

/// What syslog puts before a line: `<134>Nov 26 23:38:41 host haproxy[7]: `, or the time of RFC 3339 and the same.
fn syslog(line: &str, utc_offset: Option<i32>, near: Time) -> Option<(Option<Told>, &str)> {
    let line = line.strip_prefix('<').and_then(|rest| rest.split_once('>')).map_or(line, |(_, rest)| rest);
    let line = line.strip_prefix("1 ").unwrap_or(line);
    let (at, rest) = stamp::full(line, utc_offset).or_else(|| old(line, utc_offset, near))?;
    // The host, the program with its number.
    let (host, text) = rest.strip_prefix(' ')?.split_once(' ')?;
    let tag = text.split_once(": ").filter(|(tag, _)| tag.starts_with("haproxy") && !tag.contains(' '));
    // Some leave the host out.
    let text = match tag {
        Some((_, text)) => text,
        None if host.starts_with("haproxy") && host.ends_with(':') => text,
        None => return None,
    };
    Some((Some(at), text))
}

/// `Nov 26 23:38:41`, of the year in which it is nearest.
fn old(line: &str, utc_offset: Option<i32>, near: Time) -> Option<(Told, &str)> {
    let month = stamp::month(line.get(..3)?)?;
    let day: i8 = line.get(3..6)?.trim().parse().ok()?;
    let clock: jiff::civil::Time = line.get(6..15)?.strip_prefix(' ')?.parse().ok()?;
    let Some(utc_offset) = utc_offset else { return Some((Told::Zoneless, &line[15..])) };
    let year = stamp::there(near, utc_offset)?.year();
    let moment = |year: i16| stamp::moment(Date::new(year, month, day).ok()?.to_datetime(clock), utc_offset);
    let years = [year.checked_sub(1), Some(year), year.checked_add(1)];
    let at = years.into_iter().flatten().filter_map(moment).min_by_key(|at| at.as_micros().abs_diff(near.as_micros()))?;
    Some((Told::At(at), &line[15..]))
}

/// `[WARNING]  (2010) : text`, older with the day of the year and the time: `[WARNING] 329/233841 (2010) : text`.
fn bracketed(line: &str, utc_offset: Option<i32>, near: Time) -> Option<(Severity, Option<Told>, &str, &str)> {
    let (word, rest) = line.strip_prefix('[')?.split_once(']')?;
    let level = Severity::of(word)?;
    let (before, rest) = rest.split_once('(')?;
    let (pid, text) = rest.split_once(") : ")?;
    let at = before.trim().split_once('/').and_then(|(day, clock)| {
        let day: i64 = day.parse().ok()?;
        let number = |from: usize| clock.get(from..from + 2)?.parse::<i8>().ok();
        let first = Date::new(stamp::there(near, utc_offset.unwrap_or(0))?.year(), 1, 1).ok()?;
        let date = first.checked_add(jiff::Span::new().try_days(day).ok()?).ok()?;
        Told::of(DateTime::from_parts(date, jiff::civil::Time::new(number(0)?, number(2)?, number(4)?, 0).ok()?), utc_offset)
    });
    Some((level, at, pid, text))
}

/// A line for a connection: `10.0.0.1:43588 [26/Nov/2026:23:38:44.613] front back/server 1/0/30 ...`. The time in it is when it began; the line is
/// written when it ends, as many milliseconds later as the last of its timers says.
fn connection(text: &str, utc_offset: Option<i32>) -> Option<(Told, &str, Severity)> {
    let (from, rest) = text.split_once(" [")?;
    let (began, rest) = rest.split_once("] ")?;
    let began = accepted(began, utc_offset)?;
    let mut words = rest.split(' ');
    let (server, timers) = (words.nth(1)?, words.next()?);
    let last: i64 = timers.rsplit('/').next()?.trim_start_matches('+').parse().ok()?;
    let ended = |began: Time| Time::from_micros(began.as_micros().saturating_add(last.max(0).saturating_mul(1000)));
    let at = began.time().map_or(Told::Zoneless, |began| Told::At(ended(began)));
    let refused = server.ends_with("/<NOSRV>");
    // Two letters say how it ended; a capital S first: by the server, or because there was none.
    let ended = rest.split(' ').skip(3).find(|word| (2..=4).contains(&word.len()) && word.starts_with(|c: char| c.is_ascii_uppercase()));
    let level = if refused || ended.is_some_and(|word| word.starts_with('S')) { Severity::Warning } else { Severity::Info };
    Some((at, from, level))
}

/// Who has asked HAProxy for its own page, and for what, of a line that says so: the same for each time. Consoles and monitors ask every few seconds.
pub(super) fn page_asked(text: &str) -> Option<String> {
    let (from, rest) = text.split_once(" [")?;
    let (_, rest) = rest.split_once("] ")?;
    let (host, _) = from.rsplit_once(':')?;
    let request = rest.split_once('"').map(|(_, request)| request.trim_end_matches('"'));
    let mut words = rest.split(' ');
    let (frontend, server) = (words.next()?, words.next().filter(|server| server.ends_with("/<STATS>"))?);
    // Its times, and for HTTP how it was answered.
    let answer = request.and_then(|_| words.nth(1)).unwrap_or_default();
    Some(format!("{host} {frontend} {server} {answer} {}", request.unwrap_or_default()))
}

/// `26/Nov/2026:23:38:44.613`, with a zone behind it perhaps.
fn accepted(text: &str, utc_offset: Option<i32>) -> Option<Told> {
    let (day, rest) = text.split_once('/')?;
    let (month, rest) = rest.split_once('/')?;
    let (year, clock) = rest.split_once(':')?;
    let date = Date::new(year.parse().ok()?, stamp::month(month)?, day.parse().ok()?).ok()?;
    let (clock, zone) = clock.split_once(' ').unwrap_or((clock, ""));
    let east = stamp::zone(zone, utc_offset).map_or(utc_offset, |(east, _)| east);
    Told::of(date.to_datetime(clock.parse().ok()?), east)
}

/// Syslog keeps the level to itself; the words tell it.
fn by_words(text: &str) -> Option<Severity> {
    let table = [
        ("has no server available", Severity::Fatal),
        (" is DOWN", Severity::Warning),
        (" failed, reason:", Severity::Warning),
        (" is UP", Severity::Info),
        (" succeeded, reason:", Severity::Info),
        (" is going DOWN", Severity::Warning),
    ];
    table.iter().find(|(words, _)| text.contains(words)).map(|(_, level)| *level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_write_it_is_read() {
        let near = Time::parse("2027-01-02T00:00:00Z").unwrap_or(Time::from_micros(0));
        let read = |line: &str| {
            head(line, Some(3600), near)
                .map(|head| (head.at.and_then(Told::time).map(|at| at.to_string()), head.level, head.text, head.origin))
        };
        let (info, warning) = (Some(Severity::Info), Some(Severity::Warning));
        let down = "Server pg_write/psg1 is DOWN. 2 active and 0 backup servers left.";
        let link = "10.0.0.9:4358 [26/Nov/2026:23:38:44.613] pg_write pg_write/psg1 1/0/3000 4109 -- 2/1/0/0/0 0/0";
        let none = "10.0.0.9:4358 [26/Nov/2026:23:38:44.613] pg_write pg_write/<NOSRV> -1/-1/0 0 SC 2/1/0/0/0 0/0";
        let http = "10.0.0.9:4358 [26/Nov/2026:23:38:44.613] web web/a 1/0/1/2/9 503 212 - - SC-- 2/1/0/0/0 0/0 \"GET / HTTP/1.1\"";
        let at = |text: &str| Some(text.to_owned());
        let table = [
            (format!("[WARNING]  (2010) : {down}"), (None, warning, down, "pid 2010")),
            (format!("[WARNING] 329/233841 (2010) : {down}"), (at("2027-11-26T22:38:41.000Z"), warning, down, "pid 2010")),
            (down.to_owned(), (None, warning, down, "")),
            (format!("Dec 31 23:38:41 vm1 haproxy[7]: {down}"), (at("2026-12-31T22:38:41.000Z"), warning, down, "")),
            (format!("<134>Jan  1 23:38:41 haproxy[7]: {down}"), (at("2027-01-01T22:38:41.000Z"), warning, down, "")),
            (format!("2026-11-26T23:38:41.123456+00:00 vm1 haproxy[7]: {down}"), (at("2026-11-26T23:38:41.123Z"), warning, down, "")),
            (link.to_owned(), (at("2026-11-26T22:38:47.613Z"), info, link, "10.0.0.9:4358")),
            (none.to_owned(), (at("2026-11-26T22:38:44.613Z"), warning, none, "10.0.0.9:4358")),
            (http.to_owned(), (at("2026-11-26T22:38:44.622Z"), warning, http, "10.0.0.9:4358")),
            (
                "proxy pg_write has no server available!".to_owned(),
                (None, Some(Severity::Fatal), "proxy pg_write has no server available!", ""),
            ),
            ("[NOTICE]   (2004) : New worker (2010) forked".to_owned(), (None, info, "New worker (2010) forked", "pid 2004")),
        ];
        for (line, (at, level, text, origin)) in table {
            assert_eq!(read(&line), Some((at, level, text.to_owned(), origin.to_owned())), "{line}");
        }
        assert_eq!(read("  goes on"), None);
    }

    #[test]
    fn its_own_page_is_the_same_question_each_time() {
        let asked = |port: u16, rest: &str| page_asked(&format!("10.0.0.9:{port} [27/Nov/2026:05:19:20.{port}] {rest}"));
        let tcp = |port, bytes: u32| asked(port, &format!("stats stats/<STATS> 0/0/1 {bytes} LR 2/1/0/0/0 0/0"));
        let http = |port, status: u16, path: &str| {
            asked(port, &format!("web~ web/<STATS> 0/0/0/0/{port} {status} 3302 - - LR-- 1/1/0/0/0 0/0 \"GET {path} HTTP/1.1\""))
        };
        assert!(tcp(401, 4320).is_some() && tcp(401, 4320) == tcp(402, 4325));
        assert!(http(401, 200, "/;csv").is_some() && http(401, 200, "/;csv") == http(402, 200, "/;csv"));
        assert_ne!(http(401, 200, "/;csv"), http(401, 200, "/metrics"));
        assert_ne!(http(401, 200, "/;csv"), http(401, 403, "/;csv"));
        assert_eq!(asked(401, "pg_write pg_write/psg1 1/0/3000 4109 -- 2/1/0/0/0 0/0"), None);
    }
}
