//! The types of the parts on the folder of the DAGs and on the target.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Asked;
pub use crate::model::BookKind;
use crate::model::Time;

/// The folder of Airflow's DAGs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DagsDoc {
    /// Whether all machines that tell of it see the same files; `null`: fewer than two do.
    pub same: Option<bool>,
    /// The machines, by name.
    pub hosts: Vec<DagsHostDoc>,
}

/// How a disk answers on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum DiskState {
    /// It does.
    Answers,
    /// Whoever asks it waits.
    Hung,
    /// It answers with an error.
    Fails,
    /// Nothing current is known.
    Unknown,
}

/// The folder on one machine. While the machine cannot be asked the values are its last ones, and `asked` says how old they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DagsHostDoc {
    /// The machine, as ssh knows it.
    pub name: String,
    /// How asking it went.
    pub asked: Asked,
    /// How the disk answers now.
    pub state: DiskState,
    /// Why it fails, if it does.
    pub error: Option<String>,
    /// For how long whoever asked it has waited, while it hangs.
    pub hung_seconds: Option<f64>,
    /// Whether it is mounted where the configuration wants it, and from what; `null`: not told.
    pub mounted: Option<bool>,
    /// Where the file system under the folder is mounted.
    pub mount: Option<String>,
    /// From what.
    pub mounted_from: Option<String>,
    /// Its type: `nfs4`.
    pub fstype: Option<String>,
    /// Its options: `rw,hard`.
    pub options: Option<String>,
    /// Its size.
    pub size_bytes: Option<u64>,
    /// What users other than root can still fill.
    pub available_bytes: Option<u64>,
    /// What is filled, as a share of what they could.
    pub used_share: Option<f64>,
    /// What of its inodes is free, as a share; `null`: not known, or without a limit.
    pub inodes_free_share: Option<f64>,
    /// DAG files (`*.py`) in the folder and below.
    pub files: Option<u64>,
    /// The one that was changed last, by its path in the folder.
    pub newest_file: Option<String>,
    /// When it was, by the file server's clock.
    pub newest_changed: Option<Time>,
    /// When they were counted.
    pub counted_at: Option<Time>,
}

/// The machine on which Airflow's tasks work. While it cannot be asked the values are its last ones, and `asked` says how old they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetDoc {
    /// The machine, as ssh knows it.
    pub name: String,
    /// How asking it went.
    pub asked: Asked,
    /// Processes that run or wait, averaged over a minute.
    pub load_1: Option<f64>,
    /// Processors in use.
    pub cpus: Option<u32>,
    /// Where the disk that is watched is mounted.
    pub mount: Option<String>,
    /// What users other than root can still fill of it.
    pub available_bytes: Option<u64>,
    /// What is filled, as a share of what they could.
    pub used_share: Option<f64>,
    /// Why nothing is known of it, if so.
    pub disk_error: Option<String>,
    /// What it has written down of tasks; `null`: nothing is configured, or it was never read.
    pub book: Option<BookDoc>,
    /// Why that cannot be read, if so.
    pub book_error: Option<String>,
}

/// What is written down of tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BookDoc {
    /// `ledger`, `guard`.
    pub kind: BookKind,
    /// Whether it was read from its beginning.
    pub whole: bool,
    /// Tasks in it, of the newest 1000.
    pub jobs: u64,
    /// Lines that are not understood.
    pub unread_lines: u64,
    /// Tasks of the last day that were started more than once.
    pub twice: Vec<JobDoc>,
    /// Tasks of the last day that have started and not ended.
    pub open: Vec<JobDoc>,
}

/// A task, as the target has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobDoc {
    /// Its DAG.
    pub dag: String,
    /// Its name in the DAG.
    pub task: String,
    /// The run.
    pub run: String,
    /// Which of several, for a mapped task; -1 for others.
    pub map_index: i64,
    /// How often it was started.
    pub starts: u32,
    /// Its newest start; `null`: no time is written.
    pub started: Option<Time>,
    /// When that ended; `null`: not, or no time is written.
    pub ended: Option<Time>,
    /// Whether it was started again after it had ended.
    pub again: bool,
    /// Whether Airflow knows of it as running now; `null`: not known.
    pub runs_in_airflow: Option<bool>,
}

/// An outage of Airflow's writes, and the tasks that ran then of which Airflow has told nothing since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RescueDoc {
    /// Airflow's last write before it that was seen.
    pub from: Time,
    /// When it was seen to write again; `null`: not yet.
    pub until: Option<Time>,
    /// Whether it was seen in Airflow's heartbeats or by a change of leader; else nothing could be read, and it may have written all the while.
    pub seen: bool,
    /// The tasks, those that are due first first.
    pub tasks: Vec<RescueTaskDoc>,
}

/// Whether a task's work is done, by the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum DoneState {
    /// It has ended.
    Finished,
    /// It has begun and not ended.
    Open,
    /// It has not begun.
    Untouched,
    /// Not known.
    Unknown,
}

/// A task that ran when the writes stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RescueTaskDoc {
    /// Its DAG.
    pub dag: String,
    /// Its name in the DAG.
    pub task: String,
    /// The run.
    pub run: String,
    /// Which of several, for a mapped task; -1 for others.
    pub map_index: i64,
    /// Which try it was, from 1.
    pub try_number: i64,
    /// Whether it has a try left: else it is marked failed and not run again.
    pub retries: bool,
    /// Its state in Airflow now: `running`, `queued`, `up_for_retry`; `null`: not known.
    pub state: Option<String>,
    /// Whether its work is done.
    pub done: DoneState,
    /// When it ended, or began if it has not ended, by the target.
    pub done_at: Option<Time>,
    /// Why that is not known, if so.
    pub why_unknown: Option<String>,
    /// From when on Airflow may run it again, or mark it failed; `null`: when its `retry_delay` is over, which the metadata does not tell, or not known.
    pub due: Option<Time>,
    /// How its success is written down by Airflow itself: its own command (2.10), or a request to its REST API (3, whose command has none).
    pub mark_success: Option<String>,
}
