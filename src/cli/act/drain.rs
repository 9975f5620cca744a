//! Waiting until what Airflow runs allows the database to go away.

use std::time::Duration;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use crate::cli::situation::with_situation;
use crate::finding::{Quiet, Verdict};
use crate::live::Live;
use crate::model::{quantity, spoken};

/// How long a moment is waited for in which nothing of Airflow's would suffer.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DrainArgs {
    /// Wait for so long at most until no task of Airflow's would suffer: 30min, 2h; what is waited for is told, and the plan is made then. Nothing is sent if it does not come
    #[arg(long, value_name = "TIME", value_parser = limit)]
    pub wait_quiet: Option<Duration>,
}

/// A time with its unit.
pub(in crate::cli) fn limit(text: &str) -> Result<Duration, String> {
    quantity::span(text).ok_or_else(|| quantity::SPAN.to_owned())
}

/// How often the mere passing of time is looked at.
const PASSING: Duration = Duration::from_millis(500);
/// What is waited for is told when it has changed, and not more often than this: it counts.
const PACE: Duration = Duration::from_secs(2);

/// Waits until the moment is quiet. `told` gets what it waits for, and for how many seconds it has.
///
/// # Errors
/// It did not come within the limit, or somebody has interrupted; the error is a sentence.
pub(in crate::cli) async fn until_quiet(
    live: &mut Live,
    limit: Duration,
    mut told: impl FnMut(f64, &str),
) -> anyhow::Result<Result<(), String>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let begun = Instant::now();
    let (mut said, mut at) = (String::new(), None);
    loop {
        let Some(why) = with_situation(live, |s| Quiet::of(s.cluster, s.limits, s.now)).and_then(|quiet| why_not(&quiet)) else {
            return Ok(Ok(()));
        };
        let elapsed = begun.elapsed();
        if elapsed >= limit {
            return Ok(Err(format!("the moment was not quiet within {}: {why}", spoken(limit))));
        }
        if why != said && at.is_none_or(|at: Instant| at.elapsed() >= PACE) {
            told(elapsed.as_secs_f64(), &why);
            (said, at) = (why, Some(Instant::now()));
        }
        tokio::select! {
            _ = interrupt.recv() => return Ok(Err("interrupted while it waited; nothing was sent".to_owned())),
            _ = terminate.recv() => return Ok(Err("ended while it waited; nothing was sent".to_owned())),
            waited = tokio::time::timeout(PASSING.min(limit.saturating_sub(elapsed)), live.wait()) => if waited.is_err() {
                live.pass();
            },
        }
    }
}

/// Why it is not; `None`: it is.
fn why_not(quiet: &Quiet) -> Option<String> {
    let against: Vec<&str> =
        quiet.grounds.iter().filter(|ground| ground.verdict > Verdict::Warn).map(|ground| ground.sentence.as_str()).collect();
    (!against.is_empty()).then(|| against.join("; "))
}

/// What it waits for, as a line.
pub(super) fn line(json: bool, seconds: f64, why: &str) -> String {
    match json {
        true => format!("{}\n", json!({ "event": "waits", "seconds": seconds, "for": why })),
        false => format!("{seconds:>7.0} s  waits: {why}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Ground;

    #[test]
    fn it_waits_for_what_speaks_against_it_and_not_for_what_somebody_should_know() {
        let ground = |verdict, sentence: &str| Ground { code: "x", verdict, sentence: sentence.to_owned() };
        let of = |grounds: Vec<Ground>| why_not(&Quiet { verdict: grounds[0].verdict, grounds });
        let both = vec![ground(Verdict::Stop, "a"), ground(Verdict::Wait, "b"), ground(Verdict::Warn, "c")];
        assert_eq!(of(both).as_deref(), Some("a; b"));
        assert_eq!(of(vec![ground(Verdict::Unknown, "nobody knows")]).as_deref(), Some("nobody knows"));
        assert_eq!(of(vec![ground(Verdict::Warn, "c"), ground(Verdict::Go, "d")]), None);
    }
}
