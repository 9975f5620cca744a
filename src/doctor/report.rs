//! The judgements as a document, for a person and for scripts.

use schemars::JsonSchema;
use serde::Serialize;

use super::judged::{Answer, LineToChange, Severity};
use super::{Case, judge};
use crate::document::EvidenceDoc;
use crate::model::Time;

/// Changes when a field changes its meaning or goes away; a new field does not change it.
pub const SCHEMA: &str = "pgbaton.doctor/1";

/// What was judged. A number that is not known is `null`, never 0.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The cluster's name in the configuration.
    pub cluster: String,
    /// When.
    pub at: Time,
    /// Of 100: less 30 for each judgement by which something critical hurts, 10 for a warning, 3 for a note, and not below 0. What is not known does not
    /// count here: see `not_known`. `null`: nothing could be judged.
    pub score: Option<u32>,
    /// What would hurt, worst first.
    pub hurts: Vec<HarmDoc>,
    /// What could not be looked at.
    pub not_known: Vec<OpenDoc>,
    /// What there is nothing here for.
    pub does_not_apply: Vec<OpenDoc>,
    /// What was looked at and is as it should be.
    pub holds: Vec<HeldDoc>,
}

/// Something that would hurt in a failover.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HarmDoc {
    /// The judgement.
    pub code: String,
    /// How much.
    pub severity: Severity,
    /// What it is about: a member, `HAProxy/backend`; `null`: the cluster.
    pub subject: Option<String>,
    /// One sentence.
    pub sentence: String,
    /// Why it matters.
    pub why: String,
    /// The lines to change.
    pub change: Vec<LineToChange>,
    /// The finding of `pgbaton status` that says so, if one does.
    pub finding: Option<String>,
    /// What to do, as the finding has it.
    pub next: Vec<String>,
    /// What it rests on.
    pub evidence: Vec<EvidenceDoc>,
}

/// Something that was not judged.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OpenDoc {
    /// The judgement.
    pub code: String,
    /// What it is about.
    pub subject: Option<String>,
    /// Why it was not judged.
    pub because: String,
    /// What that rests on.
    pub evidence: Vec<EvidenceDoc>,
}

/// Something that is as it should be.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HeldDoc {
    /// The judgement.
    pub code: String,
    /// What it is about.
    pub subject: Option<String>,
    /// One sentence.
    pub sentence: String,
    /// What it rests on.
    pub evidence: Vec<EvidenceDoc>,
}

impl Report {
    /// The judgements of a case. `name` is the cluster's in the configuration.
    pub fn of(case: &Case<'_>, name: &str) -> Self {
        let mut report = Self {
            schema: SCHEMA.to_owned(),
            cluster: name.to_owned(),
            at: case.now,
            score: None,
            hurts: Vec::new(),
            not_known: Vec::new(),
            does_not_apply: Vec::new(),
            holds: Vec::new(),
        };
        for (judgement, judged) in judge(case) {
            let (code, subject) = (judgement.code.to_owned(), judged.subject);
            let evidence = judged.evidence.iter().map(|evidence| EvidenceDoc::of(evidence, case.now)).collect();
            match judged.answer {
                Answer::Holds(sentence) => report.holds.push(HeldDoc { code, subject, sentence, evidence }),
                Answer::NotKnown(because) => report.not_known.push(OpenDoc { code, subject, because, evidence }),
                Answer::DoesNotApply(because) => report.does_not_apply.push(OpenDoc { code, subject, because, evidence }),
                Answer::Hurts(harm) => report.hurts.push(HarmDoc {
                    code,
                    severity: harm.severity,
                    subject,
                    sentence: harm.sentence.clone(),
                    why: judgement.why.to_owned(),
                    change: harm.change.clone(),
                    finding: harm.finding.map(str::to_owned),
                    next: harm.next.clone(),
                    evidence,
                }),
            }
        }
        report.hurts.sort_by_key(|harm| std::cmp::Reverse(harm.severity));
        report.score = report.count();
        report
    }

    /// The worst that would hurt.
    pub fn worst(&self) -> Option<Severity> {
        self.hurts.iter().map(|harm| harm.severity).max()
    }

    fn count(&self) -> Option<u32> {
        if self.hurts.is_empty() && self.holds.is_empty() {
            return None;
        }
        let mut counted: Vec<&str> = Vec::new();
        let mut lost: u32 = 0;
        // Sorted by severity: of several harms of one judgement the worst counts.
        for harm in &self.hurts {
            if !counted.contains(&harm.code.as_str()) {
                counted.push(&harm.code);
                lost += match harm.severity {
                    Severity::Critical => 30,
                    Severity::Warning => 10,
                    Severity::Note => 3,
                };
            }
        }
        Some(100u32.saturating_sub(lost))
    }
}
