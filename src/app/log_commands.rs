//! What the keys of the pane of logs do.

use std::time::Duration;

use super::logs::{Narrow, Reading, key_of, row_of};
use super::travel::Travel;
use super::update::{Effect, go_to, say};
use super::{Copied, EventLine, Overlay, State, typing};
use crate::command::{CommandId, Scope};
use crate::log::{Entry, Key, Pattern, Severity};
use crate::model::Time;

/// Rows of a page while nothing is drawn.
const PAGE: u16 = 10;

/// For how long the lines around an event are waited for, when reading has only begun.
const ARRIVE: Duration = Duration::from_secs(10);
/// What is said when one stands among them.
const AROUND: &str = "the lines around it, of all nodes and programs";

/// Whether the pane that has the focus shows logs.
pub(super) fn here(state: &State) -> bool {
    state.panes.get(state.focus).is_some_and(|pane| pane.scopes().first() == Some(&Scope::Logs))
}

/// Number of the pane of logs.
fn pane(state: &State) -> Option<usize> {
    state.panes.iter().position(|pane| pane.scopes().first() == Some(&Scope::Logs))
}

/// Rows of the page.
fn rows(state: &State) -> usize {
    usize::from(state.measured.pages.get(state.focus).copied().filter(|page| *page > 0).unwrap_or(PAGE))
}

/// After each message: filter and search are those that are typed, and who comes for the first time has the logs read.
pub(super) fn settle(state: &mut State) -> Option<Effect> {
    let number = pane(state)?;
    let typed = state.views.get(number).map(|view| view.filter.clone()).unwrap_or_default();
    state.facts.logs.settle(&typed);
    if !here(state) {
        state.facts.logs.log.set_unmasked(false);
    }
    let first = here(state) && state.facts.logs.reading == Reading::Idle;
    first.then(|| {
        state.facts.logs.reading = Reading::Begun;
        Effect::ReadLogs
    })
}

/// Goes through the lines.
pub(super) fn travel(state: &mut State, travel: Travel) {
    state.facts.logs.wanted = None;
    let page = rows(state);
    let logs = &mut state.facts.logs;
    let Some((here, _)) = logs.here() else { return };
    let back = |by: usize| logs.log.before(here).take(by).last().map(|(key, _)| key);
    let on = |by: usize| logs.log.from(here).take(by + 1).last().map(|(key, _)| key);
    let target = match travel {
        Travel::End => return logs.follow(),
        Travel::Start => logs.log.first(),
        Travel::By(n) if n < 0 => back(n.unsigned_abs()),
        Travel::By(n) => on(n.unsigned_abs()),
        Travel::Pages(n) if n < 0 => back(n.unsigned_abs() * page.saturating_sub(1).max(1)),
        Travel::Pages(n) => on(n.unsigned_abs() * page.saturating_sub(1).max(1)),
    };
    // Whoever goes on at the newest line goes on following.
    let forward = matches!(travel, Travel::By(1..) | Travel::Pages(1..));
    if forward && logs.follows() {
        return;
    }
    if let Some(target) = target {
        logs.go(target, page, false);
    }
}

/// Does what a command of the logs does.
pub(super) fn command(state: &mut State, id: CommandId) -> Vec<Effect> {
    state.facts.logs.wanted = None;
    let page = rows(state);
    match id {
        CommandId::LogFollow => match state.facts.logs.here() {
            Some((key, _)) if state.facts.logs.follows() => {
                state.facts.logs.go(key, page, false);
                say(state, "paused: the lines stay where they are, and new ones are kept below");
            }
            _ => state.facts.logs.follow(),
        },
        CommandId::LogSearch => {
            // What was searched before comes back by the history.
            state.facts.logs.query.clear();
            typing::begin(state, super::Typing::LogSearch);
        }
        CommandId::LogTime => {
            state.facts.logs.time.clear();
            typing::begin(state, super::Typing::LogTime);
        }
        CommandId::LogNext => hit(state, true),
        CommandId::LogPrevious => hit(state, false),
        CommandId::LogLevel => {
            let next = match state.facts.logs.narrow.least {
                None => Some(Severity::Warning),
                Some(Severity::Warning) => Some(Severity::Error),
                Some(_) => None,
            };
            state.facts.logs.narrow.least = next;
            let text = next.map_or("every level".to_owned(), |level| format!("{level} and worse; lines that tell no level too"));
            say(state, text);
        }
        CommandId::LogNode => only(state, |narrow, entry| {
            let node = entry.stream.node.clone();
            narrow.node = narrow.node.is_none().then_some(node);
        }),
        CommandId::LogProgram => only(state, |narrow, entry| {
            let program = entry.stream.program;
            narrow.program = narrow.program.is_none().then_some(program);
        }),
        CommandId::LogEventNext | CommandId::LogEventBefore => event(state, id == CommandId::LogEventNext),
        CommandId::LogMark => {
            let here = state.facts.logs.here().map(|(key, _)| key);
            if let Some(key) = here
                && !state.facts.logs.marks.remove(&key)
            {
                state.facts.logs.marks.insert(key);
            }
        }
        CommandId::LogMarkNext => {
            let logs = &mut state.facts.logs;
            let here = logs.here().map(|(key, _)| key);
            let next = here.and_then(|here| logs.marks.iter().copied().find(|key| *key > here));
            match next.or_else(|| logs.marks.first().copied()) {
                Some(key) => logs.go(key, page, false),
                None => say(state, "no line is marked"),
            }
        }
        CommandId::LogSave => propose(state),
        CommandId::LogUnmask if state.facts.logs.log.is_unmasked() => {
            state.facts.logs.log.set_unmasked(false);
            say(state, "secrets are masked");
        }
        CommandId::LogUnmask => {
            state.facts.logs.word.clear();
            typing::begin(state, super::Typing::LogUnmask);
        }
        CommandId::LogsAround => around(state),
        _ => {}
    }
    Vec::new()
}

/// Only lines like this one, or all again.
fn only(state: &mut State, change: impl FnOnce(&mut Narrow, &Entry)) {
    let logs = &mut state.facts.logs;
    let mut narrow = logs.narrow.clone();
    match logs.here() {
        Some((_, entry)) => change(&mut narrow, entry),
        None => narrow = Narrow { least: narrow.least, ..Narrow::default() },
    }
    logs.narrow = narrow;
}

/// Goes to the next line with what is looked for, or the one before.
fn hit(state: &mut State, on: bool) {
    let page = rows(state);
    let logs = &mut state.facts.logs;
    let (Some(search), Some((here, _))) = (logs.search.clone(), logs.here()) else {
        return say(state, if state.facts.logs.search.is_none() { "search for something first" } else { "there is no line" });
    };
    let has = |(_, entry): &(Key, &Entry)| logs.has(entry, &search);
    let found = if on { logs.log.from(here).filter(|(key, _)| *key != here).find(has) } else { logs.log.before(here).find(has) };
    match found.map(|(key, _)| key) {
        Some(key) => logs.go(key, page, false),
        None => say(state, format!("nothing {} has {}", if on { "below" } else { "above" }, search.source())),
    }
}

/// The search was typed: to the nearest line that has it, above or at this one first, as the newest is at the end.
pub(super) fn searched(state: &mut State) {
    let page = rows(state);
    let logs = &mut state.facts.logs;
    if logs.query.is_empty() {
        return;
    }
    let search = match Pattern::parse(&logs.query) {
        Ok(search) => search,
        Err(why) => return say(state, why),
    };
    let Some((here, _)) = logs.here() else { return say(state, "there is no line") };
    let has = |(_, entry): &(Key, &Entry)| logs.has(entry, &search);
    let at = logs.log.from(here).take(1).find(has);
    let found = at.or_else(|| logs.log.before(here).find(has)).or_else(|| logs.log.from(here).find(has)).map(|(key, _)| key);
    logs.search = Some(search);
    match found {
        Some(key) => logs.go(key, page, false),
        None => {
            let text = format!("no line has {}", logs.query);
            say(state, text);
        }
    }
}

/// What has to be typed to have secrets shown.
pub const UNMASK: &str = "unmask";

/// The word was typed after which secrets are shown.
pub(super) fn confirmed(state: &mut State) {
    let word = std::mem::take(&mut state.facts.logs.word);
    if word.trim() == UNMASK {
        state.facts.logs.log.set_unmasked(true);
        say(state, "secrets are shown until this pane is left");
    } else {
        say(state, format!("secrets stay masked: the word was not {UNMASK}"));
    }
}

/// A time was typed.
pub(super) fn timed(state: &mut State) {
    let now = state.now.unwrap_or(Time::from_micros(0));
    match Time::typed_past(&state.facts.logs.time, now) {
        Ok(at) => to(state, at, ""),
        Err(why) => say(state, why),
    }
}

/// To the first line from a moment on, which then stands in the middle.
fn to(state: &mut State, at: Time, what: &str) {
    let page = rows(state);
    let logs = &mut state.facts.logs;
    let found = logs.log.from((at, 0)).next().map(|(key, _)| key);
    let nearest = found.or_else(|| logs.log.last());
    let Some(key) = nearest else { return say(state, "there is no line") };
    let oldest = logs.log.first().is_some_and(|first| first == key) && key.0 > at;
    logs.go(key, page, true);
    let text = match (oldest, found) {
        (true, _) => format!("the oldest line that is kept is later than {}", at.clock()),
        (_, None) => format!("no line is as new as {}", at.clock()),
        _ => what.to_owned(),
    };
    if !text.is_empty() {
        say(state, text);
    }
}

/// To the event of the timeline that comes next, or before.
fn event(state: &mut State, on: bool) {
    let Some((here, _)) = state.facts.logs.here() else { return say(state, "there is no line") };
    let found = near(state.facts.events.newest_first().map(|(_, event)| event), here.0, on);
    match found {
        Some((at, sentence)) if on => to(state, at, &sentence),
        // The line before it, so that the next step goes farther back.
        Some((at, sentence)) => to_before(state, at, &sentence),
        None => say(state, if on { "no event was seen after this line" } else { "no event was seen before this line" }),
    }
}

/// The first event after a moment, or the last before it: when, and what.
fn near<'e>(newest_first: impl Iterator<Item = &'e EventLine>, at: Time, on: bool) -> Option<(Time, String)> {
    let mut events = newest_first;
    let found = if on { events.filter(|event| event.at > at).last() } else { events.find(|event| event.at < at) };
    found.map(|event| (event.at, event.sentence.clone()))
}

fn to_before(state: &mut State, at: Time, what: &str) {
    let page = rows(state);
    let logs = &mut state.facts.logs;
    let key = logs.log.before((at, 0)).next().or_else(|| logs.log.from((at, 0)).next()).map(|(key, _)| key);
    if let Some(key) = key {
        logs.go(key, page, true);
    }
    say(state, what);
}

/// From the event that is selected to the lines around it, on all nodes.
fn around(state: &mut State) {
    let selected = state.view().and_then(|view| view.selected.clone()).or_else(|| state.rows(state.focus).into_iter().next());
    let row = selected.unwrap_or_default();
    let seen = row.parse().ok().and_then(|number| state.facts.events.get(number)).map(|event| event.at);
    let began = || {
        let timeline: u64 = row.strip_prefix("timeline ")?.parse().ok()?;
        let document = state.facts.document.as_ref()?;
        document.history.iter().find(|began| u64::from(began.timeline) == timeline)?.at
    };
    let Some(at) = seen.or_else(began) else { return say(state, "select an event first, in the Events pane") };
    let Some(number) = pane(state) else { return };
    go_to(state, number);
    if let Some(view) = state.views.get_mut(number) {
        view.filter.clear();
    }
    state.facts.logs.narrow = Narrow::default();
    state.facts.logs.settle("");
    if state.facts.logs.reading == Reading::Idle || state.facts.logs.log.last().is_none() {
        let now = state.now.unwrap_or(at);
        state.facts.logs.wanted = Some((at, now.plus(ARRIVE)));
        return say(state, format!("the lines around {} come as the nodes are read", at.clock()));
    }
    to(state, at, AROUND);
}

/// Lines have come. Until the nodes have told theirs, the one that is nearest to what was wanted is another with each of them.
pub(super) fn arrive(state: &mut State) {
    let Some((at, until)) = state.facts.logs.wanted else { return };
    if !here(state) || state.now.is_some_and(|now| now > until) {
        state.facts.logs.wanted = None;
        return;
    }
    to(state, at, AROUND);
}

/// Whether something hides lines or lights them up.
pub(super) fn narrowed(state: &State) -> bool {
    let logs = &state.facts.logs;
    !logs.query.is_empty() || logs.narrow != Narrow::default()
}

/// Takes back what hides lines or lights them up, one thing after the other; whether there was something.
pub(super) fn back(state: &mut State) -> bool {
    let logs = &mut state.facts.logs;
    if !logs.query.is_empty() {
        logs.query.clear();
    } else if logs.narrow != Narrow::default() {
        logs.narrow = Narrow::default();
    } else {
        return false;
    }
    true
}

/// Opens the line one is at: everything in it, and what is known of such a line.
pub(super) fn open(state: &mut State) {
    let here = state.facts.logs.here().map(|(key, _)| key);
    let Some(key) = here else { return say(state, "there is no line to open") };
    state.overlay = Some(Overlay::Details { pane: state.focus, row: row_of(key), scroll: 0 });
}

/// What is copied of the line one is at.
pub(super) fn copied(state: &State, id: CommandId) -> Result<Copied, &'static str> {
    let open = match &state.overlay {
        Some(Overlay::Details { row, .. }) => key_of(row),
        _ => None,
    };
    let logs = &state.facts.logs;
    let shown = open.and_then(|key| logs.log.get(key).map(|entry| (key, entry)));
    let (key, entry) = shown.or_else(|| logs.here()).ok_or("there is no line")?;
    let entry = logs.log.seen(entry);
    Ok(match id {
        CommandId::CopyRow => Copied::Lines(entry.plain()),
        CommandId::CopyDetails => Copied::Details(state.focus, row_of(key)),
        _ => Copied::Text(entry.text.clone()),
    })
}

/// Asks where the lines are to be saved, with a place that nobody has used: the one who only wants them somewhere presses Enter.
fn propose(state: &mut State) {
    if state.facts.logs.log.first().is_none() {
        return say(state, "there is no line to save");
    }
    let name: String = state.cluster.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let at = state.now.map(|at| at.to_string().replace(':', "")).unwrap_or_default();
    let folder = if state.folder.is_empty() { String::new() } else { format!("{}/", state.folder.trim_end_matches('/')) };
    state.facts.logs.place = format!("{folder}pgbaton-{name}-{at}.log");
    typing::begin(state, super::Typing::LogSave);
}

/// Saves every line that is shown to the file that was typed.
pub(super) fn save(state: &mut State) -> Vec<Effect> {
    let place = std::mem::take(&mut state.facts.logs.place).trim().to_owned();
    if place.is_empty() {
        say(state, "nothing was saved: no file was named");
        return Vec::new();
    }
    let log = &state.facts.logs.log;
    let Some(first) = log.first() else {
        say(state, "there is no line to save");
        return Vec::new();
    };
    let mut text = if log.is_unmasked() { "(unmasked: secrets stand in it as they stood on the nodes)\n" } else { "" }.to_owned();
    let dropped = log.dropped();
    if dropped.lines + dropped.unread > 0 {
        text.push_str(&format!("({} older lines were let go, {} were never read)\n", dropped.lines, dropped.unread));
    }
    for (_, entry) in log.from(first) {
        text.push_str(&log.seen(entry).plain());
        text.push('\n');
    }
    vec![Effect::SaveLog(place, text)]
}
