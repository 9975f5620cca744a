//! `pgbaton freeze` and `pgbaton thaw`: Airflow's pools.

use std::process::ExitCode;

use super::args::Operations;
use super::{HowArgs, run_with};
use crate::action::{AirflowWay, Freeze, Thaw};
use crate::cli::connect::{ClusterArg, ConnectArgs};
use crate::config::Profile;
use crate::live::Live;

/// `pgbaton freeze`.
#[derive(Debug, clap::Args)]
pub struct FreezeArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// Why, for the audit and for whoever finds them frozen
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The run of a runbook that it belongs to
    #[arg(long, value_name = "ID", hide = true)]
    run: Option<String>,
    #[command(flatten)]
    how: HowArgs,
}

/// `pgbaton thaw`.
#[derive(Debug, clap::Args)]
pub struct ThawArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    #[command(flatten)]
    how: HowArgs,
}

impl FreezeArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let (cluster, how) = (self.cluster.name.clone(), self.how.clone());
        run_with(connect, cluster.as_deref(), &how, async move |_: &mut Live, profile: &Profile| Ok(self.operations(profile)))
    }

    /// What is to be done.
    pub(in crate::cli) fn operations(self, profile: &Profile) -> Operations {
        let Self { cluster: _, reason, run, how: _ } = self;
        vec![Box::new(Freeze { way: AirflowWay::of(profile), reason: reason.filter(|reason| !reason.is_empty()), run })]
    }
}

impl ThawArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let (cluster, how) = (self.cluster.name.clone(), self.how.clone());
        run_with(connect, cluster.as_deref(), &how, async move |_: &mut Live, profile: &Profile| Ok(self.operations(profile)))
    }

    /// What is to be done.
    pub(in crate::cli) fn operations(self, profile: &Profile) -> Operations {
        vec![Box::new(Thaw { way: AirflowWay::of(profile) })]
    }
}
