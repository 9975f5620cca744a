//! Actions on the command line: the plan, the question, the steps, the outcome.

mod args;
mod ask;
mod drain;
mod pools;
mod proxy;
mod second;
mod settings;
mod sql;
mod told;
mod whole;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

pub(super) use ask::can_ask;
pub(super) use drain::{limit, until_quiet};
pub(super) use second::ASKED;
pub use settings::EditConfigArgs;
pub(super) use settings::edited;
pub(super) use told::left_open;
pub use whole::{DemoteClusterArgs, PromoteClusterArgs, RemoveArgs};

pub use sql::{DropSlotArgs, OneMemberArgs, TerminateArgs};

pub use args::{FailoverArgs, FlushArgs, MembersArgs, ModeArgs, PauseArgs, ReinitArgs, RestartArgs, SwitchoverArgs};
pub(super) use args::{Operations, chosen};
pub use pools::{FreezeArgs, ThawArgs};
pub use proxy::ProxyArgs;
pub use second::{ApproveArgs, RunArgs};

use self::drain::DrainArgs;
use super::connect::{ConnectArgs, runtime};
use super::mode;
use super::situation::with_situation;
use crate::action::{Answer, Confirmed, Desk, Execution, Operation, Outcome, Plan, Situation};
use crate::cli::start::start;
use crate::config::Profile;
use crate::live::Live;
use crate::model::washed;
use crate::permit::ReadOnly;
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
    /// Pass over a red check, by its name, where who is asked would do it all the same; once for each
    #[arg(long = "override", value_name = "CHECK")]
    overridden: Vec<String>,
    /// The plan and the outcome as JSON lines
    #[arg(long)]
    json: bool,
    /// Whether the plan is not to be shown.
    #[arg(skip)]
    quiet: bool,
    /// How long a moment is waited for in which nothing of Airflow's would suffer.
    #[arg(skip)]
    wait_quiet: Option<Duration>,
}

impl HowArgs {
    /// The same, waiting for a quiet moment first.
    fn waiting(self, drain: &DrainArgs) -> Self {
        Self { wait_quiet: drain.wait_quiet, ..self }
    }

    /// Whether somebody is asked before it is done.
    fn asks(&self) -> bool {
        !self.yes && !self.dry_run
    }
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
    run_with(connect, cluster, how, async |live: &mut Live, _: &Profile| with_situation(live, |s| choose(s)))
}

/// The same, where choosing takes its time, or depends on the configuration too.
fn run_with(
    connect: &ConnectArgs,
    cluster: Option<&str>,
    how: &HowArgs,
    choose: impl AsyncFnOnce(&mut Live, &Profile) -> anyhow::Result<Vec<Box<dyn Operation>>>,
) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let profile = connect.profile(cluster).await?;
        let (desk, clock) = match how.dry_run {
            // Looking needs no permit.
            true => (None, Clock::start()),
            false => match Means::of(connect, &profile)? {
                Ok(Means { desk, clock }) => (Some(desk), clock),
                Err(read_only) => return Ok(refuse(how, None, &format!("read-only: {read_only}"))),
            },
        };
        if how.wait_quiet.is_some() && profile.airflow.is_none() {
            return Ok(refuse(how, None, "no Airflow is configured: whether the moment is quiet nobody looks at"));
        }
        let mut live = start(profile.clone(), clock);
        live.settle(FIRST).await;
        let operations = match choose(&mut live, &profile).await {
            Ok(operations) => operations,
            Err(why) => return Ok(refuse(how, None, &why.to_string())),
        };
        let mut ended = ExitCode::SUCCESS;
        for operation in operations {
            let code = one(&mut live, desk.as_ref(), how, operation).await?;
            if code == ExitCode::from(second::ASKED) {
                // Each of them waits by itself.
                ended = code;
            } else if code != ExitCode::SUCCESS {
                return Ok(code);
            }
        }
        Ok(ended)
    })
}

/// With what something is done.
struct Means {
    desk: Desk,
    clock: Clock,
}

impl Means {
    /// A desk, if there is a permit; what was left open before is told.
    fn of(connect: &ConnectArgs, profile: &Profile) -> anyhow::Result<Result<Self, ReadOnly>> {
        let clock = Clock::start();
        let desk = match mode::decide(profile, connect.read_only) {
            Err(read_only) => return Ok(Err(read_only)),
            Ok((permit, audit)) => Desk::open(permit, &audit, profile, clock)?,
        };
        for entry in desk.left_open()? {
            tell(&format!("note: {}", told::left_open(&entry)));
        }
        Ok(Ok(Self { desk, clock }))
    }
}

async fn one(live: &mut Live, desk: Option<&Desk>, how: &HowArgs, operation: Box<dyn Operation>) -> anyhow::Result<ExitCode> {
    let mut plan = with_situation(live, |s| Plan::of(operation, s));
    if let Some(limit) = how.wait_quiet.filter(|_| !how.dry_run && plan.minds_airflow()) {
        let waited = drain::until_quiet(live, limit, |seconds, why| print(&drain::line(how.json, seconds, why))).await?;
        if let Err(why) = waited {
            return Ok(refuse(how, Some(plan.name), &why));
        }
        // On the facts as they are now.
        plan = with_situation(live, |s| Plan::of(plan.into_operation(), s));
    }
    if !how.quiet {
        print(&if how.json { told::plan_json(&plan)? } else { told::plan(&plan) });
    }
    let name = plan.name;
    let red = insists(desk, how, &plan);
    if let (Err(why), true) = (plan.ready(&how.overridden), red.is_empty()) {
        let refused = refuse(how, Some(name), &why.to_string());
        let hint = match plan.overridable().as_slice() {
            [] => return Ok(refused),
            ids => ids.iter().map(|id| format!("--override {id}")).collect::<Vec<_>>().join(" "),
        };
        tell(&format!("hint: it would be done all the same; to insist: {hint}"));
        return Ok(refused);
    }
    let Some(desk) = desk else { return Ok(ExitCode::SUCCESS) };
    if desk.alone(&plan).is_err() {
        return Ok(second::wait(live, desk, how, &plan));
    }
    let confirmed = match confirm(live, how, plan, red).await? {
        Ok(confirmed) => confirmed,
        Err(why) => return Ok(refuse(how, Some(name), &why)),
    };
    match with_situation(live, |s| desk.execute(&confirmed, s)) {
        Ok(execution) => follow(live, execution, how.json).await.map(|outcome| ExitCode::from(outcome.code())),
        Err(why) => Ok(refuse(how, Some(name), &why.to_string())),
    }
}

/// The red checks that are left and that somebody at a terminal may pass over, as in the console; none where one is left that nobody may.
fn insists(desk: Option<&Desk>, how: &HowArgs, plan: &Plan) -> Vec<String> {
    let all: Vec<String> = plan.overridable().into_iter().map(str::to_owned).collect();
    let asked = how.asks() && ask::can_ask() && desk.is_some_and(|desk| desk.alone(plan).is_ok());
    if asked && plan.ready(&how.overridden).is_err() && plan.ready(&all).is_ok() { all } else { Vec::new() }
}

/// Says that nothing was asked for, and why.
fn refuse(how: &HowArgs, operation: Option<&str>, why: &str) -> ExitCode {
    tell(&format!("REFUSED: {why}"));
    if how.json {
        print(&told::refused_json(operation, why));
    }
    ExitCode::from(Outcome::Refused.code())
}

/// Asks, if that is to be done; the picture lives on meanwhile. `red`: the checks that the answer has to pass over.
async fn confirm(live: &mut Live, how: &HowArgs, plan: Plan, red: Vec<String>) -> anyhow::Result<Result<Confirmed, String>> {
    if how.yes {
        return Ok(plan.confirm(Answer::Yes, &how.overridden).map_err(|why| why.to_string()));
    }
    if !ask::can_ask() {
        return Ok(Err("nobody can be asked here; --yes answers".to_owned()));
    }
    // Before the question is there: whoever sees it may press Ctrl-C at once. Once somebody has listened for it, it no longer ends the process
    // by itself.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut answer = ask::ask(&plan, &red)?;
    let typed = loop {
        tokio::select! {
            typed = &mut answer => match typed? {
                typed if typed == ask::HELP => {
                    ask::help(&plan, &red).lines().for_each(tell);
                    answer = ask::ask(&plan, &red)?;
                }
                typed => break typed,
            },
            _ = interrupt.recv() => return Ok(Err("it was not confirmed".to_owned())),
            _ = live.wait() => {}
        }
    };
    let overridden = if red.is_empty() { &how.overridden } else { &red };
    Ok(plan.confirm(Answer::Typed(ask::insisted(&typed, &red)), overridden).map_err(|why| why.to_string()))
}

/// Watches until there is nothing more to see, or somebody wants it to end. The order itself is not taken back by that.
async fn follow(live: &mut Live, mut execution: Execution, json: bool) -> anyhow::Result<Outcome> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut steps = told::Steps::default();
    let mut noted = 0;
    loop {
        execution.look(live.cluster());
        if !json {
            print(&steps.news(execution.course(), live.now(), || behind(live, &execution)));
            for note in &execution.notes()[noted..] {
                print(&format!("           {note}\n"));
            }
            noted = execution.notes().len();
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
        None if execution.course().preparing() => {
            (Outcome::Unknown, "interrupted while making ready; the order may not have gone out".to_owned())
        }
        None => (Outcome::Unknown, "interrupted before it was known; what was asked for is not taken back".to_owned()),
    };
    print(&if json {
        told::outcome_json(&execution, outcome, &sentence)?
    } else {
        format!("{outcome}: {sentence}{}\n", behind(live, &execution))
    });
    if let Some(told) = execution.away().filter(|_| !json) {
        print(&format!("{told}\n"));
    }
    if let Some(why) = execution.unwritten() {
        tell(&format!("note: the end was not written down: {why}"));
    }
    Ok(outcome)
}

/// That clients have not followed to whom the leadership was moved, where that is so: DONE is what Patroni and SQL say, and no more.
fn behind(live: &mut Live, execution: &Execution) -> String {
    let routed = execution.course().moved_to().map(|to| live.document().routed_to(to));
    routed.and_then(|routed| Some(format!("; {}: {}", routed.behind()?, routed.told))).unwrap_or_default()
}

/// Prints, and goes on without a reader: an action is not ended by a closed pipe or a lost terminal.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The same for whoever sits there, one line: what is told may quote what another has written.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", washed(line));
}
