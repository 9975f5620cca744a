//! The subcommands of what is done in a member's PostgreSQL.

use std::process::ExitCode;

use anyhow::{Context, bail};

use super::{HowArgs, run, run_with};
use crate::action::{Checkpoint, DropSlot, Operation, ResumeReplay, Terminate};
use crate::cli::connect::ConnectArgs;
use crate::config::Profile;
use crate::live::Live;
use crate::source::postgres;

/// Which member's PostgreSQL.
#[derive(Debug, clap::Args)]
pub struct MemberArgs {
    /// A cluster of pgbaton.toml, or with Patroni's configuration a scope
    #[arg(value_name = "CLUSTER")]
    cluster: String,
    /// The member
    #[arg(value_name = "MEMBER")]
    member: String,
}

/// `pgbaton checkpoint` and `pgbaton resume-replay`.
#[derive(Debug, clap::Args)]
pub struct OneMemberArgs {
    #[command(flatten)]
    on: MemberArgs,
    #[command(flatten)]
    how: HowArgs,
}

/// `pgbaton drop-slot`.
#[derive(Debug, clap::Args)]
pub struct DropSlotArgs {
    #[command(flatten)]
    on: MemberArgs,
    /// The slot
    #[arg(value_name = "SLOT")]
    slot: String,
    #[command(flatten)]
    how: HowArgs,
}

/// `pgbaton terminate`.
#[derive(Debug, clap::Args)]
pub struct TerminateArgs {
    #[command(flatten)]
    on: MemberArgs,
    /// The number of the session's process, as pg_stat_activity has it
    #[arg(value_name = "PID")]
    pid: i32,
    #[command(flatten)]
    how: HowArgs,
}

impl OneMemberArgs {
    /// Has it make a checkpoint.
    pub fn checkpoint(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let (cluster, how) = (self.on.cluster.clone(), self.how.clone());
        run(connect, Some(&cluster), &how, |_| Ok(vec![Box::new(Checkpoint { member: self.member() })]))
    }

    /// The member that is meant.
    pub(in crate::cli) fn member(self) -> String {
        self.on.member
    }

    /// Has it replay on.
    pub fn resume_replay(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let Self { on: MemberArgs { cluster, member }, how } = self;
        run(connect, Some(&cluster), &how, |_| Ok(vec![Box::new(ResumeReplay { member })]))
    }
}

impl DropSlotArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let (cluster, how) = (self.on.cluster.clone(), self.how.clone());
        run(connect, Some(&cluster), &how, |_| Ok(vec![Box::new(self.operation())]))
    }

    /// What is to be done.
    pub(in crate::cli) fn operation(self) -> DropSlot {
        DropSlot { member: self.on.member, slot: self.slot }
    }
}

impl TerminateArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let Self { on: MemberArgs { cluster, member }, pid, how } = self;
        run_with(connect, Some(&cluster), &how, async move |live: &mut Live, profile: &Profile| {
            let known = live.cluster().members.get(&member).with_context(|| format!("there is no member {member}"))?;
            let (host, port) = known.address().with_context(|| format!("etcd has no address of {member}'s PostgreSQL"))?;
            let Some(session) = postgres::session(&profile.postgres, host, port, pid).await.map_err(|error| anyhow::anyhow!("{error}"))?
            else {
                bail!("{member} has no session {pid}, or our user may not see it");
            };
            Ok(vec![Box::new(Terminate { member, session }) as Box<dyn Operation>])
        })
    }
}
