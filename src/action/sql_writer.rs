//! The one client that can change something in PostgreSQL: it cannot be made without a permit, and it sends an order once.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::{Client, Error, Row};

use super::{Reply, SqlOrder, Statement};
use crate::config::Profile;
use crate::model::{Time, clean};
use crate::permit::Permit;
use crate::source::postgres::WriteAccess;

/// Gives orders to the members' PostgreSQL.
///
/// ```compile_fail,E0061
/// use pgbaton::action::SqlWriter;
/// fn without(profile: &pgbaton::config::Profile) {
///     let _ = SqlWriter::new(profile);
/// }
/// ```
///
/// ```
/// use pgbaton::action::SqlWriter;
/// use pgbaton::permit::Permit;
/// fn with(permit: &Permit, profile: &pgbaton::config::Profile) {
///     let _ = SqlWriter::new(permit, profile);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct SqlWriter {
    access: WriteAccess,
}

/// How a statement ended.
enum Ended {
    /// With so many rows.
    Rows(Vec<Row>),
    /// It gives none.
    Done,
}

impl SqlWriter {
    /// A client for the members of the profile's cluster.
    pub fn new(permit: &Permit, profile: &Profile) -> Self {
        Self { access: WriteAccess::new(permit, &profile.postgres) }
    }

    /// Sends an order, once, in a session of its own.
    pub async fn send(&self, order: &SqlOrder) -> Reply {
        let client = match self.access.open(&order.host, order.port, order.database.as_deref()).await {
            Ok(client) => client,
            Err(error) => return Reply::NotSent(error.told()),
        };
        match run(&client, &order.statement).await {
            Ok(Ended::Done) => Reply::Taken("PostgreSQL carried it out".to_owned()),
            Ok(Ended::Rows(rows)) => match (rows.as_slice(), &order.statement) {
                ([], Statement::DropSlot { slot }) => Reply::Refused(format!("there is no slot {slot} any more that nobody uses")),
                ([], Statement::Terminate { pid, .. }) => Reply::Refused(format!("the session {pid} is not there any more")),
                ([row], Statement::Terminate { pid, .. }) if !matches!(row.try_get(0), Ok(true)) => {
                    Reply::Refused(format!("PostgreSQL did not reach the session {pid}"))
                }
                (_, Statement::Terminate { pid, started }) => gone(&client, *pid, *started).await,
                _ => Reply::Taken("PostgreSQL carried it out".to_owned()),
            },
            Err(error) => self.explain(&error, order),
        }
    }

    /// `CHECKPOINT`, for at most `limit`; then it goes on without us.
    ///
    /// # Errors
    /// It was not made; the error is the reason.
    pub(super) async fn checkpoint(&self, host: &str, port: u16, limit: Duration) -> Result<(), String> {
        let client = self.access.open(host, port, None).await.map_err(|error| error.told())?;
        match timeout(limit, run(&client, &Statement::Checkpoint)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.access.explain(&error, host, port).message),
            Err(_) => Err(format!("not done within {} s", limit.as_secs())),
        }
    }

    /// An error that PostgreSQL itself reports has undone the statement; after anything else it may have been carried out.
    fn explain(&self, error: &Error, order: &SqlOrder) -> Reply {
        let told = self.access.explain(error, &order.host, order.port).message;
        let undone = error.as_db_error().is_some_and(|said| said.parsed_severity() == Some(Severity::Error));
        match error.code() {
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
                let user = clean(self.access.user().unwrap_or_default());
                Reply::Refused(format!("{told}; to let it: {}", grant(&order.statement, &user)))
            }
            // What a checkpoint has begun goes on without whoever asked for it.
            Some(code) if *code == SqlState::QUERY_CANCELED => Reply::Lost(told),
            Some(_) if undone => Reply::Refused(told),
            _ => Reply::Lost(told),
        }
    }
}

/// Waits until a session that was told to end is gone.
async fn gone(client: &Client, pid: i32, started: Time) -> Reply {
    const LIMIT: Duration = Duration::from_secs(5);
    const LEFT: &str = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::int8 = $2";
    let begun = Instant::now();
    loop {
        match client.query_one(LEFT, &[&pid, &started.as_micros()]).await.and_then(|row| row.try_get::<_, i64>(0)) {
            Ok(0) => return Reply::Taken(format!("pg_stat_activity has no session {pid} any more")),
            Ok(_) if begun.elapsed() < LIMIT => sleep(Duration::from_millis(50)).await,
            Ok(_) => return Reply::Lost(format!("the session {pid} was told to end, and is still there after {} s", LIMIT.as_secs())),
            Err(_) => return Reply::Lost(format!("the session {pid} was told to end; whether it has is not known")),
        }
    }
}

/// The statement that gives our user the right.
fn grant(statement: &Statement, user: &str) -> String {
    match statement {
        Statement::Checkpoint => format!("GRANT pg_checkpoint TO \"{user}\" (PostgreSQL 15 and later)"),
        Statement::ResumeReplay => format!("GRANT EXECUTE ON FUNCTION pg_wal_replay_resume() TO \"{user}\""),
        Statement::DropSlot { .. } => format!("ALTER ROLE \"{user}\" REPLICATION"),
        Statement::Terminate { .. } => format!("GRANT pg_signal_backend TO \"{user}\" (a superuser's session only a superuser can end)"),
    }
}

async fn run(client: &Client, statement: &Statement) -> Result<Ended, Error> {
    const DROP: &str = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1::text AND NOT active";
    const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::int8 = $2 AND backend_type = 'client backend'";
    match statement {
        Statement::Checkpoint => client.batch_execute("CHECKPOINT").await.map(|()| Ended::Done),
        Statement::ResumeReplay => client.query("SELECT pg_wal_replay_resume()", &[]).await.map(|_| Ended::Done),
        Statement::DropSlot { slot } => client.query(DROP, &[slot]).await.map(Ended::Rows),
        Statement::Terminate { pid, started } => client.query(TERMINATE, &[pid, &started.as_micros()]).await.map(Ended::Rows),
    }
}
