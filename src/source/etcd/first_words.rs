//! What the other side says first, kept for the error.
//!
//! The HTTP/2 library ends a connection that makes no sense in a task of its own, and the request that waited is told no more than "canceled" or
//! "broken pipe". What was really read tells a certificate that is demanded from a port that belongs to something else.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Endpoint;
use super::errors::{broken, not_etcd};
use crate::model::{ErrorKind, SourceError};
use crate::source::dial::{Io, named};
use crate::source::tls;

/// Length, type: as much of the first frame as shows that it is one.
const HEAD: usize = 4;
/// The type of a SETTINGS frame, with which every HTTP/2 server begins (RFC 9113, 3.4).
const SETTINGS: u8 = 4;

/// Why a connection came to nothing, if that could be seen.
#[derive(Clone, Default)]
pub(super) struct Reason {
    seen: Arc<Mutex<Option<SourceError>>>,
    /// A connection was taken, and nothing was read over it yet.
    silent: Arc<AtomicBool>,
}

impl Reason {
    /// What was last seen.
    pub fn get(&self) -> Option<SourceError> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the connection was taken and nothing was ever said over it.
    pub fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    fn set(&self, reason: Option<SourceError>) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }
}

/// A connection whose first words are looked at.
pub(super) struct FirstWords {
    inner: Box<dyn Io>,
    endpoint: Endpoint,
    head: Vec<u8>,
    reason: Reason,
}

impl FirstWords {
    pub fn new(inner: Box<dyn Io>, endpoint: Endpoint, reason: Reason) -> Self {
        reason.set(None);
        reason.silent.store(true, Ordering::Relaxed);
        Self { inner, endpoint, head: Vec::new(), reason }
    }

    fn look(&mut self, read: &io::Result<()>, new: &[u8]) {
        self.reason.silent.store(false, Ordering::Relaxed);
        let seen = match read {
            Err(error) => Some(tls::explain(error).unwrap_or_else(|| broken(error, &self.endpoint))),
            Ok(()) if self.head.len() >= HEAD => None,
            Ok(()) if new.is_empty() => Some(self.closed()),
            Ok(()) => {
                self.head.extend(new.iter().take(HEAD - self.head.len()));
                let wrong = self.head.get(HEAD - 1).is_some_and(|kind| *kind != SETTINGS);
                wrong.then(|| not_etcd(&self.endpoint))
            }
        };
        if let Some(seen) = seen {
            self.reason.set(Some(named(self.endpoint.authority(), seen)));
        }
    }

    /// The other side has closed, or does not want to hear more, before it said anything.
    fn closed(&self) -> SourceError {
        if self.endpoint.tls() {
            SourceError::new(ErrorKind::Tls, "the server closed the connection right after the TLS handshake")
                .with_hint("does it demand a client certificate?")
        } else {
            SourceError::new(ErrorKind::Broken, "the server closed the connection without a word")
                .with_hint("is it etcd's client port? is it https instead of http?")
        }
    }

    fn look_at_write<T>(&self, written: &Poll<io::Result<T>>) {
        // Why it closed may have been read already; after this nobody reads on.
        if matches!(written, Poll::Ready(Err(_))) && self.head.is_empty() && self.reason.get().is_none() {
            self.reason.set(Some(named(self.endpoint.authority(), self.closed())));
        }
    }
}

impl AsyncRead for FirstWords {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.inner).poll_read(cx, buf));
        self.look(&read, &buf.filled()[before..]);
        Poll::Ready(read)
    }
}

impl AsyncWrite for FirstWords {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.look_at_write(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.look_at_write(&flushed);
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.look_at_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    async fn reason(says: &[&'static [u8]]) -> Option<SourceError> {
        let mut mock = Vec::new();
        says.iter().for_each(|part| mock.extend_from_slice(part));
        let (reason, endpoint) = (Reason::default(), Endpoint::parse("http://db:2379").expect("parses"));
        let mut io = FirstWords::new(Box::new(tokio::io::join(io::Cursor::new(mock), tokio::io::sink())), endpoint, reason.clone());
        let mut read = [0; 3];
        while io.read(&mut read).await.is_ok_and(|n| n > 0) {}
        reason.get()
    }

    #[tokio::test]
    async fn etcds_first_frame_is_settings() {
        assert_eq!(reason(&[b"\0\0\x12\x04\0\0\0\0\0", b"anything"]).await, None);
        let other = reason(&[b"HTTP/1.1 400 Bad Request\r\n"]).await.expect("a reason");
        assert_eq!(other.kind, ErrorKind::Malformed);
        let silent = reason(&[]).await.expect("a reason");
        assert_eq!(silent.kind, ErrorKind::Broken);
    }
}
