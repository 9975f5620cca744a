//! `airflow-import-errors`: DAG files that Airflow cannot read, by name where our user may read the names.

use pgbaton::model::*;

use crate::scenario::{Scenario, airflow_at_rest};

/// What is told of so many errors, of which these files are named.
fn told(import_errors: u64, files: &[&str]) -> Option<String> {
    let mut s = Scenario::healthy();
    let import_error_files = files.iter().map(|file| (*file).to_owned()).collect();
    let status = AirflowStatus { import_errors, import_error_files, ..airflow_at_rest(s.now()) };
    s.report(SourceId::new(SourceKind::Airflow, "psg"), Fact::Airflow(Box::new(status)));
    s.finding("airflow-import-errors").map(|finding| finding.sentence.clone())
}

#[test]
fn files_that_cannot_be_imported_are_told_by_name_as_far_as_it_is_known() {
    assert_eq!(told(0, &[]), None);
    assert_eq!(told(1, &["/dags/a.py"]).as_deref(), Some("Airflow cannot import 1 DAG file: /dags/a.py"));
    assert_eq!(told(2, &["/dags/a.py", "/dags/b.py"]).as_deref(), Some("Airflow cannot import 2 DAG files: /dags/a.py and /dags/b.py"));
    assert_eq!(told(7, &["a.py", "b.py"]).as_deref(), Some("Airflow cannot import 7 DAG files: a.py, b.py and 5 more"));
    // Our user may read that there are some, and not which.
    assert_eq!(told(7, &[]).as_deref(), Some("Airflow cannot import 7 DAG files"));
}

#[test]
fn what_was_read_of_them_long_ago_is_no_finding() {
    let mut s = Scenario::healthy();
    let status = AirflowStatus { import_errors: 1, ..airflow_at_rest(s.now()) };
    s.report(SourceId::new(SourceKind::Airflow, "psg"), Fact::Airflow(Box::new(status)));
    assert!(s.finding("airflow-import-errors").is_some());
    s.pass(30);
    assert_eq!(s.finding("airflow-import-errors"), None, "nothing current is known");
}
