//! What an inventory says.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::template::Machine;

/// The file as a whole.
#[derive(Debug)]
pub struct Inventory {
    /// Patroni's scope.
    pub cluster: String,
    /// A private CA.
    pub tls: bool,
    /// `synchronous_mode`.
    pub synchronous: bool,
    /// `failsafe_mode`.
    pub failsafe: bool,
    /// Networks that may log in to PostgreSQL, besides the machines below.
    pub allow: Vec<String>,
    /// Patroni's `watchdog.mode`.
    pub watchdog: Watchdog,
    /// What is installed.
    pub versions: Versions,
    /// etcd, Patroni and PostgreSQL.
    pub nodes: Vec<Machine>,
    /// HAProxy, and Airflow where it is named.
    pub clients: Vec<Client>,
    /// Where passwords come from; who is not named gets a new one.
    pub passwords: Vec<(Who, Reference)>,
    /// PostgreSQL's parameters on all nodes.
    pub parameters: Vec<(String, String)>,
    /// Where things are on the machines.
    pub paths: Paths,
}

impl Inventory {
    /// Whether Airflow runs anywhere.
    #[must_use]
    pub fn has_airflow(&self) -> bool {
        self.clients.iter().any(|client| !client.airflow.is_empty())
    }

    /// Whose passwords are needed.
    #[must_use]
    pub fn who(&self) -> Vec<Who> {
        use strum::IntoEnumIterator;
        Who::iter().filter(|who| *who != Who::Airflow || self.has_airflow()).collect()
    }
}

/// A machine with HAProxy.
#[derive(Debug)]
pub struct Client {
    /// The machine.
    pub machine: Machine,
    /// Airflow's programs on it.
    pub airflow: Vec<String>,
}

/// Patroni's `watchdog.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Watchdog {
    /// Used where there is one.
    Automatic,
    /// Who has none never leads.
    Required,
    /// None.
    Off,
}

/// What is installed on the machines.
#[derive(Debug)]
pub struct Versions {
    /// PostgreSQL's major version.
    pub postgresql: u32,
    /// HAProxy's.
    pub haproxy: (u32, u32),
    /// Airflow's, as PyPI names it.
    pub airflow: String,
}

/// Whose password.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::EnumIter, strum::EnumString, strum::IntoStaticStr, strum::VariantNames,
)]
#[strum(serialize_all = "lowercase")]
pub enum Who {
    /// PostgreSQL's `postgres`.
    Superuser,
    /// PostgreSQL's `replicator`.
    Replicator,
    /// PostgreSQL's `rewind`.
    Rewind,
    /// PostgreSQL's `pgbaton`, which only looks.
    Pgbaton,
    /// PostgreSQL's `pgbaton_operator`, which gives orders.
    Operator,
    /// PostgreSQL's `airflow`, which owns Airflow's metadata.
    Airflow,
    /// The user `patroni` of Patroni's REST API.
    Restapi,
}

impl Who {
    /// Its name in the inventory and of its file.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Where a password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// Made once, kept in `secrets/`.
    Generate,
    /// A variable of the environment.
    Env(String),
    /// A file that nobody else may read.
    File(PathBuf),
}

/// Where things are on the machines.
#[derive(Debug)]
pub struct Paths {
    /// Before every path of a file below; `{node}` stands for the machine.
    pub root: String,
    /// The folder of PostgreSQL's programs.
    pub postgresql: String,
    /// Patroni's program.
    pub patroni: String,
    /// etcd's.
    pub etcd: String,
    /// HAProxy's.
    pub haproxy: String,
    /// Airflow's.
    pub airflow: String,
}

impl Paths {
    /// A path on a machine, for example `/etc/patroni/patroni.yml`.
    #[must_use]
    pub fn on(&self, machine: &str, path: &str) -> String {
        format!("{}{path}", self.root.replace("{node}", machine))
    }
}

/// An address as it is written: of version 4, because etcd and HAProxy take others only in brackets, here and not there.
pub(super) fn address(text: &str) -> Option<Ipv4Addr> {
    text.parse().ok().filter(|ip: &Ipv4Addr| !ip.is_unspecified() && !ip.is_broadcast())
}
