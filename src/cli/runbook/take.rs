//! A step, taken.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::drive::Drive;
use super::prompt::ask;
use crate::action::Outcome;
use crate::cli::act::ASKED;
use crate::cli::connect::runtime;
use crate::cli::start::start;
use crate::condition::Condition;
use crate::document::Document;
use crate::live::Live;
use crate::model::{clean, washed};
use crate::runbook::{Among, Kind, Step, Values, fill, fill_condition, words};
use crate::source::Clock;

/// How long the first picture may take to become whole.
const FIRST: Duration = Duration::from_secs(3);
/// How often a condition that is waited for is looked at, if nothing is pushed.
const LOOK: Duration = Duration::from_millis(250);

/// What became of a step.
#[derive(Debug)]
pub(super) enum Taken {
    /// It is done; a sentence.
    Done(String),
    /// The same, with an answer to be kept under a name.
    Answered(String, String),
    /// The same, with those for whom the steps below are taken.
    Members(Vec<String>),
    /// It is not for this cluster as it is.
    Skipped(String),
    /// It did not come to be.
    Failed(String),
    /// Nobody knows.
    Unknown(String),
    /// Somebody wants to do something else.
    Interrupted,
}

impl Drive<'_> {
    /// The picture as it is now.
    pub(super) fn document(&self) -> anyhow::Result<Document> {
        runtime()?.block_on(async {
            let mut live = self.live().await?;
            live.settle(FIRST).await;
            Ok(live.document())
        })
    }

    async fn live(&self) -> anyhow::Result<Live> {
        Ok(start(self.connect.profile(None).await?, Clock::start()))
    }

    /// Takes a step.
    pub(super) fn take(&self, step: &Step, values: &Values, document: &Document) -> anyhow::Result<Taken> {
        if let Some(only_if) = &step.only_if {
            match judged(only_if, values, document) {
                Ok(true) => {}
                Ok(false) => return Ok(Taken::Skipped(format!("not so: {only_if}"))),
                Err(why) => return Ok(Taken::Failed(format!("whether it is to be done is not known: {why}"))),
            }
        }
        let filled = |text: &str| fill(text, values);
        Ok(match &step.kind {
            Kind::Require { condition, otherwise } => match judged(condition, values, document) {
                Ok(true) => Taken::Done(format!("so it is: {}", shown(condition, values))),
                Ok(false) => Taken::Failed(match otherwise {
                    Some(otherwise) => filled(otherwise).unwrap_or_else(|why| why),
                    None => format!("not so: {}", shown(condition, values)),
                }),
                Err(why) => Taken::Failed(why),
            },
            Kind::Wait { condition, deadline } => self.wait(condition, *deadline, values)?,
            Kind::Action(text) => match words(text, values) {
                Ok(mut words) => {
                    words.extend(self.yes.then(|| "--yes".to_owned()));
                    self.act(&words)?
                }
                Err(why) => Taken::Failed(why),
            },
            Kind::Ask { question, into } => match filled(question) {
                Ok(question) => match ask(&question)? {
                    Some(answer) if !answer.is_empty() => Taken::Answered(into.clone(), answer),
                    _ => Taken::Failed("nothing was answered".to_owned()),
                },
                Err(why) => Taken::Failed(why),
            },
            Kind::Command { command, on } => match (words(command, values), on.as_deref().map(filled).transpose()) {
                (Ok(_), Ok(on)) => {
                    let place = on.map(|on| format!("on {on}: ")).unwrap_or_default();
                    println!("  run {}\n", clean(&place));
                    quoted(command, values).lines().for_each(|line| println!("      {}", washed(line)));
                    println!();
                    confirmed("Is it done, and did it do what it should?", true)?
                }
                (Err(why), _) | (_, Err(why)) => Taken::Failed(why),
            },
            Kind::Look { question, wanted } => match filled(question) {
                Ok(question) => confirmed(&question, *wanted)?,
                Err(why) => Taken::Failed(why),
            },
            Kind::ForEach(each) => match members(each.among, document) {
                Ok(members) => Taken::Members(members),
                Err(why) => Taken::Failed(why),
            },
        })
    }

    /// An action, by a process of its own: the same plan, question, order and audit as when it is asked for by hand, and Ctrl-C means to it what it
    /// always means.
    fn act(&self, words: &[String]) -> anyhow::Result<Taken> {
        println!("  pgbaton {}", clean(&words.join(" ")));
        let program = std::env::current_exe().context("this program has no path")?;
        let mut command = Command::new(program);
        if let Some(config) = &self.connect.config {
            command.arg("--config").arg(config);
        }
        command.args(self.connect.read_only.then_some("--read-only")).args(&self.connect.cluster).args(words);
        let status = command.status().context("pgbaton cannot be started")?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        let known = [Outcome::Done, Outcome::Failed, Outcome::Refused].into_iter().find(|outcome| code == Some(outcome.code()));
        Ok(match known {
            Some(Outcome::Done) => Taken::Done("DONE".to_owned()),
            Some(outcome) => Taken::Failed(format!("it was {outcome}")),
            None if code == Some(ASKED) => {
                Taken::Unknown("another operator has to approve it; carry it out with `pgbaton run`, then say that it was done".to_owned())
            }
            None => Taken::Unknown(format!("what became of it is not known ({status})")),
        })
    }

    fn wait(&self, condition: &str, deadline: Duration, values: &Values) -> anyhow::Result<Taken> {
        let shown = shown(condition, values);
        println!("  waits up to {} s for: {}", deadline.as_secs(), clean(&shown));
        runtime()?.block_on(async {
            let mut live = self.live().await?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let begun = Instant::now();
            let mut said = String::new();
            live.settle(FIRST).await;
            loop {
                let held = judged(condition, values, &live.document());
                let after = begun.elapsed();
                let now = match &held {
                    Ok(true) => return Ok(Taken::Done(format!("so it is, after {:.1} s: {shown}", after.as_secs_f64()))),
                    Ok(false) => "not so yet".to_owned(),
                    Err(why) => format!("not known yet: {why}"),
                };
                if after >= deadline {
                    return Ok(Taken::Failed(format!("after {} s: {now}: {shown}", deadline.as_secs())));
                }
                if now != said {
                    println!("  {:>6.1} s  {now}", after.as_secs_f64());
                    said = now;
                }
                tokio::select! {
                    _ = interrupt.recv() => return Ok(Taken::Interrupted),
                    waited = tokio::time::timeout(LOOK, live.wait()) => if waited.is_err() {
                        live.pass();
                    },
                }
            }
        })
    }
}

/// Whether a condition holds; the error is a sentence.
pub(super) fn judged(condition: &str, values: &Values, document: &Document) -> Result<bool, String> {
    let filled = fill_condition(condition, values)?;
    Condition::parse(&filled).map_err(|mistake| mistake.message)?.holds(document)
}

/// A condition with the values that are known.
pub(super) fn shown(condition: &str, values: &Values) -> String {
    fill_condition(condition, values).unwrap_or_else(|_| condition.to_owned())
}

/// A command with its values, each spelled so that a shell takes it for one word or a part of one.
fn quoted(command: &str, values: &Values) -> String {
    let quoted = values.iter().map(|(name, value)| (name.clone(), shlex::try_quote(value).map_or_else(|_| "''".to_owned(), Into::into)));
    fill(command, &quoted.collect()).unwrap_or_else(|why| why)
}

fn confirmed(question: &str, wanted: bool) -> anyhow::Result<Taken> {
    let Some(answer) = ask(&format!("{question} [yes/no]"))? else {
        return Ok(Taken::Failed("nobody can be asked here".to_owned()));
    };
    Ok(match answer.as_str() {
        "y" | "yes" if wanted => Taken::Done(format!("{question} yes")),
        "n" | "no" if !wanted => Taken::Done(format!("{question} no")),
        other => Taken::Failed(format!("{question} {other}")),
    })
}

/// Whether what the document has of the keys in etcd is current.
pub(super) fn etcd_answers(document: &Document) -> bool {
    document.sources.iter().any(|source| source.name == "dcs" && source.fresh)
}

/// For whom a loop is taken, now; the error is a sentence.
fn members(among: Among, document: &Document) -> Result<Vec<String>, String> {
    if !etcd_answers(document) {
        return Err("which members there are is not known: etcd does not answer".to_owned());
    }
    let leader = Some(document.cluster.leader.as_deref().ok_or("nobody leads")?);
    let present = document.members.iter().filter(|member| member.present);
    let mut names: Vec<(bool, String)> = Vec::new();
    for member in present {
        let leads = leader == Some(member.name.as_str());
        let counts = match among {
            Among::Replicas => !leads,
            Among::ReplicasThenLeader => true,
            Among::PendingRestart => {
                member.pending_restart.ok_or_else(|| format!("whether {} waits for a restart is not known", member.name))?
            }
        };
        if counts {
            names.push((leads, member.name.clone()));
        }
    }
    names.sort();
    Ok(names.into_iter().map(|(_, name)| name).collect())
}
