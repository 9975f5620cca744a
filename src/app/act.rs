//! Actions, as the screen has them: a plan that waits for an answer, an action under way. The real ones are at the edge; here are their texts.

use std::time::Duration;

use super::possible::why_not;
use super::typing;
use super::update::{say, take_notice, warn};
use super::{Choice, ChoiceRow, Effect, EventLine, Mode, Notice, Overlay, Question, State, Typing, Wanted};
use super::{book, outage};
use crate::action::{Confirm, Light, Outcome};
use crate::command::{CommandId, Scope};
use crate::document::{Document, Level, Routed};
use crate::model::Time;

/// What was asked for by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The command.
    pub command: CommandId,
    /// The selected member, if it is about one.
    pub member: Option<String>,
    /// What was typed or chosen for it, one after the other.
    pub given: Vec<String>,
}

/// A plan as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanSheet {
    /// What it is: `switchover from psg1 to psg2`.
    pub sentence: String,
    /// The cluster's name.
    pub cluster: String,
    /// The member that it is done to, with its host and its role.
    pub target: Option<String>,
    /// Each check: colour, name, reason.
    pub checks: Vec<(Light, String, String)>,
    /// What clients will notice, and what may be lost.
    pub effects: Vec<String>,
    /// The exact order.
    pub order: String,
    /// The line of patronictl that does the same.
    pub patronictl: Option<String>,
    /// What has to be typed; an error when it must not be done.
    pub ask: Result<Ask, String>,
}

/// What has to be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The word.
    pub word: String,
    /// Red checks that are passed over by typing it.
    pub overridden: Vec<String>,
}

impl Ask {
    /// What a plan asks for. Whoever passes over red checks has to type that as well.
    pub fn of(confirm: &Confirm, overridden: Vec<String>) -> Self {
        let word = match confirm {
            Confirm::YesNo => "y".to_owned(),
            Confirm::Type(word) => word.clone(),
        };
        let word = if overridden.is_empty() { word } else { format!("override {word}") };
        Self { word, overridden }
    }
}

/// An action under way, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseSheet {
    /// What it is.
    pub sentence: String,
    /// When the order went out.
    pub asked: Time,
    /// The steps, and how long after the order each was seen.
    pub phases: Vec<(String, Option<Duration>)>,
    /// How it stands.
    pub now: String,
    /// What was noted on the way.
    pub notes: Vec<String>,
    /// The outcome, as soon as it is known.
    pub outcome: Option<(Outcome, String)>,
    /// Who leads now and takes writes, where that was moved.
    pub moved_to: Option<String>,
    /// For how long writes were away on the routes, as far as that was measured and is known by now.
    pub away: Option<String>,
    /// Whether there is nothing more to be watched.
    pub over: bool,
}

impl CourseSheet {
    /// Whether clients have followed, by the picture of now; `None`: nobody has to follow anybody.
    pub fn routes(&self, document: &Document) -> Option<Routed> {
        Some(document.routed_to(self.moved_to.as_deref()?))
    }
}

/// A plan in the dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// The plan.
    pub sheet: PlanSheet,
    /// What was typed so far.
    pub typed: String,
    /// Whether it was drawn: what was typed before that was meant for something else.
    pub drawn: bool,
    /// Whether nothing was pressed for a while since the word stands there in full.
    pub rested: bool,
    /// Whether it was drawn since then: Enter does it only after the screen has said so. A paste that is not marked as one ends with its Enter
    /// long before.
    pub ready: bool,
    /// Lines scrolled past.
    pub scroll: u16,
}

impl Dialog {
    /// A plan that nobody has seen yet.
    fn new(sheet: PlanSheet) -> Self {
        Self { sheet, typed: String::new(), drawn: false, rested: false, ready: false, scroll: 0 }
    }

    /// Whether the word stands there in full.
    pub fn complete(&self) -> bool {
        self.sheet.ask.as_ref().is_ok_and(|ask| ask.word == self.typed)
    }
}

/// How much an outcome matters.
fn level(outcome: Outcome) -> Level {
    match outcome {
        Outcome::Done => Level::Ok,
        Outcome::Refused | Outcome::Failed => Level::Warning,
        Outcome::Unknown => Level::Critical,
    }
}

/// A command that would change something: what it is about goes to the edge, or a sentence says why not.
pub(super) fn ask(state: &mut State, command: CommandId) -> Vec<Effect> {
    if let Some(why) = why_not(state, command) {
        let named = matches!(state.mode, Mode::ReadOnly(_));
        say(state, if named { format!("{}: {why}", command.command().title) } else { why });
        return Vec::new();
    }
    let member = state.acted_on().ok().filter(|_| command.command().scope == Scope::List);
    proceed(state, Asked { command, member, given: Vec::new() })
}

/// Asks for what is missing, or has the plan made.
fn proceed(state: &mut State, asked: Asked) -> Vec<Effect> {
    match (asked.command, asked.given.len()) {
        (CommandId::Pause | CommandId::Freeze, 0) => inquire(state, asked, Wanted::Reason),
        (CommandId::Pause, 1) => inquire(state, asked, Wanted::Reminder),
        (CommandId::DemoteCluster, 0) => inquire(state, asked, Wanted::Source),
        (CommandId::SwitchoverAt | CommandId::RestartAt, 0) => inquire(state, asked, Wanted::Time),
        (CommandId::DropSlot, 0) => {
            let choice = Choice::slots(asked, &state.facts);
            choose_from(state, choice)
        }
        (CommandId::SetProxy, 0) => {
            let choice = Choice::servers(asked, &state.facts);
            choose_from(state, choice)
        }
        (CommandId::SetProxy, 1) => choose_from(state, Choice::states(asked)),
        (CommandId::Terminate, 0) => {
            let text = format!("asking the PostgreSQL of {} for its sessions", asked.member.as_deref().unwrap_or("?"));
            say(state, text);
            vec![Effect::List(asked)]
        }
        (CommandId::EditConfig, 0) => vec![Effect::Edit(asked)],
        (CommandId::Runbooks | CommandId::BookGo | CommandId::BookSkip | CommandId::BookNote | CommandId::BookAbort, _) => {
            book::told(state, &asked)
        }
        _ => vec![Effect::Plan(asked)],
    }
}

/// Shows a list, or says why there is none.
pub(super) fn choose_from(state: &mut State, choice: Result<Choice, String>) -> Vec<Effect> {
    match choice {
        Ok(choice) => state.overlay = Some(Overlay::Choice(Box::new(choice))),
        Err(why) => say(state, why),
    }
    Vec::new()
}

/// The list that was asked for at the edge. Whoever has opened something else meanwhile does not want it any more.
pub(super) fn listed(state: &mut State, asked: Asked, rows: Result<Vec<ChoiceRow>, String>) {
    if state.overlay.is_some() || state.typing.is_some() || book::acts(state) {
        return say(state, "the sessions were read, and something else was opened meanwhile; ask again");
    }
    state.notice = state.notice.take().filter(|notice| notice.level >= Level::Warning);
    choose_from(state, rows.and_then(|rows| Choice::sessions(asked, rows)));
}

/// Enter in the list: the selected row goes on.
pub(super) fn chosen(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Choice(choice)) = &state.overlay else { return Vec::new() };
    let row = choice.rows.get(choice.selected).filter(|_| choice.drawn).map(|row| row.id.clone());
    let mut asked = choice.asked.clone();
    let Some(id) = row else { return Vec::new() };
    asked.given.push(id);
    close(state);
    proceed(state, asked)
}

/// Asks for a text.
fn inquire(state: &mut State, asked: Asked, wanted: Wanted) -> Vec<Effect> {
    state.overlay = Some(Overlay::Question(Box::new(Question::new(asked, wanted))));
    typing::begin(state, Typing::Words);
    Vec::new()
}

/// Asks for a text in words of a runbook's own.
pub(super) fn inquire_for(state: &mut State, asked: Asked, words: String) -> Vec<Effect> {
    state.overlay = Some(Overlay::Question(Box::new(Question { words, ..Question::new(asked, Wanted::Text) })));
    typing::begin(state, Typing::Words);
    Vec::new()
}

/// Enter in the question: what was typed goes on.
pub(super) fn told(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Question(question)) = &state.overlay else { return Vec::new() };
    if !question.drawn {
        return Vec::new();
    }
    let now = state.now.unwrap_or(Time::from_micros(0));
    match question.answer(now) {
        Ok(text) => {
            let mut asked = question.asked.clone();
            asked.given.push(text);
            typing::keep(state);
            close(state);
            proceed(state, asked)
        }
        Err(_) if question.typed.is_empty() => cancel(state),
        Err(why) => {
            say(state, why);
            Vec::new()
        }
    }
}

/// Shows a plan, or says why there is none.
pub(super) fn planned(state: &mut State, plan: Result<PlanSheet, String>) -> Vec<Effect> {
    match plan {
        Ok(sheet) => {
            let asks = sheet.ask.is_ok();
            state.overlay = Some(Overlay::Plan(Box::new(Dialog::new(sheet))));
            state.typing = None;
            if asks {
                typing::begin(state, Typing::Answer);
            }
            Vec::new()
        }
        Err(why) => {
            let effects = book::unplanned(state, &why);
            say(state, why);
            effects
        }
    }
}

/// Enter in the dialog: with the right word typed it is done, with nothing typed it is cancelled.
pub(super) fn answer(state: &mut State, ready: bool) -> Vec<Effect> {
    let Some(Overlay::Plan(dialog)) = &state.overlay else { return Vec::new() };
    if !dialog.drawn {
        return Vec::new();
    }
    match &dialog.sheet.ask {
        Ok(ask) if ask.word == dialog.typed && dialog.scroll > 0 => {
            if let Some(Overlay::Plan(dialog)) = &mut state.overlay {
                dialog.scroll = 0;
            }
            say(state, "what is asked was not to be seen; it is now: press enter again");
            Vec::new()
        }
        Ok(ask) if ask.word == dialog.typed && !ready => {
            say(state, "enter came with the text, as a paste's does, and did nothing; press it again");
            Vec::new()
        }
        Ok(ask) if ask.word == dialog.typed => {
            let answer = dialog.typed.clone();
            close(state);
            let mut effects = book::confirmed(state);
            effects.push(Effect::Confirm(answer));
            effects
        }
        Ok(ask) if !dialog.typed.is_empty() => {
            let text = format!("type {} to do it", ask.word);
            say(state, text);
            Vec::new()
        }
        _ => cancel(state),
    }
}

/// Closes the dialog or what comes before it; nothing is done.
pub(super) fn cancel(state: &mut State) -> Vec<Effect> {
    let (cancelled, planned, of_view) = match &state.overlay {
        Some(Overlay::Plan(dialog)) => (dialog.sheet.ask.is_ok(), true, false),
        Some(Overlay::Question(question)) => (true, false, book::of_view(&question.asked)),
        Some(Overlay::Choice(choice)) => (choice.asked.command != CommandId::Runbooks, false, book::of_view(&choice.asked)),
        _ => (false, false, false),
    };
    close(state);
    if cancelled {
        say(state, "cancelled; nothing was done");
    }
    // A runbook's action may be under way below a note that nobody writes; it goes on.
    if of_view {
        return Vec::new();
    }
    let mut effects = vec![Effect::Abandon];
    if planned {
        effects.extend(book::abandoned(state));
    }
    effects
}

fn close(state: &mut State) {
    let asked = match &state.overlay {
        Some(Overlay::Question(question)) => Some(&question.asked),
        Some(Overlay::Choice(choice)) => Some(&choice.asked),
        _ => None,
    };
    state.overlay = book::below(state, asked);
    state.typing = None;
}

/// The order went out, or it was refused at the last moment.
pub(super) fn begun(state: &mut State, course: Result<CourseSheet, String>) -> Vec<Effect> {
    match course {
        Ok(sheet) => {
            let before = state.course.replace(sheet);
            // That of a runbook's step is seen in its view.
            state.overlay = book::below(state, None).or(Some(Overlay::Course { scroll: 0 }));
            outage::cut(state, before.and_then(|course| course.away))
        }
        Err(why) => {
            let effects = book::refused(state, &why);
            warn(state, format!("REFUSED: {why}"));
            effects
        }
    }
}

/// An action under way has gone on.
pub(super) fn went_on(state: &mut State, course: CourseSheet) -> Vec<Effect> {
    let mut effects = Vec::new();
    let before = state.course.as_ref().and_then(|course| course.outcome.as_ref());
    if before.is_none()
        && let Some((outcome, sentence)) = &course.outcome
    {
        let followed = state.facts.document.as_deref().and_then(|document| course.routes(document));
        let behind =
            followed.as_ref().filter(|_| *outcome == Outcome::Done).and_then(|followed| Some((followed.behind()?, &followed.told)));
        let text = match behind {
            None => format!("{}: {outcome}: {sentence}", course.sentence),
            Some((behind, told)) => format!("{}: {outcome} for Patroni, {behind}: {sentence}; {told}", course.sentence),
        };
        let at = state.now.unwrap_or(course.asked);
        let level = level(*outcome);
        if level == Level::Ok {
            state.facts.events.push(EventLine::new(at, level, "action", &text));
        }
        // Whoever has closed the sheet is told; a bad end goes into the events by that.
        if level > Level::Ok || !matches!(state.overlay, Some(Overlay::Course { .. } | Overlay::Book { .. })) {
            take_notice(state, Notice { level, text });
        }
        effects = book::ended(state, &course);
    }
    effects.extend(outage::follow(state, &course));
    state.course = Some(course);
    effects
}

/// Whether something lies over the panes that waits for an answer.
pub(super) fn waits(state: &State) -> bool {
    matches!(state.overlay, Some(Overlay::Plan(_) | Overlay::Question(_) | Overlay::Choice(_)))
}

/// What can be done while something waits for its answer: answer it, read it, leave. Everything else would be meant for what lies below.
pub(super) fn in_dialog(id: CommandId) -> bool {
    use CommandId::{Back, Bottom, Choose, Down, PageDown, PageUp, Quit, Redraw, Suspend, Top, Up};
    let allowed = [Back, Bottom, Choose, Down, PageDown, PageUp, Quit, Redraw, Suspend, Top, Up];
    allowed.contains(&id) || id.command().scope == Scope::Text
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
