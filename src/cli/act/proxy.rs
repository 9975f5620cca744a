//! `pgbaton haproxy`.

use std::process::ExitCode;

use anyhow::bail;

use super::args::Operations;
use super::{HowArgs, run_with};
use crate::action::{ProxyState, SetProxy};
use crate::cli::connect::ConnectArgs;
use crate::config::Profile;
use crate::live::Live;

/// `pgbaton haproxy`.
#[derive(Debug, clap::Args)]
pub struct ProxyArgs {
    /// A cluster of pgbaton.toml
    #[arg(value_name = "CLUSTER")]
    cluster: String,
    /// The HAProxy, by its name in pgbaton.toml
    #[arg(value_name = "PROXY")]
    proxy: String,
    /// The backend
    #[arg(value_name = "BACKEND")]
    backend: String,
    /// The server
    #[arg(value_name = "SERVER")]
    server: String,
    /// drain: no new sessions; maint: no sessions and no checks; ready: the checks decide
    #[arg(value_name = "drain|maint|ready", hide_possible_values = true, value_parser = ["drain", "maint", "ready"])]
    state: String,
    #[command(flatten)]
    how: HowArgs,
}

impl ProxyArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let (cluster, how) = (self.cluster.clone(), self.how.clone());
        run_with(connect, Some(&cluster), &how, async move |_: &mut Live, profile: &Profile| self.operations(profile))
    }

    /// What is to be done.
    pub(in crate::cli) fn operations(self, profile: &Profile) -> anyhow::Result<Operations> {
        let Self { cluster: _, proxy, backend, server, state, how: _ } = self;
        let state: ProxyState = state.parse()?;
        let Some(known) = profile.haproxy.iter().find(|known| known.name == proxy) else {
            let names: Vec<&str> = profile.haproxy.iter().map(|known| known.name.as_str()).collect();
            bail!("there is no HAProxy {proxy} in the configuration; there are {}", names.join(", "));
        };
        let socket = known.admin_socket.is_some();
        Ok(vec![Box::new(SetProxy { proxy, backend, server, state, socket })])
    }
}
