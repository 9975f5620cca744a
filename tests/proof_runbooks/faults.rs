//! What to do when something has failed; the fault is real, and so is what mends it.

use std::fs;

use pgbaton::lab::{conf, process};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::common::lab::{TestLab, said, until};
use crate::common::pty::Pty;
use crate::operator::{Operator, PATIENCE, answer, asked, did, finished, yes};
use crate::{config, console, well};

/// Tags in a node's `patroni.yml`; Patroni reads them when it is told to.
pub fn tags(lab: &TestLab, node: &str, tags: &str) {
    let path = lab.layout().node_dir(node).join("patroni.yml");
    let text = fs::read_to_string(&path).unwrap();
    let kept: String = text.lines().filter(|line| !line.starts_with("tags:")).map(|line| format!("{line}\n")).collect();
    fs::write(&path, kept + tags).unwrap();
}

/// Stops one program of a node, as systemd does.
pub fn stop(lab: &TestLab, program: &str) {
    let process = process::running(lab.layout(), program).unwrap();
    process.signal(Signal::TERM).unwrap();
    until("its end", PATIENCE, || if process.state().is_none() { Ok(()) } else { Err(format!("{program} runs")) });
}

/// PostgreSQL goes with it.
pub fn stop_patroni(lab: &TestLab, node: &str) {
    stop(lab, &format!("{node}/patroni"));
}

/// Starts one program of a node.
pub fn start(lab: &TestLab, program: &str) {
    process::start(lab.layout(), &conf::spec(lab.layout(), program).unwrap()).unwrap();
}

fn leaderless(lab: &TestLab) {
    until("no leader key", PATIENCE, || match lab.leader() {
        key if key.is_empty() => Ok(()),
        key => Err(key),
    });
}

/// The process that PostgreSQL's own file names.
fn postmaster(lab: &TestLab, node: &str) -> Pid {
    let file = fs::read_to_string(lab.layout().data_dir(node).join("postmaster.pid")).unwrap();
    file.lines().next().and_then(|pid| Pid::from_raw(pid.trim().parse().ok()?)).unwrap()
}

pub fn certificate_renewal(operator: &Operator<'_>) {
    let lab = operator.lab;
    let replica = lab.replicas().remove(1);
    lab.fault(&["expire-certificate", &replica]);
    let mut pty = operator.start(&["run", "certificate-renewal"]);
    yes(&mut pty, &["-in ca.crt)?", "compared with its key?"]);
    did(&mut pty, "systemctl reload patroni", || {});
    did(&mut pty, "systemctl reload patroni", || lab.heal());
    did(&mut pty, "systemctl reload patroni", || {});
    did(&mut pty, "systemctl reload haproxy", || {});
    yes(&mut pty, &["renewed as well?"]);
    finished(&mut pty);
    let url = format!("{}/patroni", lab.layout().rest_url(&replica));
    let pem = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let (ca, cert, key) = (pem(lab.layout().cert("ca")), pem(lab.layout().cert("client")), pem(lab.layout().key("client")));
    lab.tool("curl", &["-sf", "--cacert", &ca, "--cert", &cert, "--key", &key, &url]);
}

pub fn archive_failing(operator: &Operator<'_>) {
    let lab = operator.lab;
    let leader = lab.leader();
    lab.fault(&["bad-archive-command"]);
    console::from_a_finding(operator, &leader);
    nobody_there(operator);
    // Whom it is about the finding says.
    let mut pty = operator.start(&["run", "archive-failing"]);
    found(&mut pty, &format!("member = {leader}, by what was found"));
    did(&mut pty, "df -h", || {});
    yes(&mut pty, &["room for the next hour?"]);
    did(&mut pty, "archive command failed", || {});
    answer(&mut pty, "or the command itself? [place, command]", "command");
    answer(&mut pty, "What is the archive_command to be?", "/bin/true");
    answer(&mut pty, "do it?", "y");
    did(&mut pty, "pg_switch_wal", || {
        until("the new command", PATIENCE, || match lab.sql(&leader, "SHOW archive_command").as_str() {
            "/bin/true" => Ok(()),
            other => Err(other.to_owned()),
        });
        lab.sql(&leader, "SELECT pg_logical_emit_message(false, 'test', 'x'); SELECT pg_switch_wal()");
    });
    yes(&mut pty, &["base backup begun?"]);
    finished(&mut pty);
    assert_eq!(lab.sql(&leader, "SELECT last_archived_time > last_failed_time FROM pg_stat_archiver"), "t");
}

/// Where nobody can be asked the run stops at its first question; somebody ends it later, once.
fn nobody_there(operator: &Operator<'_>) {
    let out = operator.tried(&["run", "archive-failing"]);
    let run = operator.last_run();
    assert!(out.status.code() == Some(1) && said(&out).contains(&format!("pgbaton runbook resume {run}")), "{}", said(&out));
    let abort = || operator.tried(&["abort", &run, "--reason", "nobody was there"]);
    assert!(abort().status.success());
    let history = operator.told(&["history", &run]);
    assert!(history.trim_end().ends_with("aborted  room  nobody was there"), "{history}");
    assert!(said(&abort()).contains(&format!("run {run} is aborted already")));
}

/// Waits for a line that is no question.
pub fn found(pty: &mut Pty, text: &str) {
    pty.until_text(text);
}

pub fn slot_fills_disk(operator: &Operator<'_>) {
    let lab = operator.lab;
    let leader = lab.leader();
    lab.fault(&["slot-retain"]);
    let slots = || lab.sql(&leader, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'pgbaton_forgotten'");
    assert_eq!(slots(), "1");
    let mut pty = operator.start(&["run", "slot-fills-disk", "--set", &format!("member={leader}"), "--set", "slot=pgbaton_forgotten"]);
    did(&mut pty, "df -h", || {});
    yes(&mut pty, &["room for the next hour?"]);
    answer(&mut pty, "read on? [yes, no]", "no");
    answer(&mut pty, "under slots? [yes, no]", "yes");
    answer(&mut pty, "do it?", "y");
    answer(&mut pty, "do it?", "y");
    yes(&mut pty, &["does it no longer fall?", "who has left the slot told?"]);
    finished(&mut pty);
    assert_eq!(slots(), "0");
    assert!(config(lab)["slots"].get("pgbaton_forgotten").is_none(), "{}", config(lab));
}

/// Two of three etcd members are killed; that of one node is started.
pub fn quorum_lost(operator: &Operator<'_>) {
    let lab = operator.lab;
    let down = lab.replicas();
    lab.fault(&["stop-etcd", &down[0], &down[1]]);
    let mut pty = operator.start(&["run", "quorum-lost"]);
    answer(&mut pty, "lists them [yes, no]", "yes");
    answer(&mut pty, "Which node is it?", &down[0]);
    did(&mut pty, "systemctl restart etcd", || start(lab, &format!("{}/etcd", down[0])));
    asked(&mut pty, "etcd members started as well? [yes/no]");
    assert!(!lab.leader().is_empty());
    start(lab, &format!("{}/etcd", down[1]));
    yes(&mut pty, &["etcd members started as well?"]);
    finished(&mut pty);
    lab.tool("etcdctl", &["endpoint", "health", "--cluster"]);
    well(lab);
}

pub fn failsafe(operator: &Operator<'_>) {
    let lab = operator.lab;
    let leader = lab.leader();
    lab.tool("patronictl", &["edit-config", lab.scope(), "--force", "-s", "failsafe_mode=true"]);
    until("a failsafe key that names all", PATIENCE, || {
        let key = lab.tool("etcdctl", &["get", "--print-value-only", &format!("/service/{}/failsafe", lab.scope())]);
        if lab.layout().members().iter().all(|member| key.contains(member.as_str())) { Ok(()) } else { Err(key) }
    });
    let down = lab.replicas();
    lab.fault(&["stop-etcd", &down[0], &down[1]]);
    until("failsafe mode", PATIENCE, || {
        let document = lab.status();
        let active = document.members.iter().any(|member| member.failsafe_active == Some(true));
        if active { Ok(()) } else { Err(document.headline.verdict) }
    });
    let mut pty = operator.start(&["run", "failsafe"]);
    answer(&mut pty, "see the runbook quorum-lost:", &down[0]);
    did(&mut pty, "systemctl restart etcd", || down.iter().for_each(|node| start(lab, &format!("{node}/etcd"))));
    finished(&mut pty);
    assert_eq!(lab.leader(), leader, "it has led all the time");
    assert_eq!(lab.sql(&leader, "SELECT pg_is_in_recovery()"), "f");
}

/// The PostgreSQL of the leader stops while the cluster is paused.
pub fn paused_and_down(operator: &Operator<'_>) {
    let lab = operator.lab;
    let old = lab.leader();
    lab.tool("patronictl", &["pause", lab.scope(), "--wait"]);
    kill_process(postmaster(lab, &old), Signal::INT).unwrap();
    leaderless(lab);
    let mut pty = operator.start(&["run", "leader-down", "--set", &format!("old={old}")]);
    yes(&mut pty, &["seen to be stopped there?", "has this now come first?"]);
    answer(&mut pty, "do it?", "y");
    yes(&mut pty, &["Do the applications write again?"]);
    finished(&mut pty);
    assert_eq!(lab.sql(&lab.leader(), "SELECT pg_is_in_recovery()"), "f");
    well(lab);
}

/// Makes a replica take in nothing more, while the leader goes on for more than `maximum_lag_on_failover`; the leader has said so to etcd.
fn left_behind(lab: &TestLab, leader: &str, replicas: &[String]) {
    let receivers: Vec<Pid> = replicas
        .iter()
        .map(|replica| lab.sql(replica, "SELECT pid FROM pg_stat_wal_receiver").parse().ok().and_then(Pid::from_raw).unwrap())
        .collect();
    receivers.iter().for_each(|pid| kill_process(*pid, Signal::STOP).unwrap());
    // More than what waits between the two.
    lab.sql(leader, "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1 << 20)) IS NULL FROM generate_series(1, 64)");
    let written: u64 = lab.sql(leader, "SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint").parse().unwrap();
    until("where the leader is, in etcd", PATIENCE, || {
        let status = lab.tool_json("etcdctl", &["get", "--print-value-only", &format!("/service/{}/status", lab.scope())]);
        if status["optime"].as_u64() >= Some(written) { Ok(()) } else { Err(status.to_string()) }
    });
    // A PostgreSQL that is stopped in order would wait for them.
    let server = postmaster(lab, leader);
    process::running(lab.layout(), &format!("{leader}/patroni")).unwrap().signal(Signal::KILL).unwrap();
    kill_process(server, Signal::QUIT).unwrap();
    until("its end", PATIENCE, || if test_kill_process(server).is_err() { Ok(()) } else { Err("it runs".to_owned()) });
    // The lease would end by itself, later.
    lab.tool("etcdctl", &["del", &format!("/service/{}/leader", lab.scope())]);
    receivers.iter().for_each(|pid| kill_process(*pid, Signal::CONT).unwrap());
}

/// No replica is allowed to take over, each lacks much, and the leader does not come back.
pub fn down_for_good(operator: &Operator<'_>) {
    let lab = operator.lab;
    let old = lab.leader();
    let replicas = lab.replicas();
    for replica in &replicas {
        tags(lab, replica, "tags: {nofailover: true}\n");
    }
    lab.tool("patronictl", &["reload", lab.scope(), "--force"]);
    until("the tags", PATIENCE, || {
        let list = lab.tool("patronictl", &["list", "-e"]);
        if list.matches("nofailover: true").count() == 2 { Ok(()) } else { Err(list) }
    });
    left_behind(lab, &old, &replicas);
    leaderless(lab);
    let candidate = &replicas[1];
    let mut pty = operator.start(&["run", "leader-down", "--set", &format!("old={old}")]);
    yes(&mut pty, &["seen to be stopped there?"]);
    did(&mut pty, "systemctl status patroni", || {});
    answer(&mut pty, "that can be waited for? [yes, no]", "no");
    yes(&mut pty, &["why it does not take over?"]);
    // The old leader is no choice, and it is said why not.
    answer(&mut pty, &format!("has received the most? [{}]", replicas.join(", ")), candidate);
    assert!(pty.screen().contains(&format!("not {old}: ")), "{}", pty.screen());
    did(&mut pty, "systemctl mask --now patroni", || {});
    yes(&mut pty, &["is its machine off for good?"]);
    did(&mut pty, "the tag nofailover away", || tags(lab, candidate, ""));
    answer(&mut pty, "do it?", "y");
    // It does not take over by itself.
    yes(&mut pty, &[&format!("what {candidate} has not received is given up?")]);
    // That something is lost is red: whoever does it all the same says so.
    let insists = format!("override {candidate}");
    answer(&mut pty, &format!("to do it all the same, type {insists}"), &insists);
    yes(&mut pty, &["until somebody has compared it?", "Do the applications write again?"]);
    finished(&mut pty);
    assert_eq!(lab.leader(), *candidate);
    assert_eq!(lab.sql(candidate, "SELECT pg_is_in_recovery()"), "f");
    tags(lab, &replicas[0], "");
    lab.tool("patronictl", &["reload", lab.scope(), &replicas[0], "--force"]);
    start(lab, &format!("{old}/patroni"));
    well(lab);
}

/// The leader's Patroni is killed; after the ttl another one leads, and two take writes.
pub fn split_brain(operator: &Operator<'_>) {
    let lab = operator.lab;
    let wrong = lab.leader();
    lab.fault(&["kill-patroni"]);
    let writes = |member: &str| lab.sql(member, "SELECT pg_is_in_recovery()") == "f";
    until("two that write", PATIENCE, || {
        let writers: Vec<String> = lab.layout().members().into_iter().filter(|member| writes(member)).collect();
        if writers.len() == 2 { Ok(()) } else { Err(format!("{writers:?}")) }
    });
    // It asks for the finding at once, and etcd and SQL are heard one after the other.
    until("the finding", PATIENCE, || {
        let codes: Vec<String> = lab.status().findings.into_iter().map(|finding| finding.code).collect();
        if codes.iter().any(|code| code == "split-brain") { Ok(()) } else { Err(format!("{codes:?}")) }
    });
    let mut pty = operator.start(&["run", "split-brain"]);
    answer(&mut pty, &format!("Who else accepts writes? [{wrong}]"), &wrong);
    did(&mut pty, "pg_ctl", || {
        let pid = postmaster(lab, &wrong);
        kill_process(pid, Signal::INT).unwrap();
        until("its end", PATIENCE, || {
            let there = lab.layout().data_dir(&wrong).join("postmaster.pid").exists();
            if there { Err("it runs".to_owned()) } else { Ok(()) }
        });
    });
    yes(&mut pty, &[&format!("write to {} now?", lab.leader())]);
    did(&mut pty, "-type l", || {});
    did(&mut pty, ".kept", || {});
    answer(&mut pty, "does not have? [nothing, something, unknown]", "unknown");
    yes(&mut pty, &["where they are kept?", "where nobody deletes it?"]);
    did(&mut pty, "systemctl start patroni", || start(lab, &format!("{wrong}/patroni")));
    yes(&mut pty, &["a watchdog is to be set up?"]);
    finished(&mut pty);
    assert!(!writes(&wrong));
    well(lab);
}
