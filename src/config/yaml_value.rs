//! YAML as a plain value, and back: read as PyYAML reads it, which is what Patroni and patronictl do, and written so that it reads it back.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::diagnostic::Diagnostic;
use super::node::{self, Node};
use super::yaml_tree;

/// One YAML document as a value. `name` stands for the file in the error.
///
/// # Errors
/// It is not YAML, or holds more than one document.
pub fn yaml_value(name: &Path, text: &str) -> Result<Value, Diagnostic> {
    yaml_tree::parse(&Arc::from(name), text).map(value)
}

fn value(node: Node) -> Value {
    match node.value {
        node::Value::List(items) => Value::Array(items.into_iter().map(value).collect()),
        node::Value::Table(entries) => Value::Object(entries.into_iter().map(|entry| (entry.key, value(entry.value))).collect()),
        node::Value::Scalar(scalar) if scalar.plain => plain(scalar.text),
        node::Value::Scalar(scalar) => Value::String(scalar.text),
    }
}

/// What PyYAML's safe loader takes an unquoted word for (its `resolver.py` and `constructor.py`). Dates, which JSON does not have, stay text.
fn plain(text: String) -> Value {
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Value::Bool(false),
        _ => {}
    }
    let number = integer(&text).map(Number::from).or_else(|| float(&text).and_then(Number::from_f64));
    number.map_or(Value::String(text), Value::Number)
}

/// Signed whole numbers: decimal, `0b`, `0x`, octal with a leading 0, base 60 with colons, each with `_` between the digits.
fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = signed(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if digits.contains(':') {
        let mut parts = digits.split(':');
        let first = parts.next().filter(|first| !first.starts_with('0'))?;
        let first: i64 = first.replace('_', "").parse().ok()?;
        return parts
            .try_fold(first, |sum, part| {
                let part: i64 = Some(part).filter(|p| (1..=2).contains(&p.len()))?.parse().ok()?;
                (part < 60).then(|| sum.checked_mul(60)?.checked_add(part)).flatten()
            })
            .map(|sum| sign * sum);
    }
    let digits = digits.replace('_', "");
    let (digits, base) = match (digits.strip_prefix("0b"), digits.strip_prefix("0x"), digits.strip_prefix('0')) {
        (Some(rest), _, _) => (rest, 2),
        (_, Some(rest), _) => (rest, 16),
        (_, _, Some(rest)) if !rest.is_empty() => (rest, 8),
        _ => (digits.as_str(), 10),
    };
    // A second sign is none of the number's.
    let whole = digits.chars().all(|c| c.is_digit(base));
    i64::from_str_radix(digits, base).ok().filter(|_| whole).map(|number| sign * number)
}

/// Numbers with a point; an exponent has its sign.
fn float(text: &str) -> Option<f64> {
    let (_, digits) = signed(text);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, part) = mantissa.split_once('.')?;
    let digits_only = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '_');
    let starts_well = match whole {
        "" => part.starts_with(|c: char| c.is_ascii_digit()),
        whole => whole.starts_with(|c: char| c.is_ascii_digit()),
    };
    let signed_exponent =
        exponent.is_none_or(|e| e.strip_prefix(['+', '-']).is_some_and(|e| !e.is_empty() && e.chars().all(|c| c.is_ascii_digit())));
    let fits = starts_well && digits_only(whole) && digits_only(part) && signed_exponent;
    text.replace('_', "").parse().ok().filter(|_| fits)
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// A value as YAML in blocks, the keys sorted as patronictl sorts them. Nothing in it moves a terminal's cursor.
pub fn yaml_text(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => table(&mut out, map, 0),
        Value::Array(items) if !items.is_empty() => list(&mut out, items, 0),
        scalar => {
            out = inline(scalar);
            out.push('\n');
        }
    }
    out
}

fn table(out: &mut String, map: &Map<String, Value>, depth: usize) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    for (key, value) in entries {
        let _ = write!(out, "{:indent$}{}:", "", word(key), indent = depth * 2);
        below(out, value, depth);
    }
}

fn list(out: &mut String, items: &[Value], depth: usize) {
    for item in items {
        let _ = write!(out, "{:indent$}-", "", indent = depth * 2);
        below(out, item, depth);
    }
}

/// What follows a key or a dash.
fn below(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            table(out, map, depth + 1);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            list(out, items, depth + 1);
        }
        scalar => {
            let _ = writeln!(out, " {}", inline(scalar));
        }
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => word(text),
        other => other.to_string(),
    }
}

/// A text as it is where it can be read back as text, else in double quotes.
fn word(text: &str) -> String {
    let first = |c: char| c.is_ascii_alphabetic() || "/_.".contains(c);
    let rest = |c: char| c.is_ascii_alphanumeric() || " /_.-+=,%@(){}".contains(c);
    // Three dots end a document.
    let bare = text.starts_with(first) && text.chars().all(rest) && !text.ends_with(' ') && !text.starts_with("...");
    if bare && plain(text.to_owned()) == Value::String(text.to_owned()) {
        return text.to_owned();
    }
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c if u32::from(c) > 0xFFFF => drop(write!(out, "\\U{:08X}", u32::from(c))),
            c => drop(write!(out, "\\u{:04X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(text: &str) -> Value {
        yaml_value(Path::new("test"), text).expect(text)
    }

    #[test]
    fn words_are_what_pyyaml_takes_them_for() {
        for (text, value) in [
            ("on", json!(true)),
            ("Off", json!(false)),
            ("y", json!("y")),
            ("~", json!(null)),
            ("", json!(null)),
            ("30", json!(30)),
            ("-1", json!(-1)),
            ("+7", json!(7)),
            ("1_000", json!(1000)),
            ("010", json!(8)),
            ("08", json!("08")),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("1:30", json!(90)),
            ("0.9", json!(0.9)),
            (".5", json!(0.5)),
            ("1.", json!(1.0)),
            ("1e3", json!("1e3")),
            ("1.5e+3", json!(1500.0)),
            ("1.5e3", json!("1.5e3")),
            ("--1", json!("--1")),
            ("128MB", json!("128MB")),
            ("'30'", json!("30")),
            ("\"on\"", json!("on")),
            ("[1, two, ~]", json!([1, "two", null])),
            ("{a: {b: off}}", json!({"a": {"b": false}})),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }

    #[test]
    fn what_would_move_a_cursor_is_written_as_a_number() {
        let text = yaml_text(&json!({"a": "x\u{1b}[2J\u{202e}\u{9b}y", "b": "\u{e0001}"}));
        assert_eq!(text, "a: \"x\\u001B[2J\\u202E\\u009By\"\nb: \"\\U000E0001\"\n");
        assert_eq!(read(&text)["a"], "x\u{1b}[2J\u{202e}\u{9b}y");
    }

    #[test]
    fn a_configuration_in_blocks() {
        let value = json!({"ttl": 30, "postgresql": {"pg_hba": ["local all all peer"], "parameters": {"wal_level": "replica"}, "x": {}}});
        let text = "postgresql:\n  parameters:\n    wal_level: replica\n  pg_hba:\n    - local all all peer\n  x: {}\nttl: 30\n";
        assert_eq!(yaml_text(&value), text);
    }

    #[test]
    fn three_dots_are_a_text_and_not_the_end() {
        assert_eq!(yaml_text(&json!("...")), "\"...\"\n");
        assert_eq!(read(&yaml_text(&json!({"... a": "... b"}))), json!({"... a": "... b"}));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            "[a-z0-9.:_ -]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-zA-Z0-9 .:]{1,5}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().filter(|(key, _)| key != "<<").collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in any_value()) {
            prop_assert_eq!(read(&yaml_text(&value)), value);
        }
    }
}
