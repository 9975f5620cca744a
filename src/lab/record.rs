//! What is written down about a lab, in its folder: enough for any later command, whoever runs it.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::files;
use super::options::Options;

/// File below the lab's folder.
pub const FILE: &str = "lab.json";
/// Version of the file's shape.
pub const SCHEMA: u32 = 1;

/// How far a lab has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Phase {
    /// `up` works on it, or was killed while it did.
    Starting,
    /// `up` saw it healthy.
    Up,
    /// `down` works on it, or was killed while it did.
    Stopping,
}

/// The programs that a lab runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// Folder with `postgres`, `initdb` and the rest.
    pub pg_bin: PathBuf,
    /// etcd's server.
    pub etcd: PathBuf,
    /// HAProxy.
    pub haproxy: PathBuf,
    /// OpenSSH's server.
    pub sshd: PathBuf,
    /// OpenSSH's key maker.
    pub ssh_keygen: PathBuf,
    /// Patroni's virtual environment.
    pub venv: PathBuf,
    /// Airflow's, if there is one.
    #[serde(default)]
    pub airflow: Option<PathBuf>,
    /// Folder with `rabbitmq-server` and `rabbitmqctl`, if there is one.
    #[serde(default)]
    pub rabbitmq: Option<PathBuf>,
}

/// The record itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The lab's name and Patroni's scope.
    pub name: String,
    /// When `up` began, RFC 3339.
    pub created: String,
    /// How far it has come.
    pub phase: Phase,
    /// What was asked for.
    pub options: Options,
    /// First address of its block of 256, for example 127.77.1.0.
    pub block: Ipv4Addr,
    /// Whom its programs run as.
    pub account: Account,
    /// What it runs.
    pub tools: Tools,
    /// Whether the folder of Airflow's DAGs is a mount of its own, which takes root.
    #[serde(default)]
    pub dags_mounted: bool,
}

impl Record {
    /// Reads the record in a lab's folder.
    ///
    /// # Errors
    /// When there is none, or it is damaged, or of a later version.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let text = fs::read_to_string(&path).with_context(|| format!("no lab in {}", dir.display()))?;
        let record: Self = serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
        if record.schema != SCHEMA {
            bail!("{} has version {}, this pgbaton knows version {SCHEMA}", path.display(), record.schema);
        }
        Ok(record)
    }

    /// Writes the record into a lab's folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, dir: &Path) -> Result<()> {
        files::write(&dir.join(FILE), &serde_json::to_string_pretty(self)?, files::PUBLIC, &self.account)
    }
}
