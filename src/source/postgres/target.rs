//! Whom we ask, for connecting and for sentences.

use std::fmt;

/// One member's PostgreSQL and who we are there.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Host name or address, as Patroni's `conn_url` gives it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Database.
    pub dbname: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') { write!(f, "[{}]:{}", self.host, self.port) } else { write!(f, "{}:{}", self.host, self.port) }
    }
}
