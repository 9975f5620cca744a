//! Lines that mean something in a failover, explained. One file for each program.

mod etcd;
mod haproxy;
mod patroni;
mod postgres;

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::pattern::ours;
use super::{Entry, Kind, Program};

/// A line that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// A regular expression that is found in its words.
    pub pattern: &'static str,
    /// What it says.
    pub what: &'static str,
    /// Why it is said.
    pub why: &'static str,
    /// What to look at or to do next.
    pub next: &'static str,
    /// The code of the finding that tells the same of the cluster, if there is one.
    pub finding: Option<&'static str>,
}

/// A line that no finding tells of.
const fn line(pattern: &'static str, what: &'static str, why: &'static str, next: &'static str) -> Known {
    Known { pattern, what, why, next, finding: None }
}

impl Known {
    /// The same with the finding that tells it of the cluster.
    const fn found(mut self, code: &'static str) -> Self {
        self.finding = Some(code);
        self
    }
}

/// The patterns of a program, the more special ones first.
struct Lines {
    set: RegexSet,
    lines: &'static [Known],
}

impl Lines {
    fn new(lines: &'static [Known]) -> Self {
        // Each of them was compiled alone before: a set of none finds nothing.
        let sources = lines.iter().map(|known| ours(known.pattern)).map(|regex: Regex| regex.as_str().to_owned());
        Self { set: RegexSet::new(sources).unwrap_or_else(|_| RegexSet::empty()), lines }
    }
}

static PATRONI: LazyLock<Lines> = LazyLock::new(|| Lines::new(patroni::LINES));
static POSTGRES: LazyLock<Lines> = LazyLock::new(|| Lines::new(postgres::LINES));
static ETCD: LazyLock<Lines> = LazyLock::new(|| Lines::new(etcd::LINES));
static HAPROXY: LazyLock<Lines> = LazyLock::new(|| Lines::new(haproxy::LINES));

/// Every known line of a program.
pub fn known_lines(program: Program) -> &'static [Known] {
    lines(program).lines
}

fn lines(program: Program) -> &'static Lines {
    match program {
        Program::Patroni => &PATRONI,
        Program::Postgres => &POSTGRES,
        Program::Etcd => &ETCD,
        Program::Haproxy => &HAPROXY,
    }
}

/// What is known of a line of this program with these words.
pub fn known(program: Program, text: &str) -> Option<&'static Known> {
    let lines = lines(program);
    let first = lines.set.matches(text).iter().next()?;
    lines.lines.get(first)
}

impl Entry {
    /// What is known of it.
    pub fn known(&self) -> Option<&'static Known> {
        if self.kind != Kind::Line {
            return None;
        }
        known(self.stream.program, &self.text)
    }
}
