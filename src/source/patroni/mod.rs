//! A member's Patroni, asked by its REST API: `/patroni` once a second, `/config` and `/history` twice a minute.
//!
//! Gently. Patroni's API has five threads, and five connections that are merely open block all of it: HAProxy's checks fail and a healthy
//! primary is dropped. So there is at most one connection for each member at any time. It is opened when the request is ready, it is closed
//! when the answer has come or the deadline has passed, and none is kept.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep, timeout};

use super::certificate::Presented;
use super::clock::Comparison;
use super::http::{Answer, Http};
use super::{Clock, Sink, TlsCache, poll};
use crate::model::{ErrorKind, Fact, Observation, Outcome, PatroniStatus, SourceError, SourceId, SourceKind};

/// How often `/config` and `/history` are asked for.
const RARE_PERIOD: Duration = Duration::from_secs(30);
/// The largest body that is read. `/patroni` has about 1 KiB, `/config` some, `/history` up to some 100 KiB.
const LARGEST: usize = 1024 * 1024;
/// For one answer: a little less than the source's deadline, so that it is this that says how far the question came.
const ANSWER: Duration = Duration::from_millis(1_900);
/// For `/config` and `/history` together: what is left of a second after a `/patroni`, so that the next one need not wait.
const RARE_DEADLINE: Duration = Duration::from_millis(800);

/// Asks the member at `api_url` (as the DCS gives it: `http://10.0.0.11:8008/patroni`); never ends, and dropping it ends the asking.
pub async fn run(sink: Sink, clock: Clock, member: &str, api_url: &str, tls: Arc<TlsCache>) {
    let source = SourceId::new(SourceKind::Rest, member);
    let rest = match Http::new("the member's api_url", api_url, tls, LARGEST) {
        Ok(rest) => rest.within(ANSWER).telling(Arc::new(Presented::new(sink.clone(), clock, source.clone()))),
        Err(error) => return poll(sink, clock, source, || std::future::ready(Err(error.clone()))).await,
    };
    let comparison = Comparison::new(sink.clone(), clock, source.clone());
    let asker = Asker { rest, line: Mutex::new(()), answered: Notify::new(), comparison };
    let status = poll(sink.clone(), clock, source.clone(), || asker.status());
    tokio::join!(status, asker.rare(sink, clock, source));
}

struct Asker {
    rest: Http,
    /// Held while a request is under way.
    line: Mutex<()>,
    answered: Notify,
    comparison: Comparison,
}

impl Asker {
    /// `/patroni` says 200 always; a proxy in front, or a health path, may say 503 with the same body.
    async fn status(&self) -> Result<Fact, SourceError> {
        let (Answer { date, body, .. }, took) = self.get("/patroni", &[200, 503]).await?;
        if let Some(date) = date {
            self.comparison.told(date, true, took);
        }
        let status = PatroniStatus::from_json(&body).map_err(|why| self.malformed("/patroni", &body, &why))?;
        self.answered.notify_one();
        Ok(Fact::Patroni(Box::new(status)))
    }

    async fn rare(&self, sink: Sink, clock: Clock, source: SourceId) {
        // Whoever asks once and leaves does without.
        self.answered.notified().await;
        loop {
            // Right after an answer to /patroni: the member is there, and the next second's turn is not near.
            self.answered.notified().await;
            let asked = timeout(RARE_DEADLINE, async {
                self.tell("/config", Fact::PatroniConfig, &sink, clock, &source).await;
                self.tell("/history", Fact::PatroniHistory, &sink, clock, &source).await;
            });
            // One that is late is asked again in half a minute.
            let _ = asked.await;
            sleep(RARE_PERIOD).await;
        }
    }

    /// Its errors are left to `/patroni`: what this tells only stands in for etcd, and a member that is being set up has neither.
    async fn tell(&self, path: &str, fact: fn(Value) -> Fact, sink: &Sink, clock: Clock, source: &SourceId) {
        let begun = Instant::now();
        let Ok((answer, _)) = self.get(path, &[200]).await else { return };
        let Ok(value) = serde_json::from_slice(&answer.body) else { return };
        let outcome = Outcome::Heard(Box::new(fact(value)));
        sink.report(Observation { source: source.clone(), at: clock.now(), rtt: Some(begun.elapsed()), outcome });
    }

    /// The answer, and how long it took.
    async fn get(&self, path: &str, accepted: &[u16]) -> Result<(Answer, Duration), SourceError> {
        let _line = self.line.lock().await;
        let begun = Instant::now();
        let answer = self.rest.get(path, accepted).await?;
        Ok((answer, begun.elapsed()))
    }

    fn malformed(&self, path: &str, body: &[u8], why: &str) -> SourceError {
        let what = match body.trim_ascii_start().first() {
            None => "an empty answer",
            Some(b'<') => "HTML instead of JSON",
            Some(_) => why,
        };
        SourceError::new(ErrorKind::Malformed, format!("GET {path} of {}: {what}", self.rest.authority()))
    }
}
