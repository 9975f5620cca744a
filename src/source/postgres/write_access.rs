//! The way to a session that can write. It takes a permit; what is asked for in it is not this layer's to know.

use tokio::time::timeout;
use tokio_postgres::{Client, Error};

use super::connect::connect_with;
use super::errors::explain;
use super::target::Target;
use crate::config::PostgresProfile;
use crate::model::{ErrorKind, SourceError, SourceKind};
use crate::permit::Permit;

/// As for reading, but nothing forbids to write, and a statement may take as long as a checkpoint does.
const OPTIONS: &str = "-c statement_timeout=300000 -c lock_timeout=1000 -c search_path=pg_catalog -c jit=off \
     -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4";

/// Opens sessions that can write, as those are opened that read, under the name that the configuration has for orders.
///
/// ```compile_fail,E0061
/// use pgbaton::source::postgres::WriteAccess;
/// fn without(profile: &pgbaton::config::PostgresProfile) {
///     let _ = WriteAccess::new(profile);
/// }
/// ```
///
/// ```
/// use pgbaton::permit::Permit;
/// use pgbaton::source::postgres::WriteAccess;
/// fn with(permit: &Permit, profile: &pgbaton::config::PostgresProfile) {
///     let _ = WriteAccess::new(permit, profile);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct WriteAccess {
    profile: PostgresProfile,
}

impl WriteAccess {
    /// What the profile gives. No password is read and nothing is connected yet.
    pub fn new(permit: &Permit, profile: &PostgresProfile) -> Self {
        Self { profile: profile.operating(permit) }
    }

    /// As whom; `None`: nobody said.
    pub fn user(&self) -> Option<&str> {
        self.profile.user.as_deref()
    }

    /// A session on the PostgreSQL at `host:port`, in a database of its own if one is given. It ends when the client is dropped.
    ///
    /// # Errors
    /// There is no session; nothing was asked for.
    pub async fn open(&self, host: &str, port: u16, dbname: Option<&str>) -> Result<Client, SourceError> {
        let user = self.profile.user.clone().ok_or_else(|| SourceError::new(ErrorKind::Config, "no user for PostgreSQL is known"))?;
        let dbname = dbname.map_or_else(|| self.profile.dbname.clone(), str::to_owned);
        let target = Target { host: host.to_owned(), port, user, dbname };
        let limit = SourceKind::Sql.deadline() * 2;
        let late = || SourceError::new(ErrorKind::Timeout, format!("no session on PostgreSQL at {target} within {} s", limit.as_secs()));
        let opening = timeout(limit, connect_with(&target, &self.profile, OPTIONS)).await;
        opening.unwrap_or_else(|_| Err(late())).map(|(session, _)| session.into_client())
    }

    /// The sentence for an error of such a session.
    pub fn explain(&self, error: &Error, host: &str, port: u16) -> SourceError {
        let user = self.profile.user.clone().unwrap_or_default();
        explain(error, &Target { host: host.to_owned(), port, user, dbname: self.profile.dbname.clone() })
    }
}
