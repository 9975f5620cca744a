//! `pgbaton check`: one line and the exit codes that monitors know.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use super::connect::{ClusterArg, ConnectArgs, runtime};
use super::start::start;
use crate::condition::Condition;
use crate::document::{Document, Level};
use crate::model::clean;
use crate::source::Clock;

/// `pgbaton check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// A condition over the document of `status --json`, in CEL: exit code 0 when it holds, 2 when it does not, 3 when it cannot be judged
    #[arg(long, value_name = "CEL")]
    expr: Option<String>,
    /// What it is when the condition does not hold: warning or critical
    #[arg(long, value_name = "LEVEL", requires = "expr", default_value = "critical", value_parser = severity)]
    severity: Level,
    /// How long to wait for sources that do not answer, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, value_parser = super::status::seconds)]
    timeout: f64,
}

/// Prints the line. Exit codes by the monitoring plugins' convention: 0 ok, 1 warning, 2 critical, 3 unknown; a configuration that cannot be
/// read and a cluster that cannot be reached are unknown too.
pub fn run(connect: &ConnectArgs, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let (level, told) = told(connect, args).unwrap_or_else(|error| (Level::Unknown, format!("{error:#}").replace('\n', "; ")));
    super::status::print(&format!("{}: {told}\n", level.to_string().to_uppercase()))?;
    Ok(ExitCode::from(code(level)))
}

fn told(connect: &ConnectArgs, args: &CheckArgs) -> anyhow::Result<(Level, String)> {
    let condition = args.expr.as_deref().map(Condition::parse).transpose().context("--expr")?;
    let document = runtime()?.block_on(async {
        let profile = connect.profile(args.cluster.name.as_deref()).await?;
        let mut live = start(profile, Clock::start());
        live.settle(Duration::from_secs_f64(args.timeout)).await;
        anyhow::Ok(live.document())
    })?;
    Ok(match (&args.expr, condition) {
        (Some(text), Some(condition)) => judged(text, &condition, args.severity, &document),
        _ => (document.headline.level, line(&document)),
    })
}

/// What a condition makes of a document, and in which words.
fn judged(text: &str, condition: &Condition, severity: Level, document: &Document) -> (Level, String) {
    // What stands behind a bar is figures for a monitor.
    let text = clean(text).replace('|', "¦");
    let name = &document.cluster.name;
    match condition.holds(document) {
        Ok(true) => (Level::Ok, format!("{name}: {text}")),
        Ok(false) => (severity, format!("{name}: not so: {text}")),
        Err(why) => (Level::Unknown, format!("{name}: {}: {text}", why.replace('|', "¦"))),
    }
}

fn severity(text: &str) -> Result<Level, String> {
    match text.parse() {
        Ok(level @ (Level::Warning | Level::Critical)) => Ok(level),
        _ => Err("`warning` or `critical`".to_owned()),
    }
}

fn code(level: Level) -> u8 {
    match level {
        Level::Ok => 0,
        Level::Warning => 1,
        Level::Critical => 2,
        Level::Unknown => 3,
    }
}

fn line(document: &Document) -> String {
    let headline = &document.headline;
    let lag = document.members.iter().filter_map(|m| m.replay_lag_bytes).max();
    let lag = lag.map(|bytes| format!(" replay_lag={bytes}B")).unwrap_or_default();
    let lease = document.cluster.lease_ttl_seconds.map(|s| format!(" lease={s}s")).unwrap_or_default();
    let findings = document.findings.len();
    format!("{}: {}, {} | findings={findings}{lag}{lease}", document.cluster.name, headline.leads, headline.verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_the_ones_monitors_know() {
        let codes = [Level::Ok, Level::Warning, Level::Critical, Level::Unknown].map(code);
        assert_eq!(codes, [0, 1, 2, 3]);
    }
}
