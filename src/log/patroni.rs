//! Patroni's lines: `2026-11-26 23:38:40,003 INFO: no action. I am (psg2), ...`, formats like it, and its JSON.

use serde_json::{Map, Value};

use super::head::Head;
use super::{Severity, stamp};

/// How far from the beginning a level is looked for, in bytes: other formats name the logger, the thread or the module before it.
const REACH: usize = 120;

/// Python's words for levels; `log.level` knows no others.
const LEVELS: [&str; 5] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/// Reads the beginning of a message; `None`: the line goes on with the one before.
pub(super) fn head(line: &str, utc_offset: Option<i32>) -> Option<Head> {
    if line.starts_with('{') {
        return json(line, utc_offset);
    }
    let time = stamp::followed_by_words(line, utc_offset);
    let rest = time.map_or(line, |(_, rest)| rest);
    let (level, text) = level(rest, time.is_some())?;
    Some(Head::new(time.map(|(at, _)| at), Some(level), text))
}

/// The level and what follows. Without a time before it, it must be the first word: a stack trace speaks of errors too.
fn level(rest: &str, timed: bool) -> Option<(Severity, &str)> {
    let mut end = rest.len().min(if timed { REACH } else { 9 });
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    let found = LEVELS.iter().filter_map(|word| {
        let at = rest[..end].find(word)?;
        let (before, behind) = (&rest[..at], &rest[at + word.len()..]);
        let alone = before.chars().next_back().is_none_or(|c| matches!(c, ' ' | '[' | '-' | '|' | ':'));
        let text = behind.strip_prefix(": ").or_else(|| behind.strip_prefix(" - ")).or_else(|| behind.strip_prefix("] "));
        let text = text.or_else(|| behind.strip_prefix(' ').filter(|_| timed)).or_else(|| (behind == ":").then_some(""));
        text.filter(|_| alone && (timed || before.is_empty())).map(|text| (at, Severity::of(word), text))
    });
    let (_, level, text) = found.min_by_key(|(at, ..)| *at)?;
    Some((level?, text))
}

fn json(line: &str, utc_offset: Option<i32>) -> Option<Head> {
    let fields: Map<String, Value> = serde_json::from_str(line).ok()?;
    let text = |names: &[&str]| names.iter().find_map(|name| fields.get(*name)?.as_str());
    let at = text(&["asctime", "time", "timestamp"]).and_then(|time| stamp::full(time, utc_offset)).map(|(at, _)| at);
    let level = text(&["levelname", "level"]).and_then(Severity::of);
    let mut head = Head::new(at, level, text(&["message", "msg"])?);
    head.origin = text(&["name", "module"]).unwrap_or_default().to_owned();
    head.with("", text(&["exc_info", "exception"]).unwrap_or_default());
    Some(head)
}

/// Whether the line stands alone though it has no head: what `pg_isready` prints while Patroni waits for PostgreSQL.
pub(super) fn alone(line: &str) -> bool {
    [" - accepting connections", " - rejecting connections", " - no response", " - no attempt"].iter().any(|end| line.ends_with(end))
}

/// What Patroni says in every turn as long as nothing changes.
pub(super) fn heartbeat(text: &str) -> bool {
    let text = text.strip_prefix("PAUSE: ").unwrap_or(text);
    text.starts_with("no action. I am (") || (text.starts_with("Lock owner: ") && text.contains("; I am "))
}

/// What Patroni says, though it is no warning, between its complaints that PostgreSQL does not answer.
pub(super) fn seeks_postgres(text: &str) -> bool {
    let seeks = text.starts_with("establishing a new patroni ") && text.ends_with(" connection to postgres");
    seeks || text.starts_with("Error communicating with PostgreSQL")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::stamp::Told;

    #[test]
    fn each_format_has_its_level_and_its_words() {
        let read =
            |line: &str| head(line, Some(3600)).map(|head| (head.at.and_then(Told::time).map(|at| at.to_string()), head.level, head.text));
        let at = Some("2026-11-26T22:38:40.003Z".to_owned());
        let info = Some(Severity::Info);
        let table = [
            ("2026-11-26 23:38:40,003 INFO: Lock owner: None; I am psg1", (at.clone(), info, "Lock owner: None; I am psg1")),
            ("2026-11-26 23:38:40,003 patroni.ha INFO: x", (at.clone(), info, "x")),
            ("2026-11-26 23:38:40,003 - patroni.ha - ERROR - INFO: x", (at.clone(), Some(Severity::Error), "INFO: x")),
            ("2026-11-26 23:38:40,003 [CRITICAL] x", (at.clone(), Some(Severity::Fatal), "x")),
            ("WARNING: without a time", (None, Some(Severity::Warning), "without a time")),
            (r#"{"asctime": "2026-11-26 23:38:40,003", "levelname": "INFO", "message": "x"}"#, (at, info, "x")),
        ];
        for (line, (at, level, text)) in table {
            assert_eq!(read(line), Some((at, level, text.to_owned())), "{line}");
        }
        for goes_on in
            ["Traceback (most recent call last):", "  File \"ha.py\", line 1, in x", "patroni.exceptions.ERROR: x", "", "{", "{\"a\": 1}"]
        {
            assert_eq!(read(goes_on), None, "{goes_on}");
        }
    }

    #[test]
    fn what_is_said_in_every_turn_is_known() {
        assert!(heartbeat("no action. I am (psg2), a secondary, and following a leader (psg1)"));
        assert!(heartbeat("PAUSE: no action. I am (psg1), the leader with the lock"));
        assert!(heartbeat("Lock owner: psg1; I am psg2"));
        assert!(!heartbeat("promoted self to leader by acquiring session lock"));
        assert!(alone("10.0.0.11:5432 - accepting connections"));
    }
}
