//! HTTP: a GET, in a connection of its own.

mod errors;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, DATE, HOST, HeaderValue, USER_AGENT};
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use self::errors::{explain, refused};
use super::TlsCache;
use super::certificate::Presented;
use super::dial::{authority, dial};
use crate::model::{ErrorKind, SourceError, Time, clean};

/// A server that is asked by HTTP/1.1: a member's REST API, an etcd endpoint's metrics.
pub(super) struct Http {
    /// What its URL is called in sentences: `the member's api_url`.
    called: &'static str,
    host: String,
    port: u16,
    /// `10.0.0.11:8008`.
    authority: String,
    /// What stands before `/patroni`; empty unless a proxy adds something.
    path: String,
    tls: Option<Arc<TlsCache>>,
    /// The largest body that is read, bytes.
    largest: usize,
    /// Who we are, where it asks.
    login: Option<HeaderValue>,
    /// Who is told of its certificate.
    presented: Option<Arc<Presented>>,
    /// How long an answer may take, connecting included.
    patience: Option<Duration>,
}

/// An answer.
pub(super) struct Answer {
    /// HTTP's status, one of those that were accepted.
    pub status: u16,
    /// Its `Date`: the server's clock, whole seconds.
    pub date: Option<Time>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Http {
    /// The server at `url`; a `/patroni` at its end, as Patroni writes it into the DCS, is left out.
    pub fn new(called: &'static str, url: &str, tls: Arc<TlsCache>, largest: usize) -> Result<Self, SourceError> {
        let wrong = |why: &str| SourceError::new(ErrorKind::Malformed, format!("{called} {:?} {why}", clean(url)));
        let url = Url::parse(url).map_err(|e| wrong(&format!("is no URL: {e}")))?;
        let tls = match url.scheme() {
            "http" => None,
            "https" => Some(tls),
            _ => return Err(wrong("is neither http nor https")),
        };
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(ip)) => ip.to_string(),
            Some(Host::Ipv6(ip)) => ip.to_string(),
            None => return Err(wrong("names no host")),
        };
        let port = url.port_or_known_default().ok_or_else(|| wrong("names no port"))?;
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/patroni").unwrap_or(path).to_owned();
        Ok(Self { called, authority: authority(&host, port), host, port, path, tls, largest, login: None, presented: None, patience: None })
    }

    /// The same, its certificate being told.
    pub fn telling(self, presented: Arc<Presented>) -> Self {
        Self { presented: Some(presented), ..self }
    }

    /// The same, with a limit to how long an answer may take: less than that of whoever asks, so that the error says how far it came.
    pub fn within(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// The same with HTTP's basic authentication.
    pub fn with_login(self, user: &str, password: &SecretString) -> Result<Self, SourceError> {
        let pair = SecretString::from(format!("{user}:{}", password.expose_secret()));
        let value = SecretString::from(format!("Basic {}", BASE64_STANDARD.encode(pair.expose_secret())));
        let mut login = HeaderValue::from_str(value.expose_secret())
            .map_err(|_| SourceError::new(ErrorKind::Config, format!("the user for {} makes no request", self.authority)))?;
        // What prints headers leaves out its value.
        login.set_sensitive(true);
        Ok(Self { login: Some(login), ..self })
    }

    /// Host and port, as errors name it.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What a GET is answered with, when that has one of the accepted codes.
    ///
    /// The connection is closed when this returns, and when its future is dropped: it is driven here and not in a task, which would close it
    /// some time later, when the next request may have opened another one already.
    pub async fn get(&self, path: &str, accepted: &[u16]) -> Result<Answer, SourceError> {
        let answer = self.ask(path, accepted).await;
        if let (Some(tls), Err(error)) = (&self.tls, &answer)
            && error.kind == ErrorKind::Tls
        {
            // One side's certificate may have been renewed since ours were read.
            tls.forget();
        }
        answer
    }

    async fn ask(&self, path: &str, accepted: &[u16]) -> Result<Answer, SourceError> {
        let begun = Instant::now();
        let request = self.request(path)?;
        let tls = self.tls.as_ref().map(|tls| tls.get()).transpose()?;
        let opened = dial(&self.host, self.port, tls).await?;
        if let Some(presented) = &self.presented {
            presented.note(&opened.chain);
        }
        let broken = |error: hyper::Error| explain(&error, &self.authority, self.tls.is_some());
        let (mut sender, connection) = http1::handshake(TokioIo::new(opened.io)).await.map_err(broken)?;
        let mut connection = pin!(connection);
        let answers = AtomicBool::new(false);
        let mut exchange = pin!(async {
            let response = sender.send_request(request).await.map_err(broken)?;
            answers.store(true, Ordering::Relaxed);
            let status = response.status().as_u16();
            if !accepted.contains(&status) {
                return Err(refused(response.status(), path, &self.authority));
            }
            let date = response.headers().get(DATE).and_then(|value| Time::parse_http(value.to_str().ok()?));
            Ok(Answer { status, date, body: self.body(path, response, broken).await? })
        });
        let answer = async {
            tokio::select! {
                biased;
                answer = &mut exchange => answer,
                // What was read is still there to be taken; and why it ended, the exchange is told.
                _ = &mut connection => exchange.await,
            }
        };
        let Some(patience) = self.patience else { return answer.await };
        timeout_at(begun + patience, answer).await.unwrap_or_else(|_| {
            let seconds = patience.as_secs_f64();
            Err(if answers.load(Ordering::Relaxed) {
                SourceError::new(ErrorKind::Timeout, format!("{}: the answer does not end within {seconds} s", self.authority))
            } else {
                SourceError::new(ErrorKind::Hung, format!("{} takes the connection and gives no answer within {seconds} s", self.authority))
            })
        })
    }

    fn request(&self, path: &str) -> Result<Request<String>, SourceError> {
        let mut request = Request::get(format!("{}{path}", self.path));
        if let (Some(headers), Some(login)) = (request.headers_mut(), &self.login) {
            headers.insert(AUTHORIZATION, login.clone());
        }
        request
            .header(HOST, &self.authority)
            .header(CONNECTION, "close")
            .header(ACCEPT, "*/*")
            .header(USER_AGENT, concat!("pgbaton/", env!("CARGO_PKG_VERSION")))
            .body(String::new())
            .map_err(|e| SourceError::new(ErrorKind::Malformed, format!("{} makes no request: {e}", self.called)))
    }

    async fn body(
        &self,
        path: &str,
        response: Response<Incoming>,
        broken: impl Fn(hyper::Error) -> SourceError,
    ) -> Result<Vec<u8>, SourceError> {
        let too_large = || {
            let message = format!("GET {path} of {}: the answer is larger than {} KiB", self.authority, self.largest / 1024);
            SourceError::new(ErrorKind::Malformed, message)
        };
        let length = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > self.largest as u64) {
            return Err(too_large());
        }
        let mut incoming = response.into_body();
        let mut body = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx)).await {
            let Ok(chunk) = frame.map_err(&broken)?.into_data() else { continue };
            if body.len() + chunk.len() > self.largest {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsProfile;

    fn http(url: &str) -> Result<Http, SourceError> {
        Http::new("the member's api_url", url, Arc::new(TlsCache::new(TlsProfile::default(), &[])), 1024)
    }

    #[test]
    fn the_path_is_what_stands_before_patroni() {
        for (url, authority, path) in [
            ("http://10.0.0.11:8008/patroni", "10.0.0.11:8008", ""),
            ("https://psg1:8008/patroni/", "psg1:8008", ""),
            ("http://proxy/a/patroni", "proxy:80", "/a"),
            ("http://[fd00::1]:8008/patroni", "[fd00::1]:8008", ""),
            ("http://10.0.0.11:8008", "10.0.0.11:8008", ""),
        ] {
            let rest = http(url).expect(url);
            assert_eq!((rest.authority(), rest.path.as_str(), rest.tls.is_some()), (authority, path, url.starts_with("https")));
        }
    }

    #[test]
    fn an_address_that_is_none_is_said() {
        for url in ["", "10.0.0.11:8008", "ftp://x/patroni", "http://"] {
            assert_eq!(http(url).err().expect(url).kind, ErrorKind::Malformed, "{url}");
        }
    }
}
