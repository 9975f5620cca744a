//! `pgbaton check`: one line and the exit codes that monitors know.

use std::process::ExitCode;
use std::time::Duration;

use super::connect::{ClusterArg, ConnectArgs, runtime};
use crate::document::{Document, Level};
use crate::live::Live;
use crate::source::Clock;

/// `pgbaton check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// How long to wait for sources that do not answer, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, value_parser = super::status::seconds)]
    timeout: f64,
}

/// Prints the line. Exit codes by the monitoring plugins' convention: 0 ok, 1 warning, 2 critical, 3 unknown; a configuration that cannot be
/// read and a cluster that cannot be reached are unknown too.
pub fn run(connect: &ConnectArgs, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let picture = runtime()?.block_on(async {
        let profile = connect.profile(args.cluster.name.as_deref()).await?;
        let mut live = Live::start(profile, Clock::start());
        live.settle(Duration::from_secs_f64(args.timeout)).await;
        anyhow::Ok(live.document())
    });
    let (line, level) = match picture {
        Ok(document) => (line(&document), document.headline.level),
        Err(error) => (format!("UNKNOWN: {}", format!("{error:#}").replace('\n', "; ")), Level::Unknown),
    };
    super::status::print(&format!("{line}\n"))?;
    Ok(ExitCode::from(code(level)))
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
    format!(
        "{}: {}: {}, {} | findings={findings}{lag}{lease}",
        headline.level.to_string().to_uppercase(),
        document.cluster.name,
        headline.leads,
        headline.verdict,
    )
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
