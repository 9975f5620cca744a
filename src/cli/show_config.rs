//! `pgbaton show-config`: the dynamic configuration.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;

use super::connect::{ClusterArg, ConnectArgs, runtime};
use super::start::start;
use crate::config::yaml_text;
use crate::live::Live;
use crate::model::{Cluster, Parsed, Time};
use crate::source::Clock;

/// `pgbaton show-config`.
#[derive(Debug, clap::Args)]
pub struct ShowConfigArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// How long etcd is waited for.
const LIMIT: Duration = Duration::from_secs(3);

/// Prints it.
pub fn run(connect: &ConnectArgs, args: &ShowConfigArgs) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let live = keys(connect, &args.cluster).await?;
        let config = configuration(live.cluster(), live.now())?;
        let text = if args.json { serde_json::to_string_pretty(config)? + "\n" } else { yaml_text(config) };
        std::io::stdout().lock().write_all(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The cluster, as soon as etcd's majority has told its keys, or what is known of it when it does not.
pub(super) async fn keys(connect: &ConnectArgs, cluster: &ClusterArg) -> anyhow::Result<Live> {
    let profile = connect.profile(cluster.name.as_deref()).await?;
    let mut live = start(profile, Clock::start());
    let known = async {
        while live.cluster().dcs.confirmed_at.is_none() {
            live.wait().await;
        }
    };
    // Past the limit the answer is made of what is there, and says so.
    let _ = tokio::time::timeout(LIMIT, known).await;
    Ok(live)
}

/// Says where the keys come from when no majority of etcd has told them.
pub(super) fn note_source(cluster: &Cluster, now: Time) {
    if !cluster.dcs_current(now) {
        let why = cluster.dcs.error().map_or_else(|| "etcd did not answer in time".to_owned(), ToString::to_string);
        eprintln!("note: no majority of etcd vouches for this, it may be old: {why}");
    }
}

fn configuration(cluster: &Cluster, now: Time) -> anyhow::Result<&Value> {
    if let Some(Parsed::Bad(why)) = &cluster.dcs.keys.config {
        bail!("{why}");
    }
    match (cluster.config(), cluster.dcs.error()) {
        (Some(config), _) => {
            note_source(cluster, now);
            Ok(&config.raw)
        }
        (None, Some(error)) => bail!("the configuration is not known: {error}"),
        (None, None) if cluster.dcs_current(now) => bail!("etcd has no configuration of {}", cluster.scope),
        (None, None) => bail!("the configuration is not known: etcd did not answer within {} s", LIMIT.as_secs()),
    }
}
