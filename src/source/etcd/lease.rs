//! The lease that the leader key hangs on: the seconds until the leader is replaced if it is gone.

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::dcs::Standing;
use crate::model::{ErrorKind, Fact, Lease, Observation, Outcome, SourceError, SourceId, SourceKind};
use crate::source::{Clock, Sink};

/// Asks for the lease once a second, and at once when the leader key is taken by another; never ends.
///
/// It asks over the link on which the keys are watched, as only there it is known which lease to ask for.
pub(super) async fn run(sink: Sink, clock: Clock, source: SourceId, mut standing: watch::Receiver<Standing>) {
    let deadline = SourceKind::Lease.deadline();
    loop {
        let begun = Instant::now();
        let mut asked = None;
        let answer = timeout(deadline, ask(&mut standing, &mut asked)).await.unwrap_or_else(|_| {
            Err(SourceError::new(ErrorKind::Timeout, format!("no answer about the leader's lease within {} s", deadline.as_secs())))
        });
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

/// `asked` becomes the lease that the leader key hangs on, when that is known. When the reading of the keys moves to another endpoint in the
/// meantime, this moves with it.
async fn ask(standing: &mut watch::Receiver<Standing>, asked: &mut Option<Option<i64>>) -> Result<Option<Lease>, SourceError> {
    loop {
        let settled = match standing.wait_for(|now| !matches!(now, Standing::Opening)).await {
            Ok(now) => now.clone(),
            Err(_) => return Err(SourceError::new(ErrorKind::Other, "the keys are no longer read")),
        };
        let (link, lease) = match settled {
            Standing::Opening => continue,
            Standing::Lost(error) => return Err(error),
            Standing::Open { link, lease } => (link, lease),
        };
        *asked = Some(lease);
        let id = match lease {
            None => return Ok(None),
            Some(0) => return Err(SourceError::new(ErrorKind::Malformed, "the leader key hangs on no lease: it will not expire")),
            Some(id) => id,
        };
        tokio::select! {
            biased;
            answer = link.time_to_live(id) => return answer.map(Some),
            Ok(()) = standing.changed() => {}
        }
    }
}
