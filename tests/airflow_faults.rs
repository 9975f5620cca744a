//! Each fault of what lives from the cluster, at a real Airflow: the console's finding, and that `heal` ends it. `PGBATON_AIRFLOW=3` takes the line 3.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
    pub mod watching;
}

use std::process::Output;

use common::lab::{TestLab, pgbaton, said};
use common::watching::Watching;
use pgbaton::document::{AirflowMetadata, DiskState, Document};
use pgbaton::lab::conf::airflow;
use pgbaton::lab::scan;

/// The lab, and a console's pictures of it, each of which is looked at.
struct Estate {
    lab: TestLab,
    watching: Watching,
}

impl Estate {
    /// `pgbaton lab` with these words.
    fn command(&self, words: &[&str]) -> Output {
        let mut command = pgbaton();
        command.args(["lab", "--name", self.lab.scope(), "--state-dir"]).arg(self.lab.dir().parent().unwrap()).args(words);
        command.output().unwrap()
    }

    /// Waits for a finding with this in it.
    fn found(&self, code: &str, with: &str) -> Document {
        self.watching.until(&format!("{code} with {with:?}"), |document| found(document, code).is_some_and(|told| told.contains(with)))
    }

    /// Undoes the fault, and waits until nothing is found any more and all of the estate is heard.
    fn healed(&self) {
        self.lab.heal();
        self.watching.until("health", |document| {
            let target = document.target.as_ref().is_some_and(|target| target.asked.fresh && target.book.is_some());
            let disk = document.dags.as_ref().is_none_or(|dags| dags.hosts.iter().all(|host| host.state == DiskState::Answers));
            document.findings.is_empty() && metadata(document).is_some() && target && disk
        });
    }
}

fn found(document: &Document, code: &str) -> Option<String> {
    document.findings.iter().find(|finding| finding.code == code).map(|finding| finding.sentence.clone())
}

fn metadata(document: &Document) -> Option<&AirflowMetadata> {
    document.airflow.as_ref()?.metadata.as_ref()
}

#[test]
fn what_is_broken_is_found_until_it_is_healed() {
    let line = std::env::var("PGBATON_AIRFLOW").unwrap_or_else(|_| "2.10".to_owned());
    let lab = TestLab::up("airflow-faults", &["--ttl", "20", "--loop-wait", "2", "--with", &format!("airflow={line}")]);
    let estate = Estate { watching: Watching::start(&lab.config(), "0.2"), lab };
    estate.healed();
    a_dag_that_cannot_be_imported_is_named(&estate);
    a_scheduler_that_is_killed_stays_away(&estate);
    a_disk_that_hangs_is_seen_on_both_machines(&estate);
    estate.lab.fault(&["stop-target"]);
    estate.found("target-unreachable", "the target vm3 cannot be asked");
    estate.healed();
}

fn a_dag_that_cannot_be_imported_is_named(estate: &Estate) {
    estate.lab.fault(&["broken-dag"]);
    let document = estate.found("airflow-import-errors", "Airflow cannot import 1 DAG file: ");
    assert!(found(&document, "airflow-import-errors").is_some_and(|told| told.ends_with("broken.py")), "{:?}", document.findings);
    let told = metadata(&document).map(|metadata| (metadata.import_errors, metadata.import_error_files.len()));
    assert_eq!(told, Some((1, 1)));
    assert!(!estate.command(&["status"]).status.success(), "a lab with a broken DAG is not healthy");
    // It is over when Airflow has looked again, which `heal` waits for.
    estate.lab.heal();
    assert!(estate.command(&["status"]).status.success());
    estate.healed();
}

/// Nothing starts it again, not even what keeps it up; `heal` does.
fn a_scheduler_that_is_killed_stays_away(estate: &Estate) {
    let is_it = |argv: &str| argv.contains("airflow scheduler");
    let schedulers = || scan::processes(estate.lab.dir()).into_iter().filter(|id| is_it(&id.argv().join(" "))).count();
    assert_ne!(schedulers(), 0);
    estate.lab.fault(&["kill-scheduler"]);
    assert_eq!(schedulers(), 0, "all of it is gone when it is said");
    // Its endpoint refuses before its heartbeat is old; then both are told.
    estate.found("airflow-silent", &format!("nobody answers at {}:{}", estate.lab.layout().ip("vm1"), airflow::HEALTH));
    estate.found("airflow-silent", "the scheduler had its last heartbeat");
    assert_eq!(schedulers(), 0);
    estate.healed();
}

fn a_disk_that_hangs_is_seen_on_both_machines(estate: &Estate) {
    if !estate.lab.layout().record.dags_mounted {
        let refused = estate.command(&["fault", "hang-nfs"]);
        assert!(!refused.status.success() && said(&refused).contains("only root may mount"), "{}", said(&refused));
        return;
    }
    estate.lab.fault(&["hang-nfs"]);
    let document = estate.found("dags-hung", "hangs on vm1 and vm4");
    assert_eq!(found(&document, "dags-not-mounted"), None, "it is mounted where it is wanted");
    let again = estate.command(&["fault", "hang-nfs"]);
    assert!(!again.status.success() && said(&again).contains("hangs already"), "{}", said(&again));
    estate.healed();
}
