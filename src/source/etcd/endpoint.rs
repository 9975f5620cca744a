//! An etcd endpoint's address.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::model::{ErrorKind, SourceError};
use crate::source::dial::authority;

/// etcd's client port, when an address names none.
const PORT: u16 = 2379;

/// One endpoint. Two ways to write the same URL give equal endpoints.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    url: String,
    tls: bool,
    host: String,
    port: u16,
}

impl Endpoint {
    /// Reads `http(s)://host:port`; without a scheme it is `http`, without a port 2379.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let wrong = |why: &str| SourceError::new(ErrorKind::Config, format!("the etcd endpoint {text:?} {why}"));
        let (scheme, rest) = text.trim().split_once("://").unwrap_or(("http", text.trim()));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(wrong("is neither http nor https")),
        };
        // A scheme that the url crate does not know keeps it from dropping ports 80 and 443 as self-evident.
        let url = Url::parse(&format!("etcd://{rest}")).map_err(|e| wrong(&format!("is no address: {e}")))?;
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.to_ascii_lowercase(),
            Some(Host::Ipv4(ip)) => ip.to_string(),
            Some(Host::Ipv6(ip)) => ip.to_string(),
            _ => return Err(wrong("names no host")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SourceError::new(ErrorKind::Config, "an etcd endpoint's address must not hold a user or a password"));
        }
        let port = url.port().unwrap_or(PORT);
        let scheme = if tls { "https" } else { "http" };
        let url = format!("{scheme}://{}", authority(&host, port));
        Ok(Self { url, tls, host, port })
    }

    /// The URL, `http://10.0.0.8:2379`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is `https`.
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// Host and port, `10.0.0.8:2379`: how errors name it.
    pub fn authority(&self) -> &str {
        self.url.split_once("://").map_or(&self.url, |(_, authority)| authority)
    }

    /// Whether it means the machine that asks: `localhost`, 127.0.0.0/8, `::1`, or the unspecified address.
    ///
    /// A member that advertises such an address means itself; asked from elsewhere it would be somebody else.
    pub fn is_own_machine(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback() || ip.is_unspecified(),
            Err(_) => self.host == "localhost" || self.host.ends_with(".localhost"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_however_it_is_written() {
        for (text, url) in [
            ("http://10.0.0.8:2379", "http://10.0.0.8:2379"),
            ("HTTP://10.0.0.8/", "http://10.0.0.8:2379"),
            ("etcd1.Example.com", "http://etcd1.example.com:2379"),
            ("etcd1:4001", "http://etcd1:4001"),
            ("https://etcd1:443/", "https://etcd1:443"),
            ("https://[::1]:2379", "https://[::1]:2379"),
        ] {
            assert_eq!(Endpoint::parse(text).expect(text).url(), url, "{text}");
        }
        let v6 = Endpoint::parse("http://[fd00::1]").expect("parses");
        assert_eq!((v6.host(), v6.port(), v6.authority()), ("fd00::1", 2379, "[fd00::1]:2379"));
    }

    #[test]
    fn what_is_no_address_is_said() {
        for (text, says) in
            [("ftp://x", "neither"), ("http://", "host"), ("http://a:99999", "no address"), ("http://u:secret@h", "must not")]
        {
            let error = Endpoint::parse(text).expect_err(text);
            assert!(error.message.contains(says) && !error.message.contains("secret"), "{error}");
        }
    }

    #[test]
    fn an_address_that_everybody_has() {
        for (text, own) in
            [("localhost", true), ("127.4.0.1", true), ("0.0.0.0", true), ("[::1]", true), ("10.0.0.1", false), ("db", false)]
        {
            assert_eq!(Endpoint::parse(text).expect(text).is_own_machine(), own, "{text}");
        }
    }
}
