//! `dags-differ`: the machines that mount the folder of Airflow's DAGs see different files in it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{DagFiles, Level, SourceId, SourceKind};

/// How long it may be so: a client of NFS believes what it knows for 60 s (`acdirmax`), and the files are counted every 20 s.
const SETTLING: Duration = Duration::from_secs(120);

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "dags-differ",
        runbook: None,
        fires: "for 2 minutes, or when it is first looked at, the names, sizes and times of the DAG files (*.py) are not the same on all \
                machines that mount the folder; only machines on which it is mounted and answers are compared.",
        matters: "The scheduler plans by one version of a DAG and the worker runs another: a task that is not there fails, and one that was \
                  changed does what nobody planned.",
        next: &[
            "See which machine has what: `dags` in pgbaton status --json tells count, newest file and its time for each.",
            "A deployment that is under way ends it by itself. If it lasts, see whether both mount the same export (findmnt -M MOUNT).",
            "Hold switchovers and runs back until they agree.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(dags) = &case.cluster.dags else { return Vec::new() };
    if dags.same(case.now) != Some(false) || !dags.differ.lasts(case.now, SETTLING) {
        return Vec::new();
    }
    let files: Vec<(&str, &DagFiles)> = dags.files(case.now).collect();
    let told = |files: &DagFiles| match &files.newest {
        Some(newest) => format!("{} files, the newest {} of {}", files.count, newest.path, newest.changed.minute()),
        None => "no file".to_owned(),
    };
    let each: Vec<String> = files.iter().map(|(host, files)| format!("{host} {}", told(files))).collect();
    let evidence = files.iter().map(|(host, files)| {
        let said = format!("{}, checksum {}", told(files), files.digest);
        Evidence::new(SourceId::new(SourceKind::Dags, *host), "DAG files", said, Some(files.at))
    });
    let sentence = format!("the machines do not see the same DAGs: {}", listed(&each));
    let finding = Finding::new("dags-differ", Level::Warning, sentence).because(evidence);
    let mounts: BTreeSet<&str> = dags.seen.values().filter_map(|seen| Some(seen.last()?.wanted.mount.as_str())).collect();
    vec![mounts.into_iter().fold(finding, |finding, mount| finding.naming([("MOUNT", mount)]))]
}
