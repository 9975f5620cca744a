//! The audit's lines for the system's log: a datagram each to the socket on which the journal or a syslog daemon listens.
//!
//! Our own few lines, as what is on crates.io waits without end for a daemon that hangs.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::AuditError;
use crate::model::Time;

/// Facility 10 (authpriv: who may read it is limited), severity 5 (notice); RFC 3164, 4.1.1.
const PRIORITY: u8 = 10 * 8 + 5;
/// How long a daemon that is busy is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syslog {
    path: PathBuf,
    /// Whether nothing is done when it takes no line.
    required: bool,
}

impl Syslog {
    /// The daemon that listens here.
    pub fn new(path: &Path, required: bool) -> Self {
        Self { path: path.to_owned(), required }
    }

    /// Sends a line; what is to be said if it was not taken, though it need not be.
    ///
    /// # Errors
    /// It was not taken, and must be.
    pub fn send(&self, at: Time, line: &str) -> Result<Option<String>, AuditError> {
        match self.deliver(at, line) {
            Ok(()) => Ok(None),
            Err(why) if self.required => Err(AuditError::Syslog { path: self.path.clone(), why }),
            Err(why) => Ok(Some(format!("the audit's line was not taken by syslog: {}: {why}", self.path.display()))),
        }
    }

    fn deliver(&self, at: Time, line: &str) -> std::io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.connect(&self.path)?;
        let message = message(at, line, std::process::id());
        let sent = socket.send(message.as_bytes())?;
        if sent == message.len() { Ok(()) } else { Err(std::io::Error::other("it took a part of it")) }
    }
}

/// As glibc's syslog(3) writes it on that socket: `<85>Nov 26 16:40:00 pgbaton[1]: LINE`.
fn message(at: Time, line: &str, pid: u32) -> String {
    let stamp = Timestamp::from_microsecond(at.as_micros()).unwrap_or_default().to_zoned_datetime(TimeZone::system());
    format!("<{PRIORITY}>{} pgbaton[{pid}]: {line}", stamp.strftime("%b %e %H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_hangs_or_is_not_there_is_not_waited_for_without_end() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("log");
        let at = Time::from_micros(0);
        let said = |required: bool| Syslog::new(&path, required).send(at, "{}");
        assert!(said(true).expect_err("not there").to_string().starts_with("the audit cannot be sent to syslog: "));
        assert!(said(false).expect("it need not").is_some_and(|note| note.contains("not taken by syslog")));
        let daemon = UnixDatagram::bind(&path).expect("a socket");
        assert_eq!(said(true).expect("taken"), None);
        let mut text = [0; 100];
        let length = daemon.recv(&mut text).expect("a message");
        let text = String::from_utf8_lossy(&text[..length]).into_owned();
        assert!(text.starts_with("<85>") && text.ends_with(&format!(" pgbaton[{}]: {{}}", std::process::id())), "{text}");
        // It reads nothing any more.
        let hangs = (0..100_000).map(|_| said(true)).find_map(Result::err).expect("its queue has an end");
        assert!(hangs.to_string().contains("temporarily unavailable"), "{hangs}");
    }
}
