//! HAProxy's statistics from its page, in the form `;csv` (configuration manual, `stats uri`).

use std::io;
use std::time::Duration;

use reqwest::header::{CONNECTION, HeaderValue};
use reqwest::tls::TlsInfo;
use reqwest::{Client, Response, StatusCode, redirect};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;
use url::Url;

use super::{LONGEST, stat};
use crate::config::{HaproxyProfile, TlsProfile};
use crate::model::{ErrorKind, HaproxyStatus, SourceError};
use crate::source::certificate::Presented;
use crate::source::tls::{self, Verify};

/// For the connection, the TLS handshake included, and for the whole answer: less than the source's deadline, so that the error says how far it came.
const CONNECT: Duration = Duration::from_millis(1_500);
const ANSWER: Duration = Duration::from_millis(1_900);

/// A page and how to open it.
pub(super) struct Page {
    url: String,
    username: Option<String>,
    password: Option<SecretString>,
    tls: TlsProfile,
    client: OnceCell<Client>,
}

impl Page {
    /// The page at `url`, as it stands in the configuration: with or without `;csv`.
    pub fn new(url: &str, profile: &HaproxyProfile) -> Self {
        Self {
            url: url.to_owned(),
            username: profile.username.clone(),
            password: profile.password.clone(),
            tls: profile.tls.clone(),
            client: OnceCell::new(),
        }
    }

    /// The page, in a connection of its own; its certificate is told.
    pub async fn ask(&self, presented: &Presented) -> Result<HaproxyStatus, SourceError> {
        let place = Place::of(&self.url)?;
        let client = self.client.get_or_try_init(|| self.client(place.url.scheme() == "https")).await?;
        let mut request = client.get(place.url.clone()).header(CONNECTION, HeaderValue::from_static("close"));
        if let Some(user) = &self.username {
            request = request.basic_auth(user, self.password.as_ref().map(|p| p.expose_secret()));
        }
        let response = request.send().await.map_err(|e| explain(e, &place))?;
        let shown = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
        presented.note(&shown.map(CertificateDer::from).into_iter().collect::<Vec<_>>());
        let status = response.status();
        if status != StatusCode::OK {
            return Err(refused(status, self.username.is_some(), &place));
        }
        let text = body(response).await.map_err(|e| e.unwrap_or_else(|e| explain(e, &place)))?;
        stat::parse(&text)
    }

    async fn client(&self, encrypted: bool) -> Result<Client, SourceError> {
        let profile = self.tls.clone();
        let reading = tokio::task::spawn_blocking(move || {
            if encrypted {
                tls::client_config(&profile, &[])
            } else {
                // reqwest wants one; without https and without redirects it is never used.
                tls::client_config_verifying(&TlsProfile::default(), Verify::Nothing, &[])
            }
        });
        let config = reading.await.unwrap_or_else(|e| Err(other(format!("the certificates cannot be read: {e}"))))?;
        Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(&config))
            .no_proxy()
            .redirect(redirect::Policy::none())
            .tls_info(true)
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .http1_only()
            .user_agent("pgbaton")
            .build()
            .map_err(|e| other(format!("no HTTP client: {e}")))
    }
}

/// The address that is asked, and how it is called in sentences: without user, password and query.
struct Place {
    url: Url,
    host: String,
    name: String,
}

impl Place {
    fn of(text: &str) -> Result<Self, SourceError> {
        let bad = |why: String| SourceError::new(ErrorKind::Config, format!("the URL of the stats page is not usable: {why}"));
        let mut url = Url::parse(text).map_err(|e| bad(e.to_string()))?;
        url.set_fragment(None);
        if !url.as_str().contains(";csv") {
            // `stats uri` may hold a query, `/haproxy?stats`, and `;csv` follows it all.
            url = Url::parse(&format!("{url};csv")).map_err(|e| bad(e.to_string()))?;
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad(format!("it begins with {}, not with http or https", url.scheme())));
        }
        let host = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let name = format!("{}://{host}{}", url.scheme(), url.path().trim_end_matches(";csv"));
        Ok(Self { url, host, name })
    }
}

fn other(sentence: String) -> SourceError {
    SourceError::new(ErrorKind::Other, sentence)
}

/// The body; the error is a failed transfer, or a sentence of our own.
async fn body(mut response: Response) -> Result<Vec<u8>, Result<SourceError, reqwest::Error>> {
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Err)? {
        if (text.len() + chunk.len()) as u64 > LONGEST {
            return Err(Ok(super::too_long()));
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}

fn refused(status: StatusCode, with_user: bool, place: &Place) -> SourceError {
    let name = &place.name;
    match status {
        StatusCode::UNAUTHORIZED if with_user => SourceError::new(ErrorKind::Auth, format!("{name} does not accept our user and password"))
            .with_hint("see `stats auth` in haproxy.cfg"),
        StatusCode::UNAUTHORIZED => SourceError::new(ErrorKind::Auth, format!("{name} asks for a user and a password"))
            .with_hint("set username and password for it"),
        StatusCode::FORBIDDEN => SourceError::new(ErrorKind::Denied, format!("{name} does not let us in")),
        _ => SourceError::new(ErrorKind::Malformed, format!("{name} answers {status}"))
            .with_hint("the URL must be the one of `stats uri` in haproxy.cfg"),
    }
}

fn explain(error: reqwest::Error, place: &Place) -> SourceError {
    let host = &place.host;
    if let Some(failed) = tls::explain(&error) {
        let sentence = SourceError::new(failed.kind, format!("TLS with {host}: {}", failed.message));
        return match &failed.hint {
            Some(hint) => sentence.with_hint(hint),
            None => sentence,
        };
    }
    if error.is_dns() {
        return SourceError::new(ErrorKind::Dns, format!("the host name of {host} cannot be resolved"));
    }
    if error.is_timeout() {
        return late(&error, place);
    }
    // The URL may hold a password.
    let error = error.without_url();
    // To plain words a port with TLS answers with an alert or not at all.
    let misled = |sentence: SourceError| match place.url.scheme() {
        "http" => sentence.with_hint("is it https instead of http?"),
        _ => sentence,
    };
    match io_kind(&error) {
        Some(io::ErrorKind::ConnectionRefused) => SourceError::new(ErrorKind::Refused, format!("connection refused by {host}")),
        Some(io::ErrorKind::TimedOut) => SourceError::new(ErrorKind::Timeout, format!("no TCP connection to {host}")),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof) => {
            misled(SourceError::new(ErrorKind::Broken, format!("the connection to {host} broke off")))
        }
        _ if error.is_connect() => other(format!("no TCP connection to {host}: {}", deepest(&error))),
        _ => misled(SourceError::new(ErrorKind::Malformed, format!("{host} gives no proper HTTP answer: {}", deepest(&error)))),
    }
}

/// With https a connection that was taken and whose handshake is not answered looks like one that was not taken.
fn late(error: &reqwest::Error, place: &Place) -> SourceError {
    let host = &place.host;
    if error.is_connect() {
        let kind = if place.url.scheme() == "https" { ErrorKind::Timeout } else { ErrorKind::Unreachable };
        return SourceError::new(kind, format!("no connection to {host} within {} s", CONNECT.as_secs_f64()));
    }
    let seconds = ANSWER.as_secs_f64();
    if error.is_request() {
        return SourceError::new(ErrorKind::Hung, format!("{host} takes the connection and gives no answer within {seconds} s"));
    }
    SourceError::new(ErrorKind::Timeout, format!("{host}: the answer does not end within {seconds} s"))
}

/// The kind of the first failure of input or output among the causes.
fn io_kind(error: &(dyn std::error::Error + 'static)) -> Option<io::ErrorKind> {
    std::iter::successors(Some(error), |e| e.source()).find_map(|e| e.downcast_ref::<io::Error>()).map(io::Error::kind)
}

/// The last of the causes, which says the most.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |e| e.source()).last().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_asked_for_whatever_the_uri_is() {
        for (given, asked, name) in [
            ("http://vm1:7000/", "http://vm1:7000/;csv", "http://vm1:7000/"),
            ("http://vm1:7000", "http://vm1:7000/;csv", "http://vm1:7000/"),
            ("http://vm1/haproxy?stats", "http://vm1/haproxy?stats;csv", "http://vm1:80/haproxy"),
            ("https://u:secret@vm1/;csv;norefresh", "https://u:secret@vm1/;csv;norefresh", "https://vm1:443/;csv;norefresh"),
        ] {
            let place = Place::of(given).expect("usable");
            assert_eq!((place.url.as_str(), place.name.as_str()), (asked, name));
        }
        assert!(Place::of("vm1:x").is_err());
        assert!(Place::of("ftp://vm1/").is_err_and(|e| e.message.contains("ftp")));
    }
}
