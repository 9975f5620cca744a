//! Who says something, and why it could not be heard.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The kinds of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, strum::EnumIter)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum SourceKind {
    /// The cluster's keys in etcd: listed, watched, confirmed. One for the cluster.
    Dcs,
    /// The lease on the leader key. One for the cluster.
    Lease,
    /// One etcd endpoint's own status.
    Etcd,
    /// One member's Patroni REST API.
    Rest,
    /// One member's PostgreSQL.
    Sql,
    /// One HAProxy.
    Haproxy,
    /// One node, over ssh: its disks, its memory, its units.
    Host,
    /// Airflow's metadata, on the leader. One for the cluster.
    Airflow,
    /// One health endpoint of Airflow's.
    #[serde(rename = "airflow-health")]
    #[strum(serialize = "airflow-health")]
    AirflowHealth,
    /// One node's management API of RabbitMQ.
    Rabbitmq,
    /// The folder with Airflow's DAGs, on one of the machines that mount it, over ssh.
    Dags,
    /// The machine on which Airflow's tasks work, over ssh. One for the cluster.
    Target,
    /// The audit of pgbaton on this machine. Asked when the pause begins or something was done, not by the clock.
    Audit,
}

impl SourceKind {
    /// How often it is asked.
    pub fn period(self) -> Duration {
        match self {
            // A disk that fills at 500 MB a second gives 5 GB away between two looks; a dozen short programs run for each of them on the node.
            SourceKind::Host => Duration::from_secs(10),
            SourceKind::Target => Duration::from_secs(5),
            SourceKind::Etcd | SourceKind::Haproxy | SourceKind::Airflow | SourceKind::AirflowHealth => Duration::from_secs(2),
            // RabbitMQ: the alarms, which answer within a millisecond; lists that cost more are asked for less often. DAGs: a disk that hangs after
            // it was asked is told within this and the wait for its answer, 3 s with both.
            SourceKind::Rabbitmq | SourceKind::Dags => Duration::from_secs(1),
            SourceKind::Dcs | SourceKind::Lease | SourceKind::Rest | SourceKind::Sql | SourceKind::Audit => Duration::from_secs(1),
        }
    }

    /// How long one answer may take. A node's has a dozen programs in it, and a file system that hangs may take some seconds of it.
    pub fn deadline(self) -> Duration {
        match self {
            SourceKind::Host => Duration::from_secs(16),
            SourceKind::Dags => Duration::from_secs(4),
            SourceKind::Target => Duration::from_secs(8),
            _ => Duration::from_secs(2),
        }
    }

    /// How old an answer may be and still be called current: two periods and a deadline, rounded up.
    pub const fn freshness(self) -> Duration {
        match self {
            SourceKind::Host => Duration::from_secs(36),
            SourceKind::Target => Duration::from_secs(18),
            SourceKind::Etcd | SourceKind::Haproxy | SourceKind::Airflow | SourceKind::AirflowHealth | SourceKind::Dags => {
                Duration::from_secs(7)
            }
            SourceKind::Dcs | SourceKind::Lease | SourceKind::Rest | SourceKind::Sql | SourceKind::Rabbitmq | SourceKind::Audit => {
                Duration::from_secs(5)
            }
        }
    }
}

/// One source: a kind and whom it asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId {
    /// Its kind.
    pub kind: SourceKind,
    /// A member's name, an etcd endpoint's URL, an HAProxy's or a RabbitMQ node's name in the configuration, host and port of a health endpoint of
    /// Airflow's; for `Host` a member's, an HAProxy's, or an etcd's host; for `Dags` and `Target` the host as ssh knows it; the scope for `Dcs` and
    /// `Lease`.
    pub target: String,
}

impl SourceId {
    /// The source of this kind that asks `target`.
    pub fn new(kind: SourceKind, target: impl Into<String>) -> Self {
        Self { kind, target: target.into() }
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SourceKind::Dcs => f.write_str("etcd"),
            SourceKind::Lease => f.write_str("lease"),
            SourceKind::Audit => f.write_str("audit"),
            SourceKind::Airflow => f.write_str("airflow"),
            kind => write!(f, "{kind} {}", self.target),
        }
    }
}

/// What kept an answer away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ErrorKind {
    /// The host name is not known.
    Dns,
    /// Nobody listens there.
    Refused,
    /// No answer within the deadline; how far the question came is not known.
    Timeout,
    /// The connection was taken, and nothing came over it within the deadline. The kernel takes connections for a program that is stopped: this
    /// says that the machine lives, and no more.
    Hung,
    /// Not even the connection was taken within the deadline: by the network, the machine, a firewall, or a program that has hung for so long that
    /// its queue of connections is full.
    Unreachable,
    /// The connection broke off.
    Broken,
    /// The TLS handshake failed: unknown CA, wrong name, expired, a client certificate demanded.
    Tls,
    /// Wrong user, password or certificate.
    Auth,
    /// Known, but not allowed to.
    Denied,
    /// An answer that is not what it should be.
    Malformed,
    /// It answers that it cannot: etcd without a leader, PostgreSQL starting up.
    Unavailable,
    /// Missing or unusable settings on our side.
    Config,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Whether it speaks of the other side's absence. A password that is refused, a certificate, or settings of ours that are wrong do not: the
    /// fault may as well be with us.
    pub fn is_absence(self) -> bool {
        use ErrorKind::{Broken, Dns, Hung, Refused, Timeout, Unavailable, Unreachable};
        matches!(self, Refused | Timeout | Hung | Unreachable | Broken | Dns | Unavailable)
    }

    /// Whether no answer came within the deadline.
    pub fn is_late(self) -> bool {
        matches!(self, ErrorKind::Timeout | ErrorKind::Hung | ErrorKind::Unreachable)
    }
}

/// Why a source has no answer: a sentence for a person, without control characters and without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// The sentence, beginning in lower case: `connection refused by 10.0.0.8:8008`.
    pub message: String,
    /// What to do about it, if that is known.
    pub hint: Option<String>,
}

impl SourceError {
    /// An error of this kind; the message is stripped of control characters.
    pub fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self { kind, message: super::clean(message.as_ref()), hint: None }
    }

    /// The sentence and, in brackets, what to do about it.
    pub fn told(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{self} ({hint})"),
            None => self.to_string(),
        }
    }

    /// The same with a hint.
    pub fn with_hint(mut self, hint: impl AsRef<str>) -> Self {
        self.hint = Some(super::clean(hint.as_ref()));
        self
    }
}
