//! etcd's lines: zap's JSON, and the text that 3.4 and older write.

use serde_json::{Map, Value};

use super::Severity;
use super::head::Head;
use super::stamp::{self, Told};
use crate::model::Time;

/// Fields with a meaning of their own; all others follow the message.
const KNOWN: [&str; 7] = ["level", "ts", "caller", "msg", "stacktrace", "logger", "time"];

/// Reads a message; `None`: the line goes on with the one before. `utc_offset` is the node's, seconds east of Greenwich.
pub(super) fn head(line: &str, utc_offset: Option<i32>) -> Option<Head> {
    if line.starts_with('{') { json(line, utc_offset) } else { text(line, utc_offset) }
}

fn json(line: &str, utc_offset: Option<i32>) -> Option<Head> {
    let fields: Map<String, Value> = serde_json::from_str(line).ok()?;
    let of = |name: &str| fields.get(name).and_then(Value::as_str);
    let at = match fields.get("ts").or_else(|| fields.get("time")) {
        Some(Value::String(text)) => stamp::full(text, utc_offset).map(|(at, _)| at),
        // Seconds since 1970, as a library writes them that nobody has told otherwise.
        Some(Value::Number(seconds)) => seconds.as_f64().map(|seconds| Told::At(Time::from_micros((seconds * 1e6) as i64))),
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

/// `2026-11-26 23:39:16.479457 W | etcdserver: ...`. The time is of the node's own zone, which it does not name.
fn text(line: &str, utc_offset: Option<i32>) -> Option<Head> {
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
    let (origin, text) = text.split_once(": ").filter(|(origin, _)| !origin.contains(' ')).unwrap_or(("", text));
    let mut head = Head::new(Told::of(civil, utc_offset), Some(level), text);
    head.origin = origin.to_owned();
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, utc_offset: Option<i32>) -> Option<(Option<String>, Option<Severity>, String, String)> {
        head(line, utc_offset).map(|head| (head.at.and_then(Told::time).map(|at| at.to_string()), head.level, head.text, head.origin))
    }

    #[test]
    fn its_fields_follow_the_message() {
        let line = r#"{"level":"warn","ts":"2026-11-26T23:38:37.169Z","caller":"etcdserver/util.go:163","msg":"apply request took too long","took":"1.2s","expected-duration":"100ms","size":5}"#;
        let text = "apply request took too long  took=1.2s  expected-duration=100ms  size=5".to_owned();
        let at = Some("2026-11-26T23:38:37.169Z".to_owned());
        assert_eq!(read(line, None), Some((at, Some(Severity::Warning), text, "etcdserver/util.go:163".to_owned())));
        let line = r#"{"level":"info","ts":1795736317.169,"msg":"x"}"#;
        assert_eq!(
            read(line, None),
            Some((Some("2026-11-26T23:38:37.169Z".to_owned()), Some(Severity::Info), "x".to_owned(), String::new()))
        );
        assert_eq!(read("goroutine 1 [running]:", None), None);
        assert_eq!(read("{\"a\":1}", None), None);
    }

    #[test]
    fn the_text_of_old_has_the_nodes_zone() {
        let line = "2026-11-26 23:39:16.479457 W | etcdserver/api/etcdhttp: /health error; no leader (status code 503)";
        let (text, origin) = ("/health error; no leader (status code 503)".to_owned(), "etcdserver/api/etcdhttp".to_owned());
        for (utc_offset, at) in
            [(Some(0), Some("2026-11-26T23:39:16.479Z")), (Some(-19_800), Some("2026-11-27T05:09:16.479Z")), (None, None)]
        {
            let expected = (at.map(str::to_owned), Some(Severity::Warning), text.clone(), origin.clone());
            assert_eq!(read(line, utc_offset), Some(expected), "{utc_offset:?}");
        }
        assert_eq!(head(line, None).and_then(|head| head.at), Some(Told::Zoneless));
    }
}
