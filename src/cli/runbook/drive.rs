//! From the first step that is not behind us to the last.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::signal::unix::{SignalKind, signal};

use super::help;
use super::paper::{columns, lines};
use super::prompt::ask;
use super::record::Record;
use crate::action::Outcome;
use crate::cli::connect::{ConnectArgs, runtime};
use crate::model::{Time, clean};
use crate::runbook::{Deed, Kind, Next, Run, Runbook, Step, Taken, leader, walked};
use crate::source::Clock;

/// Who goes on with a run.
pub(super) struct Drive<'r> {
    /// Whether somebody has pressed Ctrl-C since it was last looked at.
    interrupted: Arc<AtomicBool>,
    pub(super) runbook: &'r Runbook,
    pub(super) connect: ConnectArgs,
    pub(super) yes: bool,
    clock: Clock,
}

/// What the operator wants after a step that did not come to be.
enum Want {
    Again,
    Skip(String),
    Settled,
    Stop,
    Abort(String),
}

impl<'r> Drive<'r> {
    pub(super) fn new(runbook: &'r Runbook, connect: ConnectArgs, yes: bool) -> Self {
        Self { interrupted: listen(), runbook, connect, yes, clock: Clock::start() }
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    /// Takes one step after the other, each written down, until all are behind us or somebody stops.
    pub(super) fn go(&self, record: &mut Record) -> anyhow::Result<ExitCode> {
        let mut title = String::new();
        loop {
            let run = record.run();
            let (step, each) = match run.next(self.runbook) {
                Next::Step(step, each) => (step, each),
                Next::Finished => {
                    println!("\nrun {}: all {} steps are behind us", run.id, run.course(self.runbook).len());
                    run.measured().for_each(|told| println!("  {}", clean(told)));
                    return Ok(ExitCode::SUCCESS);
                }
                Next::Aborted => return Ok(ExitCode::FAILURE),
            };
            self.head(run, step, each.as_deref(), &mut title);
            if self.interrupted.swap(false, Relaxed) {
                return Ok(stopped(run));
            }
            let unfinished = run.last(&step.id, each.as_deref()).is_some_and(|entry| entry.deed == Deed::Begun);
            let taken = if unfinished {
                Taken::Unknown("it was begun before, and what became of it is not known".to_owned())
            } else {
                let document = self.document()?;
                let values = run.values(self.runbook, step, each.as_deref(), leader(&document));
                if self.interrupted.swap(false, Relaxed) {
                    return Ok(stopped(run));
                }
                if matches!(step.kind, Kind::Action(_)) {
                    record.add(Some(&step.id), each.as_deref(), Deed::Begun, self.now())?;
                }
                let (taken, measured) = self.take(step, &values, &document)?;
                if let Some(told) = measured {
                    record.add(Some(&step.id), each.as_deref(), Deed::Measured { told }, self.now())?;
                }
                taken
            };
            if !self.written(record, step, each.as_deref(), taken)? {
                return Ok(stopped(record.run()));
            }
        }
    }

    fn head(&self, run: &Run, step: &Step, each: Option<&str>, title: &mut String) {
        let course = run.course(self.runbook);
        let at = course.iter().position(|(other, of)| other.id == step.id && of.as_deref() == each).unwrap_or_default() + 1;
        let whose = each.map(|each| format!(", {each}")).unwrap_or_default();
        println!("\n[{at}/{}] {}{whose}: {}", course.len(), clean(&step.title), step.id);
        tell(step, title);
    }

    fn walked_to(&self, step: &Step, title: &mut String) {
        let at = self.runbook.steps.iter().position(|other| other.id == step.id).unwrap_or_default() + 1;
        println!("\n[{at}/{}] {}: {}", self.runbook.steps.len(), clean(&step.title), step.id);
        tell(step, title);
    }

    /// Writes down what became of a step; whether the run goes on.
    fn written(&self, record: &mut Record, step: &Step, each: Option<&str>, taken: Taken) -> anyhow::Result<bool> {
        let add = |record: &mut Record, deed: Deed| record.add(Some(&step.id), each, deed, self.now());
        if taken == Taken::Interrupted {
            self.interrupted.store(false, Relaxed);
        }
        let deed = record.settle(step, &taken);
        let (why, unknown) = match (&taken, &deed) {
            (_, Some(Deed::Failed { reason })) => (reason.clone(), false),
            (Taken::Unknown(reason), _) => (reason.clone(), true),
            (_, Some(deed)) => {
                match (&taken, deed) {
                    (Taken::Answered(..), _) => {}
                    (_, Deed::Done { told }) => println!("  ok  {}", clean(told)),
                    (_, Deed::Skipped { reason }) => println!("  --  passed over: {}", clean(reason)),
                    _ => {}
                }
                add(record, deed.clone())?;
                return Ok(true);
            }
            (_, None) => return Ok(true),
        };
        println!("  {}  {}", if unknown { Outcome::Unknown } else { Outcome::Failed }, clean(&why));
        // Without a word on its end, an action stays one of which nobody knows.
        if !unknown {
            add(record, Deed::Failed { reason: why.clone() })?;
        }
        if self.interrupted.swap(false, Relaxed) {
            return Ok(false);
        }
        loop {
            match self.want(unknown)? {
                Want::Again => {
                    if unknown {
                        add(record, Deed::Failed { reason: format!("{why}; it is tried again") })?;
                    }
                    return Ok(true);
                }
                Want::Settled => add(record, Deed::Done { told: "it was done, by the operator's word".to_owned() })?,
                Want::Skip(reason) if reason.is_empty() => {
                    println!("  a step is passed over with a reason");
                    continue;
                }
                Want::Skip(reason) => {
                    let deed = record.pass_over(step, &reason);
                    add(record, deed)?;
                }
                Want::Stop => return Ok(false),
                Want::Abort(reason) => add(record, Deed::Aborted { reason })?,
            }
            return Ok(!record.run().aborted());
        }
    }

    /// Asks what is to be done now. An action whose end is not known is not begun anew without a word. Where nobody can be asked, the run stops.
    fn want(&self, unknown: bool) -> anyhow::Result<Want> {
        let settled = if unknown { "d it was done, " } else { "" };
        loop {
            let question = format!("{settled}r again, s REASON pass over, q stop here, x REASON abort the run:");
            let Some(answer) = ask(&question, &help::failed(unknown))? else { return Ok(Want::Stop) };
            let (word, rest) = answer.split_once(' ').map_or((answer.as_str(), ""), |(word, rest)| (word, rest.trim()));
            return Ok(match word {
                "r" => Want::Again,
                "d" if unknown => Want::Settled,
                "s" => Want::Skip(rest.to_owned()),
                "q" => Want::Stop,
                "x" => Want::Abort(rest.to_owned()),
                _ => continue,
            });
        }
    }

    /// Walks through it with the facts as they are.
    pub(super) fn walk(&self, run: &Run) -> anyhow::Result<ExitCode> {
        let document = self.document()?;
        let mut title = String::new();
        for step in &self.runbook.steps {
            self.walked_to(step, &mut title);
            let values = run.values(self.runbook, step, None, leader(&document));
            println!("  {}", clean(&walked(step, &values, &document)));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The prose before a step, once.
fn tell(step: &Step, told: &mut String) {
    let prose = format!("{}\n{}", step.title, step.prose);
    if *told != prose {
        let columns = columns().map(|columns| columns.saturating_sub(2));
        lines(&step.prose, columns).iter().for_each(|line| println!("  {line}"));
        *told = prose;
    }
}

/// Says that a run was left, and how it goes on.
fn stopped(run: &Run) -> ExitCode {
    if run.aborted() {
        println!("\nrun {} was aborted", run.id);
        return ExitCode::FAILURE;
    }
    println!("\nrun {} stopped; `pgbaton runbook resume {}` goes on", run.id, run.id);
    ExitCode::FAILURE
}

/// Listens for Ctrl-C from now on: a run is left between two steps, not in one.
fn listen() -> Arc<AtomicBool> {
    let pressed = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&pressed);
    std::thread::spawn(move || {
        let listened = runtime().and_then(|runtime| {
            runtime.block_on(async {
                let mut interrupt = signal(SignalKind::interrupt())?;
                while interrupt.recv().await.is_some() {
                    told.store(true, Relaxed);
                }
                anyhow::Ok(())
            })
        });
        // Without it Ctrl-C ends the process at once; the run can be taken up all the same.
        drop(listened);
    });
    pressed
}
