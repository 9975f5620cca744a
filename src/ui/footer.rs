//! The last line: what pgbaton has to say, what is being typed, or the most useful keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::format::display_width;
use super::look::Look;
use super::panes::logs;
use super::recall::recall;
use crate::app::{Choosing, Mode, Overlay, State, Typing, UNMASK};
use crate::command::{CommandId, Scope};
use crate::document::Level;
use crate::runbook::{Stage, Task};
use crate::theme::Role;
use crate::ui::widget::typed_line;

/// Columns of what stands beside a text that is typed.
const HINTS: usize = 30;

/// Columns in which all hints have room.
const WIDE: usize = 90;

/// Columns of `R run left at 12/34 (?)` and the gap behind it.
const WORDS: usize = 25;

/// Columns between two hints.
const GAP: usize = 2;

/// Most lines that something to say takes.
const MOST: usize = 3;

/// Whether what is typed stands in the last line.
fn here(typing: Typing) -> bool {
    matches!(typing, Typing::Filter | Typing::Search | Typing::LogSearch | Typing::LogTime | Typing::LogUnmask | Typing::LogSave)
}

/// What there is to say, in lines that fit; nothing while something else has the line.
fn told(state: &State, look: &Look<'_>, width: u16) -> Vec<String> {
    let Some(notice) = state.notice.as_ref().filter(|_| !state.typing.is_some_and(here)) else {
        return Vec::new();
    };
    let hint: usize = if notice.level >= Level::Warning {
        3 + hint(look, &[CommandId::Back], "dismisses").iter().map(Span::width).sum::<usize>()
    } else {
        0
    };
    let width = usize::from(width).saturating_sub(3);
    let mut lines = super::format::wrap(&notice.text, width);
    // The key that dismisses it stands behind it, and must not be what is cut.
    if lines.last().is_some_and(|last| display_width(last) + hint > width) {
        lines.push(String::new());
    }
    lines.truncate(MOST);
    lines
}

/// Lines that the last line takes: more than one when there is more to say.
pub(super) fn height(state: &State, look: &Look<'_>, width: u16) -> u16 {
    u16::try_from(told(state, look, width).len()).unwrap_or(1).max(1)
}

pub(super) fn draw(state: &State, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let notice = told(state, look, area.width);
    let before = notice.len().saturating_sub(1);
    let role = if state.notice.as_ref().is_some_and(|notice| notice.level >= Level::Warning) { Role::NoticeWarning } else { Role::Notice };
    for (y, text) in (area.y..).zip(notice.iter().take(before)) {
        buffer.set_stringn(area.x, y, format!(" {text}"), usize::from(area.width), look.style(role));
    }
    let area = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
    let pending = state.pending.as_ref().map(|keys| format!("{keys} …")).unwrap_or_default();
    let pending_width = u16::try_from(display_width(&pending)).unwrap_or(u16::MAX);
    let room = area.width.saturating_sub(pending_width + 2);
    let line = match (state.typing, &state.notice) {
        (Some(typing), _) if here(typing) => typed(state, look, typing, usize::from(room)),
        _ if state.pending.is_some() => continuations(state, look),
        (_, Some(notice)) => {
            let last = told(state, look, area.width).pop().unwrap_or_default();
            let mut spans = vec![look.span(format!(" {last}"), role)];
            if notice.level >= Level::Warning {
                spans.push(Span::raw("   "));
                spans.extend(hint(look, &[CommandId::Back], "dismisses"));
            }
            Line::from(spans)
        }
        (_, None) => hints(state, look, usize::from(room)),
    };
    buffer.set_line(area.x, area.y, &line, room);
    let x = area.right().saturating_sub(pending_width + 1).max(area.x);
    buffer.set_stringn(x, area.y, pending, usize::from(area.right() - x), look.style(Role::Key));
}

fn typed(state: &State, look: &Look<'_>, typing: Typing, room: usize) -> Line<'static> {
    let text = match (typing, &state.overlay) {
        (Typing::Search, Some(Overlay::Help { query, .. })) => query.clone(),
        (Typing::LogSearch, _) => state.facts.logs.query.clone(),
        (Typing::LogTime, _) => state.facts.logs.time.clone(),
        (Typing::LogUnmask, _) => state.facts.logs.word.clone(),
        (Typing::LogSave, _) => state.facts.logs.place.clone(),
        _ => state.view().map(|view| view.filter.clone()).unwrap_or_default(),
    };
    let (lead, accepts, discards) = match typing {
        Typing::LogTime => (" time ".to_owned(), "keeps", "clears"),
        Typing::LogSave => (" save to ".to_owned(), "saves", "leaves"),
        Typing::LogUnmask => (format!(" type {UNMASK}: "), "shows secrets", "leaves them masked"),
        _ => (" /".to_owned(), "keeps", "clears"),
    };
    let mut spans = vec![look.span(lead, Role::Key)];
    spans.extend(typed_line(look, &state.editor, &text, room.saturating_sub(HINTS).max(10)).spans);
    spans.push(Span::raw("   "));
    spans.extend(hint(look, &[CommandId::Accept], accepts));
    spans.push(Span::raw("  "));
    spans.extend(hint(look, &[CommandId::Discard], discards));
    Line::from(spans)
}

/// The keys of a run, where it stands.
fn of_run(state: &State) -> &'static [(&'static [CommandId], &'static str)] {
    use CommandId::{Back, BookAbort, BookAgain, BookGo, BookNo, BookNote, BookSettled, BookSkip, BookYes, Down, Up};
    match state.book.as_ref().map(|book| &book.progress.stage) {
        None | Some(Stage::Finished | Stage::Aborted) => &[(&[Back], "leaves"), (&[Up, Down], "scroll")],
        Some(Stage::Ahead | Stage::Waits { .. } | Stage::Acts(_)) => {
            &[(&[BookSkip], "skips it"), (&[BookNote], "notes"), (&[BookAbort], "ends the run"), (&[Back], "leaves")]
        }
        Some(Stage::Gone(_)) => &[(&[BookYes], "goes on"), (&[BookAbort], "ends the run"), (&[Back], "leaves")],
        Some(Stage::Asks(Task::Command { .. } | Task::Look { .. })) => &[
            (&[BookYes, BookNo], "yes or no"),
            (&[BookSkip], "skips it"),
            (&[BookNote], "notes"),
            (&[BookAbort], "ends the run"),
            (&[Back], "leaves"),
        ],
        Some(Stage::Failed { unknown: true, .. }) => &[
            (&[BookSettled], "it was done"),
            (&[BookAgain], "takes it again"),
            (&[BookSkip], "skips it"),
            (&[BookAbort], "ends the run"),
            (&[Back], "leaves"),
        ],
        Some(Stage::Failed { .. }) => &[
            (&[BookAgain], "takes it again"),
            (&[BookSkip], "skips it"),
            (&[BookNote], "notes"),
            (&[BookAbort], "ends the run"),
            (&[Back], "leaves"),
        ],
        Some(_) => &[
            (&[BookGo], "goes on"),
            (&[BookSkip], "skips it"),
            (&[BookNote], "notes"),
            (&[BookAbort], "ends the run"),
            (&[Back], "leaves"),
        ],
    }
}

/// The keys that help here, as many as fit.
fn hints(state: &State, look: &Look<'_>, room: usize) -> Line<'static> {
    let hints: &[(&[CommandId], &str)] = match &state.overlay {
        Some(Overlay::Help { .. }) => {
            &[(&[CommandId::Back], "closes"), (&[CommandId::Up, CommandId::Down], "scroll"), (&[CommandId::Search], "searches")]
        }
        // What enter does the dialog says, and when.
        Some(Overlay::Plan(dialog)) if dialog.sheet.ask.is_ok() => {
            &[(&[CommandId::Back], "cancels"), (&[CommandId::Up, CommandId::Down], "scroll")]
        }
        Some(Overlay::Book { .. }) if reads(state) => &[(&[CommandId::Back], "leaves"), (&[CommandId::Up, CommandId::Down], "scroll")],
        Some(Overlay::Book { .. }) if offered(state) => {
            &[(&[CommandId::BookGo], "begins the run"), (&[CommandId::Back], "leaves"), (&[CommandId::Up, CommandId::Down], "scroll")]
        }
        Some(Overlay::Book { .. }) => of_run(state),
        Some(Overlay::Looks(list)) if list.of == Choosing::Keymap => {
            &[(&[CommandId::Choose], "takes"), (&[CommandId::Back], "leaves"), (&[CommandId::Up, CommandId::Down], "select")]
        }
        Some(Overlay::Looks(_)) => {
            &[(&[CommandId::Choose], "keeps"), (&[CommandId::Back], "takes back"), (&[CommandId::Up, CommandId::Down], "select")]
        }
        Some(Overlay::Choice(_)) => {
            &[(&[CommandId::Choose], "chooses"), (&[CommandId::Back], "cancels"), (&[CommandId::Up, CommandId::Down], "select")]
        }
        Some(Overlay::Palette(_)) => &[
            (&[CommandId::Accept], "runs"),
            (&[CommandId::Discard], "closes"),
            (&[CommandId::HistoryPrevious, CommandId::HistoryNext], "select"),
        ],
        Some(Overlay::Question(_)) => &[(&[CommandId::Accept], "goes on"), (&[CommandId::Discard], "cancels")],
        Some(Overlay::Details { .. } | Overlay::Text { .. } | Overlay::Course { .. } | Overlay::Plan(_)) => {
            &[(&[CommandId::Back], "closes"), (&[CommandId::Up, CommandId::Down], "scroll")]
        }
        None if state.scopes().first() == Some(&Scope::Logs) => logs::HINTS,
        None => &[
            (&[CommandId::Help], "help"),
            (&[CommandId::PaneNext], "next pane"),
            (&[CommandId::Open], "details"),
            (&[CommandId::Switchover], "act"),
            (&[CommandId::Zoom], "zoom"),
            (&[CommandId::Filter], "filter"),
            (&[CommandId::SortNext], "sort"),
            (&[CommandId::Leave], "quit"),
        ],
    };
    // On a narrow screen what was left undone is worth more than the order of the rows.
    let left = recall(state, look).filter(|_| state.overlay.is_none());
    let sortable = state.panes.get(state.focus).is_some_and(|pane| pane.sorts().len() > 1);
    let mut told_all = Vec::new();
    for (commands, title) in hints {
        let told = match commands {
            [CommandId::SortNext | CommandId::Filter] if left.is_some() && room < WIDE + WORDS => false,
            [CommandId::SortNext] => sortable,
            // On a narrow screen acting is worth more, and `quit` must not be the one that has no room.
            [CommandId::Zoom] => state.mode != Mode::Operator || room >= WIDE,
            _ => true,
        };
        if !told {
            continue;
        }
        let spans = match commands {
            [CommandId::Switchover] => acting(state, look),
            // There `/` searches, and the filter has another key.
            [CommandId::Filter] => told_keys(look, look.keymap.key_in(CommandId::Filter, state.scopes()).into_iter().collect(), title),
            [CommandId::Leave] => leaving(state, look),
            commands => hint(look, commands, title),
        };
        if !spans.is_empty() {
            told_all.push(spans);
        }
    }
    if let Some([sentence, fewer, words]) = left {
        let others: usize = told_all.iter().map(|spans| columns(spans) + GAP).sum();
        let fits = |spans: &Vec<Span<'_>>| 1 + columns(spans) + GAP + others <= room;
        told_all.insert(0, [sentence, fewer].into_iter().find(fits).unwrap_or(words));
    }
    let mut line = Line::from(" ");
    for spans in told_all {
        if line.width() + columns(&spans) + GAP > room {
            break;
        }
        line.extend(spans);
        line.push_span(" ".repeat(GAP));
    }
    line
}

fn columns(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| display_width(&span.content)).sum()
}

/// Whether nothing can be done in the runbook that is open.
fn reads(state: &State) -> bool {
    state.book.as_ref().is_some_and(|book| matches!(book.progress.stage, Stage::Reading(_)))
}

/// Whether the runbook that is open was not begun.
fn offered(state: &State) -> bool {
    state.book.as_ref().is_some_and(|book| book.progress.stage == Stage::Offered)
}

/// The key with which everything begins that changes something, for who may.
fn acting(state: &State, look: &Look<'_>) -> Vec<Span<'static>> {
    let key = look.key(CommandId::Switchover).filter(|_| state.mode == Mode::Operator);
    let first = key.as_deref().and_then(|keys| keys.split(' ').next()).map(str::to_owned);
    first.map(|first| vec![look.span(first, Role::Key), look.span(" act", Role::Hint)]).unwrap_or_default()
}

/// The key by which one leaves what is looked at, and in the end pgbaton.
fn leaving(state: &State, look: &Look<'_>) -> Vec<Span<'static>> {
    let spans = hint(look, &[CommandId::Leave], if state.inside() { "back" } else { "quit" });
    if spans.is_empty() { hint(look, &[CommandId::Quit], "quit") } else { spans }
}

/// What the keys pressed so far can become.
fn continuations(state: &State, look: &Look<'_>) -> Line<'static> {
    let mut line = Line::from(" ");
    let all = super::overlay::keys::continuations(state, look);
    let crowded = all.len() > super::overlay::keys::FEW;
    // Then they have a place of their own.
    for (key, command) in all.into_iter().filter(|_| !crowded) {
        line.extend([look.span(key, Role::Key), look.span(format!(" {}  ", command.title), Role::Hint)]);
    }
    line
}

/// `up down scroll`; nothing when no key gives the commands.
fn hint(look: &Look<'_>, commands: &[CommandId], title: &str) -> Vec<Span<'static>> {
    told_keys(look, commands.iter().filter_map(|command| look.key(*command)).collect(), title)
}

fn told_keys(look: &Look<'_>, keys: Vec<String>, title: &str) -> Vec<Span<'static>> {
    if keys.is_empty() { Vec::new() } else { vec![look.span(keys.join(" "), Role::Key), look.span(format!(" {title}"), Role::Hint)] }
}
