//! The forecast against reality: a cluster is brought into a state, pgbaton says who would take over, the leader is killed, and etcd tells
//! who did. Prints a table: set-up, forecast, outcome.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
}

use std::time::{Duration, Instant};

use common::lab::{TestLab, until};
use pgbaton::document::ForecastDoc;
use rustix::process::{Pid, Signal, kill_process};

/// The leader key ends 20 s after its last renewal; the rest is the race.
const ELECTION: Duration = Duration::from_secs(60);
/// A change of the configuration takes a loop of each Patroni, a forecast a reading of each source.
const CHANGE: Duration = Duration::from_secs(40);
/// How long nobody must take the key to count as nobody: five loops.
const NOBODY: Duration = Duration::from_secs(10);

/// The lab with the names of this moment.
struct Stage<'a> {
    lab: &'a TestLab,
    leader: String,
    one: String,
    other: String,
    /// Processes that were stopped, to be woken after the case.
    stopped: Vec<Pid>,
}

impl<'a> Stage<'a> {
    fn new(lab: &'a TestLab) -> Self {
        let mut replicas = lab.replicas();
        let (other, one) = (replicas.pop().unwrap(), replicas.pop().unwrap());
        Self { lab, leader: lab.leader(), one, other, stopped: Vec::new() }
    }

    fn edit(&self, setting: &str) {
        self.lab.tool("patronictl", &["edit-config", self.lab.scope(), "--force", "-q", "-s", setting]);
    }

    /// Gives a member a tag for the time of this case.
    fn tag(&self, member: &str, tag: &str) {
        let file = self.lab.layout().node_dir(member).join("patroni.yml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}tags:\n  {tag}\n")).unwrap();
        self.reload(member);
    }

    fn untag(&self, member: &str) {
        let file = self.lab.layout().node_dir(member).join("patroni.yml");
        let text = std::fs::read_to_string(&file).unwrap();
        let Some((before, _)) = text.split_once("tags:\n") else { return };
        std::fs::write(&file, before).unwrap();
        self.reload(member);
    }

    fn reload(&self, member: &str) {
        self.lab.tool("patronictl", &["reload", self.lab.scope(), member, "--force"]);
    }

    /// Stops a replica's receiver, so that it falls behind while it looks as if it streamed.
    fn hold_back(&mut self, member: &str) {
        let pid: i32 = self.lab.sql(member, "SELECT pid FROM pg_stat_wal_receiver").parse().unwrap();
        let pid = Pid::from_raw(pid).unwrap();
        kill_process(pid, Signal::STOP).unwrap();
        self.stopped.push(pid);
    }

    /// Writes 4 MB of WAL, and waits until the leader's Patroni has told etcd of it.
    fn write(&self) {
        let to: u64 =
            self.lab.sql(&self.leader, "SELECT pg_logical_emit_message(false, 'x', repeat('x', 4000000)) - '0/0'").parse().unwrap();
        let key = format!("/service/{}/status", self.lab.scope());
        until("the leader's position in etcd", CHANGE, || {
            let status = self.lab.tool_json("etcdctl", &["get", "--print-value-only", &key]);
            if status["optime"].as_u64() >= Some(to) { Ok(()) } else { Err(format!("{status}, not {to}")) }
        });
    }

    fn forecast(&self, next: &[&str]) -> ForecastDoc {
        until(&format!("the forecast {next:?}"), CHANGE, || {
            let forecast = self.lab.status().forecast;
            let right = forecast.next == next && (forecast.outcome == "nobody") == next.is_empty();
            if right { Ok(forecast) } else { Err(format!("{forecast:#?}")) }
        })
    }

    /// Kills Patroni and PostgreSQL of the leader; its etcd lives, so that the key ends as its lease says.
    fn crash(&self) {
        self.lab.fault(&["kill-patroni", &self.leader]);
        self.lab.fault(&["kill-postgres", &self.leader]);
    }

    /// Who holds the leader key after the old one's has ended; `None`: nobody takes it.
    fn elected(&self) -> Option<String> {
        let old = &self.leader;
        until("the end of the leader key", ELECTION, || if self.lab.leader() == *old { Err("it is there".into()) } else { Ok(()) });
        let begun = Instant::now();
        while begun.elapsed() < NOBODY {
            let holder = self.lab.leader();
            if !holder.is_empty() {
                return Some(holder);
            }
        }
        None
    }

    /// Whom pgbaton names must be elected; nobody, if it says nobody.
    fn prove(self, name: &str, next: &[&str]) {
        let forecast = self.forecast(next);
        self.crash();
        let outcome = self.elected();
        println!("{name:<42} {:<60} {}", forecast.sentence, outcome.as_deref().unwrap_or("nobody"));
        match &outcome {
            Some(winner) => assert!(next.contains(&winner.as_str()), "{name}: {winner} was elected, forecast: {forecast:#?}"),
            None => assert!(next.is_empty(), "{name}: nobody was elected, forecast: {forecast:#?}"),
        }
        self.end();
    }

    fn end(&self) {
        for pid in &self.stopped {
            let _ = kill_process(*pid, Signal::CONT);
        }
        self.lab.heal();
    }
}

#[test]
fn who_was_named_is_elected_and_nobody_where_nobody_was() {
    let lab = TestLab::up("proof-forecast", &["--ttl", "20", "--loop-wait", "2"]);
    println!("{:<42} {:<60} outcome", "set-up", "forecast");

    let s = Stage::new(&lab);
    let (one, other) = (s.one.clone(), s.other.clone());
    s.prove("two alike", &[&one, &other]);

    let s = Stage::new(&lab);
    let (one, other) = (s.one.clone(), s.other.clone());
    s.tag(&one, "nofailover: true");
    s.prove("one has nofailover", &[&other]);
    Stage::new(&lab).untag(&one);

    let s = Stage::new(&lab);
    let (one, other) = (s.one.clone(), s.other.clone());
    s.tag(&other, "failover_priority: 2");
    s.prove("one has the higher priority", &[&other]);
    let s = Stage::new(&lab);
    s.untag(&other);
    drop((one, s));

    let s = Stage::new(&lab);
    let (one, other) = (s.one.clone(), s.other.clone());
    lab.fault(&["stop-node", &one]);
    s.prove("one replica is down", &[&other]);

    let mut s = Stage::new(&lab);
    let (one, other) = (s.one.clone(), s.other.clone());
    s.hold_back(&one);
    s.write();
    s.prove("one is over the limit", &[&other]);

    let mut s = Stage::new(&lab);
    let (one, other) = (s.one.clone(), s.other.clone());
    s.hold_back(&one);
    s.hold_back(&other);
    s.write();
    s.prove("both are over the limit", &[]);

    let s = Stage::new(&lab);
    let (one, other) = (s.one.clone(), s.other.clone());
    s.tag(&other, "nofailover: true");
    lab.fault(&["pause-replay", &one]);
    s.write();
    s.prove("the only candidate does not replay", &[&one]);
    Stage::new(&lab).untag(&other);

    let s = Stage::new(&lab);
    s.edit("pause=true");
    let document = until("the pause", CHANGE, || {
        let document = lab.status();
        if document.cluster.paused == Some(true) { Ok(document) } else { Err("not paused".into()) }
    });
    assert_eq!(document.forecast.sentence, "nobody can take over: the cluster is paused");
    s.crash();
    let outcome = s.elected();
    println!("{:<42} {:<60} {}", "paused", document.forecast.sentence, outcome.as_deref().unwrap_or("nobody"));
    assert_eq!(outcome, None);
    s.edit("pause=null");
    s.end();
}

#[test]
fn with_synchronous_replication_too() {
    let lab = TestLab::up("proof-forecast-sync", &["--ttl", "20", "--loop-wait", "2", "--sync"]);
    let s = Stage::new(&lab);
    let standby = until("a sync standby", CHANGE, || {
        let document = lab.status();
        document.cluster.sync_standbys.first().cloned().ok_or_else(|| "none".to_owned())
    });
    s.prove("synchronous mode", &[&standby]);

    let s = Stage::new(&lab);
    let (one, other) = (s.one.clone(), s.other.clone());
    s.edit("synchronous_mode=quorum");
    let both = || {
        let mut standbys = lab.status().cluster.sync_standbys;
        standbys.sort();
        if standbys == [one.clone(), other.clone()] { Ok(()) } else { Err(format!("{standbys:?}")) }
    };
    until("both in the quorum's set", CHANGE, both);
    s.prove("quorum commit", &[&one, &other]);

    // A replica that is thawed when the leader has gone is on the timeline before the last.
    let s = Stage::new(&lab);
    s.edit("synchronous_mode=off");
    s.edit("check_timeline=true");
    let late = s.other.clone();
    lab.fault(&["freeze-patroni", &late]);
    lab.fault(&["freeze-postgres", &late]);
    lab.tool("patronictl", &["switchover", lab.scope(), "--force", "--candidate", &s.one]);
    until("the new leader's timeline in etcd", CHANGE, || {
        let history = lab.tool_json("etcdctl", &["get", "--print-value-only", &format!("/service/{}/history", lab.scope())]);
        // It may have led before: only the last line is of this switchover.
        let last = history.as_array().and_then(|lines| lines.last()).and_then(|line| line[4].as_str());
        if lab.leader() == s.one && last == Some(s.one.as_str()) { Ok(()) } else { Err(history.to_string()) }
    });
    let crashed = Stage { lab: &lab, leader: s.one.clone(), one: s.leader.clone(), other: late.clone(), stopped: Vec::new() };
    lab.fault(&["kill-patroni", &crashed.one]);
    lab.fault(&["kill-postgres", &crashed.one]);
    crashed.crash();
    until("the end of the leader key", ELECTION, || if lab.leader().is_empty() { Ok(()) } else { Err(lab.leader()) });
    // Nobody else is frozen.
    for process in pgbaton::lab::scan::processes(lab.dir()) {
        if process.state() == Some('T') {
            process.signal(Signal::CONT).unwrap();
        }
    }
    let forecast = until("the thawed one's timeline", CHANGE, || {
        let document = lab.status();
        let reasons = document.members.iter().find(|member| member.name == late).map(|member| &member.cannot_because);
        // The end of the old leader's segment may be far away: then it is too far behind as well.
        if reasons.is_some_and(|reasons| reasons.iter().any(|reason| reason.code == "timeline")) {
            Ok(document.forecast)
        } else {
            Err(format!("{reasons:?}"))
        }
    });
    assert_eq!((forecast.outcome.as_str(), forecast.leader.as_deref()), ("nobody", None), "{forecast:#?}");
    let outcome = crashed.elected();
    println!("{:<42} {:<60} {}", "the last one is on an old timeline", forecast.sentence, outcome.as_deref().unwrap_or("nobody"));
    // Nothing is healed any more: with the mode off, no lab that was asked for with --sync counts as healthy.
    assert_eq!(outcome, None);
}
