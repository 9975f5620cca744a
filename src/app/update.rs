//! One message after the other.

use super::act;
use super::{Asked, Audited, ChoiceRow, CourseSheet, EventLine, Measured, Notice, Overlay, PlanSheet, State, Typing};
use crate::command::CommandId;
use crate::document::{Document, Level};
use crate::model::{Time, clean};

/// The longest text that can be typed, in characters.
const LONGEST: usize = 60;

/// The longest reason.
const LONGEST_WORDS: usize = 200;

/// Rows of a page while nothing is drawn.
const PAGE: u16 = 10;

/// Something that has happened.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A new picture, and what has changed since the last.
    Document(Box<Document>, Vec<EventLine>),
    /// It is later.
    Tick(Time),
    /// The one who looks wants something.
    Command(CommandId),
    /// They type.
    Text(TextEdit),
    /// They have pressed the beginning of a sequence of keys, or its end.
    Pending(Option<String>),
    /// pgbaton itself has to say something.
    Notice(Notice),
    /// The screen was drawn.
    Measured(Measured),
    /// The plan that was asked for, or why there is none.
    Planned(Result<PlanSheet, String>),
    /// The order went out, or why it did not.
    Begun(Result<CourseSheet, String>),
    /// The action under way has gone on.
    Course(CourseSheet),
    /// The rows that were asked for, or why there are none.
    Listed(Asked, Result<Vec<ChoiceRow>, String>),
    /// A text that was asked for, its title and its lines, or why there is none.
    Shown(Result<(String, Vec<String>), String>),
    /// What was done from this machine, or why that is not known.
    Audit(Result<Vec<Audited>, String>),
}

/// A change of a text that is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextEdit {
    /// These characters were typed.
    Insert(String),
    /// These were pasted.
    Paste(String),
}

/// Something to be done in the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Give the terminal to the shell until it calls us back.
    Suspend,
    /// Draw every cell anew.
    Redraw,
    /// Make a plan of this.
    Plan(Asked),
    /// Read the rows of which one is to be chosen for this.
    List(Asked),
    /// Have the configuration edited for this.
    Edit(Asked),
    /// Show the configuration.
    ShowConfig,
    /// The plan is confirmed with this word.
    Confirm(String),
    /// The plan is not wanted any more.
    Abandon,
}

/// Takes in a message.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Document(document, events) => take_document(state, document, events),
        Msg::Tick(now) => state.now = Some(now),
        Msg::Command(id) => return command(state, id),
        Msg::Text(TextEdit::Paste(_)) if state.typing == Some(Typing::Answer) => {
            say(state, "pasted text confirms nothing; type the word");
        }
        Msg::Text(TextEdit::Insert(text) | TextEdit::Paste(text)) => {
            let longest = if state.typing == Some(Typing::Words) { LONGEST_WORDS } else { LONGEST };
            edit(state, |field| {
                let room = longest.saturating_sub(field.chars().count());
                // Cleaning trims, but a typed space counts.
                field.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(room));
            });
        }
        Msg::Pending(keys) => state.pending = keys,
        Msg::Notice(notice) => take_notice(state, notice),
        Msg::Measured(measured) => {
            if let Some(overlay) = &mut state.overlay {
                let scroll = overlay.scroll_mut();
                *scroll = (*scroll).min(measured.overlay_end);
                match overlay {
                    Overlay::Plan(dialog) => dialog.drawn = true,
                    Overlay::Question(question) => question.drawn = true,
                    Overlay::Choice(choice) => choice.drawn = true,
                    _ => {}
                }
            }
            state.measured = measured;
        }
        Msg::Planned(plan) => act::planned(state, plan),
        Msg::Begun(course) => act::begun(state, course),
        Msg::Listed(asked, rows) => act::listed(state, asked, rows),
        Msg::Shown(Ok((title, lines))) => state.overlay = Some(Overlay::Text { title, lines, scroll: 0 }),
        Msg::Shown(Err(why)) => say(state, why),
        Msg::Audit(audit) => state.facts.audit = audit,
        Msg::Course(course) => act::went_on(state, course),
    }
    Vec::new()
}

fn take_document(state: &mut State, document: Box<Document>, events: Vec<EventLine>) {
    state.now = Some(document.at);
    state.facts.history.record(&document);
    for event in events {
        state.facts.events.push(event);
    }
    state.facts.document = Some(document);
    // The first row of the first pane is selected once, so that Enter has something to open; it is not selected again when it goes.
    if state.views.first().is_some_and(|view| view.selected.is_none()) {
        let first = state.rows(0).into_iter().next();
        if let Some(view) = state.views.first_mut() {
            view.selected = first;
        }
    }
}

pub(super) fn take_notice(state: &mut State, notice: Notice) {
    let notice = Notice { text: clean(&notice.text), ..notice };
    if notice.level >= Level::Warning {
        let at = state.now.unwrap_or(Time::from_micros(0));
        state.facts.events.push(EventLine::new(at, notice.level, "pgbaton", &notice.text));
    }
    let covers = state.notice.as_ref().is_none_or(|old| old.level <= notice.level);
    if covers {
        state.notice = Some(notice);
    }
}

pub(super) fn say(state: &mut State, text: impl Into<String>) {
    take_notice(state, Notice { level: Level::Ok, text: text.into() });
}

pub(super) fn warn(state: &mut State, text: impl Into<String>) {
    take_notice(state, Notice { level: Level::Warning, text: text.into() });
}

fn command(state: &mut State, id: CommandId) -> Vec<Effect> {
    state.pending = None;
    if state.notice.as_ref().is_some_and(|notice| notice.level < Level::Warning) {
        state.notice = None;
    }
    let leaving = std::mem::take(&mut state.leaving);
    if waits(state) && !in_dialog(id) {
        return Vec::new();
    }
    match id {
        CommandId::Quit if !leaving && state.course.as_ref().is_some_and(|course| course.outcome.is_none()) => {
            state.leaving = true;
            warn(
                state,
                "an action is under way; quit once more to leave it: what was asked for goes on, and the audit has no outcome of it",
            );
        }
        CommandId::Quit => return vec![Effect::Quit],
        CommandId::Suspend => return vec![Effect::Suspend],
        CommandId::Redraw => return vec![Effect::Redraw],
        CommandId::Help => state.overlay = Some(Overlay::Help { query: String::new(), scroll: 0 }),
        CommandId::Back if waits(state) => return act::cancel(state),
        CommandId::Back => back(state),
        CommandId::PaneNext => go_to(state, (state.focus + 1) % state.panes.len().max(1)),
        CommandId::PanePrevious => go_to(state, (state.focus + state.panes.len().max(1) - 1) % state.panes.len().max(1)),
        CommandId::Pane1
        | CommandId::Pane2
        | CommandId::Pane3
        | CommandId::Pane4
        | CommandId::Pane5
        | CommandId::Pane6
        | CommandId::Pane7 => {
            if let Some(number) = id.pane_number() {
                go_to(state, number - 1);
            }
        }
        CommandId::Zoom => {
            state.overlay = None;
            state.zoom = !state.zoom;
        }
        CommandId::Up => travel(state, Travel::By(-1)),
        CommandId::Down => travel(state, Travel::By(1)),
        CommandId::PageUp => travel(state, Travel::Pages(-1)),
        CommandId::PageDown => travel(state, Travel::Pages(1)),
        CommandId::Top => travel(state, Travel::Start),
        CommandId::Bottom => travel(state, Travel::End),
        CommandId::Open => open(state),
        CommandId::SortNext => sort(state),
        CommandId::SortReverse => reverse(state),
        CommandId::Filter => state.typing = Some(Typing::Filter),
        CommandId::Search => {
            if matches!(state.overlay, Some(Overlay::Help { .. })) {
                state.typing = Some(Typing::Search);
            } else {
                say(state, "only the help can be searched");
            }
        }
        CommandId::Accept if state.typing == Some(Typing::Answer) => return act::answer(state),
        CommandId::Accept if state.typing == Some(Typing::Words) => return act::told(state),
        CommandId::Discard if matches!(state.typing, Some(Typing::Answer | Typing::Words)) => return act::cancel(state),
        CommandId::Accept => state.typing = None,
        CommandId::Discard => {
            edit(state, String::clear);
            state.typing = None;
        }
        CommandId::EraseChar => edit(state, |field| {
            field.pop();
        }),
        CommandId::EraseWord => edit(state, |field| {
            let kept = field.trim_end().rfind(' ').map_or(0, |space| space + 1);
            field.truncate(kept);
        }),
        CommandId::EraseAll => edit(state, String::clear),
        CommandId::Choose => return act::chosen(state),
        CommandId::ShowConfig => return vec![Effect::ShowConfig],
        CommandId::Course if state.course.is_some() => state.overlay = Some(Overlay::Course { scroll: 0 }),
        CommandId::Course => say(state, "nothing was done in this session"),
        CommandId::Switchover
        | CommandId::SwitchoverAt
        | CommandId::Failover
        | CommandId::Restart
        | CommandId::RestartAt
        | CommandId::RestartPending
        | CommandId::RestartRolling
        | CommandId::Reload
        | CommandId::Reinit
        | CommandId::Checkpoint
        | CommandId::ResumeReplay
        | CommandId::DropSlot
        | CommandId::Terminate
        | CommandId::SetProxy
        | CommandId::EditConfig
        | CommandId::UndoConfig
        | CommandId::DemoteCluster
        | CommandId::PromoteCluster
        | CommandId::Remove
        | CommandId::FlushRestart
        | CommandId::Pause
        | CommandId::Resume
        | CommandId::FlushSwitchover => return act::ask(state, id),
    }
    Vec::new()
}

/// Whether something lies over the panes that waits for an answer.
fn waits(state: &State) -> bool {
    matches!(state.overlay, Some(Overlay::Plan(_) | Overlay::Question(_) | Overlay::Choice(_)))
}

/// What can be done while something waits for its answer: answer it, read it, leave. Everything else would be meant for what lies below.
fn in_dialog(id: CommandId) -> bool {
    use CommandId::{
        Accept, Back, Bottom, Choose, Discard, Down, EraseAll, EraseChar, EraseWord, PageDown, PageUp, Quit, Redraw, Suspend, Top, Up,
    };
    let allowed =
        [Accept, Back, Bottom, Choose, Discard, Down, EraseAll, EraseChar, EraseWord, PageDown, PageUp, Quit, Redraw, Suspend, Top, Up];
    allowed.contains(&id)
}

fn back(state: &mut State) {
    if state.typing.take().is_some() || state.overlay.take().is_some() || state.notice.take().is_some() {
        return;
    }
    if let Some(view) = state.views.get_mut(state.focus)
        && !view.filter.is_empty()
    {
        view.filter.clear();
        return;
    }
    state.zoom = false;
}

fn go_to(state: &mut State, pane: usize) {
    if pane >= state.panes.len() {
        say(state, format!("there is no pane {}", pane + 1));
        return;
    }
    state.typing = None;
    state.overlay = None;
    let left = state.focus;
    if left != pane && state.panes.get(left).is_some_and(|left| left.newest_first()) {
        // A row that was looked at would hold the rows, and what happens next would pass unseen above it.
        if let Some(view) = state.views.get_mut(left) {
            view.selected = None;
        }
    }
    state.focus = pane;
}

/// A way to go through rows or lines.
#[derive(Clone, Copy)]
enum Travel {
    By(isize),
    Pages(isize),
    Start,
    End,
}

impl Travel {
    /// The place reached from `from` among `count` places.
    fn reach(self, from: usize, count: usize, page: u16) -> usize {
        let last = count.saturating_sub(1);
        match self {
            Travel::By(rows) => from.saturating_add_signed(rows).min(last),
            Travel::Pages(pages) => {
                let rows = isize::try_from(page.max(2) - 1).unwrap_or(1);
                from.saturating_add_signed(pages * rows).min(last)
            }
            Travel::Start => 0,
            Travel::End => last,
        }
    }
}

fn travel(state: &mut State, travel: Travel) {
    if let Some(Overlay::Choice(choice)) = &mut state.overlay {
        choice.selected = travel.reach(choice.selected, choice.rows.len(), state.measured.overlay_page);
        return;
    }
    if let Some(overlay) = &mut state.overlay {
        let scroll = overlay.scroll_mut();
        let end = usize::from(state.measured.overlay_end);
        let reached = travel.reach(usize::from(*scroll), end + 1, state.measured.overlay_page);
        *scroll = u16::try_from(reached).unwrap_or(u16::MAX);
        return;
    }
    let rows = state.rows(state.focus);
    let page = state.measured.pages.get(state.focus).copied().filter(|page| *page > 0).unwrap_or(PAGE);
    let Some(view) = state.views.get_mut(state.focus) else { return };
    let here = view.selected.as_ref().and_then(|selected| rows.iter().position(|row| row == selected));
    let there = match here {
        Some(here) => travel.reach(here, rows.len(), page),
        // Nothing is selected, or what was is hidden: the first move shows where one is.
        None if matches!(travel, Travel::End) => rows.len().saturating_sub(1),
        None => 0,
    };
    if let Some(row) = rows.into_iter().nth(there) {
        view.selected = Some(row);
    }
}

fn open(state: &mut State) {
    let pane = state.focus;
    if !state.panes.get(pane).is_some_and(|model| model.opens()) {
        return say(state, "there is nothing to open here");
    }
    let rows = state.rows(pane);
    let Some(view) = state.views.get_mut(pane) else { return };
    let selected = match (&view.selected, rows.first()) {
        (Some(selected), _) if rows.contains(selected) => selected.clone(),
        (Some(selected), Some(_)) if !view.filter.is_empty() => {
            let text = format!("{selected} is hidden by the filter");
            return say(state, text);
        }
        (_, Some(first)) => first.clone(),
        (_, None) => return say(state, "there is no row to open"),
    };
    view.selected = Some(selected.clone());
    state.overlay = Some(Overlay::Details { pane, row: selected, scroll: 0 });
}

fn sort(state: &mut State) {
    let Some(sorts) = state.panes.get(state.focus).map(|pane| pane.sorts()) else { return };
    if sorts.len() < 2 {
        return say(state, "these rows have one order only");
    }
    let Some(view) = state.views.get_mut(state.focus) else { return };
    view.sort = (view.sort + 1) % sorts.len();
    view.reverse = false;
    let text = format!("sorted by {}", sorts[view.sort]);
    say(state, text);
}

fn reverse(state: &mut State) {
    let sortable = state.panes.get(state.focus).is_some_and(|pane| pane.sorts().len() > 1);
    match state.views.get_mut(state.focus) {
        Some(view) if sortable => view.reverse = !view.reverse,
        _ => say(state, "these rows have one order only"),
    }
}

/// Changes the text that is being typed.
fn edit(state: &mut State, change: impl FnOnce(&mut String)) {
    match (state.typing, &mut state.overlay) {
        (Some(Typing::Search), Some(Overlay::Help { query, scroll })) => {
            change(query);
            *scroll = 0;
        }
        (Some(Typing::Answer), Some(Overlay::Plan(dialog))) if dialog.drawn => change(&mut dialog.typed),
        (Some(Typing::Words), Some(Overlay::Question(question))) if question.drawn => change(&mut question.typed),
        (Some(Typing::Filter), _) => {
            if let Some(view) = state.views.get_mut(state.focus) {
                change(&mut view.filter);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
