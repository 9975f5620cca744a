//! One cluster, as the configuration describes it.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// One cluster.
#[derive(Debug, Clone)]
pub struct Profile {
    /// As it is shown: the table's name in pgbaton.toml, else the scope.
    pub name: String,
    /// Patroni's scope; `None`: discover what is under the namespace.
    pub scope: Option<String>,
    /// Patroni's namespace, with slashes at both ends.
    pub namespace: String,
    /// The etcd cluster.
    pub etcd: EtcdProfile,
    /// The members' REST APIs.
    pub restapi: RestProfile,
    /// The members' PostgreSQL.
    pub postgres: PostgresProfile,
    /// The HAProxies in front.
    pub haproxy: Vec<HaproxyProfile>,
    /// The colour that marks this cluster.
    pub color: Option<String>,
    /// Whether nothing may be written.
    pub read_only: bool,
}

/// How to reach etcd.
#[derive(Debug, Clone)]
pub struct EtcdProfile {
    /// `http(s)://host:port`.
    pub endpoints: Vec<String>,
    /// User, when etcd has authentication.
    pub username: Option<String>,
    /// Password of it.
    pub password: Option<SecretString>,
    /// Certificates.
    pub tls: TlsProfile,
}

/// How to reach the REST APIs; reading them needs no password.
#[derive(Debug, Clone)]
pub struct RestProfile {
    /// Certificates.
    pub tls: TlsProfile,
}

/// Certificates and what to verify.
#[derive(Debug, Clone, Default)]
pub struct TlsProfile {
    /// The CA's certificate; `None`: the system's.
    pub ca: Option<PathBuf>,
    /// Our certificate.
    pub cert: Option<PathBuf>,
    /// Our key.
    pub key: Option<PathBuf>,
    /// Do not verify the server's certificate.
    pub insecure: bool,
}

/// How to reach PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresProfile {
    /// User; `None`: the operating system's name of us.
    pub user: Option<String>,
    /// Database.
    pub dbname: String,
    /// libpq's `sslmode`.
    pub sslmode: SslMode,
    /// libpq's `sslrootcert`.
    pub sslrootcert: Option<PathBuf>,
    /// libpq's `sslcert`.
    pub sslcert: Option<PathBuf>,
    /// libpq's `sslkey`.
    pub sslkey: Option<PathBuf>,
    /// Password from `PGPASSWORD` or a service file.
    pub password: Option<SecretString>,
    /// libpq's `connect_timeout`.
    pub connect_timeout: Option<Duration>,
}

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// Without TLS first.
    Allow,
    /// TLS if the server has it.
    Prefer,
    /// TLS; the certificate is not verified unless a root certificate is given.
    Require,
    /// TLS; the CA is verified, the name is not.
    VerifyCa,
    /// TLS; CA and name are verified.
    VerifyFull,
}

/// One HAProxy.
#[derive(Debug, Clone)]
pub struct HaproxyProfile {
    /// As it is shown.
    pub name: String,
    /// Where it is asked.
    pub stats: HaproxyAddress,
    /// User of the stats page.
    pub username: Option<String>,
    /// Password of it.
    pub password: Option<SecretString>,
    /// Certificates.
    pub tls: TlsProfile,
    /// Name of the write backend; `None`: recognised.
    pub write_backend: Option<String>,
    /// Name of the read backend; `None`: recognised.
    pub read_backend: Option<String>,
}

/// Where an HAProxy is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HaproxyAddress {
    /// URL of the stats page.
    Http(String),
    /// Path of the stats socket.
    Socket(PathBuf),
}
