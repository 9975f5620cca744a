//! `pgbaton events`: one JSON line for each change, as it is pushed.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::connect::{ClusterArg, ConnectArgs, runtime};
use crate::live::Live;
use crate::model::{Change, Level, Time};
use crate::source::Clock;

/// `pgbaton events`.
#[derive(Debug, clap::Args)]
pub struct EventsArgs {
    #[command(flatten)]
    cluster: ClusterArg,
}

/// A line: the change, its severity and its sentence.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    change: &'a Change,
    severity: Level,
    sentence: String,
}

/// The first line: what was there when the watching began. Later lines are changes of it.
#[derive(Serialize)]
struct Started {
    at: Time,
    event: &'static str,
    cluster: String,
    leader: Option<String>,
    timeline: Option<u32>,
    paused: Option<bool>,
    members: Vec<String>,
    severity: Level,
    sentence: String,
}

/// How often the mere passing of time is looked at: an answer that becomes too old is a change too.
const PASSING: Duration = Duration::from_millis(500);
/// How long the first picture may take to become whole.
const FIRST: Duration = Duration::from_secs(3);

/// Prints the lines until SIGINT or SIGTERM, or until nobody reads them any more.
pub fn run(connect: &ConnectArgs, args: &EventsArgs) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let profile = connect.profile(args.cluster.name.as_deref()).await?;
        let mut live = Live::start(profile, Clock::start());
        let follow = async {
            let early = live.settle(FIRST).await;
            let document = live.document();
            let mut open = write(&Started {
                at: document.at,
                event: "started",
                cluster: document.cluster.name.clone(),
                leader: document.cluster.leader.clone(),
                timeline: document.cluster.timeline,
                paused: document.cluster.paused,
                members: document.members.iter().map(|m| m.name.clone()).collect(),
                severity: document.headline.level,
                sentence: format!("{}: {}", document.headline.leads, document.headline.verdict),
            })?;
            open &= lines(&early)?;
            let mut passing = tokio::time::interval(PASSING);
            while open {
                let changes = tokio::select! {
                    changes = live.wait() => changes,
                    _ = passing.tick() => live.pass(),
                };
                open = lines(&changes)?;
            }
            anyhow::Ok(())
        };
        tokio::select! {
            ended = follow => ended?,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn lines(changes: &[Change]) -> anyhow::Result<bool> {
    for change in changes {
        if !write(&Line { change, severity: change.severity(), sentence: change.sentence() })? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes a line and sends it on at once. `false`: nobody reads.
fn write(line: &impl Serialize) -> anyhow::Result<bool> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}
