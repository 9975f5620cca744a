//! What really is: asked of every party directly, by means that share nothing with pgbaton's sources.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pgbaton::lab::Lab;
use pgbaton::lab::http::Http;
use pgbaton::lab::sql::{self, User};
use serde_json::{Value, json};

/// How often each party is asked.
const EVERY: Duration = Duration::from_millis(100);
/// The REST API has five threads: it is asked more rarely.
const REST_EVERY: Duration = Duration::from_millis(500);
/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_millis(1000);

/// The truth at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Truth {
    /// Holder of the leader key by a linearizable read: nothing known, no key, or its holder.
    pub key: Option<Option<String>>,
    /// Whether the key `failover` is there, by such a read: somebody has asked for a switchover or a failover.
    pub asked: bool,
    /// `pg_is_in_recovery()` of each member that answers.
    pub recovery: BTreeMap<String, bool>,
    /// Status, role, state and replication state by each REST API that answers.
    pub rest: BTreeMap<String, (u16, String, String, String)>,
}

impl Truth {
    /// Members that accept writes.
    pub fn primaries(&self) -> Vec<&str> {
        self.recovery.iter().filter(|(_, recovers)| !**recovers).map(|(name, _)| name.as_str()).collect()
    }

    pub fn no_key(&self) -> bool {
        self.key == Some(None)
    }
}

/// The witness; it looks until it is dropped.
pub struct Witness {
    seen: Arc<Mutex<Seen>>,
    runtime: Option<tokio::runtime::Runtime>,
}

#[derive(Default)]
struct Seen {
    now: Truth,
    changes: Vec<(Instant, Truth)>,
}

impl Seen {
    fn note(&mut self, change: impl FnOnce(&mut Truth)) {
        let before = self.now.clone();
        change(&mut self.now);
        if self.now != before {
            self.changes.push((Instant::now(), self.now.clone()));
        }
    }
}

impl Witness {
    pub fn start(lab: &Lab) -> Self {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let http = Http::new(lab).unwrap();
        for member in lab.members() {
            runtime.spawn(watch_recovery(lab.clone(), member.clone(), Arc::clone(&seen)));
            runtime.spawn(watch_rest(lab.rest_url(&member), http.clone(), member, Arc::clone(&seen)));
        }
        // With users etcd wants a login for this; no case there asks for the key.
        if !lab.record.options.auth {
            runtime.spawn(watch_key(lab.clone(), http, Arc::clone(&seen)));
        }
        Self { seen, runtime: Some(runtime) }
    }

    pub fn now(&self) -> Truth {
        self.seen.lock().unwrap().now.clone()
    }

    /// The first moment, at or after `from`, at which something held.
    pub fn first(&self, from: Instant, holds: impl Fn(&Truth) -> bool) -> Option<Instant> {
        let seen = self.seen.lock().unwrap();
        let begin = seen.changes.partition_point(|(at, _)| *at <= from);
        if begin > 0 && holds(&seen.changes[begin - 1].1) {
            return Some(from);
        }
        seen.changes[begin..].iter().find(|(_, truth)| holds(truth)).map(|(at, _)| *at)
    }

    /// Whether something held at any time between two moments.
    pub fn held(&self, from: Instant, to: Instant, holds: impl Fn(&Truth) -> bool) -> bool {
        self.first(from, holds).is_some_and(|at| at <= to)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn watch_recovery(lab: Lab, member: String, seen: Arc<Mutex<Seen>>) {
    let mut client = None;
    loop {
        if client.is_none() {
            client = sql::member(&lab, &member, User::Superuser).await.ok();
        }
        let answer = match &client {
            Some(client) => tokio::time::timeout(PATIENCE, client.query_one("SELECT pg_is_in_recovery()", &[])).await.ok(),
            None => None,
        };
        let recovers = answer.and_then(Result::ok).map(|row| row.get::<_, bool>(0));
        if recovers.is_none() {
            client = None;
        }
        seen.lock().unwrap().note(|truth| match recovers {
            Some(recovers) => drop(truth.recovery.insert(member.clone(), recovers)),
            None => drop(truth.recovery.remove(&member)),
        });
        tokio::time::sleep(EVERY).await;
    }
}

async fn watch_rest(url: String, http: Http, member: String, seen: Arc<Mutex<Seen>>) {
    loop {
        let answer = http.get(&format!("{url}/patroni")).await.ok().and_then(|answer| {
            let value: Value = serde_json::from_str(&answer.body).ok()?;
            let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            Some((answer.status, text("role"), text("state"), text("replication_state")))
        });
        seen.lock().unwrap().note(|truth| match answer {
            Some(answer) => drop(truth.rest.insert(member.clone(), answer)),
            None => drop(truth.rest.remove(&member)),
        });
        tokio::time::sleep(REST_EVERY).await;
    }
}

/// The first endpoint whose majority confirms it is believed.
async fn watch_key(lab: Lab, http: Http, seen: Arc<Mutex<Seen>>) {
    // In base64, as etcd's gateway wants them.
    let [leader, failover] = ["leader", "failover"].map(|key| base64(format!("/service/{}/{key}", lab.record.name).as_bytes()));
    loop {
        let mut found = None;
        for member in lab.members() {
            let url = format!("{}/v3/kv/range", lab.etcd_url(&member));
            let Some(holder) = range(&http, &url, &leader).await else { continue };
            found = Some((holder, range(&http, &url, &failover).await.flatten().is_some()));
            break;
        }
        let named = |coded: String| lab.members().into_iter().find(|m| base64(m.as_bytes()) == coded).unwrap_or("?".into());
        seen.lock().unwrap().note(|truth| match found {
            Some((holder, asked)) => (truth.key, truth.asked) = (Some(holder.map(named)), asked),
            None => (truth.key, truth.asked) = (None, false),
        });
        tokio::time::sleep(EVERY).await;
    }
}

/// The value of a key, in base64; `Some(None)`: there is none.
async fn range(http: &Http, url: &str, key: &str) -> Option<Option<String>> {
    let answer = tokio::time::timeout(PATIENCE, http.post(url, &json!({ "key": key }))).await.ok()?.ok()?;
    let value: Value = serde_json::from_str(&answer.body).ok()?;
    (answer.status == 200).then(|| value["kvs"][0]["value"].as_str().map(str::to_owned))
}

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            out.push(if i <= chunk.len() { char::from(LETTERS[(n >> (18 - 6 * i) & 63) as usize]) } else { '=' });
        }
    }
    out
}
