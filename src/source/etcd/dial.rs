//! Opening a connection to an etcd endpoint.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Endpoint;
use crate::model::{ErrorKind, SourceError};
use crate::source::tls;

/// For the name, the TCP connection and the TLS handshake together; less than a source's deadline, so that the reason is this one.
const DEADLINE: Duration = Duration::from_millis(1_500);

/// What a connection is to those who use it.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Connects, with TLS when a configuration is given. The error is a whole sentence: name unknown, refused, no answer, certificate.
pub(super) async fn dial(endpoint: &Endpoint, tls: Option<Arc<ClientConfig>>) -> Result<Box<dyn Io>, SourceError> {
    let opened = timeout(DEADLINE, async {
        let stream = connect(endpoint).await?;
        match tls {
            Some(config) => handshake(endpoint, stream, config).await,
            None => Ok(Box::new(stream) as Box<dyn Io>),
        }
    });
    opened.await.unwrap_or_else(|_| {
        let seconds = DEADLINE.as_secs_f64();
        Err(SourceError::new(ErrorKind::Timeout, format!("no connection to {} within {seconds} s", endpoint.authority())))
    })
}

async fn connect(endpoint: &Endpoint) -> Result<TcpStream, SourceError> {
    let (host, port) = (endpoint.host(), endpoint.port());
    let unknown = |why: String| SourceError::new(ErrorKind::Dns, format!("the host name {host} cannot be resolved: {why}"));
    let addresses = lookup_host((host, port)).await.map_err(|e| unknown(e.to_string()))?;
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

async fn handshake(endpoint: &Endpoint, stream: TcpStream, config: Arc<ClientConfig>) -> Result<Box<dyn Io>, SourceError> {
    let name = ServerName::try_from(endpoint.host().to_owned())
        .map_err(|_| SourceError::new(ErrorKind::Config, format!("{} is no name that a certificate could be for", endpoint.host())))?;
    match TlsConnector::from(config).connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(named(endpoint, tls::explain(&error).unwrap_or_else(|| broken(&error)))),
    }
}

fn broken(error: &io::Error) -> SourceError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return SourceError::new(ErrorKind::Tls, "the server closed the connection in the TLS handshake")
            .with_hint("is it http instead of https?");
    }
    SourceError::new(ErrorKind::Tls, format!("the TLS handshake failed: {error}"))
}

/// Says which endpoint an error is about.
pub(super) fn named(endpoint: &Endpoint, error: SourceError) -> SourceError {
    SourceError { message: format!("{}: {}", endpoint.authority(), error.message), ..error }
}
