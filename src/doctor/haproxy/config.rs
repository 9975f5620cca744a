//! What is needed of an HAProxy's configuration.

use super::timing::Timing;

/// The backends in it, and how much of it was passed over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProxyConfig {
    /// Sections `backend` and `listen` in which servers stand.
    pub backends: Vec<Backend>,
    /// Lines that say nothing of what is judged.
    pub skipped: usize,
}

/// A section `backend` or `listen`.
#[derive(Debug, Clone, PartialEq)]
pub struct Backend {
    /// Its name.
    pub name: String,
    /// The line on which it begins.
    pub line: usize,
    /// `option httpchk` with what follows; `None`: a check only opens a connection.
    pub check: Option<HttpCheck>,
    /// `option clitcpka` or `tcpka`, here or in a frontend that leads here by `default_backend`.
    pub client_keepalive: bool,
    /// `option srvtcpka` or `tcpka`.
    pub server_keepalive: bool,
    /// The line of the last `default-server`, here or in the defaults.
    pub default_server: Option<usize>,
    /// The servers.
    pub servers: Vec<Server>,
}

/// What a check asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCheck {
    /// The path, `/` if none is named.
    pub path: String,
    /// The line.
    pub line: usize,
}

/// A line `server`, with what `default-server` has for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// The line.
    pub line: usize,
    /// `check`.
    pub checked: bool,
    /// How it is checked.
    pub timing: Timing,
    /// `on-marked-down shutdown-sessions`.
    pub ends_sessions: bool,
}
