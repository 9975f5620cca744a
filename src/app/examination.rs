//! What the doctor says, and when it is asked: when its pane is opened, and by a key there. Never by the clock: it asks the nodes.

use std::time::Duration;

use super::State;
use super::update::{Effect, go_to, say};
use crate::doctor::Report;
use crate::model::clean;

/// What the doctor says, as far as it was asked.
#[derive(Debug, Clone, Default)]
pub struct Examination {
    /// The last report.
    pub report: Option<Box<Report>>,
    /// Why there is no newer one, if it was asked in vain.
    pub failed: Option<String>,
    /// Whether it is being asked.
    pub asking: bool,
    /// Whether its pane has the focus.
    open: bool,
}

/// Whoever comes to the pane has a report that is older than this asked for anew.
const OLD: Duration = Duration::from_secs(60);

/// The pane that shows it.
fn pane(state: &State) -> Option<usize> {
    state.panes.iter().position(|pane| pane.examines())
}

fn here(state: &State) -> bool {
    pane(state) == Some(state.focus)
}

/// After each message: who has just come to the pane has the doctor asked.
pub(super) fn settle(state: &mut State) -> Option<Effect> {
    let here = here(state);
    let was = std::mem::replace(&mut state.facts.doctor.open, here);
    let age = |report: &Report| state.now.map(|now| now.since(report.at));
    let old = state.facts.doctor.report.as_deref().is_none_or(|report| age(report).is_none_or(|age| age > OLD));
    if here && !was && old { ask(state) } else { None }
}

/// Goes to the pane; there, asks anew.
pub(super) fn command(state: &mut State) -> Vec<Effect> {
    match pane(state) {
        Some(number) if number != state.focus => go_to(state, number),
        Some(_) if state.facts.doctor.asking => say(state, "the doctor is being asked already"),
        Some(_) => return ask(state).into_iter().collect(),
        None => say(state, "there is no doctor here"),
    }
    Vec::new()
}

fn ask(state: &mut State) -> Option<Effect> {
    (!std::mem::replace(&mut state.facts.doctor.asking, true)).then_some(Effect::Examine)
}

/// It has answered, or cannot.
pub(super) fn examined(state: &mut State, told: Result<Box<Report>, String>) {
    let doctor = &mut state.facts.doctor;
    doctor.asking = false;
    match told {
        Ok(report) => (doctor.report, doctor.failed) = (Some(report), None),
        // What it said before stands, with its age.
        Err(why) => doctor.failed = Some(clean(&why)),
    }
    let Some(number) = pane(state) else { return };
    let rows = state.rows(number);
    // A row that is gone must not leave the mark nowhere.
    if let Some(view) = state.views.get_mut(number)
        && view.selected.as_ref().is_some_and(|selected| !rows.contains(selected))
    {
        view.selected = rows.into_iter().next();
    }
}
