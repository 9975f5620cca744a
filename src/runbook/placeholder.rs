//! `{candidate}` in a step: where a value comes in that is known only when the step is taken.

use std::collections::BTreeMap;

/// The values by their names.
pub type Values = BTreeMap<String, String>;

/// Names that every run knows: the cluster's name in the configuration, who leads when the step is taken, the run's own id.
pub(super) const ALWAYS: [&str; 3] = ["cluster", "leader", "run"];

/// Whether it can be a name.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase()) && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The parts of a text: what stands there, and the names between braces. Braces around anything else are themselves, as CEL has them.
fn parts(text: &str) -> Vec<Result<&str, &str>> {
    let mut parts = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(open) = rest[from..].find('{').map(|at| at + from) {
        let name = rest[open + 1..].split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
        match name {
            Some(name) => {
                parts.push(Ok(&rest[..open]));
                parts.push(Err(name));
                rest = &rest[open + name.len() + 2..];
                from = 0;
            }
            None => from = open + 1,
        }
    }
    parts.push(Ok(rest));
    parts
}

/// The names that a text uses.
pub(super) fn names(text: &str) -> Vec<&str> {
    parts(text).into_iter().filter_map(Result::err).collect()
}

/// Where a character of a command stands, as a shell reads it.
#[derive(Clone, Copy, PartialEq)]
enum Shell {
    /// Among words; whether the next character is escaped, and whether it begins a word.
    Words { escaped: bool, begins: bool },
    /// Between `'` and `'`, where nothing is escaped.
    Single,
    /// Between `"` and `"`; whether the next character is escaped.
    Double { escaped: bool },
    /// From `#` to the end of the line.
    Comment,
}

impl Shell {
    fn after(self, c: char) -> Self {
        let words = |begins| Self::Words { escaped: false, begins };
        match (self, c) {
            (Self::Words { escaped: true, .. }, _) => words(false),
            (Self::Words { .. }, '\\') => Self::Words { escaped: true, begins: false },
            (Self::Words { .. }, '\'') => Self::Single,
            (Self::Words { .. }, '"') | (Self::Double { escaped: true }, _) => Self::Double { escaped: false },
            (Self::Words { begins: true, .. }, '#') => Self::Comment,
            (Self::Words { .. }, c) => words(c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')')),
            (Self::Single, '\'') | (Self::Double { .. }, '"') => words(false),
            (Self::Double { .. }, '\\') => Self::Double { escaped: true },
            (Self::Comment, '\n') => words(true),
            (same, _) => same,
        }
    }
}

/// Where a name of a command stands within quotes, in a comment, or after a backslash: there a value would be read by other rules than the ones
/// that it is spelled by. What has rules of its own again is not followed.
pub(super) fn misplaced(text: &str) -> Option<&str> {
    if ["`", "$'", "<<"].iter().any(|other| text.contains(other)) {
        return names(text).first().copied();
    }
    let mut at = Shell::Words { escaped: false, begins: true };
    for part in parts(text) {
        match part {
            Ok(plain) => at = plain.chars().fold(at, Shell::after),
            Err(_) if matches!(at, Shell::Words { escaped: false, .. }) => at = Shell::Words { escaped: false, begins: false },
            Err(name) => return Some(name),
        }
    }
    None
}

/// The same for a condition, in which a letter before a text changes how it is read. Raw texts, those between three quotes and comments are not
/// followed: no name stands beside them.
pub(super) fn misplaced_in_condition(text: &str) -> Option<&str> {
    let first = names(text).first().copied();
    let mut quote: Option<char> = None;
    let (mut escaped, mut before) = (false, ' ');
    let mut touching = None;
    for part in parts(text) {
        match part {
            Ok(plain) => {
                for c in plain.chars() {
                    match (quote, c) {
                        (None, '\'' | '"') if matches!(before, 'r' | 'R') => return first,
                        (None, '/') if before == '/' => return first,
                        _ if escaped => {}
                        (Some(open), c) if c == open => quote = None,
                        (None, '\'' | '"') => quote = Some(c),
                        _ => {}
                    }
                    // A backslash that is escaped itself escapes nothing.
                    escaped = c == '\\' && !escaped;
                    before = c;
                }
            }
            Err(name) if quote.is_some() || escaped || text.contains("'''") || text.contains(r#"""""#) => return Some(name),
            Err(name) => {
                if before.is_alphanumeric() || matches!(before, '_' | '}') {
                    touching = touching.or(Some(name));
                }
                before = '}';
            }
        }
    }
    touching
}

fn filled(text: &str, values: &Values, spell: impl Fn(&str) -> String) -> Result<String, String> {
    let each = parts(text).into_iter().map(|part| match part {
        Ok(plain) => Ok(plain.to_owned()),
        Err(name) => values.get(name).map(|value| spell(value)).ok_or_else(|| format!("{name} is not known")),
    });
    each.collect()
}

/// A text for people, with the values in it.
///
/// # Errors
/// A value is not known; the error is a sentence.
pub fn fill(text: &str, values: &Values) -> Result<String, String> {
    filled(text, values, str::to_owned)
}

/// The same, for one who only reads: a name whose value is not known yet stays.
pub fn fill_known(text: &str, values: &Values) -> String {
    parts(text)
        .into_iter()
        .map(|part| part.map_or_else(|name| values.get(name).cloned().unwrap_or(format!("{{{name}}}")), str::to_owned))
        .collect()
}

/// A condition, with each value as a text of CEL. No value can become a part of the condition itself, as a name stands in no text of the
/// condition's own: a runbook in which one does is not read.
///
/// # Errors
/// A value is not known; the error is a sentence.
pub fn fill_condition(text: &str, values: &Values) -> Result<String, String> {
    filled(text, values, |value| serde_json::Value::from(value).to_string())
}

/// The words of an action or a command. It is parted first: a value is never more than one word, nor a flag of its own.
///
/// # Errors
/// Quotes are not closed, a value is not known or empty, or one would be taken for a flag.
pub fn words(text: &str, values: &Values) -> Result<Vec<String>, String> {
    let parted = shlex::split(text).ok_or("a quote is not closed")?;
    let each = parted.into_iter().map(|word| {
        let whole = fill(&word, values)?;
        if let Some(name) = names(&word).into_iter().find(|name| values.get(*name).is_some_and(String::is_empty)) {
            return Err(format!("{name} was not answered"));
        }
        if whole.starts_with('-') && !word.starts_with('-') {
            return Err(format!("{whole:?} would be taken for a flag"));
        }
        Ok(whole)
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        [("member", "psg2"), ("bad", "x\" || true || \"\n; rm"), ("flag", "--yes")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn a_value_never_becomes_syntax() {
        assert_eq!(fill_condition("m.name == {bad} && {'a': 1}.a == 1", &values()).unwrap_or_default(), {
            "m.name == \"x\\\" || true || \\\"\\n; rm\" && {'a': 1}.a == 1"
        });
        assert_eq!(words("restart {cluster} {member}", &values()), Err("cluster is not known".to_owned()));
        assert_eq!(words("restart x '{member} y'", &values()), Ok(vec!["restart".into(), "x".into(), "psg2 y".into()]));
        assert_eq!(words("restart {bad}", &values()).map(|words| words.len()), Ok(2));
        assert_eq!(words("restart {flag}", &values()), Err("\"--yes\" would be taken for a flag".to_owned()));
        assert_eq!(words("switchover --candidate={member}", &values()), Ok(vec!["switchover".into(), "--candidate=psg2".into()]));
        assert!(words("restart 'x", &values()).is_err());
        let empty = Values::from([("member".to_owned(), String::new())]);
        assert_eq!(words("restart x {member}", &empty), Err("member was not answered".to_owned()));
    }

    #[test]
    fn a_name_within_quotes_is_no_place_for_a_value() {
        let fine = ["ssh {x} 'ls -l'", r"x '\' {x}", r"x '\\' {x}", r#"x "\"" {x}"#, "x {x}   # don't", "x '#' {x}", "x a#'b' {x}"];
        for fine in fine.into_iter().chain(["x\n# it's\ny {x}"]) {
            assert_eq!(misplaced(fine), None, "{fine}");
        }
        let wrong = ["x '{x}'", r#"echo "{x}""#, r"echo \{x}", "a'b{x}", r"x '\\' '{x}'", r"x '\' '{x}'", "x # {x}", "x # it's\ny '{x}'"];
        for wrong in wrong.into_iter().chain([r"x $'\'' {x}", "x `y {x}`", "x <<E\n{x}\nE"]) {
            assert_eq!(misplaced(wrong), Some("x"), "{wrong}");
        }
    }

    #[test]
    fn a_name_within_a_text_of_a_condition_is_no_place_for_a_value() {
        for fine in ["m.name == {x}", "f('a', {x})", r"'\\' == {x}", r"'it\'s' == {x}", "1 / 2 == 0 && '//' != {x}", "'r' == {x}"] {
            assert_eq!(misplaced_in_condition(fine), None, "{fine}");
        }
        let wrong = ["m.name == '{x}'", "'''a'{x}'''", "r{x} == 'a'", "{x}{x}", "b{x}", r"r'\' == '{x}'", r"R'\' == {x}"];
        for wrong in wrong.into_iter().chain(["1 == 1 // '\n || {x} == ''"]) {
            assert_eq!(misplaced_in_condition(wrong), Some("x"), "{wrong}");
        }
    }

    #[test]
    fn names_are_found_and_other_braces_stay() {
        assert_eq!(names("{a} {B} {} {a b} {x_1}{ {y}"), ["a", "x_1", "y"]);
        assert_eq!(fill("{} { {member} }", &values()), Ok("{} { psg2 }".to_owned()));
    }
}
