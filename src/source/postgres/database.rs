//! A session in another database of a member's server, for whoever reads there what is not PostgreSQL's own.

use tokio_postgres::{Client, Error};

use super::connect::connect;
use super::errors::explain;
use super::target::Target;
use crate::config::PostgresProfile;
use crate::model::{ErrorKind, SourceError};

/// The session. Dropping it ends it.
pub(in crate::source) struct Database {
    client: Client,
    target: Target,
}

impl Database {
    /// Opens one in the database that the profile names.
    pub async fn open(profile: &PostgresProfile, host: &str, port: u16) -> Result<Self, SourceError> {
        let user = profile.user.clone().ok_or_else(|| SourceError::new(ErrorKind::Config, "no user for PostgreSQL is known"))?;
        let target = Target { host: host.to_owned(), port, user, dbname: profile.dbname.clone() };
        let (session, _) = connect(&target, profile).await?;
        Ok(Self { client: session.into_client(), target })
    }

    /// The text in the one column of the one row of the answer.
    pub async fn text(&self, statement: &str) -> Result<Option<String>, Error> {
        self.client.query_one(statement, &[]).await?.try_get(0)
    }

    /// What a failure means.
    pub fn explain(&self, error: &Error) -> SourceError {
        explain(error, &self.target)
    }
}
