//! What a judgement says.

use std::fmt;

use crate::finding::Evidence;
use crate::model::Level;

/// How much it would hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// It makes a failover worse than it could be.
    Note,
    /// Commits, time or a member are lost that need not be.
    Warning,
    /// The failover does not happen, or two sides are written to.
    Critical,
}

impl Severity {
    /// As bad as a finding.
    pub fn of(level: Level) -> Self {
        match level {
            Level::Critical => Self::Critical,
            Level::Ok | Level::Unknown | Level::Warning => Self::Warning,
        }
    }
}

/// An answer with what it is about and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// A member, a backend, an HAProxy; `None`: the cluster.
    pub subject: Option<String>,
    /// The answer.
    pub answer: Answer,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
}

/// One of four.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It was looked at, and it is as it should be.
    Holds(String),
    /// It would hurt.
    Hurts(Box<Harm>),
    /// It could not be looked at, and why.
    NotKnown(String),
    /// There is nothing here that it could be asked of, and why.
    DoesNotApply(String),
}

/// What would hurt.
#[derive(Debug, Clone, PartialEq)]
pub struct Harm {
    /// How much.
    pub severity: Severity,
    /// One sentence.
    pub sentence: String,
    /// What to change.
    pub change: Vec<LineToChange>,
    /// The finding that says so, if one does.
    pub finding: Option<&'static str>,
    /// What to do, where no single line mends it.
    pub next: Vec<String>,
}

/// A line to change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct LineToChange {
    /// Where: `dynamic configuration (patronictl edit-config)`, a file with its line.
    pub place: String,
    /// How it should read.
    pub line: String,
}

/// Where Patroni's dynamic configuration is changed.
pub const DYNAMIC: &str = "dynamic configuration (patronictl edit-config)";

impl Judged {
    fn new(answer: Answer) -> Self {
        Self { subject: None, answer, evidence: Vec::new() }
    }

    pub(super) fn holds(sentence: impl Into<String>) -> Self {
        Self::new(Answer::Holds(sentence.into()))
    }

    pub(super) fn not_known(why: impl Into<String>) -> Self {
        Self::new(Answer::NotKnown(why.into()))
    }

    pub(super) fn does_not_apply(why: impl Into<String>) -> Self {
        Self::new(Answer::DoesNotApply(why.into()))
    }

    pub(super) fn hurts(severity: Severity, sentence: impl Into<String>) -> Self {
        Self::new(Answer::Hurts(Box::new(Harm {
            severity,
            sentence: sentence.into(),
            change: Vec::new(),
            finding: None,
            next: Vec::new(),
        })))
    }

    pub(super) fn of(mut self, subject: impl fmt::Display) -> Self {
        self.subject = Some(subject.to_string());
        self
    }

    pub(super) fn by(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// Adds a line to change, if it hurts.
    pub(super) fn change(mut self, place: impl Into<String>, line: impl Into<String>) -> Self {
        if let Answer::Hurts(harm) = &mut self.answer {
            harm.change.push(LineToChange { place: place.into(), line: line.into() });
        }
        self
    }

    /// Names the finding that says so, and its steps.
    pub(super) fn found(mut self, code: &'static str, next: Vec<String>) -> Self {
        if let Answer::Hurts(harm) = &mut self.answer {
            (harm.finding, harm.next) = (Some(code), next);
        }
        self
    }

    /// The harm, if it is one.
    pub fn harm(&self) -> Option<&Harm> {
        match &self.answer {
            Answer::Hurts(harm) => Some(harm),
            Answer::Holds(_) | Answer::NotKnown(_) | Answer::DoesNotApply(_) => None,
        }
    }
}

/// What was found and what could not be looked at; only where there is neither it holds.
pub(super) fn unless(found: Vec<Judged>, open: Vec<Judged>, holds: impl FnOnce() -> Judged) -> Vec<Judged> {
    let mut all = found;
    all.extend(open);
    if all.is_empty() {
        all.push(holds());
    }
    all
}
