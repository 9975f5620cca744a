//! What it means. One file for each rule; a rule is a pure function from the cluster at a moment to findings.

mod airflow_import_errors;
mod airflow_silent;
mod api_hung;
mod archive_failing;
mod certificate_expiring;
mod clock_skew;
mod commits_hang;
mod config_missing;
mod config_unsafe;
mod dags_differ;
mod dags_disk_low;
mod dags_hung;
mod dags_not_mounted;
mod dcs_value_bad;
mod disk_inodes_low;
mod disk_low;
mod diverged;
mod etcd_alarm;
mod etcd_db_near_quota;
mod etcd_member_behind;
mod etcd_slow;
mod evidence;
mod failsafe;
mod failure_domain;
pub mod forecast;
mod lag_high;
mod leader_cannot_write;
mod leader_disagreement;
mod leader_silent;
mod limits;
mod logical_slot_unmanaged;
mod long_transaction;
mod member_down;
mod member_missing;
mod member_renamed;
mod no_candidate;
mod no_leader;
mod oom_killed;
mod opening;
mod part;
mod paused;
mod pending_restart;
mod pools_frozen;
pub mod quiet;
mod quorum;
mod rabbitmq_alarm;
mod rabbitmq_no_consumers;
mod rabbitmq_node_down;
mod rabbitmq_partition;
mod rabbitmq_permission;
mod rabbitmq_unacked_differs;
mod replay_paused;
mod replica_not_streaming;
mod replication_stalled;
mod rescue_window;
mod restart_loop;
mod route;
mod route_flapping;
mod routes_differ;
mod rule;
mod self_loop_api_url;
mod server_out;
mod sessions_on_old_leader;
mod silence;
mod slot_lost;
mod slot_retains_wal;
mod source_stale;
mod split_brain;
mod steps;
mod stuck;
mod switchover;
mod sync_missing;
mod sync_set_mismatch;
mod target_orphan;
mod target_run_twice;
mod target_unreachable;
mod timeline_behind;
mod tracker;
mod unit_failed;
mod upstream_unexpected;
mod version_skew;
mod watchdog_off;

use std::fmt;

use crate::model::{Cluster, Level, Time, listed, spoken};

pub use evidence::Evidence;
pub use forecast::{Forecast, Reason};
pub use limits::{Amount, LIMITS, Limit, Limits};
use opening::Opening;
use part::Part;
pub use quiet::{Fate, Ground, Quiet, Verdict};
pub use rule::Explanation;
use rule::{Case, Rule};
pub use steps::PLACEHOLDERS;
pub use tracker::{Tracked, Tracker, UNREPEATED};

/// A rule that fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its code; stable, part of what scripts rely on.
    pub code: &'static str,
    /// How bad.
    pub severity: Level,
    /// What it is about: a member, a route, a source. With the code it identifies the finding over time.
    pub subject: Option<String>,
    /// One sentence a tired person understands.
    pub sentence: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// When the readings were taken that it compares with each other, if it does: what fires may be nothing but the time between them, so it
    /// is raised when the older ones have been taken anew.
    pub compares: Vec<Time>,
    /// What stands in its steps in the place of words in capitals ([`PLACEHOLDERS`]).
    names: Vec<steps::Names>,
}

impl Finding {
    /// A finding about the cluster as a whole.
    fn new(code: &'static str, severity: Level, sentence: String) -> Self {
        Self { code, severity, subject: None, sentence, evidence: Vec::new(), compares: Vec::new(), names: Vec::new() }
    }

    fn about(mut self, subject: impl fmt::Display) -> Self {
        self.subject = Some(subject.to_string());
        self
    }

    fn because(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// Says that it compares what was read, or pushed, at these moments.
    fn comparing(mut self, moments: impl IntoIterator<Item = Option<Time>>) -> Self {
        self.compares.extend(moments.into_iter().flatten());
        self
    }
}

/// The rules. One line each, in the order in which they help: first what is wrong, then why, then what follows from it.
const RULES: &[Rule] = &[
    split_brain::RULE,
    switchover::RULE,
    no_leader::RULE,
    leader_silent::RULE,
    quorum::RULE,
    leader_cannot_write::RULE,
    etcd_alarm::RULE,
    leader_disagreement::RULE,
    no_candidate::RULE,
    member_missing::RULE,
    member_renamed::RULE,
    member_down::RULE,
    api_hung::RULE,
    stuck::RULE,
    route::RULE,
    server_out::RULE,
    sessions_on_old_leader::RULE,
    routes_differ::RULE,
    replica_not_streaming::RULE,
    replication_stalled::RULE,
    upstream_unexpected::RULE,
    diverged::RULE,
    timeline_behind::RULE,
    sync_missing::RULE,
    commits_hang::RULE,
    sync_set_mismatch::RULE,
    replay_paused::RULE,
    lag_high::RULE,
    archive_failing::RULE,
    slot_lost::RULE,
    slot_retains_wal::RULE,
    disk_low::RULE,
    disk_inodes_low::RULE,
    oom_killed::RULE,
    unit_failed::RULE,
    logical_slot_unmanaged::RULE,
    long_transaction::RULE,
    failsafe::RULE,
    paused::RULE,
    // What was, and is remembered: what is stands before it.
    restart_loop::RULE,
    route_flapping::RULE,
    pending_restart::RULE,
    pools_frozen::RULE,
    airflow_silent::RULE,
    airflow_import_errors::RULE,
    rabbitmq_alarm::RULE,
    rabbitmq_partition::RULE,
    rabbitmq_node_down::RULE,
    rabbitmq_no_consumers::RULE,
    rabbitmq_unacked_differs::RULE,
    rabbitmq_permission::RULE,
    rescue_window::RULE,
    target_run_twice::RULE,
    target_orphan::RULE,
    target_unreachable::RULE,
    dags_hung::RULE,
    dags_not_mounted::RULE,
    dags_differ::RULE,
    dags_disk_low::RULE,
    self_loop_api_url::RULE,
    config_missing::RULE,
    config_unsafe::RULE,
    etcd_member_behind::RULE,
    etcd_slow::RULE,
    etcd_db_near_quota::RULE,
    certificate_expiring::RULE,
    clock_skew::RULE,
    watchdog_off::RULE,
    version_skew::RULE,
    failure_domain::RULE,
    dcs_value_bad::RULE,
    source_stale::RULE,
];

/// Every finding at `now`, worst first, in the rules' order within a severity. Nothing is found before etcd was heard of once.
pub fn findings(cluster: &Cluster, limits: &Limits, forecast: &Forecast, now: Time) -> Vec<Finding> {
    let case = Case { cluster, now, limits, forecast };
    let mut found: Vec<Finding> = RULES.iter().flat_map(|rule| (rule.check)(&case)).collect();
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}

/// What stands behind every code, in the rules' order.
pub fn explanations() -> impl Iterator<Item = &'static Explanation> {
    RULES.iter().flat_map(|rule| rule.codes)
}

/// What stands behind a code.
pub fn explanation(code: &str) -> Option<&'static Explanation> {
    explanations().find(|e| e.code == code)
}

/// How long the parties may disagree after a change of leader without a fault: HAProxy needs two or three checks (measured: 3 to 6 s).
const SETTLING: std::time::Duration = std::time::Duration::from_secs(12);

/// Whether the leader key changed hands so lately that routes and roles may still be following.
fn settling(cluster: &Cluster, now: Time) -> bool {
    cluster.leader_since.is_some_and(|at| now.since(at) < SETTLING)
}
