//! The runbooks that come with pgbaton, each taken from start to end on a real cluster by somebody at a terminal; what came of it is read by
//! other tools. One console is killed in the middle, and the run goes on.
#![allow(clippy::unwrap_used)]

#[path = "../common"]
mod common {
    pub mod lab;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
}

mod console;
mod etcd;
mod faults;
mod maintenance;
mod members;
mod operator;

use common::lab::{TestLab, pgbaton, said, until};
use operator::{Operator, PATIENCE};
use serde_json::{Value, json};

/// The dynamic configuration, by etcd's own tool.
fn config(lab: &TestLab) -> Value {
    lab.tool_json("etcdctl", &["get", "--print-value-only", &format!("/service/{}/config", lab.scope())])
}

/// Waits until all members run, two stream, on one timeline.
fn well(lab: &TestLab) {
    until("a cluster that is well", PATIENCE, || {
        let list = lab.tool_json("patronictl", &["list", "-f", "json"]);
        let members = list.as_array().unwrap();
        let streaming = members.iter().filter(|m| m["State"] == "streaming").count();
        let timelines: std::collections::BTreeSet<_> = members.iter().map(|m| m["TL"].to_string()).collect();
        if members.len() == 3 && streaming == 2 && timelines.len() == 1 { Ok(()) } else { Err(list.to_string()) }
    });
}

/// How the runs ended that there were, in their order.
fn standings(operator: &Operator<'_>) -> Vec<String> {
    let history = operator.told(&["history"]);
    history.lines().filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect()
}

/// That the ledger's client has lost no write that was acknowledged to it.
fn nothing_lost(lab: &TestLab) {
    let mut ledger = pgbaton();
    let out =
        ledger.args(["lab", "ledger", "--json", "--name", lab.scope(), "--state-dir"]).arg(lab.dir().parent().unwrap()).output().unwrap();
    let ledger: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", said(&out)));
    assert!(ledger["acknowledged"].as_u64() > Some(10) && ledger["lost"] == json!([]) && ledger["doubled"] == json!([]), "{ledger}");
}

#[test]
fn maintenance_from_start_to_end() {
    let lab = TestLab::up("runbooks", &["--ttl", "20", "--loop-wait", "2"]);
    let operator = Operator::of(&lab);
    well(&lab);
    maintenance::forgotten_pause(&operator);
    maintenance::planned_switchover(&operator);
    well(&lab);
    maintenance::rolling_restart(&operator);
    maintenance::replace_replica(&operator);
    maintenance::minor_upgrade(&operator);
    maintenance::os_patching(&operator);
    console::switchover_and_kill(&operator);
    let ends = ["finished", "finished", "aborted", "finished", "finished", "finished", "finished", "finished"];
    assert_eq!(standings(&operator), ends);
    // The walk changes nothing, and needs nobody.
    let before = (config(&lab), operator.told(&["history"]));
    let walk = operator.told(&["run", "planned-switchover", "--dry-run", "--set", "candidate=psg1"]);
    assert!(walk.contains("would do: pgbaton switchover --candidate=psg1"), "{walk}");
    assert_eq!((config(&lab), operator.told(&["history"])), before);
    nothing_lost(&lab);
}

#[test]
fn faults_from_start_to_end() {
    let lab = TestLab::up("bookfaults", &["--tls", "--ttl", "20", "--loop-wait", "2"]);
    let operator = Operator::of(&lab);
    well(&lab);
    faults::certificate_renewal(&operator);
    faults::archive_failing(&operator);
    faults::slot_fills_disk(&operator);
    etcd::member_down(&operator);
    faults::quorum_lost(&operator);
    etcd::majority_gone(&operator);
    faults::failsafe(&operator);
    faults::paused_and_down(&operator);
    faults::down_for_good(&operator);
    faults::split_brain(&operator);
    let ends = ["finished", "aborted", "aborted"].into_iter().chain(["finished"; 9]);
    assert!(standings(&operator).into_iter().eq(ends), "{:?}", standings(&operator));
}

#[test]
fn silences_from_start_to_end() {
    // The key of a member that hangs ends with its ttl, and with it what a pgbaton that is started then knows of it.
    let lab = TestLab::up("booksilence", &["--tls", "--ttl", "90", "--loop-wait", "2"]);
    let operator = Operator::of(&lab);
    well(&lab);
    members::hangs(&operator);
    well(&lab);
    members::is_dead(&operator);
    well(&lab);
    members::lags(&operator);
    members::route_wrong(&operator);
    members::proxy_not_heard(&operator);
    members::certificate_not_valid(&operator);
    assert!(standings(&operator).iter().all(|standing| standing == "finished"), "{:?}", standings(&operator));
    assert_eq!(standings(&operator).len(), 6);
}

#[test]
#[ignore = "a lab of its own, about a minute: cargo test --test proof_runbooks -- --ignored"]
fn space_and_streams_from_start_to_end() {
    let lab = TestLab::up("bookspace", &["--ttl", "20", "--loop-wait", "2"]);
    let operator = Operator::of(&lab);
    well(&lab);
    members::does_not_stream(&operator);
    well(&lab);
    etcd::out_of_space(&operator);
    assert_eq!(standings(&operator), ["finished", "finished"]);
}
