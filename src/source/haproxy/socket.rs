//! HAProxy's statistics from its Unix socket (management guide, 9.3). Level `user` suffices; from `operator` on the
//! answer has the servers' addresses, which the page has with `stats show-legends`.

use std::io;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::{LONGEST, stat};
use crate::model::{ErrorKind, HaproxyStatus, SourceError};

/// One `show stat` in a connection of its own, as the socket ends the connection after one command.
pub(super) async fn ask(path: &Path) -> Result<HaproxyStatus, SourceError> {
    let failed = |error: io::Error| explain(&error, path);
    let mut stream = UnixStream::connect(path).await.map_err(failed)?;
    stream.write_all(b"show stat\n").await.map_err(failed)?;
    let mut text = Vec::new();
    stream.take(LONGEST + 1).read_to_end(&mut text).await.map_err(failed)?;
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
