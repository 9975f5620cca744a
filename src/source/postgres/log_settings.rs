//! Where PostgreSQL logs and how, asked when somebody means to read it.

use tokio::time::timeout;

use super::connect::connect;
use super::errors::explain;
use super::target::Target;
use crate::config::PostgresProfile;
use crate::model::{ErrorKind, SourceError, SourceKind};
use crate::source::ssh::name_pattern;

/// What only some may see is not in the view for others, and null here.
const STATEMENT: &str = "
SELECT max(setting) FILTER (WHERE name = 'data_directory'), max(setting) FILTER (WHERE name = 'log_directory'),
       max(setting) FILTER (WHERE name = 'log_filename'), max(setting) FILTER (WHERE name = 'log_destination'),
       max(setting) FILTER (WHERE name = 'logging_collector'), max(setting) FILTER (WHERE name = 'log_line_prefix'),
       extract(epoch FROM (now() AT TIME ZONE current_setting('log_timezone')) - (now() AT TIME ZONE 'UTC'))::int4
FROM pg_settings";

/// The settings of the same names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// A path on the server.
    pub data_directory: String,
    /// A path on the server, or one within the data directory.
    pub log_directory: String,
    /// A name for `strftime`.
    pub log_filename: String,
    /// A list: `stderr, csvlog`.
    pub log_destination: String,
    /// Whether files are written at all.
    pub logging_collector: bool,
    /// What stands before each line of `stderr`.
    pub log_line_prefix: String,
    /// `log_timezone` at this moment, seconds east of Greenwich.
    pub utc_offset: i32,
}

impl LogSettings {
    /// The folder, the file's name in it, and the shell's pattern of its names where they change; `None`: no file is written. Of several
    /// destinations the one whose lines say the most is taken.
    pub(in crate::source) fn file(&self) -> Option<(String, String, Option<String>)> {
        let to = |destination: &str| self.log_destination.split(',').any(|one| one.trim().eq_ignore_ascii_case(destination));
        let ending = match () {
            () if !self.logging_collector => return None,
            () if to("jsonlog") => Some("json"),
            () if to("csvlog") => Some("csv"),
            () if to("stderr") => None,
            () => return None,
        };
        let folder = match self.log_directory.starts_with('/') {
            true => self.log_directory.clone(),
            false => format!("{}/{}", self.data_directory.trim_end_matches('/'), self.log_directory),
        };
        // As PostgreSQL makes it: the ending .log is replaced, any other is kept.
        let name = match ending {
            Some(ending) => format!("{}.{ending}", self.log_filename.strip_suffix(".log").unwrap_or(&self.log_filename)),
            None => self.log_filename.clone(),
        };
        let pattern = name_pattern(&name);
        Some((folder, name, pattern))
    }
}

/// Asks the PostgreSQL at `host:port`.
///
/// # Errors
/// It cannot be asked, or our user may not see where it logs.
pub async fn log_settings(profile: &PostgresProfile, host: &str, port: u16) -> Result<LogSettings, SourceError> {
    let user = profile.user.clone().ok_or_else(|| SourceError::new(ErrorKind::Config, "no user for PostgreSQL is known"))?;
    let target = Target { host: host.to_owned(), port, user: user.clone(), dbname: profile.dbname.clone() };
    let reading = async {
        let (session, _) = connect(&target, profile).await?;
        let row = session.into_client().query_one(STATEMENT, &[]).await.map_err(|error| explain(&error, &target))?;
        let text = |column: usize| {
            let value: Option<String> = row.try_get(column).map_err(|error| explain(&error, &target))?;
            value.ok_or_else(|| {
                SourceError::new(ErrorKind::Denied, format!("the user {user} may not see where PostgreSQL at {target} logs"))
                    .with_hint(format!("GRANT pg_monitor TO {user}"))
            })
        };
        Ok(LogSettings {
            data_directory: text(0)?,
            log_directory: text(1)?,
            log_filename: text(2)?,
            log_destination: text(3)?,
            logging_collector: text(4)? == "on",
            log_line_prefix: text(5)?,
            utc_offset: row.try_get(6).map_err(|error| explain(&error, &target))?,
        })
    };
    let limit = SourceKind::Sql.deadline();
    let late = || SourceError::new(ErrorKind::Timeout, format!("no answer from PostgreSQL at {target} within {} s", limit.as_secs()));
    timeout(limit, reading).await.unwrap_or_else(|_| Err(late()))
}
