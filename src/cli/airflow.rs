//! `pgbaton airflow`: what reading Airflow's metadata needs.

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

use super::connect::{ClusterArg, ConnectArgs, runtime};
use crate::source::airflow::grants;

/// `pgbaton airflow`.
#[derive(Debug, clap::Args)]
pub struct AirflowArgs {
    #[command(subcommand)]
    command: AirflowCommand,
}

#[derive(Debug, Subcommand)]
enum AirflowCommand {
    /// The SQL that lets our user read what pgbaton reads of the metadata, and nothing else
    Grants {
        #[command(flatten)]
        cluster: ClusterArg,
        /// The role that gets them [default: the user of [clusters.NAME.postgres]]
        #[arg(long)]
        role: Option<String>,
    },
}

/// Does it.
pub fn run(connect: &ConnectArgs, args: &AirflowArgs) -> anyhow::Result<ExitCode> {
    let AirflowCommand::Grants { cluster, role } = &args.command;
    let profile = runtime()?.block_on(connect.profile(cluster.name.as_deref()))?;
    let airflow = profile.airflow.clone().with_context(|| {
        format!("no Airflow is configured for {}: add [clusters.{}.airflow] with database = \"NAME\"", profile.name, profile.name)
    })?;
    let role = role.clone().or(profile.postgres.user).context("no user for PostgreSQL is known; name one with --role")?;
    super::status::print(&grants(&airflow.database, &airflow.schema, &role))?;
    Ok(ExitCode::SUCCESS)
}
