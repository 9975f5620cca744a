//! `pgbaton doctor`: what would hurt in a failover, though all is green now.

mod survey;
mod text;

pub(super) use survey::{judged, survey};

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use super::connect::{ClusterArg, ConnectArgs, runtime};
use super::start::start;
use crate::config::Profile;
use crate::doctor::haproxy::ProxyFile;
use crate::doctor::{JUDGEMENTS, Report, Severity};
use crate::live::Live;
use crate::source::Clock;
use anyhow::{Context, bail};

/// `pgbaton doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// The report as JSON, `pgbaton.doctor/1`
    #[arg(long)]
    json: bool,
    /// The JSON Schema of that, and nothing else
    #[arg(long, conflicts_with = "json")]
    schema: bool,
    /// Also what holds, and what does not apply
    #[arg(long, short)]
    all: bool,
    /// An HAProxy's configuration file, in place of the one on its host; without NAME it is every HAProxy's
    #[arg(long, value_name = "[NAME=]FILE")]
    haproxy_config: Vec<String>,
    /// A judgement that may stay not known: it is told, and does not decide the exit code
    #[arg(long, value_name = "CODE", value_parser = judgement)]
    accept_unknown: Vec<String>,
    /// How long to wait for sources that do not answer, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = super::status::seconds)]
    timeout: f64,
}

/// The longest file that is read, bytes.
const LONGEST: u64 = 4 << 20;

/// Prints the report. Exit codes: 0 nothing would hurt, notes apart; 1 something would; 2 something critical would; 3 nothing is found, and not
/// everything is known, or nothing could be asked at all.
pub fn run(connect: &ConnectArgs, args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    if args.schema {
        super::print(&(serde_json::to_string_pretty(&schemars::schema_for!(Report))? + "\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = match report(connect, args) {
        Ok(report) => report,
        // The usual exit code of an error is that of a warning here.
        Err(error) => {
            eprintln!("pgbaton: {error:#}");
            return Ok(ExitCode::from(NOT_KNOWN));
        }
    };
    let told = if args.json { serde_json::to_string_pretty(&report)? + "\n" } else { text::text(&report, args.all) };
    super::print(&told)?;
    Ok(ExitCode::from(code(&report, &args.accept_unknown)))
}

/// The exit code when nothing is found, and not everything is known.
const NOT_KNOWN: u8 = 3;

fn report(connect: &ConnectArgs, args: &DoctorArgs) -> anyhow::Result<Report> {
    runtime()?.block_on(async {
        let profile = connect.profile(args.cluster.name.as_deref()).await?;
        let clock = Clock::start();
        let given = files(&args.haproxy_config, &profile, clock)?;
        let mut live = start(profile.clone(), clock);
        live.settle(Duration::from_secs_f64(args.timeout)).await;
        counters(&mut live).await;
        let mut asked = pin!(survey(&live, &profile));
        // One that is silent must not make old what the others have said.
        let mut survey = loop {
            tokio::select! {
                survey = &mut asked => break survey,
                _ = live.wait() => {}
            }
        };
        survey.proxies.extend(given.into_iter().map(|(name, file)| (name, Ok(file))));
        Ok(judged(&mut live, &survey))
    })
}

fn code(report: &Report, accepted: &[String]) -> u8 {
    let open = report.not_known.iter().any(|open| !accepted.contains(&open.code));
    match report.worst() {
        Some(Severity::Critical) => 2,
        Some(Severity::Warning) => 1,
        Some(Severity::Note) | None if open => NOT_KNOWN,
        Some(Severity::Note) | None => 0,
    }
}

fn judgement(text: &str) -> Result<String, String> {
    if JUDGEMENTS.iter().any(|judgement| judgement.code == text) {
        return Ok(text.to_owned());
    }
    let codes: Vec<&str> = JUDGEMENTS.iter().map(|judgement| judgement.code).collect();
    Err(format!("there are {}", codes.join(", ")))
}

/// How long etcd's counters are waited for, which come after its first answers.
const COUNTERS: Duration = Duration::from_secs(2);

/// Waits until each member of etcd that answers has told its quota, if it does.
async fn counters(live: &mut Live) {
    let told = async {
        while live.cluster().etcd_now(live.now()).values().any(|(endpoint, _)| live.cluster().etcd_quota(endpoint).is_none()) {
            live.wait().await;
        }
    };
    // One that does not tell it is not known then.
    let _ = tokio::time::timeout(COUNTERS, told).await;
}

/// The files, read, by the HAProxies' names. A name that is none of theirs is an error.
fn files(given: &[String], profile: &Profile, clock: Clock) -> anyhow::Result<BTreeMap<String, ProxyFile>> {
    let names: Vec<&str> = profile.haproxy.iter().map(|proxy| proxy.name.as_str()).collect();
    if !given.is_empty() && names.is_empty() {
        bail!("--haproxy-config: the configuration names no HAProxy");
    }
    let mut all = BTreeMap::new();
    for word in given {
        let named = word.split_once('=').filter(|(name, _)| names.contains(name));
        let (of, path) = match named {
            Some((name, path)) => (vec![name], path),
            None if Path::new(word).exists() || !word.contains('=') => (names.clone(), word.as_str()),
            None => {
                bail!("--haproxy-config {word}: there is neither such a file nor an HAProxy of that name (there are {})", names.join(", "))
            }
        };
        let mut text = String::new();
        let file = fs::File::open(PathBuf::from(path)).with_context(|| format!("--haproxy-config {path}"))?;
        file.take(LONGEST + 1).read_to_string(&mut text).with_context(|| format!("--haproxy-config {path}"))?;
        if text.len() as u64 > LONGEST {
            bail!("--haproxy-config {path}: it is longer than {} MiB", LONGEST >> 20);
        }
        let config = survey::configuration(path, &text).map_err(anyhow::Error::msg)?;
        let file = ProxyFile { path: path.to_owned(), config, not_run: None, at: clock.now() };
        all.extend(of.into_iter().map(|name| (name.to_owned(), file.clone())));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{HarmDoc, OpenDoc, SCHEMA};
    use crate::model::Time;

    #[test]
    fn what_is_not_known_never_ends_as_well_unless_it_was_accepted() {
        let report = |hurts: &[Severity], open: &[&str]| Report {
            schema: SCHEMA.to_owned(),
            cluster: "c".to_owned(),
            at: Time::from_micros(0),
            score: None,
            hurts: hurts
                .iter()
                .map(|severity| HarmDoc {
                    code: "candidates".to_owned(),
                    severity: *severity,
                    subject: None,
                    sentence: String::new(),
                    why: String::new(),
                    change: Vec::new(),
                    finding: None,
                    next: Vec::new(),
                    evidence: Vec::new(),
                })
                .collect(),
            not_known: open
                .iter()
                .map(|code| OpenDoc { code: (*code).to_owned(), subject: None, because: String::new(), evidence: Vec::new() })
                .collect(),
            does_not_apply: Vec::new(),
            holds: Vec::new(),
        };
        use Severity::{Critical, Note, Warning};
        let accepted = ["watchdog".to_owned()];
        let cases: [(&[Severity], &[&str], u8); 7] = [
            (&[], &[], 0),
            (&[], &["watchdog"], 0),
            (&[], &["watchdog", "rewind"], 3),
            (&[Note], &[], 0),
            (&[Note], &["rewind"], 3),
            (&[Note, Warning], &["rewind"], 1),
            (&[Warning, Critical], &[], 2),
        ];
        for (hurts, open, expected) in cases {
            assert_eq!(code(&report(hurts, open), &accepted), expected, "{hurts:?} {open:?}");
        }
    }
}
