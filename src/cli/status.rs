//! `pgbaton status`: the picture once, for a person or as JSON.

mod rabbitmq;
mod text;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::connect::{ClusterArg, ConnectArgs, runtime};
use super::start::{Follow, start};
use crate::document::{Document, Level};
use crate::source::Clock;

/// `pgbaton status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// The whole document as JSON
    #[arg(long)]
    json: bool,
    /// Again and again, every SECONDS
    #[arg(long, short, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = seconds)]
    watch: Option<f64>,
    /// How long to wait for sources that do not answer, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, value_parser = seconds)]
    timeout: f64,
}

/// Prints the picture. Exit code 0 when one could be made, however bad it is; 1 when etcd gave nothing to make one from.
pub fn run(connect: &ConnectArgs, args: &StatusArgs) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let profile = connect.profile(args.cluster.name.as_deref()).await?;
        let mut live = start(profile, Clock::start());
        live.settle(Duration::from_secs_f64(args.timeout)).await;
        let mut document = live.document();
        let Some(period) = args.watch else {
            print(&render(&document, args.json)?)?;
            return Ok(exit(&document));
        };
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut written = Follow::default();
        let mut due = tokio::time::interval(Duration::from_secs_f64(period));
        loop {
            tokio::select! {
                _ = due.tick() => {
                    document = live.document();
                    let separator = if args.json { "" } else { "\n" };
                    if !print(&format!("{}{separator}", render(&document, args.json)?))? {
                        break;
                    }
                }
                _ = live.wait() => drop(written.follow(&mut live)),
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
            }
        }
        Ok(exit(&document))
    })
}

fn exit(document: &Document) -> ExitCode {
    let made = document.cluster.dcs_revision.is_some() || document.headline.level != Level::Unknown && !document.members.is_empty();
    if made { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn render(document: &Document, json: bool) -> anyhow::Result<String> {
    if json {
        let mut text = serde_json::to_string_pretty(document)?;
        text.push('\n');
        return Ok(text);
    }
    Ok(text::render(document))
}

/// Writes to the standard output. `false`: nobody reads any more, which is no error (`pgbaton status | head`).
pub(super) fn print(text: &str) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A span in seconds, above zero and below a day.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(span) if span > 0.0 && span <= 86_400.0 => Ok(span),
        _ => Err("a number of seconds above 0 and up to 86400".to_owned()),
    }
}
