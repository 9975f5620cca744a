//! What the programs of a lab are started with and read: one file per program.

pub mod airflow;
pub mod celery;
pub mod client;
pub mod etcd;
pub mod haproxy;
pub mod patroni;
pub mod rabbitmq;
pub mod ssh;

use anyhow::{Context, Result, bail};

use super::files::{self, PRIVATE, PUBLIC};
use super::layout::{Lab, PROXIES, RABBITS, TARGET};
use super::process::Spec;
use super::secrets::Secrets;

/// The ledger's key among the processes.
pub const LEDGER: &str = "ledger/client";

/// Makes every folder of a lab and writes every configuration; the folder itself and its record are there.
///
/// # Errors
/// When a file cannot be written or a key cannot be made.
pub fn write_all(lab: &Lab, secrets: &Secrets) -> Result<()> {
    let owner = &lab.record.account;
    for dir in [super::process::DIR, "ssh", "ledger", "faults"] {
        files::make_dir(&lab.dir.join(dir), 0o755, owner)?;
    }
    for node in lab.nodes() {
        files::make_dir(&lab.node_dir(&node), 0o755, owner)?;
        files::make_dir(&lab.log_dir(&node), 0o755, owner)?;
        files::make_dir(&lab.node_dir(&node).join("run"), 0o755, owner)?;
    }
    for member in lab.members() {
        files::make_dir(&lab.data_dir(&member), 0o700, owner)?;
        files::make_dir(&lab.node_dir(&member).join("etcd"), 0o700, owner)?;
        files::write(&patroni::path(lab, &member), &patroni::yaml(lab, secrets, &member)?, PRIVATE, owner)?;
    }
    for proxy in PROXIES {
        files::write(&haproxy::path(lab, proxy), &haproxy::config(lab, proxy), PUBLIC, owner)?;
    }
    if lab.record.options.tls {
        super::tls::make(lab)?;
    }
    if lab.record.options.airflow.is_some() {
        airflow::write(lab, secrets)?;
    }
    if lab.record.options.rabbitmq {
        rabbitmq::write(lab, secrets)?;
    }
    ssh::write(lab)?;
    client::write(lab, secrets)
}

/// The programs of a node, in the order in which they are started.
#[must_use]
pub fn keys_of(lab: &Lab, node: &str) -> Vec<String> {
    let programs: &[&str] = match node {
        node if PROXIES.contains(&node) => &["sshd", "haproxy"],
        node if RABBITS.contains(&node) => rabbitmq::programs(lab, node),
        TARGET => &["sshd"],
        _ => &["etcd", "sshd", "patroni"],
    };
    debug_assert!(lab.nodes().iter().any(|n| n == node));
    let airflow = airflow::programs(lab).iter().filter(|_| node == PROXIES[0]).map(|p| format!("{node}/{}{p}", airflow::PREFIX));
    let worker = celery::key(lab).filter(|_| node == celery::NODE);
    programs.iter().map(|p| format!("{node}/{p}")).chain(airflow).chain(worker).collect()
}

/// Every program that a healthy lab runs, apart from what Patroni starts.
#[must_use]
pub fn keys(lab: &Lab) -> Vec<String> {
    let mut keys: Vec<String> = lab.nodes().iter().flat_map(|n| keys_of(lab, n)).collect();
    keys.push(LEDGER.to_owned());
    keys
}

/// How the program with this key is started.
///
/// # Errors
/// When there is no such program in the lab.
pub fn spec(lab: &Lab, key: &str) -> Result<Spec> {
    let (node, program) = key.split_once('/').with_context(|| format!("`{key}` is not NODE/PROGRAM"))?;
    let (argv, env) = match program {
        "etcd" => (etcd::argv(lab, node), Vec::new()),
        "patroni" => (patroni::argv(lab, node), Vec::new()),
        "haproxy" => (haproxy::argv(lab, node), Vec::new()),
        "rabbitmq" => (rabbitmq::argv(lab)?, rabbitmq::env(lab, node)),
        "epmd" => (rabbitmq::epmd(lab, node), Vec::new()),
        "sshd" => (ssh::argv(lab, node), Vec::new()),
        "client" => {
            let exe = std::env::current_exe().context("cannot find this program's own file")?;
            let words = [exe.to_string_lossy().into_owned(), "lab".into(), "run-ledger".into(), lab.dir.to_string_lossy().into_owned()];
            (words.to_vec(), Vec::new())
        }
        other if other.starts_with(airflow::PREFIX) => {
            let program = other.trim_start_matches(airflow::PREFIX);
            (airflow::argv(lab, program)?, airflow::env(lab, node, program))
        }
        other => bail!("no program `{other}` in a lab"),
    };
    // The ledger's client runs this very program, which may lie where only the caller can read it.
    let (account, netns, log) = if key == LEDGER {
        (None, None, lab.dir.join("ledger/client.log"))
    } else {
        let file = if program == "patroni" { "patroni.out" } else { program };
        let file = if file.contains('.') { file.to_owned() } else { format!("{file}.log") };
        (Some(lab.record.account.clone()), lab.netns(node), lab.log_dir(node).join(file))
    };
    Ok(Spec { key: key.to_owned(), argv, env, cwd: lab.node_dir(node), log, netns, account })
}
