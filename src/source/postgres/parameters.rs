//! Settings that decide what a failover is like, asked once by who means to judge them.

use tokio::time::timeout;

use super::connect::connect_with;
use super::errors::explain;
use super::target::Target;
use crate::config::PostgresProfile;
use crate::model::{ErrorKind, Parameter, Parameters, SourceError, SourceKind, clean};

/// A session like the others, but with the server's own keep-alive, which is among what is asked.
const OPTIONS: &str = "-c default_transaction_read_only=on -c statement_timeout=1500 -c lock_timeout=1000 \
     -c idle_in_transaction_session_timeout=5000 -c search_path=pg_catalog -c jit=off";

/// A command may hold a secret: of `archive_command` only whether it does anything is read. It is not in the view for a user without `pg_monitor`.
const STATEMENT: &str = "
SELECT s.name, s.source,
       CASE WHEN s.name IN ('archive_command', 'archive_library')
            THEN CASE WHEN btrim(s.setting) IN ('', '(disabled)', ':', 'true', '/bin/true', '/usr/bin/true', 'exit 0') THEN 'nothing' ELSE 'set' END
            ELSE s.setting END
FROM pg_settings AS s
WHERE s.name IN ('max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction',
                 'max_replication_slots', 'hot_standby_feedback', 'archive_mode', 'archive_timeout', 'archive_command', 'archive_library',
                 'tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count')";

/// Asks the PostgreSQL at `host:port`.
///
/// # Errors
/// It cannot be asked.
pub async fn parameters(profile: &PostgresProfile, host: &str, port: u16) -> Result<Parameters, SourceError> {
    let user = profile.user.clone().ok_or_else(|| SourceError::new(ErrorKind::Config, "no user for PostgreSQL is known"))?;
    let target = Target { host: host.to_owned(), port, user, dbname: profile.dbname.clone() };
    let reading = async {
        let (session, _) = connect_with(&target, profile, OPTIONS).await?;
        let rows = session.into_client().query(STATEMENT, &[]).await.map_err(|error| explain(&error, &target))?;
        let mut all = Parameters::default();
        for row in rows {
            let text = |column: usize| row.try_get::<_, String>(column).map(|t| clean(&t)).map_err(|error| explain(&error, &target));
            all.0.insert(text(0)?, Parameter { source: text(1)?, setting: text(2)? });
        }
        Ok(all)
    };
    let limit = SourceKind::Sql.deadline();
    let late = || SourceError::new(ErrorKind::Timeout, format!("no answer from PostgreSQL at {target} within {} s", limit.as_secs()));
    timeout(limit, reading).await.unwrap_or_else(|_| Err(late()))
}
