//! `pgbaton quiet`: whether a switchover would fit in now, by the cluster and by what Airflow runs.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use super::connect::{ClusterArg, ConnectArgs, runtime};
use super::situation::with_situation;
use super::start::start;
use crate::action::{Light, Plan, Switchover};
use crate::document::{AirflowTaskDoc, Verdict};
use crate::model::{Time, clean};
use crate::source::Clock;
use crate::ui::format::seconds;

/// `pgbaton quiet`.
#[derive(Debug, clap::Args)]
pub struct QuietArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Wait for so long at most until what Airflow runs allows it: 30min, 2h; what is waited for is told
    #[arg(long, value_name = "TIME", value_parser = super::act::limit)]
    wait: Option<Duration>,
    /// How long to wait for sources that do not answer, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, value_parser = super::status::seconds)]
    timeout: f64,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Told {
    cluster: String,
    at: Time,
    verdict: Verdict,
    grounds: Vec<Ground>,
    /// `null`: no Airflow is configured, or its metadata was never read.
    tasks: Option<Vec<AirflowTaskDoc>>,
}

#[derive(Debug, Serialize)]
struct Ground {
    code: String,
    verdict: Verdict,
    sentence: String,
}

/// Prints the verdict with its grounds. Exit codes: 0 go, 1 warn, 2 wait, 3 stop, 4 not known.
pub fn run(connect: &ConnectArgs, args: &QuietArgs) -> anyhow::Result<ExitCode> {
    let told = runtime()?.block_on(async {
        let profile = connect.profile(args.cluster.name.as_deref()).await?;
        let mut live = start(profile, Clock::start());
        live.settle(Duration::from_secs_f64(args.timeout)).await;
        if let Some(limit) = args.wait {
            let waited =
                super::act::until_quiet(&mut live, limit, |seconds, why| eprintln!("{seconds:>7.0} s  waits: {}", clean(why))).await?;
            waited.unwrap_or_else(|why| eprintln!("{}", clean(&why)));
        }
        let document = live.document();
        let operation = Box::new(Switchover { candidate: None, at: None, leader: None });
        let checks = with_situation(&live, |situation| Plan::of(operation, situation).checks);
        let airflow = document.airflow;
        let of_airflow = airflow.as_ref().map(|airflow| airflow.quiet.grounds.clone()).unwrap_or_default();
        let cluster = checks.into_iter().filter(|check| !of_airflow.iter().any(|ground| ground.code == check.id)).map(|check| Ground {
            verdict: match check.light {
                Light::Green => Verdict::Go,
                Light::Amber => Verdict::Warn,
                Light::Red => Verdict::Stop,
            },
            code: check.id,
            sentence: check.sentence,
        });
        let airflow_grounds = of_airflow.iter().map(|g| Ground { code: g.code.clone(), verdict: g.verdict, sentence: g.sentence.clone() });
        // Without it nobody has looked at what runs there, which is not the same as nothing running.
        let none = airflow.is_none().then(|| Ground {
            code: "airflow".to_owned(),
            verdict: Verdict::Go,
            sentence: "no Airflow is configured: the cluster alone was looked at".to_owned(),
        });
        let mut grounds: Vec<Ground> = airflow_grounds.chain(none).chain(cluster).collect();
        grounds.sort_by_key(|ground| std::cmp::Reverse(ground.verdict));
        anyhow::Ok(Told {
            cluster: document.cluster.name,
            at: document.at,
            verdict: grounds.iter().map(|ground| ground.verdict).max().unwrap_or(Verdict::Unknown),
            grounds,
            tasks: airflow.and_then(|airflow| airflow.metadata).map(|metadata| metadata.work),
        })
    })?;
    let text = if args.json { serde_json::to_string_pretty(&told)? + "\n" } else { text(&told) };
    super::status::print(&text)?;
    Ok(ExitCode::from(code(told.verdict)))
}

fn code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Go => 0,
        Verdict::Warn => 1,
        Verdict::Wait => 2,
        Verdict::Stop => 3,
        Verdict::Unknown => 4,
    }
}

fn text(told: &Told) -> String {
    let mut out = format!("{}: {}\n", told.verdict.to_string().to_uppercase(), told.cluster);
    for ground in &told.grounds {
        let _ = writeln!(out, "  {:<8} {:<20} {}", ground.verdict.to_string(), ground.code, clean(&ground.sentence));
    }
    let tasks = told.tasks.as_deref().unwrap_or_default();
    if !tasks.is_empty() {
        out.push_str("if the database went away while they end:\n");
    }
    for task in tasks {
        let since = task.since.map_or("?".to_owned(), |at| seconds(told.at.since(at).as_secs_f64()));
        let of = if task.map_index < 0 { String::new() } else { format!("[{}]", task.map_index) };
        let tries = format!("try {} of {}", task.try_number, task.max_tries.saturating_add(1));
        let _ = writeln!(
            out,
            "  {}.{}{of} {}, {}, {tries}, since {since}: {}",
            clean(&task.dag),
            clean(&task.task),
            clean(&task.run),
            clean(&task.state),
            task.if_database_goes
        );
    }
    out
}
