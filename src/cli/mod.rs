//! The command line: one file per subcommand.

pub mod act;
pub mod airflow;
pub mod audit;
pub mod check;
pub mod config;
mod connect;
pub mod console;
pub mod doctor;
pub mod dsn;
pub mod events;
pub mod explain;
pub mod history;
pub mod keys;
pub mod lab;
pub mod logs;
mod mode;
pub mod quiet;
mod remembered;
pub mod rescue;
pub mod runbook;
pub mod scaffold;
pub mod screenshot;
pub mod show_config;
mod situation;
mod start;
pub mod status;
mod themes;
pub mod version;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use directories::ProjectDirs;

use crate::action::{self, Situation};
use crate::config::Profile;

/// The console for PostgreSQL high availability by Patroni, etcd and HAProxy.
///
/// Without a subcommand it opens the console. The configuration is found as patronictl finds it; `pgbaton config` shows what was found and where.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = false, subcommand_negates_reqs = true)]
pub struct Cli {
    #[command(flatten)]
    connect: connect::ConnectArgs,
    #[command(flatten)]
    console: console::ConsoleArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

/// The subcommands. One line each, and one in [`run`].
#[derive(Debug, Subcommand)]
enum Command {
    /// The picture once, for a person or as JSON
    Status(status::StatusArgs),
    /// One line and an exit code, for monitors: 0 ok, 1 warning, 2 critical, 3 unknown
    Check(check::CheckArgs),
    /// Whether a switchover would fit in now: 0 go, 1 warn, 2 wait, 3 stop, 4 not known
    Quiet(quiet::QuietArgs),
    /// What would hurt in a failover, though all is green now: 0 nothing, 1 warning, 2 critical, 3 not all is known
    Doctor(doctor::DoctorArgs),
    /// After an outage: the tasks that may run a second time, until when, and the command for each
    Rescue(rescue::RescueArgs),
    /// One JSON line for each change, as it is pushed, until interrupted
    Events(events::EventsArgs),
    /// What Patroni, PostgreSQL, etcd and HAProxy log, of all nodes in one, over ssh
    Logs(logs::LogsArgs),
    /// Hand the leadership over, now or at a time
    Switchover(act::SwitchoverArgs),
    /// Give the leadership to a member, whether or not there is a leader
    Failover(act::FailoverArgs),
    /// Switch the maintenance mode on: Patroni manages nothing
    Pause(act::PauseArgs),
    /// Switch the maintenance mode off
    Resume(act::ModeArgs),
    /// Restart PostgreSQL, replicas first
    Restart(act::RestartArgs),
    /// Have Patroni read its configuration again
    Reload(act::MembersArgs),
    /// Throw a replica's data away and copy it anew
    Reinit(act::ReinitArgs),
    /// Take back a scheduled restart or switchover
    Flush(act::FlushArgs),
    /// Have a member's PostgreSQL make a checkpoint, so that the next shutdown is short
    Checkpoint(act::OneMemberArgs),
    /// Have a standby go on replaying
    ResumeReplay(act::OneMemberArgs),
    /// Drop a replication slot that nobody uses
    DropSlot(act::DropSlotArgs),
    /// End a client's session
    Terminate(act::TerminateArgs),
    /// The dynamic configuration
    ShowConfig(show_config::ShowConfigArgs),
    /// Change the dynamic configuration, in $VISUAL or $EDITOR, or by settings and files
    EditConfig(act::EditConfigArgs),
    /// Delete what Patroni keeps of a cluster in etcd
    Remove(act::RemoveArgs),
    /// Make the cluster a standby of another
    DemoteCluster(act::DemoteClusterArgs),
    /// Make a standby cluster one of its own
    PromoteCluster(act::PromoteClusterArgs),
    /// The ends of timelines: when, where, who led afterwards
    History(history::HistoryArgs),
    /// Where a member's PostgreSQL listens, the leader's if none is named
    Dsn(dsn::DsnArgs),
    /// Our version, and the members' Patroni and PostgreSQL
    Version(version::VersionArgs),
    /// Drain a server of an HAProxy, take it out, or give it back to the checks
    Haproxy(act::ProxyArgs),
    /// Give Airflow's pools 0 slots, so that no task begins, and remember what they had
    Freeze(act::FreezeArgs),
    /// Give Airflow's pools back what they had
    Thaw(act::ThawArgs),
    /// Approve what another has asked for, where the policy wants two persons
    Approve(act::ApproveArgs),
    /// Carry out what you have asked for and another has approved
    Run(act::RunArgs),
    /// Who did what, and what became of it
    Audit(audit::AuditArgs),
    /// Maintenance step by step: list, show, check, run, resume, history
    Runbook(runbook::RunbookArgs),
    /// What a finding's code means, why it matters, what to do
    Explain(explain::ExplainArgs),
    /// Every command with its keys, and the mistakes in a keymap
    Keys(keys::KeysArgs),
    /// The themes there are, and the mistakes in one
    Themes(themes::ThemesArgs),
    /// The effective configuration, each value with its origin
    Config {
        #[command(flatten)]
        args: config::ConfigArgs,
    },
    /// What reading Airflow's metadata needs
    Airflow(airflow::AirflowArgs),
    /// Write what a whole estate is started from, by a short inventory
    Scaffold(scaffold::ScaffoldArgs),
    /// A practice cluster on this machine
    Lab(lab::LabArgs),
    /// Draw the console from a captured document
    #[command(hide = true)]
    Screenshot(screenshot::ScreenshotArgs),
}

impl Cli {
    /// The command line of an action in a runbook: its words, with nothing else said than how to connect.
    ///
    /// # Errors
    /// They are no action; the error is a sentence.
    fn action(words: &[String], connect: connect::ConnectArgs) -> Result<Self, String> {
        let first = words.first().map(String::as_str).unwrap_or_default();
        if <Self as clap::CommandFactory>::command().find_subcommand(first).is_none() {
            return Err(format!("there is no action {first:?}"));
        }
        let words = std::iter::once("pgbaton").chain(words.iter().map(String::as_str));
        let cli = Self::try_parse_from(words).map_err(|error| {
            let told = error.to_string();
            told.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        })?;
        match &cli.command {
            Some(command) if command.acts() => Ok(Self { connect, ..cli }),
            _ => Err("it does nothing to the cluster".to_owned()),
        }
    }

    /// Why these words of a runbook's action are not for `cluster`: they name another one.
    fn elsewhere(words: &[String], cluster: &str) -> Option<String> {
        let program = <Self as clap::CommandFactory>::command();
        let matches = program.clone().try_get_matches_from(std::iter::once("pgbaton").chain(words.iter().map(String::as_str))).ok()?;
        let (name, given) = matches.subcommand()?;
        let of_cluster =
            |arg: &&clap::Arg| arg.get_value_names().and_then(|names| names.first()).is_some_and(|name| name.starts_with("CLUSTER"));
        let arg = program.find_subcommand(name)?.get_positionals().find(of_cluster)?;
        let named = given.get_raw(arg.get_id().as_str())?.next()?.to_string_lossy().into_owned();
        (named != cluster).then(|| format!("it names {named:?} as the cluster, and the cluster is the run's: {{cluster}}"))
    }
}

impl Command {
    /// Whether it changes something, by a plan.
    fn acts(&self) -> bool {
        match self {
            Self::Switchover(_) | Self::Failover(_) | Self::Pause(_) | Self::Resume(_) | Self::Restart(_) | Self::Reload(_) => true,
            Self::Reinit(_) | Self::Flush(_) | Self::Checkpoint(_) | Self::ResumeReplay(_) | Self::DropSlot(_) | Self::Terminate(_) => true,
            Self::EditConfig(_) | Self::Remove(_) | Self::DemoteCluster(_) | Self::PromoteCluster(_) | Self::Haproxy(_) => true,
            Self::Freeze(_) | Self::Thaw(_) => true,
            Self::Status(_) | Self::Check(_) | Self::Doctor(_) | Self::Rescue(_) => false,
            Self::Quiet(_) | Self::Events(_) | Self::ShowConfig(_) | Self::History(_) | Self::Dsn(_) => false,
            Self::Logs(_) | Self::Version(_) | Self::Audit(_) | Self::Approve(_) | Self::Run(_) | Self::Runbook(_) | Self::Explain(_) => {
                false
            }
            Self::Keys(_) | Self::Themes(_) | Self::Config { .. } | Self::Airflow(_) | Self::Lab(_) | Self::Screenshot(_) => false,
            Self::Scaffold(_) => false,
        }
    }
}

/// Prints a text as a whole. Whoever reads only the first lines, as `head` does, has what they wanted.
///
/// # Errors
/// Standard output cannot be written.
fn print(text: &str) -> std::io::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// The folder of the user's own keymaps, themes and runbooks.
fn own_folder() -> Option<PathBuf> {
    ProjectDirs::from("", "", "pgbaton").map(|dirs| dirs.config_dir().to_owned())
}

/// What an action in a runbook comes to, from the cluster as it is.
///
/// # Errors
/// It is none, or cannot be made of what is known; the error is a sentence.
fn operations(words: &[String], s: &Situation<'_>, profile: &Profile) -> anyhow::Result<act::Operations> {
    let cli = Cli::action(words, connect::ConnectArgs::default()).map_err(anyhow::Error::msg)?;
    if let Some(why) = Cli::elsewhere(words, &profile.name) {
        anyhow::bail!(why);
    }
    Ok(match cli.command {
        Some(Command::Switchover(args)) => args.operations(profile),
        Some(Command::Failover(args)) => args.operations(),
        Some(Command::Pause(args)) => args.operations(),
        Some(Command::Resume(_)) => vec![Box::new(action::Resume)],
        Some(Command::Restart(args)) => args.operations(s)?,
        Some(Command::Reload(args)) => args.reloads(s)?,
        Some(Command::Reinit(args)) => args.operations(s)?,
        Some(Command::Flush(args)) => args.operations(s)?,
        Some(Command::Checkpoint(args)) => vec![Box::new(action::Checkpoint { member: args.member() })],
        Some(Command::ResumeReplay(args)) => vec![Box::new(action::ResumeReplay { member: args.member() })],
        Some(Command::DropSlot(args)) => vec![Box::new(args.operation())],
        Some(Command::EditConfig(args)) => args.operations(s)?,
        Some(Command::Remove(_)) => vec![Box::new(action::Remove)],
        Some(Command::DemoteCluster(args)) => vec![Box::new(args.operation())],
        Some(Command::PromoteCluster(_)) => vec![Box::new(action::PromoteCluster)],
        Some(Command::Haproxy(args)) => args.operations(profile)?,
        Some(Command::Freeze(args)) => args.operations(profile),
        Some(Command::Thaw(args)) => args.operations(profile),
        _ => anyhow::bail!("this is done by `pgbaton runbook resume` only"),
    })
}

/// Runs what the command line asks for.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Cli { connect, console, command } = cli;
    match command {
        None => console::run(&connect, &console),
        Some(Command::Status(args)) => status::run(&connect, &args),
        Some(Command::Check(args)) => check::run(&connect, &args),
        Some(Command::Quiet(args)) => quiet::run(&connect, &args),
        Some(Command::Doctor(args)) => doctor::run(&connect, &args),
        Some(Command::Rescue(args)) => rescue::run(&connect, &args),
        Some(Command::Events(args)) => events::run(&connect, &args),
        Some(Command::Logs(args)) => logs::run(&connect, &args),
        Some(Command::Switchover(args)) => args.run(&connect),
        Some(Command::Failover(args)) => args.run(&connect),
        Some(Command::Pause(args)) => args.run(&connect),
        Some(Command::Resume(args)) => args.resume(&connect),
        Some(Command::Restart(args)) => args.run(&connect),
        Some(Command::Reload(args)) => args.reload(&connect),
        Some(Command::Reinit(args)) => args.run(&connect),
        Some(Command::Flush(args)) => args.run(&connect),
        Some(Command::Checkpoint(args)) => args.checkpoint(&connect),
        Some(Command::ResumeReplay(args)) => args.resume_replay(&connect),
        Some(Command::DropSlot(args)) => args.run(&connect),
        Some(Command::Terminate(args)) => args.run(&connect),
        Some(Command::ShowConfig(args)) => show_config::run(&connect, &args),
        Some(Command::EditConfig(args)) => args.run(&connect),
        Some(Command::Remove(args)) => args.run(&connect),
        Some(Command::DemoteCluster(args)) => args.run(&connect),
        Some(Command::PromoteCluster(args)) => args.run(&connect),
        Some(Command::History(args)) => history::run(&connect, &args),
        Some(Command::Dsn(args)) => dsn::run(&connect, &args),
        Some(Command::Version(args)) => version::run(&connect, &args),
        Some(Command::Haproxy(args)) => args.run(&connect),
        Some(Command::Freeze(args)) => args.run(&connect),
        Some(Command::Thaw(args)) => args.run(&connect),
        Some(Command::Approve(args)) => args.run(&connect),
        Some(Command::Run(args)) => args.run(&connect),
        Some(Command::Audit(args)) => audit::run(&connect, &args),
        Some(Command::Runbook(args)) => runbook::run(&connect, &args),
        Some(Command::Explain(args)) => explain::run(&args),
        Some(Command::Keys(args)) => keys::run(&connect, &args),
        Some(Command::Themes(args)) => themes::run(&args),
        Some(Command::Config { args }) => config::run(args, connect.config, connect.cluster),
        Some(Command::Airflow(args)) => airflow::run(&connect, &args),
        Some(Command::Scaffold(args)) => scaffold::run(&args),
        Some(Command::Lab(args)) => lab::run(args, &|file: &std::path::Path| {
            let connect = connect::ConnectArgs { config: Some(PathBuf::from(file)), ..connect::ConnectArgs::default() };
            console::run(&connect, &console::ConsoleArgs::default())
        }),
        Some(Command::Screenshot(args)) => screenshot::run(&args).map(|()| ExitCode::SUCCESS),
    }
}
