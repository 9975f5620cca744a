//! `pgbaton runbook`: maintenance step by step, each written down when it is done.

mod abort;
mod drive;
mod help;
mod holder;
pub(super) mod library;
mod paper;
mod prompt;
pub(super) mod record;
mod take;
mod told;

use std::collections::btree_map::Entry;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::act::can_ask;
use super::connect::{ClusterArg, ConnectArgs, runtime};
use super::mode;
use crate::config::Profile;
use crate::document::Document;
use crate::model::{Time, clean};
use crate::permit::Operator;
use crate::runbook::{Deed, Kind, Place, Run, Runbook, Values, facts, is_meant};
use crate::source::Clock;
use prompt::ask;
use record::Record;
use take::asked;

/// `pgbaton runbook`.
#[derive(Debug, clap::Args)]
pub struct RunbookArgs {
    #[command(subcommand)]
    command: RunbookCommand,
}

#[derive(Debug, clap::Subcommand)]
enum RunbookCommand {
    /// What there is: those that come with pgbaton, and your own in ~/.config/pgbaton/runbooks
    List,
    /// Print one
    Show {
        /// Its name, or a file
        runbook: String,
    },
    /// Read files and tell every mistake in them, as path:line:col
    Check {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
    },
    /// Take its steps one after the other
    Run(RunArgs),
    /// Go on with a run that was left, after a look at whether the facts still hold
    Resume(ResumeArgs),
    /// End a run that nobody goes on with, with a reason; nothing that was done is taken back
    Abort(abort::AbortArgs),
    /// The runs there were, or what was done in one
    History {
        /// A run's id
        run: Option<String>,
    },
}

/// `pgbaton runbook run`.
#[derive(Debug, clap::Args)]
struct RunArgs {
    /// Its name, or a file
    runbook: String,
    #[command(flatten)]
    cluster: ClusterArg,
    /// Something it asks for before it begins; once for each
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// The finding that is answered: its code, or its code and whom it is about, as `stuck psg2`; it tells what the run asks for [default: those
    /// that there are, where they tell the same]
    #[arg(long, value_name = "FINDING")]
    finding: Option<String>,
    /// Walk through it with the facts as they are now; nothing is done, nothing is written down
    #[arg(long)]
    dry_run: bool,
    /// Answer the question before each action with yes; nothing else is answered by that
    #[arg(long, short)]
    yes: bool,
}

/// `pgbaton runbook resume`.
#[derive(Debug, clap::Args)]
struct ResumeArgs {
    /// The run's id [default: the newest that is open]
    run: Option<String>,
    /// Answer the question before each action with yes; nothing else is answered by that
    #[arg(long, short)]
    yes: bool,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if value.is_empty() { Err("the value is empty".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

/// Does it. Exit codes of a run: 0 all steps are behind us, 1 it stopped on the way, 3 it must not begin.
pub fn run(connect: &ConnectArgs, args: &RunbookArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        RunbookCommand::List => library::list(),
        RunbookCommand::Show { runbook } => library::show(runbook),
        RunbookCommand::Check { files } => library::check(files),
        RunbookCommand::Run(args) => begin(connect, args),
        RunbookCommand::Resume(args) => resume(connect, args),
        RunbookCommand::Abort(args) => abort::abort(args),
        RunbookCommand::History { run: None } => told::runs(&Record::all()?),
        RunbookCommand::History { run: Some(id) } => told::entries(&Record::read(id)?),
    }
}

fn begin(connect: &ConnectArgs, args: &RunArgs) -> anyhow::Result<ExitCode> {
    let runbook = library::find(&args.runbook)?;
    let profile = runtime()?.block_on(connect.profile(args.cluster.name.as_deref()))?;
    let clock = Clock::start();
    let begun = clock.now();
    let connect = ConnectArgs { cluster: Some(profile.name.clone()), ..connect.clone() };
    let drive = drive::Drive::new(&runbook, connect, args.yes);
    let document = drive.document()?;
    let told = facts(&runbook, &document, args.finding.as_deref());
    if let Some(finding) = &args.finding
        && !document.findings.iter().any(|found| is_meant(found, finding))
    {
        bail!("there is no finding {:?} now; `pgbaton status` lists them", clean(finding));
    }
    let values = inputs(&runbook, &args.set, told, &document)?;
    let run = new(&args.runbook, &runbook, &profile, &document, values, begun);
    let acts = runbook.steps.iter().any(|step| matches!(step.kind, Kind::Action(_)));
    if let (true, Err(why)) = (acts && !args.dry_run, mode::decide(&profile, drive.connect.read_only)) {
        eprintln!("REFUSED: it acts on the cluster, and this is a read-only session: {why}");
        return Ok(ExitCode::from(3));
    }
    if let Some(why) = run.unsuited(&runbook, &document) {
        eprintln!("REFUSED: {why}");
        return Ok(ExitCode::from(3));
    }
    if args.dry_run {
        return drive.walk(&run);
    }
    let title = &runbook.front.title;
    println!(
        "run {}: {title} on {}; `?` at a question explains it; Ctrl-C stops, `pgbaton runbook resume {}` goes on",
        run.id,
        clean(&run.cluster),
        run.id
    );
    drive.go(&mut Record::create(run)?)
}

/// A run that begins.
pub(super) fn new(name: &str, runbook: &Runbook, profile: &Profile, document: &Document, values: Values, begun: Time) -> Run {
    let place = place(profile, document);
    Run {
        id: format!("{}-{}", begun.as_micros() / 1_000_000, std::process::id()),
        runbook: name.to_owned(),
        digest: runbook.digest(),
        cluster: place.cluster,
        key: place.key,
        etcd: place.etcd,
        system: place.system,
        by: Operator::of_process().told(),
        begun,
        values,
        loops: std::collections::BTreeMap::new(),
        entries: Vec::new(),
    }
}

/// Whether a run can be gone on with here, and with this text.
pub(super) fn fits(run: &Run, runbook: &Runbook, profile: &Profile, document: &Document) -> anyhow::Result<()> {
    if runbook.digest() != run.digest {
        bail!("{} was changed since run {} was begun; begin a new one", run.runbook, run.id);
    }
    if run.aborted() {
        bail!("run {} was aborted", run.id);
    }
    if let Some(why) = run.misplaced(&place(profile, document)) {
        bail!("run {} is of another cluster: {}", run.id, clean(&why));
    }
    Ok(())
}

pub(super) fn place(profile: &Profile, document: &Document) -> Place {
    Place {
        cluster: profile.name.clone(),
        key: clean(&format!("{}{}", profile.namespace, profile.scope.as_deref().unwrap_or_default())),
        etcd: profile.etcd.endpoints.clone(),
        system: document.cluster.system_identifier.clone(),
    }
}

/// What has to be said before it begins, given or asked for.
fn inputs(runbook: &Runbook, given: &[(String, String)], told: Values, document: &Document) -> anyhow::Result<Values> {
    let mut values: Values = given.iter().cloned().collect();
    if let Some(unknown) = values.keys().find(|name| !runbook.front.inputs.iter().any(|input| input.name == **name)) {
        let known: Vec<&str> = runbook.front.inputs.iter().map(|input| input.name.as_str()).collect();
        bail!(
            "{} asks for no {unknown}; it asks for {}",
            runbook.name,
            if known.is_empty() { "nothing".to_owned() } else { known.join(", ") }
        );
    }
    for (name, value) in told {
        // What the operator says counts.
        if let Entry::Vacant(free) = values.entry(name) {
            println!("{} = {}, by what was found", free.key(), clean(&value));
            free.insert(value);
        }
    }
    for input in &runbook.front.inputs {
        let answers = input.answers();
        match values.get(&input.name) {
            Some(given) => {
                if let Some(why) = answers.strange(given, document) {
                    bail!("{}? {why}", input.question);
                }
            }
            None if !can_ask() => bail!("{}? nobody can be asked here; say --set {}=...", input.question, input.name),
            None => {
                let answer = asked(&format!("{}?", input.question), &answers, document, &help::answers(&answers, document))?
                    .context("nothing was answered")?;
                values.insert(input.name.clone(), answer);
            }
        }
    }
    Ok(values)
}

fn resume(connect: &ConnectArgs, args: &ResumeArgs) -> anyhow::Result<ExitCode> {
    let mut record = match &args.run {
        Some(id) => Record::read(id)?,
        None => Record::open()?.context("no run is open")?,
    };
    let run = record.run();
    let runbook = library::find(&run.runbook)?;
    let connect = ConnectArgs { cluster: Some(run.cluster.clone()), ..connect.clone() };
    told::so_far(run, &runbook);
    record.lock()?;
    let profile = runtime()?.block_on(connect.profile(None))?;
    let drive = drive::Drive::new(&runbook, connect, args.yes);
    let document = drive.document()?;
    fits(record.run(), &runbook, &profile, &document)?;
    let gone = record.run().no_longer(&runbook, &document);
    for (step, why) in &gone {
        println!("  no longer so: {step}: {why}");
    }
    if !gone.is_empty() {
        match ask("Go on all the same? [y/N]", &help::gone())?.as_deref() {
            Some("y" | "yes") => {}
            Some(_) => return Ok(ExitCode::FAILURE),
            None => bail!("what was true is so no longer, and nobody can be asked here"),
        }
        let text = gone.iter().map(|(step, why)| format!("{step}: {why}")).collect::<Vec<_>>().join("; ");
        record.add(None, None, Deed::Note { text: format!("went on though no longer so: {text}") }, Clock::start().now())?;
    }
    drive.go(&mut record)
}
