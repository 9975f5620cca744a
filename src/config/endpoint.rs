//! `host:port` and URLs of etcd, as pgbaton.toml and Patroni write them.

use std::fmt;

use super::diagnostic::quote;

/// etcd's client port.
pub(crate) const ETCD_PORT: u16 = 2379;

/// One etcd endpoint. Displays as `http://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// `None`: not said; TLS settings decide.
    pub https: Option<bool>,
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    pub port: u16,
}

/// User and password that a URL carried.
#[derive(Default, Clone)]
pub(crate) struct UserInfo {
    pub username: Option<String>,
    pub password: Option<String>,
}

impl Endpoint {
    /// `host`, `host:port`, `[v6]:port`, or a URL without a user, a path or a query.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.contains("://") {
            let (endpoint, user) = Self::parse_url(text)?;
            if user.username.is_some() || user.password.is_some() {
                return Err("an endpoint carries no user name: use the keys `username` and `password`".into());
            }
            return Ok(endpoint);
        }
        let (host, port) = split_host_port(text, ETCD_PORT)?;
        Ok(Self { https: None, host, port })
    }

    /// A URL, `etcd3.url` of Patroni's. The path is not used by etcd's v3 API.
    pub fn parse_url(text: &str) -> Result<(Self, UserInfo), String> {
        let shown = quote(&without_user(text));
        let url = url::Url::parse(text).map_err(|e| format!("{shown} is not a URL: {e}"))?;
        let https = match url.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(format!("{} is neither http nor https", quote(other))),
        };
        let host = url.host_str().filter(|h| !h.is_empty()).ok_or_else(|| format!("{shown} names no host"))?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("{shown} has more than scheme, host and port"));
        }
        let decoded =
            |s: &str| url::form_urlencoded::parse(format!("v={}", s.replace('+', "%2B")).as_bytes()).next().map(|(_, v)| v.into_owned());
        let username = Some(url.username()).filter(|u| !u.is_empty()).and_then(decoded);
        let password = url.password().and_then(decoded);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        // Without a port Patroni (and etcdctl) mean etcd's, not the web's; the parser has dropped :80 and :443 as defaults.
        let port = url.port().unwrap_or_else(|| written_port(text).unwrap_or(ETCD_PORT));
        Ok((Self { https: Some(https), host, port }, UserInfo { username, password }))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https.unwrap_or(false) { "https" } else { "http" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

/// Port that stands in a URL's text, for the default ports which the URL parser leaves out.
fn written_port(url: &str) -> Option<u16> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_port = authority.rsplit('@').next()?;
    host_port.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'))?.1.parse().ok()
}

/// The URL without what stands before an `@`: messages must not show a password.
pub(crate) fn without_user(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        (None, Some((_, rest))) => rest.to_owned(),
        _ => url.to_owned(),
    }
}

/// `host`, `host:port`, `[v6]:port`, or a bare IPv6 address.
pub(crate) fn split_host_port(text: &str, default: u16) -> Result<(String, u16), String> {
    let text = text.trim();
    if text.contains('@') {
        // Not shown: what stands before the @ may be a password.
        return Err("host:port carries no user name: use the keys `username` and `password`".into());
    }
    let bad_port = |port: &str| format!("{} is not a port (1 to 65535)", quote(port));
    let parse = |port: &str| port.parse::<u16>().ok().filter(|p| *p > 0).ok_or_else(|| bad_port(port));
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(|| format!("{} lacks a `]`", quote(text)))?;
        let port = match after.strip_prefix(':') {
            Some(port) => parse(port)?,
            None if after.is_empty() => default,
            None => return Err(format!("{} is not host:port", quote(text))),
        };
        host.parse::<std::net::Ipv6Addr>().map_err(|_| format!("{} is not an IPv6 address", quote(host)))?;
        (host, port)
    } else if text.parse::<std::net::Ipv6Addr>().is_ok() {
        (text, default)
    } else {
        match text.rsplit_once(':') {
            Some((host, port)) => (host, parse(port)?),
            None => (text, default),
        }
    };
    let acceptable = |c: char| !(c.is_whitespace() || c.is_control() || "/@?#,;\"'\\<>".contains(c));
    let looks_v6 = host.contains(':') && host.parse::<std::net::Ipv6Addr>().is_err();
    if host.is_empty() || looks_v6 || !host.chars().all(acceptable) {
        return Err(format!("{} is not host:port", quote(text)));
    }
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_in_every_form() {
        for (text, shown, https) in [
            ("10.0.0.8", "http://10.0.0.8:2379", None),
            ("10.0.0.8:2380", "http://10.0.0.8:2380", None),
            (" psg1.example:2379 ", "http://psg1.example:2379", None),
            ("[fd00::1]:2379", "http://[fd00::1]:2379", None),
            ("fd00::1", "http://[fd00::1]:2379", None),
            ("https://10.0.0.8:2379", "https://10.0.0.8:2379", Some(true)),
            ("https://10.0.0.8:443/", "https://10.0.0.8:443", Some(true)),
            ("http://[fd00::1]", "http://[fd00::1]:2379", Some(false)),
            ("http://[fd00::1]:80", "http://[fd00::1]:80", Some(false)),
        ] {
            let endpoint = Endpoint::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!((endpoint.to_string().as_str(), endpoint.https), (shown, https), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_endpoint_says_why() {
        for (text, why) in [
            ("", "`` is not host:port"),
            ("a:b", "`b` is not a port (1 to 65535)"),
            ("a:0", "`0` is not a port (1 to 65535)"),
            ("[::1", "`[::1` lacks a `]`"),
            ("u:secret@a", "host:port carries no user name: use the keys `username` and `password`"),
            ("a,b:2379", "`a,b:2379` is not host:port"),
            ("ftp://a", "`ftp` is neither http nor https"),
            ("http://a/b", "`http://a/b` has more than scheme, host and port"),
            ("http://u:secret@a/b", "`http://a/b` has more than scheme, host and port"),
            ("http://u:secret@a", "an endpoint carries no user name: use the keys `username` and `password`"),
        ] {
            assert_eq!(Endpoint::parse(text).map(|e| e.to_string()), Err(why.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_url_gives_its_user_decoded() {
        let (_, user) = Endpoint::parse_url("https://ro%40t:p%3Aw+1@h:2379").expect("a URL");
        assert_eq!((user.username.as_deref(), user.password.as_deref()), (Some("ro@t"), Some("p:w+1")));
    }
}
