//! Has a PostgreSQL make a checkpoint: nobody can without a permit.

use std::time::Duration;

use tokio::time::timeout;

use crate::config::{PostgresProfile, Profile};
use crate::model::clean;
use crate::permit::Permit;
use crate::source::postgres::Line;

/// How long a session may take to open.
const OPENING: Duration = Duration::from_secs(3);

/// Has the members' PostgreSQL make checkpoints, each in a session of its own.
///
/// ```compile_fail,E0061
/// use pgbaton::action::Checkpointer;
/// fn without(profile: &pgbaton::config::Profile) {
///     let _ = Checkpointer::new(profile);
/// }
/// ```
///
/// ```
/// use pgbaton::action::Checkpointer;
/// use pgbaton::permit::Permit;
/// fn with(permit: &Permit, profile: &pgbaton::config::Profile) {
///     let _ = Checkpointer::new(permit, profile);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Checkpointer {
    profile: PostgresProfile,
}

impl Checkpointer {
    /// A client for the members of the profile's cluster.
    pub fn new(_: &Permit, profile: &Profile) -> Self {
        Self { profile: profile.postgres.clone() }
    }

    /// `CHECKPOINT`, for at most `limit`; then it goes on without us.
    ///
    /// # Errors
    /// It was not made; the error is the reason.
    pub(super) async fn checkpoint(&self, host: &str, port: u16, limit: Duration) -> Result<(), String> {
        let opened = timeout(OPENING, Line::open(host, port, &self.profile)).await;
        let client = opened.map_err(|_| "no session".to_owned())?.map_err(|e| e.told())?.into_client();
        let late = format!("not done within {} s", limit.as_secs());
        let made = timeout(limit, async {
            // The session's own limit is a reader's; ours is above.
            client.batch_execute("SET statement_timeout = 0").await?;
            client.batch_execute("CHECKPOINT").await
        });
        match made.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(clean(error.as_db_error().map_or("the session broke", |said| said.message()))),
            Err(_) => Err(late),
        }
    }
}
