//! etcd's lines: zap's JSON, and the text that 3.4 and older write.

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::head::Head;
use super::{Severity, stamp};
use crate::model::Time;

/// Fields with a meaning of their own; all others follow the message.
const KNOWN: [&str; 7] = ["level", "ts", "caller", "msg", "stacktrace", "logger", "time"];

/// Reads a message; `None`: the line goes on with the one before. `before` is the time of that one.
pub(super) fn head(line: &str, before: Option<Time>) -> Option<Head> {
    if line.starts_with('{') { json(line) } else { text(line, before) }
}

fn json(line: &str) -> Option<Head> {
    let fields: Map<String, Value> = serde_json::from_str(line).ok()?;
    let of = |name: &str| fields.get(name).and_then(Value::as_str);
    let at = match fields.get("ts").or_else(|| fields.get("time")) {
        Some(Value::String(text)) => stamp::full(text, 0).map(|(at, _)| at),
        // Seconds since 1970, as a library writes them that nobody has told otherwise.
        Some(Value::Number(seconds)) => seconds.as_f64().map(|seconds| Time::from_micros((seconds * 1e6) as i64)),
        _ => None,
    };
    let mut text = of("msg")?.to_owned();
    for (name, value) in fields.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())) {
        text.push_str(&format!("  {name}="));
        match value {
            Value::String(value) => text.push_str(value),
            value => text.push_str(&value.to_string()),
        }
    }
    let mut head = Head::new(at, of("level").and_then(Severity::of), text);
    head.origin = of("caller").unwrap_or_default().to_owned();
    head.with("", of("stacktrace").unwrap_or_default());
    Some(head)
}

/// `2026-11-26 23:39:16.479457 W | etcdserver: ...`. The time is of the node's own zone, which it does not name: the zone is taken in which it is
/// nearest to the line before.
fn text(line: &str, before: Option<Time>) -> Option<Head> {
    const QUARTER: i64 = 15 * 60;
    let (civil, rest) = stamp::civil(line)?;
    let (letter, text) = rest.strip_prefix(' ')?.split_once(" | ")?;
    let level = match letter {
        "D" | "T" => Severity::Debug,
        "I" | "N" => Severity::Info,
        "W" => Severity::Warning,
        "E" => Severity::Error,
        "C" => Severity::Fatal,
        _ => return None,
    };
    let utc = stamp::moment(civil, 0)?;
    let seconds = before.map_or(0, |before| (utc.as_micros() - before.as_micros()) / 1_000_000);
    let half = QUARTER / 2 * seconds.signum();
    let east = (seconds + half) / QUARTER * QUARTER;
    // No place on earth is farther from Greenwich.
    let east = if east.abs() <= 14 * 3600 { east } else { 0 };
    let at = civil.checked_sub(SignedDuration::from_secs(east)).ok().and_then(|civil| stamp::moment(civil, 0));
    let (origin, text) = text.split_once(": ").filter(|(origin, _)| !origin.contains(' ')).unwrap_or(("", text));
    let mut head = Head::new(at, Some(level), text);
    head.origin = origin.to_owned();
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, before: &str) -> Option<(Option<String>, Option<Severity>, String, String)> {
        head(line, Time::parse(before)).map(|head| (head.at.map(|at| at.to_string()), head.level, head.text, head.origin))
    }

    #[test]
    fn its_fields_follow_the_message() {
        let line = r#"{"level":"warn","ts":"2026-11-26T23:38:37.169Z","caller":"etcdserver/util.go:163","msg":"apply request took too long","took":"1.2s","expected-duration":"100ms","size":5}"#;
        let text = "apply request took too long  took=1.2s  expected-duration=100ms  size=5".to_owned();
        let at = Some("2026-11-26T23:38:37.169Z".to_owned());
        assert_eq!(read(line, ""), Some((at, Some(Severity::Warning), text, "etcdserver/util.go:163".to_owned())));
        let line = r#"{"level":"info","ts":1795736317.169,"msg":"x"}"#;
        assert_eq!(
            read(line, ""),
            Some((Some("2026-11-26T23:38:37.169Z".to_owned()), Some(Severity::Info), "x".to_owned(), String::new()))
        );
        assert_eq!(read("goroutine 1 [running]:", ""), None);
        assert_eq!(read("{\"a\":1}", ""), None);
    }

    #[test]
    fn the_text_of_old_is_put_into_the_zone_in_which_it_makes_sense() {
        let line = "2026-11-26 23:39:16.479457 W | etcdserver/api/etcdhttp: /health error; no leader (status code 503)";
        let expected = |at: &str| {
            let (text, origin) = ("/health error; no leader (status code 503)".to_owned(), "etcdserver/api/etcdhttp".to_owned());
            Some((Some(at.to_owned()), Some(Severity::Warning), text, origin))
        };
        assert_eq!(read(line, ""), expected("2026-11-26T23:39:16.479Z"));
        assert_eq!(read(line, "2026-11-26T23:39:10Z"), expected("2026-11-26T23:39:16.479Z"));
        assert_eq!(read(line, "2026-11-26T22:39:10Z"), expected("2026-11-26T22:39:16.479Z"));
        assert_eq!(read(line, "2026-11-27T05:09:17Z"), expected("2026-11-27T05:09:16.479Z"));
        assert_eq!(read(line, "2026-11-20T05:09:17Z"), expected("2026-11-26T23:39:16.479Z"));
    }
}
