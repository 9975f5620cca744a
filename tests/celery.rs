//! A real Airflow whose tasks go over a real RabbitMQ to a Celery worker: the worker reaches the metadata by vm4, the scheduler by vm1, and what
//! pgbaton says of them is what RabbitMQ, HAProxy and PostgreSQL say themselves. `PGBATON_AIRFLOW=3` takes the line 3.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
    pub mod watching;
}
#[allow(dead_code, reason = "each test file uses its part of it")]
#[path = "proof_runbooks/operator.rs"]
mod operator;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Output;
use std::time::Duration;

use common::lab::{TestLab, pgbaton, said, until};
use common::watching::Watching;
use operator::Operator;
use pgbaton::document::{AirflowMetadata, Document, RabbitmqQueueDoc};
use pgbaton::lab::conf::{airflow, rabbitmq as conf_rabbitmq};
use pgbaton::lab::layout::{PROXIES, RABBITS};
use pgbaton::lab::{rabbitmq, scan};
use serde_json::Value;

/// Longer than anything that works takes.
const PATIENCE: Duration = Duration::from_secs(180);

/// The lab, who works there, and a console's pictures of it.
struct Estate<'l> {
    lab: &'l TestLab,
    operator: Operator<'l>,
    watching: Watching,
    /// `2.10` or `3`.
    line: String,
}

/// What a queue holds and who takes from it: ready, unacknowledged, consumers.
type Counts = (u64, u64, u64);

impl Estate<'_> {
    /// `pgbaton lab` with these words.
    fn command(&self, words: &[&str]) -> Output {
        let mut command = pgbaton();
        command.args(["lab", "--name", self.lab.scope(), "--state-dir"]).arg(self.lab.dir().parent().unwrap()).args(words);
        command.output().unwrap()
    }

    fn trigger(&self, dag: &str) {
        let out = self.command(&["airflow", "--", "dags", "trigger", dag]);
        assert!(out.status.success(), "{dag}: {}", said(&out));
    }

    /// DAGs like those of the practice, whose tasks last long enough to be looked at from all sides.
    fn add_steady(&self) {
        let folder = airflow::dags(self.lab.layout());
        let practice = fs::read_to_string(folder.join("practice.py")).unwrap();
        let (tools, _) = practice.split_once("charge = dag(").unwrap();
        fs::write(folder.join("steady.py"), format!("{tools}steady = dag(\"steady\", 2, 90)\nsteady_once = dag(\"steady_once\", 0, 90)\n"))
            .unwrap();
        until("the DAGs", PATIENCE, || match self.sql("SELECT count(*) FROM serialized_dag WHERE dag_id LIKE 'steady%'").as_str() {
            "2" => Ok(()),
            listed => Err(listed.to_owned()),
        });
    }

    /// A statement in the metadata, by psql on the leader.
    fn sql(&self, statement: &str) -> String {
        let host = self.lab.layout().ip(&self.lab.leader()).to_string();
        let words = ["-XAtq", "-h", &host, "-p", "5432", "-U", "postgres", "-d", airflow::DATABASE, "-c", statement];
        let out = self.lab.try_tool(20, "psql", &words);
        assert!(out.status.success(), "{statement}: {}", said(&out));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    /// Something the operator does, and how it ends.
    fn does(&self, words: &[&str]) {
        let out = self.operator.pgbaton(words).output().unwrap();
        assert!(out.status.success(), "{words:?}: {}", said(&out));
    }

    /// The lines of the target's ledger with this word.
    fn ledger(&self, word: &str) -> Vec<String> {
        let text = fs::read_to_string(airflow::target(self.lab.layout())).unwrap_or_default();
        text.lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
    }

    /// Waits until so many tasks have begun and ended and Airflow knows it: each once, at its first try, on the worker's machine.
    fn worked(&self, tasks: usize) {
        until("the tasks' ends", PATIENCE, || {
            let open = "SELECT count(*) FROM dag_run WHERE state IN ('queued', 'running')";
            match (self.ledger(" END ").len(), self.sql(open)) {
                (n, open) if n >= tasks && open == "0" => Ok(()),
                (n, open) => Err(format!("{n} of {tasks} have ended, {open} runs are open: {:?}", self.ledger(""))),
            }
        });
        for word in [" START ", " END "] {
            // Without the time and the number of the try.
            let told = self.ledger(word);
            let each: BTreeSet<String> = told.iter().map(|line| line.split(' ').skip(2).take(4).collect::<Vec<_>>().join(" ")).collect();
            assert_eq!((told.len(), each.len()), (tasks, tasks), "something ran twice, or not at all: {told:?}");
        }
        let ended = "SELECT string_agg(DISTINCT state || ' at try ' || try_number || ' on ' || hostname, ', ') FROM task_instance";
        assert_eq!(self.sql(ended), "success at try 1 on vm4");
    }

    /// The queue as RabbitMQ's own command counts it.
    fn counted(&self) -> Counts {
        let words = ["list_queues", "--quiet", "--formatter", "json", "name", "messages_ready", "messages_unacknowledged", "consumers"];
        let queues: Vec<Value> = serde_json::from_str(&rabbitmq::ctl(self.lab.layout(), RABBITS[2], &words).unwrap()).unwrap();
        let queue = queues.iter().find(|queue| queue["name"] == conf_rabbitmq::QUEUE).unwrap();
        let count = |name: &str| queue[name].as_u64().unwrap();
        (count("messages_ready"), count("messages_unacknowledged"), count("consumers"))
    }

    /// Waits until pgbaton and RabbitMQ's own command count the same.
    fn both_count(&self, counts: Counts) -> Document {
        let document = self.watching.until(&format!("{counts:?} in the queue"), |document| {
            queue(document).and_then(|queue| Some((queue.ready?, queue.unacknowledged?, queue.consumers?))) == Some(counts)
        });
        until("the same by rabbitmqctl", PATIENCE, || match self.counted() {
            counted if counted == counts => Ok(()),
            counted => Err(format!("{counted:?}")),
        });
        document
    }

    /// Waits until all is well and nothing is open.
    fn well(&self) -> Document {
        self.watching.until("health", |document| {
            let idle = metadata(document).is_some_and(|metadata| metadata.tasks.is_empty() && metadata.work.is_empty());
            let taken = queue(document).is_some_and(|queue| queue.consumers == Some(1) && queue.unacknowledged == Some(0));
            document.findings.is_empty() && idle && taken
        })
    }
}

fn metadata(document: &Document) -> Option<&AirflowMetadata> {
    document.airflow.as_ref().filter(|airflow| airflow.asked.fresh)?.metadata.as_ref()
}

/// The queue of the tasks in a list that is current.
fn queue(document: &Document) -> Option<&RabbitmqQueueDoc> {
    let rabbitmq = document.rabbitmq.as_ref().filter(|rabbitmq| rabbitmq.queues_asked.fresh)?;
    rabbitmq.queues.as_ref()?.iter().find(|queue| queue.name == conf_rabbitmq::QUEUE)
}

fn found(document: &Document, code: &str) -> Option<String> {
    document.findings.iter().find(|finding| finding.code == code).map(|finding| finding.sentence.clone())
}

#[test]
#[ignore = "six minutes: cargo test --test celery -- --ignored"]
fn tasks_go_over_rabbitmq_to_a_worker_behind_vm4() {
    let line = std::env::var("PGBATON_AIRFLOW").unwrap_or_else(|_| "2.10".to_owned());
    let with = format!("airflow={line}");
    let lab = TestLab::up("celery", &["--ttl", "20", "--loop-wait", "2", "--with", "rabbitmq", "--with", &with]);
    let estate = Estate { operator: Operator::of(&lab), watching: Watching::start(&lab.config(), "0.2"), lab: &lab, line };
    estate.well();
    tasks_run_at_the_worker(&estate);
    a_switchover_between_freeze_and_thaw_runs_no_task_twice(&estate);
    a_worker_that_is_killed_stays_away(&estate);
    a_node_that_hangs_loses_no_task(&estate);
    drop(estate);
    lab.down();
}

fn tasks_run_at_the_worker(estate: &Estate) {
    estate.add_steady();
    for dag in ["steady", "steady_once"] {
        estate.trigger(dag);
    }
    let document = estate.watching.until("two tasks at the worker", |document| {
        let running = |metadata: &AirflowMetadata| metadata.work.iter().filter(|task| task.state == "running").count();
        let told = (metadata(document).map(running), queue(document).and_then(|queue| queue.unacknowledged));
        told == (Some(2), Some(2)) && document.rabbitmq.as_ref().and_then(|rabbitmq| rabbitmq.running_tasks) == Some(2)
    });
    let hosts: Vec<Option<&str>> = metadata(&document).unwrap().work.iter().map(|task| task.host.as_deref()).collect();
    assert_eq!(hosts, [Some("vm4"), Some("vm4")]);
    let queue = queue(&document).unwrap();
    // What the Celery of each line can take from.
    let kind = if estate.line.starts_with('3') { "quorum" } else { "classic" };
    assert_eq!((queue.kind.as_str(), queue.members.len(), queue.online.len()), (kind, 3, 3), "{queue:?}");
    estate.both_count((0, 2, 1));
    the_topology_shows_it(estate);
    each_goes_by_its_own_proxy(estate);
    estate.worked(2);
    estate.both_count((0, 0, 1));
    estate.well();
}

/// The picture of the whole: what the queue holds, and where the tasks run.
fn the_topology_shows_it(estate: &Estate) {
    let mut pty = estate.operator.console(&[], (160, 48));
    pty.until_text("1 Members");
    pty.press("0");
    pty.until("the queue and the tasks", |screen| {
        let text = screen.contents();
        ["RabbitMQ 3/3 run", "0 ready 2 unacked 1 consumer", "running 2 (2 on vm4)"].iter().all(|told| text.contains(told))
    });
    pty.press("q");
    pty.until_text("1 Members");
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

/// The ports by which a HAProxy's sessions reach PostgreSQL, by its own word.
fn ports(estate: &Estate, proxy: &str) -> BTreeSet<String> {
    let mut socket = UnixStream::connect(estate.lab.layout().stats_socket(proxy)).unwrap();
    socket.write_all(b"show sess all\n").unwrap();
    let mut told = String::new();
    socket.read_to_string(&mut told).unwrap();
    let backends = told.lines().filter_map(|line| line.trim().strip_prefix("backend=pg_write "));
    backends.filter_map(|line| Some(line.rsplit_once("addr=")?.1.rsplit_once(':')?.1.trim().to_owned())).collect()
}

/// Each of Airflow's sessions in PostgreSQL is one of the HAProxy of the machine on which that program runs.
fn each_goes_by_its_own_proxy(estate: &Estate) {
    let sessions = "SELECT client_port || ' ' || application_name FROM pg_stat_activity WHERE datname = 'airflow' AND application_name LIKE 'airflow-%'";
    let seen = until("the sessions of the scheduler and of the worker", PATIENCE, || {
        // They come and go: a reading counts in which each that PostgreSQL has was there before and after, at one HAProxy.
        let before = PROXIES.map(|proxy| ports(estate, proxy));
        let rows = estate.sql(sessions);
        let after = PROXIES.map(|proxy| ports(estate, proxy));
        let mut seen: BTreeSet<(String, &str)> = BTreeSet::new();
        for (port, program) in rows.lines().filter_map(|row| row.split_once(' ')) {
            let by: Vec<&str> =
                (0..PROXIES.len()).filter(|n| before[*n].contains(port) && after[*n].contains(port)).map(|n| PROXIES[n]).collect();
            let [one] = by.as_slice() else { return Err(format!("{port} of {program} by {by:?}: {before:?}, {after:?}")) };
            seen.insert((program.to_owned(), one));
        }
        let programs: BTreeSet<&str> = seen.iter().map(|(program, _)| program.as_str()).collect();
        if programs.contains("airflow-scheduler") && programs.contains("airflow-worker") { Ok(seen) } else { Err(rows) }
    });
    let strays: Vec<_> = seen.iter().filter(|(program, by)| (program == "airflow-worker") != (*by == "vm4")).collect();
    assert!(strays.is_empty(), "{seen:?}");
}

/// A task runs when the pools are frozen, and another comes meanwhile.
fn a_switchover_between_freeze_and_thaw_runs_no_task_twice(estate: &Estate) {
    let candidate = estate.lab.replicas().remove(0);
    estate.trigger("charge");
    until("a task that runs", PATIENCE, || match estate.ledger(" START ").len() {
        3 => Ok(()),
        n => Err(n.to_string()),
    });
    estate.does(&["freeze", "--yes", "--reason", "a switchover"]);
    estate.trigger("brief");
    estate.does(&["switchover", "--candidate", &candidate, "--yes", "--wait-quiet", "3min"]);
    assert_eq!((estate.lab.leader(), estate.ledger(" START ").len(), estate.ledger(" END ").len()), (candidate, 3, 3));
    estate.does(&["thaw", "--yes"]);
    estate.worked(4);
    estate.well();
}

/// Nothing starts it again until `heal` does, and the task that comes meanwhile waits in the queue.
fn a_worker_that_is_killed_stays_away(estate: &Estate) {
    // Its processes may have titles of Celery's own.
    let is = |argv: &str, what: &str| argv.contains(what) || what.ends_with("worker") && argv.contains("celeryd");
    let running = |what: &str| scan::processes(estate.lab.dir()).iter().filter(|id| is(&id.argv().join(" "), what)).count();
    assert_ne!(running("airflow celery worker"), 0);
    estate.lab.fault(&["kill-worker"]);
    assert_eq!(running("airflow celery worker"), 0, "all of it is gone when it is said");
    assert_ne!(running("airflow scheduler"), 0);
    estate.trigger("brief");
    let told = |document: &Document| found(document, "rabbitmq-no-consumers");
    let kind = if estate.line.starts_with('3') { "quorum" } else { "classic" };
    let wanted = format!(
        "nobody takes tasks from the {kind} queue default: 0 consumers; 1 ready and 0 unacknowledged messages; Airflow has 0 running and 1 queued tasks"
    );
    estate.watching.until(&wanted, |document| told(document).as_deref() == Some(wanted.as_str()));
    estate.both_count((1, 0, 0));
    let out = estate.command(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&out)));
    let fact = status["facts"].as_array().unwrap().iter().find(|fact| fact["name"] == "celery worker").unwrap();
    let process = status["processes"].as_array().unwrap().iter().find(|process| process["key"] == "vm4/airflow-worker").unwrap();
    assert_eq!(
        (&status["healthy"], &fact["ok"], &process["state"]),
        (&Value::from(false), &Value::from(false), &Value::from("not running"))
    );
    estate.lab.heal();
    estate
        .watching
        .until("the end of it", |document| told(document).is_none() && queue(document).is_some_and(|queue| queue.consumers == Some(1)));
    estate.worked(5);
    estate.well();
}

/// While a node of RabbitMQ hangs its lists stand still, and what is said of the queue is old; the tasks run, each once.
fn a_node_that_hangs_loses_no_task(estate: &Estate) {
    estate.lab.fault(&["freeze-rabbit"]);
    estate.watching.until("the node that hangs", |document| found(document, "rabbitmq-node-down").is_some() && queue(document).is_none());
    estate.trigger("brief");
    estate.lab.heal();
    estate.worked(6);
    estate.well();
}
