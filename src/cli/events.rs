//! `pgbaton events`: one JSON line for each change, as it is pushed.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::connect::{ClusterArg, ConnectArgs, runtime};
use super::start::{Follow, start};
use crate::model::{Change, Level, Time};
use crate::source::Clock;

/// `pgbaton events`.
#[derive(Debug, clap::Args)]
pub struct EventsArgs {
    #[command(flatten)]
    cluster: ClusterArg,
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
        let mut live = start(profile, Clock::start());
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
            let mut written = Follow::default();
            let mut passing = tokio::time::interval(PASSING);
            while open {
                let mut changes = tokio::select! {
                    changes = live.wait() => changes,
                    _ = passing.tick() => live.pass(),
                };
                changes.extend(written.follow(&mut live).into_iter().flatten());
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
        if !write(&line(change)?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The change with its severity and its sentence.
fn line(change: &Change) -> serde_json::Result<serde_json::Value> {
    let mut line = serde_json::to_value(change)?;
    // A finding has both already, and no key is given twice.
    line["severity"] = serde_json::to_value(change.severity())?;
    line["sentence"] = change.sentence().into();
    Ok(line)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ChangeKind;

    fn told(kind: ChangeKind) -> String {
        line(&Change { at: Time::from_micros(0), kind }).expect("a line").to_string()
    }

    #[test]
    fn a_line_has_each_key_once() {
        let raised = told(ChangeKind::FindingRaised {
            code: "no-leader".into(),
            subject: None,
            severity: Level::Critical,
            sentence: "nobody leads".into(),
            evidence: Vec::new(),
        });
        assert_eq!(
            raised,
            r#"{"at":"1970-01-01T00:00:00.000000Z","event":"finding-raised","code":"no-leader","subject":null,"severity":"critical","sentence":"nobody leads","evidence":[]}"#
        );
        let changed = Change {
            at: Time::from_micros(0),
            kind: ChangeKind::FindingChanged {
                code: "lag-high".into(),
                subject: Some("psg2".into()),
                from: Level::Warning,
                to: Level::Critical,
                says: "psg2 is far behind".into(),
            },
        };
        let read: Change = serde_json::from_value(line(&changed).expect("a line")).expect("a change");
        assert_eq!(read, changed, "what is added takes nothing away");
        let cleared = told(ChangeKind::FindingCleared {
            code: "lag-high".into(),
            subject: Some("psg2".into()),
            since: Time::from_micros(0),
            seconds: 4.5,
            now: None,
        });
        assert_eq!(
            cleared,
            r#"{"at":"1970-01-01T00:00:00.000000Z","event":"finding-cleared","code":"lag-high","subject":"psg2","since":"1970-01-01T00:00:00.000000Z","seconds":4.5,"severity":"ok","sentence":"lag-high of psg2 is over; it was seen for 4.5 s"}"#
        );
    }
}
