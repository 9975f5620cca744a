//! Actions on the command line: the plan, the question, the steps, the outcome.

mod args;
mod ask;
mod settings;
mod sql;
mod told;
mod whole;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

pub use settings::EditConfigArgs;
pub(super) use told::left_open;
pub use whole::{DemoteClusterArgs, PromoteClusterArgs, RemoveArgs};

pub use sql::{DropSlotArgs, OneMemberArgs, TerminateArgs};

pub(super) use args::chosen;
pub use args::{FailoverArgs, FlushArgs, MembersArgs, PauseArgs, ReinitArgs, RestartArgs, SwitchoverArgs};

use super::connect::{ConnectArgs, runtime};
use super::mode;
use super::situation::with_situation;
use crate::action::{Answer, Confirmed, Desk, Execution, Operation, Outcome, Plan, Situation};
use crate::live::Live;
use crate::source::Clock;

/// How an action is given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct HowArgs {
    /// Print the plan and end: what would be asked, with every check
    #[arg(long)]
    dry_run: bool,
    /// Answer the question with yes; amber checks are accepted, red ones never
    #[arg(long, short, visible_alias = "force")]
    yes: bool,
    /// Pass over a red check, by its name, where Patroni itself would; asked for each
    #[arg(long = "override", value_name = "CHECK")]
    overridden: Vec<String>,
    /// The plan and the outcome as JSON lines
    #[arg(long)]
    json: bool,
    /// Whether the plan is not to be shown.
    #[arg(skip)]
    quiet: bool,
}

/// How long the first picture may take to become whole.
const FIRST: Duration = Duration::from_secs(3);
/// How often an action under way is looked at, if nothing is pushed.
const LOOK: Duration = Duration::from_millis(100);

/// Does one thing after the other, as long as each is done. `choose` makes the operations from the cluster as it is.
pub(super) fn run(
    connect: &ConnectArgs,
    cluster: Option<&str>,
    how: &HowArgs,
    choose: impl FnOnce(&Situation<'_>) -> anyhow::Result<Vec<Box<dyn Operation>>>,
) -> anyhow::Result<ExitCode> {
    run_with(connect, cluster, how, async |live: &mut Live| with_situation(live, |s| choose(s)))
}

/// The same, where choosing takes its time.
fn run_with(
    connect: &ConnectArgs,
    cluster: Option<&str>,
    how: &HowArgs,
    choose: impl AsyncFnOnce(&mut Live) -> anyhow::Result<Vec<Box<dyn Operation>>>,
) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let profile = connect.profile(cluster).await?;
        let clock = Clock::start();
        let decided = mode::decide(&profile, connect.read_only);
        let desk = match (decided, how.dry_run) {
            // Looking needs no permit.
            (_, true) => None,
            (Err(read_only), false) => {
                eprintln!("REFUSED: read-only: {read_only}");
                return Ok(ExitCode::from(Outcome::Refused.code()));
            }
            (Ok((permit, audit)), false) => Some(Desk::open(permit, &audit, &profile, clock)?),
        };
        if let Some(desk) = &desk {
            for entry in desk.left_open()? {
                eprintln!("note: {}", told::left_open(&entry));
            }
        }
        let mut live = Live::start(profile, clock);
        live.settle(FIRST).await;
        let operations = choose(&mut live).await?;
        for operation in operations {
            let code = one(&mut live, desk.as_ref(), how, operation).await?;
            if code != Outcome::Done {
                return Ok(ExitCode::from(code.code()));
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn one(live: &mut Live, desk: Option<&Desk>, how: &HowArgs, operation: Box<dyn Operation>) -> anyhow::Result<Outcome> {
    let plan = with_situation(live, |s| Plan::of(operation, s));
    if !how.quiet {
        print(&if how.json { told::plan_json(&plan)? } else { told::plan(&plan) })?;
    }
    let red = plan.ready(&how.overridden);
    if let Err(why) = &red {
        let hint = match plan.overridable().as_slice() {
            [] => String::new(),
            ids => format!(
                "\nhint: Patroni would do it; to insist: {}",
                ids.iter().map(|id| format!("--override {id}")).collect::<Vec<_>>().join(" ")
            ),
        };
        eprintln!("REFUSED: {why}{hint}");
    }
    let Some(desk) = desk else {
        return Ok(if red.is_err() { Outcome::Refused } else { Outcome::Done });
    };
    if red.is_err() {
        return Ok(Outcome::Refused);
    }
    let Some(confirmed) = confirm(live, how, plan).await? else { return Ok(Outcome::Refused) };
    let execution = match with_situation(live, |s| desk.execute(&confirmed, s)) {
        Ok(execution) => execution,
        Err(why) => {
            eprintln!("REFUSED: {why}");
            return Ok(Outcome::Refused);
        }
    };
    follow(live, execution, how.json).await
}

/// Asks, if that is to be done; the picture lives on meanwhile.
async fn confirm(live: &mut Live, how: &HowArgs, plan: Plan) -> anyhow::Result<Option<Confirmed>> {
    if how.yes {
        return Ok(Some(plan.confirm(Answer::Yes, &how.overridden)?));
    }
    if !ask::can_ask() {
        eprintln!("REFUSED: nobody can be asked here; --yes answers");
        return Ok(None);
    }
    let mut answer = ask::ask(&plan)?;
    // Once somebody has listened for it, it no longer ends the process by itself.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let typed = loop {
        tokio::select! {
            typed = &mut answer => break typed?,
            _ = interrupt.recv() => {
                eprintln!("\nREFUSED: it was not confirmed");
                return Ok(None);
            }
            _ = live.wait() => {}
        }
    };
    match plan.confirm(Answer::Typed(&typed), &how.overridden) {
        Ok(confirmed) => Ok(Some(confirmed)),
        Err(why) => {
            eprintln!("REFUSED: {why}");
            Ok(None)
        }
    }
}

/// Watches until there is nothing more to see, or somebody wants it to end. The order itself is not taken back by that.
async fn follow(live: &mut Live, mut execution: Execution, json: bool) -> anyhow::Result<Outcome> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut steps = told::Steps::default();
    loop {
        execution.look(live.cluster());
        if !json {
            print(&steps.news(execution.course()))?;
        }
        if execution.course().over() {
            break;
        }
        let stop = tokio::select! {
            _ = interrupt.recv() => true,
            _ = terminate.recv() => true,
            _ = hang_up.recv() => true,
            waited = tokio::time::timeout(LOOK, live.wait()) => {
                if waited.is_err() {
                    live.pass();
                }
                false
            }
        };
        if stop {
            break;
        }
    }
    let (outcome, sentence) = match execution.course().outcome() {
        Some((outcome, sentence)) => (outcome, sentence.to_owned()),
        None => (Outcome::Unknown, "interrupted; what was asked for goes on".to_owned()),
    };
    print(&if json { told::outcome_json(&execution, outcome, &sentence)? } else { format!("{outcome}: {sentence}\n") })?;
    if let Some(why) = execution.unwritten() {
        eprintln!("note: the end was not written down: {why}");
    }
    Ok(outcome)
}

/// Prints, and goes on without a reader: an action is not ended by a closed pipe.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
