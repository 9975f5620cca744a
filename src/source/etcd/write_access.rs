//! The way to a connection to etcd that can write. It takes a permit; what is written is not this layer's to know.

use std::fmt;
use std::sync::Arc;

use etcd_client::Client;
use tokio::time::timeout;

use super::Endpoint;
use super::link::{Access, Identity};
use crate::config::EtcdProfile;
use crate::model::{Consistency, ErrorKind, SourceError, SourceKind};
use crate::permit::Permit;

/// Opens connections that can write, as those are opened that read: certificates, user and password.
///
/// ```compile_fail,E0061
/// use pgbaton::source::etcd::WriteAccess;
/// fn without(profile: &pgbaton::config::EtcdProfile) {
///     let _ = WriteAccess::new(profile);
/// }
/// ```
///
/// ```
/// use pgbaton::permit::Permit;
/// use pgbaton::source::etcd::WriteAccess;
/// fn with(permit: &Permit, profile: &pgbaton::config::EtcdProfile) {
///     let _ = WriteAccess::new(permit, profile);
/// }
/// ```
#[derive(Clone)]
pub struct WriteAccess {
    access: Arc<Access>,
    endpoints: Vec<String>,
    user: Option<String>,
}

impl fmt::Debug for WriteAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteAccess").field("endpoints", &self.endpoints).field("user", &self.user).finish_non_exhaustive()
    }
}

impl WriteAccess {
    /// What the profile gives. Nothing is connected yet.
    pub fn new(permit: &Permit, profile: &EtcdProfile) -> Self {
        Self {
            access: Arc::new(Access::new(&profile.operating(permit))),
            endpoints: profile.endpoints.clone(),
            user: profile.username.clone(),
        }
    }

    /// As whom; `None`: as nobody.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// A connection on which a majority has just answered a reading of `key`. The configured endpoints are tried in turn; as nothing but this
    /// reading is sent meanwhile, nothing can be written twice by that.
    ///
    /// # Errors
    /// None of them answers.
    pub async fn open(&self, key: &str) -> Result<Client, SourceError> {
        let mut failed = SourceError::new(ErrorKind::Config, "no etcd endpoint is configured");
        for text in &self.endpoints {
            let endpoint = Endpoint::parse(text)?;
            let limit = SourceKind::Dcs.deadline();
            let opening = async {
                let link = self.access.open(&endpoint, Identity::User).await?;
                link.list(key, Consistency::Linearizable).await?;
                Ok::<_, SourceError>(link.into_client())
            };
            failed = match timeout(limit, opening).await {
                Ok(Ok(client)) => return Ok(client),
                // An answer of the cluster, which the other endpoints would give as well.
                Ok(Err(error)) if matches!(error.kind, ErrorKind::Auth | ErrorKind::Denied) => return Err(error),
                Ok(Err(error)) => error,
                Err(_) => {
                    let told = format!("{} gave no answer within {} s", endpoint.authority(), limit.as_secs());
                    SourceError::new(ErrorKind::Timeout, told)
                }
            };
        }
        Err(failed)
    }
}
