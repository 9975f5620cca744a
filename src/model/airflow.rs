//! What Airflow's metadata says: who is at work, what runs, what comes next.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Time;

/// One reading of the metadata, by the clock of its server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AirflowStatus {
    /// When it was read.
    pub server_time: Time,
    /// Whether the server only takes reads: then Airflow cannot work there.
    pub in_recovery: bool,
    /// Whether the tables are those of Airflow 3.
    pub is_3: bool,
    /// The schema's revision (`alembic_version`).
    pub revision: String,
    /// Schedulers, triggerers, dag processors that were heard of within the last hour.
    pub components: Vec<AirflowComponent>,
    /// Tasks that have not ended, by state.
    pub tasks: BTreeMap<String, u64>,
    /// Those that run, are about to, or wait for something outside, in this order; [`AirflowTask::MOST`] at most.
    pub work: Vec<AirflowTask>,
    /// Those that wait for their next try; [`AirflowTask::MOST`] at most.
    #[serde(default)]
    pub retries: Vec<AirflowRetry>,
    /// The pools.
    pub pools: Vec<AirflowPool>,
    /// Runs that the schedule will begin next, the soonest first; what is past is due.
    pub next_runs: Vec<AirflowNextRun>,
    /// DAG files that cannot be read.
    pub import_errors: u64,
    /// Their paths, by name; [`AirflowStatus::MOST_FILES`] at most, and none where our user may not read them.
    #[serde(default)]
    pub import_error_files: Vec<String>,
    /// When the scheduler last decided about a run that goes on.
    pub last_decision: Option<Time>,
    /// Whether `airflow db migrate` holds its lock (advisory lock 1, `airflow/utils/db.py`).
    pub migrating: bool,
    /// Prepared transactions in this database: a switchover keeps them, and what they hold.
    pub prepared: u64,
}

impl AirflowStatus {
    /// So many paths of DAG files are read.
    pub const MOST_FILES: usize = 5;
}

/// A program of Airflow's, by its row in `job`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AirflowComponent {
    /// `SchedulerJob`, `TriggererJob`, `DagProcessorJob`.
    pub kind: String,
    /// Where it runs.
    pub host: Option<String>,
    /// `job.state`. That it says `running` means nothing: it does so for ever after a crash.
    pub state: Option<String>,
    /// Its last heartbeat.
    pub heartbeat: Option<Time>,
}

impl AirflowComponent {
    /// The kinds that a heartbeat is asked of, each with what it is called. Without a scheduler no Airflow is at work; line 2 has its dag processor
    /// within it, and not everybody has a triggerer.
    pub const PROGRAMS: [(&str, &str); 3] =
        [("SchedulerJob", "scheduler"), ("TriggererJob", "triggerer"), ("DagProcessorJob", "dag processor")];
}

/// A task that runs, or waits to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AirflowTask {
    /// Its DAG.
    pub dag: String,
    /// Its name in the DAG.
    pub task: String,
    /// The run that it belongs to.
    pub run: String,
    /// Which of several, for a mapped task; -1 for others.
    pub map_index: i64,
    /// `running`, `restarting`, `queued`, `deferred`, `up_for_reschedule`.
    pub state: String,
    /// Which try this is, from 1.
    pub try_number: i64,
    /// Tries after the first that its settings allow.
    pub max_tries: i64,
    /// Where it runs.
    pub host: Option<String>,
    /// Its pool.
    pub pool: String,
    /// When it began.
    pub started: Option<Time>,
    /// When it was queued.
    pub queued: Option<Time>,
    /// When its worker last told that it runs.
    pub heartbeat: Option<Time>,
}

impl AirflowTask {
    /// So many are read.
    pub const MOST: usize = 200;
}

/// A task whose next try waits: for its `retry_delay`, or for a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AirflowRetry {
    /// `up_for_retry`, `scheduled`.
    pub state: String,
    /// Its DAG.
    pub dag: String,
    /// Its name in the DAG.
    pub task: String,
    /// The run that it belongs to.
    pub run: String,
    /// Which of several, for a mapped task; -1 for others.
    pub map_index: i64,
}

/// A pool of slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AirflowPool {
    /// Its name.
    pub name: String,
    /// Slots; -1 is without limit, 0 lets nothing begin.
    pub slots: i64,
    /// Slots of tasks that run or are queued.
    pub taken: i64,
    /// Tasks that wait for one.
    pub waiting: i64,
    /// Whether deferred tasks take slots.
    pub include_deferred: bool,
    /// What it is for, as somebody has written it.
    pub description: Option<String>,
    /// Whose it is (3.x, `multi_team`).
    pub team: Option<String>,
    /// Whether all this was read, and is told as Airflow has it: only then can the pool be written again without changing more than its slots.
    #[serde(default)]
    pub whole: bool,
}

/// A run that the schedule will begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AirflowNextRun {
    /// Its DAG.
    pub dag: String,
    /// When.
    pub at: Time,
}
