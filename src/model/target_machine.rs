//! The machine on which Airflow's tasks do their work, and what it has written down of them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::hygiene::Hygiene;
use super::{AirflowTask, Cluster, Observed, SourceError, SourceKind, Space, Time};

/// Which task of which run: all that makes two starts starts of the same work. The number of the try is not in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskKey {
    /// Its DAG.
    pub dag: String,
    /// The run.
    pub run: String,
    /// Its name in the DAG.
    pub task: String,
    /// Which of several, for a mapped task; -1 for others.
    pub map_index: i64,
}

impl TaskKey {
    /// That of a task as Airflow has it.
    pub fn of(task: &AirflowTask) -> Self {
        Self { dag: task.dag.clone(), run: task.run.clone(), task: task.task.clone(), map_index: task.map_index }
    }

    /// `charge.work[3] of manual__1`.
    pub fn told(&self) -> String {
        let of = if self.map_index < 0 { String::new() } else { format!("[{}]", self.map_index) };
        format!("{}.{}{of} of {}", self.dag, self.task, self.run)
    }
}

/// One answer of the machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetStatus {
    /// Processes that run or wait, averaged over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Processors in use.
    pub cpus: Option<u32>,
    /// The file system that is watched, or why nothing is known of it.
    pub space: Option<Result<Space, String>>,
    /// What is written down there of tasks, or why it cannot be read; `None`: nothing is configured.
    pub book: Option<Result<RunBook, String>>,
}

/// Where a machine writes down what tasks have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum BookKind {
    /// A file to which a line is added when a task starts and when it ends.
    Ledger,
    /// A folder in which each task makes a folder of its own, so that a second start finds it.
    Guard,
}

/// What is written down of tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunBook {
    /// Of which kind it is.
    pub kind: BookKind,
    /// Whether it was read from its beginning: else what is not in it may have happened before.
    pub whole: bool,
    /// Lines that are not understood.
    pub unread: u64,
    /// The tasks, the newest last; [`RunBook::MOST`] at most.
    pub jobs: Vec<Job>,
}

/// A task, as the machine has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Which.
    pub key: TaskKey,
    /// How often it was started.
    pub starts: u32,
    /// Its newest start, by the book's own times; `None`: no time is written.
    pub started: Option<Time>,
    /// Whether its newest start has ended.
    pub ended: bool,
    /// When, if a time is written.
    pub ended_at: Option<Time>,
    /// Whether it was started again after an end was written.
    pub again: bool,
    /// The number of the newest try, if that is written.
    pub try_number: Option<i64>,
}

impl RunBook {
    /// So many tasks are kept.
    pub const MOST: usize = 1000;

    /// What it has of a task.
    pub fn job(&self, key: &TaskKey) -> Option<&Job> {
        self.jobs.iter().rev().find(|job| job.key == *key)
    }
}

/// The machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// As ssh knows it.
    pub host: String,
    /// What it said.
    pub seen: Observed<TargetStatus>,
    /// Jobs without an end that Airflow had not as running before they were read: it is asked more often, and what it does not have any more may
    /// just have ended.
    orphans: BTreeSet<TaskKey>,
}

impl Target {
    /// Whether this job had no end when Airflow had no such task any more.
    pub fn outlived(&self, job: &TaskKey) -> bool {
        self.orphans.contains(job)
    }

    /// What it said, if that is current and the newest attempt did not fail.
    pub fn now(&self, now: Time) -> Option<&TargetStatus> {
        self.seen.fresh(now, SourceKind::Target.freshness()).filter(|_| self.seen.error().is_none())
    }

    /// What it has written down, if that is current.
    pub fn book(&self, now: Time) -> Option<&RunBook> {
        self.now(now)?.book.as_ref()?.as_ref().ok()
    }
}

impl Hygiene for TargetStatus {
    fn wash(&mut self) {
        let Self { load: _, cpus: _, space, book } = self;
        match space {
            Some(Ok(Space { device: _, mount, size: _, free: _, available: _, inodes: _, inodes_free: _ })) => mount.wash(),
            Some(Err(why)) => why.wash(),
            None => {}
        }
        match book {
            Some(Ok(RunBook { kind: _, whole: _, unread: _, jobs })) => jobs.wash(),
            Some(Err(why)) => why.wash(),
            None => {}
        }
    }
}

impl Hygiene for Job {
    fn wash(&mut self) {
        let Self { key, starts: _, started: _, ended: _, ended_at: _, again: _, try_number: _ } = self;
        let TaskKey { dag, run, task, map_index: _ } = key;
        [dag, run, task].into_iter().for_each(Hygiene::wash);
    }
}

/// For how long what was written down is of interest, where it has a time.
pub const TARGET_RECENT: Duration = Duration::from_secs(24 * 3600);

impl Job {
    /// Whether its newest start is not long ago; one without a time may be.
    pub fn recent(&self, now: Time) -> bool {
        self.started.or(self.ended_at).is_none_or(|at| now.since(at) <= TARGET_RECENT)
    }
}

impl Cluster {
    /// The same, with the machine in it.
    #[must_use]
    pub fn with_target(mut self, host: Option<String>) -> Self {
        self.target = host.map(|host| Target { host, ..Target::default() });
        self
    }

    /// Whether Airflow has this task as running now; `None`: what it runs is not known, or not all of it.
    pub fn runs_in_airflow(&self, key: &TaskKey, now: Time) -> Option<bool> {
        let seen = self.airflow.as_ref().filter(|seen| seen.error().is_none())?;
        let status = seen.fresh(now, SourceKind::Airflow.freshness())?;
        let runs = |task: &&AirflowTask| matches!(task.state.as_str(), "running" | "restarting");
        let found = status.work.iter().filter(runs).any(|task| TaskKey::of(task) == *key);
        // Only so many are read, those that run first.
        (found || status.work.iter().filter(runs).count() < AirflowTask::MOST).then_some(found)
    }

    /// Takes in what the machine said.
    pub(super) fn target_told(&mut self, host: &str, status: TargetStatus, at: Time, rtt: Option<Duration>) {
        let asked = at.before(rtt.unwrap_or_default());
        let airflow_first = self.airflow.as_ref().and_then(|seen| seen.at()).is_some_and(|read| read <= asked);
        let open = status.book.iter().filter_map(|book| book.as_ref().ok()).flat_map(|book| &book.jobs).filter(|job| !job.ended);
        let alone = |key: &TaskKey| {
            let known = self.target.as_ref().is_some_and(|target| target.outlived(key));
            known || airflow_first && self.runs_in_airflow(key, at) == Some(false)
        };
        let orphans: BTreeSet<TaskKey> = open.map(|job| job.key.clone()).filter(alone).collect();
        let target = self.target.get_or_insert_default();
        host.clone_into(&mut target.host);
        target.orphans = orphans;
        target.seen.record(status, at, rtt);
    }

    /// Takes in that it could not be asked.
    pub(super) fn target_failed(&mut self, host: &str, error: SourceError, at: Time) {
        let target = self.target.get_or_insert_default();
        host.clone_into(&mut target.host);
        target.seen.fail(error, at);
    }
}
