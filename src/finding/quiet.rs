//! Whether the database could go away for some seconds now without harm to what Airflow runs.
//!
//! Measured with Airflow 2.10 and 3.3: a task that ends while the database is away cannot say so. Airflow later takes it for dead, and runs it
//! again if it has tries left; else it is marked failed though it has finished. With the pools at 0 and nothing running nothing happens.

#[path = "quiet_rabbitmq.rs"]
mod rabbitmq;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Limits;
use crate::model::{AirflowStatus, AirflowTask, Cluster, SourceError, SourceKind, Time, counted, spoken};

/// A scheduler without a heartbeat for so long is not at work (it beats every 5 s; three are missing).
pub const SCHEDULER_SILENT: Duration = Duration::from_secs(15);
/// A task without a heartbeat for so long may be dead.
const TASK_SILENT: Duration = Duration::from_secs(60);
/// A run that was due so long ago is held up by something, and may begin at any time or never.
const OVERDUE: Duration = Duration::from_secs(60);

/// Whether now is the moment; what is worse is greater.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Verdict {
    /// Nothing speaks against it.
    Go,
    /// It can be done, and somebody should know this.
    Warn,
    /// Not now; what stands in the way passes by itself, or by freezing the pools.
    Wait,
    /// It is not known.
    Unknown,
    /// It must not be done until something else is.
    Stop,
}

/// What speaks against it, or would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// A stable name: `airflow-tasks`.
    pub code: &'static str,
    /// How much.
    pub verdict: Verdict,
    /// One sentence without a full stop.
    pub sentence: String,
}

/// What would become of a task if the database went away while it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, strum::Display)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It has tries left.
    #[strum(serialize = "would run twice")]
    RunsTwice,
    /// It has none.
    #[strum(serialize = "would be marked failed though finished")]
    FailsFinished,
    /// It has not begun: its message may be lost, and it stays queued until `task_queued_timeout`.
    #[strum(serialize = "may be stuck in the queue")]
    StuckQueued,
    /// It waits outside of any worker.
    #[strum(serialize = "safe: it waits outside of a worker")]
    Safe,
}

impl Fate {
    /// Of this task.
    pub fn of(task: &AirflowTask) -> Self {
        match task.state.as_str() {
            "queued" => Fate::StuckQueued,
            "deferred" | "up_for_reschedule" => Fate::Safe,
            // `TaskInstance.is_eligible_to_retry`: a task of which this is the last try is not run again.
            _ if task.max_tries > 0 && task.try_number <= task.max_tries => Fate::RunsTwice,
            _ => Fate::FailsFinished,
        }
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// The worst of the grounds.
    pub verdict: Verdict,
    /// Each, the worst first.
    pub grounds: Vec<Ground>,
}

impl Quiet {
    /// What Airflow, and the RabbitMQ that carries its tasks, say to it at `now`; `None`: neither is configured.
    pub fn of(cluster: &Cluster, limits: &Limits, now: Time) -> Option<Self> {
        if cluster.airflow.is_none() && cluster.rabbitmq.is_none() {
            return None;
        }
        let mut grounds = cluster.airflow.as_ref().map_or_else(Vec::new, |seen| {
            match seen.fresh(now, SourceKind::Airflow.freshness()).filter(|_| seen.error().is_none()) {
                Some(status) => grounds(status, limits, status.server_time.plus(seen.age(now).unwrap_or_default())),
                None => vec![Ground {
                    code: "airflow-unknown",
                    verdict: Verdict::Unknown,
                    sentence: match seen.error() {
                        Some(error) => format!("what Airflow does is not known: {}", SourceError::told(error)),
                        None => "what Airflow does is not known: its metadata is read on the leader, and was not heard lately".to_owned(),
                    },
                }],
            }
        });
        grounds.extend(rabbitmq::grounds(cluster, now));
        grounds.sort_by_key(|ground| std::cmp::Reverse(ground.verdict));
        let verdict = grounds.iter().map(|ground| ground.verdict).max().unwrap_or(Verdict::Go);
        Some(Self { verdict, grounds })
    }
}

/// Whether no pool lets a task begin.
pub fn frozen(status: &AirflowStatus) -> bool {
    !status.pools.is_empty() && status.pools.iter().all(|pool| pool.slots == 0)
}

/// `now` by the clock of the server.
fn grounds(status: &AirflowStatus, limits: &Limits, now: Time) -> Vec<Ground> {
    let mut all = Vec::new();
    let mut say = |code, verdict, sentence: String| all.push(Ground { code, verdict, sentence });
    if status.in_recovery {
        say("airflow-database", Verdict::Stop, "the server that has Airflow's metadata takes no writes".to_owned());
    }
    if status.migrating {
        let sentence = "`airflow db migrate` is at work (advisory lock 1): it must not be cut off";
        say("airflow-migration", Verdict::Stop, sentence.to_owned());
    }
    if status.prepared > 0 {
        let sentence = format!(
            "{} prepared in Airflow's database: locks that a switchover keeps",
            counted(status.prepared, "transaction is", "transactions are")
        );
        say("airflow-prepared", Verdict::Stop, sentence);
    }
    tasks(status, &mut say);
    next_run(status, limits, now, &mut say);
    at_work(status, now, &mut say);
    all
}

fn tasks(status: &AirflowStatus, say: &mut impl FnMut(&'static str, Verdict, String)) {
    let of = |state: &str| status.tasks.get(state).copied().unwrap_or(0);
    let busy: Vec<&AirflowTask> = status.work.iter().filter(|task| Fate::of(task) != Fate::Safe).collect();
    let running = of("running") + of("restarting") + of("queued");
    if running == 0 {
        say("airflow-tasks", Verdict::Go, "no task runs or is queued".to_owned());
    } else {
        let fates = [Fate::RunsTwice, Fate::FailsFinished, Fate::StuckQueued].into_iter().filter_map(|fate| {
            let n = busy.iter().filter(|task| Fate::of(task) == fate).count();
            (n > 0).then(|| format!("{n} {fate}"))
        });
        // More than are read one by one.
        let rest = running.saturating_sub(busy.len() as u64);
        let fates: Vec<String> = fates.chain((rest > 0).then(|| format!("{rest} not looked at"))).collect();
        let told = counted(running, "task runs or is queued", "tasks run or are queued");
        say("airflow-tasks", Verdict::Wait, format!("{told}: {}", fates.join(", ")));
    }
    let waiting = of("scheduled") + of("up_for_retry");
    match (waiting, frozen(status)) {
        (0, false) => {}
        (n, false) => {
            let told = counted(n, "task waits for its turn or its retry", "tasks wait for their turn or their retry");
            say("airflow-waiting", Verdict::Wait, format!("{told}, and the pools are open"));
        }
        (n, true) => {
            let told = if n == 0 { String::new() } else { format!("; {}", counted(n, "task waits", "tasks wait")) };
            say("airflow-pools", Verdict::Go, format!("every pool has 0 slots, so that no task begins{told}"));
        }
    }
    let outside = of("deferred") + of("up_for_reschedule");
    if outside > 0 {
        let told = counted(outside, "task waits", "tasks wait");
        say("airflow-deferred", Verdict::Warn, format!("{told} outside of a worker: safe, but triggerers end when the database goes away"));
    }
}

fn next_run(status: &AirflowStatus, limits: &Limits, now: Time, say: &mut impl FnMut(&'static str, Verdict, String)) {
    const CODE: &str = "airflow-next-run";
    let window = limits.quiet_window;
    let overdue = |at: Time| at < now && now.since(at) > OVERDUE;
    let late = status.next_runs.iter().filter(|run| overdue(run.at)).count();
    let next = status.next_runs.iter().find(|run| !overdue(run.at));
    match next {
        Some(next) if next.at < now.plus(window) => {
            let when = if next.at <= now { "now".to_owned() } else { format!("in {}", spoken(next.at.since(now))) };
            let sentence = format!("the next run begins {when} ({}); a switchover wants {} without one", next.dag, spoken(window));
            // Nothing of it runs while the pools are closed.
            say(CODE, if frozen(status) { Verdict::Go } else { Verdict::Wait }, sentence);
        }
        Some(next) => say(CODE, Verdict::Go, format!("the next run begins in {} ({})", spoken(next.at.since(now)), next.dag)),
        None => say(CODE, Verdict::Go, "no run is scheduled; assets and people can begin one all the same".to_owned()),
    }
    if late > 0 && !frozen(status) {
        let told = counted(late as u64, "scheduled run is", "scheduled runs are");
        say("airflow-overdue", Verdict::Warn, format!("{told} overdue by more than {} and may begin at any time", spoken(OVERDUE)));
    }
}

fn at_work(status: &AirflowStatus, now: Time, say: &mut impl FnMut(&'static str, Verdict, String)) {
    let newest = |kind: &str| status.components.iter().filter(|one| one.kind == kind).filter_map(|one| one.heartbeat).max();
    match newest("SchedulerJob") {
        Some(at) if now.since(at) <= SCHEDULER_SILENT => {
            say("airflow-scheduler", Verdict::Go, format!("the scheduler had a heartbeat {} ago", spoken(now.since(at))));
        }
        Some(at) => {
            let sentence = format!("the scheduler had its last heartbeat {} ago: it is not at work", spoken(now.since(at)));
            say("airflow-scheduler", Verdict::Warn, sentence);
        }
        None => say("airflow-scheduler", Verdict::Warn, "no scheduler was heard of within the last hour".to_owned()),
    }
    let runs = |task: &&AirflowTask| task.state == "running";
    let silent = status.work.iter().filter(runs).filter(|task| task.heartbeat.is_some_and(|at| now.since(at) > TASK_SILENT)).count();
    if silent > 0 {
        let told = counted(silent as u64, "running task has", "running tasks have");
        say(
            "airflow-silent-tasks",
            Verdict::Warn,
            format!("{told} had no heartbeat for more than {}: it may be dead", spoken(TASK_SILENT)),
        );
    }
    if status.import_errors > 0 {
        let told = counted(status.import_errors, "DAG file", "DAG files");
        say("airflow-imports", Verdict::Warn, format!("{told} cannot be imported"));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{AirflowComponent, AirflowNextRun, AirflowPool, ErrorKind, Fact, Observation, Outcome, SourceId};

    const NOW: Time = Time::from_micros(1_000_000_000_000);

    fn seconds(ago: i64) -> Time {
        Time::from_micros(NOW.as_micros() - ago * 1_000_000)
    }

    /// A scheduler at work, an open pool, nothing to do.
    fn idle() -> AirflowStatus {
        let scheduler = AirflowComponent { kind: "SchedulerJob".into(), host: None, state: None, heartbeat: Some(seconds(2)) };
        AirflowStatus {
            server_time: NOW,
            in_recovery: false,
            is_3: false,
            revision: "5f2621c13b39".into(),
            components: vec![scheduler],
            tasks: BTreeMap::new(),
            work: Vec::new(),
            retries: Vec::new(),
            pools: vec![AirflowPool {
                name: "default_pool".into(),
                slots: 128,
                taken: 0,
                waiting: 0,
                include_deferred: false,
                description: None,
                team: None,
                whole: true,
            }],
            next_runs: Vec::new(),
            import_errors: 0,
            import_error_files: Vec::new(),
            last_decision: None,
            migrating: false,
            prepared: 0,
        }
    }

    fn task(state: &str, try_number: i64, max_tries: i64) -> AirflowTask {
        AirflowTask {
            dag: "charge".into(),
            task: "work".into(),
            run: "manual".into(),
            map_index: -1,
            state: state.into(),
            try_number,
            max_tries,
            host: None,
            pool: "default_pool".into(),
            started: None,
            queued: None,
            heartbeat: Some(seconds(3)),
        }
    }

    fn told(outcome: Outcome, now: Time) -> Quiet {
        let mut cluster = Cluster::new("card", "/service/", BTreeMap::new()).with_airflow(true);
        let source = SourceId::new(SourceKind::Airflow, "card");
        cluster.apply(Observation { source, at: NOW, rtt: None, outcome });
        Quiet::of(&cluster, &Limits::default(), now).expect("it is configured")
    }

    /// The verdict and its first ground, of what is changed.
    fn of(change: impl FnOnce(&mut AirflowStatus)) -> (Verdict, String) {
        let mut status = idle();
        change(&mut status);
        let quiet = told(Outcome::Heard(Box::new(Fact::Airflow(Box::new(status)))), NOW);
        let first = &quiet.grounds[0];
        (quiet.verdict, format!("{}: {}", first.code, first.sentence))
    }

    #[test]
    fn each_ground_has_its_weight() {
        assert_eq!(of(|_| {}), (Verdict::Go, "airflow-tasks: no task runs or is queued".into()));
        let runs = |run: AirflowTask| of(|s| (s.tasks, s.work) = (BTreeMap::from([(run.state.clone(), 1)]), vec![run.clone()]));
        assert_eq!(runs(task("running", 3, 2)).1, "airflow-tasks: 1 task runs or is queued: 1 would be marked failed though finished");
        assert_eq!(runs(task("running", 2, 2)), (Verdict::Wait, "airflow-tasks: 1 task runs or is queued: 1 would run twice".into()));
        assert_eq!(runs(task("queued", 1, 2)).1, "airflow-tasks: 1 task runs or is queued: 1 may be stuck in the queue");
        assert_eq!(runs(task("deferred", 1, 2)).0, Verdict::Warn);
        let many = of(|s| s.tasks = BTreeMap::from([("running".to_owned(), 300)]));
        assert_eq!(many.1, "airflow-tasks: 300 tasks run or are queued: 300 not looked at");
        let next = |at: i64, slots: i64| {
            of(|s| {
                s.next_runs = vec![AirflowNextRun { dag: "nightly".into(), at: seconds(-at) }];
                s.pools[0].slots = slots;
            })
        };
        assert_eq!(
            next(119, 128),
            (Verdict::Wait, "airflow-next-run: the next run begins in 1 min (nightly); a switchover wants 2 min without one".into())
        );
        assert_eq!(next(121, 128).0, Verdict::Go);
        assert_eq!(next(119, 0).0, Verdict::Go, "nothing of it runs while the pools are closed");
        assert_eq!(next(-30, 128).0, Verdict::Wait, "it is due");
        assert_eq!(next(-90, 128).0, Verdict::Warn, "something holds it up");
        let waits = |slots: i64| {
            of(|s| {
                s.tasks = BTreeMap::from([("scheduled".to_owned(), 1), ("up_for_retry".to_owned(), 1)]);
                s.pools[0].slots = slots;
            })
        };
        assert_eq!(waits(1), (Verdict::Wait, "airflow-waiting: 2 tasks wait for their turn or their retry, and the pools are open".into()));
        assert_eq!(waits(0).0, Verdict::Go);
        assert_eq!(of(|s| s.migrating = true).0, Verdict::Stop);
        assert_eq!(of(|s| s.in_recovery = true).0, Verdict::Stop);
        assert_eq!(of(|s| s.prepared = 1).0, Verdict::Stop);
        assert_eq!(of(|s| s.components[0].heartbeat = Some(seconds(16))).0, Verdict::Warn);
        assert_eq!(of(|s| s.components.clear()).0, Verdict::Warn);
        assert_eq!(of(|s| s.import_errors = 1).0, Verdict::Warn);
    }

    #[test]
    fn what_is_old_or_was_not_read_is_not_known() {
        let failed = told(Outcome::Failed(SourceError::new(ErrorKind::Denied, "no")), NOW);
        assert_eq!((failed.verdict, failed.grounds.len()), (Verdict::Unknown, 1));
        let read = || Outcome::Heard(Box::new(Fact::Airflow(Box::new(idle()))));
        assert_eq!(told(read(), NOW.plus(Duration::from_secs(7))).verdict, Verdict::Go);
        assert_eq!(told(read(), NOW.plus(Duration::from_secs(8))).verdict, Verdict::Unknown);
        let never = Cluster::new("card", "/service/", BTreeMap::new()).with_airflow(true);
        assert_eq!(Quiet::of(&never, &Limits::default(), NOW).expect("it is configured").verdict, Verdict::Unknown);
        assert_eq!(Quiet::of(&never.with_airflow(false), &Limits::default(), NOW), None);
    }
}
