//! One GET at a time, each with a connection of its own.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{ACCEPT, CONNECTION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use url::Url;

use super::errors::{explain, refused};
use super::resolve::OneFamily;
use crate::model::{ErrorKind, SourceError, clean};
use crate::source::TlsCache;

/// The largest body that is read. `/patroni` has about 1 KiB, `/config` some, `/history` up to some 100 KiB.
const LARGEST: usize = 1024 * 1024;

/// A member's REST API.
pub(super) struct Rest {
    base: String,
    authority: String,
    https: bool,
    tls: Arc<TlsCache>,
    resolver: Arc<OneFamily>,
    /// Made at the first request, and again after a failed TLS handshake.
    client: Mutex<Option<reqwest::Client>>,
}

impl Rest {
    /// The API that has `api_url`, which ends in `/patroni` as Patroni writes it into the DCS.
    pub fn new(api_url: &str, tls: Arc<TlsCache>) -> Result<Self, SourceError> {
        let wrong = |why: &str| SourceError::new(ErrorKind::Malformed, format!("the member's api_url {:?} {why}", clean(api_url)));
        let url = Url::parse(api_url).map_err(|e| wrong(&format!("is no URL: {e}")))?;
        let https = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(wrong("is neither http nor https")),
        };
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return Err(wrong("names no host")) };
        let authority = format!("{host}:{port}");
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/patroni").unwrap_or(path);
        let base = format!("{}://{authority}{path}", url.scheme());
        Ok(Self { base, authority, https, tls, resolver: Arc::default(), client: Mutex::new(None) })
    }

    /// Host and port, as errors name the member.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The body of a GET that is answered with one of the accepted codes. The connection is closed when this returns or is dropped.
    pub async fn get(&self, path: &str, accepted: &[u16]) -> Result<Vec<u8>, SourceError> {
        let answer = self.ask(path, accepted).await;
        match &answer {
            Err(error) if error.kind == ErrorKind::Tls => {
                self.tls.forget();
                *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            Err(_) => self.resolver.failed(),
            Ok(_) => {}
        }
        answer
    }

    async fn ask(&self, path: &str, accepted: &[u16]) -> Result<Vec<u8>, SourceError> {
        let client = self.client()?;
        let broken = |error: reqwest::Error| explain(&error, &self.authority, self.https);
        let mut response = client.get(format!("{}{path}", self.base)).send().await.map_err(broken)?;
        let status = response.status();
        if !accepted.contains(&status.as_u16()) {
            return Err(refused(status, path, &self.authority));
        }
        let too_large = || {
            let message = format!("GET {path} of {}: the answer is larger than {} KiB", self.authority, LARGEST / 1024);
            SourceError::new(ErrorKind::Malformed, message)
        };
        if response.content_length().is_some_and(|length| length > LARGEST as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn client(&self) -> Result<reqwest::Client, SourceError> {
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = kept.as_ref() {
            return Ok(client.clone());
        }
        let tls = if self.https { self.tls.get()?.as_ref().clone() } else { TlsCache::nobody()? };
        let headers =
            HeaderMap::from_iter([(CONNECTION, HeaderValue::from_static("close")), (ACCEPT, HeaderValue::from_static("application/json"))]);
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::clone(&self.resolver))
            .default_headers(headers)
            .user_agent(concat!("pgbaton/", env!("CARGO_PKG_VERSION")))
            .http1_only()
            .pool_max_idle_per_host(0)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()
            .map_err(|e| SourceError::new(ErrorKind::Config, format!("the HTTP client cannot be set up: {e}")))?;
        Ok(kept.insert(client).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsProfile;

    fn rest(url: &str) -> Result<Rest, SourceError> {
        Rest::new(url, Arc::new(TlsCache::new(TlsProfile::default(), &[])))
    }

    #[test]
    fn the_base_is_what_stands_before_patroni() {
        for (url, base) in [
            ("http://10.0.0.11:8008/patroni", "http://10.0.0.11:8008"),
            ("https://psg1:8008/patroni/", "https://psg1:8008"),
            ("http://proxy/a/patroni", "http://proxy:80/a"),
            ("http://[fd00::1]:8008/patroni", "http://[fd00::1]:8008"),
            ("http://10.0.0.11:8008", "http://10.0.0.11:8008"),
        ] {
            assert_eq!(rest(url).expect(url).base, base);
        }
    }

    #[test]
    fn an_address_that_is_none_is_said() {
        for url in ["", "10.0.0.11:8008", "ftp://x/patroni", "http://"] {
            assert_eq!(rest(url).err().expect(url).kind, ErrorKind::Malformed, "{url}");
        }
    }
}
