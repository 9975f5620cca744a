//! The one client that can change something in etcd: it cannot be made without a permit, and it sends an order once.

use std::time::Duration;

use etcd_client::{Compare, CompareOp, DeleteOptions, Error, Txn, TxnOp};
use tokio::time::timeout;

use super::{DcsOrder, Reply};
use crate::config::Profile;
use crate::model::clean;
use crate::permit::Permit;
use crate::source::etcd::WriteAccess;

/// How long an answer is waited for; etcd itself gives up after 7 s.
const PATIENCE: Duration = Duration::from_secs(15);

/// Gives orders to etcd.
///
/// ```compile_fail,E0061
/// use pgbaton::action::DcsWriter;
/// fn without(profile: &pgbaton::config::Profile) {
///     let _ = DcsWriter::new(profile);
/// }
/// ```
///
/// ```
/// use pgbaton::action::DcsWriter;
/// use pgbaton::permit::Permit;
/// fn with(permit: &Permit, profile: &pgbaton::config::Profile) {
///     let _ = DcsWriter::new(permit, profile);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct DcsWriter {
    access: WriteAccess,
}

impl DcsWriter {
    /// A client for the etcd of the profile's cluster.
    pub fn new(permit: &Permit, profile: &Profile) -> Self {
        Self { access: WriteAccess::new(permit, &profile.etcd) }
    }

    /// Sends an order, once.
    pub async fn send(&self, order: &DcsOrder) -> Reply {
        let client = match self.access.open(order.about()).await {
            Ok(client) => client,
            Err(error) => return Reply::NotSent(error.told()),
        };
        match timeout(PATIENCE, client.kv_client().txn(transaction(order))).await {
            Ok(Ok(answer)) if answer.succeeded() => {
                let revision = answer.header().map(etcd_client::ResponseHeader::revision).unwrap_or_default();
                Reply::Taken(format!("etcd took it at its revision {revision}"))
            }
            Ok(Ok(_)) => Reply::Refused(format!("somebody changed it meanwhile: {} is not what it was", order.about())),
            Ok(Err(error)) => self.explain(&error, order),
            Err(_) => Reply::Lost(format!("nothing from etcd within {} s", PATIENCE.as_secs())),
        }
    }

    /// etcd's own words (`api/v3rpc/rpctypes/error.go`) for what it turned down; after anything else it may have been written.
    fn explain(&self, error: &Error, order: &DcsOrder) -> Reply {
        let said = match error {
            Error::GRpcStatus(status) => clean(status.message()),
            other => clean(&other.to_string()),
        };
        let has = |part: &str| said.contains(part);
        if has("permission denied") {
            let who = self.access.user().map_or("without a user nobody".to_owned(), |user| format!("the etcd user {:?}", clean(user)));
            return Reply::Refused(format!(
                "{who} may not write {}; grant its role that: etcdctl role grant-permission ROLE readwrite --prefix=true {}",
                clean(order.about()),
                clean(prefix(order.about()))
            ));
        }
        if has("user name is empty") || has("invalid auth token") || has("database space exceeded") || has("request is too large") {
            return Reply::Refused(format!("etcd refused: {said}"));
        }
        Reply::Lost(said)
    }
}

/// The cluster's own part of etcd, in which the key is.
fn prefix(key: &str) -> &str {
    key.rfind('/').map_or(key, |end| &key[..=end])
}

fn transaction(order: &DcsOrder) -> Txn {
    match order {
        DcsOrder::Put { key, revision, value, changes: _ } => Txn::new()
            .when([Compare::mod_revision(key.as_str(), CompareOp::Equal, *revision)])
            .and_then([TxnOp::put(key.as_str(), value.as_str(), None)]),
        DcsOrder::Delete { prefix, leader_revision } => Txn::new()
            .when([Compare::create_revision(format!("{prefix}leader"), CompareOp::Equal, *leader_revision)])
            .and_then([TxnOp::delete(prefix.as_str(), Some(DeleteOptions::new().with_prefix()))]),
    }
}
