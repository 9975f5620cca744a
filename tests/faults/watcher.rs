//! The program as a script watches it: `pgbaton status --json --watch`, document by document, each with the moment of its arrival.

use std::io::BufReader;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use pgbaton::document::{Document, FindingDoc, Level, MemberDoc, Role};
use pgbaton::model::Time;

use crate::lab;

/// What is kept of a document.
#[derive(Debug, Clone)]
pub struct Shot {
    pub at: Instant,
    pub level: Level,
    /// `leads · verdict`.
    pub headline: String,
    pub findings: Vec<FindingDoc>,
    /// When each member's PostgreSQL was started.
    pub started: Vec<(String, Time)>,
    /// Seconds left of the leader's lease.
    pub lease: Option<f64>,
    /// What in it contradicts itself: see [`lies`].
    pub lies: Vec<String>,
}

/// A running watch.
pub struct Watcher {
    child: Child,
    shots: Arc<Mutex<Vec<Shot>>>,
}

impl Watcher {
    pub fn start(config: &Path) -> Self {
        let mut command = lab::pgbaton();
        command.arg("-c").arg(config).args(["status", "--json", "--watch", "0.2"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let shots: Arc<Mutex<Vec<Shot>>> = Arc::default();
        let kept = Arc::clone(&shots);
        std::thread::spawn(move || {
            // The end of the stream is the end of the watch; a document that cannot be read is one that never came.
            for document in serde_json::Deserializer::from_reader(BufReader::new(out)).into_iter::<Document>() {
                let Ok(document) = document else { break };
                kept.lock().unwrap().push(shot(document));
            }
        });
        Self { child, shots }
    }

    /// Everything that arrived since a moment.
    pub fn since(&self, moment: Instant) -> Vec<Shot> {
        let shots = self.shots.lock().unwrap();
        let begin = shots.partition_point(|s| s.at < moment);
        shots[begin..].to_vec()
    }

    pub fn last(&self) -> Option<Shot> {
        self.shots.lock().unwrap().last().cloned()
    }

    pub fn forget(&self) {
        self.shots.lock().unwrap().clear();
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shot(document: Document) -> Shot {
    Shot {
        at: Instant::now(),
        level: document.headline.level,
        headline: format!("{} · {}", document.headline.leads, document.headline.verdict),
        lease: document.cluster.lease_ttl_seconds,
        lies: lies(&document),
        started: document.members.iter().filter_map(|m| Some((m.name.clone(), m.postmaster_start?))).collect(),
        findings: document.findings,
    }
}

/// What no document may say, whatever happens to the cluster.
fn lies(document: &Document) -> Vec<String> {
    let mut found = Vec::new();
    if document.headline.level == Level::Ok {
        let old: Vec<String> =
            document.sources.iter().filter(|s| !s.fresh || s.error.is_some()).map(|s| format!("{} {}", s.name, s.target)).collect();
        if !old.is_empty() {
            found.push(format!("healthy, while {} give no current answer", old.join(", ")));
        }
        if !document.findings.is_empty() {
            found.push(format!("healthy with {} findings", document.findings.len()));
        }
        if document.routes.iter().any(|r| r.right == Some(false)) {
            found.push("healthy, while a route leads elsewhere".to_owned());
        }
    }
    let leaders: Vec<&MemberDoc> = document.members.iter().filter(|m| matches!(m.role, Role::Leader | Role::StandbyLeader)).collect();
    if leaders.len() > 1 {
        found.push("two leaders".to_owned());
    }
    for leader in leaders {
        let named = document.cluster.truths.iter().any(|t| t.leaders.contains(&leader.name));
        if !named {
            found.push(format!("{} is drawn as leader, and no current source names it", leader.name));
        }
    }
    for source in &document.sources {
        if source.fresh && source.age_ms.is_none_or(|age| age > source.limit_ms) {
            found.push(format!("{} {} is called fresh at an age of {:?} ms", source.name, source.target, source.age_ms));
        }
    }
    for member in &document.members {
        let heard = member.rest.fresh || member.sql.fresh || member.dcs.fresh;
        if member.state.is_some() && !heard {
            found.push(format!("{} is {:?} by nobody's fresh word", member.name, member.state));
        }
    }
    found
}
