//! One cluster, as the configuration describes it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::airflow::AirflowProfile;
use super::estate::{DagsProfile, TargetProfile};
use super::login::Login;
use super::passfile::{PassFile, PassFileError};
use crate::finding::Limits;
use crate::model::PlaceKind;
use crate::permit::Permit;

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
    /// The name of the keymap.
    pub keymap: Option<String>,
    /// What its environment is called: `PROD`.
    pub label: Option<String>,
    /// How the console looks and how it calls.
    pub console: ConsoleProfile,
    /// Whether nothing may be written.
    pub read_only: bool,
    /// Whether a switchover tells the HAProxies, where they have an admin socket, who leads.
    pub assist: bool,
    /// The socket of the system's log, to which the audit's lines go beside.
    pub syslog: Option<PathBuf>,
    /// From where on something is too much.
    pub limits: Limits,
    /// Airflow's metadata, if it lies in this cluster.
    pub airflow: Option<AirflowProfile>,
    /// RabbitMQ, if it is asked.
    pub rabbitmq: Option<RabbitmqProfile>,
    /// The folder of its DAGs, and where it is mounted.
    pub dags: Option<DagsProfile>,
    /// The machine on which its tasks work.
    pub target: Option<TargetProfile>,
    /// How nodes are reached by ssh.
    pub ssh: SshProfile,
    /// Where the programs' logs are, where the configuration says it; by one of [`LOGS`].
    pub logs: BTreeMap<&'static str, LogProfile>,
}

/// How RabbitMQ's management API is asked. The user needs the tag `monitoring` and may be without any other right.
#[derive(Debug, Clone)]
pub struct RabbitmqProfile {
    /// Each node's own API.
    pub nodes: Vec<RabbitmqNodeProfile>,
    /// User.
    pub username: String,
    /// Password of it.
    pub password: SecretString,
    /// The virtual host of Airflow's queues.
    pub vhost: String,
    /// The queues that matter.
    pub queues: Vec<String>,
    /// Certificates.
    pub tls: TlsProfile,
}

/// One node of RabbitMQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RabbitmqNodeProfile {
    /// As it is shown.
    pub name: String,
    /// `http://host:15672`.
    pub url: String,
}

/// The programs whose log's place can be configured, as the configuration calls them.
pub const LOGS: [&str; 4] = ["patroni", "postgres", "etcd", "haproxy"];

/// How nodes are reached by ssh. All else is OpenSSH's own configuration.
#[derive(Debug, Clone, Default)]
pub struct SshProfile {
    /// Whether there is a table `ssh`: without one nothing is read on the nodes but their logs, on request.
    pub given: bool,
    /// Whether the nodes themselves are looked at too, and not only their logs on request: as the table `ssh` says; without one they are not.
    pub facts: bool,
    /// Where data lies on a node, with `{name}` and `{host}` in it, where the configuration says it.
    pub folders: BTreeMap<PlaceKind, String>,
    /// OpenSSH's configuration; `None`: the user's.
    pub config_file: Option<PathBuf>,
    /// The host to connect to, with `{name}` and `{host}` in it; `None`: the node's address.
    pub host: Option<String>,
    /// The host to connect to, by the node's name.
    pub hosts: BTreeMap<String, String>,
}

/// Where one program's log is.
#[derive(Debug, Clone, Default)]
pub struct LogProfile {
    /// A file's whole path on the node, with `{name}` and `{host}` in it.
    pub file: Option<String>,
    /// A unit of systemd's, in whose journal it is.
    pub unit: Option<String>,
    /// PostgreSQL's `log_line_prefix`, for a node whose PostgreSQL cannot be asked.
    pub log_line_prefix: Option<String>,
}

/// How the console looks and how it calls, where pgbaton.toml says it; each word is one of those that there are.
#[derive(Debug, Clone, Default)]
pub struct ConsoleProfile {
    /// The theme's name.
    pub theme: Option<String>,
    /// One of [`LAYOUTS`](super::LAYOUTS).
    pub layout: Option<String>,
    /// One of [`WHEN`](super::WHEN).
    pub bell: Option<String>,
    /// One of [`NOTIFY`](super::NOTIFY).
    pub notify: Option<String>,
    /// One of [`WHEN`](super::WHEN).
    pub title: Option<String>,
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
    /// Our certificate for orders, if it is another than that for reading.
    pub operate: Option<OperateCert>,
}

impl EtcdProfile {
    /// The same for those who give orders.
    #[must_use]
    pub fn operating(&self, permit: &Permit) -> Self {
        Self { tls: self.tls.with(self.operate.as_ref(), permit), ..self.clone() }
    }
}

/// How to reach the REST APIs.
#[derive(Debug, Clone)]
pub struct RestProfile {
    /// Certificates.
    pub tls: TlsProfile,
    /// For what not everybody may do; reading needs none.
    pub login: Option<Login>,
    /// Our certificate for orders, if it is another than that for reading. With `verify_client: optional` Patroni asks for one only then.
    pub operate: Option<OperateCert>,
}

impl RestProfile {
    /// Certificates for those who give orders.
    pub fn operating(&self, permit: &Permit) -> TlsProfile {
        self.tls.with(self.operate.as_ref(), permit)
    }
}

/// A certificate and its key that only giving orders needs. Where they are, only who holds a permit gets to know:
///
/// ```compile_fail,E0061
/// fn without(rest: &pgbaton::config::RestProfile, etcd: &pgbaton::config::EtcdProfile) {
///     let _ = (rest.operating(), etcd.operating());
/// }
/// ```
///
/// ```compile_fail,E0616
/// fn around(rest: &pgbaton::config::RestProfile) -> Option<&std::path::PathBuf> {
///     rest.operate.as_ref().map(|operate| &operate.key)
/// }
/// ```
///
/// ```
/// use pgbaton::config::{EtcdProfile, RestProfile};
/// fn with(rest: &RestProfile, etcd: &EtcdProfile, permit: &pgbaton::permit::Permit) {
///     let _ = (rest.operating(permit), etcd.operating(permit));
/// }
/// ```
#[derive(Debug, Clone)]
pub struct OperateCert {
    cert: PathBuf,
    key: PathBuf,
}

impl OperateCert {
    pub(super) fn new(cert: PathBuf, key: Option<PathBuf>) -> Self {
        Self { key: key.unwrap_or_else(|| cert.clone()), cert }
    }
}

/// Certificates and what to verify.
#[derive(Debug, Clone, Default)]
pub struct TlsProfile {
    /// The CA's certificate; `None`: the system's.
    pub ca: Option<PathBuf>,
    /// Our certificate, a PEM file.
    pub cert: Option<PathBuf>,
    /// Our key, a PEM file; the certificate's own path when one file holds both. Set whenever `cert` is.
    pub key: Option<PathBuf>,
    /// Do not verify the server's certificate.
    pub insecure: bool,
}

impl TlsProfile {
    /// The same with the certificate for orders, if there is one.
    fn with(&self, operate: Option<&OperateCert>, _: &Permit) -> Self {
        match operate {
            Some(OperateCert { cert, key }) => Self { cert: Some(cert.clone()), key: Some(key.clone()), ..self.clone() },
            None => self.clone(),
        }
    }
}

/// How to reach PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresProfile {
    /// User; the operating system's name of us when nobody said another. `None`: not even that is known.
    pub user: Option<String>,
    /// As whom orders are given; `None`: as `user`. Its password stands in the password file; reading has no use for it.
    pub operate_user: Option<String>,
    /// Database.
    pub dbname: String,
    /// libpq's `sslmode`.
    pub sslmode: SslMode,
    /// libpq's `sslrootcert`; `None`: the system's, for the modes that verify.
    pub sslrootcert: Option<PathBuf>,
    /// libpq's `sslcert`.
    pub sslcert: Option<PathBuf>,
    /// libpq's `sslkey`.
    pub sslkey: Option<PathBuf>,
    /// Password from `PGPASSWORD` or a service file.
    pub password: Option<SecretString>,
    /// The password file to look in when there is no `password`.
    pub passfile: Option<PassFile>,
    /// libpq's `connect_timeout`; `None`: not said, or 0, which is no limit.
    pub connect_timeout: Option<Duration>,
}

impl PostgresProfile {
    /// The password for one server, as libpq finds it: the explicit one, else the first line of the password file
    /// that matches host, port, database and user. `None`: there is none, which is fine when the server asks for none.
    ///
    /// # Errors
    /// The password file exists but cannot be used (others can read it, it is not a plain file); the error says so.
    pub fn password_for(&self, host: &str, port: u16) -> Result<Option<SecretString>, PassFileError> {
        match (&self.password, &self.passfile) {
            (Some(password), _) => Ok(Some(password.clone())),
            (None, Some(file)) => file.password(host, port, &self.dbname, self.user.as_deref().unwrap_or_default()),
            (None, None) => Ok(None),
        }
    }

    /// The same for those who give orders. Another user has no part in a password that was given for `user`.
    #[must_use]
    pub fn operating(&self, _: &Permit) -> Self {
        match &self.operate_user {
            Some(user) if Some(user) != self.user.as_ref() => Self { user: Some(user.clone()), password: None, ..self.clone() },
            _ => self.clone(),
        }
    }
}

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
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
    /// Where clients that write connect.
    pub write_address: Option<ClientAddress>,
    /// Where clients that only read connect.
    pub read_address: Option<ClientAddress>,
    /// The socket on which it takes orders.
    pub admin_socket: Option<AdminSocket>,
    /// Its configuration file, a whole path on its host.
    pub config: String,
}

impl HaproxyProfile {
    /// Where its configuration file usually is.
    pub const CONFIG: &str = "/etc/haproxy/haproxy.cfg";

    /// Its host, as far as the configuration names it: that of the page, else that of the address where clients connect.
    pub fn host(&self) -> Option<String> {
        let page = match &self.stats {
            HaproxyAddress::Http(url) => url::Url::parse(url).ok(),
            HaproxyAddress::Socket(_) => None,
        };
        let page = page.as_ref().and_then(|url| Some(url.host_str()?.trim_matches(['[', ']']).to_owned()));
        page.or_else(|| self.write_address.as_ref().map(|address| address.host.clone()))
    }
}

/// Where clients connect. Displays as `host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAddress {
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// A stats socket of level `admin`. Where it is, only who holds a permit gets to know:
///
/// ```compile_fail,E0061
/// fn without(socket: &pgbaton::config::AdminSocket) {
///     let _ = socket.address();
/// }
/// ```
///
/// ```
/// fn with(socket: &pgbaton::config::AdminSocket, permit: &pgbaton::permit::Permit) {
///     let _ = socket.address(permit);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AdminSocket(AdminAddress);

impl AdminSocket {
    pub(super) fn new(address: AdminAddress) -> Self {
        Self(address)
    }

    /// Where it is.
    pub fn address(&self, _: &Permit) -> &AdminAddress {
        &self.0
    }
}

/// Where an HAProxy takes orders. Displays as it is written in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminAddress {
    /// Path of a Unix socket.
    Unix(PathBuf),
    /// Host and port; nobody is asked who he is there, and nothing is encrypted.
    Tcp(ClientAddress),
}

impl fmt::Display for AdminAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdminAddress::Unix(path) => write!(f, "unix:{}", path.display()),
            AdminAddress::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

/// Where an HAProxy is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HaproxyAddress {
    /// URL of the stats page.
    Http(String),
    /// Path of the stats socket.
    Socket(PathBuf),
}
