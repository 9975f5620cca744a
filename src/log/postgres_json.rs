//! PostgreSQL's `jsonlog`.

use serde_json::{Map, Value};

use super::head::Head;
use super::{postgres, stamp};

/// Reads a message; `None`: it is none. `own`: the server's zone, seconds east of Greenwich, for times that name it by letters.
pub(super) fn head(line: &str, own: Option<i32>) -> Option<Head> {
    let fields: Map<String, Value> = serde_json::from_str(line).ok()?;
    let of = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| fields.get(name).map(Value::to_string).unwrap_or_default();
    fields.get("error_severity")?;
    let mut head =
        Head::new(stamp::full(of("timestamp"), own).map(|(at, _)| at), postgres::level(of("error_severity"), of("message")), of("message"));
    let pid = number("pid");
    let from = match number("remote_port") {
        port if !port.is_empty() => format!("{}:{port}", of("remote_host")),
        _ => of("remote_host").to_owned(),
    };
    head.origin = postgres::origin(&pid, of("user"), of("dbname"), of("application_name"), &from, of("state_code"));
    head.session = Some(pid);
    for (label, name) in
        [("DETAIL", "detail"), ("HINT", "hint"), ("QUERY", "internal_query"), ("CONTEXT", "context"), ("STATEMENT", "statement")]
    {
        head.with(label, of(name));
    }
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Severity;
    use crate::log::stamp::Told;

    #[test]
    fn its_fields_are_read_and_other_json_is_none_of_it() {
        let line = r#"{"timestamp":"2026-11-26 23:39:56.015 UTC","user":"app","dbname":"card","pid":7,"remote_host":"10.0.0.1","remote_port":4711,"session_id":"6.7","line_num":1,"error_severity":"FATAL","state_code":"57P01","message":"terminating","hint":"wait","statement":"select\n1","application_name":"psql"}"#;
        let head = head(line, None).expect("a message");
        assert_eq!(
            (head.at.and_then(Told::time).map(|at| at.to_string()).as_deref(), head.level),
            (Some("2026-11-26T23:39:56.015Z"), Some(Severity::Fatal))
        );
        assert_eq!(head.origin, "pid 7, app@card, app psql, from 10.0.0.1:4711, code 57P01");
        assert_eq!(head.more, [("HINT", "wait".to_owned()), ("STATEMENT", "select\n1".to_owned())]);
        assert_eq!(super::head("{}", None), None);
        assert_eq!(super::head("LOG:  x", None), None);
    }
}
