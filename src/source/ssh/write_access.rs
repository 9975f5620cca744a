//! The way to a command on a node that can change something. It takes a permit; what is run is not this layer's to know.

use std::fmt;

use tokio::io::AsyncReadExt;

use super::Connections;
use super::master::Running;
use super::way::Way;
use crate::config::SshProfile;
use crate::model::SourceError;
use crate::permit::Permit;

/// The most that is kept of what a command prints, bytes.
const MOST: u64 = 64 * 1024;

/// Runs commands that can change something, over connections as they are opened for reading.
///
/// ```compile_fail,E0061
/// use pgbaton::source::ssh::WriteAccess;
/// fn without(profile: &pgbaton::config::SshProfile) {
///     let _ = WriteAccess::new(profile);
/// }
/// ```
///
/// ```
/// use pgbaton::permit::Permit;
/// use pgbaton::source::ssh::WriteAccess;
/// fn with(permit: &Permit, profile: &pgbaton::config::SshProfile) {
///     let _ = WriteAccess::new(permit, profile);
/// }
/// ```
#[derive(Clone)]
pub struct WriteAccess {
    profile: SshProfile,
}

impl fmt::Debug for WriteAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteAccess").finish_non_exhaustive()
    }
}

/// Why it is not known how a command has ended.
#[derive(Debug)]
pub enum Unanswered {
    /// It was not started.
    NotStarted(SourceError),
    /// It was started, and the line is lost; a sentence.
    Lost(String),
}

impl WriteAccess {
    /// What the profile gives. Nothing is connected yet.
    pub fn new(_: &Permit, profile: &SshProfile) -> Self {
        Self { profile: profile.clone() }
    }

    /// Runs these words on a node, with `input` to read, in a connection of their own: the exit code, and the last line that they said on
    /// standard error, else on standard output.
    ///
    /// # Errors
    /// Nobody tells how they have ended.
    pub async fn run(&self, node: &str, words: &[String], input: &str) -> Result<(i32, String), Unanswered> {
        let way = Way::to(&self.profile, node, Some(node)).map_err(Unanswered::NotStarted)?;
        let connection = Connections::default().to(&way).await.map_err(Unanswered::NotStarted)?;
        let mut running = Running::begin(&connection.session, words).await.map_err(Unanswered::NotStarted)?;
        let lost = |why: std::io::Error| Unanswered::Lost(format!("the line to {node} is lost: {why}"));
        // Who has ended without reading says why by its code.
        let fed = running.feed(input).await;
        let mut printed = Vec::new();
        (&mut running.output).take(MOST).read_to_end(&mut printed).await.map_err(lost)?;
        let ended = running.ended().await;
        let last = |text: &str| text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned);
        let said = last(&ended.said).or_else(|| last(&String::from_utf8_lossy(&printed))).unwrap_or_default();
        match (ended.code, fed) {
            (Some(code), _) => Ok((code, said)),
            (None, Err(why)) => Err(lost(why)),
            (None, Ok(())) => Err(Unanswered::Lost(format!("the line to {node} is lost"))),
        }
    }
}
