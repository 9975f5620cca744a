//! How long a switchover takes writes away, by pgbaton's probe and by a client that writes; and what an assisted one says to HAProxy.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
}

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::lab::{Running, TestLab, said, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// From the order to routes that the checks have settled.
const SETTLED: Duration = Duration::from_secs(60);
/// The client writes each 200 ms, and the probe asks each 50 ms; the rest is a busy machine.
const RESOLUTION: f64 = 0.6;
/// The client tries once at a time. An attempt that found the old leader's port closed is kept by HAProxy, which tries twice more, a second
/// apart (`retries 2`), while others get through; the probe has many attempts under way, and knows the moment of the first.
const KEPT: f64 = 2.0;
/// How an HAProxy says in its log that a server's state was told, not found out.
const TOLD: &str = "changed from CLI";

/// So many assisted switchovers are tried until one finds the client without an attempt that is kept.
const ASSISTED: usize = 4;

/// For how long the new leader's SQL proves nothing.
const WITHOUT_PROOF: Duration = Duration::from_secs(4);

const PROXIES: [&str; 2] = ["vm1", "vm4"];

/// An action, as its last JSON line tells it.
fn act(lab: &TestLab, args: &[&str]) -> Value {
    let out = lab.pgbaton(args).args(["--yes", "--json"]).env("XDG_STATE_HOME", lab.dir()).output().unwrap();
    let text = String::from_utf8(out.stdout.clone()).unwrap();
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap_or_else(|e| panic!("{e}: {}", said(&out)))
}

/// What an HAProxy answers on its socket, with a client that is none of pgbaton's.
fn ask(lab: &TestLab, proxy: &str, line: &str) -> String {
    let mut socket = UnixStream::connect(lab.layout().stats_socket(proxy)).unwrap();
    writeln!(socket, "{line}").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// Of each server of both HAProxies all that `show servers state` tells but its number and the time of the last change; who leads is called so,
/// that two leaders can be compared.
fn states(lab: &TestLab) -> Vec<String> {
    let leader = lab.leader();
    let mut all = Vec::new();
    for proxy in PROXIES {
        for line in ask(lab, proxy, "show servers state").lines().filter(|line| line.contains(" psg")) {
            let field: Vec<&str> = line.split_whitespace().collect();
            let role = if field[3] == leader { "leader" } else { "replica" };
            // While a check runs, its bit is set; 6 is a check that is configured and on.
            let check = field[13].parse::<u32>().unwrap() & !1;
            all.push(format!(
                "{proxy} {} {role} {} {} {} {check} {}",
                field[1],
                field[5..9].join(" "),
                field[10..12].join(" "),
                field[12],
                field[14]
            ));
        }
    }
    all.sort();
    all
}

/// The states that last for as long as the slowest check takes to say something.
fn settled(lab: &TestLab) -> Vec<String> {
    let mut last = (states(lab), Instant::now());
    until("states that last", SETTLED, || {
        let now = states(lab);
        if now != last.0 {
            last = (now, Instant::now());
        }
        if last.1.elapsed() > Duration::from_secs(4) { Ok(last.0.clone()) } else { Err(format!("{:#?}", last.0)) }
    })
}

/// Lines of both HAProxies' logs that say that somebody told them something, those about servers that are up or down.
fn told(lab: &TestLab, what: &str) -> usize {
    let log = |proxy: &str| std::fs::read_to_string(lab.layout().node_dir(proxy).join("log/haproxy.log")).unwrap();
    // The alert and the log line say the same; one of them counts.
    let counts = |line: &&str| line.starts_with("Server pg_write/") && line.contains(what) && line.contains(TOLD);
    PROXIES.iter().map(|proxy| log(proxy).lines().filter(counts).count()).sum()
}

/// The client's account: its longest gap since `from` outages, seconds, when it is over; nothing lost, nothing doubled.
fn ledger(lab: &TestLab, from: usize) -> (usize, f64) {
    until("the end of the client's gap", SETTLED, || {
        let out = Command::new(env!("CARGO_BIN_EXE_pgbaton"))
            .args(["lab", "ledger", "--json", "--name", lab.scope(), "--state-dir"])
            .arg(lab.dir().parent().unwrap())
            .output()
            .unwrap();
        let verdict: Value = serde_json::from_slice(&out.stdout).map_err(|e| format!("{e}: {}", said(&out)))?;
        let outages = verdict["outages"].as_array().unwrap();
        assert_eq!((&verdict["lost"], &verdict["doubled"]), (&Value::Array(vec![]), &Value::Array(vec![])));
        let new: Vec<f64> = outages[from..].iter().map(|outage| outage["seconds"].as_f64().unwrap()).collect();
        let over = outages.iter().all(|outage| !outage["to"].is_null());
        if over && (from == 0 || !new.is_empty()) {
            Ok((outages.len(), new.into_iter().fold(0.0, f64::max)))
        } else {
            Err(verdict.to_string())
        }
    })
}

fn seconds(outcome: &Value, proxy: &str) -> f64 {
    outcome["downtime_ms"][proxy].as_f64().unwrap_or_else(|| panic!("{outcome:#}")) / 1000.0
}

fn notes(outcome: &Value) -> String {
    outcome["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap().to_owned() + "\n").collect()
}

#[test]
fn writes_are_away_for_as_long_as_is_said() {
    let lab = TestLab::up("downtime", &[]);
    let begin = ledger(&lab, 0).0;

    // Plain: HAProxy finds out by itself.
    let plain = act(&lab, &["switchover"]);
    assert_eq!(plain["outcome"], "DONE", "{plain:#}");
    let (count, gap) = ledger(&lab, begin);
    println!("plain: probe {:.2} s on vm1, {:.2} s on vm4; client {gap:.2} s on vm1", seconds(&plain, "vm1"), seconds(&plain, "vm4"));
    assert!(seconds(&plain, "vm1") > 0.2 && seconds(&plain, "vm1") < gap + RESOLUTION, "{plain:#}");
    assert!(gap < seconds(&plain, "vm1") + RESOLUTION + KEPT, "{plain:#}");
    assert_eq!(told(&lab, ""), 0, "a plain switchover says nothing to HAProxy");
    let by_checks = settled(&lab);

    // Each server of the read backend can be drained and given back; the only writer cannot be taken by mistake.
    a_server_is_drained_and_given_back(&lab);
    assert_eq!(settled(&lab), by_checks);

    lab.sql(&lab.leader(), "GRANT pg_checkpoint TO pgbaton");
    let mut count = count;
    let mut apart = Vec::new();
    while apart.last().is_none_or(|seconds: &f64| seconds.abs() >= RESOLUTION) {
        assert!(apart.len() < ASSISTED, "the client is never as fast as the probe: {apart:?}");
        let (now, seconds) = assisted(&lab, count);
        apart.push(seconds);
        count = now;
        assert_eq!(settled(&lab), by_checks);
    }

    // The new leader takes the key, and its SQL does not say that it takes writes: no HAProxy is told that it does, before it does.
    nobody_is_told_before_the_proof(&lab);
    assert_eq!(settled(&lab), by_checks);
    assert!(ledger(&lab, count).1 > WITHOUT_PROOF.as_secs_f64());
}

/// HAProxy is told, and the client gets through when the probe does, unless its attempt is kept. Says how many gaps the client has had now, and how
/// much longer than the probe's this one was.
fn assisted(lab: &TestLab, count: usize) -> (usize, f64) {
    let old = lab.leader();
    let ups = |new: &str| told(lab, &format!("pg_write/{new} is UP"));
    let earlier: Vec<(String, usize)> =
        [old.clone()].into_iter().chain(lab.replicas()).map(|member| (member.clone(), ups(&member))).collect();
    let outcome = act(lab, &["switchover", "--assist"]);
    assert_eq!(outcome["outcome"], "DONE", "{outcome:#}");
    let new = lab.leader();
    assert_ne!(old, new);
    let (count, gap) = ledger(lab, count);
    let probe = seconds(&outcome, "vm1");
    println!("assisted: probe {probe:.2} s on vm1, {:.2} s on vm4; client {gap:.2} s on vm1", seconds(&outcome, "vm4"));
    assert!(gap > probe - RESOLUTION && gap < probe + RESOLUTION + KEPT, "client {gap}: {outcome:#}");
    let said = notes(&outcome);
    assert!(said.contains(&format!("{new} takes writes by its own word; told vm1 (pg_write) and vm4 (pg_write)")), "{said}");
    assert!(!said.contains("no checkpoint"), "{said}");
    let was = earlier.iter().find(|(member, _)| *member == new).unwrap().1;
    assert_eq!(ups(&new), was + 2);
    let audit = String::from_utf8(lab.pgbaton(&["audit", "--json"]).env("XDG_STATE_HOME", lab.dir()).output().unwrap().stdout).unwrap();
    let end: Value = serde_json::from_str(audit.lines().last().unwrap()).unwrap();
    assert_eq!((&end["event"], &end["downtime_ms"]), (&Value::from("end"), &outcome["downtime_ms"]));
    (count, gap - probe)
}

fn a_server_is_drained_and_given_back(lab: &TestLab) {
    let (leader, replica) = (lab.leader(), lab.replicas().remove(0));
    let admin = |backend: &str, server: &str| {
        let answer = ask(lab, "vm1", &format!("show servers state {backend}"));
        let line = answer.lines().find(|line| line.split_whitespace().nth(3) == Some(server)).unwrap().to_owned();
        line.split_whitespace().nth(6).unwrap().to_owned()
    };
    let set = |backend: &str, server: &str, state: &str| act(lab, &["haproxy", lab.scope(), "vm1", backend, server, state]);
    let drained = set("pg_read", &replica, "drain");
    assert_eq!((&drained["outcome"], admin("pg_read", &replica).as_str()), (&Value::from("DONE"), "8"), "{drained:#}");
    let ready = set("pg_read", &replica, "ready");
    assert_eq!((&ready["outcome"], admin("pg_read", &replica).as_str()), (&Value::from("DONE"), "0"), "{ready:#}");
    for (server, reason) in [(leader.as_str(), "last-server"), ("psg9", "server")] {
        let args = ["haproxy", lab.scope(), "vm1", "pg_write", server, "maint", "--yes", "--json"];
        let out = lab.pgbaton(&args).env("XDG_STATE_HOME", lab.dir()).output().unwrap();
        let plan: Value = serde_json::from_slice(out.stdout.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
        let red = plan["checks"].as_array().unwrap().iter().find(|check| check["light"] == "red").unwrap();
        assert_eq!((out.status.code(), &red["id"]), (Some(3), &Value::from(reason)), "{}", said(&out));
    }
    assert_eq!(admin("pg_write", &leader), "0");
    let answer = lab.pgbaton(&["--read-only", "haproxy", lab.scope(), "vm1", "pg_read", &replica, "maint", "--yes"]).output().unwrap();
    assert_eq!((answer.status.code(), admin("pg_read", &replica).as_str()), (Some(3), "0"), "{}", said(&answer));
}

/// The candidate's startup process is stopped, so that it takes the leader key and cannot be promoted. Its Patroni says all the same that it is a
/// primary, so that HAProxy's checks may bring it up meanwhile: that is theirs.
fn nobody_is_told_before_the_proof(lab: &TestLab) {
    let (old, candidate) = (lab.leader(), lab.replicas().remove(0));
    let ups = || told(lab, "is UP");
    let before = ups();
    let startup: i32 = lab.sql(&candidate, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'startup'").parse().unwrap();
    let startup = Pid::from_raw(startup).unwrap();
    kill_process(startup, Signal::STOP).unwrap();
    let mut command = lab.pgbaton(&["switchover", "--assist", "--candidate", &candidate, "--yes", "--json"]);
    let mut acting = Running(command.env("XDG_STATE_HOME", lab.dir()).stdout(Stdio::piped()).spawn().unwrap());
    until("the candidate's leader key", SETTLED, || if lab.leader() == candidate { Ok(()) } else { Err(lab.leader()) });
    let taken = Instant::now();
    while taken.elapsed() < WITHOUT_PROOF {
        assert_eq!(lab.sql(&candidate, "SELECT pg_is_in_recovery()"), "t");
        assert_eq!(ups(), before);
    }
    kill_process(startup, Signal::CONT).unwrap();
    let mut text = String::new();
    acting.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    let outcome: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(outcome["outcome"], "DONE", "{outcome:#}");
    assert!(notes(&outcome).contains(&format!("nobody listens at {old}'s port any more")), "{outcome:#}");
}
