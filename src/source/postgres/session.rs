//! The one session of a member, kept open.

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::{Client, Error, SimpleQueryMessage, Statement};

use super::errors::explain;
use super::query::{RECOVERY, Rights, SETUP, statement};
use super::reading::parse;
use super::target::Target;
use crate::model::{ErrorKind, PostgresStatus, SourceError};

/// The oldest version whose catalog the statement fits.
const OLDEST: u32 = 120_000;

/// After how many readings a session asks again what it was denied at first.
const ASK_AGAIN: u32 = 60;

/// A reading that takes longer than this while it counts the files that wait to be archived does not count them the next time: measured, 100,000
/// of them take the server 170 ms.
const SLOW: Duration = Duration::from_millis(250);

/// How long the server may take to hear that we leave.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection's input and output.
type Connection = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A session. Dropping it takes leave of the server and closes the connection.
pub(super) struct Session {
    // Dropped before the driver, which takes that as the sign to leave.
    client: Client,
    driver: Driver,
    target: Target,
    prepared: Option<Prepared>,
    /// Whether the next statement that is prepared does without counting files.
    spare: bool,
    /// When it is to be replaced by a new one; `None`: it may last.
    pub renew_at: Option<Instant>,
}

/// Keeps the connection going; `None` after its end.
struct Driver(Option<Connection>);

impl Driver {
    /// Waits for the connection's end. Safe to drop while it waits; after the end it waits for ever.
    async fn ended(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Some(connection) => {
                let result = connection.await;
                self.0 = None;
                result
            }
            None => pending().await,
        }
    }
}

impl Drop for Driver {
    /// Tells the server that we leave, if it listens: a connection that just breaks off is a line in its log.
    fn drop(&mut self) {
        if let (Some(connection), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(timeout(FAREWELL, connection));
        }
    }
}

struct Prepared {
    asking: Asking,
    /// Readings until the rights are asked for again; `None` when all stands in the statement.
    left: Option<u32>,
    /// Whether it counts files.
    counts: bool,
}

/// How the statement is asked.
enum Asking {
    /// For the first time in the session, in one round: to have it prepared before costs another, for which whoever waits for a first picture
    /// waits too.
    Once(String),
    /// Again, so that the server need not parse it again.
    Prepared(Statement),
}

/// Why there is no reading.
pub(super) struct Unread {
    /// The sentence.
    pub error: SourceError,
    /// Whether the session is over and must be dropped.
    pub lost: bool,
    code: Option<SqlState>,
}

impl Session {
    /// A session that has been authenticated and has not said anything yet.
    pub fn new(client: Client, connection: Connection, target: Target) -> Self {
        Self { client, driver: Driver(Some(connection)), target, prepared: None, spare: false, renew_at: None }
    }

    /// The client alone; the connection is kept going until it is dropped.
    pub fn into_client(self) -> Client {
        let Self { client, mut driver, .. } = self;
        if let Some(connection) = driver.0.take() {
            tokio::spawn(connection);
        }
        client
    }

    /// Waits until the session ends, the server's doing or the network's. Safe to drop while it waits; not to be called again after it returned.
    pub async fn ended(&mut self) {
        // Whatever it was, the attempt that follows finds the reason that holds now.
        let _ = self.driver.ended().await;
    }

    /// Whether it is in recovery, and the timeline on which it writes if not. Dropped half way the session must be dropped too.
    pub async fn recovery(&mut self) -> Result<(bool, Option<u32>), SourceError> {
        let answer = drive(&mut self.driver, &self.target, self.client.simple_query(RECOVERY)).await.map_err(|unread| unread.error)?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let column = |index: usize| row.and_then(|row| row.try_get(index).ok().flatten());
        let in_recovery = match column(0) {
            Some("t") => true,
            Some("f") => false,
            _ => return Err(self.malformed(&"it does not tell whether it is in recovery").error),
        };
        Ok((in_recovery, column(1).and_then(|file| u32::from_str_radix(file.get(..8)?, 16).ok())))
    }

    /// One reading and how long the server and the way to it took. Dropped half way the session must be dropped too.
    pub async fn ask(&mut self) -> Result<(PostgresStatus, Duration), Unread> {
        let counts = |session: &Self| session.prepared.as_ref().is_some_and(|p| p.counts);
        match self.ask_once().await {
            Ok((status, took)) => {
                if took > SLOW && counts(self) {
                    self.spare_counting();
                }
                Ok((status, took))
            }
            Err(unread) if !unread.lost && unread.code == Some(SqlState::QUERY_CANCELED) && counts(self) => {
                self.spare_counting();
                self.ask_once().await
            }
            // It was promoted between two of the statement's functions, or a right was taken since the session asked for them.
            Err(unread)
                if !unread.lost
                    && (unread.code == Some(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE)
                        || unread.code == Some(SqlState::INSUFFICIENT_PRIVILEGE)) =>
            {
                self.prepared = None;
                self.ask_once().await
            }
            Err(unread) => Err(unread),
        }
    }

    /// Counts no files in the next [`ASK_AGAIN`] readings.
    fn spare_counting(&mut self) {
        self.spare = true;
        self.prepared = None;
    }

    async fn ask_once(&mut self) -> Result<(PostgresStatus, Duration), Unread> {
        let prepared = match self.prepared.take().filter(|p| p.left != Some(0)) {
            Some(Prepared { asking: Asking::Once(text), left, counts }) => {
                let statement = drive(&mut self.driver, &self.target, self.client.prepare(&text)).await?;
                Prepared { asking: Asking::Prepared(statement), left, counts }
            }
            Some(prepared) => prepared,
            None => self.set_up().await?,
        };
        let begun = Instant::now();
        let row = match &prepared.asking {
            Asking::Once(text) => drive(&mut self.driver, &self.target, self.client.query_typed_one(text, &[])).await,
            Asking::Prepared(statement) => drive(&mut self.driver, &self.target, self.client.query_one(statement, &[])).await,
        };
        self.prepared = Some(Prepared { left: prepared.left.map(|n| n.saturating_sub(1)), ..prepared });
        let row = row?;
        let took = begun.elapsed();
        let json: &str = row.try_get(0).map_err(|e| self.malformed(&e))?;
        let status = parse(json).map_err(|e| self.malformed(&e))?;
        Ok((status, took))
    }

    async fn set_up(&mut self) -> Result<Prepared, Unread> {
        let answer = drive(&mut self.driver, &self.target, self.client.simple_query(SETUP)).await?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let column = |index: usize| row.and_then(|r| r.try_get(index).ok().flatten());
        let version: u32 = column(0).and_then(|v| v.parse().ok()).ok_or_else(|| self.malformed(&"it does not tell its version"))?;
        if version < OLDEST {
            let sentence = format!("PostgreSQL at {} is of version {}; pgbaton reads 12 and later", self.target, version / 10_000);
            return Err(Unread { error: SourceError::new(ErrorKind::Other, sentence), lost: false, code: None });
        }
        let may = |index| column(index) == Some("t");
        let counts = may(4) && !std::mem::take(&mut self.spare);
        let rights = Rights {
            system: may(1),
            checkpoint: may(2),
            recovery: may(3),
            archive_status: counts,
            backups: version >= 130_000,
            functions: version < 190_000,
        };
        let all = rights.system && rights.checkpoint && rights.recovery && counts;
        Ok(Prepared { asking: Asking::Once(statement(rights)), left: (!all).then_some(ASK_AGAIN), counts })
    }

    fn malformed(&self, what: &dyn std::fmt::Display) -> Unread {
        let sentence = format!("PostgreSQL at {} gave an answer that is not understood: {what}", self.target);
        Unread { error: SourceError::new(ErrorKind::Malformed, sentence), lost: false, code: None }
    }
}

/// Waits for `asking` while the connection is kept going.
async fn drive<T>(driver: &mut Driver, target: &Target, asking: impl Future<Output = Result<T, Error>>) -> Result<T, Unread> {
    let mut asking = pin!(asking);
    let error = tokio::select! {
        biased;
        answer = &mut asking => match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => {
                let lost = ends_session(&error);
                return Err(Unread { code: error.code().cloned(), error: explain(&error, target), lost });
            }
        },
        ended = driver.ended() => {
            // The server's last words may have gone to the statement.
            match asking.now_or_never() {
                Some(Err(last)) if last.as_db_error().is_some() => Some(last),
                _ => ended.err(),
            }
        }
    };
    let error = match error {
        Some(error) => explain(&error, target),
        None => SourceError::new(ErrorKind::Broken, format!("the session on PostgreSQL at {target} has ended")),
    };
    Err(Unread { error, lost: true, code: None })
}

/// Whether nothing more can be asked after this error.
fn ends_session(error: &Error) -> bool {
    match error.as_db_error() {
        Some(said) => matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
        None => true,
    }
}
