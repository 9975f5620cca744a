//! A watch on the leader key that knows nothing of pgbaton: the moments that its words are measured against.
#![allow(dead_code, reason = "each test file uses its part of it")]
#![allow(clippy::unwrap_used)]

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use etcd_client::{Client, EventType, WatchOptions};

/// A leader key expires after 20 s in the labs of the tests, later when etcd itself has lost its leader; an election follows.
const PATIENCE: Duration = Duration::from_secs(90);

/// A commit of the leader key as the watch received it.
#[derive(Debug, Clone)]
pub struct Commit {
    pub at: SystemTime,
    /// Who holds the key from now on; `None`: it is deleted.
    pub holder: Option<String>,
}

impl Commit {
    /// How long after it a moment is; nothing when it is before, which two watches of one commit can be by their own delays.
    pub fn until(&self, moment: SystemTime) -> Duration {
        moment.duration_since(self.at).unwrap_or_default()
    }
}

/// The watch. It ends with the process.
pub struct LeaderWatch(Receiver<Commit>);

impl LeaderWatch {
    /// Watches over one endpoint; returns when etcd has confirmed the watch.
    pub fn start(endpoint: String, scope: &str) -> Self {
        let key = format!("/service/{scope}/leader");
        let (send, commits) = channel();
        let (ready, started) = channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut client = Client::connect([endpoint], None).await.unwrap();
                let mut stream = client.watch(key, Some(WatchOptions::new())).await.unwrap();
                ready.send(()).unwrap();
                while let Ok(Some(message)) = stream.message().await {
                    let at = SystemTime::now();
                    for event in message.events() {
                        let value = event.kv().map(|kv| String::from_utf8_lossy(kv.value()).into_owned());
                        let holder = if event.event_type() == EventType::Put { value } else { None };
                        if send.send(Commit { at, holder }).is_err() {
                            return;
                        }
                    }
                }
            });
        });
        started.recv_timeout(PATIENCE).expect("the watch begins");
        Self(commits)
    }

    /// The next commit for which `wanted` holds.
    pub fn wait(&self, wanted: impl Fn(&Commit) -> bool) -> Commit {
        let begun = Instant::now();
        loop {
            let commit = self.0.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())).expect("a commit of the leader key");
            if wanted(&commit) {
                return commit;
            }
        }
    }
}
