//! etcd: the cluster's keys, the leader's lease, and what each endpoint says of itself.
//!
//! Each endpoint has a client of its own, and the choice between them is made here: a client that is given several endpoints goes on sending
//! a part of its requests to those that are dead.

mod dcs;
mod discover;
mod endpoint;
mod errors;
mod first_words;
mod known;
mod lease;
mod link;
mod metrics;
mod race;
mod session;
mod status;
mod write_access;

use std::sync::Arc;

use tokio::sync::watch;

pub use discover::discover;
pub use endpoint::Endpoint;
pub use link::Access;
pub use write_access::WriteAccess;

use super::{Clock, Sink};
use crate::model::{SourceId, SourceKind};

/// The two readers of the cluster's keys, [`Keys::watch`] and [`Keys::lease`], and what they share.
///
/// Each may be started again when it has ended; the lease is asked for over the link on which the keys are watched.
pub struct Keys {
    access: Arc<Access>,
    scope: String,
    prefix: String,
    endpoints: watch::Receiver<Vec<Endpoint>>,
    standing: watch::Sender<dcs::Standing>,
    sink: Sink,
    clock: Clock,
}

impl Keys {
    /// The readers of the keys of `scope` under `namespace` (with slashes at both ends). Nothing is asked yet. The endpoints may change while
    /// they run.
    pub fn new(
        access: Arc<Access>,
        namespace: &str,
        scope: &str,
        endpoints: watch::Receiver<Vec<Endpoint>>,
        sink: Sink,
        clock: Clock,
    ) -> Self {
        let (standing, _) = watch::channel(dcs::Standing::Opening);
        Self { access, scope: scope.to_owned(), prefix: format!("{namespace}{scope}/"), endpoints, standing, sink, clock }
    }

    /// Lists, watches and confirms the keys ([`SourceKind::Dcs`]); ends only when nobody listens to the sink any more.
    pub async fn watch(&self) {
        let reader = dcs::Reader {
            access: Arc::clone(&self.access),
            source: SourceId::new(SourceKind::Dcs, &self.scope),
            prefix: self.prefix.clone(),
            endpoints: self.endpoints.clone(),
            standing: self.standing.clone(),
            sink: self.sink.clone(),
            clock: self.clock,
        };
        dcs::run(reader).await;
    }

    /// Asks for the leader key's lease once a second ([`SourceKind::Lease`]); never ends.
    pub async fn lease(&self) {
        let source = SourceId::new(SourceKind::Lease, &self.scope);
        lease::run(self.sink.clone(), self.clock, source, self.standing.subscribe()).await;
    }
}

/// Asks one endpoint for its status each two seconds, for the cluster's members and alarms, and for what it counts ([`SourceKind::Etcd`]);
/// never ends.
pub async fn status(sink: Sink, clock: Clock, endpoint: Endpoint, access: Arc<Access>) {
    status::run(sink, clock, endpoint, access).await;
}
