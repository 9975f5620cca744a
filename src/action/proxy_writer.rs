//! The one client that can change something at an HAProxy: it cannot be made without a permit, and it sends an order once.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::{ProxyOrder, Reply};
use crate::config::{AdminAddress, Profile};
use crate::model::clean;
use crate::permit::Permit;

/// How long a connection, and the answer, may take.
const LIMIT: Duration = Duration::from_secs(3);
/// The most that is read of an answer, bytes.
const LONGEST: u64 = 1 << 20;
/// The most that is kept of a refusal, characters.
const KEPT: usize = 300;

/// Gives orders to HAProxies on their admin sockets.
///
/// ```compile_fail,E0061
/// use pgbaton::action::ProxyWriter;
/// fn without(profile: &pgbaton::config::Profile) {
///     let _ = ProxyWriter::new(profile);
/// }
/// ```
///
/// ```
/// use pgbaton::action::ProxyWriter;
/// use pgbaton::permit::Permit;
/// fn with(permit: &Permit, profile: &pgbaton::config::Profile) {
///     let _ = ProxyWriter::new(permit, profile);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct ProxyWriter {
    sockets: BTreeMap<String, AdminAddress>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// Nothing was said.
    NotSaid(String),
    /// It may have been heard.
    Lost(String),
}

impl ProxyWriter {
    /// A client for the profile's HAProxies that have an admin socket.
    pub fn new(permit: &Permit, profile: &Profile) -> Self {
        let sockets = profile.haproxy.iter().filter_map(|h| Some((h.name.clone(), h.admin_socket.as_ref()?.address(permit).clone())));
        Self { sockets: sockets.collect() }
    }

    /// The HAProxies that can be told something.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.sockets.keys().map(String::as_str)
    }

    /// Sends an order, once, in a connection of its own.
    pub async fn send(&self, order: &ProxyOrder) -> Reply {
        match self.say(&order.proxy, order.command()).await {
            Ok(text) if text.trim().is_empty() => Reply::Taken(format!("{} took it", order.proxy)),
            Ok(text) => Reply::Refused(format!("{} says: {}", order.proxy, cut(&text))),
            Err(Unanswered::NotSaid(why)) => Reply::NotSent(why),
            Err(Unanswered::Lost(why)) => Reply::Lost(why),
        }
    }

    /// One line and all that is answered to it.
    pub(super) async fn say(&self, proxy: &str, line: &str) -> Result<String, Unanswered> {
        let Some(address) = self.sockets.get(proxy) else {
            return Err(Unanswered::NotSaid(format!("no admin_socket of {proxy} is configured")));
        };
        let unreachable = |why: &dyn std::fmt::Display| Unanswered::NotSaid(format!("{address}: {why}"));
        let opened = timeout(LIMIT, open(address)).await;
        let stream = opened.map_err(|_| unreachable(&"no connection"))?.map_err(|e| unreachable(&e))?;
        match timeout(LIMIT, exchange(stream, line)).await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) => Err(Unanswered::Lost(format!("{address}: {error}"))),
            Err(_) => Err(Unanswered::Lost(format!("{address}: nothing within {} s", LIMIT.as_secs()))),
        }
    }
}

/// What HAProxy said, on one line.
pub(super) fn cut(text: &str) -> String {
    clean(&text.split_whitespace().collect::<Vec<_>>().join(" ")).chars().take(KEPT).collect()
}

/// A connection's two directions.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn open(address: &AdminAddress) -> io::Result<Box<dyn Stream>> {
    Ok(match address {
        AdminAddress::Unix(path) => Box::new(UnixStream::connect(path).await?),
        AdminAddress::Tcp(address) => Box::new(TcpStream::connect((address.host.as_str(), address.port)).await?),
    })
}

async fn exchange(mut stream: Box<dyn Stream>, line: &str) -> io::Result<String> {
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    let mut answer = Vec::new();
    // The socket closes the connection after the answer.
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
