//! Opening a connection.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::tls;
use crate::model::{ErrorKind, SourceError};

/// For the name, the TCP connection and the TLS handshake together; less than a source's deadline, so that the reason is this one.
const DEADLINE: Duration = Duration::from_millis(1_500);

/// What a connection is to those who use it. It is closed when it is dropped.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection that was opened.
pub(super) struct Opened {
    /// What is said and heard over it.
    pub io: Box<dyn Io>,
    /// The certificates that the other side has shown, its own first; none without TLS.
    pub chain: Vec<CertificateDer<'static>>,
}

/// How far an attempt to connect has come: what its silence means.
#[derive(Debug, Default)]
pub(super) struct Reach(AtomicU8);

impl Reach {
    /// It begins, perhaps anew.
    pub fn begun(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The name has an address.
    pub fn resolved(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    /// The connection was taken.
    pub fn taken(&self) {
        self.0.store(2, Ordering::Relaxed);
    }

    /// What it means that nothing more came.
    pub fn silence(&self) -> ErrorKind {
        match self.0.load(Ordering::Relaxed) {
            0 => ErrorKind::Dns,
            1 => ErrorKind::Unreachable,
            _ => ErrorKind::Hung,
        }
    }
}

/// Connects to a host's port, with TLS when a configuration is given. The error is a whole sentence: name unknown, refused, no answer,
/// certificate.
///
/// A host's addresses are tried one after the other, so there is never more than one connection.
pub(super) async fn dial(host: &str, port: u16, tls: Option<Arc<ClientConfig>>) -> Result<Opened, SourceError> {
    let authority = authority(host, port);
    let reach = Reach::default();
    let opened = timeout(DEADLINE, async {
        let stream = connect(host, port, &reach).await?;
        reach.taken();
        match tls {
            Some(config) => handshake(host, stream, config).await.map_err(|error| named(&authority, error)),
            None => Ok(Opened { io: Box::new(stream), chain: Vec::new() }),
        }
    });
    opened.await.unwrap_or_else(|_| {
        let seconds = DEADLINE.as_secs_f64();
        let late = |told: String| Err(SourceError::new(reach.silence(), told));
        match reach.silence() {
            // A server that expects HTTP waits for the end of a line, which TLS's first words do not have.
            ErrorKind::Hung => late(format!("{authority} does not answer the TLS handshake within {seconds} s"))
                .map_err(|error| error.with_hint("is it http instead of https?")),
            ErrorKind::Dns => late(format!("the host name {host} is not resolved within {seconds} s")),
            _ => late(format!("no connection to {authority} within {seconds} s")),
        }
    })
}

async fn connect(host: &str, port: u16, reach: &Reach) -> Result<TcpStream, SourceError> {
    let unknown = |why: String| SourceError::new(ErrorKind::Dns, format!("the host name {host} cannot be resolved: {why}"));
    let addresses = lookup_host((host, port)).await.map_err(|e| unknown(e.to_string()))?;
    reach.resolved();
    let mut failure = unknown("it has no address".to_owned());
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Small requests, waited for: they must not be held back to be joined with later ones. It works without, too.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                failure = SourceError::new(ErrorKind::Refused, format!("connection refused by {address}"));
            }
            Err(error) => failure = SourceError::new(ErrorKind::Broken, format!("no connection to {address}: {error}")),
        }
    }
    Err(failure)
}

async fn handshake(host: &str, stream: TcpStream, config: Arc<ClientConfig>) -> Result<Opened, SourceError> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| SourceError::new(ErrorKind::Config, format!("{host} is no name that a certificate could be for")))?;
    match TlsConnector::from(config).connect(name, stream).await {
        Ok(stream) => {
            let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let chain = chain.iter().map(|der| der.clone().into_owned()).collect();
            Ok(Opened { io: Box::new(stream), chain })
        }
        Err(error) => Err(tls::explain(&error).unwrap_or_else(|| broken(&error))),
    }
}

fn broken(error: &io::Error) -> SourceError {
    // A server that closes before it has read all of our first words resets the connection.
    if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) {
        return SourceError::new(ErrorKind::Tls, "the server closed the connection in the TLS handshake")
            .with_hint("is it http instead of https?");
    }
    SourceError::new(ErrorKind::Tls, format!("the TLS handshake failed: {error}"))
}

/// Host and port as they are written together: `10.0.0.8:2379`, `[fd00::8]:2379`.
pub(super) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Says whom an error is about.
pub(super) fn named(authority: &str, error: SourceError) -> SourceError {
    SourceError { message: format!("{authority}: {}", error.message), ..error }
}
