//! What a step comes to at a moment: what is settled by the facts alone, and what somebody has to do.

use std::time::Duration;

use super::judge::{judged, shown};
use super::members::members;
use super::{Answers, Kind, Step, Values, fill, words};
use crate::document::Document;

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
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

/// What there is to be done for a step, its values filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Nothing: the facts decide.
    Settled(Taken),
    /// To wait.
    Wait {
        /// The condition.
        condition: String,
        /// How long that may take.
        deadline: Duration,
        /// Whether the run goes on at the deadline.
        goes_on: bool,
    },
    /// To have pgbaton act: the words of its command line.
    Act(Vec<String>),
    /// To be answered.
    Ask {
        /// The question.
        question: String,
        /// Where the answer goes.
        into: String,
        /// What it can be.
        answers: Answers,
    },
    /// To be run by the operator.
    Command {
        /// Where.
        on: Option<String>,
        /// The command, its values spelled for a shell.
        command: String,
    },
    /// To be looked at.
    Look {
        /// The question.
        question: String,
        /// The answer with which the run goes on.
        wanted: bool,
    },
}

/// What a step comes to with these values and the facts as they are.
pub fn task(step: &Step, values: &Values, document: &Document) -> Task {
    if let Some(only_if) = &step.only_if {
        match judged(only_if, values, document) {
            Ok(true) => {}
            Ok(false) => return Task::Settled(Taken::Skipped(format!("not so: {}", shown(only_if, values)))),
            Err(why) => return Task::Settled(Taken::Failed(format!("whether it is to be done is not known: {why}"))),
        }
    }
    of_kind(&step.kind, values, document).unwrap_or_else(|why| Task::Settled(Taken::Failed(why)))
}

fn of_kind(kind: &Kind, values: &Values, document: &Document) -> Result<Task, String> {
    Ok(match kind {
        Kind::Require { condition, otherwise } => Task::Settled(match (judged(condition, values, document)?, otherwise) {
            (true, _) => Taken::Done(format!("so it is: {}", shown(condition, values))),
            (false, Some(otherwise)) => Taken::Failed(fill(otherwise, values)?),
            (false, None) => Taken::Failed(format!("not so: {}", shown(condition, values))),
        }),
        Kind::When(condition) => Task::Settled(match judged(condition, values, document) {
            Ok(true) => Taken::Done(format!("so it is: {}", shown(condition, values))),
            Ok(false) => Taken::Skipped(format!("not so: {}", shown(condition, values))),
            Err(why) => Taken::Failed(format!("whether that is so is not known: {why}")),
        }),
        Kind::ForEach(each) => Task::Settled(Taken::Members(members(each.among, document)?)),
        Kind::Wait { condition, deadline, goes_on } => Task::Wait { condition: condition.clone(), deadline: *deadline, goes_on: *goes_on },
        Kind::Action(text) => Task::Act(words(text, values)?),
        Kind::Ask { question, into, answers } => {
            Task::Ask { question: fill(question, values)?, into: into.clone(), answers: answers.filled(values)? }
        }
        Kind::Command { command, on } => {
            // A command whose quotes are not closed, or that a value would make into another one, is not shown.
            words(command, values)?;
            let on = on.as_deref().map(|on| fill(on, values)).transpose()?;
            Task::Command { on, command: quoted(command, values)? }
        }
        Kind::Look { question, wanted } => Task::Look { question: fill(question, values)?, wanted: *wanted },
    })
}

/// A command with its values, each spelled so that a shell takes it for one word or a part of one.
fn quoted(command: &str, values: &Values) -> Result<String, String> {
    let quoted = values.iter().map(|(name, value)| match shlex::try_quote(value) {
        Ok(quoted) => Ok((name.clone(), quoted.into_owned())),
        Err(_) => Err(format!("{name} cannot be spelled for a shell")),
    });
    fill(command, &quoted.collect::<Result<Values, String>>()?)
}

/// How a wait stands: nothing while it goes on.
pub fn waited(condition: &str, held: &Result<bool, String>, after: Duration, deadline: Duration, goes_on: bool) -> Option<Taken> {
    let seconds = after.as_secs_f64();
    let why = match held {
        Ok(true) => return Some(Taken::Done(format!("so it is, after {seconds:.1} s: {condition}"))),
        _ if after < deadline => return None,
        Ok(false) => format!("after {} s: not so yet: {condition}", deadline.as_secs()),
        Err(why) => format!("after {} s: not known yet: {why}: {condition}", deadline.as_secs()),
    };
    Some(if goes_on { Taken::Skipped(why) } else { Taken::Failed(why) })
}

/// What came of a question with yes and no, by what was answered.
pub fn confirmed(question: &str, answer: &str, wanted: bool) -> Taken {
    match answer {
        "y" | "yes" if wanted => Taken::Done(format!("{question} yes")),
        "n" | "no" if !wanted => Taken::Done(format!("{question} no")),
        other => Taken::Failed(format!("it goes on by the answer {} only: {question} {other}", if wanted { "yes" } else { "no" })),
    }
}

/// What a step would be, for one who only looks.
pub fn walked(step: &Step, values: &Values, document: &Document) -> String {
    let condition = |text: &str| match (judged(text, values, document), shown(text, values)) {
        (Ok(true), text) => format!("holds now: {text}"),
        (Ok(false), text) => format!("does not hold now: {text}"),
        (Err(why), text) => format!("not known now: {text}: {why}"),
    };
    let text = |text: &str| fill(text, values).unwrap_or_else(|_| text.to_owned());
    let what = match &step.kind {
        Kind::Require { condition: text, .. } => condition(text),
        Kind::Wait { condition: text, deadline, .. } => format!("would be waited for, up to {} s; {}", deadline.as_secs(), condition(text)),
        Kind::Action(line) => format!("would do: pgbaton {}", words(line, values).map_or_else(|_| line.clone(), |words| words.join(" "))),
        Kind::Ask { question, into, .. } => format!("would ask: {} (for {into})", text(question)),
        Kind::Command { command, on } => {
            format!("to be run{}: {}", on.as_deref().map(|on| format!(" on {}", text(on))).unwrap_or_default(), text(command))
        }
        Kind::Look { question, .. } => format!("to be looked at: {}", text(question)),
        Kind::ForEach(each) => format!("the steps below are taken for each of: {}", each.among),
        Kind::When(text) => format!("the steps below are taken if it is so: {}", condition(text)),
    };
    match &step.only_if {
        Some(only_if) => format!("{what}\n  only if that is so: {}", condition(only_if)),
        None => what,
    }
}
