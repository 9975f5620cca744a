//! One watch, and the reads that prove that it lives.

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use etcd_client::{EventType, WatchResponse};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::dcs::{Reader, Standing};
use super::known::{Known, Verdict};
use super::link::{Link, Since, dcs_key, without};
use crate::model::{DcsEvent, ErrorKind, Fact, SourceError, SourceKind};

/// For the start of a watch and for a confirming read. An endpoint that takes longer is left for another one.
const DEADLINE: Duration = Duration::from_secs(1);

/// Why a session ended.
pub(super) enum End {
    /// Nobody listens any more.
    Unheard,
    /// The endpoint no longer answers.
    Lost(SourceError),
    /// etcd no longer has the events that are missing, or its revision went back: all must be listed anew.
    Void,
}

/// A watch over one link.
pub(super) struct Session<'a> {
    pub reader: &'a Reader,
    pub link: Link,
    pub known: &'a mut Known,
}

/// A confirming read under way: what was known when it was sent, and when that was.
type Confirming = Pin<Box<dyn Future<Output = (i64, Instant, Result<Since, SourceError>)> + Send>>;

impl Session<'_> {
    /// Pushes what is committed as it is committed, and confirms once a second, by a read of a majority, that nothing was missed. A watch
    /// alone proves nothing: it stays open and silent when its endpoint freezes and when the quorum is lost.
    pub async fn run(mut self) -> End {
        let prefix = self.reader.prefix.clone();
        let mut watch = match timeout(DEADLINE, self.link.watch(&prefix, self.known.revision + 1)).await {
            Ok(Ok(watch)) => watch,
            Ok(Err(error)) => return End::Lost(error),
            Err(_) => return End::Lost(self.late("the watch did not begin")),
        };
        self.reader.standing.send_replace(Standing::Open { link: Box::new(self.link.clone()), lease: self.known.lease });
        let period = SourceKind::Dcs.period();
        let mut tick = interval_at(Instant::now() + period, period);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut confirming: Option<Confirming> = None;
        let mut behind_at: Option<i64> = None;
        loop {
            tokio::select! {
                biased;
                message = watch.message() => {
                    let end = match message {
                        Ok(Some(message)) => self.take(&message).await,
                        Ok(None) => Some(End::Lost(self.broken("the watch ended"))),
                        Err(error) => Some(End::Lost(self.link.explain_watch(&error, &prefix))),
                    };
                    if let Some(end) = end {
                        return end;
                    }
                }
                (asked, begun, answer) = ask(&mut confirming) => {
                    confirming = None;
                    let since = match answer {
                        Ok(since) => since,
                        Err(error) => return End::Lost(error),
                    };
                    match self.known.judge(&since, asked) {
                        Verdict::Complete => {
                            behind_at = None;
                            self.known.revision = since.revision;
                            if !self.reader.heard(Fact::DcsConfirmed { revision: since.revision }, Some(begun.elapsed())).await {
                                return End::Unheard;
                            }
                        }
                        Verdict::Overtaken => behind_at = None,
                        // An event may be on its way; if the next read finds the watch where it was, it is not.
                        Verdict::Behind if behind_at == Some(self.known.revision) => return End::Lost(self.broken("the watch is silent")),
                        Verdict::Behind => behind_at = Some(self.known.revision),
                        Verdict::WentBack => return End::Void,
                    }
                }
                _ = tick.tick(), if confirming.is_none() => confirming = Some(self.confirm()),
            }
        }
    }

    fn confirm(&self) -> Confirming {
        let (link, prefix, asked) = (self.link.clone(), self.reader.prefix.clone(), self.known.revision);
        let late = self.late("no answer from a majority");
        Box::pin(async move {
            let begun = Instant::now();
            let answer = timeout(DEADLINE, link.since(&prefix, asked)).await.unwrap_or(Err(late));
            (asked, begun, answer)
        })
    }

    /// Passes a message on. `Some`: the watch is over.
    async fn take(&mut self, message: &WatchResponse) -> Option<End> {
        let prefix = &self.reader.prefix;
        if message.canceled() {
            return Some(match message.compact_revision() {
                0 => End::Lost(self.link.explain_cancel(message.cancel_reason(), prefix)),
                _ => End::Void,
            });
        }
        let event = |event: &etcd_client::Event| {
            let kv = event.kv()?;
            Some(match event.event_type() {
                EventType::Put => DcsEvent::Put(dcs_key(kv, prefix)),
                EventType::Delete => DcsEvent::Delete { key: without(kv.key(), prefix), revision: kv.mod_revision() },
            })
        };
        let events: Vec<DcsEvent> = message.events().iter().filter_map(event).collect();
        if events.is_empty() {
            return None;
        }
        let lease = self.known.lease;
        events.iter().for_each(|event| self.known.apply(event));
        if self.known.lease != lease {
            self.reader.standing.send_replace(Standing::Open { link: Box::new(self.link.clone()), lease: self.known.lease });
        }
        let heard = self.reader.heard(Fact::DcsChanged { revision: self.known.revision, events }, None).await;
        (!heard).then_some(End::Unheard)
    }

    fn late(&self, what: &str) -> SourceError {
        let endpoint = self.link.endpoint().authority();
        SourceError::new(ErrorKind::Timeout, format!("{endpoint}: {what} within {} s", DEADLINE.as_secs()))
    }

    fn broken(&self, what: &str) -> SourceError {
        SourceError::new(ErrorKind::Broken, format!("{}: {what}", self.link.endpoint().authority()))
    }
}

/// The answer of the read under way; never, when there is none.
async fn ask(confirming: &mut Option<Confirming>) -> (i64, Instant, Result<Since, SourceError>) {
    match confirming {
        Some(read) => read.await,
        None => pending().await,
    }
}
