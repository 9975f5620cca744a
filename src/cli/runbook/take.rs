//! A step, taken.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::drive::Drive;
use super::help;
use super::prompt::ask;
use crate::action::{Entry, Event, Outcome, measured};
use crate::cli::Cli;
use crate::cli::act::ASKED;
use crate::cli::connect::runtime;
use crate::cli::start::{audit, start};
use crate::document::Document;
use crate::live::Live;
use crate::model::{Time, clean, washed};
use crate::runbook::{Answers, Step, Taken, Task, Values, confirmed, judged, shown, task, waited};
use crate::source::Clock;

/// How long the first picture may take to become whole.
const FIRST: Duration = Duration::from_secs(3);
/// How far the clocks of two of us may be apart: each takes the wall time once.
const CLOCKS: Duration = Duration::from_secs(60);
/// How often a condition that is waited for is looked at, if nothing is pushed.
const LOOK: Duration = Duration::from_millis(250);

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

    /// Takes a step; what was measured of it: for how long writes were away.
    pub(super) fn take(&self, step: &Step, values: &Values, document: &Document) -> anyhow::Result<(Taken, Option<String>)> {
        let mut away = None;
        let taken = match task(step, values, document) {
            Task::Settled(taken) => taken,
            Task::Wait { condition, deadline, goes_on } => self.wait(&condition, deadline, goes_on, values)?,
            Task::Act(mut words) => {
                let cluster = values.get("cluster").map(String::as_str).unwrap_or_default();
                if let Some(why) = Cli::elsewhere(&words, cluster) {
                    return Ok((Taken::Failed(why), None));
                }
                words.extend(self.yes.then(|| "--yes".to_owned()));
                let (taken, measured) = self.act(&words)?;
                away = measured;
                taken
            }
            Task::Ask { question, into, answers } => {
                match asked(&question, &answers, document, &help::with_prose(step, &help::answers(&answers, document)))? {
                    Some(answer) => Taken::Answered(into, answer),
                    None => Taken::Failed("nothing was answered".to_owned()),
                }
            }
            Task::Command { on, command } => {
                let place = on.map(|on| format!("on {on}: ")).unwrap_or_default();
                println!("  run {}\n", clean(&place));
                command.lines().for_each(|line| println!("      {}", washed(line)));
                println!();
                yes_or_no("Is it done, and did it do what it should?", true, &help::with_prose(step, &help::command()))?
            }
            Task::Look { question, wanted } => yes_or_no(&question, wanted, &help::with_prose(step, &help::yes_or_no(wanted)))?,
        };
        Ok((taken, away))
    }

    /// An action, by a process of its own: the same plan, question, order and audit as when it is asked for by hand, and Ctrl-C means to it what it
    /// always means.
    fn act(&self, words: &[String]) -> anyhow::Result<(Taken, Option<String>)> {
        println!("  pgbaton {}", clean(&words.join(" ")));
        let program = std::env::current_exe().context("this program has no path")?;
        let mut command = Command::new(program);
        if let Some(config) = &self.connect.config {
            command.arg("--config").arg(config);
        }
        command.args(self.connect.read_only.then_some("--read-only")).args(&self.connect.cluster).args(words);
        let since = self.now();
        let mut process = command.spawn().context("pgbaton cannot be started")?;
        let status = process.wait().context("pgbaton cannot be waited for")?;
        let away = audit().ok().and_then(|audit| away(&audit.read().ok()?.0, process.id(), since));
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        let known = [Outcome::Done, Outcome::Failed, Outcome::Refused].into_iter().find(|outcome| code == Some(outcome.code()));
        let taken = match known {
            Some(Outcome::Done) => Taken::Done("DONE".to_owned()),
            Some(outcome) => Taken::Failed(format!("it was {outcome}")),
            None if code == Some(ASKED) => {
                Taken::Unknown("another operator has to approve it; carry it out with `pgbaton run`, then say that it was done".to_owned())
            }
            None => Taken::Unknown(format!("what became of it is not known ({status})")),
        };
        Ok((taken, away))
    }

    fn wait(&self, condition: &str, deadline: Duration, goes_on: bool, values: &Values) -> anyhow::Result<Taken> {
        let shown = shown(condition, values);
        runtime()?.block_on(async {
            // Before anything is told: whoever sees it may press Ctrl-C at once.
            let mut interrupt = signal(SignalKind::interrupt())?;
            println!("  waits up to {} s for: {}", deadline.as_secs(), clean(&shown));
            let mut live = self.live().await?;
            let begun = Instant::now();
            let mut said = String::new();
            live.settle(FIRST).await;
            loop {
                let held = judged(condition, values, &live.document());
                let after = begun.elapsed();
                if let Some(taken) = waited(&shown, &held, after, deadline, goes_on) {
                    return Ok(taken);
                }
                let now = match &held {
                    Err(why) => format!("not known yet: {why}"),
                    Ok(_) => "not so yet".to_owned(),
                };
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

/// For how long writes were away in what a process has done, by the audit; it was started at that moment, and numbers of processes are used again.
fn away(entries: &[Entry], pid: u32, since: Time) -> Option<String> {
    let of = |entry: &&Entry| entry.at.plus(CLOCKS) >= since && matches!(&entry.event, Event::Begin(begin) if begin.pid == pid);
    let measures = entries.iter().filter(of).filter_map(|begun| {
        entries.iter().find_map(|end| match &end.event {
            Event::End { downtime_ms, .. } if end.id == begun.id => measured(downtime_ms),
            _ => None,
        })
    });
    let told: Vec<String> = measures.collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// An answer that the question takes; it is asked again until there is one. `None` where nobody can be asked, or nothing is said.
pub(super) fn asked(question: &str, answers: &Answers, document: &Document, help: &str) -> anyhow::Result<Option<String>> {
    let choices = answers.choices(document);
    for (name, why) in choices.iter().flat_map(|choices| &choices.barred) {
        println!("  not {}", clean(&format!("{name}: {why}")));
    }
    let choices = choices.map(|choices| format!(" [{}]", choices.offered.join(", "))).unwrap_or_default();
    loop {
        let Some(answer) = ask(&format!("{question}{choices}"), help)?.filter(|answer| !answer.is_empty()) else { return Ok(None) };
        match answers.refused(&answer, document) {
            None => return Ok(Some(answer)),
            Some(why) => println!("  {}", clean(&why)),
        }
    }
}

/// Yes or no; anything else is no answer.
fn yes_or_no(question: &str, wanted: bool, help: &str) -> anyhow::Result<Taken> {
    loop {
        match ask(&format!("{question} [yes/no]"), help)?.as_deref() {
            Some(answer @ ("y" | "yes" | "n" | "no")) => return Ok(confirmed(question, answer, wanted)),
            Some(_) => println!("  yes or no; ? tells what each of them does"),
            None => return Ok(Taken::Failed("nobody can be asked here".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::action::Beginning;

    #[test]
    fn what_was_measured_is_that_of_this_process_and_of_no_earlier_one_of_its_number() {
        let at = |seconds: i64| Time::from_micros(seconds * 1_000_000);
        let entry = |id: &str, at: Time, event: Event| {
            let (cluster, operation) = ("card".to_owned(), "switchover".to_owned());
            Entry { id: id.to_owned(), at, cluster, operation, event }
        };
        let begin = |id: &str, seconds: i64, pid: u32| {
            let line = serde_json::json!({
                "sentence": "", "member": null, "who": null, "pid": pid, "request": null, "patronictl": null, "checks": [], "overridden": [],
                "answered": "y"
            });
            entry(id, at(seconds), Event::Begin(Box::new(serde_json::from_value::<Beginning>(line).expect("a beginning"))))
        };
        let end = |id: &str, seconds: i64, ms: u64| {
            let downtime_ms = BTreeMap::from([("vm1".to_owned(), Some(ms)), ("vm4".to_owned(), None)]);
            let (sentence, phases) = (String::new(), BTreeMap::new());
            entry(id, at(seconds), Event::End { outcome: Outcome::Done, sentence, reply: None, phases, downtime_ms, notes: Vec::new() })
        };
        let entries = [
            begin("1", 100, 7),
            end("1", 110, 9000),
            begin("2", 1000, 7),
            begin("3", 1001, 8),
            end("3", 1002, 5000),
            end("2", 1005, 1900),
            begin("4", 1010, 8),
        ];
        let told = |pid: u32| away(&entries, pid, at(999));
        assert_eq!(told(7).as_deref(), Some("writes were away for 1.9 s on vm1; for how long on vm4 is not known"));
        assert_eq!(told(9), None, "it has begun nothing");
        assert_eq!(away(&entries, 8, at(1008)).as_deref(), Some("writes were away for 5.0 s on vm1; for how long on vm4 is not known"));
        assert_eq!(away(&entries, 8, at(1200)), None, "what was begun before it was started is not its own");
    }
}
