//! The subcommands of what is done to a cluster as a whole.

use std::process::ExitCode;

use super::{HowArgs, run};
use crate::action::{DemoteCluster, PromoteCluster, Remove};
use crate::cli::connect::{ClusterArg, ConnectArgs};

/// `pgbaton remove`.
#[derive(Debug, clap::Args)]
pub struct RemoveArgs {
    /// A cluster of pgbaton.toml, or with Patroni's configuration a scope
    #[arg(value_name = "CLUSTER")]
    cluster: String,
    #[command(flatten)]
    how: HowArgs,
}

/// `pgbaton demote-cluster`.
#[derive(Debug, clap::Args)]
pub struct DemoteClusterArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// The address of the cluster to follow
    #[arg(long)]
    host: Option<String>,
    /// Its port
    #[arg(long)]
    port: Option<u16>,
    /// A command that fetches WAL
    #[arg(long, value_name = "COMMAND")]
    restore_command: Option<String>,
    /// The slot to use there
    #[arg(long, value_name = "SLOT")]
    primary_slot_name: Option<String>,
    #[command(flatten)]
    how: HowArgs,
}

/// `pgbaton promote-cluster`.
#[derive(Debug, clap::Args)]
pub struct PromoteClusterArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    #[command(flatten)]
    how: HowArgs,
}

impl RemoveArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        run(connect, Some(&self.cluster), &self.how, |_| Ok(vec![Box::new(Remove)]))
    }
}

impl DemoteClusterArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let (cluster, how) = (self.cluster.name.clone(), self.how.clone());
        run(connect, cluster.as_deref(), &how, |_| Ok(vec![Box::new(self.operation())]))
    }

    /// What is to be done.
    pub(in crate::cli) fn operation(self) -> DemoteCluster {
        let Self { cluster: _, host, port, restore_command, primary_slot_name, how: _ } = self;
        DemoteCluster { host, port, restore_command, primary_slot_name }
    }
}

impl PromoteClusterArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        run(connect, self.cluster.name.as_deref(), &self.how, |_| Ok(vec![Box::new(PromoteCluster)]))
    }
}
