//! `pgbaton lab`: the practice cluster from the command line.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use super::connect::ConnectArgs;
use super::start::start;
use crate::document::{Document, Level};
use crate::lab::account::Account;
use crate::lab::fault::{self, Amount, Scene};
use crate::lab::install;
use crate::lab::ledger;
use crate::lab::options::{Options, PATRONI_VERSION};
use crate::lab::place::{DEFAULT_NAME, DirLock, Place};
use crate::lab::record::Record;
use crate::lab::steps::{Steps, tell};
use crate::lab::{Lab, airflow, conf, down, hung, slow, status, up, venv};
use crate::live::Live;
use crate::source::Clock;

/// How long a command waits for another one that works on the same lab.
const BUSY: Duration = Duration::from_secs(20);

/// A practice cluster on this machine: three nodes with etcd, Patroni and PostgreSQL, two HAProxies, and faults for it.
#[derive(Debug, Args)]
pub struct LabArgs {
    #[command(subcommand)]
    command: Option<LabCommand>,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    shape: ShapeArgs,
}

#[derive(Debug, Args)]
struct PlaceArgs {
    /// Name of the lab, and Patroni's scope
    #[arg(long, global = true, default_value = DEFAULT_NAME)]
    name: String,
    /// Where labs are kept [default: pgbaton/lab in the user's state directory; /var/lib/pgbaton/lab for root]
    #[arg(long, global = true, env = "PGBATON_LAB_DIR", value_name = "DIR", hide_env_values = true)]
    state_dir: Option<PathBuf>,
    /// Answer yes to the question before something is installed
    #[arg(long, short, global = true)]
    yes: bool,
}

#[derive(Debug, Args)]
struct ShapeArgs {
    /// Nodes with etcd, Patroni and PostgreSQL, 1 to 9
    #[arg(long, default_value_t = 3)]
    members: u8,
    /// etcd and the REST API with a private CA and client certificates
    #[arg(long)]
    tls: bool,
    /// Passwords for the REST API and etcd
    #[arg(long)]
    auth: bool,
    /// Synchronous mode
    #[arg(long)]
    sync: bool,
    /// Patroni's failsafe mode
    #[arg(long)]
    failsafe: bool,
    /// Patroni's version
    #[arg(long, value_name = "VERSION", default_value = PATRONI_VERSION)]
    patroni: String,
    /// One network namespace per node, so that nodes can be cut off (needs root)
    #[arg(long)]
    netns: bool,
    /// Patroni's ttl, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    ttl: u32,
    /// Patroni's loop_wait, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    loop_wait: u32,
    /// What runs beside the cluster: airflow=2.10 or airflow=3, with its data in it; airflow-api, its API with passwords (250 MB with 2.10), by which
    /// freeze and thaw then go; rabbitmq, three nodes, over which a Celery worker takes Airflow's tasks if that runs too; may be given several times
    #[arg(long, value_name = "WHAT")]
    with: Vec<String>,
}

impl ShapeArgs {
    fn options(self) -> Result<Options> {
        let Self { members, tls, auth, sync, failsafe, patroni, netns, ttl, loop_wait, with } = self;
        let mut options = Options {
            members,
            tls,
            auth,
            sync,
            failsafe,
            patroni,
            netns,
            ttl,
            loop_wait,
            airflow: None,
            airflow_api: false,
            rabbitmq: false,
        };
        for what in &with {
            options.with(what)?;
        }
        options.check()?;
        Ok(options)
    }
}

#[derive(Debug, Subcommand)]
enum LabCommand {
    /// Start it and wait until it is healthy
    Up {
        #[command(flatten)]
        shape: ShapeArgs,
    },
    /// End it: no process and no file of it stays
    Down {
        /// Remove Patroni's environments too, where no lab uses them
        #[arg(long)]
        purge: bool,
    },
    /// Its processes, its health, its memory; exit code 0 if healthy
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Lines for `eval`, with which every tool reaches it
    Env,
    /// Throw a fault; without a name, list them
    Fault(FaultArgs),
    /// Undo every fault and wait until it is healthy, by its own word and by a console's
    Heal {
        /// End when the cluster is well, and do not wait until a console would say so too.
        #[arg(long)]
        no_wait: bool,
    },
    /// All labs
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The ledger's verdict: acknowledged writes against rows in the table
    Ledger {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Airflow's own command, on the lab's Airflow: `lab airflow dags trigger charge`
    Airflow {
        /// Its words
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        words: Vec<String>,
    },
    /// The ledger's client (started by `up`)
    #[command(hide = true)]
    RunLedger {
        /// The lab's folder
        dir: PathBuf,
    },
    /// The forwarder of the fault slow-node
    #[command(hide = true)]
    RunSlow {
        /// Delay in one direction, milliseconds
        ms: u64,
        /// This file is made when it listens
        ready: PathBuf,
    },
    /// The server of the fault hang-nfs
    #[command(hide = true)]
    RunHung {
        /// Where its disk is mounted
        at: PathBuf,
    },
}

#[derive(Debug, Args)]
struct FaultArgs {
    /// The fault
    #[arg(value_name = "FAULT")]
    fault: Option<String>,
    /// At whom: members, or a HAProxy; the leader if none is named
    #[arg(value_name = "MEMBER")]
    targets: Vec<String>,
    /// A second member beside the first
    #[arg(long)]
    two: bool,
    /// Megabytes of WAL, where a fault writes some
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    mb: Option<u32>,
    /// Milliseconds of delay, where a fault is one
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    ms: u32,
    /// Packets lost of a hundred, where a fault loses some
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    percent: u32,
}

/// Runs `pgbaton lab`. The console is passed in, so that the lab knows nothing of it.
///
/// # Errors
/// A sentence for the person at the terminal.
pub fn run(args: LabArgs, open_console: &dyn Fn(&Path) -> Result<ExitCode>) -> Result<ExitCode> {
    let place = Place::new(args.place.state_dir.as_deref(), &args.place.name)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the async runtime")?;
    let yes = args.place.yes;
    match args.command {
        None => practise(&runtime, &place, args.shape.options()?, yes, open_console),
        Some(LabCommand::Up { shape }) => {
            let lab = runtime.block_on(bring_up(&place, shape.options()?, yes))?;
            say(&format!("{}\n", up::summary(&place, &lab)))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(LabCommand::Down { purge }) => runtime.block_on(take_down(&place, purge)),
        Some(LabCommand::Status { json }) => {
            let lab = open(&place)?;
            let status = runtime.block_on(status::look(&lab))?;
            say(&if json { serde_json::to_string_pretty(&status)? + "\n" } else { status.text() })?;
            Ok(if status.healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some(LabCommand::Env) => {
            say(&conf::client::exports(&open(&place)?, &std::env::var("PATH").unwrap_or_default()))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(LabCommand::Fault(args)) => runtime.block_on(throw(&place, args)),
        Some(LabCommand::Heal { no_wait }) => runtime.block_on(heal(&place, no_wait)),
        Some(LabCommand::List { json }) => list(&place, json),
        Some(LabCommand::Ledger { json }) => {
            let verdict = runtime.block_on(ledger::verdict::judge(&open(&place)?))?;
            say(&if json { serde_json::to_string_pretty(&verdict)? + "\n" } else { verdict.text() })?;
            Ok(if verdict.lost.is_empty() && verdict.doubled.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some(LabCommand::Airflow { words }) => {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            say(&airflow::run(&open(&place)?, &words)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(LabCommand::RunLedger { dir }) => {
            runtime.block_on(ledger::client::run(&dir))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(LabCommand::RunSlow { ms, ready }) => {
            runtime.block_on(slow::run(Duration::from_millis(ms), &ready))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(LabCommand::RunHung { at }) => {
            hung::serve(hung::mount(&at)?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints to standard output; a reader that has gone (`| head`) is no mistake.
fn say(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e).context("cannot write to standard output"),
        _ => Ok(()),
    }
}

fn open(place: &Place) -> Result<Lab> {
    Lab::open(&place.dir()).with_context(|| format!("the lab `{}` is not there; `{}` starts it", place.name, place.command("up")))
}

async fn bring_up(place: &Place, options: Options, yes: bool) -> Result<Lab> {
    let mut steps = Steps::default();
    if let Some(note) = install::apt::repair()? {
        tell(&note);
    }
    let work = async {
        let tools = install::ensure(place, &options, yes, &mut steps).await?;
        // Debian's package makes the account, so it is looked up after the installation.
        let account = Account::choose()?;
        place.prepare(&account)?;
        let lab = up::up(place, &options, tools, &account, &mut steps).await?;
        tell(&format!("healthy after {:.1} s", steps.total().as_secs_f32()));
        Ok(lab)
    };
    tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => {
            anyhow::bail!("stopped half way; `{}` clears what was started", place.command("down"))
        }
    }
}

async fn take_down(place: &Place, purge: bool) -> Result<ExitCode> {
    if let Some(note) = install::apt::repair()? {
        tell(&note);
    }
    match down::down(place).await? {
        down::Outcome::NotThere => say(&format!("there is no lab `{}`\n", place.name))?,
        down::Outcome::Gone(n) => say(&format!("the lab `{}` is gone: {n} processes ended, its folder removed\n", place.name))?,
    }
    if purge {
        for dir in venv::purge(place)? {
            say(&format!("removed {}\n", dir.display()))?;
        }
        let _ = std::fs::remove_dir(&place.base);
    }
    Ok(ExitCode::SUCCESS)
}

async fn throw(place: &Place, args: FaultArgs) -> Result<ExitCode> {
    let Some(name) = args.fault else {
        say(&fault::list())?;
        return Ok(ExitCode::SUCCESS);
    };
    let fault = fault::find(&name)?;
    let scene = Scene::new(open(place)?)?;
    let _lock = DirLock::take(&scene.lab.dir, BUSY).await?;
    let thrown = fault::throw(&scene, fault, &args.targets, args.two, Amount { mb: args.mb, ms: args.ms, percent: args.percent }).await?;
    say(&format!("{}\n", thrown.done))?;
    Ok(ExitCode::SUCCESS)
}

async fn heal(place: &Place, no_wait: bool) -> Result<ExitCode> {
    let scene = Scene::new(open(place)?)?;
    let _lock = DirLock::take(&scene.lab.dir, BUSY).await?;
    let mut steps = Steps::default();
    // As one that was open all the time: what it asked in vain it asks again only when its turn comes.
    let connect = ConnectArgs { config: Some(scene.lab.pgbaton_toml()), ..ConnectArgs::default() };
    let mut console = match no_wait {
        true => None,
        false => Some(connect.profile(None).await.map(|profile| start(profile, Clock::start()))),
    };
    if let Some(Ok(console)) = &mut console {
        console.settle(FIRST).await;
    }
    let result = fault::heal::heal(&scene, &mut steps).await;
    if result.is_err() {
        steps.failed("not reached");
    }
    result?;
    let still = match &mut console {
        None => None,
        Some(Ok(console)) => {
            let still = seen_by(console, &mut steps).await;
            fault::heal::again(&scene, &mut steps).await?;
            still
        }
        Some(Err(why)) => Some(format!("nothing, as it cannot be opened: {why:#}")),
    };
    tell(&match still {
        None => format!("healthy after {:.1} s", steps.total().as_secs_f32()),
        Some(still) => format!("healed after {:.1} s; a console still says: {still}", steps.total().as_secs_f32()),
    });
    Ok(ExitCode::SUCCESS)
}

/// For how long it is waited that a console finds nothing more. What it says then is not what a fault was: a disk of this machine may be full.
const CONSOLE_WITHIN: Duration = Duration::from_secs(30);
/// How long the first picture may take to become whole.
const FIRST: Duration = Duration::from_secs(3);
/// A source that is old after so many milliseconds is asked every second or two.
const OFTEN: u64 = 10_000;
/// How often the picture is looked at, if nothing is pushed.
const LOOK: Duration = Duration::from_millis(250);

/// Waits until a console that was open all the time calls the lab healthy too: every source fresh, nothing found. What it still says after a while is
/// returned.
async fn seen_by(live: &mut Live, steps: &mut Steps) -> Option<String> {
    steps.begin("what a console sees");
    let begun = Instant::now();
    loop {
        let Document { headline, sources, .. } = live.document();
        // What is asked often was asked since: what it said before the cure may still count as current.
        let since = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let asked = sources.iter().filter(|source| source.limit_ms <= OFTEN).all(|source| source.age_ms.is_some_and(|age| age < since));
        if headline.level == Level::Ok && asked {
            steps.done("every source answers, nothing is found");
            return None;
        }
        steps.note(&headline.verdict);
        if begun.elapsed() > CONSOLE_WITHIN {
            steps.failed(&headline.verdict);
            return Some(headline.verdict);
        }
        if tokio::time::timeout(LOOK, live.wait()).await.is_err() {
            live.pass();
        }
    }
}

fn list(place: &Place, json: bool) -> Result<ExitCode> {
    let mut all = Vec::new();
    for name in place.labs() {
        let dir = place.base.join(&name);
        match Record::load(&dir) {
            Ok(record) => all.push(serde_json::json!({
                "name": name, "phase": record.phase, "block": record.block, "dir": dir, "options": record.options,
            })),
            Err(e) => all.push(serde_json::json!({ "name": name, "phase": null, "dir": dir, "error": format!("{e:#}") })),
        }
        if !json {
            say(&format!("{name}\n"))?;
        }
    }
    if json {
        say(&format!("{}\n", serde_json::to_string_pretty(&all)?))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `pgbaton lab` alone: up, console, and a question at its end.
fn practise(
    runtime: &tokio::runtime::Runtime,
    place: &Place,
    options: Options,
    yes: bool,
    open_console: &dyn Fn(&Path) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let lab = runtime.block_on(bring_up(place, options, yes))?;
    let code = open_console(&lab.pgbaton_toml());
    let name = &place.name;
    let keep = install::ask(&format!("Leave the lab `{name}` running?")).unwrap_or(true);
    if keep {
        tell(&format!("the lab `{name}` runs on; `{}` ends it", place.command("down")));
    } else {
        runtime.block_on(take_down(place, false))?;
    }
    code
}
