//! `target-unreachable`: the machine on which Airflow's tasks work cannot be asked, or what it has written down of them cannot be read.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{ErrorKind, Level, SourceError, SourceId, SourceKind};

/// How long attempts must have failed before it is told.
const FAILING: Duration = Duration::from_secs(3);

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "target-unreachable",
        runbook: None,
        fires: "the machine of [clusters.NAME.target] has not been reached over ssh for 3 s or more, or it answers and its ledger or guard directory \
                cannot be read, or none of its lines is understood.",
        matters: "Tasks that begin work there fail or wait, and whether one has finished cannot be known: after an outage nobody could tell which \
                  tasks must not run again.",
        next: &[
            "Try it by hand: ssh to the machine as pgbaton.toml names it; the error tells what it said.",
            "Where only the ledger cannot be read, see whether the path exists there and whether our user may read it.",
            "Where its lines are not understood, compare one with the `format` of the target in pgbaton.toml: it names every word of a line.",
            "Hold switchovers back: what runs there is not known.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(target) = &case.cluster.target else { return Vec::new() };
    let (seen, host) = (&target.seen, &target.host);
    let silent = seen.error().is_some() && seen.failing_since().is_some_and(|at| case.now.since(at) >= FAILING);
    let old = seen.heard() && seen.fresh(case.now, SourceKind::Target.freshness()).is_none() && seen.error().is_none();
    let unread = || match target.now(case.now)?.book.as_ref()? {
        Err(why) => Some(why.clone()),
        // Else it would look like one in which nothing has happened.
        Ok(book) if book.unread > 0 && book.jobs.is_empty() => Some(format!("none of the {} lines there is understood", book.unread)),
        Ok(_) => None,
    };
    let (sentence, evidence) = match seen.error() {
        Some(error) if silent => (format!("the target {host} cannot be asked: {error}"), Evidence::error(SourceKind::Target, host, seen)),
        _ if old => {
            let last = Evidence::new(SourceId::new(SourceKind::Target, host), "last answer", "none since", seen.at());
            (format!("the target {host} cannot be asked: it does not answer"), Some(last))
        }
        _ => match unread() {
            Some(why) => {
                let error = SourceError::new(ErrorKind::Other, why);
                let evidence = Evidence::new(SourceId::new(SourceKind::Target, host), "error", &error, seen.at());
                (format!("what tasks have done on the target {host} cannot be read: {error}"), Some(evidence))
            }
            None => return Vec::new(),
        },
    };
    vec![Finding::new("target-unreachable", Level::Warning, sentence).about(host).because(evidence)]
}
