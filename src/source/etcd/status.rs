//! What an etcd endpoint says of itself, and of its cluster.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::link::{Access, Identity, Link};
use super::{Endpoint, metrics};
use crate::model::{ErrorKind, EtcdMembership, EtcdStatus, Fact, Observation, Outcome, SourceError, SourceId, SourceKind};
use crate::source::certificate::Presented;
use crate::source::{Clock, Sink, poll};

/// For the first answer over a new connection: less than the source's deadline, so that the error says how far it came.
const ANSWER: Duration = Duration::from_millis(1_900);

/// How often the members, and the alarms where one complains, are asked for while nothing hints at a change.
const MEMBERSHIP_PERIOD: Duration = Duration::from_secs(10);

/// Asks an endpoint for its status each two seconds, for its members and alarms each ten seconds and when the status hints at a change, and
/// for what it counts; never ends.
pub(super) async fn run(sink: Sink, clock: Clock, endpoint: Endpoint, access: Arc<Access>) {
    let source = SourceId::new(SourceKind::Etcd, endpoint.url());
    let (hint, hints) = watch::channel(None);
    let presented = Arc::new(Presented::new(sink.clone(), clock, source.clone()));
    let asker = Asker { access, endpoint, identity: Mutex::new(Identity::Anonymous), link: Mutex::new(None), hint, presented };
    let status = poll(sink.clone(), clock, source.clone(), || asker.status());
    let counted = async {
        // Not before it has answered at all: whoever waits for every source's first word waits for the status.
        let _ = hints.clone().wait_for(Option::is_some).await;
        metrics::run(sink.clone(), clock, source.clone(), &asker.endpoint, asker.access.http_tls(), Arc::clone(&asker.presented)).await;
    };
    tokio::join!(status, membership(sink.clone(), clock, source.clone(), &asker, hints.clone()), counted);
}

/// What hints at a change of the members or the alarms: the raft leader, the term, the version, the errors.
type Hint = Option<(Option<u64>, u64, String, Vec<String>)>;

struct Asker {
    access: Arc<Access>,
    endpoint: Endpoint,
    identity: Mutex<Identity>,
    /// Kept only as long as it answers: a dropped attempt takes its connection with it.
    link: Mutex<Option<Link>>,
    hint: watch::Sender<Hint>,
    presented: Arc<Presented>,
}

impl Asker {
    async fn status(&self) -> Result<Fact, SourceError> {
        let begun = Instant::now();
        let open = self.slot(Option::take);
        // What has answered before and is silent now may be cut off: only a new connection tells.
        let (link, answer) = match open {
            Some(link) => {
                let answer = link.status().await;
                (link, answer)
            }
            None => {
                let link = self.open().await?;
                let answer = timeout_at(begun + ANSWER, link.status()).await.unwrap_or_else(|_| Err(link.late(ANSWER)));
                (link, answer)
            }
        };
        let (link, status) = match answer {
            Ok(status) => (link, status),
            Err(error) if self.must_log_in(&error) => {
                let link = self.open().await?;
                let status = link.status().await?;
                (link, status)
            }
            Err(error) => return Err(error),
        };
        self.slot(|slot| *slot = Some(link));
        let hint = |s: &EtcdStatus| Some((s.leader_id, s.raft_term, s.version.clone(), s.errors.clone()));
        self.hint.send_if_modified(|last| std::mem::replace(last, hint(&status)) != *last);
        Ok(Fact::EtcdStatus(status))
    }

    /// Members and alarms; the alarms are `None` when no majority tells them.
    ///
    /// To ask for the list of alarms is a proposal to raft, so every member writes an entry to its log and syncs it (measured with 3.4.23: the
    /// raft index grows by one with each). A member that complains of nothing has no alarm (its status names each), so it is not asked.
    async fn membership(&self) -> Result<EtcdMembership, SourceError> {
        let complains = self.hint.borrow().as_ref().is_none_or(|(.., errors)| !errors.is_empty());
        let ask = async |link: &Link| {
            let members = link.members().await?;
            if !complains {
                return Ok((members, Ok(Vec::new())));
            }
            let alarms = timeout(SourceKind::Etcd.deadline(), link.alarms()).await;
            Ok((members, alarms.unwrap_or_else(|_| Err(SourceError::new(ErrorKind::Timeout, "no alarms in time")))))
        };
        let Some(link) = self.slot(|slot| slot.clone()) else {
            return Err(SourceError::new(ErrorKind::Unavailable, "the endpoint does not answer"));
        };
        let (members, alarms) = match ask(&link).await {
            Err(error) | Ok((_, Err(error))) if self.must_log_in(&error) => ask(&self.open().await?).await?,
            answer => answer?,
        };
        Ok(EtcdMembership { members, alarms: alarms.ok() })
    }

    /// Whether a refusal is because nobody was logged in; from now on the user is.
    fn must_log_in(&self, error: &SourceError) -> bool {
        let mut identity = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = matches!(error.kind, ErrorKind::Auth | ErrorKind::Denied);
        let change = refused && *identity == Identity::Anonymous && self.access.has_login();
        if change {
            *identity = Identity::User;
        }
        change
    }

    async fn open(&self) -> Result<Link, SourceError> {
        let identity = *self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        self.access.open_telling(&self.endpoint, identity, Some(Arc::clone(&self.presented))).await
    }

    fn slot<T>(&self, with: impl FnOnce(&mut Option<Link>) -> T) -> T {
        with(&mut self.link.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn membership(sink: Sink, clock: Clock, source: SourceId, asker: &Asker, mut hints: watch::Receiver<Hint>) {
    // There is nothing to ask before the endpoint has answered at all. The sender lives as long as this future.
    let _ = hints.wait_for(Option::is_some).await;
    loop {
        hints.mark_unchanged();
        let begun = tokio::time::Instant::now();
        // Failures are left to the status, which is asked more often: without a majority it answers when this cannot.
        if let Ok(Ok(membership)) = timeout(2 * SourceKind::Etcd.deadline(), asker.membership()).await {
            let outcome = Outcome::Heard(Box::new(Fact::EtcdMembership(membership)));
            sink.report(Observation { source: source.clone(), at: clock.now(), rtt: Some(begun.elapsed()), outcome });
        }
        let _ = timeout(MEMBERSHIP_PERIOD, hints.changed()).await;
    }
}
