//! A member's PostgreSQL: one small read-only session, kept open, one statement a second.
//!
//! The session is watched between the readings, so that the end of it (a crash, a restart, a switchover) is followed by the next attempt at
//! once. A server that does not answer is not given a second session beside the first: the attempt goes on, reported as a timeout, until
//! patience ends, and patience grows each time. So a server whose disk hangs is not filled up with sessions that nobody can end, and one that
//! was only frozen is heard again the moment it thaws.

mod client_sessions;
mod connect;
mod database;
mod errors;
mod line;
mod log_settings;
mod parameters;
mod query;
mod reading;
mod session;
mod sslmode;
mod target;
mod write_access;

pub use client_sessions::{session, sessions};
pub use log_settings::{LogSettings, log_settings};
pub use parameters::parameters;
pub use write_access::WriteAccess;

pub(super) use database::Database;

pub use self::line::{Answer, Line};

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, sleep_until, timeout_at};

use self::connect::{connect_telling, knock};
use self::session::Session;
use self::target::Target;
use super::certificate::{Presented, first_to_end};
use super::clock::Comparison;
use super::dial::Reach;
use super::{Clock, Sink};
use crate::config::PostgresProfile;
use crate::model::{ErrorKind, Fact, Observation, Outcome, PostgresStatus, SourceError, SourceId, SourceKind, Time};

/// The longest pause between two attempts while they fail.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// The shortest time from one attempt to the next, when sessions end as soon as they begin.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);

/// How long a silent server is waited for before its session is given up; each time in a row longer by as much.
const PATIENCE: Duration = Duration::from_secs(6);

/// How long a session lasts whose certificate ends soon, so that a renewed one is seen.
const RENEW: Duration = Duration::from_secs(30 * 60);

/// What counts as soon.
const SOON: Duration = Duration::from_secs(100 * 24 * 3600);

/// Patience does not grow beyond this.
const LONGEST_PATIENCE: Duration = Duration::from_secs(30);

/// Reads the PostgreSQL of `member` at `host:port` each second, for ever; the future never ends, and dropping it closes the session.
///
/// Reports [`Fact::Postgres`] under [`SourceKind::Sql`] and the member's name, or why there is none.
pub async fn run(sink: Sink, clock: Clock, member: String, host: String, port: u16, profile: PostgresProfile) {
    let source = SourceId::new(SourceKind::Sql, member);
    let presented = Presented::new(sink.clone(), clock, source.clone());
    let comparison = Comparison::new(sink.clone(), clock, source.clone());
    let reporter = Reporter { sink, clock, source, presented, comparison };
    let period = SourceKind::Sql.period();
    let Some(user) = profile.user.clone() else {
        let error =
            SourceError::new(ErrorKind::Config, "no user for PostgreSQL is known").with_hint("set user in the configuration, or PGUSER");
        loop {
            reporter.failed(error.clone());
            tokio::time::sleep(period).await;
        }
    };
    let target = Target { host, port, user, dbname: profile.dbname.clone() };
    let mut session: Option<Session> = None;
    let mut failures = 0u32;
    let mut given_up = 0u32;
    loop {
        let begun = Instant::now();
        // Another certificate shows only in a new handshake.
        session = session.filter(|open| open.renew_at.is_none_or(|at| begun < at));
        let patience = PATIENCE.saturating_mul(given_up.saturating_add(1)).min(LONGEST_PATIENCE);
        match reading(&mut session, &target, &profile, patience, &reporter).await {
            Reading::Heard(status, took) => {
                failures = 0;
                given_up = 0;
                if let Some(theirs) = status.server_time {
                    reporter.comparison.told(theirs, false, took);
                }
                reporter.report(took, Outcome::Heard(Box::new(Fact::Postgres(status))));
            }
            Reading::Failed(error) => {
                failures = failures.saturating_add(1);
                given_up = 0;
                reporter.failed(error);
            }
            Reading::Silent => {
                failures = failures.saturating_add(1);
                given_up = given_up.saturating_add(1);
            }
        }
        let pause = (period * 2u32.saturating_pow(failures.saturating_sub(1).min(4))).min(LONGEST_PAUSE);
        rest(&mut session, begun, pause).await;
    }
}

/// Waits for the next turn; less long when the session ends meanwhile.
async fn rest(session: &mut Option<Session>, begun: Instant, pause: Duration) {
    if let Some(open) = session {
        tokio::select! {
            () = sleep_until(begun + pause) => return,
            () = open.ended() => {}
        }
        *session = None;
        sleep_until(begun + SHORTEST_PAUSE).await;
    } else {
        sleep_until(begun + pause).await;
    }
}

fn ends_soon(chain: &[CertificateDer<'_>], now: Time) -> bool {
    first_to_end(chain, false).is_some_and(|certificate| certificate.not_after < now.plus(SOON))
}

/// What came of an attempt.
enum Reading {
    Heard(Box<PostgresStatus>, Duration),
    Failed(SourceError),
    /// No answer until patience ended; reported meanwhile.
    Silent,
}

/// One reading, in the session that is open or in a new one.
async fn reading(
    session: &mut Option<Session>,
    target: &Target,
    profile: &PostgresProfile,
    patience: Duration,
    reporter: &Reporter,
) -> Reading {
    let mut fresh = false;
    loop {
        // Taken out: should this future be dropped half way, or patience end, the session goes with it.
        let mut open = match session.take() {
            Some(open) => open,
            None => {
                fresh = true;
                let reach = Reach::default();
                match reporter.patiently(target, patience, Asking::Connecting(&reach), connect_telling(target, profile, &reach)).await {
                    None => return Reading::Silent,
                    Some((Err(error), _)) => return Reading::Failed(error),
                    Some((Ok((mut new, chain)), _)) => {
                        reporter.presented.note(&chain);
                        new.renew_at = ends_soon(&chain, reporter.clock.now()).then(|| Instant::now() + RENEW);
                        new
                    }
                }
            }
        };
        match reporter.patiently(target, patience, Asking::InSession, open.ask()).await {
            None => return Reading::Silent,
            Some((Ok((status, took)), Waited::InTime)) => {
                *session = Some(open);
                return Reading::Heard(Box::new(status), took);
            }
            // It may be as old as the silence was long.
            Some((Ok(_), Waited::Late)) => *session = Some(open),
            // Restarted since the last reading, perhaps: the new session's answer counts, not the old one's end.
            Some((Err(unread), _)) if unread.lost && !fresh => {}
            Some((Err(unread), _)) => {
                if !unread.lost {
                    *session = Some(open);
                }
                return Reading::Failed(unread.error);
            }
        }
    }
}

/// What is waited for.
#[derive(Clone, Copy)]
enum Asking<'a> {
    /// A session; how far that has come.
    Connecting(&'a Reach),
    /// An answer in the session that is open.
    InSession,
}

/// Whether an answer came within the deadline.
enum Waited {
    InTime,
    Late,
}

/// Where and under which name to report.
struct Reporter {
    sink: Sink,
    clock: Clock,
    source: SourceId,
    presented: Presented,
    comparison: Comparison,
}

impl Reporter {
    fn report(&self, took: Duration, outcome: Outcome) {
        self.sink.report(Observation { source: self.source.clone(), at: self.clock.now(), rtt: Some(took), outcome });
    }

    fn failed(&self, error: SourceError) {
        self.sink.report(Observation { source: self.source.clone(), at: self.clock.now(), rtt: None, outcome: Outcome::Failed(error) });
    }

    /// Waits for `asking`, reporting a timeout at the deadline and each period after it; drops it and gives `None` when patience ends.
    async fn patiently<T>(
        &self,
        target: &Target,
        patience: Duration,
        way: Asking<'_>,
        asking: impl Future<Output = T>,
    ) -> Option<(T, Waited)> {
        let begun = Instant::now();
        let deadline = SourceKind::Sql.deadline();
        let mut asking = pin!(asking);
        if let Ok(answer) = timeout_at(begun + deadline, &mut asking).await {
            return Some((answer, Waited::InTime));
        }
        // An open session says nothing of whether the server takes another: a second connection tells, once for each silence.
        let mut knocked = None;
        loop {
            let kind = match way {
                Asking::Connecting(reach) => reach.silence(),
                Asking::InSession => knocked.unwrap_or(ErrorKind::Timeout),
            };
            let seconds = deadline.as_secs();
            self.failed(match kind {
                ErrorKind::Dns => SourceError::new(kind, format!("the host name {:?} is not resolved within {seconds} s", target.host)),
                ErrorKind::Unreachable => SourceError::new(kind, format!("no TCP connection to {target} within {seconds} s")),
                kind => SourceError::new(kind, format!("no answer from PostgreSQL at {target} within {seconds} s")),
            });
            if matches!(way, Asking::InSession) && knocked.is_none() {
                tokio::select! {
                    biased;
                    answer = &mut asking => return Some((answer, Waited::Late)),
                    kind = knock(target, SourceKind::Sql.period()) => knocked = Some(kind),
                }
                if knocked != Some(ErrorKind::Timeout) {
                    continue;
                }
            }
            let waited = begun.elapsed();
            if waited >= patience {
                return None;
            }
            let next = (waited + SourceKind::Sql.period()).min(patience);
            if let Ok(answer) = timeout_at(begun + next, &mut asking).await {
                return Some((answer, Waited::Late));
            }
        }
    }
}
