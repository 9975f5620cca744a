//! A node that goes away with all that runs on it, and comes back: its real logs are told to the last line, each line once.

use std::fs;
use std::path::Path;
use std::time::Instant;

use pgbaton::lab::{conf, process, scan};
use rustix::process::Signal;
use serde_json::Value;

use crate::lab::{TestLab, until};
use crate::log_lines::{LogLines, PATIENCE, is};
use crate::{children, kill};

const PROGRAMS: [(&str, &str); 3] = [("patroni", "patroni.log"), ("etcd", "etcd.log"), ("postgres", "postgresql.log")];

pub fn a_node_that_boots_again_is_read_on(lab: &TestLab) {
    let (layout, leader) = (lab.layout(), lab.leader());
    // The files of psg3 have had other names.
    let node = if leader == "psg1" { "psg2" } else { "psg1" };
    let mut lines = LogLines::start(&lab.config(), &[node, "--since", "1h"]);
    let beats = |lines: &[Value]| lines.iter().filter(|line| is(line, node, "patroni", "no action. I am")).count();
    lines.until("the node's logs", |seen| beats(seen) > 0);

    lose_power(lab, node);
    lines.line(node, "patroni", &format!("connection refused by {node}"));
    // What a boot does first: the log of before is put away, and Patroni begins another one.
    let patroni = layout.log_dir(node).join("patroni.log");
    fs::rename(&patroni, patroni.with_extension("log.1")).unwrap();
    // It says that it is another machine, and then it is itself again.
    let config = layout.node_dir(node).join("sshd_config");
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, good.replace("/host_key", "/user_key")).unwrap();
    start(lab, node, "sshd");
    lines.line(node, "patroni", &format!("the host key of {node} has changed"));
    fs::write(&config, good).unwrap();
    stop(lab, node, "sshd", Signal::KILL);
    for program in ["sshd", "etcd", "patroni"] {
        start(lab, node, program);
    }
    let before = beats(&lines.seen);
    lines.until("Patroni after the boot", |seen| beats(seen) > before);
    lines.line(node, "postgres", "database system was interrupted while in recovery");

    stop(lab, node, "patroni", Signal::TERM);
    start(lab, node, "patroni");
    let before = beats(&lines.seen);
    lines.until("Patroni after its restart", |seen| beats(seen) > before);
    told_to_the_last_line(lab, node, &mut lines);
    let marks = |kind: &str| lines.seen.iter().filter(|line| line["kind"] == kind).map(|line| line["text"].to_string()).collect::<Vec<_>>();
    assert_eq!(marks("gap"), [] as [String; 0]);
    // Once by the boot, at which its file was another one; the others' went on.
    let rotated = lines.seen.iter().filter(|line| line["kind"] == "rotated").map(|line| &line["program"]).collect::<Vec<_>>();
    assert_eq!(rotated, ["patroni"]);
}

/// Everything that runs on the node is gone at once.
fn lose_power(lab: &TestLab, node: &str) {
    let layout = lab.layout();
    let mut all: Vec<i32> = conf::keys_of(layout, node).iter().map(|key| process::running(layout, key).unwrap().pid).collect();
    all.extend(scan::postgres(&layout.data_dir(node)).iter().map(|id| id.pid));
    let mut at = 0;
    while at < all.len() {
        let more: Vec<i32> = children(all[at]).filter(|pid| !all.contains(pid)).collect();
        all.extend(more);
        at += 1;
    }
    for pid in all {
        // One may have ended with the one before it.
        let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL);
    }
}

pub fn stop(lab: &TestLab, node: &str, program: &str, signal: Signal) {
    let key = format!("{node}/{program}");
    let id = process::running(lab.layout(), &key).unwrap();
    if program == "sshd" {
        children(id.pid).for_each(kill);
    }
    id.signal(signal).unwrap();
    until(&format!("the end of {key}"), PATIENCE, || process::running(lab.layout(), &key).map_or(Ok(()), |_| Err("it runs".to_owned())));
}

pub fn start(lab: &TestLab, node: &str, program: &str) {
    process::start(lab.layout(), &conf::spec(lab.layout(), &format!("{node}/{program}")).unwrap()).unwrap();
}

/// As many lines were told of each program as its files have; never more.
fn told_to_the_last_line(lab: &TestLab, node: &str, lines: &mut LogLines) {
    let folder = lab.layout().log_dir(node);
    for (program, file) in PROGRAMS {
        let begun = Instant::now();
        loop {
            let told = lines_of(&lines.seen, node, program);
            let written = count(&folder.join(file)) + count(&folder.join(format!("{file}.1")));
            assert!(told <= written, "{told} lines of {program} were told, and {written} are there");
            if told == written {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{told} lines of {program} were told, and {written} are there");
            let number = lines.seen.len();
            lines.until("a line more", |seen| seen.len() > number);
        }
    }
}

fn lines_of(seen: &[Value], node: &str, program: &str) -> u64 {
    let of = |line: &&Value| line["node"] == node && line["program"] == program && line["kind"] == "line";
    seen.iter().filter(of).map(|line| line["lines"].as_u64().unwrap()).sum()
}

/// The lines of a file; none, if it is not there.
fn count(path: &Path) -> u64 {
    fs::read(path).map_or(0, |bytes| bytes.iter().filter(|byte| **byte == b'\n').count() as u64)
}
