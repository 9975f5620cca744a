//! `pgbaton events` while a test does something to a lab.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use pgbaton::model::{Change, ChangeKind};
use serde_json::Value;

use super::lab::{Running, TestLab};

/// The leader key expires after 20 s; the rest is the election, a promotion and HAProxy's checks.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The lines of `events`, each with the moment at which it could be read.
pub struct Events {
    _process: Running,
    lines: Receiver<(SystemTime, String)>,
    /// What came so far.
    pub seen: Vec<(SystemTime, Change)>,
}

impl Events {
    /// Starts it and takes its first line.
    pub fn start(lab: &TestLab) -> (Self, Value) {
        let mut child = lab.pgbaton(&["events"]).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send((SystemTime::now(), line)).is_err() {
                    return;
                }
            }
        });
        let (_, first) = lines.recv_timeout(PATIENCE).expect("a first line");
        (Self { _process: Running(child), lines, seen: Vec::new() }, serde_json::from_str(&first).unwrap())
    }

    /// The next change for which `wanted` holds, or one seen already.
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&ChangeKind) -> bool) -> (SystemTime, Change) {
        let begun = Instant::now();
        loop {
            if let Some(found) = self.seen.iter().find(|(_, change)| wanted(&change.kind)) {
                return found.clone();
            }
            let Ok((read, line)) = self.lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) else {
                panic!("no {what}; came {:#?}", self.seen);
            };
            let change: Change = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
            let extra: Value = serde_json::from_str(&line).unwrap();
            assert!(extra["severity"].is_string() && extra["sentence"].as_str().is_some_and(|s| !s.is_empty()), "{line}");
            self.seen.push((read, change));
        }
    }
}
