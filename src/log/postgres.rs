//! PostgreSQL's lines as `stderr` has them, by `log_line_prefix`; and what its three formats have in common.

use regex::Regex;

use super::Severity;
use super::head::Head;
use super::stamp::{self, Told};
use crate::model::Time;

/// The parts of a message that PostgreSQL writes as lines of their own.
const LABELS: [&str; 7] = ["DETAIL", "HINT", "STATEMENT", "CONTEXT", "QUERY", "LOCATION", "BACKTRACE"];

/// How much a message is. That a process of the server has crashed, and that all others are ended for it, PostgreSQL says at its level `LOG`, as it
/// says that it has started (postmaster.c: `LogChildExit`, `HandleChildCrash`); who looks for the reason at warning and worse would not see it.
pub(super) fn level(word: &str, text: &str) -> Option<Severity> {
    const CRASHED: [&str; 2] = ["was terminated by signal ", "was terminated by exception "];
    const AFTER: [&str; 4] = [
        "terminating any other active server processes",
        "all server processes terminated; reinitializing",
        "database system was not properly shut down",
        "database system was interrupted",
    ];
    let told = Severity::of(word);
    match told {
        Some(Severity::Info) if CRASHED.iter().any(|crash| text.contains(crash)) => Some(Severity::Error),
        Some(Severity::Info) if AFTER.iter().any(|after| text.starts_with(after)) => Some(Severity::Warning),
        _ => told,
    }
}

/// A part's name as it is kept.
pub(super) fn label(word: &str) -> Option<&'static str> {
    LABELS.iter().copied().find(|label| *label == word)
}

/// Who says something: process, user and database, application, where from, the code of an error.
pub(super) fn origin(pid: &str, user: &str, database: &str, application: &str, from: &str, code: &str) -> String {
    let mut parts = Vec::new();
    if !pid.is_empty() {
        parts.push(format!("pid {pid}"));
    }
    match (user, database) {
        ("" | "[unknown]", "" | "[unknown]") => {}
        (user, "") => parts.push(user.to_owned()),
        (user, database) => parts.push(format!("{user}@{database}")),
    }
    for (name, value) in [("app", application), ("from", from), ("code", code)] {
        if !matches!(value, "" | "[unknown]" | "00000") {
            parts.push(format!("{name} {value}"));
        }
    }
    parts.join(", ")
}

/// `log_line_prefix`, understood.
#[derive(Debug, Clone)]
pub(super) struct Prefix {
    regex: Regex,
    own: Option<i32>,
}

impl Prefix {
    /// Understands a prefix. One with escapes that nobody knows is read as if it were the usual one.
    pub(super) fn new(prefix: &str, own: Option<i32>) -> Self {
        let regex = Regex::new(&expression(prefix)).unwrap_or_else(|_| super::pattern::ours(&expression("%m [%p] ")));
        Self { regex, own }
    }

    /// Reads the beginning of a message or of a part of one; `None`: the line goes on with the one before.
    pub(super) fn head(&self, line: &str) -> Option<Head> {
        let found = self.regex.captures(line)?;
        let of = |name: &str| found.name(name).map_or("", |part| part.as_str().trim());
        let word = of("level");
        let at = match (of("time"), of("epoch")) {
            ("", "") => None,
            ("", epoch) => epoch_time(epoch).map(Told::At),
            (time, _) => stamp::full(time, self.own).map(|(at, _)| at),
        };
        let session = [of("pid"), of("session")].into_iter().find(|part| !part.is_empty()).map(str::to_owned);
        let mut head = Head::new(at, level(word, of("text")), of("text"));
        head.label = label(word);
        let from = [of("remote"), of("host")].into_iter().find(|part| !part.is_empty()).unwrap_or_default();
        head.origin = origin(of("pid"), of("user"), of("database"), of("application"), from, of("code"));
        head.session = session;
        Some(head)
    }
}

/// Seconds since 1970 with their fraction.
fn epoch_time(text: &str) -> Option<Time> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    let (nanos, _) = stamp::fraction(&format!(".{fraction}"));
    seconds.checked_mul(1_000_000)?.checked_add(i64::from(nanos / 1000)).map(Time::from_micros)
}

/// What a prefix's lines look like. What a process without a session leaves out (`%q`) may be missing.
fn expression(prefix: &str) -> String {
    let mut expression = String::from("^");
    let mut tail = 0;
    let mut named: Vec<&str> = Vec::new();
    let mut chars = prefix.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            expression.push_str(&regex::escape(&c.to_string()));
            continue;
        }
        let mut padded = false;
        while chars.next_if(|c| c.is_ascii_digit() || *c == '-').is_some() {
            padded = true;
        }
        const MOMENT: &str = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? ?[A-Za-z0-9+:-]{1,10}";
        let (name, shape) = match chars.next() {
            Some('a') => ("application", r".*?"),
            Some('u') => ("user", r".*?"),
            Some('d') => ("database", r".*?"),
            Some('r') => ("remote", r"(?:[^\s()]*(?:\(\d+\))?)"),
            Some('h') => ("host", r"[^\s,]*?"),
            Some('L') => ("", r"[^\s,]*?"),
            Some('b' | 'i') => ("", r".*?"),
            Some('p') => ("pid", r"\d+"),
            Some('P' | 'l' | 'x') => ("", r"\d*"),
            Some('Q') => ("", r"-?\d*"),
            Some('t' | 'm') => ("time", MOMENT),
            Some('s') => ("", MOMENT),
            Some('n') => ("epoch", r"\d+(?:\.\d+)?"),
            Some('e') => ("code", r"[0-9A-Z]{5}"),
            Some('c') => ("session", r"[0-9a-f]+\.[0-9a-f]+"),
            Some('v') => ("", r"(?:-?\d+/-?\d+)?"),
            Some('q') => {
                expression.push_str("(?:");
                tail += 1;
                continue;
            }
            Some('%') => ("", "%"),
            // PostgreSQL passes over what it does not know.
            _ => continue,
        };
        let pad = if padded { " *" } else { "" };
        if name.is_empty() || named.contains(&name) {
            expression.push_str(&format!("{pad}{shape}{pad}"));
        } else {
            named.push(name);
            expression.push_str(&format!("{pad}(?P<{name}>{shape}){pad}"));
        }
    }
    expression.push_str(&")?".repeat(tail));
    // Servers speak languages: a word in capitals, a colon and two spaces begin a message in each of them.
    expression.push_str(r"(?P<level>\p{Lu}[\p{Lu} ]{1,20}[1-5]?):  (?P<text>.*)$");
    expression
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_of_any_kind_is_followed() {
        let at = "2026-11-26T22:39:56.015Z";
        let table = [
            ("%m [%p] ", "2026-11-26 22:39:56.015 UTC [7] LOG:  shutting down", Some(at), "pid 7"),
            (
                "%m [%p] %q%u@%d/%a ",
                "2026-11-26 22:39:56.015 UTC [2057] pgbaton@postgres/pgbaton FATAL:  shutting down",
                Some(at),
                "pid 2057, pgbaton@postgres, app pgbaton",
            ),
            ("%m [%p] %q%u@%d/%a ", "2026-11-26 22:39:56.015 UTC [1844] LOG:  shutting down", Some(at), "pid 1844"),
            (
                "%m [%p] %q%u@%d/%a ",
                "2026-11-26 22:39:56.015 UTC [1] r@[unknown]/psg2 ERROR:  shutting down",
                Some(at),
                "pid 1, r@[unknown], app psg2",
            ),
            (
                "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
                "2026-11-26 23:39:56 CET [9]: [3-1] user=app,db=card,app=Patroni restapi,client=10.0.0.1 LOG:  shutting down",
                Some("2026-11-26T22:39:56.000Z"),
                "pid 9, app@card, app Patroni restapi, from 10.0.0.1",
            ),
            ("%n %c %e ", "1795732796.015 6567.1a2 57P01 FATAL:  shutting down", Some(at), "code 57P01"),
            ("%-10u %5p %r ", "app            7 10.0.0.1(5000) LOG:  shutting down", None, "pid 7, app, from 10.0.0.1(5000)"),
            ("", "LOG:  shutting down", None, ""),
            ("100%% %z[%p] ", "100% [7] LOG:  shutting down", None, "pid 7"),
            ("%m [%p] ", "2026-11-26 23:39:56.015 CET [7] WARNUNG:  shutting down", Some(at), "pid 7"),
        ];
        for (prefix, line, at, origin) in table {
            let head = Prefix::new(prefix, Some(3600)).head(line);
            let read =
                head.as_ref().map(|head| (head.at.and_then(Told::time).map(|at| at.to_string()), head.origin.as_str(), head.text.as_str()));
            assert_eq!(read, Some((at.map(str::to_owned), origin, "shutting down")), "{prefix} {line}");
        }
    }

    /// As 15 wrote them when a process of it was killed with signal 9.
    #[test]
    fn a_crash_is_more_than_what_happens() {
        let table = [
            ("LOG", "client backend (PID 15340) was terminated by signal 9: Killed", Severity::Error),
            ("LOG", "terminating any other active server processes", Severity::Warning),
            ("LOG", "all server processes terminated; reinitializing", Severity::Warning),
            ("LOG", "database system was interrupted; last known up at 2026-11-27 22:20:02 UTC", Severity::Warning),
            ("LOG", "database system was not properly shut down; automatic recovery in progress", Severity::Warning),
            ("LOG", "database system is ready to accept connections", Severity::Info),
            ("FATAL", "the database system is in recovery mode", Severity::Fatal),
            ("ERROR", "x was terminated by signal 9", Severity::Error),
            ("DEBUG1", "x was terminated by signal 9", Severity::Debug),
        ];
        for (word, text, expected) in table {
            assert_eq!(level(word, text), Some(expected), "{text}");
            let line = format!("2026-11-27 22:20:03.015 UTC [7] {word}:  {text}");
            assert_eq!(Prefix::new("%m [%p] ", None).head(&line).and_then(|head| head.level), Some(expected), "{line}");
        }
    }

    #[test]
    fn what_does_not_begin_so_goes_on_with_what_is_before() {
        let prefix = Prefix::new("%m [%p] ", Some(0));
        for line in ["\tselect 1", "", "LOG:  x", "2026-11-26 22:39:56.015 UTC [7] hello", "HINT:  x"] {
            assert_eq!(prefix.head(line), None, "{line}");
        }
        let detail = prefix.head("2026-11-26 22:39:56.015 UTC [7] DETAIL:  End of WAL").map(|head| (head.label, head.level, head.session));
        assert_eq!(detail, Some((Some("DETAIL"), None, Some("7".to_owned()))));
    }
}
