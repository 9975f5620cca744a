//! What a lab needs on the machine: looking for it, saying what is missing, installing it after one question.

pub mod apt;

use std::io::{IsTerminal, Write, stderr, stdin};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::options::Options;
use super::place::Place;
use super::record::Tools;
use super::steps::{Steps, tell};
use super::venv::{self, Of};

/// One thing that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What it is, for a person.
    pub what: &'static str,
    /// Debian packages that bring it.
    pub packages: &'static [&'static str],
}

/// What was found on the machine.
#[derive(Debug, Default)]
pub struct Found {
    pg_bin: Option<PathBuf>,
    etcd: Option<PathBuf>,
    haproxy: Option<PathBuf>,
    rabbitmq: Option<PathBuf>,
    sshd: Option<PathBuf>,
    ssh_keygen: Option<PathBuf>,
    python: Option<PathBuf>,
    /// What is not there.
    pub missing: Vec<Missing>,
    /// What is to be installed from PyPI.
    pub environments: Vec<String>,
}

/// The environment of Airflow, if one is asked for.
fn airflow(options: &Options) -> Option<Of<'_>> {
    let version = options.airflow.as_deref()?;
    Some(if options.celery() { Of::AirflowCelery(version) } else { Of::Airflow(version) })
}

/// What a lab with these options has environments for.
fn environments(options: &Options) -> Vec<Of<'_>> {
    [Some(Of::Patroni(&options.patroni)), airflow(options)].into_iter().flatten().collect()
}

fn missing_environments<'o>(place: &Place, options: &'o Options) -> Vec<Of<'o>> {
    environments(options).into_iter().filter(|of| !venv::is_ready(place, *of)).collect()
}

/// Looks for everything that a lab with these options needs.
#[must_use]
pub fn look(place: &Place, options: &Options) -> Found {
    let mut missing = Vec::new();
    let mut need = |found: Option<PathBuf>, what: &'static str, packages: &'static [&'static str]| {
        if found.is_none() {
            missing.push(Missing { what, packages });
        }
        found
    };
    let pg_bin = need(postgres_bin(), "PostgreSQL", &["postgresql"]);
    let etcd = program("etcd").and_then(|e| program("etcdctl").map(|_| e));
    // Asking apt takes a second, so only when the answer matters.
    let old_name = etcd.is_none() && apt::is_here() && !apt::knows("etcd-server");
    let etcd = need(etcd, "etcd and etcdctl", if old_name { &["etcd"] } else { &["etcd-server", "etcd-client"] });
    let haproxy = need(program("haproxy"), "HAProxy", &["haproxy"]);
    let sshd = need(program("sshd"), "OpenSSH's server", &["openssh-server"]);
    let ssh_keygen = need(program("ssh-keygen"), "OpenSSH's client", &["openssh-client"]);
    let environments: Vec<String> = missing_environments(place, options).iter().map(Of::to_string).collect();
    let mut python = None;
    if !environments.is_empty() {
        python = need(python_with_venv(), "Python 3 with its venv module", &["python3-venv"]);
    }
    if options.netns {
        need(program("nft"), "nftables", &["nftables"]);
        need(program("ip"), "iproute2", &["iproute2"]);
    }
    let mut rabbitmq = None;
    if options.rabbitmq {
        rabbitmq = need(rabbitmq_bin(), "RabbitMQ", &["rabbitmq-server"]);
    }
    Found { pg_bin, etcd, haproxy, rabbitmq, sshd, ssh_keygen, python, missing, environments }
}

/// Sees to it that everything is there: looks, says, asks once, installs.
///
/// # Errors
/// When something is missing and the answer is no, or it cannot be installed here: then the error says what is needed.
pub async fn ensure(place: &Place, options: &Options, yes: bool, steps: &mut Steps) -> Result<Tools> {
    let found = look(place, options);
    if found.missing.is_empty() && found.environments.is_empty() {
        return tools(found, place, options);
    }
    let plan = plan(&found, place, options);
    if !found.missing.is_empty() && !apt::can_install() {
        bail!(
            "{plan}\npgbaton installs packages itself on Debian and Ubuntu only, as root or with sudo: please install these, then run it again"
        );
    }
    tell(&plan);
    if !yes && !ask("Install this?")? {
        bail!("nothing was installed, nothing was started");
    }
    if !found.missing.is_empty() {
        let packages: Vec<&str> = found.missing.iter().flat_map(|m| m.packages).copied().collect();
        steps.begin(&format!("packages {}", packages.join(", ")));
        apt::install(&packages)?;
        steps.done("installed, no service started");
    }
    let found = look(place, options);
    for of in missing_environments(place, options) {
        steps.begin(&format!("{of} from PyPI"));
        let python = found.python.as_deref().context("python3 with its venv module is still not there")?;
        venv::make(place, of, python).await?;
        steps.done("installed");
    }
    tools(look(place, options), place, options)
}

fn tools(found: Found, place: &Place, options: &Options) -> Result<Tools> {
    let gone = || format!("still missing after installation: {}", names(&found.missing));
    Ok(Tools {
        pg_bin: found.pg_bin.clone().with_context(gone)?,
        etcd: found.etcd.clone().with_context(gone)?,
        haproxy: found.haproxy.clone().with_context(gone)?,
        sshd: found.sshd.clone().with_context(gone)?,
        ssh_keygen: found.ssh_keygen.clone().with_context(gone)?,
        rabbitmq: options.rabbitmq.then(|| found.rabbitmq.clone().with_context(gone)).transpose()?,
        venv: venv::dir(place, Of::Patroni(&options.patroni)),
        airflow: airflow(options).map(|of| venv::dir(place, of)),
    })
}

fn names(missing: &[Missing]) -> String {
    missing.iter().map(|m| m.what).collect::<Vec<_>>().join(", ")
}

/// What is missing and what would be done about it.
fn plan(found: &Found, place: &Place, options: &Options) -> String {
    let mut out = String::from("The practice cluster needs what this machine lacks:\n");
    for m in &found.missing {
        out.push_str(&format!("  {:<30} Debian package {}\n", m.what, m.packages.join(", ")));
    }
    if !found.missing.is_empty() {
        let packages: Vec<&str> = found.missing.iter().flat_map(|m| m.packages).copied().collect();
        out.push_str(&format!(
            "    by: {}\n    (no service is started or enabled, no database cluster is made)\n",
            apt::command(&packages)
        ));
    }
    for of in missing_environments(place, options) {
        let wanted: Vec<String> = of.requirements().iter().map(|r| format!("'{r}'")).collect();
        out.push_str(&format!("  {:<30} from PyPI, into {}\n", of.to_string(), venv::dir(place, of).display()));
        out.push_str(&format!("    by: python3 -m venv; pip install {}\n", wanted.join(" ")));
    }
    out
}

/// A question with the answer no unless `y` is typed; no terminal means no.
///
/// # Errors
/// When there is no terminal to ask on: the error names `--yes`.
pub fn ask(question: &str) -> Result<bool> {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        bail!("{question} There is no terminal to ask on; pass --yes to answer yes");
    }
    write!(stderr(), "{question} [y/N] ")?;
    stderr().flush()?;
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// A program in PATH or in the folders that a user's PATH often lacks.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).filter(|d| d.is_absolute()).map(|d| d.join(name)).find(|p| is_program(p))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// The folder of the newest PostgreSQL server that has everything Patroni calls.
fn postgres_bin() -> Option<PathBuf> {
    let whole = |dir: &PathBuf| {
        ["postgres", "initdb", "pg_ctl", "pg_basebackup", "pg_rewind", "pg_controldata"].iter().all(|p| is_program(&dir.join(p)))
    };
    let mut versions: Vec<(u32, PathBuf)> = Vec::new();
    // Debian's place, and that of the PostgreSQL project's packages for other systems.
    for (parent, prefix) in [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")] {
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(version) = name.strip_prefix(prefix).and_then(|v| v.parse().ok()) {
                versions.push((version, entry.path().join("bin")));
            }
        }
    }
    versions.sort();
    let packaged = versions.into_iter().rev().map(|(_, dir)| dir).find(|d| whole(d));
    packaged.or_else(|| program("postgres").and_then(|p| p.parent().map(Path::to_owned)).filter(whole))
}

/// The folder of RabbitMQ's own programs. Those in PATH are Debian's, which run as its own account only.
fn rabbitmq_bin() -> Option<PathBuf> {
    let own = PathBuf::from("/usr/lib/rabbitmq/bin");
    program("epmd").and(["rabbitmq-server", "rabbitmqctl"].iter().all(|name| is_program(&own.join(name))).then_some(own))
}

/// The system's Python first: one below a user's home could not be read by the account that Patroni runs as.
fn python_with_venv() -> Option<PathBuf> {
    let candidates = [Some(PathBuf::from("/usr/bin/python3")), program("python3")];
    candidates.into_iter().flatten().find(|python| {
        let check = Command::new(python).args(["-c", "import venv, ensurepip"]).env_remove("PYTHONPATH").env_remove("PYTHONHOME").output();
        check.is_ok_and(|out| out.status.success())
    })
}
