//! The runbook on the screen: what its keys do, and what comes of it.

use super::act::{self, Asked};
use super::outage::{self, Outage};
use super::possible::why_not;
use super::update::{say, warn};
use super::{Choice, ChoiceRow, CourseSheet, Effect, Mode, Overlay, PlanSheet, State};
use crate::action::Outcome;
use crate::command::CommandId;
use crate::document::{Document, FindingDoc};
use crate::model::Time;
use crate::runbook::{Choices, Kind, Progress, Run, Runbook, Stage, Taken, Task, is_meant};

/// A runbook that was opened.
#[derive(Debug, Clone)]
pub struct Book {
    /// Where its run stands.
    pub progress: Progress,
    /// Whether the run is on the disk; it is from its first step on.
    pub kept: bool,
    /// Whether it was drawn as it stands: a key that was pressed before that was meant for something else.
    pub drawn: bool,
    /// Whether there is a plan of what is next of its action that is to be shown as soon as the view is on top and nothing is typed.
    pub due: bool,
    /// The action that is still watched for how long it takes writes away.
    pub outage: Option<Outage>,
}

/// What is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// A runbook, for the finding that it answers, if for one.
    Runbook(String, Option<String>),
    /// A run that was left.
    Run(String),
}

/// What was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The runbook.
    pub runbook: Runbook,
    /// Its run.
    pub run: Run,
    /// Whether that is on the disk.
    pub kept: bool,
}

/// Before the name of a runbook in the list, and before the id of a run.
const RUNBOOK: &str = "runbook ";
const RUN: &str = "run ";

impl Opening {
    /// The row's id in the list.
    pub fn id(&self) -> String {
        match self {
            Self::Runbook(name, _) => format!("{RUNBOOK}{name}"),
            Self::Run(id) => format!("{RUN}{id}"),
        }
    }

    fn of(id: &str) -> Option<Self> {
        let runbook = id.strip_prefix(RUNBOOK).map(|name| Self::Runbook(name.to_owned(), None));
        runbook.or_else(|| id.strip_prefix(RUN).map(|id| Self::Run(id.to_owned())))
    }
}

fn now(state: &State) -> Time {
    state.now.unwrap_or(Time::from_micros(0))
}

/// The finding that is looked at: the one whose details are open, or the selected one.
fn finding(state: &State) -> Option<&FindingDoc> {
    let row = match &state.overlay {
        Some(Overlay::Details { row, .. }) => row,
        None => state.view()?.selected.as_ref().filter(|selected| state.rows(state.focus).contains(selected))?,
        Some(_) => return None,
    };
    let findings = &state.facts.document.as_deref()?.findings;
    let exact = findings.iter().find(|found| found.subject.is_none() && found.code == *row);
    exact.or_else(|| findings.iter().find(|found| is_meant(found, row)))
}

/// Whether a runbook answers the finding that is looked at.
pub(super) fn answers(state: &State) -> bool {
    finding(state).is_some_and(|finding| finding.runbook.is_some())
}

/// Opens what answers the finding that is looked at; else the run that is in the middle, else the list.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let ended = |book: &Book| matches!(book.progress.stage, Stage::Finished | Stage::Aborted | Stage::Reading(_) | Stage::Offered);
    let busy = state.book.as_ref().is_some_and(|book| matches!(book.progress.stage, Stage::Acts(_)));
    if busy {
        state.overlay = Some(Overlay::Book { scroll: 0 });
        return Vec::new();
    }
    if let Some(finding) = finding(state) {
        let meant = [Some(finding.code.clone()), finding.subject.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        match &finding.runbook {
            Some(name) if state.book.as_ref().is_some_and(|book| !ended(book) && book.progress.run.runbook == *name) => {}
            Some(name) => {
                let Some(left) = state.left.iter().find(|left| left.runbook == *name) else {
                    return vec![Effect::OpenBook(Opening::Runbook(name.clone(), Some(meant)))];
                };
                let text = format!("{}: go on with it, or begin another", left.sentence());
                say(state, text);
                return vec![Effect::ListBooks];
            }
            // Whatever stood first in the list would look like the answer.
            None => {
                let text = format!(
                    "no runbook answers {}: enter on it tells what to do; from another pane this key lists the runbooks",
                    finding.code
                );
                say(state, text);
                return Vec::new();
            }
        }
    }
    if state.book.as_ref().is_some_and(|book| !ended(book)) {
        state.overlay = Some(Overlay::Book { scroll: 0 });
        return Vec::new();
    }
    vec![Effect::ListBooks]
}

/// The list that was asked for.
pub(super) fn listed(state: &mut State, rows: Result<Vec<ChoiceRow>, String>) -> Vec<Effect> {
    let asked = Asked { command: CommandId::Runbooks, member: None, given: Vec::new() };
    let head = ["Name", "Danger", "What it is", "Answers"];
    act::choose_from(state, rows.and_then(|rows| Choice::of(asked, "Runbooks and runs".to_owned(), &head, rows, "there is no runbook")));
    // The list is of now, and so must be what recalls the runs.
    vec![Effect::FindLeft]
}

/// The runbook that was asked for, or why it cannot be opened.
pub(super) fn opened(state: &mut State, opened: Result<Opened, String>) -> Vec<Effect> {
    let document = state.facts.document.clone();
    match (opened, document) {
        (Err(why), _) => say(state, why),
        (_, None) => say(state, "nothing is known of the cluster yet"),
        (Ok(Opened { runbook, run, kept }), Some(document)) => {
            let acts = runbook.steps.iter().any(|step| matches!(step.kind, Kind::Action(_)));
            let idle = match &state.mode {
                Mode::ReadOnly(why) if acts => Some(format!("read-only session: {why}")),
                _ => None,
            };
            let mut progress = Progress::of(runbook, run, idle, &document, now(state));
            if !kept {
                progress.offer();
            }
            // The same run opened again is watched on.
            let same = state.book.take().filter(|book| book.progress.run.id == progress.run.id);
            state.book = Some(Book { progress, kept, drawn: false, due: false, outage: same.and_then(|book| book.outage) });
            state.overlay = Some(Overlay::Book { scroll: 0 });
            // One that was open is let go of with that, and one that was left is not any more.
            return [look(state), vec![Effect::FindLeft]].concat();
        }
    }
    Vec::new()
}

/// Whether the run goes on by itself: who has left it does not see what it does.
fn watched(state: &State) -> bool {
    matches!(state.overlay, Some(Overlay::Book { .. }))
}

/// The facts have changed, or time has passed.
pub(super) fn look(state: &mut State) -> Vec<Effect> {
    let now = now(state);
    if !watched(state) {
        return Vec::new();
    }
    with(state, |book, document| {
        let before = (book.progress.stage.clone(), book.progress.since);
        let noted = book.progress.look(document, now);
        book.drawn &= before.1 == book.progress.since || std::mem::discriminant(&before.0) == std::mem::discriminant(&book.progress.stage);
        Ok(noted)
    })
}

/// Changes the run; when something was noted down it is kept. The error is told.
pub(super) fn with(state: &mut State, change: impl FnOnce(&mut Book, &Document) -> Result<bool, String>) -> Vec<Effect> {
    let (Some(book), Some(document)) = (&mut state.book, &state.facts.document) else { return Vec::new() };
    let before = over(&book.progress.stage);
    match change(book, document) {
        Ok(true) if over(&book.progress.stage) && !before => vec![keep(book), Effect::FindLeft],
        Ok(true) => vec![keep(book)],
        Ok(false) => Vec::new(),
        Err(why) => {
            say(state, why);
            Vec::new()
        }
    }
}

/// Whether the run has come to its end.
fn over(stage: &Stage) -> bool {
    matches!(stage, Stage::Finished | Stage::Aborted)
}

fn keep(book: &mut Book) -> Effect {
    book.kept = true;
    Effect::Keep(Box::new(book.progress.run.clone()))
}

/// A key in the view.
pub(super) fn command(state: &mut State, id: CommandId) -> Vec<Effect> {
    let now = now(state);
    if let Some(why) = why_not(state, id) {
        say(state, why);
        return Vec::new();
    }
    if state.book.as_ref().is_none_or(|book| !book.drawn) {
        return Vec::new();
    }
    let effects = match id {
        CommandId::BookGo => return go(state),
        CommandId::BookYes | CommandId::BookNo => {
            with(state, |book, _| book.progress.confirm(id == CommandId::BookYes, now).map(|()| true))
        }
        CommandId::BookAgain => with(state, |book, _| book.progress.again(now).map(|()| true)),
        CommandId::BookSettled => with(state, |book, _| book.progress.settled(now).map(|()| true)),
        CommandId::BookSkip | CommandId::BookNote | CommandId::BookAbort => return why(state, id),
        _ => Vec::new(),
    };
    [effects, turned(state)].concat()
}

/// Something was done: what is on the screen is not what stands there any more.
fn turned(state: &mut State) -> Vec<Effect> {
    if let Some(book) = &mut state.book {
        book.drawn = false;
    }
    look(state)
}

/// Asks for the words without which a step is not passed over, nothing noted, and no run ended.
fn why(state: &mut State, id: CommandId) -> Vec<Effect> {
    let Some(book) = &state.book else { return Vec::new() };
    let told = match (&book.progress.stage, id) {
        (Stage::Reading(why), _) => Some(why.clone()),
        (Stage::Acts(_), CommandId::BookSkip | CommandId::BookAbort) => Some("an action is under way".to_owned()),
        (Stage::Finished | Stage::Aborted, CommandId::BookSkip | CommandId::BookAbort) => Some("the run is at its end".to_owned()),
        (Stage::Gone(_), CommandId::BookSkip) => Some("say first whether the run goes on though something holds no longer".to_owned()),
        (Stage::Input(_) | Stage::Offered, _) => Some("the run has not begun yet; esc leaves it".to_owned()),
        _ => None,
    };
    if let Some(told) = told {
        say(state, told);
        return Vec::new();
    }
    let question = match id {
        CommandId::BookSkip => "Why is the step passed over?",
        CommandId::BookAbort => "Why is the run ended?",
        _ => "What is to be remembered?",
    };
    let asked = Asked { command: id, member: None, given: Vec::new() };
    act::inquire_for(state, asked, question.to_owned())
}

/// Enter: what the stage asks for.
fn go(state: &mut State) -> Vec<Effect> {
    let now = now(state);
    let (Some(book), Some(document)) = (&mut state.book, &state.facts.document) else { return Vec::new() };
    let progress = &mut book.progress;
    let (question, answers) = match &progress.stage {
        Stage::Offered => {
            progress.start(document, now);
            if let Some(Overlay::Book { scroll }) = &mut state.overlay {
                *scroll = 0;
            }
            return turned(state);
        }
        Stage::Input(_) => match progress.input() {
            Some(input) => (format!("{}?", input.question), input.answers()),
            None => return Vec::new(),
        },
        Stage::Asks(Task::Ask { question, answers, .. }) => (question.clone(), answers.clone()),
        Stage::Asks(Task::Act(words)) => {
            let words = words.clone();
            if state.course.as_ref().is_some_and(|course| course.outcome.is_none()) {
                say(state, "another action is under way");
                return Vec::new();
            }
            // It may have been offered long ago, for another leader.
            if !progress.asks_still(document, now) {
                say(state, "the facts have changed since that was offered; it is judged anew");
                return turned(state);
            }
            progress.stage = Stage::Acts(words.clone());
            return vec![Effect::PlanAction(words)];
        }
        Stage::Asks(Task::Look { .. } | Task::Command { .. }) => {
            say(state, "yes or no");
            return Vec::new();
        }
        Stage::Finished | Stage::Aborted | Stage::Reading(_) => {
            state.overlay = None;
            return Vec::new();
        }
        _ => return Vec::new(),
    };
    let asked = Asked { command: CommandId::BookGo, member: None, given: Vec::new() };
    match answers.choices(document) {
        Some(Choices { offered, barred }) => {
            let rows = offered.into_iter().map(|choice| ChoiceRow { id: choice.clone(), cells: vec![choice] }).collect();
            let nobody: Vec<String> = barred.iter().map(|(name, why)| format!("{name}: {why}")).collect();
            let none = format!("nobody can be chosen: {}", nobody.join("; "));
            let choice = Choice::of(asked, question, &["Answer"], rows, &none);
            act::choose_from(state, choice.map(|choice| Choice { barred, ..choice }))
        }
        None => act::inquire_for(state, asked, question),
    }
}

/// What was typed or chosen for a key of the view.
pub(super) fn told(state: &mut State, asked: &Asked) -> Vec<Effect> {
    let now = now(state);
    let Some(given) = asked.given.first().cloned() else { return Vec::new() };
    if asked.command == CommandId::Runbooks {
        return Opening::of(&given).map(Effect::OpenBook).into_iter().collect();
    }
    let effects = with(state, |book, document| {
        let progress = &mut book.progress;
        match asked.command {
            CommandId::BookSkip => progress.skip(&given, now),
            CommandId::BookAbort => progress.abort(&given, now),
            CommandId::BookNote => progress.note(&given, now),
            _ => {
                progress.answer(&given, document, now)?;
                // Before it begins there is nothing to be kept.
                return Ok(!matches!(progress.stage, Stage::Input(_)));
            }
        }
        Ok(true)
    });
    [effects, turned(state)].concat()
}

/// Whether the view is on top and no key is meant for anything else.
fn free(state: &State) -> bool {
    watched(state) && state.typing.is_none()
}

/// The plan that could not be shown when it was made.
pub(super) fn due(state: &mut State) -> Vec<Effect> {
    if !free(state) || !acts(state) {
        return Vec::new();
    }
    let due = state.book.as_mut().is_some_and(|book| std::mem::take(&mut book.due));
    due.then_some(Effect::PlanNext).into_iter().collect()
}

/// Whether the run's step acts: its plan is shown or waits for that, or its order is under way.
pub(super) fn acts(state: &State) -> bool {
    state.book.as_ref().is_some_and(|book| matches!(book.progress.stage, Stage::Acts(_)))
}

/// What became of the step's action, as far as it is known.
fn became(state: &mut State, taken: &Taken) -> Vec<Effect> {
    let now = now(state);
    let effects = with(state, |book, _| {
        book.progress.became(taken, now);
        book.drawn = false;
        Ok(true)
    });
    [effects, look(state)].concat()
}

/// There is no plan, so the step did not come to be.
pub(super) fn unplanned(state: &mut State, why: &str) -> Vec<Effect> {
    if acts(state) { became(state, &Taken::Failed(why.to_owned())) } else { Vec::new() }
}

/// The plan was not confirmed: nothing was done, and the step asks again; what was begun is written down as it is.
pub(super) fn abandoned(state: &mut State) -> Vec<Effect> {
    if !acts(state) {
        return Vec::new();
    }
    if state.book.as_ref().is_some_and(|book| book.progress.has_begun()) {
        return became(state, &Taken::Failed("the rest of it was not confirmed".to_owned()));
    }
    if let Some(book) = &mut state.book {
        book.progress.stage = Stage::Ahead;
        book.drawn = false;
    }
    look(state)
}

/// The order is about to go out: that is on the disk before it does.
pub(super) fn confirmed(state: &mut State) -> Vec<Effect> {
    if !acts(state) {
        return Vec::new();
    }
    let now = now(state);
    with(state, |book, _| {
        let begun = book.progress.has_begun();
        if !begun {
            book.progress.begin(now);
        }
        Ok(!begun)
    })
}

/// The order did not go out.
pub(super) fn refused(state: &mut State, why: &str) -> Vec<Effect> {
    if acts(state) { became(state, &Taken::Failed(format!("it was {}: {why}", Outcome::Refused))) } else { Vec::new() }
}

/// The action has an outcome: what is next of it is planned, or the step is behind us.
pub(super) fn ended(state: &mut State, course: &CourseSheet) -> Vec<Effect> {
    let Some((outcome, sentence)) = course.outcome.as_ref().filter(|_| acts(state)) else { return Vec::new() };
    outage::begin(state);
    match outcome {
        Outcome::Done => vec![Effect::PlanNext],
        Outcome::Refused | Outcome::Failed => became(state, &Taken::Failed(format!("it was {outcome}: {sentence}"))),
        Outcome::Unknown => became(state, &Taken::Unknown(format!("what became of it is not known: {sentence}"))),
    }
}

/// The plan of what is next of the action; if there is nothing more, it is done.
pub(super) fn next(state: &mut State, plan: Result<Option<PlanSheet>, String>) -> Vec<Effect> {
    match plan {
        Ok(Some(sheet)) if free(state) => act::planned(state, Ok(sheet)),
        Ok(Some(_)) => {
            // Keys that are meant for something else are no answer to it. It is made anew when it is shown.
            if let Some(book) = &mut state.book {
                book.due = true;
            }
            say(state, "what is next of the runbook's action waits for its view");
            Vec::new()
        }
        Ok(None) => became(state, &Taken::Done(Outcome::Done.to_string())),
        Err(why) => unplanned(state, &why),
    }
}

/// The run is not on the disk: nothing more is done of it.
pub(super) fn not_kept(state: &mut State, why: &str) {
    warn(state, format!("the run is not written down: {why}"));
    if let Some(book) = &mut state.book {
        book.progress.stage = Stage::Reading(format!("the run is not written down: {why}"));
    }
    state.overlay = Some(Overlay::Book { scroll: 0 });
    state.typing = None;
}

/// What lies below a dialog that is closed: the view, if the dialog came from there.
pub(super) fn below(state: &State, asked: Option<&Asked>) -> Option<Overlay> {
    (asked.is_some_and(of_view) || acts(state)).then_some(Overlay::Book { scroll: 0 })
}

/// Whether something is asked by a key of the view: no plan comes of that, and none is given up with it.
pub(super) fn of_view(asked: &Asked) -> bool {
    use CommandId::{BookAbort, BookGo, BookNote, BookSkip};
    [BookAbort, BookGo, BookNote, BookSkip].contains(&asked.command)
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
