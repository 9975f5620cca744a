//! Keeping a source running.

use std::any::Any;
use std::future::Future;
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};
use tokio::time::sleep;

use super::{Clock, Sink};
use crate::model::{ErrorKind, Observation, Outcome, SourceError, SourceId, SourceKind};

/// The pause before a source that has stopped is started again.
const PAUSE: Duration = Duration::from_secs(2);

/// A task that ends when this is dropped.
pub(super) struct Task(JoinHandle<()>);

impl Task {
    /// Runs something that nobody waits for.
    pub fn of(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs a source in a task of its own, and starts it again when it stops.
///
/// A source that panics must not take the program with it, nor vanish: its failure is reported like any other.
pub(super) fn supervise<Make, Running>(sink: Sink, clock: Clock, source: SourceId, make: Make) -> Task
where
    Make: Fn() -> Running + Send + 'static,
    Running: Future<Output = ()> + Send + 'static,
{
    Task(tokio::spawn(async move {
        loop {
            let mut task = Task(tokio::spawn(make()));
            let error = stopped((&mut task.0).await);
            let observation = Observation { source: source.clone(), at: clock.now(), rtt: None, outcome: Outcome::Failed(error) };
            if source.kind != SourceKind::Dcs {
                sink.report(observation);
            } else if !sink.push(observation).await {
                return;
            }
            sleep(PAUSE).await;
        }
    }))
}

fn stopped(end: Result<(), JoinError>) -> SourceError {
    let why = match end.map_err(JoinError::try_into_panic) {
        Ok(()) => "it came to an end".to_owned(),
        Err(Ok(panic)) => said(panic.as_ref()),
        Err(Err(cancelled)) => cancelled.to_string(),
    };
    SourceError::new(ErrorKind::Other, format!("the source stopped: {why}")).with_hint("this is a mistake in pgbaton; it is started again")
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::model::Fact;
    use crate::source::inbox;

    #[tokio::test]
    async fn a_panic_is_reported_and_the_source_starts_again() {
        let (sink, mut inbox) = inbox();
        let clock = Clock::start();
        let source = SourceId::new(SourceKind::Lease, "psg");
        let starts = Arc::new(AtomicUsize::new(0));
        let reports = sink.clone();
        let id = source.clone();
        let task = supervise(sink, clock, source, move || {
            let (start, sink, source) = (starts.fetch_add(1, Ordering::Relaxed), reports.clone(), id.clone());
            async move {
                assert!(start > 0, "the first one fails");
                sink.report(Observation { source, at: clock.now(), rtt: None, outcome: Outcome::Heard(Box::new(Fact::Lease(None))) });
                std::future::pending().await
            }
        });
        let Outcome::Failed(error) = inbox.next().await.remove(0).outcome else { panic!("a failure first") };
        assert_eq!(error.message, "the source stopped: the first one fails");
        assert!(matches!(inbox.next().await.remove(0).outcome, Outcome::Heard(_)));
        drop(task);
    }

    #[tokio::test]
    async fn what_is_dropped_ends() {
        struct Ends(tokio::sync::mpsc::Sender<()>);
        let (sink, _inbox) = inbox();
        let (alive, mut ended) = tokio::sync::mpsc::channel::<()>(1);
        let held = Ends(alive);
        let task = supervise(sink, Clock::start(), SourceId::new(SourceKind::Rest, "psg1"), move || {
            let held = Ends(held.0.clone());
            async move {
                let _held = held;
                std::future::pending().await
            }
        });
        tokio::task::yield_now().await;
        drop(task);
        assert!(ended.recv().await.is_none(), "the task's part is dropped");
    }
}
