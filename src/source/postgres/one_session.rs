//! One session of a client, read when somebody means to end it.

use tokio::time::timeout;

use super::connect::connect;
use super::errors::explain;
use super::target::Target;
use crate::config::PostgresProfile;
use crate::model::{ClientSession, ErrorKind, SourceError, SourceKind, Time, clean};

/// What a user may not see is null; without its start a session is not one that can be named.
const STATEMENT: &str = "
SELECT (extract(epoch FROM a.backend_start) * 1000000)::int8, coalesce(a.backend_type, ''), coalesce(a.usename, ''),
       coalesce(a.application_name, ''), coalesce(a.datname, ''), host(a.client_addr), coalesce(a.state, ''),
       (extract(epoch FROM a.xact_start) * 1000000)::int8, (extract(epoch FROM clock_timestamp()) * 1000000)::int8
FROM pg_stat_activity AS a
WHERE a.pid = $1 AND a.backend_start IS NOT NULL";

/// The session of this number on the PostgreSQL at `host:port`; `None`: there is none, or our user may not see it.
///
/// # Errors
/// It cannot be asked.
pub async fn session(profile: &PostgresProfile, host: &str, port: u16, pid: i32) -> Result<Option<ClientSession>, SourceError> {
    let user = profile.user.clone().ok_or_else(|| SourceError::new(ErrorKind::Config, "no user for PostgreSQL is known"))?;
    let target = Target { host: host.to_owned(), port, user, dbname: profile.dbname.clone() };
    let reading = async {
        let (session, _) = connect(&target, profile).await?;
        let client = session.into_client();
        let row = client.query_opt(STATEMENT, &[&pid]).await.map_err(|error| explain(&error, &target))?;
        let Some(row) = row else { return Ok(None) };
        let text = |column: usize| row.try_get::<_, String>(column).map(|text| clean(&text));
        let read = || -> Result<ClientSession, tokio_postgres::Error> {
            Ok(ClientSession {
                pid,
                started: Time::from_micros(row.try_get(0)?),
                kind: text(1)?,
                user: text(2)?,
                application: text(3)?,
                database: text(4)?,
                client: row.try_get::<_, Option<String>>(5)?.map(|client| clean(&client)),
                state: text(6)?,
                transaction: row.try_get::<_, Option<i64>>(7)?.map(Time::from_micros),
                server_time: Time::from_micros(row.try_get(8)?),
            })
        };
        read().map(Some).map_err(|error| explain(&error, &target))
    };
    let limit = SourceKind::Sql.deadline();
    let late = || SourceError::new(ErrorKind::Timeout, format!("no answer from PostgreSQL at {target} within {} s", limit.as_secs()));
    timeout(limit, reading).await.unwrap_or_else(|_| Err(late()))
}
