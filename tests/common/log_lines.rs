//! `pgbaton logs` while a test does something to a lab.
#![allow(dead_code, reason = "each test file uses its part of it")]
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::lab::{Running, pgbaton};

/// How long a line may take: a switchover, a connection that is made anew with its pauses, a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The lines of `logs --json --follow`.
pub struct LogLines {
    process: Running,
    lines: Receiver<Value>,
    /// What came so far.
    pub seen: Vec<Value>,
}

impl LogLines {
    /// Starts it with a configuration and these arguments.
    pub fn start(config: &Path, args: &[&str]) -> Self {
        let mut child =
            pgbaton().arg("-c").arg(config).args(["logs", "--json", "--follow"]).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
                if send.send(value).is_err() {
                    return;
                }
            }
        });
        Self { process: Running(child), lines, seen: Vec::new() }
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Kills it, and forgets it.
    pub fn kill(mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }

    /// Waits until something holds of all that came.
    pub fn until(&mut self, what: &str, holds: impl Fn(&[Value]) -> bool) {
        let begun = Instant::now();
        while !holds(&self.seen) {
            match self.lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(line) => self.seen.push(line),
                Err(_) => {
                    let last: Vec<String> = self.seen.iter().rev().take(40).map(Value::to_string).collect();
                    panic!("no {what} among {} lines, of which the last were, backwards:\n{}", self.seen.len(), last.join("\n"));
                }
            }
        }
    }

    /// Waits for a line of this node and program with this text in it; where among all lines it is.
    pub fn line(&mut self, node: &str, program: &str, text: &str) -> usize {
        let is = |line: &Value| is(line, node, program, text);
        if let Some(at) = self.seen.iter().position(is) {
            return at;
        }
        self.until(&format!("{text:?} of {program} on {node}"), |seen| seen.last().is_some_and(is));
        self.seen.len() - 1
    }
}

/// Whether a line is of this node and program and has this text in it.
pub fn is(line: &Value, node: &str, program: &str, text: &str) -> bool {
    line["node"] == node && line["program"] == program && line["text"].as_str().is_some_and(|line| line.contains(text))
}
