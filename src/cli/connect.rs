//! From the command line to one cluster.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::config::{self, Env, Profile, Request, Selected};
use crate::source::etcd;

/// Which cluster, by which configuration.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConnectArgs {
    /// A cluster of pgbaton.toml, or with Patroni's configuration a scope
    #[arg(value_name = "CLUSTER")]
    pub cluster: Option<String>,
    /// pgbaton.toml, patronictl.yaml, or a node's patroni.yml [default: found as `pgbaton config` shows]
    #[arg(long, short, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Nothing can be changed in this session [env: PGBATON_READ_ONLY]
    #[arg(long, global = true)]
    pub read_only: bool,
}

/// A subcommand's own place for the cluster's name, which may also stand before the subcommand.
#[derive(Debug, Default, clap::Args)]
pub struct ClusterArg {
    /// A cluster of pgbaton.toml, or with Patroni's configuration a scope
    #[arg(value_name = "CLUSTER")]
    pub name: Option<String>,
}

/// How long the discovery of scopes may take in all; etcd endpoints are tried side by side.
const DISCOVERY: Duration = Duration::from_secs(4);

impl ConnectArgs {
    /// The profile of the cluster that is meant, its scope set. When several could be meant, a person at a terminal is asked.
    pub async fn profile(&self, name: Option<&str>) -> anyhow::Result<Profile> {
        let cluster = name.map(str::to_owned).or_else(|| self.cluster.clone());
        let config = config::load(&Request { file: self.config.clone(), cluster, env: Env::of_process() })?;
        let mut profile = match config.select(None)? {
            Selected::One(profile) => *profile,
            Selected::Several(profiles) => {
                let names: Vec<String> = profiles.iter().map(|p| p.name.clone()).collect();
                let chosen = choose("clusters", &names)?;
                profiles.into_iter().nth(chosen).context("no such cluster")?
            }
        };
        if profile.scope.is_none() {
            let scopes = tokio::time::timeout(DISCOVERY, etcd::discover(&profile))
                .await
                .map_err(|_| anyhow::anyhow!("no etcd endpoint answered within {} s", DISCOVERY.as_secs()))?
                .map_err(|e| anyhow::anyhow!("the clusters cannot be listed: {e}"))?;
            let scope = match scopes.as_slice() {
                [] => bail!(
                    "etcd holds no cluster under {}\nhint: is the namespace right? patronictl's default is /service/",
                    profile.namespace
                ),
                [one] => one.clone(),
                several => several[choose("clusters in etcd", several)?].clone(),
            };
            if profile.name.is_empty() {
                profile.name.clone_from(&scope);
            }
            profile.scope = Some(scope);
        }
        if profile.name.is_empty() {
            profile.name = profile.scope.clone().unwrap_or_default();
        }
        Ok(profile)
    }
}

/// Offers several on the terminal; where nobody can answer it is an error that lists them.
fn choose(what: &str, names: &[String]) -> anyhow::Result<usize> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        bail!("there are several {what}: {}\nhint: name one, as in `pgbaton {}`", names.join(", "), names[0]);
    }
    let mut err = std::io::stderr().lock();
    for (index, name) in names.iter().enumerate() {
        writeln!(err, "{:>3}  {name}", index + 1)?;
    }
    for line in prompt(&mut err, what)? {
        let answer = line?;
        let answer = answer.trim();
        let by_number = answer.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < names.len());
        if let Some(index) = by_number.or_else(|| names.iter().position(|name| name == answer)) {
            return Ok(index);
        }
        write!(err, "1 to {}, or a name: ", names.len())?;
        err.flush()?;
    }
    bail!("no cluster was chosen")
}

fn prompt(err: &mut impl Write, what: &str) -> anyhow::Result<std::io::Lines<std::io::StdinLock<'static>>> {
    write!(err, "several {what}; which one? ")?;
    err.flush()?;
    Ok(std::io::stdin().lock().lines())
}

/// A runtime for a command that asks once: one thread is enough, and the quickest to start.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")
}
