//! One question, asked quickly and over again: whether whoever answers here takes writes.

use std::fmt;

use tokio_postgres::Client;

use super::connect::connect;
use super::session::Session;
use super::target::Target;
use crate::config::PostgresProfile;
use crate::model::{ErrorKind, SourceError};

/// What a PostgreSQL says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// `pg_is_in_recovery()`: it takes no writes.
    pub in_recovery: bool,
    /// Of a primary, the timeline on which it writes.
    pub timeline: Option<u32>,
}

/// A session for it, read-only by server setting. Dropping it closes the session.
pub struct Line(Session);

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    /// Opens a session with whoever is reached at `host:port`. Has no limit of time of its own.
    ///
    /// # Errors
    /// There is no session, for the reason that is said.
    pub async fn open(host: &str, port: u16, profile: &PostgresProfile) -> Result<Self, SourceError> {
        let Some(user) = profile.user.clone() else {
            return Err(SourceError::new(ErrorKind::Config, "no user for PostgreSQL is known"));
        };
        let target = Target { host: host.to_owned(), port, user, dbname: profile.dbname.clone() };
        connect(&target, profile).await.map(|(session, _)| Self(session))
    }

    /// Asks. Dropped half way, or after an error, the line must be dropped too.
    ///
    /// # Errors
    /// No answer came.
    pub async fn ask(&mut self) -> Result<Answer, SourceError> {
        let (in_recovery, timeline) = self.0.recovery().await?;
        Ok(Answer { in_recovery, timeline })
    }

    /// The session itself, for who may do more with it than ask. It is read-only still: that is for its new owner to change.
    pub fn into_client(self) -> Client {
        self.0.detached()
    }
}
