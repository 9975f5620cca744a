//! `pgbaton rescue`: after an outage of Airflow's writes, what may run a second time, until when, and what to do about each.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use super::connect::{ClusterArg, ConnectArgs, runtime};
use super::remembered::Kept;
use super::start::start;
use crate::config::{AirflowCli, SshProfile};
use crate::document::{Document, DoneState, RescueDoc, RescueTaskDoc};
use crate::model::{Time, clean, spoken};
use crate::source::{Clock, ssh};

/// How an order to Airflow is typed here.
#[derive(Debug, Default)]
struct How {
    /// How machines are reached, and Airflow's own command on one of them.
    cli: Option<(SshProfile, AirflowCli)>,
    /// Where its API is.
    api: Option<String>,
}

/// What stands for the address of Airflow's API in a request.
const API: &str = "\"$AIRFLOW_API\"";

/// `pgbaton rescue`.
#[derive(Debug, clap::Args)]
pub struct RescueArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// As JSON: `rescue` of `status --json`, with the moment and how the sources were asked
    #[arg(long)]
    json: bool,
    /// How long to wait for sources that do not answer, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 6.0, value_parser = super::status::seconds)]
    timeout: f64,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Told<'d> {
    cluster: &'d str,
    at: Time,
    /// `null`: no outage is known.
    rescue: Option<&'d RescueDoc>,
    /// Whether Airflow's metadata was read a moment ago: else `state` of the tasks is not known.
    airflow_fresh: bool,
    /// The same of the target: else `done` is not known.
    target_fresh: bool,
}

/// Prints the list. Exit codes: 0 nothing is at risk, 1 something is, 2 something that has finished by the target and has tries left, 4 not known,
/// as Airflow's metadata cannot be read and no outage is remembered.
pub fn run(connect: &ConnectArgs, args: &RescueArgs) -> anyhow::Result<ExitCode> {
    let (document, how) = runtime()?.block_on(async {
        let profile = connect.profile(args.cluster.name.as_deref()).await?;
        anyhow::ensure!(
            profile.airflow.is_some(),
            "no Airflow is configured: [clusters.{}.airflow] says where its metadata lies",
            profile.name
        );
        let airflow = profile.airflow.as_ref();
        let how = How {
            cli: airflow.and_then(|airflow| airflow.cli.clone()).map(|cli| (profile.ssh.clone(), cli)),
            api: airflow.and_then(|airflow| airflow.api.as_ref()).map(|api| api.url.clone()),
        };
        let mut live = start(profile, Clock::start());
        live.settle(Duration::from_secs_f64(args.timeout)).await;
        Kept::default().keep(live.cluster());
        anyhow::Ok((live.document(), how))
    })?;
    let told = Told {
        cluster: &document.cluster.name,
        at: document.at,
        rescue: document.rescue.as_ref(),
        airflow_fresh: document.airflow.as_ref().is_some_and(|airflow| airflow.asked.fresh),
        target_fresh: document.target.as_ref().is_some_and(|target| target.asked.fresh),
    };
    let text = if args.json { serde_json::to_string_pretty(&told)? + "\n" } else { text(&document, &told, &how) };
    super::print(&text)?;
    Ok(ExitCode::from(code(&told)))
}

fn code(told: &Told<'_>) -> u8 {
    let tasks = told.rescue.map(|rescue| rescue.tasks.as_slice());
    match tasks {
        None if !told.airflow_fresh => 4,
        None | Some([]) => 0,
        Some(tasks) if tasks.iter().any(|task| task.done == DoneState::Finished && task.retries) => 2,
        Some(_) => 1,
    }
}

fn text(document: &Document, told: &Told<'_>, how: &How) -> String {
    let name = &document.cluster.name;
    let mut out = match told.rescue {
        None if told.airflow_fresh => return format!("{name}: no outage of Airflow's writes is known, and Airflow writes\n"),
        None => return format!("{name}: no outage of Airflow's writes is known; whether Airflow writes now is not known\n"),
        Some(rescue) => outage(name, rescue, told.at),
    };
    let tasks = told.rescue.map(|rescue| rescue.tasks.as_slice()).unwrap_or_default();
    if tasks.is_empty() {
        out.push_str("nothing is at risk: Airflow has told since of every task that ran then\n");
        return out;
    }
    if !told.target_fresh {
        out.push_str("what the target has of them is NOT KNOWN: look there before you mark anything\n");
    }
    let frozen = document.airflow.as_ref().and_then(|airflow| airflow.metadata.as_ref()).is_some_and(|metadata| metadata.frozen);
    if !frozen {
        let _ = writeln!(out, "first, so that no second try begins: pgbaton freeze {name}");
    }
    if tasks.iter().filter_map(|task| task.mark_success.as_ref()).any(|words| words.contains(API)) {
        let _ = match &how.api {
            Some(url) => {
                writeln!(out, "what marks a task reads the variable TOKEN, which POST {url}/auth/token gives for user and password")
            }
            None => writeln!(
                out,
                "what marks a task reads two variables: AIRFLOW_API, the API server's http://HOST:PORT, and TOKEN, which POST /auth/token there \
                 gives for user and password"
            ),
        };
    }
    for task in tasks {
        out.push_str(&of_task(task, told.at, how));
    }
    let _ = writeln!(out, "then look again: pgbaton rescue {name}; when nothing is left: pgbaton thaw {name}");
    out
}

fn outage(name: &str, rescue: &RescueDoc, now: Time) -> String {
    let from = rescue.from.minute();
    let ago = spoken(now.since(rescue.from));
    match (rescue.until, rescue.seen) {
        (Some(until), true) => {
            format!("{name}: Airflow wrote nothing for {}, from {from}, {ago} ago\n", spoken(until.since(rescue.from)))
        }
        (Some(until), false) => {
            let span = spoken(until.since(rescue.from));
            format!(
                "{name}: Airflow's metadata could not be read for {span}, from {from}, {ago} ago; whether Airflow could write is not known\n"
            )
        }
        (None, true) => format!("{name}: Airflow has written nothing since {from}, for {ago}\n"),
        (None, false) => {
            format!("{name}: Airflow's metadata cannot be read since {from}, for {ago}; whether Airflow can write is not known\n")
        }
    }
}

fn of_task(task: &RescueTaskDoc, now: Time, how: &How) -> String {
    let of = if task.map_index < 0 { String::new() } else { format!("[{}]", task.map_index) };
    let state = task.state.as_deref().unwrap_or("state not known");
    let mut out =
        format!("\n{}.{}{of} of {}, try {}, {}\n", clean(&task.dag), clean(&task.task), clean(&task.run), task.try_number, clean(state));
    let at = |at: Option<Time>| at.map_or(String::new(), |at| format!(" {}", at.fine_clock()));
    let done = match task.done {
        DoneState::Finished => format!("finished{}", at(task.done_at)),
        DoneState::Open => format!("started{} and NOT finished", at(task.done_at)),
        DoneState::Untouched => "not started".to_owned(),
        DoneState::Unknown => format!("not known: {}", clean(task.why_unknown.as_deref().unwrap_or_default())),
    };
    let what = if task.retries { "runs again" } else { "is marked failed" };
    let due = match task.due {
        Some(due) if due > now => format!("{what} in {} or later", spoken(due.since(now))),
        Some(_) => format!("{what} at any moment"),
        None if task.state.as_deref() == Some("up_for_retry") => format!("{what} when its retry_delay is over"),
        None => "not known".to_owned(),
    };
    let _ = writeln!(out, "  target:   {done}\n  Airflow:  {due}");
    let mark =
        task.mark_success.as_ref().map_or_else(|| "not known: which Airflow it is was never read".to_owned(), |words| typed(words, how));
    let _ = match task.done {
        DoneState::Finished => writeln!(out, "  mark it:  {mark}"),
        DoneState::Open => writeln!(out, "  do NOT mark it: it goes on there, or broke off; look on the target first"),
        DoneState::Untouched => writeln!(out, "  leave it: its next try is its first start there"),
        DoneState::Unknown => writeln!(out, "  mark it only if you have seen on the target that it has finished:  {mark}"),
    };
    out
}

/// Airflow's command as it is typed here, over ssh, by its own name there; and a request to its API with the address that is configured.
fn typed(words: &str, how: &How) -> String {
    let Some(rest) = words.strip_prefix("airflow ") else {
        let api = how.api.as_ref().and_then(|url| shlex::try_quote(url).ok());
        return api.map_or_else(|| words.to_owned(), |url| words.replacen(API, &url, 1));
    };
    let there = how.cli.as_ref();
    let typed = there.and_then(|(ssh, AirflowCli { host, command })| ssh::typed(ssh, host, &format!("{command} {rest}")));
    typed.unwrap_or_else(|| words.to_owned())
}
