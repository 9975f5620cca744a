//! The cluster's keys: listed, watched, confirmed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Endpoint;
use super::known::{Known, Relation};
use super::link::{Access, Identity, Link, Listing};
use super::race::race;
use super::session::{End, Session};
use crate::model::{Consistency, ErrorKind, Fact, Observation, Outcome, SourceError, SourceId, SourceKind};
use crate::source::{Clock, Sink};

/// For one endpoint's own word when a majority is silent; it answers in a millisecond or not at all.
const ALONE_DEADLINE: Duration = Duration::from_millis(500);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The pause after a login was refused: each attempt costs etcd a password check, which it makes slow on purpose.
const AUTH_PAUSE: Duration = Duration::from_secs(5);
/// A session that ends sooner than this was of no use.
const SHORT: Duration = Duration::from_secs(1);

/// How the reading of the keys stands; the lease's reader follows it.
#[derive(Clone)]
pub(super) enum Standing {
    /// An endpoint is being looked for.
    Opening,
    /// The keys are watched over this link.
    Open {
        /// The link.
        link: Box<Link>,
        /// The leader key's lease; `None`: no leader key.
        lease: Option<i64>,
    },
    /// No endpoint answers for a majority.
    Lost(SourceError),
}

/// What the reader of the keys works with.
pub(super) struct Reader {
    pub access: Arc<Access>,
    pub source: SourceId,
    /// `/service/psg/`.
    pub prefix: String,
    pub endpoints: watch::Receiver<Vec<Endpoint>>,
    pub standing: watch::Sender<Standing>,
    pub sink: Sink,
    pub clock: Clock,
}

/// Reads until nobody listens any more.
///
/// One endpoint is listed and watched. When it fails, the others are asked; what was missed in between is had from a watch that begins at the
/// last known revision, so that no event is lost, or from a new list when etcd no longer has the events. Only when no endpoint answers for a
/// majority is the source failed; then one endpoint is read by itself, and the answer is labelled so.
pub(super) async fn run(mut reader: Reader) {
    let mut known: Option<Known> = None;
    let mut avoid: Option<Endpoint> = None;
    let mut failures = 0u32;
    loop {
        let begun = Instant::now();
        let endpoints = in_turn(reader.endpoints.borrow_and_update().clone(), avoid.as_ref());
        let error = match reader.list(&endpoints, Consistency::Linearizable, SourceKind::Dcs.deadline()).await {
            Ok((link, listing)) => {
                avoid = Some(link.endpoint().clone());
                match reader.watch(link, listing, &mut known, begun.elapsed()).await {
                    End::Unheard => return,
                    // What was there is still right, or will be listed at once: no need to alarm anybody.
                    End::Lost(_) | End::Void if begun.elapsed() >= SHORT || failures == 0 => {
                        failures = u32::from(begun.elapsed() < SHORT);
                        continue;
                    }
                    End::Void => SourceError::new(ErrorKind::Unavailable, "etcd has dropped the changes before they could be read"),
                    End::Lost(error) => error,
                }
            }
            Err(error) => {
                if !reader.without_majority(&endpoints, error.clone(), &mut known).await {
                    return;
                }
                reader.pause(begun, &mut failures, &error).await;
                continue;
            }
        };
        if !reader.failed(error.clone()).await {
            return;
        }
        reader.pause(begun, &mut failures, &error).await;
    }
}

/// The endpoints with the one that failed last at the end, and those that follow it first.
fn in_turn(mut endpoints: Vec<Endpoint>, avoid: Option<&Endpoint>) -> Vec<Endpoint> {
    if let Some(at) = avoid.and_then(|a| endpoints.iter().position(|e| e == a)) {
        endpoints.rotate_left(at + 1);
    }
    endpoints
}

impl Reader {
    async fn list(&self, endpoints: &[Endpoint], consistency: Consistency, deadline: Duration) -> Result<(Link, Listing), SourceError> {
        race(endpoints, deadline, async |endpoint| {
            let link = self.access.open(endpoint, Identity::User).await?;
            let listing = link.list(&self.prefix, consistency).await?;
            Ok((link, listing))
        })
        .await
    }

    /// Brings the listener up to date, and watches until that ends.
    async fn watch(&self, link: Link, listing: Listing, known: &mut Option<Known>, rtt: Duration) -> End {
        let revision = listing.revision;
        let relation = known.as_ref().map_or(Relation::Foreign, |known| known.relation(&listing));
        let now = match (known.as_mut(), relation) {
            (Some(known), Relation::Later) => known,
            (Some(known), Relation::Same) => {
                known.revision = revision;
                if !self.heard(Fact::DcsConfirmed { revision }, Some(rtt)).await {
                    return End::Unheard;
                }
                known
            }
            _ => {
                let fresh = known.insert(Known::listed(&listing));
                let fact = Fact::DcsListed { revision, consistency: Consistency::Linearizable, keys: listing.keys };
                if !self.heard(fact, Some(rtt)).await {
                    return End::Unheard;
                }
                fresh
            }
        };
        let end = Session { reader: self, link, known: now }.run().await;
        self.standing.send_replace(Standing::Opening);
        if matches!(end, End::Void) {
            *known = None;
        }
        end
    }

    /// Reports that no majority answers, and what one endpoint says by itself, if any does.
    async fn without_majority(&self, endpoints: &[Endpoint], error: SourceError, known: &mut Option<Known>) -> bool {
        let begun = Instant::now();
        let alone = match error.kind {
            ErrorKind::Auth | ErrorKind::Denied | ErrorKind::Config => None,
            _ => self.list(endpoints, Consistency::Serializable, ALONE_DEADLINE).await.ok(),
        };
        let rtt = begun.elapsed();
        let Some((link, listing)) = alone else { return self.failed(error).await };
        let said = format!("no majority of etcd answers, only {} by itself ({})", link.endpoint().authority(), error.message);
        if !self.failed(SourceError::new(ErrorKind::Unavailable, said)).await {
            return false;
        }
        // As whoever folds it in: what one endpoint has by itself counts unless more is known already.
        if known.as_ref().is_none_or(|known| known.relation(&listing) != Relation::Foreign) {
            *known = Some(Known::listed(&listing));
        }
        let fact = Fact::DcsListed { revision: listing.revision, consistency: Consistency::Serializable, keys: listing.keys };
        self.heard(fact, Some(rtt)).await
    }

    /// `false`: nobody listens any more.
    pub(super) async fn heard(&self, fact: Fact, rtt: Option<Duration>) -> bool {
        self.tell(Outcome::Heard(Box::new(fact)), rtt).await
    }

    async fn failed(&self, error: SourceError) -> bool {
        self.standing.send_replace(Standing::Lost(error.clone()));
        self.tell(Outcome::Failed(error), None).await
    }

    // Everything of this source goes the way on which order is kept, lists and failures too: an event must not overtake the list it changes.
    async fn tell(&self, outcome: Outcome, rtt: Option<Duration>) -> bool {
        self.sink.push(Observation { source: self.source.clone(), at: self.clock.now(), rtt, outcome }).await
    }

    /// Waits before the next attempt, longer from failure to failure, and not at all when other endpoints become known.
    async fn pause(&mut self, begun: Instant, failures: &mut u32, error: &SourceError) {
        let pause = match error.kind {
            ErrorKind::Auth | ErrorKind::Denied => AUTH_PAUSE,
            _ => (SourceKind::Dcs.period() * 2u32.saturating_pow((*failures).min(4))).min(LONGEST_PAUSE),
        };
        *failures = failures.saturating_add(1);
        tokio::select! {
            () = sleep_until(begun + pause) => {}
            Ok(()) = self.endpoints.changed() => {}
        }
    }
}
