//! A plan and its course in words.

use std::fmt::Write;
use std::time::Duration;

use serde_json::json;

use crate::action::{Check, Course, Entry, Event, Execution, Light, Outcome, Plan};
use crate::model::{Time, washed};

/// A plan for a person.
pub fn plan(plan: &Plan) -> String {
    lines(
        (&plan.scope, &plan.sentence),
        &plan.checks,
        &plan.effects,
        &plan.order.as_ref().map(ToString::to_string),
        plan.patronictl.as_deref(),
    )
}

/// The lines of a plan. They may have been written by another, so they are washed.
pub fn lines(
    (scope, sentence): (&str, &str),
    checks: &[Check],
    effects: &[String],
    order: &Result<String, impl std::fmt::Display>,
    patronictl: Option<&str>,
) -> String {
    let mut out = format!("{}: {}\n", washed(scope), washed(sentence));
    for check in checks {
        let mark = match check.light {
            Light::Green => "  ok   ",
            Light::Amber => "  note ",
            Light::Red => "  NO   ",
        };
        let _ = writeln!(out, "{mark}{:<16} {}", washed(&check.id), washed(&check.sentence));
    }
    for effect in effects {
        let _ = writeln!(out, "effect: {}", washed(effect));
    }
    match order {
        Ok(order) => drop(writeln!(out, "order:  {}", washed(order))),
        Err(why) => drop(writeln!(out, "order:  none: {}", washed(&why.to_string()))),
    }
    if let Some(line) = patronictl {
        let _ = writeln!(out, "same:   {}", washed(line));
    }
    out
}

/// A plan as a JSON line.
pub fn plan_json(plan: &Plan) -> anyhow::Result<String> {
    let line = json!({
        "event": "plan",
        "cluster": plan.scope,
        "operation": plan.name,
        "sentence": plan.sentence,
        "member": plan.member,
        "light": plan.light(),
        "checks": plan.checks,
        "effects": plan.effects,
        "request": plan.order.as_ref().ok().map(ToString::to_string),
        "patronictl": plan.patronictl,
        "confirm": plan.confirm,
    });
    Ok(format!("{}\n", serde_json::to_string(&line)?))
}

/// An outcome as a JSON line.
pub fn outcome_json(execution: &Execution, outcome: Outcome, sentence: &str) -> anyhow::Result<String> {
    let course = execution.course();
    let phases: Vec<_> = course
        .phases()
        .iter()
        .map(|phase| json!({ "name": phase.name, "seconds": phase.at.map(|at| at.since(course.asked()).as_secs_f64()) }))
        .collect();
    let line = json!({
        "event": "outcome",
        "operation": execution.name(),
        "outcome": outcome,
        "sentence": sentence,
        "reply": course.reply().map(ToString::to_string),
        "phases": phases,
        "notes": execution.notes(),
        "downtime_ms": execution.downtime_ms(),
    });
    Ok(format!("{}\n", serde_json::to_string(&line)?))
}

/// That nothing was asked for, as a JSON line.
pub fn refused_json(operation: Option<&str>, why: &str) -> String {
    let outcome = Outcome::Refused;
    let line = json!({ "event": "outcome", "operation": operation, "outcome": outcome, "sentence": why, "reply": null, "phases": [] });
    format!("{line}\n")
}

/// An action of before whose end nobody wrote.
pub fn left_open(entry: &Entry) -> String {
    let what = match &entry.event {
        Event::Begin(begin) => begin.sentence.as_str(),
        Event::End { .. } => entry.operation.as_str(),
    };
    format!("the {what}, begun at {}, has no end in the audit: what became of it is not known", entry.at)
}

/// How often it is printed how far something is.
const PROGRESS: Duration = Duration::from_secs(5);

/// What was printed of a course.
#[derive(Debug, Default)]
pub struct Steps {
    seen: Vec<String>,
    said: String,
    /// When it was last printed how far it is.
    progress: Option<Time>,
    done: bool,
}

impl Steps {
    /// What is new, a line for each; how far it is, now and then. `behind`: what an outcome that is Patroni's alone is told with.
    pub fn news(&mut self, course: &Course, now: Time, behind: impl FnOnce() -> String) -> String {
        let mut out = String::new();
        let mut steps: Vec<_> = course.phases().iter().filter_map(|phase| Some((phase.at?, &phase.name))).collect();
        steps.sort();
        for (at, name) in steps {
            if !self.seen.contains(name) {
                self.seen.push(name.clone());
                let _ = writeln!(out, "{:>7.2} s  {name}", at.since(course.asked()).as_secs_f64());
            }
        }
        match course.outcome() {
            None => {
                let told = course.now_told();
                let goes_on = course.progress().is_some();
                // Another part of the work is told at once, its figures now and then.
                let part = |text: &str| text.split_once(": ").map_or(text, |(part, _)| part).to_owned();
                let same = part(&told) == part(&self.said);
                let waits = goes_on && same && self.progress.is_some_and(|at| now.since(at) < PROGRESS);
                if told != self.said && !waits {
                    let _ = writeln!(out, "           {told}");
                    self.said = told;
                    self.progress = goes_on.then_some(now).or(self.progress);
                }
            }
            Some((outcome, sentence)) if !self.done => {
                self.done = true;
                if !course.over() {
                    let _ = writeln!(out, "           {outcome}: {sentence}{}; watching what follows", behind());
                }
            }
            Some(_) => {}
        }
        out
    }
}
