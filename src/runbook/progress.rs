//! A run whose steps are taken on a screen: where it stands, and how it goes on by facts, by answers and by what became of actions.

use std::time::Duration;

use super::judge::{holds, judged, shown};
use super::{Deed, Entry, Input, Kind, Next, Run, Runbook, Step, Taken, Task, confirmed, leader, task, waited};
use crate::document::Document;
use crate::model::Time;

/// How long before something is done the moment may lie that is written down for it: that of the last picture.
const LAG: Duration = Duration::from_secs(1);

/// Where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Nothing can be done, and why: it is only read.
    Reading(String),
    /// It lies open to be read: nothing is begun yet.
    Offered,
    /// Something has to be said before it begins: the input of this number.
    Input(usize),
    /// What held when it was left holds no longer: the steps, each with the reason.
    Gone(Vec<(String, String)>),
    /// The step is taken as soon as the facts are fresh.
    Ahead,
    /// The condition is waited for.
    Waits {
        /// With its values.
        condition: String,
        /// How long that may take.
        deadline: Duration,
        /// Whether the run goes on at the deadline.
        goes_on: bool,
        /// Whether it holds now.
        held: Result<bool, String>,
    },
    /// Somebody has to do something.
    Asks(Task),
    /// The action is under way, or its plan waits for an answer.
    Acts(Vec<String>),
    /// The step did not come to be.
    Failed {
        /// Why.
        why: String,
        /// Whether nobody knows what became of it.
        unknown: bool,
    },
    /// All steps are behind us.
    Finished,
    /// Somebody has ended it.
    Aborted,
}

/// A run on a screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is run.
    pub runbook: Runbook,
    /// What was done so far.
    pub run: Run,
    /// Where it stands.
    pub stage: Stage,
    /// Since when it stands there.
    pub since: Time,
    /// When somebody last said that what had failed is to be tried again.
    retried: Option<Time>,
}

impl Progress {
    /// A run that begins or is taken up, with the facts as they are now; `idle` says why nothing can be done, if so.
    pub fn of(runbook: Runbook, run: Run, idle: Option<String>, document: &Document, now: Time) -> Self {
        let gone = run.no_longer(&runbook, document);
        let stage = match idle.or_else(|| run.unsuited(&runbook, document)) {
            Some(why) => Stage::Reading(why),
            None if !gone.is_empty() => Stage::Gone(gone),
            None => Stage::Ahead,
        };
        let mut progress = Self { runbook, run, stage, since: now, retried: None };
        if progress.stage == Stage::Ahead {
            progress.ask_first();
        }
        progress
    }

    /// Lays a run that was not begun open to be read, if something can be done in it at all.
    pub fn offer(&mut self) {
        if !matches!(self.stage, Stage::Reading(_)) {
            self.stage = Stage::Offered;
        }
    }

    /// Begins it, if it is for this cluster still.
    pub fn start(&mut self, document: &Document, now: Time) {
        if self.stage != Stage::Offered {
            return;
        }
        self.since = now;
        match self.run.unsuited(&self.runbook, document) {
            Some(why) => self.stage = Stage::Reading(why),
            None => {
                self.run.begun = now;
                self.ask_first();
            }
        }
    }

    /// Whether everything is said that it asks for before it begins.
    fn ask_first(&mut self) {
        let missing = self.runbook.front.inputs.iter().position(|input| !self.run.values.contains_key(&input.name));
        self.stage = missing.map_or(Stage::Ahead, Stage::Input);
    }

    /// The input that is asked for.
    pub fn input(&self) -> Option<&Input> {
        match self.stage {
            Stage::Input(n) => self.runbook.front.inputs.get(n),
            _ => None,
        }
    }

    /// The step that is next, and for whom.
    pub fn step(&self) -> Option<(&Step, Option<String>)> {
        match self.run.next(&self.runbook) {
            Next::Step(step, each) => Some((step, each)),
            Next::Finished | Next::Aborted => None,
        }
    }

    /// How long it has stood there.
    pub fn elapsed(&self, now: Time) -> Duration {
        now.since(self.since)
    }

    fn at(&mut self, stage: Stage, now: Time) {
        self.stage = stage;
        self.since = now;
    }

    fn note_down(&mut self, step: Option<(String, Option<String>)>, deed: Deed, now: Time) {
        let (step, each) = step.map_or((None, None), |(step, each)| (Some(step), each));
        self.run.entries.push(Entry { at: now, step, each, deed });
    }

    /// Takes in what became of the step that is next.
    fn settle(&mut self, taken: &Taken, now: Time) {
        let Next::Step(step, each) = self.run.next(&self.runbook) else { return };
        let (step, of) = (step.clone(), (step.id.clone(), each));
        let stage = match (self.run.settle(&step, taken), taken) {
            (Some(deed), _) => {
                let stage = match &deed {
                    Deed::Failed { reason } => Stage::Failed { why: reason.clone(), unknown: false },
                    _ => Stage::Ahead,
                };
                self.note_down(Some(of), deed, now);
                stage
            }
            (None, Taken::Unknown(why)) => Stage::Failed { why: why.clone(), unknown: true },
            (None, _) => Stage::Ahead,
        };
        self.at(stage, now);
    }

    /// Whether all that the picture tells as current was asked after what somebody did last.
    fn fresh(&self, document: &Document) -> bool {
        let by_facts = |entry: &Entry| {
            let step = entry.step.as_deref().and_then(|id| self.runbook.step(id));
            step.is_some_and(|step| matches!(step.kind, Kind::Require { .. } | Kind::Wait { .. } | Kind::When(_) | Kind::ForEach(_)))
        };
        let done = self.run.entries.iter().rev().find(|entry| match entry.deed {
            Deed::Note { .. } | Deed::Measured { .. } => false,
            Deed::Failed { .. } => true,
            _ => !by_facts(entry),
        });
        done.map(|entry| entry.at).max(self.retried).is_none_or(|moment| asked_after(document, moment))
    }

    /// Goes on as far as the facts alone decide; whether something was noted down.
    pub fn look(&mut self, document: &Document, now: Time) -> bool {
        let before = self.run.entries.len();
        loop {
            match &self.stage {
                Stage::Ahead => {
                    let Some((step, each)) = self.step() else {
                        let stage = if self.run.aborted() { Stage::Aborted } else { Stage::Finished };
                        self.at(stage, now);
                        break;
                    };
                    if self.run.last(&step.id, each.as_deref()).is_some_and(|entry| entry.deed == Deed::Begun) {
                        let why = "it was begun before, and what became of it is not known".to_owned();
                        self.at(Stage::Failed { why, unknown: true }, now);
                        break;
                    }
                    if !self.fresh(document) {
                        break;
                    }
                    let values = self.run.values(&self.runbook, step, each.as_deref(), leader(document));
                    match task(step, &values, document) {
                        Task::Settled(taken) => self.settle(&taken, now),
                        Task::Wait { condition, deadline, goes_on } => {
                            let held = judged(&condition, &values, document);
                            self.at(Stage::Waits { condition: shown(&condition, &values), deadline, goes_on, held }, now);
                        }
                        other => self.at(Stage::Asks(other), now),
                    }
                }
                Stage::Waits { condition, deadline, goes_on, .. } => {
                    let held = holds(condition, document);
                    let taken = waited(condition, &held, self.elapsed(now), *deadline, *goes_on);
                    match taken {
                        Some(taken) => self.settle(&taken, now),
                        None => {
                            if let Stage::Waits { held: before, .. } = &mut self.stage {
                                *before = held;
                            }
                            break;
                        }
                    }
                }
                _ => break,
            }
        }
        self.run.entries.len() > before
    }

    /// Whether the step that is next comes to what is asked, with the facts as they are now; if not, it is judged anew.
    pub fn asks_still(&mut self, document: &Document, now: Time) -> bool {
        let (Stage::Asks(asked), Some((step, each))) = (&self.stage, self.step()) else { return false };
        let values = self.run.values(&self.runbook, step, each.as_deref(), leader(document));
        if task(step, &values, document) == *asked {
            return true;
        }
        self.at(Stage::Ahead, now);
        false
    }

    /// Takes an answer: to what is asked before it begins, or to a step's question.
    ///
    /// # Errors
    /// It is none; the error is a sentence.
    pub fn answer(&mut self, answer: &str, document: &Document, now: Time) -> Result<(), String> {
        if let Some(input) = self.input() {
            if let Some(why) = input.answers().refused(answer, document) {
                return Err(why);
            }
            let name = input.name.clone();
            self.run.values.insert(name, answer.to_owned());
            self.ask_first();
            self.since = now;
            return Ok(());
        }
        let Stage::Asks(Task::Ask { into, answers, .. }) = &self.stage else { return Err("nothing is asked".to_owned()) };
        if let Some(why) = answers.refused(answer, document) {
            return Err(why);
        }
        let taken = Taken::Answered(into.clone(), answer.to_owned());
        self.settle(&taken, now);
        Ok(())
    }

    /// Takes yes or no: to what is looked at, to whether a command is done, to whether to go on though facts have changed.
    ///
    /// # Errors
    /// Nothing is asked with yes and no.
    pub fn confirm(&mut self, yes: bool, now: Time) -> Result<(), String> {
        let word = if yes { "yes" } else { "no" };
        let taken = match &self.stage {
            Stage::Asks(Task::Look { question, wanted }) => confirmed(question, word, *wanted),
            Stage::Asks(Task::Command { .. }) => confirmed("Is it done, and did it do what it should?", word, true),
            Stage::Gone(gone) if yes => {
                let text = gone.iter().map(|(step, why)| format!("{step}: {why}")).collect::<Vec<_>>().join("; ");
                self.note_down(None, Deed::Note { text: format!("went on though no longer so: {text}") }, now);
                self.at(Stage::Ahead, now);
                return Ok(());
            }
            _ => return Err("nothing is asked that yes or no would answer".to_owned()),
        };
        self.settle(&taken, now);
        Ok(())
    }

    /// The order is about to go out: from here on nobody knows what became of it, until somebody says.
    pub fn begin(&mut self, now: Time) {
        let of = self.step().map(|(step, each)| (step.id.clone(), each));
        self.note_down(of, Deed::Begun, now);
    }

    /// Whether the order of the step that is next has gone out, and nobody has written down yet what became of it.
    pub fn has_begun(&self) -> bool {
        let begun = |(step, each): (&Step, Option<String>)| self.run.last(&step.id, each.as_deref()).map(|entry| &entry.deed);
        self.step().and_then(begun) == Some(&Deed::Begun)
    }

    /// Takes in what became of an action.
    pub fn became(&mut self, taken: &Taken, now: Time) {
        self.settle(taken, now);
    }

    /// Has the step that failed taken again.
    ///
    /// # Errors
    /// None has failed.
    pub fn again(&mut self, now: Time) -> Result<(), String> {
        let Stage::Failed { why, unknown } = &self.stage else { return Err("nothing has failed that could be tried again".to_owned()) };
        if *unknown {
            let of = self.step().map(|(step, each)| (step.id.clone(), each));
            let reason = format!("{why}; it is tried again");
            self.note_down(of, Deed::Failed { reason }, now);
        }
        self.retried = Some(now);
        self.at(Stage::Ahead, now);
        Ok(())
    }

    /// Has an action of which nobody knows taken for done.
    ///
    /// # Errors
    /// There is none.
    pub fn settled(&mut self, now: Time) -> Result<(), String> {
        if !matches!(self.stage, Stage::Failed { unknown: true, .. }) {
            return Err("there is no action of which nobody knows whether it was done".to_owned());
        }
        self.settle(&Taken::Done("it was done, by the operator's word".to_owned()), now);
        Ok(())
    }

    /// Passes the step over.
    pub fn skip(&mut self, reason: &str, now: Time) {
        let Next::Step(step, each) = self.run.next(&self.runbook) else { return };
        let (step, of) = (step.clone(), (step.id.clone(), each));
        let deed = self.run.pass_over(&step, reason);
        self.note_down(Some(of), deed, now);
        self.at(Stage::Ahead, now);
    }

    /// Keeps something to be remembered, of the step that is next.
    pub fn note(&mut self, text: &str, now: Time) {
        let of = self.step().map(|(step, each)| (step.id.clone(), each));
        self.note_down(of, Deed::Note { text: text.to_owned() }, now);
    }

    /// Keeps what was measured of the action of a step that may be behind us; `again`: in place of what was kept of it last.
    pub fn measured(&mut self, of: (String, Option<String>), told: String, again: bool, now: Time) {
        let last =
            |entry: &Entry| matches!(entry.deed, Deed::Measured { .. }) && (entry.step.as_ref(), &entry.each) == (Some(&of.0), &of.1);
        if let Some(at) = self.run.entries.iter().rposition(last).filter(|_| again) {
            self.run.entries.remove(at);
        }
        self.note_down(Some(of), Deed::Measured { told }, now);
    }

    /// Ends the run.
    pub fn abort(&mut self, reason: &str, now: Time) {
        let of = self.step().map(|(step, each)| (step.id.clone(), each));
        self.note_down(of, Deed::Aborted { reason: reason.to_owned() }, now);
        self.at(Stage::Aborted, now);
    }
}

/// Whether every answer that still counts was asked for after this moment. An answer is as old as it says when it came; it was asked for before that.
fn asked_after(document: &Document, moment: Time) -> bool {
    let since = document.at.since(moment);
    let counting = document.sources.iter().filter_map(|source| {
        let age = source.age_ms.filter(|age| *age <= source.limit_ms)?;
        Some(Duration::from_millis(age) + Duration::from_secs_f64(source.rtt_ms.unwrap_or_default().max(0.0) / 1000.0))
    });
    since > LAG && counting.max().is_none_or(|oldest| oldest + LAG < since)
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
