//! The table: one row for each case, on the screen as it comes and, when asked for, in the README.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use pgbaton::document::FindingDoc;

use crate::case::Case;

/// Where the README's table begins; it ends with the file.
const BEGIN: &str = "<!-- rows -->\n";

/// What came of a case.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub cluster: &'static str,
    /// Codes that had to come.
    expected: Vec<&'static str>,
    /// Codes that came, in their order.
    seen: Vec<String>,
    /// The worst time from a finding's sign to its arrival.
    pub shown: Option<Duration>,
    /// From the end of the cure to a quiet picture.
    pub clear: Option<Duration>,
    /// The slowest key.
    pub key: Option<Duration>,
    pub headline: String,
    pub wrong: Vec<String>,
    /// The first sentence of each code, with the time since the beginning.
    said: Vec<String>,
}

impl Row {
    pub fn of(case: &Case) -> Self {
        Self {
            name: case.name,
            cluster: case.variant.name,
            expected: case.expected.iter().map(|e| e.codes).filter(|codes| !codes.is_empty()).collect(),
            seen: Vec::new(),
            shown: None,
            clear: None,
            key: None,
            headline: String::new(),
            wrong: Vec::new(),
            said: Vec::new(),
        }
    }

    /// Whether a code is one of those that must or may come.
    pub fn knows(&self, case: &Case, code: &str) -> bool {
        self.expected.iter().any(|codes| codes.split('|').any(|c| c == code)) || case.allowed.contains(&code)
    }

    /// Notes a finding that was shown.
    pub fn see(&mut self, case: &Case, finding: &FindingDoc, after: Duration) {
        let mark = if self.knows(case, &finding.code) { "" } else { "*" };
        let code = format!("{}{mark}", finding.code);
        if !self.seen.contains(&code) {
            self.said.push(format!("{:5.1} s {code} ({}): {}", after.as_secs_f64(), finding.severity, finding.sentence));
            self.seen.push(code);
        }
    }

    /// One line of the README.
    fn line(&self) -> String {
        let seconds = |d: Option<Duration>| d.map_or("-".to_owned(), |d| format!("{:.1}", d.as_secs_f64()));
        let codes = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        let expected: Vec<String> = self.expected.iter().map(|c| c.replace('|', " or ")).collect();
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            self.name,
            self.cluster,
            codes(&expected),
            codes(&self.seen),
            seconds(self.shown),
            seconds(self.clear),
            self.key.map_or("-".to_owned(), |d| format!("{:.0}", d.as_secs_f64() * 1000.0)),
            self.headline.replace('|', "/"),
        )
    }

    /// The row and what stands behind it, for the screen.
    pub fn told(&self) -> String {
        let mut out = self.line() + "\n";
        let behind = self.said.iter().cloned().chain(self.wrong.iter().map(|wrong| format!("WRONG: {wrong}")));
        for line in behind {
            let _ = writeln!(out, "    {line}");
        }
        out
    }
}

/// Puts these rows into the README in the place of those of the same cases; a case that is new goes to its place in the order of `all`.
pub fn write(rows: &[Row], all: &[Case]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/faults/README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, old) = text.split_once(BEGIN).expect("the README has a place for the rows");
    let mut lines: Vec<String> = Vec::new();
    for case in all {
        let begin = format!("| {} | {} |", case.name, case.variant.name);
        let new = rows.iter().find(|r| r.name == case.name && r.cluster == case.variant.name).map(Row::line);
        lines.extend(new.or_else(|| old.lines().find(|l| l.starts_with(&begin)).map(str::to_owned)));
    }
    let mut out = format!("{head}{BEGIN}");
    out.push_str("| fault | cluster | must show | shown | s until shown | s until clear | slowest key, ms | headline then |\n");
    out.push_str("|---|---|---|---|---|---|---|---|\n");
    for line in lines {
        let _ = writeln!(out, "{line}");
    }
    std::fs::write(path, out).unwrap();
}
