//! For how long writes were away in the action of a runbook's step, as its run has it.
//!
//! That is known only after the outcome, when the routes have moved. The first word of it is written down as soon as there is one, and the last one
//! takes its place: whoever leaves before, or is killed, leaves a run that says that it was not measured to its end.

use super::{CourseSheet, Effect, State, book};
use crate::model::Time;

/// An action of a step that is watched for how long it takes writes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The step, and for whom it is.
    pub of: (String, Option<String>),
    /// Whether the run has something of it already, which is replaced.
    pub noted: bool,
}

/// What is said of one that may go on.
const CUT: &str = "not measured to its end";

/// The outcome of the step's action is known, and what follows is watched.
pub(super) fn begin(state: &mut State) {
    if let Some(book) = &mut state.book {
        book.outage = book.progress.step().map(|(step, each)| Outage { of: (step.id.clone(), each), noted: false });
    }
}

/// The watching goes on, or is over.
pub(super) fn follow(state: &mut State, course: &CourseSheet) -> Vec<Effect> {
    let Some(outage) = state.book.as_ref().and_then(|book| book.outage.clone()) else { return Vec::new() };
    match &course.away {
        away if course.over => end(state, away.clone()),
        // Its seconds count on; once is enough for whoever finds the run as it was left.
        Some(away) if !outage.noted => note(state, outage, format!("{away}; {CUT}")),
        _ => Vec::new(),
    }
}

/// Another action begins, and ends the watching of this one.
pub(super) fn cut(state: &mut State, away: Option<String>) -> Vec<Effect> {
    end(state, away.map(|away| format!("{away}; {CUT}")))
}

/// pgbaton is left: what is known by now is written down, of an action under way too.
pub(super) fn leave(state: &mut State) -> Vec<Effect> {
    let away = state.course.as_ref().and_then(|course| course.away.clone());
    if book::acts(state) && state.course.as_ref().is_some_and(|course| course.outcome.is_none()) {
        begin(state);
    }
    cut(state, away)
}

/// The last word of it, if there is one.
fn end(state: &mut State, told: Option<String>) -> Vec<Effect> {
    let outage = state.book.as_mut().and_then(|book| book.outage.take());
    let effects = outage.zip(told).map(|(outage, told)| note(state, outage, told));
    if let Some(book) = &mut state.book {
        book.outage = None;
    }
    effects.unwrap_or_default()
}

fn note(state: &mut State, outage: Outage, told: String) -> Vec<Effect> {
    let now = state.now.unwrap_or(Time::from_micros(0));
    book::with(state, |book, _| {
        book.progress.measured(outage.of.clone(), told, outage.noted, now);
        book.outage = Some(Outage { noted: true, ..outage });
        Ok(true)
    })
}
