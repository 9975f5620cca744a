//! The passwords of one lab: random, made once, kept in one file that only its owner reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use secrecy::{ExposeSecret, SecretString};

use super::account::Account;
use super::files;
use crate::credential;

/// File below the lab's folder.
pub const FILE: &str = "secrets.json";

/// Who a password belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::EnumIter, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Owner {
    /// PostgreSQL's superuser `postgres`.
    Superuser,
    /// PostgreSQL's `replicator`.
    Replicator,
    /// PostgreSQL's `rewind`.
    Rewind,
    /// PostgreSQL's `pgbaton`, the console's user, who may only look.
    Console,
    /// PostgreSQL's `pgbaton_operator`, as whom the console gives orders.
    Operator,
    /// PostgreSQL's `app`, who owns the ledger.
    App,
    /// PostgreSQL's `airflow`, who owns Airflow's metadata.
    Airflow,
    /// The console's user in Airflow's API, who may change pools.
    AirflowApi,
    /// A user there who may only look.
    AirflowViewer,
    /// RabbitMQ's `pgbaton`, the console's user, who may only look.
    Rabbitmq,
    /// RabbitMQ's `airflow`.
    RabbitmqApp,
    /// What the nodes of RabbitMQ know each other by.
    ErlangCookie,
    /// Patroni's REST API, with `--auth`.
    Rest,
    /// etcd's `root`, with `--auth`.
    EtcdRoot,
    /// etcd's `patroni`, with `--auth`.
    EtcdPatroni,
    /// etcd's `pgbaton`, who may only read, with `--auth`.
    EtcdConsole,
}

/// All passwords of a lab.
#[derive(Debug)]
pub struct Secrets(BTreeMap<Owner, SecretString>);

impl Secrets {
    /// Makes new ones from the kernel's random numbers.
    ///
    /// # Errors
    /// When `/dev/urandom` cannot be read.
    pub fn generate() -> Result<Self> {
        use strum::IntoEnumIterator;
        Owner::iter().map(|o| Ok((o, credential::random()?.into()))).collect::<Result<_>>().map(Self)
    }

    /// Reads the lab's file.
    ///
    /// # Errors
    /// When it is missing or not what [`Secrets::save`] wrote.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let map: BTreeMap<String, String> = serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
        Ok(Self(map.into_iter().filter_map(|(k, v)| Some((k.parse().ok()?, v.into()))).collect()))
    }

    /// Writes the lab's file, readable for its owner only.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, dir: &Path, owner: &Account) -> Result<()> {
        let map: BTreeMap<&str, &str> = self.0.iter().map(|(k, v)| ((*k).into(), v.expose_secret())).collect();
        files::write(&dir.join(FILE), &serde_json::to_string_pretty(&map)?, files::PRIVATE, owner)
    }

    /// One password in clear text, for a file or a protocol that needs it. Letters and digits only, so it needs no quoting.
    ///
    /// # Errors
    /// When the lab's file lacks it.
    pub fn expose(&self, owner: Owner) -> Result<&str> {
        self.of(owner).map(ExposeSecret::expose_secret)
    }

    /// One password, still closed.
    ///
    /// # Errors
    /// When the lab's file lacks it.
    pub fn of(&self, owner: Owner) -> Result<&SecretString> {
        let name: &'static str = owner.into();
        self.0.get(&owner).with_context(|| format!("{FILE} has no password for {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_survive_a_file_and_never_show_in_debug() {
        let dir = tempfile::tempdir().unwrap();
        let me = Account { name: "me".into(), uid: 0, gid: 0, switch: false };
        let made = Secrets::generate().unwrap();
        made.save(dir.path(), &me).unwrap();
        let read = Secrets::load(dir.path()).unwrap();
        let password = read.expose(Owner::EtcdRoot).unwrap();
        assert_eq!(password, made.expose(Owner::EtcdRoot).unwrap());
        assert_ne!(password, made.expose(Owner::App).unwrap());
        assert!(!format!("{read:?}").contains(password));
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
