//! `pgbaton logs`: what the programs of all nodes log, in one.

mod teller;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use tokio::signal::unix::{SignalKind, signal};

use super::connect::{ConnectArgs, runtime};
use super::start::start;
use crate::live::Live;
use crate::log::{Filter, Pattern, Program, Severity, What};
use crate::model::{Time, clean, quantity};
use crate::source::ssh::{self, Chosen, Hearing, Logs, Wanted};
use crate::source::{Clock, MemberTarget, Targets};
use teller::Teller;

/// `pgbaton logs`.
#[derive(Debug, clap::Args)]
pub struct LogsArgs {
    /// Members, HAProxies, hosts of etcd; all if none is named
    #[arg(value_name = "MEMBER")]
    nodes: Vec<String>,
    /// Only this program's; can be given several times
    #[arg(long, value_name = "PROGRAM", value_parser = PossibleValuesParser::new(Program::ALL.map(Program::name)))]
    program: Vec<String>,
    /// From when on: a time ago, as 10min, the last time that it was so late here, as 13:49, or a date, as 2026-11-24, 2026-11-24 03:00 or
    /// 2026-11-24T03:00:00Z
    #[arg(long, value_name = "TIME", default_value = "-10min", allow_hyphen_values = true)]
    since: String,
    /// Go on as lines are written, until interrupted
    #[arg(long, short)]
    follow: bool,
    /// Only what matters at least so much: debug, info, warning, error, fatal; lines that tell no level are shown
    #[arg(long, value_name = "LEVEL")]
    level: Option<String>,
    /// Only what has this text in it, or /a regular expression/; can be given several times, and all must be in it
    #[arg(long, value_name = "TEXT")]
    grep: Vec<String>,
    /// Passwords and other secrets as they stand in the lines, instead of masked
    #[arg(long)]
    unmasked: bool,
    /// One JSON object for each message
    #[arg(long)]
    json: bool,
    /// Only show what would be run here and on the nodes
    #[arg(long)]
    explain: bool,
}

/// How long the first picture may take to become whole: it tells whom there is.
const FIRST: Duration = Duration::from_secs(3);

/// How long what the nodes say is gathered before the first of it is told.
const GATHER: Duration = Duration::from_secs(2);

/// How often it is looked whether something can be told.
const TICK: Duration = Duration::from_millis(200);

/// How many bytes of each file are looked through for what was written since the time that is asked for.
const BACK: u64 = 4 * 1024 * 1024;

impl LogsArgs {
    fn filter(&self) -> Result<Filter, String> {
        let level =
            |name: &String| name.parse::<Severity>().map_err(|_| format!("there is no level {name:?}: debug, info, warning, error, fatal"));
        let include = self.grep.iter().map(|text| Pattern::parse(text)).collect::<Result<_, _>>()?;
        Ok(Filter { least: self.level.as_ref().map(level).transpose()?, include, ..Filter::default() })
    }
}

/// Reads until all is read (exit code 1 when some of it could not be), or with `--follow` until SIGINT or SIGTERM, or until nobody reads us any more.
pub fn run(connect: &ConnectArgs, args: &LogsArgs) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let clock = Clock::start();
        let since = since(&args.since, clock.now()).map_err(anyhow::Error::msg)?;
        let filter = args.filter().map_err(anyhow::Error::msg)?;
        let profile = connect.profile(None).await?;
        let programs: BTreeSet<Program> = Program::ALL.into_iter().filter(|p| args.program.iter().any(|name| name == p.name())).collect();
        let chosen = Chosen { nodes: args.nodes.iter().cloned().collect(), programs };
        // Who is there is all that is to be known of them here.
        let mut known = profile.clone();
        known.ssh.facts = false;
        let mut live = start(known, clock);
        tokio::select! {
            _ = live.settle(FIRST) => {}
            _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
        }
        let members = members(&live);
        // Before etcd has told who is there, whoever is named may well be.
        if live.cluster().dcs.revision.is_some() {
            strangers(&args.nodes, &ssh::names(&profile, &members)).map_err(anyhow::Error::msg)?;
        }
        if args.explain {
            super::print(&ssh::explain(&profile, &members, &chosen))?;
            return Ok(ExitCode::SUCCESS);
        }
        let (mut logs, hearing) = Logs::new(profile, clock, Wanted { on: args.follow, since, back: BACK }, chosen, live.connections());
        logs.follow(&members);
        let mut teller = Teller::new(since, filter, args.json, args.unmasked);
        tell_clocks(&mut teller, &live);
        let stop = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        if args.follow {
            return follow(logs, live, hearing, teller, stop).await;
        }
        drop(live);
        let _reading = logs.close();
        tokio::select! {
            ended = once(hearing, teller) => ended,
            () = stop => Ok(ExitCode::SUCCESS),
        }
    })
}

/// Tells what is heard, until nobody reads us or nobody is read any more, or until `stop`: what was heard by then is told.
async fn follow(
    mut logs: Logs,
    mut live: Live,
    mut hearing: Hearing,
    mut teller: Teller,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<ExitCode> {
    tokio::pin!(stop);
    let begun = live.now();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            heard = hearing.next() => match heard {
                Some(heard) => teller.take(heard),
                None => break,
            },
            () = &mut stop => break,
            _ = live.wait() => {
                logs.follow(&members(&live));
                tell_clocks(&mut teller, &live);
            }
            _ = tick.tick() => {
                let now = live.now();
                // What was there before comes from all nodes at once, as fast as each can.
                if now.since(begun) > GATHER && !teller.tell(now)? {
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
    }
    while let Some(heard) = hearing.try_next() {
        teller.take(heard);
    }
    teller.end()?;
    Ok(ExitCode::SUCCESS)
}

/// On the standard error: what is printed is what the nodes say.
fn tell_clocks(teller: &mut Teller, live: &Live) {
    teller.hear_clocks(live.cluster(), live.now()).iter().for_each(|words| eprintln!("{words}"));
}

async fn once(mut hearing: Hearing, mut teller: Teller) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    while let Some(heard) = hearing.next().await {
        if heard.iter().any(|heard| matches!(heard.what, What::Failed(_))) {
            code = ExitCode::FAILURE;
        }
        teller.take(heard);
    }
    teller.end()?;
    Ok(code)
}

fn members(live: &Live) -> BTreeMap<String, MemberTarget> {
    Targets::of(live.cluster(), &[]).members
}

/// That nobody is named who is not there: asking ssh for a name that is mistyped would tell of ssh, and not of the name.
fn strangers(named: &[String], known: &[String]) -> Result<(), String> {
    let strangers: Vec<String> = named.iter().filter(|name| !known.contains(name)).map(|name| clean(name)).collect();
    if strangers.is_empty() {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(|name| clean(name)).collect();
    Err(format!("there is no {}; there are {}", strangers.join(", no "), known.join(", ")))
}

/// A time ago (`10min`, `-10m`), or a moment, in the zone of this machine where it names none.
fn since(text: &str, now: Time) -> Result<Time, String> {
    let ago = text.trim().trim_start_matches('-');
    // As most programs write minutes; PostgreSQL's configuration wants the whole word.
    let ago = match ago.strip_suffix('m') {
        Some(number) => format!("{number}min"),
        None => ago.to_owned(),
    };
    match quantity::span(&ago) {
        Some(span) => Ok(now.before(span)),
        None => Time::typed_past(text, now),
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
        for wrong in ["", "-", "yesterday", "10 minutes", "25:00"] {
            assert!(at(wrong).is_err_and(|why| why.contains("is no time: write 03:00")), "{wrong}");
        }
        assert_eq!(at("2026-11-25T00:00:00Z"), Err("2026-11-25 00:00 UTC is yet to come".to_owned()));
        // What has no zone is meant here: it comes back as the clock here shows it.
        let here = |text: &str| since(text, now).map(|time| (time.clock(), now.since(time) < Duration::from_secs(86_400)));
        assert_eq!(here("13:49"), Ok(("13:49:00".to_owned(), true)));
        assert_eq!(since("2026-11-20 13:49", now).map(|time| (time.day(), time.clock())), Ok(("20 Nov".to_owned(), "13:49:00".to_owned())));
        assert_eq!(since("2026-11-20", now).map(|time| (time.day(), time.clock())), Ok(("20 Nov".to_owned(), "00:00:00".to_owned())));
    }

    #[test]
    fn whoever_is_not_there_is_said_with_those_who_are() {
        let known = ["psg1", "psg2", "vm1"].map(str::to_owned);
        let named = |names: &[&str]| strangers(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), &known);
        assert_eq!(named(&[]), Ok(()));
        assert_eq!(named(&["psg2", "vm1"]), Ok(()));
        assert_eq!(named(&["psg2", "nosuch"]), Err("there is no nosuch; there are psg1, psg2, vm1".to_owned()));
        assert_eq!(named(&["x\u{1b}[31m", "y"]), Err("there is no x\u{fffd}[31m, no y; there are psg1, psg2, vm1".to_owned()));
    }
}
