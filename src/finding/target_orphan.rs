//! `target-orphan`: the machine on which tasks work has begun a task that Airflow does not run.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, listed, spoken};
use crate::model::{BookKind, Job, Level, SourceId, SourceKind};

/// So many are named.
const NAMED: usize = 3;
/// How long the two may differ: the target is asked every 5 s and Airflow every 2 s.
const SETTLING: Duration = Duration::from_secs(10);

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "target-orphan",
        runbook: None,
        fires: "the target's ledger or guard directory has a start within a day, older than 10 s, without an end, and Airflow's metadata, read a \
                moment ago, has no such task as running.",
        matters: "Either it goes on there without Airflow, which may start it a second time beside itself; or it broke off and left its work half \
                  done. The ledger alone does not tell which.",
        next: &[
            "Look on the target whether the process still runs (ps), and what its own log says of the work.",
            "See what Airflow makes of it: airflow tasks states-for-dag-run DAG_ID RUN. One that waits for its retry will start again.",
            "Until that is known let nothing begin: pgbaton freeze.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some((target, book)) = case.cluster.target.as_ref().and_then(|target| Some((target, target.book(case.now)?))) else {
        return Vec::new();
    };
    let orphan = |job: &&Job| {
        let begun = job.started.is_none_or(|at| case.now.since(at) >= SETTLING);
        !job.ended
            && begun
            && job.recent(case.now)
            && target.outlived(&job.key)
            && case.cluster.runs_in_airflow(&job.key, case.now) == Some(false)
    };
    let orphans: Vec<&Job> = book.jobs.iter().rev().filter(orphan).collect();
    if orphans.is_empty() {
        return Vec::new();
    }
    let since = |job: &Job| job.started.map_or(String::new(), |at| format!(" {} ago", spoken(case.now.since(at))));
    let named: Vec<String> = orphans.iter().take(NAMED).map(|job| format!("{}{}", job.key.told(), since(job))).collect();
    let more = if orphans.len() > NAMED { format!(", and {} more", orphans.len() - NAMED) } else { String::new() };
    let kind = if book.kind == BookKind::Guard { "guard directory" } else { "ledger" };
    let sentence = format!(
        "{} has begun {}{more} and its {kind} has no end of it; Airflow runs no such task: it goes on without Airflow, or broke off",
        target.host,
        listed(&named)
    );
    let (ours, theirs) = (SourceId::new(SourceKind::Target, &target.host), SourceId::new(SourceKind::Airflow, &case.cluster.scope));
    let read = case.cluster.airflow.as_ref().and_then(|seen| seen.at());
    let mut evidence: Vec<Evidence> = orphans
        .iter()
        .take(NAMED)
        .map(|job| {
            let started = job.started.map_or("at an unknown time".to_owned(), |at| at.fine_clock());
            Evidence::new(ours.clone(), &job.key.told(), format!("started {started}, no end"), target.seen.at())
        })
        .collect();
    evidence.push(Evidence::new(theirs, "running tasks", "none of these", read));
    let finding = Finding::new("target-orphan", Level::Warning, sentence).because(evidence).comparing([target.seen.at(), read]);
    vec![orphans.iter().take(NAMED).fold(finding, |finding, job| finding.naming([("DAG_ID", &job.key.dag), ("RUN", &job.key.run)]))]
}
