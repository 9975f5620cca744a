//! `rescue-window`: Airflow wrote nothing for a while, and tasks that ran then will be run again, or marked failed though they have finished.

use super::{Case, Evidence, Explanation, Finding, Rule, listed, spoken};
use crate::model::{Done, Level, RescueItem, SourceId, SourceKind, TaskKey, Time};

/// So many are named.
const NAMED: usize = 2;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "rescue-window",
        runbook: None,
        fires: "the writes of Airflow stopped (no heartbeat of any of its programs and tasks for 12 s, its server took no writes, another leads, or its \
                metadata could not be read for 5 s), and of tasks that ran then it has told nothing since. Critical when the target's ledger has the \
                end of one that has tries left; else a warning.",
        matters: "A task that ended while the database was away could not say so. Airflow takes it for dead once its heartbeat is older than the \
                  limit `task_heartbeat` (300 s, the same as Airflow's own setting), or sooner when its executor reports it, and runs it again: a \
                  customer is charged twice. Measured: 6 of 6 such tasks ran twice after 30 s.",
        next: &[
            "Win time: pgbaton freeze gives the pools 0 slots, so that no second try begins.",
            "See the list with the command for each: pgbaton rescue. Mark those as success whose work is done by the target, before they are due.",
            "Of those that the target does not tell look there yourself; then pgbaton thaw.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(rescue) = case.cluster.rescue(case.limits.task_heartbeat, case.now).filter(|rescue| !rescue.items.is_empty()) else {
        return Vec::new();
    };
    let finished = |item: &&RescueItem| matches!(item.done, Done::Finished(_));
    let (again, rest): (Vec<&RescueItem>, Vec<&RescueItem>) = rescue.items.iter().partition(|item| item.retries && finished(item));
    let unknown = rest.iter().filter(|item| matches!(item.done, Done::Unknown(_))).count();
    let failed = rest.iter().filter(|item| !item.retries && finished(item)).count();
    let open = rest.len() - unknown - failed;
    let mut parts = Vec::new();
    if let Some(first) = again.first() {
        let named: Vec<String> = again.iter().take(NAMED).map(|item| TaskKey::of(&item.task).told()).collect();
        let more = if again.len() > NAMED { format!(" and {} more", again.len() - NAMED) } else { String::new() };
        let verb = if again.len() == 1 { "has finished and runs" } else { "have finished and run" };
        parts.push(format!("{}{more} {verb} again {}", listed(&named), when(first.due, case.now)));
    }
    let tasks = |n: usize, one: &str, many: &str| if n == 1 { format!("1 task {one}") } else { format!("{n} tasks {many}") };
    if failed > 0 {
        parts.push(tasks(failed, "has finished and will be marked failed", "have finished and will be marked failed"));
    }
    if unknown > 0 {
        parts.push(tasks(
            unknown,
            "that ran may have finished: the target does not tell",
            "that ran may have finished: the target does not tell",
        ));
    }
    if open > 0 {
        parts.push(tasks(open, "has no end on the target", "have no end on the target"));
    }
    let outage = &rescue.outage;
    let stopped = match outage.until {
        Some(until) => format!("Airflow wrote nothing for {}", spoken(until.since(outage.from))),
        None if outage.seen => format!("Airflow has written nothing since {}", outage.from.minute()),
        None => format!("whether Airflow can write is not known since {}", outage.from.minute()),
    };
    let airflow = SourceId::new(SourceKind::Airflow, &case.cluster.scope);
    let read = case.cluster.airflow.as_ref().and_then(|seen| seen.at());
    let mut evidence = vec![Evidence::new(airflow.clone(), "last write before it", outage.from.fine_clock(), Some(outage.from))];
    for item in &rescue.items {
        let key = TaskKey::of(&item.task).told();
        let state = item.state.as_deref().unwrap_or("not known");
        evidence.push(Evidence::new(airflow.clone(), &key, format!("{state}; due {}", when(item.due, case.now)), read));
        if let Some(target) = &case.cluster.target {
            evidence.push(Evidence::new(SourceId::new(SourceKind::Target, &target.host), &key, told(&item.done), target.seen.at()));
        }
    }
    let severity = if again.is_empty() { Level::Warning } else { Level::Critical };
    vec![Finding::new("rescue-window", severity, format!("{stopped}: {}", listed(&parts))).because(evidence)]
}

/// `in 3 min 20 s`.
fn when(due: Option<Time>, now: Time) -> String {
    match due {
        Some(due) if due > now => format!("in {}", spoken(due.since(now))),
        Some(_) => "at any moment".to_owned(),
        None => "when its retry_delay is over".to_owned(),
    }
}

fn told(done: &Done) -> String {
    match done {
        Done::Finished(Some(at)) => format!("ended {}", at.fine_clock()),
        Done::Finished(None) => "ended".to_owned(),
        Done::Open(Some(at)) => format!("started {}, no end", at.fine_clock()),
        Done::Open(None) => "started, no end".to_owned(),
        Done::Untouched => "not started".to_owned(),
        Done::Unknown(why) => format!("not known: {why}"),
    }
}
