//! `pgbaton runbook abort`: a run that nobody goes on with.

use std::process::ExitCode;

use anyhow::{Context, bail};

use super::library;
use super::prompt::ask;
use super::record::Record;
use crate::model::clean;
use crate::runbook::{Deed, Next};
use crate::source::Clock;

/// `pgbaton runbook abort`.
#[derive(Debug, clap::Args)]
pub(super) struct AbortArgs {
    /// The run's id; `pgbaton runbook history` lists them
    run: String,
    /// Why; asked for if it is not said
    #[arg(long)]
    reason: Option<String>,
}

/// Ends a run, with the reason, as the key in the console does. Nothing that was done is taken back.
pub(super) fn abort(args: &AbortArgs) -> anyhow::Result<ExitCode> {
    let mut record = Record::read(&args.run)?;
    record.lock()?;
    let run = record.run();
    // Its step is told as far as the text that was run is still there.
    let runbook = library::find(&run.runbook).ok().filter(|runbook| runbook.digest() == run.digest);
    match run.standing(runbook.as_ref()) {
        standing @ ("aborted" | "finished") => bail!("run {} is {standing} already", run.id),
        "unknown" => println!("note: what became of its last action is not known; look before anything else is done"),
        _ => {}
    }
    let step = runbook.as_ref().and_then(|runbook| match run.next(runbook) {
        Next::Step(step, each) => Some((step.id.clone(), each)),
        Next::Finished | Next::Aborted => None,
    });
    let reason = match &args.reason {
        Some(reason) => reason.clone(),
        None => ask("Why is the run ended?", "the reason is written down; Ctrl-C leaves the run as it is")?
            .context("nobody can be asked here; say --reason")?,
    };
    let reason = clean(reason.trim());
    if reason.is_empty() {
        bail!("a run is ended with a reason");
    }
    let (step, each) = step.map_or((None, None), |(step, each)| (Some(step), each));
    record.add(step.as_deref(), each.as_deref(), Deed::Aborted { reason }, Clock::start().now())?;
    println!("run {} was aborted; what was done in it stays done", record.run().id);
    Ok(ExitCode::SUCCESS)
}
