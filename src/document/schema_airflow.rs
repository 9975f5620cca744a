//! The types of the part on Airflow.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Asked;
pub use crate::finding::quiet::SCHEDULER_SILENT;
pub use crate::finding::{Fate, Verdict};
use crate::model::Time;

/// What Airflow does, by its metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AirflowDoc {
    /// How asking for it went.
    pub asked: Asked,
    /// Whether the database could go away for some seconds now.
    pub quiet: QuietDoc,
    /// Pools that were frozen from this machine and not thawed yet; `null`: none, as far as it knows.
    pub frozen_here: Option<FrozenPoolsDoc>,
    /// What was read last; `null`: nothing ever.
    pub metadata: Option<AirflowMetadata>,
    /// What each health endpoint says.
    pub health: Vec<AirflowHealthDoc>,
}

/// What a health endpoint of Airflow's says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AirflowHealthDoc {
    /// Its host and port.
    pub name: String,
    /// How asking it went.
    pub asked: Asked,
    /// HTTP's status of the last answer: 200, or 503 where the scheduler finds itself unhealthy; `null`: there was none.
    pub status: Option<u16>,
    /// What it told of each program; none where the status is all.
    pub programs: Vec<AirflowProgramDoc>,
}

/// What an endpoint says of one program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AirflowProgramDoc {
    /// `metadatabase`, `scheduler`, `triggerer`, `dag_processor`.
    pub name: String,
    /// `healthy`, `unhealthy`.
    pub state: String,
    /// Its last heartbeat, by the clock of its host.
    pub heartbeat: Option<Time>,
}

/// Pools that were frozen from this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FrozenPoolsDoc {
    /// When.
    pub at: Time,
    /// By whom.
    pub by: String,
    /// In which run of a runbook; `null`: in none.
    pub run: Option<String>,
    /// Why, if that was said.
    pub reason: Option<String>,
    /// The slots that each pool had.
    pub slots: BTreeMap<String, i64>,
}

/// Whether the database could go away for some seconds now without harm to what Airflow runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuietDoc {
    /// `go`, `warn`, `wait`, `unknown`, `stop`: the worst of the grounds.
    pub verdict: Verdict,
    /// What it rests on, the worst first.
    pub grounds: Vec<GroundDoc>,
}

/// One ground of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroundDoc {
    /// A stable name: `airflow-tasks`.
    pub code: String,
    /// What it alone would be.
    pub verdict: Verdict,
    /// One sentence.
    pub sentence: String,
}

/// Airflow's metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AirflowMetadata {
    /// Which Airflow the tables are of: `2` or `3`.
    pub line: u8,
    /// Revision of the tables (`alembic_version`).
    pub revision: String,
    /// Schedulers, triggerers and dag processors that were heard of within the last hour.
    pub components: Vec<AirflowComponentDoc>,
    /// How many tasks that have not ended are in which state.
    pub tasks: BTreeMap<String, u64>,
    /// Those that run, are about to, or wait for something outside; the first 200.
    pub work: Vec<AirflowTaskDoc>,
    /// The pools.
    pub pools: Vec<AirflowPoolDoc>,
    /// Whether every pool has 0 slots, so that no task begins.
    pub frozen: bool,
    /// The runs that the schedule begins next, 20 at most.
    pub next_runs: Vec<AirflowNextRunDoc>,
    /// DAG files that cannot be imported.
    pub import_errors: u64,
    /// Their paths, by name, 5 at most; none where our user may not read them.
    #[serde(default)]
    pub import_error_files: Vec<String>,
    /// When the scheduler last decided about a run that goes on.
    pub last_decision: Option<Time>,
    /// Whether `airflow db migrate` is at work.
    pub migrating: bool,
    /// Prepared transactions in Airflow's database.
    pub prepared: u64,
}

/// A program of Airflow's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AirflowComponentDoc {
    /// `SchedulerJob`, `TriggererJob`, `DagProcessorJob`.
    pub kind: String,
    /// Where it runs.
    pub host: Option<String>,
    /// Time since its last heartbeat.
    pub heartbeat_age_ms: Option<u64>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AirflowTaskDoc {
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
    /// When it began, or else when it was queued.
    pub since: Option<Time>,
    /// Time since its worker told that it runs.
    pub heartbeat_age_ms: Option<u64>,
    /// What would become of it if the database went away while it ends.
    pub if_database_goes: Fate,
}

/// A pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AirflowPoolDoc {
    /// Its name.
    pub name: String,
    /// Slots; -1 is without limit.
    pub slots: i64,
    /// Slots that are taken.
    pub taken: i64,
    /// Tasks that wait for one.
    pub waiting: i64,
    /// Whether deferred tasks take slots.
    pub include_deferred: bool,
}

/// A run that the schedule begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AirflowNextRunDoc {
    /// Its DAG.
    pub dag: String,
    /// When; in the past: it is due.
    pub at: Time,
}
