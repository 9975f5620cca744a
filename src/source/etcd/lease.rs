//! The lease that the leader key hangs on: the seconds until the leader is replaced if it is gone.

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::dcs::Standing;
use super::link::Link;
use crate::model::{ErrorKind, Fact, Lease, Observation, Outcome, SourceError, SourceId, SourceKind};
use crate::source::{Clock, Sink};

/// Asks for the lease once a second, and at once when the leader key is taken by another; never ends.
///
/// It asks over the link on which the keys are watched, as only there it is known which lease to ask for. While they are not read, its failure
/// is theirs.
pub(super) async fn run(sink: Sink, clock: Clock, source: SourceId, mut standing: watch::Receiver<Standing>) {
    loop {
        let settled = match standing.wait_for(|now| !matches!(now, Standing::Opening)).await {
            Ok(now) => now.clone(),
            Err(_) => return,
        };
        let begun = Instant::now();
        let (answer, asked) = match settled {
            Standing::Opening => continue,
            Standing::Lost(error) => (Err(error), None),
            Standing::Open { link, lease } => {
                tokio::select! {
                    biased;
                    answer = ask(&link, lease) => (answer, Some(lease)),
                    // The keys are read elsewhere from now on, or the leader key hangs on another lease.
                    Ok(()) = standing.changed() => continue,
                }
            }
        };
        let outcome = match answer {
            Ok(lease) => Outcome::Heard(Box::new(Fact::Lease(lease))),
            Err(error) => Outcome::Failed(error),
        };
        sink.report(Observation { source: source.clone(), at: clock.now(), rtt: Some(begun.elapsed()), outcome });
        tokio::select! {
            () = sleep_until(begun + SourceKind::Lease.period()) => {}
            Ok(_) = standing.wait_for(|now| matches!(now, Standing::Open { lease, .. } if Some(*lease) != asked)) => {}
        }
    }
}

async fn ask(link: &Link, lease: Option<i64>) -> Result<Option<Lease>, SourceError> {
    let id = match lease {
        None => return Ok(None),
        Some(0) => return Err(SourceError::new(ErrorKind::Malformed, "the leader key hangs on no lease: it will not expire")),
        Some(id) => id,
    };
    let deadline = SourceKind::Lease.deadline();
    timeout(deadline, link.time_to_live(id)).await.map(|lease| lease.map(Some)).unwrap_or_else(|_| {
        let message = format!("{}: no answer about the leader's lease within {} s", link.endpoint().authority(), deadline.as_secs());
        Err(SourceError::new(ErrorKind::Timeout, message))
    })
}
