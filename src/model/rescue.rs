//! What Airflow ran when its database went away: a task that ends then cannot say so, is taken for dead later, and runs again.
//!
//! What it ran is known from what was read before. Whether it can write is known from its own heartbeats in its metadata, which come every 5 s from
//! each of its programs and tasks: they stop whatever it is that keeps it from its database.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::hygiene::Hygiene;
use super::{AirflowRetry, AirflowStatus, AirflowTask, Cluster, Job, SourceKind, TaskKey, Time};

/// Without any heartbeat for so long Airflow does not write: two of each are missing.
const SILENT: Duration = Duration::from_secs(12);
/// So long nothing could be read until that counts as an outage too.
const UNREAD: Duration = Duration::from_secs(5);
/// How old a reading may be to tell what ran when the writes stopped.
const RECENT: Duration = Duration::from_secs(60);
/// A task with a heartbeat so long after the outage lives on.
const LIVES: Duration = Duration::from_secs(60);
/// So many tasks are remembered.
const MOST: usize = 400;
/// How long Airflow lets a task be without a heartbeat until it takes it for dead, as it comes: `scheduler_zombie_task_threshold` of 2.10,
/// `task_instance_heartbeat_timeout` of 3.
pub const TASK_TIMEOUT: Duration = Duration::from_secs(300);

/// What is remembered, in memory and on the disk of this machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RescueMemory {
    /// What ran at the newest reading at which Airflow could write.
    pub before: Option<Running>,
    /// The newest outage of its writes.
    pub outage: Option<Outage>,
    /// Whether its tables are those of Airflow 3; `None`: never read.
    pub is_3: Option<bool>,
}

/// What ran at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// When it was read.
    pub at: Time,
    /// Airflow's newest heartbeat then, by our clock.
    pub wrote: Time,
    /// Who led.
    pub leader: Option<String>,
    /// The tasks.
    pub tasks: Vec<AirflowTask>,
}

/// An outage of Airflow's writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// The last write that was seen before it, by our clock.
    pub from: Time,
    /// When writes were seen again; `None`: not yet.
    pub until: Option<Time>,
    /// Whether it was seen in Airflow's own heartbeats or by a change of leader; else nothing could be read, and it may have written all the while.
    pub seen: bool,
    /// The tasks that ran, as they were then, without those of which Airflow has told since how they went on.
    pub tasks: Vec<AirflowTask>,
}

impl RescueMemory {
    /// Takes in what was read at `at`.
    fn read(&mut self, status: &AirflowStatus, leader: Option<&str>, at: Time) {
        self.is_3 = Some(status.is_3);
        let Some(wrote) = wrote(status, at) else { return };
        let running: Vec<AirflowTask> = status.work.iter().filter(|task| runs(task)).cloned().collect();
        if status.in_recovery || at.since(wrote) > SILENT {
            // Nothing has changed in the metadata since it stopped.
            self.stopped(wrote, true, running);
            return;
        }
        let changed = self.before.as_ref().is_some_and(|b| b.leader.is_some() && leader.is_some() && b.leader.as_deref() != leader);
        if let Some(before) = self.before.take_if(|_| changed)
            && at.since(before.at) <= RECENT
        {
            self.before = Some(before.clone());
            self.stopped(before.wrote, true, Vec::new());
        }
        if let Some(outage) = &mut self.outage {
            let until = *outage.until.get_or_insert(at);
            outage.tasks.retain(|task| at_risk(task, status, until, at));
        }
        self.before = Some(Running { at, wrote, leader: leader.map(str::to_owned), tasks: running });
    }

    /// Takes in that nothing could be read since a moment.
    fn unread(&mut self, since: Time, at: Time) {
        let Some(before) = &self.before else { return };
        if at.since(since) >= UNREAD && since.since(before.at) <= RECENT {
            self.stopped(before.wrote, false, Vec::new());
        }
    }

    fn stopped(&mut self, from: Time, seen: bool, more: Vec<AirflowTask>) {
        let recent = self.before.as_ref().filter(|before| from.since(before.at) <= RECENT && before.at.since(from) <= RECENT);
        let mut tasks = recent.map(|before| before.tasks.clone()).unwrap_or_default();
        // What an outage before this one has left is at risk still.
        tasks.extend(self.outage.iter().flat_map(|outage| outage.tasks.clone()));
        tasks.extend(more);
        let mut known: Vec<AirflowTask> = Vec::new();
        for task in tasks {
            if known.len() < MOST && !known.iter().any(|other| TaskKey::of(other) == TaskKey::of(&task)) {
                known.push(task);
            }
        }
        match &mut self.outage {
            Some(outage) if outage.until.is_none() => {
                outage.seen |= seen;
                outage.tasks = known;
            }
            _ => self.outage = Some(Outage { from, until: None, seen, tasks: known }),
        }
    }

    /// Whether this tells of a later moment than another.
    pub fn newer_than(&self, other: &Self) -> bool {
        self.moment() > other.moment()
    }

    fn moment(&self) -> Option<Time> {
        let outage = self.outage.as_ref().map(|outage| outage.until.unwrap_or(outage.from));
        self.before.as_ref().map(|before| before.at).max(outage)
    }
}

/// Airflow's newest heartbeat, by our clock.
fn wrote(status: &AirflowStatus, at: Time) -> Option<Time> {
    let beats = status.components.iter().filter_map(|one| one.heartbeat).chain(status.work.iter().filter_map(|task| task.heartbeat));
    beats.max().map(|beat| at.before(status.server_time.since(beat)))
}

fn runs(task: &AirflowTask) -> bool {
    matches!(task.state.as_str(), "running" | "restarting")
}

/// Whether Airflow may still take a task for dead that ran when the writes stopped: it has told nothing of it since they are back.
fn at_risk(task: &AirflowTask, status: &AirflowStatus, until: Time, at: Time) -> bool {
    let key = TaskKey::of(task);
    let waits = status.retries.iter().any(|retry| retry.key() == key);
    // Only so many are read: one that is not among them may be one of the rest.
    let unread = status.work.len() >= AirflowTask::MOST || status.retries.len() >= AirflowTask::MOST;
    match status.work.iter().find(|now| TaskKey::of(now) == key) {
        Some(now) if now.try_number > task.try_number && runs(now) => false,
        // Who watches over a task may beat on for a while after the task itself has failed to say that it has ended.
        Some(now) if runs(now) => now.heartbeat.is_none_or(|beat| at.before(status.server_time.since(beat)) < until.plus(LIVES)),
        Some(now) => now.state == "queued",
        None => waits || unread,
    }
}

/// An outage and what is at risk by it, at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescue {
    /// The outage.
    pub outage: Outage,
    /// Whether the tables are those of Airflow 3; `None`: never read.
    pub is_3: Option<bool>,
    /// The tasks, those that are due first first.
    pub items: Vec<RescueItem>,
}

/// A task that ran when the writes stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct RescueItem {
    /// As it was.
    pub task: AirflowTask,
    /// Its state in Airflow now; `None`: it cannot be read.
    pub state: Option<String>,
    /// What the target says of it.
    pub done: Done,
    /// From when on Airflow may run it again, or mark it failed where it has no try left, by our clock; `None`: not known.
    pub due: Option<Time>,
    /// Whether it has a try left.
    pub retries: bool,
}

/// Whether a task's work is done, by the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It has ended, then if that is written.
    Finished(Option<Time>),
    /// It has begun and not ended.
    Open(Option<Time>),
    /// It has not begun.
    Untouched,
    /// Not known, and why.
    Unknown(String),
}

impl Cluster {
    /// What the newest outage of Airflow's writes has put at risk; `None`: none is known.
    pub fn rescue(&self, timeout: Duration, now: Time) -> Option<Rescue> {
        let outage = self.rescue_memory.outage.clone()?;
        let seen = self.airflow.as_ref();
        let status = seen.filter(|seen| seen.error().is_none()).and_then(|seen| Some((seen.fresh(now, FRESH)?, seen.at()?)));
        let item = |task: &AirflowTask| {
            let (key, current) = (TaskKey::of(task), status.and_then(|(status, _)| find(status, task)));
            let retry = status.and_then(|(status, _)| status.retries.iter().find(|retry| retry.key() == key));
            let (heartbeat, read) = match (current, status) {
                (Some(current), Some((status, at))) => (current.heartbeat, Some((status.server_time, at))),
                _ => (task.heartbeat, None),
            };
            // Without a reading the heartbeat that is remembered is the newest there is: nobody could write a later one.
            let beat = heartbeat.map(|beat| read.map_or(beat, |(server, at)| at.before(server.since(beat))));
            let due = match (current.map(|task| task.state.as_str()), retry) {
                (Some("queued"), _) => Some(now),
                (_, Some(retry)) if retry.state == "scheduled" => Some(now),
                // Its retry_delay is not in the metadata.
                (_, Some(_)) => None,
                _ => beat.map(|beat| beat.plus(timeout)),
            };
            RescueItem {
                state: current.map(|task| task.state.clone()).or_else(|| retry.map(|retry| retry.state.clone())),
                done: self.done(task, now),
                due,
                retries: task.max_tries > 0 && task.try_number <= task.max_tries,
                task: task.clone(),
            }
        };
        let mut items: Vec<RescueItem> = outage.tasks.iter().map(item).collect();
        items.sort_by_key(|item| item.due);
        Some(Rescue { is_3: self.rescue_memory.is_3, outage, items })
    }

    fn done(&self, task: &AirflowTask, now: Time) -> Done {
        let Some(target) = &self.target else { return Done::Unknown("no target is configured".to_owned()) };
        let Some(status) = target.now(now) else { return Done::Unknown(format!("the target {} cannot be asked", target.host)) };
        let book = match &status.book {
            None => return Done::Unknown(format!("no ledger of the target {} is configured", target.host)),
            Some(Err(why)) => return Done::Unknown(why.clone()),
            Some(Ok(book)) => book,
        };
        let key = TaskKey::of(task);
        let mapped = || key.map_index >= 0 && book.job(&TaskKey { map_index: -1, ..key.clone() }).is_some();
        match book.job(&key) {
            Some(Job { try_number: Some(number), .. }) if *number < task.try_number => {
                Done::Unknown(format!("what is written down there is of try {number}, and try {} ran", task.try_number))
            }
            Some(Job { ended: true, ended_at, .. }) => Done::Finished(*ended_at),
            Some(job) => Done::Open(job.started),
            // What is taken for not begun is let run: nothing that is written there may be of it.
            None if mapped() => Done::Unknown("what is written down there does not tell which of the mapped tasks it was".to_owned()),
            None if book.unread > 0 => {
                let lines = if book.unread == 1 { "1 line is".to_owned() } else { format!("{} lines are", book.unread) };
                Done::Unknown(format!("it is not in what was understood there, and {lines} not understood"))
            }
            None if book.whole => Done::Untouched,
            None => Done::Unknown("it is not in what was read there, which does not go back to the beginning".to_owned()),
        }
    }

    /// Takes in what this machine remembers.
    pub(super) fn rescue_remembered(&mut self, memory: RescueMemory) {
        if memory.newer_than(&self.rescue_memory) {
            self.rescue_memory = memory;
        }
    }

    /// Follows Airflow's writes after each observation of its metadata.
    pub(super) fn follow_rescue(&mut self, at: Time) {
        let leader = self.holder().map(str::to_owned);
        let Some(seen) = &self.airflow else { return };
        match (seen.error(), seen.failing_since(), seen.last()) {
            (Some(error), Some(since), _) if error.kind.is_absence() => self.rescue_memory.unread(since, at),
            (None, _, Some(status)) if seen.at() == Some(at) => self.rescue_memory.read(status, leader.as_deref(), at),
            _ => {}
        }
    }
}

/// How old a reading may be to be called current.
const FRESH: Duration = SourceKind::Airflow.freshness();

fn find<'s>(status: &'s AirflowStatus, task: &AirflowTask) -> Option<&'s AirflowTask> {
    status.work.iter().find(|now| TaskKey::of(now) == TaskKey::of(task))
}

impl AirflowRetry {
    /// Which task.
    pub fn key(&self) -> TaskKey {
        TaskKey { dag: self.dag.clone(), run: self.run.clone(), task: self.task.clone(), map_index: self.map_index }
    }
}

impl Hygiene for RescueMemory {
    fn wash(&mut self) {
        let Self { before, outage, is_3: _ } = self;
        if let Some(Running { at: _, wrote: _, leader, tasks }) = before {
            leader.wash();
            tasks.wash();
        }
        if let Some(Outage { from: _, until: _, seen: _, tasks }) = outage {
            tasks.wash();
        }
    }
}
