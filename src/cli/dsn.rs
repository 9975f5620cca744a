//! `pgbaton dsn`: where a member's PostgreSQL listens, in libpq's words.

use std::process::ExitCode;

use anyhow::{Context, bail};

use super::act::chosen;
use super::connect::{ClusterArg, ConnectArgs, runtime};
use super::show_config::{keys, note_source};
use super::situation::with_situation;

/// `pgbaton dsn`.
#[derive(Debug, clap::Args)]
pub struct DsnArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// Of a member of this role [default: leader]
    #[arg(long, short, value_name = "ROLE", value_parser = ["leader", "primary", "standby-leader", "replica", "standby", "any"])]
    role: Option<String>,
    /// Of this member
    #[arg(long, short, conflicts_with = "role")]
    member: Option<String>,
}

/// Prints it.
pub fn run(connect: &ConnectArgs, args: &DsnArgs) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let live = keys(connect, &args.cluster).await?;
        note_source(live.cluster(), live.now());
        let role = match (&args.role, &args.member) {
            (Some(role), _) => Some(role.as_str()),
            (None, Some(_)) => None,
            (None, None) => Some("leader"),
        };
        let names: Vec<String> = args.member.iter().cloned().collect();
        let found = with_situation(&live, |s| chosen(s, &names, role))?;
        let Some(name) = found.first() else { bail!("no member fits") };
        let member = live.cluster().members.get(name);
        let (host, port) = member.and_then(|member| member.address()).with_context(|| format!("etcd has no address of {name}"))?;
        println!("host={host} port={port}");
        Ok(ExitCode::SUCCESS)
    })
}
