//! Sessions of clients, read when somebody means to end one.

use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::connect;
use super::errors::explain;
use super::target::Target;
use crate::config::PostgresProfile;
use crate::model::{ClientSession, ErrorKind, SourceError, SourceKind, Time, clean};

/// What a user may not see is null; without its start a session is not one that can be named. Whom one blocks is asked only for those that wait.
const COLUMNS: &str = "
WITH waiting AS MATERIALIZED (
    SELECT pg_blocking_pids(w.pid) AS by FROM pg_stat_activity AS w WHERE w.wait_event_type = 'Lock'
), session AS MATERIALIZED (
    SELECT a.*, (SELECT count(*)::int4 FROM waiting AS w WHERE a.pid = ANY (w.by)) AS blocks
    FROM pg_stat_activity AS a
    WHERE a.backend_start IS NOT NULL AND a.pid <> pg_backend_pid()
)
SELECT s.pid, (extract(epoch FROM s.backend_start) * 1000000)::int8, coalesce(s.backend_type, ''), coalesce(s.usename, ''),
       coalesce(s.application_name, ''), coalesce(s.datname, ''), host(s.client_addr), coalesce(s.state, ''),
       (extract(epoch FROM s.xact_start) * 1000000)::int8, (extract(epoch FROM s.query_start) * 1000000)::int8, s.blocks,
       (extract(epoch FROM clock_timestamp()) * 1000000)::int8
FROM session AS s";

/// The most sessions of which one can be chosen.
const MOST: usize = 100;

/// The session of this number on the PostgreSQL at `host:port`; `None`: there is none, or our user may not see it.
///
/// # Errors
/// It cannot be asked.
pub async fn session(profile: &PostgresProfile, host: &str, port: u16, pid: i32) -> Result<Option<ClientSession>, SourceError> {
    let found = ask(profile, host, port, &format!("{COLUMNS} WHERE s.pid = $1"), &[&pid]).await?;
    Ok(found.into_iter().next())
}

/// The clients' sessions there that can stand in the way: who is in a transaction, or blocks others. Those that block most come first, then
/// those whose transaction is oldest.
///
/// # Errors
/// It cannot be asked.
pub async fn sessions(profile: &PostgresProfile, host: &str, port: u16) -> Result<Vec<ClientSession>, SourceError> {
    let statement = format!(
        "{COLUMNS} WHERE s.backend_type = 'client backend' AND (s.xact_start IS NOT NULL OR s.blocks > 0)
         ORDER BY s.blocks DESC, s.xact_start NULLS LAST, s.pid LIMIT {MOST}"
    );
    ask(profile, host, port, &statement, &[]).await
}

async fn ask(
    profile: &PostgresProfile,
    host: &str,
    port: u16,
    statement: &str,
    given: &[&(dyn ToSql + Sync)],
) -> Result<Vec<ClientSession>, SourceError> {
    let user = profile.user.clone().ok_or_else(|| SourceError::new(ErrorKind::Config, "no user for PostgreSQL is known"))?;
    let target = Target { host: host.to_owned(), port, user, dbname: profile.dbname.clone() };
    let reading = async {
        let (session, _) = connect(&target, profile).await?;
        let rows = session.into_client().query(statement, given).await.map_err(|error| explain(&error, &target))?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| explain(&error, &target))
    };
    let limit = SourceKind::Sql.deadline();
    let late = || SourceError::new(ErrorKind::Timeout, format!("no answer from PostgreSQL at {target} within {} s", limit.as_secs()));
    timeout(limit, reading).await.unwrap_or_else(|_| Err(late()))
}

fn read(row: &Row) -> Result<ClientSession, tokio_postgres::Error> {
    let text = |column: usize| row.try_get::<_, String>(column).map(|text| clean(&text));
    let time = |column: usize| row.try_get::<_, Option<i64>>(column).map(|micros| micros.map(Time::from_micros));
    Ok(ClientSession {
        pid: row.try_get(0)?,
        started: Time::from_micros(row.try_get(1)?),
        kind: text(2)?,
        user: text(3)?,
        application: text(4)?,
        database: text(5)?,
        client: row.try_get::<_, Option<String>>(6)?.map(|client| clean(&client)),
        state: text(7)?,
        transaction: time(8)?,
        query: time(9)?,
        blocks: u32::try_from(row.try_get::<_, i32>(10)?).unwrap_or(0),
        server_time: Time::from_micros(row.try_get(11)?),
    })
}
