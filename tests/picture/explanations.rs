//! Every code has words that help, and a test of its own.

use std::collections::{BTreeMap, BTreeSet};

use pgbaton::finding::explanations;

/// The codes that no runbook answers, each with why: their steps are all there is.
const WITHOUT_RUNBOOK: &[(&str, &str)] = &[
    ("airflow-import-errors", "one file is put right, where the DAGs are deployed from"),
    ("airflow-silent", "one program is looked at and started; the steps say which and where"),
    ("clock-skew", "one service is started on one node"),
    ("commits-hang", "it ends by itself or is a member that is down, which has one"),
    ("config-missing", "Patroni writes it anew by itself"),
    ("config-unsafe", "one setting is changed by edit-config, which has a plan of its own"),
    ("dags-differ", "a deployment, which is not pgbaton's"),
    ("dags-disk-low", "the file server's, which pgbaton does not know"),
    ("dags-hung", "the file server's, which pgbaton does not know"),
    ("dags-not-mounted", "one mount is made; the steps say what is stopped before"),
    ("dcs-value-bad", "one value is put back"),
    ("etcd-member-behind", "one member is looked at; when it is down there is etcd-member-down"),
    ("etcd-slow", "a disk or a network is looked at; nothing is done in an order"),
    ("failsafe-incomplete", "a REST API that does not answer: member-down has it"),
    ("failure-domain", "machines are to be moved, which is planned and not done at night"),
    ("idle-in-transaction", "one session is ended"),
    ("leader-disagreement", "it is the sign of others that have one: split-brain, leader-down, route-wrong"),
    ("logical-slot-unmanaged", "one setting is made"),
    ("long-transaction", "one session is ended, or waited for"),
    ("member-renamed", "nothing is to be done but to watch a slot"),
    ("oom-killed", "memory is found or limits are set; nothing is done in an order"),
    ("rabbitmq-alarm", "a disk or memory of the broker; not tried on a lab yet"),
    ("rabbitmq-no-consumers", "a worker is started"),
    ("rabbitmq-node-down", "wanted: a node of the broker that is started, and its partitions; not tried on a lab yet"),
    ("rabbitmq-partition", "wanted: which side is restarted first; not tried on a lab yet"),
    ("rabbitmq-permission", "one grant is made"),
    ("rabbitmq-unacked-differs", "Airflow's tasks are looked at; `pgbaton rescue` lists them"),
    ("rescue-window", "`pgbaton rescue` is the procedure"),
    ("restart-loop", "its log is read; then it is a disk, a setting, or a replica to be copied, which have one"),
    ("route-flapping", "a check's timeout or limit is set right"),
    ("self-loop-api-url", "one address is put right in one file"),
    ("server-out", "one server is given back, when whoever took it out says so"),
    ("sessions-on-old-leader", "the sessions are ended at the proxy, in one line"),
    ("switchover", "it is one that runs: there is nothing to do but to watch it"),
    ("sync-missing", "it is the sign of a member that is down, which has one"),
    ("sync-set-mismatch", "one setting that somebody made by hand is taken back"),
    ("target-orphan", "whether it goes on is seen on the target alone"),
    ("target-run-twice", "what it did twice is the business's to undo"),
    ("target-unreachable", "one machine is looked at, over ssh"),
    ("timeline-behind", "it is waited for; then it is diverged, which has one"),
    ("unit-failed", "one unit is looked at and started"),
    ("upstream-unexpected", "one setting is put right; a sender that is a primary is split-brain"),
    ("version-skew", "a minor upgrade, which is planned: minor-upgrade"),
    ("watchdog-off", "a device and one setting, planned with a restart"),
];

/// A finding leads to a runbook, or it is written down why to none: a new code makes its author decide.
#[test]
fn a_code_has_a_runbook_or_a_reason_why_not() {
    let without: BTreeSet<&str> = explanations().filter(|e| e.runbook.is_none()).map(|e| e.code).collect();
    let reasons: BTreeMap<&str, &str> = WITHOUT_RUNBOOK.iter().copied().collect();
    assert_eq!(reasons.len(), WITHOUT_RUNBOOK.len(), "one reason for each");
    assert!(reasons.values().all(|why| why.len() > 15));
    let unreasoned: Vec<_> = without.iter().filter(|code| !reasons.contains_key(*code)).collect();
    let stale: Vec<_> = reasons.keys().filter(|code| !without.contains(*code)).collect();
    assert!(unreasoned.is_empty() && stale.is_empty(), "without a runbook and a reason: {unreasoned:?}; with a runbook by now: {stale:?}");
}

#[test]
fn every_code_is_explained() {
    let mut codes = BTreeSet::new();
    for e in explanations() {
        assert!(codes.insert(e.code), "{} is explained twice", e.code);
        assert!(e.code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", e.code);
        for text in [e.fires, e.matters].iter().chain(e.next) {
            assert!(text.len() > 30 && text.ends_with('.'), "{}: {text:?} is no sentence", e.code);
            assert!(!text.contains("  "), "{}: {text:?} has a gap", e.code);
        }
        // It stands behind "Fires when".
        assert!(
            !e.fires.starts_with(|c: char| c.is_ascii_uppercase()) || e.fires.starts_with("PostgreSQL") || e.fires.starts_with("Patroni")
        );
        assert!(!e.next.is_empty(), "{} does not say what to do", e.code);
    }
}

/// A test that names it; whether it is a good one, its reader judges.
#[test]
fn every_code_has_a_test_of_its_own() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/picture");
    let tests: String = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let untested: Vec<&str> = explanations().map(|e| e.code).filter(|code| !tests.contains(&format!("\"{code}\""))).collect();
    assert!(untested.is_empty(), "no test names {untested:?}");
}
