//! Airflow's metadata: one read-only session in its database on the leader, one statement every two seconds.

mod grants;
pub mod health;
mod query;

pub use grants::grants;

use tokio::sync::Mutex;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use self::query::{Columns, probe, statement};
use super::postgres::Database;
use super::{Clock, Sink, poll};
use crate::config::{AirflowProfile, PostgresProfile};
use crate::model::{AirflowStatus, ErrorKind, Fact, SourceError, SourceId, clean};

/// What to do when our user may not read the tables.
const GRANTS: &str = "`pgbaton airflow grants` prints what our user needs";

/// Reads the metadata on the PostgreSQL at `host:port`, for ever; the future never ends, and dropping it closes the session.
///
/// Reports [`Fact::Airflow`] under `source`, or why there is none.
pub async fn run(sink: Sink, clock: Clock, source: SourceId, host: String, port: u16, profile: AirflowProfile, postgres: PostgresProfile) {
    let postgres = PostgresProfile { dbname: profile.database.clone(), ..postgres };
    let open: Mutex<Option<Reader>> = Mutex::new(None);
    poll(sink, clock, source, async || {
        let mut open = open.lock().await;
        // Taken out: should the deadline end this half way, the session goes with it.
        let reader = match open.take() {
            Some(reader) => reader,
            None => Reader::open(&profile, &postgres, &host, port).await?,
        };
        let status = reader.read().await?;
        *open = Some(reader);
        Ok(Fact::Airflow(Box::new(status)))
    })
    .await;
}

/// A session that knows which Airflow it reads.
struct Reader {
    database: Database,
    /// The database's name.
    name: String,
    statement: String,
    /// Whether all of a pool is read.
    whole_pools: bool,
}

impl Reader {
    async fn open(profile: &AirflowProfile, postgres: &PostgresProfile, host: &str, port: u16) -> Result<Self, SourceError> {
        let database = Database::open(postgres, host, port).await?;
        let mut reader = Self { database, name: profile.database.clone(), statement: String::new(), whole_pools: false };
        let columns = reader.ask(&probe(&profile.schema)).await?;
        let columns: Columns = reader.parsed(&columns)?;
        if !columns.tasks {
            return Err(reader.no_tables(&profile.schema));
        }
        reader.statement = statement(&profile.schema, columns);
        reader.whole_pools = columns.whole_pools();
        Ok(reader)
    }

    async fn read(&self) -> Result<AirflowStatus, SourceError> {
        let answer = self.ask(&self.statement).await?;
        let mut status: AirflowStatus = self.parsed(&answer)?;
        for pool in &mut status.pools {
            // What is washed on its way into the cluster is not what Airflow has.
            let texts = [Some(&pool.name), pool.description.as_ref(), pool.team.as_ref()];
            pool.whole = self.whole_pools && texts.into_iter().flatten().all(|text| clean(text) == *text);
        }
        Ok(status)
    }

    async fn ask(&self, statement: &str) -> Result<String, SourceError> {
        let text = self.database.text(statement).await.map_err(|error| self.failed(&error))?;
        text.ok_or_else(|| SourceError::new(ErrorKind::Malformed, format!("the database {} gave no answer", self.name)))
    }

    fn parsed<T: serde::de::DeserializeOwned>(&self, json: &str) -> Result<T, SourceError> {
        let unread = |error| SourceError::new(ErrorKind::Malformed, format!("the metadata in {} is not understood: {error}", self.name));
        serde_json::from_str(json).map_err(unread)
    }

    fn failed(&self, error: &Error) -> SourceError {
        let said = self.database.explain(error);
        match error.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                SourceError::new(ErrorKind::Denied, format!("Airflow's metadata in {} may not be read: {said}", self.name))
                    .with_hint(GRANTS)
            }
            _ => said,
        }
    }

    /// The tables are not there, or our user sees none of them, which look the same to it.
    fn no_tables(&self, schema: &str) -> SourceError {
        let sentence = format!("the database {} has no table {schema}.task_instance that our user may read", self.name);
        SourceError::new(ErrorKind::Denied, sentence).with_hint(GRANTS)
    }
}
