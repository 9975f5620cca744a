//! Asking again and again.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::{Clock, Sink};
use crate::model::{ErrorKind, Fact, Observation, Outcome, SourceError, SourceId};

/// The longest pause between two attempts while a source fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Asks once each period of the source's kind, for ever; the future never ends, and dropping it ends the asking.
///
/// Every attempt has the kind's deadline, after which its future is dropped (and with it its connection) and a timeout is reported. While
/// attempts fail the pause doubles, up to three seconds: a node that comes back is seen within that.
pub async fn poll<F, Ask>(sink: Sink, clock: Clock, source: SourceId, mut ask: F)
where
    F: FnMut() -> Ask,
    Ask: Future<Output = Result<Fact, SourceError>>,
{
    let period = source.kind.period();
    let deadline = source.kind.deadline();
    let mut failures = 0u32;
    loop {
        let begun = Instant::now();
        let answer = timeout(deadline, ask())
            .await
            .unwrap_or_else(|_| Err(SourceError::new(ErrorKind::Timeout, format!("no answer within {} s", deadline.as_secs()))));
        let outcome = match answer {
            Ok(fact) => {
                failures = 0;
                Outcome::Heard(Box::new(fact))
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                Outcome::Failed(error)
            }
        };
        sink.report(Observation { source: source.clone(), at: clock.now(), rtt: Some(begun.elapsed()), outcome });
        let pause = (period * 2u32.saturating_pow(failures.saturating_sub(1).min(4))).min(LONGEST_PAUSE.max(period));
        sleep_until(begun + pause).await;
    }
}
