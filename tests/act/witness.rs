//! Etcd's own tool watching the key `failover`: every request that was ever made, by whomever.

use std::io::{BufRead, BufReader};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::bench::{Bench, PATIENCE};
use crate::lab::{Running, until};

/// The watch.
pub struct Witness {
    seen: Arc<Mutex<Vec<Value>>>,
    _watch: Running,
}

impl Witness {
    /// Watches from now on: no change between this moment and the start of the tool is missed.
    pub fn of(b: &Bench) -> Self {
        let from = (b.key("failover").1 + 1).to_string();
        let mut watch = b.lab.start_tool("etcdctl", &["watch", "--rev", &from, &format!("/service/{}/failover", b.lab.scope())]);
        let lines = BufReader::new(watch.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&seen);
        thread::spawn(move || {
            for value in lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok()) {
                told.lock().unwrap().push(value);
            }
        });
        Self { seen, _watch: watch }
    }

    /// The requests so far; `{}`, which takes one away, is none.
    pub fn requests(&self) -> Vec<Value> {
        self.seen.lock().unwrap().iter().filter(|value| value.as_object().is_some_and(|o| !o.is_empty())).cloned().collect()
    }

    /// Waits for the first.
    pub fn wait(&self) {
        until("the request in etcd", PATIENCE, || if self.requests().is_empty() { Err("none".to_owned()) } else { Ok(()) });
    }

    /// Waits until the last was taken away, and that it was the only one.
    pub fn assert_one(&self) {
        until("the end of the request", PATIENCE, || {
            let last = self.seen.lock().unwrap().last().cloned();
            if last == Some(serde_json::json!({})) { Ok(()) } else { Err(format!("{last:?}")) }
        });
        assert_eq!(self.requests().len(), 1, "{:?}", self.requests());
    }
}
