//! The report for a person.

use std::fmt::Write;

use crate::doctor::{HarmDoc, OpenDoc, Report};
use crate::document::EvidenceDoc;
use crate::model::clean;
use crate::ui::format;

pub(super) fn text(report: &Report, all: bool) -> String {
    let score = report.score.map_or("no score: nothing could be judged".to_owned(), |score| format!("score {score} of 100"));
    let mut out = format!(
        "{}: {score}; {} would hurt, {} hold, {} not known\n",
        clean(&report.cluster),
        report.hurts.len(),
        report.holds.len(),
        report.not_known.len()
    );
    report.hurts.iter().for_each(|harm| hurts(&mut out, harm));
    open(&mut out, "not known, which is not the same as well:", &report.not_known);
    if all {
        open(&mut out, "does not apply:", &report.does_not_apply);
        if !report.holds.is_empty() {
            out.push_str("\nholds:\n");
        }
        for held in &report.holds {
            line(&mut out, &held.code, held.subject.as_deref(), &held.sentence);
            seen(&mut out, &held.evidence);
        }
    }
    out
}

fn hurts(out: &mut String, harm: &HarmDoc) {
    let subject = harm.subject.as_ref().map(|subject| format!("  {}", clean(subject))).unwrap_or_default();
    let finding = harm.finding.as_ref().filter(|code| **code != harm.code).map(|code| format!("  ({code})")).unwrap_or_default();
    let _ = writeln!(out, "\n{:<8}  {}{subject}{finding}", harm.severity.to_string().to_uppercase(), harm.code);
    let _ = writeln!(out, "  {}", clean(&harm.sentence));
    let _ = writeln!(out, "  why     {}", harm.why);
    for change in &harm.change {
        let _ = writeln!(out, "  change  {}\n            {}", clean(&change.place), clean(&change.line));
    }
    // A line to change says more than the steps that lead to it.
    for step in harm.next.iter().filter(|_| harm.change.is_empty()) {
        let _ = writeln!(out, "  do      {step}");
    }
    seen(out, &harm.evidence);
}

fn open(out: &mut String, title: &str, list: &[OpenDoc]) {
    if list.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for open in list {
        line(out, &open.code, open.subject.as_deref(), &open.because);
        seen(out, &open.evidence);
    }
}

fn line(out: &mut String, code: &str, subject: Option<&str>, sentence: &str) {
    let subject = subject.map(|subject| format!("{}: ", clean(subject))).unwrap_or_default();
    let _ = writeln!(out, "  {code:<20} {subject}{}", clean(sentence));
}

fn seen(out: &mut String, evidence: &[EvidenceDoc]) {
    for evidence in evidence {
        let age = match evidence.age_ms {
            None => "age not known".to_owned(),
            Some(0..1000) => "now".to_owned(),
            Some(ms) => format!("{} ago", format::age(ms)),
        };
        let _ = writeln!(out, "  seen    {}: {} = {}, {age}", clean(&evidence.source), clean(&evidence.what), clean(&evidence.value));
    }
}
