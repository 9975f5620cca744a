//! Who is in a lab, at which address and port, in which folder.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::record::Record;
use super::secrets::Secrets;
use crate::template::{Machine, Tls};

/// etcd's client port.
pub const ETCD: u16 = 2379;
/// etcd's port for its peers.
pub const ETCD_PEER: u16 = 2380;
/// Patroni's REST API.
pub const REST: u16 = 8008;
/// PostgreSQL.
pub const POSTGRES: u16 = 5432;
/// HAProxy's port to the leader.
pub const WRITE: u16 = 5000;
/// HAProxy's port to the replicas.
pub const READ: u16 = 5001;
/// HAProxy's statistics page.
pub const STATS: u16 = 7000;
/// RabbitMQ's clients.
pub const AMQP: u16 = 5672;
/// RabbitMQ's management API.
pub const MANAGEMENT: u16 = 15672;
/// RabbitMQ's nodes among themselves: this and the last part of the address, as one epmd wants another port for each.
pub const ERLANG: u16 = 25672;
/// sshd.
pub const SSH: u16 = 2222;

/// The HAProxies, named after the machines they stand for.
pub const PROXIES: [&str; 2] = ["vm1", "vm4"];
/// The nodes of RabbitMQ, likewise.
pub const RABBITS: [&str; 3] = ["vm5", "vm6", "vm7"];
/// The machine on which the tasks work, in a lab with Airflow.
pub const TARGET: &str = "vm3";
/// The database that the ledger is in.
pub const DATABASE: &str = "app";

/// A lab that was started at some time: its folder and what is written there.
#[derive(Debug, Clone)]
pub struct Lab {
    /// Its folder.
    pub dir: PathBuf,
    /// What is written down about it.
    pub record: Record,
}

impl Lab {
    /// Opens the lab in a folder.
    ///
    /// # Errors
    /// When there is no lab in it, or its record is damaged.
    pub fn open(dir: &Path) -> Result<Self> {
        Ok(Self { dir: dir.to_owned(), record: Record::load(dir)? })
    }

    /// `psg1` ... `psgN`.
    #[must_use]
    pub fn members(&self) -> Vec<String> {
        (1..=self.record.options.members).map(|n| format!("psg{n}")).collect()
    }

    /// Members, then HAProxies, then the target, then RabbitMQ's.
    #[must_use]
    pub fn nodes(&self) -> Vec<String> {
        let rabbits: &[&str] = if self.record.options.rabbitmq { &RABBITS } else { &[] };
        let target: &[&str] = if self.record.options.airflow.is_some() { &[TARGET] } else { &[] };
        self.members().into_iter().chain(PROXIES.iter().chain(target).chain(rabbits).map(|node| (*node).to_owned())).collect()
    }

    /// Checks that a name is a member's.
    ///
    /// # Errors
    /// A sentence with the members there are.
    pub fn check_member(&self, name: &str) -> Result<()> {
        let members = self.members();
        if !members.iter().any(|m| m == name) {
            bail!("no member `{name}`; there are {}", members.join(", "));
        }
        Ok(())
    }

    /// A node's address: `psgN` ends in 1N, `vm1` in 1, `vm4` in 4 and so on.
    #[must_use]
    pub fn ip(&self, node: &str) -> Ipv4Addr {
        address(self.record.block, node)
    }

    /// A node as the templates take it.
    #[must_use]
    pub fn machine(&self, node: &str) -> Machine {
        Machine { name: node.to_owned(), address: self.ip(node).to_string() }
    }

    /// The members as the templates take them.
    #[must_use]
    pub fn machines(&self) -> Vec<Machine> {
        self.members().iter().map(|member| self.machine(member)).collect()
    }

    /// With `--tls`: the paths of somebody's certificate, as [`Lab::cert`] names them.
    #[must_use]
    pub fn tls(&self, who: &str) -> Option<Tls> {
        let [ca, cert, key] = [self.cert("ca"), self.cert(who), self.key(who)].map(|path| path.to_string_lossy().into_owned());
        self.record.options.tls.then_some(Tls { ca, cert, key })
    }

    /// `http`, or `https` with `--tls`: of etcd and of Patroni.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        crate::template::scheme(self.record.options.tls)
    }

    /// A member's etcd, for example `http://127.77.1.11:2379`.
    #[must_use]
    pub fn etcd_url(&self, member: &str) -> String {
        format!("{}://{}:{ETCD}", self.scheme(), self.ip(member))
    }

    /// A member's Patroni, without a slash at the end.
    #[must_use]
    pub fn rest_url(&self, member: &str) -> String {
        format!("{}://{}:{REST}", self.scheme(), self.ip(member))
    }

    /// A HAProxy's statistics page, with a slash at the end.
    #[must_use]
    pub fn stats_url(&self, proxy: &str) -> String {
        format!("http://{}:{STATS}/", self.ip(proxy))
    }

    /// The management API of a node of RabbitMQ, without a slash at the end.
    #[must_use]
    pub fn management_url(&self, node: &str) -> String {
        format!("http://{}:{MANAGEMENT}", self.ip(node))
    }

    /// A HAProxy's statistics socket, level admin.
    #[must_use]
    pub fn stats_socket(&self, proxy: &str) -> PathBuf {
        self.node_dir(proxy).join("run/stats.sock")
    }

    /// A node's folder.
    #[must_use]
    pub fn node_dir(&self, node: &str) -> PathBuf {
        self.dir.join(node)
    }

    /// The folder of a node's logs: `etcd.log`, `patroni.log`, `postgresql.log`, `haproxy.log`, `sshd.log`.
    #[must_use]
    pub fn log_dir(&self, node: &str) -> PathBuf {
        self.node_dir(node).join("log")
    }

    /// A member's PostgreSQL data directory.
    #[must_use]
    pub fn data_dir(&self, member: &str) -> PathBuf {
        self.node_dir(member).join("data")
    }

    /// The console's configuration.
    #[must_use]
    pub fn pgbaton_toml(&self) -> PathBuf {
        self.dir.join("pgbaton.toml")
    }

    /// The configuration for `patronictl`.
    #[must_use]
    pub fn patronictl_yaml(&self) -> PathBuf {
        self.dir.join("patronictl.yaml")
    }

    /// libpq's password file for all users of the lab.
    #[must_use]
    pub fn pgpass(&self) -> PathBuf {
        self.dir.join("pgpass")
    }

    /// OpenSSH's client configuration, with the nodes as hosts.
    #[must_use]
    pub fn ssh_config(&self) -> PathBuf {
        self.dir.join("ssh/config")
    }

    /// A certificate's file: `ca`, a node's name, or `client`.
    #[must_use]
    pub fn cert(&self, who: &str) -> PathBuf {
        self.dir.join("tls").join(format!("{who}.crt"))
    }

    /// The key that belongs to [`Lab::cert`].
    #[must_use]
    pub fn key(&self, who: &str) -> PathBuf {
        self.dir.join("tls").join(format!("{who}.key"))
    }

    /// The lab's passwords.
    ///
    /// # Errors
    /// When their file cannot be read.
    pub fn secrets(&self) -> Result<Secrets> {
        Secrets::load(&self.dir)
    }

    /// A node's network namespace, with `--netns`. The name follows from the lab's folder, so it can be cleared without a record.
    #[must_use]
    pub fn netns(&self, node: &str) -> Option<String> {
        self.record.options.netns.then(|| format!("{}-{node}", net_prefix(&self.dir)))
    }
}

/// What the names of a lab's network namespaces and links begin with: short, because a link's name has 15 characters at most.
#[must_use]
pub fn net_prefix(dir: &Path) -> String {
    format!("pgb{:08x}", super::address::hash(&dir.to_string_lossy()))
}

/// The port of Erlang's directory of nodes, another for each lab: it listens on 127.0.0.1 too.
#[must_use]
pub fn epmd_port(block: Ipv4Addr) -> u16 {
    14_369 + u16::from(block.octets()[2])
}

/// A node's address in a block.
#[must_use]
pub fn address(block: Ipv4Addr, node: &str) -> Ipv4Addr {
    let [a, b, c, _] = block.octets();
    let number: u8 = node.trim_start_matches(|ch: char| !ch.is_ascii_digit()).parse().unwrap_or(0);
    let last = if node.starts_with("psg") { 10 + number } else { number };
    Ipv4Addr::new(a, b, c, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_from_names() {
        let block = Ipv4Addr::new(127, 77, 3, 0);
        assert_eq!(address(block, "psg1").to_string(), "127.77.3.11");
        assert_eq!(address(block, "psg9").to_string(), "127.77.3.19");
        assert_eq!(address(block, "vm1").to_string(), "127.77.3.1");
        assert_eq!(address(block, "vm4").to_string(), "127.77.3.4");
    }
}
