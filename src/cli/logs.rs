//! `pgbaton logs`: what the programs of all nodes log, in one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::connect::{ConnectArgs, runtime};
use super::start::start;
use crate::live::Live;
use crate::log::{Heard, Program, What};
use crate::model::quantity::{self, SPAN};
use crate::model::{Time, washed};
use crate::source::ssh::{self, Chosen, Hearing, Logs, Wanted};
use crate::source::{Clock, MemberTarget, Targets};

/// `pgbaton logs`.
#[derive(Debug, clap::Args)]
pub struct LogsArgs {
    /// Members, HAProxies, hosts of etcd; all if none is named
    #[arg(value_name = "MEMBER")]
    nodes: Vec<String>,
    /// Only this program's; can be given several times
    #[arg(long, value_name = "PROGRAM", value_parser = PossibleValuesParser::new(Program::ALL.map(Program::name)))]
    program: Vec<String>,
    /// From when on: a time ago, as 10min, or a moment, as 2026-11-24T03:00:00Z
    #[arg(long, value_name = "TIME", default_value = "-10min", allow_hyphen_values = true)]
    since: String,
    /// Go on as lines are written, until interrupted
    #[arg(long, short)]
    follow: bool,
    /// One JSON object for each line
    #[arg(long)]
    json: bool,
    /// Only show what would be run here and on the nodes
    #[arg(long)]
    explain: bool,
}

/// How long the first picture may take to become whole: it tells whom there is.
const FIRST: Duration = Duration::from_secs(3);

/// How many bytes of each file are looked through for what was written since the time that is asked for.
const BACK: u64 = 4 * 1024 * 1024;

/// Reads until all is read (exit code 1 when some of it could not be), or with `--follow` until SIGINT or SIGTERM, or until nobody reads us any more.
pub fn run(connect: &ConnectArgs, args: &LogsArgs) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let clock = Clock::start();
        let since = since(&args.since, clock.now()).map_err(anyhow::Error::msg)?;
        let profile = connect.profile(None).await?;
        let programs: BTreeSet<Program> = Program::ALL.into_iter().filter(|p| args.program.iter().any(|name| name == p.name())).collect();
        let chosen = Chosen { nodes: args.nodes.iter().cloned().collect(), programs };
        let mut live = start(profile.clone(), clock);
        tokio::select! {
            _ = live.settle(FIRST) => {}
            _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
        }
        let members = members(&live);
        if args.explain {
            super::print(&ssh::explain(&profile, &members, &chosen))?;
            return Ok(ExitCode::SUCCESS);
        }
        let (mut logs, hearing) = Logs::new(profile, clock, Wanted { on: args.follow, since, back: BACK }, chosen);
        logs.follow(&members);
        let told = async {
            match args.follow {
                true => follow(logs, live, hearing, args.json).await,
                false => {
                    drop(live);
                    let _reading = logs.close();
                    once(hearing, args.json).await
                }
            }
        };
        tokio::select! {
            ended = told => ended,
            _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
            _ = terminate.recv() => Ok(ExitCode::SUCCESS),
        }
    })
}

async fn follow(mut logs: Logs, mut live: Live, mut hearing: Hearing, json: bool) -> anyhow::Result<ExitCode> {
    loop {
        tokio::select! {
            heard = hearing.next() => match heard {
                Some(heard) if write(&heard, json)? => {}
                _ => return Ok(ExitCode::SUCCESS),
            },
            _ = live.wait() => logs.follow(&members(&live)),
        }
    }
}

async fn once(mut hearing: Hearing, json: bool) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    while let Some(heard) = hearing.next().await {
        if heard.iter().any(|heard| matches!(heard.what, What::Failed(_))) {
            code = ExitCode::FAILURE;
        }
        if !write(&heard, json)? {
            break;
        }
    }
    Ok(code)
}

fn members(live: &Live) -> BTreeMap<String, MemberTarget> {
    Targets::of(live.cluster(), &[]).members
}

/// A time ago (`10min`, `-10m`), or a moment.
fn since(text: &str, now: Time) -> Result<Time, String> {
    if let Some(moment) = Time::parse(text) {
        return Ok(moment);
    }
    let ago = text.trim().trim_start_matches('-');
    // As most programs write minutes; PostgreSQL's configuration wants the whole word.
    let ago = match ago.strip_suffix('m') {
        Some(number) => format!("{number}min"),
        None => ago.to_owned(),
    };
    let span = quantity::span(&ago);
    span.map(|span| now.before(span)).ok_or_else(|| format!("{text:?} is no time: {SPAN}, or write a moment as 2026-11-24T03:00:00Z"))
}

#[derive(Serialize)]
struct Line<'h> {
    node: &'h str,
    program: Program,
    heard: Time,
    text: String,
}

/// Whether somebody still reads.
fn write(heard: &[Heard], json: bool) -> anyhow::Result<bool> {
    let mut text = Vec::new();
    for Heard { stream, at, what } in heard {
        let told = match what {
            What::Line { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
            What::Open { .. } => continue,
            What::Rotated => "(the file was replaced)".to_owned(),
            What::Gap(gap) => format!("(lines are missing: {gap:?})"),
            What::Failed(error) => format!("(not read: {})", error.told()),
        };
        let line = Line { node: &stream.node, program: stream.program, heard: *at, text: washed(&told) };
        match json {
            true => serde_json::to_writer(&mut text, &line)?,
            false => write!(text, "{} {} {}", line.node, line.program, line.text)?,
        }
        text.push(b'\n');
    }
    match std::io::stdout().lock().write_all(&text) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_ago_and_a_moment() {
        let now = Time::parse("2026-11-24T03:10:00Z").expect("a time");
        let at = |text: &str| since(text, now).map(Time::minute);
        for ago in ["-10m", "10m", "10min", "-600s", "2026-11-24T03:00:00Z", "2026-11-24 04:00:00+01:00"] {
            assert_eq!(at(ago).as_deref(), Ok("2026-11-24 03:00 UTC"), "{ago}");
        }
        for wrong in ["", "-", "yesterday", "10 minutes", "03:00"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }
}
