//! `pgbaton version`: ours, and of each member Patroni's and PostgreSQL's.

use std::process::ExitCode;
use std::time::Duration;

use super::act::chosen;
use super::connect::{ConnectArgs, runtime};
use super::situation::with_situation;
use super::start::start;
use crate::model::version_text;
use crate::source::Clock;

/// `pgbaton version`.
#[derive(Debug, clap::Args)]
pub struct VersionArgs {
    /// A cluster of pgbaton.toml, or with Patroni's configuration a scope [default: pgbaton's own version alone]
    #[arg(value_name = "CLUSTER")]
    cluster: Option<String>,
    /// The members [default: all]
    #[arg(value_name = "MEMBER")]
    members: Vec<String>,
}

/// How long the members are waited for.
const LIMIT: Duration = Duration::from_secs(3);

/// Prints them.
pub fn run(connect: &ConnectArgs, args: &VersionArgs) -> anyhow::Result<ExitCode> {
    println!("pgbaton {}", env!("CARGO_PKG_VERSION"));
    let Some(cluster) = &args.cluster else { return Ok(ExitCode::SUCCESS) };
    runtime()?.block_on(async {
        let profile = connect.profile(Some(cluster)).await?;
        let mut live = start(profile, Clock::start());
        live.settle(LIMIT).await;
        for name in with_situation(&live, |s| chosen(s, &args.members, None))? {
            let Some(member) = live.cluster().members.get(&name) else { continue };
            let Some(rest) = member.rest_now(live.now()) else {
                let why = member.rest.error().map_or_else(|| "it did not answer in time".to_owned(), ToString::to_string);
                println!("{name}: not known: {why}");
                continue;
            };
            let patroni = rest.version.as_deref().unwrap_or("?");
            let postgres = rest.server_version.map_or_else(|| "?".to_owned(), version_text);
            println!("{name}: Patroni {patroni} PostgreSQL {postgres}");
        }
        Ok(ExitCode::SUCCESS)
    })
}
