//! One message after the other.

use super::act::{in_dialog, waits};
use super::possible::why_not;
use super::travel::{Travel, travel};
use super::{
    Asked, Audited, ChoiceRow, Copied, CourseSheet, EventLine, Field, Measured, Notice, Opened, Opening, Overlay, Palette, PlanSheet,
    Reading, State, Typing,
};
use super::{act, book, copied, examination, log_commands, look, order, outage, palette, recall, typing};
use crate::command::CommandId;
use crate::doctor::Report;
use crate::document::{Document, Level};
use crate::log::Heard;
use crate::model::{Time, clean};
use crate::runbook::{Left, Run};

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
    /// Nothing was pressed for a while.
    Rested,
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
    /// The runbooks and runs there are, or why that is not known.
    Books(Result<Vec<ChoiceRow>, String>),
    /// The runs that were left in their middle, the last one first.
    Left(Vec<Left>),
    /// The runbook that was to be opened, or why it cannot be.
    Opened(Result<Box<Opened>, String>),
    /// The run could not be written down.
    NotKept(String),
    /// The plan of what is next of a runbook's action, if there is something, or why there is none.
    PlannedNext(Result<Option<PlanSheet>, String>),
    /// What was done from this machine, or why that is not known.
    Audit(Result<Vec<Audited>, String>),
    /// What was heard of the nodes' logs; all of a stream in its order.
    Heard(Vec<Heard>),
    /// Whether the nodes' logs are read now, or why they cannot be.
    Reading(Result<(), String>),
    /// What the doctor says, or why it says nothing.
    Examined(Result<Box<Report>, String>),
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
    /// Tell which runbooks and runs there are.
    ListBooks,
    /// Tell which runs were left in their middle.
    FindLeft,
    /// Open one.
    OpenBook(Opening),
    /// Write a run down. If that cannot be done, nothing that comes after it is.
    Keep(Box<Run>),
    /// Make a plan of a runbook's action, by its words.
    PlanAction(Vec<String>),
    /// Make a plan of what is next of it; what was planned and not confirmed is next still.
    PlanNext,
    /// Show this theme.
    Theme(String),
    /// Copy this to the clipboard of the one who looks.
    Copy(Copied),
    /// Call the one who looks: this sentence is worth it.
    Alert(String),
    /// Begin to read the nodes' logs, and go on until we end.
    ReadLogs,
    /// Have the doctor asked, once.
    Examine,
    /// Write these lines, the second text, to a file of this name that is not there yet.
    SaveLog(String, String),
    /// Have the keys of this keymap from now on.
    Keymap(String),
}

/// Takes in a message.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    let mut effects = take(state, msg);
    typing::settle(state);
    effects.extend(book::due(state));
    effects.extend(log_commands::settle(state));
    effects.extend(examination::settle(state));
    effects
}

fn take(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Document(document, events) => {
            let mut effects: Vec<Effect> = look::alert(&events).map(Effect::Alert).into_iter().collect();
            take_document(state, document, events);
            effects.extend(book::look(state));
            return effects;
        }
        Msg::Tick(now) => state.now = Some(now),
        Msg::Command(id) => {
            let ready = typing::pressed(state);
            return command(state, id, ready);
        }
        Msg::Text(TextEdit::Paste(_)) if state.field() == Some(Field::Answer) => say(state, typing::NO_PASTE),
        Msg::Text(TextEdit::Insert(text) | TextEdit::Paste(text)) => {
            typing::pressed(state);
            typing::insert(state, &text);
        }
        Msg::Rested => return typing::rested(state),
        Msg::Pending(keys) => {
            typing::pressed(state);
            state.pending = keys;
        }
        Msg::Notice(notice) => take_notice(state, notice),
        Msg::Measured(measured) => {
            if let Some(overlay) = &mut state.overlay {
                if let Some(scroll) = overlay.scroll_mut() {
                    *scroll = (*scroll).min(measured.overlay_end);
                }
                match overlay {
                    Overlay::Plan(dialog) => (dialog.drawn, dialog.ready) = (true, dialog.rested && dialog.scroll == 0),
                    Overlay::Question(question) => question.drawn = true,
                    Overlay::Choice(choice) => choice.drawn = true,
                    Overlay::Book { .. } => {
                        if let Some(book) = &mut state.book {
                            // It shows what came of the keys before.
                            state.rested |= !std::mem::replace(&mut book.drawn, true);
                        }
                    }
                    _ => {}
                }
            }
            state.measured = measured;
        }
        Msg::Planned(plan) => return act::planned(state, plan),
        Msg::Begun(course) => return act::begun(state, course),
        Msg::Books(rows) => return book::listed(state, rows),
        Msg::Left(left) => recall::found(state, left),
        Msg::Opened(opened) => return book::opened(state, opened.map(|opened| *opened)),
        Msg::NotKept(why) => book::not_kept(state, &why),
        Msg::PlannedNext(plan) => return book::next(state, plan),
        Msg::Listed(asked, rows) => act::listed(state, asked, rows),
        Msg::Shown(Ok((title, lines))) => state.overlay = Some(Overlay::Text { title, lines, scroll: 0 }),
        Msg::Shown(Err(why)) => say(state, why),
        Msg::Audit(audit) => state.facts.audit = audit,
        Msg::Heard(batch) => {
            state.facts.logs.take(batch);
            log_commands::arrive(state);
        }
        Msg::Reading(Ok(())) => {}
        Msg::Reading(Err(why)) => state.facts.logs.reading = Reading::Refused(clean(&why)),
        Msg::Examined(told) => examination::examined(state, told),
        Msg::Course(course) => return act::went_on(state, course),
    }
    Vec::new()
}

fn take_document(state: &mut State, document: Box<Document>, events: Vec<EventLine>) {
    state.now = Some(document.at);
    state.facts.history.record(&document);
    state.facts.logs.clocks(&document);
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

pub(super) fn command(state: &mut State, id: CommandId, ready: bool) -> Vec<Effect> {
    state.pending = None;
    if state.notice.as_ref().is_some_and(|notice| notice.level < Level::Warning) {
        state.notice = None;
    }
    let leaving = std::mem::take(&mut state.leaving);
    let id = match id {
        CommandId::Leave if state.inside() => CommandId::Back,
        CommandId::Leave => CommandId::Quit,
        id => id,
    };
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
        CommandId::Quit | CommandId::Leave => return [outage::leave(state), vec![Effect::Quit]].concat(),
        CommandId::Suspend => {
            // Who comes back may be another one.
            state.facts.logs.log.set_unmasked(false);
            return vec![Effect::Suspend];
        }
        CommandId::Redraw => return vec![Effect::Redraw],
        CommandId::Help => {
            let place = state.scopes();
            state.typing = None;
            state.overlay = Some(Overlay::Help { place, query: String::new(), scroll: 0 });
        }
        CommandId::Palette => {
            let below = state.overlay.take().map(Box::new);
            let first = recall::recalled(state).map(|_| CommandId::Runbooks);
            state.overlay = Some(Overlay::Palette(Box::new(Palette { below, first, ..Palette::default() })));
            typing::begin(state, Typing::Palette);
        }
        CommandId::Back if waits(state) => return act::cancel(state),
        CommandId::Back if matches!(state.overlay, Some(Overlay::Looks(_))) => return look::restore(state),
        CommandId::Back | CommandId::Discard if state.typing == Some(Typing::Palette) => drop(typing::close_palette(state)),
        CommandId::Accept if state.typing == Some(Typing::Palette) => return palette::run(state, ready),
        CommandId::Back => back(state),
        CommandId::PaneNext => go_to(state, (state.focus + 1) % state.panes.len().max(1)),
        CommandId::PanePrevious => go_to(state, (state.focus + state.panes.len().max(1) - 1) % state.panes.len().max(1)),
        CommandId::Pane1
        | CommandId::Pane2
        | CommandId::Pane3
        | CommandId::Pane4
        | CommandId::Pane5
        | CommandId::Pane6
        | CommandId::Pane7
        | CommandId::Pane8
        | CommandId::Pane9
        | CommandId::Pane0 => {
            if let Some(number) = id.pane_number() {
                go_to(state, number - 1);
            }
        }
        CommandId::Zoom => {
            state.overlay = None;
            state.zoom = !state.zoom;
        }
        CommandId::Up => return travel(state, Travel::By(-1)),
        CommandId::Down => return travel(state, Travel::By(1)),
        CommandId::PageUp => return travel(state, Travel::Pages(-1)),
        CommandId::PageDown => return travel(state, Travel::Pages(1)),
        CommandId::Top => return travel(state, Travel::Start),
        CommandId::Bottom => return travel(state, Travel::End),
        CommandId::Open => open(state),
        CommandId::SortNext => order::sort(state),
        CommandId::SortReverse => order::reverse(state),
        CommandId::Filter => typing::begin(state, Typing::Filter),
        CommandId::Search => match why_not(state, id) {
            Some(why) => say(state, why),
            None => typing::begin(state, Typing::Search),
        },
        CommandId::Accept if state.typing == Some(Typing::Answer) => return act::answer(state, ready),
        CommandId::Accept if state.typing == Some(Typing::Words) => return act::told(state),
        CommandId::Accept if matches!(state.typing, Some(Typing::LogSearch | Typing::LogTime | Typing::LogUnmask | Typing::LogSave)) => {
            typing::keep(state);
            match state.typing.take() {
                Some(Typing::LogTime) => log_commands::timed(state),
                Some(Typing::LogUnmask) => log_commands::confirmed(state),
                Some(Typing::LogSave) => return log_commands::save(state),
                _ => log_commands::searched(state),
            }
        }
        CommandId::Discard if matches!(state.typing, Some(Typing::Answer | Typing::Words)) => return act::cancel(state),
        CommandId::Accept => {
            typing::keep(state);
            state.typing = None;
        }
        CommandId::Discard => {
            typing::change(state, |_, text| text.clear());
            state.typing = None;
        }
        CommandId::HistoryPrevious | CommandId::HistoryNext => {
            let older = id == CommandId::HistoryPrevious;
            match state.field() {
                // Nothing is remembered there, and there are rows or lines to go through.
                Some(Field::Palette | Field::Answer) => return travel(state, Travel::By(if older { -1 } else { 1 })),
                Some(field) => typing::change(state, |editor, text| editor.recall(field, text, older)),
                None => {}
            }
        }
        CommandId::Yank if state.field() == Some(Field::Answer) => say(state, typing::NO_PASTE),
        CommandId::CursorLeft
        | CommandId::CursorRight
        | CommandId::CursorStart
        | CommandId::CursorEnd
        | CommandId::WordLeft
        | CommandId::WordRight
        | CommandId::EraseChar
        | CommandId::EraseNext
        | CommandId::EraseWord
        | CommandId::EraseWordNext
        | CommandId::EraseStart
        | CommandId::EraseEnd
        | CommandId::Yank => typing::edit(state, id),
        CommandId::Choose if matches!(state.overlay, Some(Overlay::Looks(_))) => return look::keep(state),
        CommandId::Choose => return act::chosen(state),
        CommandId::Runbooks => return book::open(state),
        CommandId::BookGo | CommandId::BookYes | CommandId::BookNo | CommandId::BookSettled => typing::hold(state, id, ready),
        CommandId::BookAgain | CommandId::BookSkip | CommandId::BookNote | CommandId::BookAbort => return book::command(state, id),
        CommandId::Theme | CommandId::Keymap => look::open(state, id),
        CommandId::Layout => look::arrange(state),
        CommandId::CopyValue | CommandId::CopyRow | CommandId::CopyDetails | CommandId::CopyCommand => return copied::copy(state, id),
        CommandId::ShowConfig => return vec![Effect::ShowConfig],
        CommandId::Doctor => return examination::command(state),
        CommandId::Course => match why_not(state, id) {
            Some(why) => say(state, why),
            None => state.overlay = Some(Overlay::Course { scroll: 0 }),
        },
        CommandId::LogsAround
        | CommandId::LogFollow
        | CommandId::LogSearch
        | CommandId::LogNext
        | CommandId::LogPrevious
        | CommandId::LogLevel
        | CommandId::LogNode
        | CommandId::LogProgram
        | CommandId::LogTime
        | CommandId::LogEventNext
        | CommandId::LogEventBefore
        | CommandId::LogMark
        | CommandId::LogMarkNext
        | CommandId::LogSave
        | CommandId::LogUnmask => match why_not(state, id) {
            Some(why) => say(state, why),
            None => return log_commands::command(state, id),
        },
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
        | CommandId::Freeze
        | CommandId::Thaw
        | CommandId::FlushRestart
        | CommandId::Pause
        | CommandId::Resume
        | CommandId::FlushSwitchover => return act::ask(state, id),
    }
    Vec::new()
}

fn back(state: &mut State) {
    if state.typing.take().is_some() || state.overlay.take().is_some() || state.notice.take().is_some() {
        return;
    }
    if log_commands::here(state) && log_commands::back(state) {
        return;
    }
    if let Some(view) = state.views.get_mut(state.focus)
        && !view.filter.is_empty()
    {
        view.filter.clear();
        return;
    }
    if !std::mem::take(&mut state.zoom) && state.alone(state.focus) {
        go_to(state, state.among);
    }
}

pub(super) fn go_to(state: &mut State, pane: usize) {
    if pane >= state.panes.len() {
        return say(state, format!("there is no pane {}", pane + 1));
    }
    state.typing = None;
    state.overlay = None;
    let left = state.focus;
    if !state.alone(left) {
        state.among = left;
    }
    if left != pane && state.panes.get(left).is_some_and(|left| left.newest_first()) {
        // A row that was looked at would hold the rows, and what happens next would pass unseen above it.
        if let Some(view) = state.views.get_mut(left) {
            view.selected = None;
        }
    }
    state.focus = pane;
    // What Enter opens has the mark. The newest of what happens is looked at as it comes, and is not held.
    let newest = state.panes.get(pane).is_some_and(|pane| pane.newest_first());
    if !newest && state.view().is_some_and(|view| view.selected.is_none()) {
        let first = state.rows(pane).into_iter().next();
        if let Some(view) = state.views.get_mut(pane) {
            view.selected = first;
        }
    }
}

fn open(state: &mut State) {
    let pane = state.focus;
    if let Some(why) = why_not(state, CommandId::Open) {
        return say(state, why);
    }
    if log_commands::here(state) {
        return log_commands::open(state);
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

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
