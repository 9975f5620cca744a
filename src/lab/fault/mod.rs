//! Faults to practise with: one table row each, and a cure for all of them.
//!
//! | fault | file |
//! |---|---|
//! | something is killed, frozen or stopped | [`process`] |
//! | Airflow: its scheduler, its worker, a DAG, the disk with the DAGs, the machine that its tasks work on | [`estate`] |
//! | WAL: a burst, a slot that nobody reads, an archive that refuses, replay that stands still | [`wal`] |
//! | a HAProxy with an old configuration | [`proxy`] |
//! | the network: a pulled cable, closed ports, lost packets, a long way | [`network`] |
//! | a certificate that has expired | [`certificate`] |
//! | undoing | [`heal`] |

pub mod certificate;
pub mod estate;
pub mod heal;
pub mod network;
pub mod process;
pub mod proxy;
pub mod wal;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files;
use super::health;
use super::http::Http;
use super::layout::{Lab, PROXIES, RABBITS};
use super::secrets::Secrets;

/// What a fault works with.
#[derive(Debug)]
pub struct Scene {
    /// The lab.
    pub lab: Lab,
    /// Its passwords.
    pub secrets: Secrets,
    /// A client for its servers.
    pub http: Http,
}

impl Scene {
    /// Opens what is needed.
    ///
    /// # Errors
    /// When the lab's files cannot be read.
    pub fn new(lab: Lab) -> Result<Self> {
        Ok(Self { secrets: lab.secrets()?, http: Http::new(&lab)?, lab })
    }

    /// The member that leads now.
    ///
    /// # Errors
    /// When none does, or two do.
    pub async fn leader(&self) -> Result<String> {
        let members = health::members(&self.lab, &self.http).await;
        health::leader(&members).context("no member leads at this moment: name the member you mean")
    }
}

/// Whom a fault can be thrown at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One or more members; the leader if none is named.
    Members,
    /// One or more replicas; the first one if none is named.
    Replicas,
    /// One HAProxy; vm4 if none is named, as the ledger writes through vm1.
    Proxy,
    /// One node of RabbitMQ; vm6 if none is named.
    Rabbit,
    /// The whole cluster: nothing can be named.
    Cluster,
}

/// What a fault needs of its lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Any lab will do.
    Nothing,
    /// `--netns`.
    Netns,
    /// `--tls`.
    Tls,
    /// `--with rabbitmq`.
    Rabbitmq,
    /// `--with airflow=...`.
    Airflow,
    /// Both of these.
    Celery,
}

impl Need {
    /// The option that is missing in a lab, if one is.
    fn missing_in(self, lab: &Lab) -> Option<&'static str> {
        let options = &lab.record.options;
        match self {
            Need::Netns if !options.netns => Some("--netns"),
            Need::Tls if !options.tls => Some("--tls"),
            Need::Rabbitmq if !options.rabbitmq => Some("--with rabbitmq"),
            Need::Airflow if options.airflow.is_none() => Some("--with airflow=2.10 or =3"),
            Need::Celery if !options.celery() => Some("--with airflow=2.10 or =3 and --with rabbitmq"),
            _ => None,
        }
    }
}

/// Numbers that some faults take.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// Megabytes of WAL, for wal-burst (256 if not given) and slot-retain (64).
    pub mb: Option<u32>,
    /// Milliseconds of delay in one direction, for slow-node.
    pub ms: u32,
    /// Packets lost of a hundred, for lossy-node.
    pub percent: u32,
}

/// Throws a fault at the named targets; the answer says what was done, for a person.
pub type Throw = for<'a> fn(&'a Scene, &'a [String], Amount) -> LocalBoxFuture<'a, Result<String>>;

/// One fault.
pub struct Fault {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// Whom it can be thrown at.
    pub target: Target,
    /// What the lab must have been started with.
    pub needs: Need,
    /// Does it.
    pub throw: Throw,
}

/// Every fault, in the order in which `lab fault` lists them.
pub const FAULTS: &[Fault] = &[
    process::KILL_POSTGRES,
    process::KILL_PATRONI,
    process::FREEZE_POSTGRES,
    process::FREEZE_PATRONI,
    process::FREEZE_ETCD,
    process::STOP_ETCD,
    process::STOP_NODE,
    process::FREEZE_NODE,
    process::FREEZE_RABBIT,
    process::KILL_HAPROXY,
    estate::KILL_SCHEDULER,
    estate::KILL_WORKER,
    estate::BROKEN_DAG,
    estate::HANG_NFS,
    estate::STOP_TARGET,
    wal::PAUSE_REPLAY,
    wal::WAL_BURST,
    wal::SLOT_RETAIN,
    wal::BAD_ARCHIVE_COMMAND,
    proxy::HAPROXY_STALE,
    network::CUT_NODE,
    network::CUT_ETCD,
    network::CUT_REPLICAS,
    network::CUT_CONSOLE,
    network::LOSSY_NODE,
    network::SLOW_NODE,
    certificate::EXPIRE_CERTIFICATE,
];

/// A fault that was thrown and not healed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thrown {
    /// Its name.
    pub fault: String,
    /// At whom.
    pub targets: Vec<String>,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub done: String,
}

/// Finds a fault by name.
///
/// # Errors
/// When there is none: the error lists all.
pub fn find(name: &str) -> Result<&'static Fault> {
    FAULTS.iter().find(|f| f.name == name).with_context(|| {
        let names: Vec<&str> = FAULTS.iter().map(|f| f.name).collect();
        format!("no fault `{name}`; there are {}", names.join(", "))
    })
}

/// Chooses and checks the targets, throws the fault, and writes it down.
///
/// # Errors
/// When a target does not fit, or the fault could not be thrown.
pub async fn throw(scene: &Scene, fault: &Fault, named: &[String], two: bool, amount: Amount) -> Result<Thrown> {
    if let Some(option) = fault.needs.missing_in(&scene.lab) {
        bail!("{} needs a lab that was started with {option}", fault.name);
    }
    let targets = choose(scene, fault.target, named, two).await?;
    // Written down before anything happens, so that a half-thrown fault shows too.
    let mut thrown = Thrown { fault: fault.name.to_owned(), targets, at: Timestamp::now(), done: String::new() };
    let path = folder(&scene.lab).join(format!("{}-{}.json", thrown.at.as_millisecond(), fault.name));
    let save = |t: &Thrown| files::write(&path, &serde_json::to_string(t)?, files::PUBLIC, &scene.lab.record.account);
    save(&thrown)?;
    let result = (fault.throw)(scene, &thrown.targets, amount).await;
    thrown.done = match &result {
        Ok(done) => done.clone(),
        Err(e) => format!("not or only half thrown: {e:#}"),
    };
    save(&thrown)?;
    result.map(|_| thrown)
}

async fn choose(scene: &Scene, target: Target, named: &[String], two: bool) -> Result<Vec<String>> {
    let lab = &scene.lab;
    if two && (target != Target::Members || named.len() > 1) {
        bail!("--two adds a second member to the first; it does not go with this");
    }
    match target {
        Target::Cluster if !named.is_empty() => bail!("this fault is thrown at the whole cluster; it takes no name"),
        Target::Cluster => Ok(Vec::new()),
        Target::Proxy => match named {
            [] => Ok(vec![PROXIES[1].to_owned()]),
            [one] if PROXIES.contains(&one.as_str()) => Ok(vec![one.clone()]),
            _ => bail!("this fault takes one HAProxy: {}", PROXIES.join(" or ")),
        },
        Target::Rabbit => match named {
            [] => Ok(vec![RABBITS[1].to_owned()]),
            [one] if RABBITS.contains(&one.as_str()) => Ok(vec![one.clone()]),
            _ => bail!("this fault takes one node of RabbitMQ: {}", RABBITS.join(", ")),
        },
        Target::Members | Target::Replicas => {
            for name in named {
                lab.check_member(name)?;
            }
            let mut chosen = named.to_vec();
            if chosen.is_empty() {
                let leader = scene.leader().await?;
                let first = if target == Target::Members { Some(leader) } else { lab.members().into_iter().find(|m| *m != leader) };
                chosen.push(first.context("this lab has no replica")?);
            }
            if two {
                chosen.push(lab.members().into_iter().find(|m| !chosen.contains(m)).context("this lab has only one member")?);
            }
            Ok(chosen)
        }
    }
}

/// Faults that were thrown and not healed, oldest first.
#[must_use]
pub fn active(lab: &Lab) -> Vec<Thrown> {
    let mut all: Vec<Thrown> = fs::read_dir(folder(lab))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| serde_json::from_str(&fs::read_to_string(e.path()).ok()?).ok())
        .collect();
    all.sort_by_key(|t| t.at);
    all
}

/// Folder of the records.
fn folder(lab: &Lab) -> PathBuf {
    lab.dir.join("faults")
}

/// The table that `lab fault` prints.
#[must_use]
pub fn list() -> String {
    let mut out = String::new();
    for f in FAULTS {
        let target = match f.target {
            Target::Members => "[MEMBER]...",
            Target::Replicas => "[REPLICA]...",
            Target::Proxy => "[vm1|vm4]",
            Target::Rabbit => "[vm5|vm6|vm7]",
            Target::Cluster => "",
        };
        let needs = match f.needs {
            Need::Nothing => "",
            Need::Netns => " (needs --netns)",
            Need::Tls => " (needs --tls)",
            Need::Rabbitmq => " (needs --with rabbitmq)",
            Need::Airflow => " (needs --with airflow)",
            Need::Celery => " (needs --with airflow and --with rabbitmq)",
        };
        out.push_str(&format!("{:<21} {target:<13} {}{needs}\n", f.name, f.doc));
    }
    out.push_str("Without a name the leader is meant (for replicas the first one, for HAProxy vm4, for RabbitMQ vm6). `pgbaton lab heal` undoes all.\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own_and_a_sentence() {
        let mut names: Vec<&str> = FAULTS.iter().map(|f| f.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAULTS.len());
        assert!(FAULTS.iter().all(|f| f.doc.len() > 20 && list().contains(f.doc)));
        assert!(find("kill-postgres").is_ok());
        assert!(format!("{:#}", find("kill").err().unwrap()).contains("kill-postgres"));
    }
}
