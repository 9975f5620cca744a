//! The pictures that one process of ours tells, one after the other.

use std::io::BufReader;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use pgbaton::document::Document;

use super::lab::{Running, pgbaton};

/// Longer than anything takes that is waited for here.
const PATIENCE: Duration = Duration::from_secs(120);

/// `status --json --watch`.
pub struct Watching {
    documents: Receiver<Document>,
    _process: Running,
}

impl Watching {
    /// A picture each `seconds`.
    pub fn start(config: &Path, seconds: &str) -> Self {
        let mut command = pgbaton();
        command.arg("-c").arg(config).args(["status", "--json", "--watch", seconds]).stdout(Stdio::piped());
        let mut process = Running(command.spawn().unwrap());
        let output = process.0.stdout.take().unwrap();
        let (to, documents) = channel();
        std::thread::spawn(move || {
            let all = serde_json::Deserializer::from_reader(BufReader::new(output)).into_iter::<Document>();
            all.map_while(Result::ok).take_while(|document| to.send(document.clone()).is_ok()).for_each(drop);
        });
        Self { documents, _process: process }
    }

    /// The first picture of which `is` is true.
    pub fn until(&self, what: &str, is: impl Fn(&Document) -> bool) -> Document {
        let (begun, mut last) = (Instant::now(), None);
        while begun.elapsed() < PATIENCE {
            match self.documents.recv_timeout(Duration::from_secs(1)) {
                Ok(document) if is(&document) => return document,
                Ok(document) => last = Some(document),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("it ended before {what}"),
            }
        }
        let told = last.map(|document| (document.nodes, document.dags, document.target, document.findings));
        panic!("{what} did not come: {told:#?}");
    }
}
