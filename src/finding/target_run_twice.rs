//! `target-run-twice`: the machine on which tasks work has more than one start of the same task of the same run.

use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{Job, Level, SourceId, SourceKind};

/// So many are named.
const NAMED: usize = 3;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "target-run-twice",
        runbook: None,
        fires: "the target's ledger has two or more starts, the newest within a day, of the same task of the same run (same DAG, run, task and map \
                index, whatever the try). Critical where one came after an end; a warning where the first start has no end: that can be a retry \
                of work that broke off. A guard directory keeps a second start away, so that it has none.",
        matters: "The same work was done twice: a customer may have been charged twice. After an outage of the database Airflow runs finished tasks \
                  again, because nobody could write down that they had finished.",
        next: &[
            "Stop more of it first: pgbaton freeze, so that no retry begins; pgbaton rescue lists what is at risk still.",
            "Compare both runs on the target, by the times in the evidence, and undo what was done twice by the business's own way.",
            "Have the target refuse a second start: a guard directory, made by mkdir, by dag_id, run_id, task_id and map index.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some((target, book)) = case.cluster.target.as_ref().and_then(|target| Some((target, target.book(case.now)?))) else {
        return Vec::new();
    };
    let twice: Vec<&Job> = book.jobs.iter().rev().filter(|job| job.starts > 1 && job.recent(case.now)).collect();
    let Some(_) = twice.first() else { return Vec::new() };
    let after_end = twice.iter().any(|job| job.again);
    let named: Vec<String> = twice.iter().take(NAMED).map(|job| format!("{} {} times", job.key.told(), job.starts)).collect();
    let more = if twice.len() > NAMED { format!(", and {} more", twice.len() - NAMED) } else { String::new() };
    let how = if after_end { "again after an end" } else { "again, though the first start has no end" };
    let sentence = format!("{} has started tasks {how}: {}{more}", target.host, listed(&named));
    let source = SourceId::new(SourceKind::Target, &target.host);
    let at = target.seen.at();
    let evidence = twice.iter().take(NAMED).map(|job| {
        let started = job.started.map_or("no time".to_owned(), |at| at.fine_clock());
        let end = if job.again { "after an end" } else { "before an end" };
        Evidence::new(source.clone(), &job.key.told(), format!("{} starts, the newest {started}, {end}", job.starts), at)
    });
    let severity = if after_end { Level::Critical } else { Level::Warning };
    vec![Finding::new("target-run-twice", severity, sentence).because(evidence)]
}
