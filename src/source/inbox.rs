//! The way from the sources to the one who folds observations into the cluster.
//!
//! Two kinds of traffic. What is asked for periodically has one slot for each source and question: the newest answer replaces the one that was
//! not fetched yet, so a slow reader never meets a backlog. What etcd pushes must arrive whole and in order: it goes through a short queue, and
//! the watch waits while that is full.

use std::collections::HashMap;
use std::mem::Discriminant;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, mpsc};

use crate::model::{Fact, Observation, Outcome, SourceId};

/// Watch messages that may wait; a message holds all events of one revision, so this is far more than a failover makes.
const QUEUE: usize = 256;

/// Which slot an observation takes: of one source, an answer to one question, or a failure.
type Slot = (SourceId, Option<Discriminant<Fact>>);

#[derive(Default)]
struct Shared {
    slots: Mutex<Slots>,
    filled: Notify,
}

#[derive(Default)]
struct Slots {
    order: Vec<Slot>,
    waiting: HashMap<Slot, Observation>,
}

/// Makes an inbox and the first of its sinks.
pub fn inbox() -> (Sink, Inbox) {
    let shared = Arc::new(Shared::default());
    let (queue, events) = mpsc::channel(QUEUE);
    (Sink { shared: Arc::clone(&shared), queue }, Inbox { shared, events })
}

/// Where a source puts what it has heard.
#[derive(Clone)]
pub struct Sink {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Observation>,
}

impl Sink {
    /// Puts a periodic answer or a failure into its slot; what was there is replaced.
    pub fn report(&self, observation: Observation) {
        let question = match &observation.outcome {
            Outcome::Heard(fact) => Some(std::mem::discriminant(fact.as_ref())),
            Outcome::Failed(_) => None,
        };
        let slot = (observation.source.clone(), question);
        let mut slots = self.shared.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.waiting.insert(slot.clone(), observation).is_some() {
            slots.order.retain(|waiting| *waiting != slot);
        }
        slots.order.push(slot);
        drop(slots);
        self.shared.filled.notify_one();
    }

    /// Queues what was pushed, in order, and waits while the queue is full. `false`: nobody listens any more.
    pub async fn push(&self, observation: Observation) -> bool {
        self.queue.send(observation).await.is_ok()
    }
}

/// Where the observations are fetched.
pub struct Inbox {
    shared: Arc<Shared>,
    events: mpsc::Receiver<Observation>,
}

impl Inbox {
    /// Everything that has arrived; waits until there is something. Safe to drop while it waits.
    pub async fn next(&mut self) -> Vec<Observation> {
        loop {
            let arrived = self.drain();
            if !arrived.is_empty() {
                return arrived;
            }
            tokio::select! {
                () = self.shared.filled.notified() => {}
                Some(first) = self.events.recv() => {
                    let mut arrived = vec![first];
                    arrived.extend(self.drain());
                    return arrived;
                }
            }
        }
    }

    /// Everything that has arrived, without waiting.
    pub fn drain(&mut self) -> Vec<Observation> {
        let mut arrived = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            arrived.push(event);
        }
        let slots = std::mem::take(&mut *self.shared.slots.lock().unwrap_or_else(PoisonError::into_inner));
        let Slots { order, mut waiting } = slots;
        arrived.extend(order.into_iter().filter_map(|slot| waiting.remove(&slot)));
        arrived
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ErrorKind, SourceError, SourceKind, Time};

    fn seen(kind: SourceKind, at: i64, fact: Option<Fact>) -> Observation {
        let outcome = match fact {
            Some(fact) => Outcome::Heard(Box::new(fact)),
            None => Outcome::Failed(SourceError::new(ErrorKind::Refused, "refused")),
        };
        Observation { source: SourceId::new(kind, "x"), at: Time::from_micros(at), rtt: None, outcome }
    }

    #[tokio::test]
    async fn the_newest_answer_replaces_the_one_that_waits() {
        let (sink, mut inbox) = inbox();
        for at in 0..1000 {
            sink.report(seen(SourceKind::Lease, at, Some(Fact::Lease(None))));
        }
        sink.report(seen(SourceKind::Rest, 5, None));
        let arrived = inbox.next().await;
        assert_eq!(arrived.len(), 2);
        assert_eq!(arrived[0].at, Time::from_micros(999));
    }

    #[tokio::test]
    async fn what_is_pushed_arrives_whole_and_in_order() {
        let (sink, mut inbox) = inbox();
        let writer = tokio::spawn(async move {
            for at in 0..2000 {
                assert!(sink.push(seen(SourceKind::Dcs, at, Some(Fact::DcsConfirmed { revision: at }))).await);
            }
        });
        let mut got = Vec::new();
        while got.len() < 2000 {
            got.extend(inbox.next().await.into_iter().map(|o| o.at.as_micros()));
        }
        writer.await.expect("the writer ends");
        assert_eq!(got, (0..2000).collect::<Vec<_>>());
    }
}
