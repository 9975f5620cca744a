//! Runs that were left in their middle: they are recalled where the one who looks begins.

use super::book;
use super::{EventLine, State};
use crate::document::Level;
use crate::model::Time;
use crate::runbook::{Left, Stage};

/// The runs that nobody has open, as they are on the disk now. One that was not known is an event.
pub(super) fn found(state: &mut State, left: Vec<Left>) {
    let at = state.now.unwrap_or(Time::from_micros(0));
    for run in left.iter().rev().filter(|run| !state.left.iter().any(|known| known.id == run.id)) {
        let level = if run.unknown { Level::Warning } else { Level::Ok };
        let line = EventLine::new(at, level, "run-left", run.sentence());
        state.facts.events.push(EventLine { evidence: run.evidence(), ..line });
    }
    state.left = left;
}

/// A run that waits for somebody to go on with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recalled {
    /// Where it stands.
    pub run: Left,
    /// Whether it is open in this console; else it was left.
    pub here: bool,
    /// How many were left beside it.
    pub more: usize,
}

/// The run that is to be gone on with: the one that is open here, else the one that was left last.
pub fn recalled(state: &State) -> Option<Recalled> {
    let middle = |stage: &Stage| !matches!(stage, Stage::Finished | Stage::Aborted | Stage::Reading(_));
    let open = state.book.as_ref().filter(|book| book.kept && middle(&book.progress.stage));
    match open.and_then(|book| Left::of(&book.progress.run, &book.progress.runbook)) {
        Some(run) => Some(Recalled { run, here: true, more: state.left.len() }),
        None => state.left.split_first().map(|(first, rest)| Recalled { run: first.clone(), here: false, more: rest.len() }),
    }
}

/// Whether the key for runbooks leads to the runs from here, and not to the runbook of a finding.
pub fn leads_to_runs(state: &State) -> bool {
    !book::answers(state)
}
