//! From a target to a session: name, TCP, TLS, authentication.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_postgres::tls::{MakeTlsConnect, NoTls, TlsConnect};
use tokio_postgres::{Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::errors::{explain, explain_dns, explain_tcp, no_password, password_missing, turned_away};
use super::query::OPTIONS;
use super::session::Session;
use super::sslmode::{Way, client_config, ways};
use super::target::Target;
use crate::config::PostgresProfile;
use crate::model::{ErrorKind, SourceError, SourceKind};
use crate::source::certificate::Shown;
use crate::source::dial::Reach;

/// How the session is called in `pg_stat_activity`.
const APPLICATION_NAME: &str = "pgbaton";

/// The certificates that the server has shown, its own first; none without TLS.
pub(super) type Chain = Vec<CertificateDer<'static>>;

/// A new session. Certificates and passwords are read anew, so that renewed ones are taken.
///
/// Resolving the name and connecting to each of its addresses may take `connect_timeout` each, two seconds if that is not set; the rest has no
/// limit of its own. With `allow` and `prefer` the second way is tried as libpq does; when it fails too, the error tells both.
pub(super) async fn connect(target: &Target, profile: &PostgresProfile) -> Result<(Session, Chain), SourceError> {
    connect_with(target, profile, OPTIONS).await
}

/// The same, telling how far it has come.
pub(super) async fn connect_telling(target: &Target, profile: &PostgresProfile, reach: &Reach) -> Result<(Session, Chain), SourceError> {
    connect_reaching(target, profile, OPTIONS, reach).await
}

/// The same with other settings of the session.
pub(super) async fn connect_with(
    target: &Target,
    profile: &PostgresProfile,
    options: &'static str,
) -> Result<(Session, Chain), SourceError> {
    connect_reaching(target, profile, options, &Reach::default()).await
}

async fn connect_reaching(
    target: &Target,
    profile: &PostgresProfile,
    options: &'static str,
    reach: &Reach,
) -> Result<(Session, Chain), SourceError> {
    let limit = profile.connect_timeout.unwrap_or(SourceKind::Sql.deadline());
    let shown = Shown::default();
    let access = Access::read(target, profile, options, &shown).await?;
    let mut first: Option<SourceError> = None;
    for way in ways(profile.sslmode) {
        let stream = tcp(target, limit, reach).await?;
        let encrypted = AtomicBool::new(false);
        let error = match access.start(stream, *way, target, &encrypted).await {
            Ok(session) => return Ok((session, shown.chain())),
            Err(error) => error,
        };
        let said = if password_missing(&error) { no_password(target, access.no_password.as_deref()) } else { explain(&error, target) };
        if let Some(before) = first.take() {
            return Err(both(&before, &said, *way));
        }
        let another = match way {
            Way::Plain => turned_away(&error),
            // Without TLS already: the second way would be the same again.
            Way::TlsIfOffered => encrypted.into_inner() && (turned_away(&error) || said.kind == ErrorKind::Tls),
            Way::Tls => false,
        };
        if !another {
            return Err(said);
        }
        first = Some(said);
    }
    Err(first.unwrap_or_else(|| SourceError::new(ErrorKind::Other, format!("no way to PostgreSQL at {target}"))))
}

/// One sentence for two failed ways, under the kind of the one that says more.
fn both(first: &SourceError, second: &SourceError, second_way: Way) -> SourceError {
    let (with, without) = match second_way {
        Way::Plain => (first, second),
        Way::Tls | Way::TlsIfOffered => (second, first),
    };
    // A server that turned us away once may have said the real reason the other time.
    let telling = if first.kind == ErrorKind::Denied { second } else { first };
    let error = SourceError::new(telling.kind, format!("with TLS: {}; without: {}", with.message, without.message));
    match &telling.hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// What opens the door: password and certificates.
struct Access {
    password: Option<SecretString>,
    /// Why the password file could not be used. Matters only when the server asks for a password, as with libpq.
    no_password: Option<String>,
    tls: Option<Arc<ClientConfig>>,
    user: String,
    dbname: String,
    options: &'static str,
}

impl Access {
    /// Reads files, on a thread where a hanging file system harms nobody else.
    async fn read(target: &Target, profile: &PostgresProfile, options: &'static str, shown: &Shown) -> Result<Self, SourceError> {
        let (target, profile, shown) = (target.clone(), profile.clone(), shown.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let (password, no_password) = match profile.password_for(&target.host, target.port) {
                Ok(password) => (password, None),
                Err(reason) => (None, Some(reason.to_string())),
            };
            let tls = client_config(&profile, &shown)?;
            Ok(Self { password, no_password, tls, user: target.user, dbname: target.dbname, options })
        });
        reading.await.unwrap_or_else(|e| Err(SourceError::new(ErrorKind::Other, format!("the certificates cannot be read: {e}"))))
    }

    fn config(&self) -> Config {
        let mut config = Config::new();
        config.user(&self.user).dbname(&self.dbname).application_name(APPLICATION_NAME).options(self.options);
        if let Some(password) = &self.password {
            config.password(password.expose_secret());
        }
        config
    }

    /// Sets `encrypted` as soon as the server has agreed to TLS.
    async fn start(&self, stream: TcpStream, way: Way, target: &Target, encrypted: &AtomicBool) -> Result<Session, Error> {
        let mut config = self.config();
        let mode = match way {
            Way::Plain => tokio_postgres::config::SslMode::Disable,
            Way::TlsIfOffered => tokio_postgres::config::SslMode::Prefer,
            Way::Tls => tokio_postgres::config::SslMode::Require,
        };
        config.ssl_mode(mode);
        match (&self.tls, way) {
            (Some(tls), Way::TlsIfOffered | Way::Tls) => {
                let mut maker = MakeRustlsConnect::new(ClientConfig::clone(tls));
                let Ok(inner) = <MakeRustlsConnect as MakeTlsConnect<TcpStream>>::make_tls_connect(&mut maker, &target.host);
                let (client, connection) = config.connect_raw(stream, Noticed { inner, encrypted }).await?;
                Ok(Session::new(client, Box::pin(connection), target.clone()))
            }
            _ => {
                let (client, connection) = config.connect_raw(stream, NoTls).await?;
                Ok(Session::new(client, Box::pin(connection), target.clone()))
            }
        }
    }
}

/// A TLS connector that notices that it is used.
struct Noticed<'a, C> {
    inner: C,
    encrypted: &'a AtomicBool,
}

impl<S, C: TlsConnect<S>> TlsConnect<S> for Noticed<'_, C> {
    type Stream = C::Stream;
    type Error = C::Error;
    type Future = C::Future;

    fn connect(self, stream: S) -> Self::Future {
        self.encrypted.store(true, Ordering::Relaxed);
        self.inner.connect(stream)
    }
}

/// A TCP connection to the first of the host's addresses that takes one.
async fn tcp(target: &Target, limit: Duration, reach: &Reach) -> Result<TcpStream, SourceError> {
    let late = |what: &str| SourceError::new(reach.silence(), format!("{what} {target} within {} s", limit.as_secs_f32()));
    reach.begun();
    let addresses = timeout(limit, lookup_host((target.host.as_str(), target.port)))
        .await
        .map_err(|_| late("the name service does not resolve"))?
        .map_err(|e| explain_dns(&e, target))?;
    reach.resolved();
    let mut last = None;
    for address in addresses {
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                reach.taken();
                stream.set_nodelay(true).map_err(|e| explain_tcp(&e, target))?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = Some(explain_tcp(&error, target)),
            Err(_) => last = Some(late("no TCP connection to")),
        }
    }
    Err(last.unwrap_or_else(|| explain_dns(&io::Error::new(io::ErrorKind::NotFound, "it has no address"), target)))
}

/// PostgreSQL's first question of all: may we speak TLS (protocol 3, `SSLRequest`). One byte answers it, before anybody is asked who he is, and
/// nothing of it is logged.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What the silence of a session that is open means, by a second connection that asks nothing but its first question and is closed at once: `Hung`
/// when that is taken and not answered either, `Unreachable` when it is not even taken, else `Timeout`, for then the server is there.
pub(super) async fn knock(target: &Target, limit: Duration) -> ErrorKind {
    let reach = Reach::default();
    let answered = timeout(limit, async {
        let mut stream = tcp(target, limit, &reach).await.map_err(io::Error::other)?;
        stream.write_all(&SSL_REQUEST).await?;
        stream.read_u8().await
    });
    match answered.await {
        Ok(Err(error)) if error.get_ref().and_then(|e| e.downcast_ref::<SourceError>()).is_some_and(|e| e.kind.is_late()) => {
            ErrorKind::Unreachable
        }
        Err(_) if reach.silence() != ErrorKind::Dns => reach.silence(),
        _ => ErrorKind::Timeout,
    }
}
