//! HAProxy's statistics from its Unix socket (management guide, 9.3). Level `user` suffices; from `operator` on the
//! answer has the servers' addresses, which the page has with `stats show-legends`.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::{LONGEST, stat};
use crate::model::{ErrorKind, HaproxyStatus, SourceError};

/// For one answer: less than the source's deadline, so that the error says how far it came.
const ANSWER: Duration = Duration::from_millis(1_900);

/// One `show stat` in a connection of its own, as the socket ends the connection after one command.
pub(super) async fn ask(path: &Path) -> Result<HaproxyStatus, SourceError> {
    let failed = |error: io::Error| explain(&error, path);
    let mut stream = UnixStream::connect(path).await.map_err(failed)?;
    let mut text = Vec::new();
    let asked = timeout(ANSWER, async {
        stream.write_all(b"show stat\n").await?;
        stream.take(LONGEST + 1).read_to_end(&mut text).await
    });
    match asked.await {
        Ok(read) => read.map_err(failed)?,
        // The kernel takes connections for a process that is stopped.
        Err(_) if text.is_empty() => return Err(late(ErrorKind::Hung, "takes the connection and gives no answer", path)),
        Err(_) => return Err(late(ErrorKind::Timeout, "does not end its answer", path)),
    };
    if text.len() as u64 > LONGEST {
        return Err(super::too_long());
    }
    let status = stat::parse(&text)?;
    // The socket ends each answer with an empty line; without it nothing tells a whole answer from one cut between two lines.
    if !text.ends_with(b"\n\n") {
        return Err(SourceError::new(ErrorKind::Malformed, "HAProxy's statistics are cut off"));
    }
    Ok(status)
}

fn late(kind: ErrorKind, what: &str, path: &Path) -> SourceError {
    SourceError::new(kind, format!("HAProxy at the socket {} {what} within {} s", path.display(), ANSWER.as_secs_f64()))
}

fn explain(error: &io::Error, path: &Path) -> SourceError {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => SourceError::new(ErrorKind::Config, format!("there is no socket {path}"))
            .with_hint("is HAProxy running here, with `stats socket` in haproxy.cfg?"),
        io::ErrorKind::ConnectionRefused => SourceError::new(ErrorKind::Refused, format!("nobody listens on the socket {path}")),
        io::ErrorKind::PermissionDenied => SourceError::new(ErrorKind::Denied, format!("no right to open the socket {path}"))
            .with_hint("`stats socket ... mode`, or our group"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            SourceError::new(ErrorKind::Broken, format!("the connection to the socket {path} broke off"))
        }
        _ => SourceError::new(ErrorKind::Other, format!("the socket {path}: {error}")),
    }
}
