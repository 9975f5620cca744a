//! `airflow-import-errors`: Airflow cannot read DAG files.

use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{AirflowStatus, Level, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "airflow-import-errors",
        runbook: None,
        fires: "the table `import_error` of Airflow's metadata is not empty. Airflow writes a row when it has looked at a DAG file that it cannot import, and takes it \
                away when it has looked again.",
        matters: "Of a DAG whose file cannot be imported no run begins, and one that goes on gets no further task; the last version of it that was \
                  read stays in the metadata and looks as if all were well.",
        next: &[
            "See what it says: airflow dags list-import-errors, or the web server's first page.",
            "Where the file is right, see whether the machine of the scheduler or DAG processor has what it imports, and whether all machines see the same file (finding dags-differ).",
            "Put the last good version back, and wait for Airflow to look at the folder again (dag_dir_list_interval, 5 min; in Airflow 3 the refresh_interval of the bundle).",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(seen) = &case.cluster.airflow else { return Vec::new() };
    let now = seen.fresh(case.now, SourceKind::Airflow.freshness()).filter(|_| seen.error().is_none());
    let Some(status) = now.filter(|status| status.import_errors > 0) else { return Vec::new() };
    let source = SourceId::new(SourceKind::Airflow, &case.cluster.scope);
    let evidence = Evidence::new(source, "errors in import_error", status.import_errors, seen.at());
    vec![Finding::new("airflow-import-errors", Level::Warning, sentence(status)).because([evidence])]
}

/// With the files by name, as far as our user may read those.
fn sentence(status: &AirflowStatus) -> String {
    let count = status.import_errors;
    let files = if count == 1 { "1 DAG file".to_owned() } else { format!("{count} DAG files") };
    let named: Vec<&str> = status.import_error_files.iter().map(String::as_str).collect();
    let rest = usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(named.len());
    match (named.is_empty(), rest) {
        (true, _) => format!("Airflow cannot import {files}"),
        (false, 0) => format!("Airflow cannot import {files}: {}", listed(&named)),
        (false, rest) => format!("Airflow cannot import {files}: {} and {rest} more", named.join(", ")),
    }
}
