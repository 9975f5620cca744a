//! `airflow-retries`, `airflow-connections`: what a failover does to Airflow's work.

use super::judged::{Judged, Severity};
use super::{Case, Judgement};
use crate::finding::Evidence;
use crate::model::{SourceId, SourceKind, listed};

pub(super) const RETRIES: Judgement = Judgement {
    code: "airflow-retries",
    why: "A task that ends while its database is away cannot say so: Airflow takes it for dead, and with retries it runs it again. Measured with Airflow 2.10: \
          30 seconds without a database, and six of six such tasks ran twice.",
    cites: &[],
    judge: retries,
};

pub(super) const CONNECTIONS: Judgement = Judgement {
    code: "airflow-connections",
    why: "A client without keep-alive waits for a lost leader for as long as the kernel does, and one without target_session_attrs=read-write may end on \
          a server that only reads.",
    cites: &[],
    judge: connections,
};

/// So many names are told.
const NAMED: usize = 5;

fn retries(case: &Case<'_>) -> Vec<Judged> {
    let Some(seen) = &case.cluster.airflow else {
        return vec![Judged::does_not_apply("no Airflow is configured ([clusters.NAME.airflow])")];
    };
    let source = || SourceId::new(SourceKind::Airflow, &case.cluster.scope);
    let current = seen.fresh(case.now, SourceKind::Airflow.freshness()).filter(|_| seen.error().is_none());
    let Some(status) = current else {
        let error = Evidence::error(SourceKind::Airflow, &case.cluster.scope, seen);
        return vec![Judged::not_known("Airflow's metadata cannot be read now").by(error)];
    };
    let twice: Vec<String> =
        status.work.iter().filter(|task| task.max_tries > 0).map(|task| format!("{}.{}", task.dag, task.task)).collect();
    if twice.is_empty() {
        // Retries stand in the DAG files, and in the metadata only of what was begun.
        let why = match status.work.len() {
            0 => "nothing runs now, and of what does not run the metadata does not tell the retries".to_owned(),
            n => format!("none of the {n} tasks that run or wait now has retries; of others the metadata does not tell"),
        };
        return vec![Judged::not_known(why)];
    }
    let mut names: Vec<&str> = twice.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let sentence = format!(
        "{} of {} tasks that run or wait have retries, and would run twice if the database were away when they end: {}{rest}",
        twice.len(),
        status.work.len(),
        listed(&names)
    );
    let evidence = Evidence::new(source(), "task_instance.max_tries > 0", format!("{} of {}", twice.len(), status.work.len()), seen.at());
    let judged = Judged::hurts(Severity::Warning, sentence).by([evidence]);
    vec![judged.change("the DAG's file, each task that acts on the target", "retries=0  # or a guard on the target that a second run sees")]
}

fn connections(case: &Case<'_>) -> Vec<Judged> {
    if case.cluster.airflow.is_none() {
        return vec![Judged::does_not_apply("no Airflow is configured ([clusters.NAME.airflow])")];
    }
    vec![Judged::not_known(
        "no server sees its clients' keepalives and target_session_attrs: see sql_alchemy_conn and sql_alchemy_connect_args in airflow.cfg \
         (keepalives_idle=30, keepalives_interval=5, keepalives_count=5, target_session_attrs=read-write)",
    )]
}
