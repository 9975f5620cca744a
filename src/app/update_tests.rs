//! Messages in, state and effects out.

use CommandId::{
    Accept, Back, Bottom, Discard, Down, EraseWord, Filter, Help, Leave, Open, PageDown, Pane1, Pane2, Pane3, PaneNext, PanePrevious, Quit,
    Redraw, Search, SortNext, SortReverse, Suspend, Top, Up, Zoom,
};

use super::*;
use crate::app::{Facts, Mode, PaneModel, RowId, View};
use crate::command::Scope;
use crate::finding::{Forecast, Tracker};
use crate::model::Cluster;

/// A pane with five rows, of which the filter keeps those that contain its text.
struct Five;
/// A pane with nothing in it that can neither be sorted nor opened.
struct Empty;

impl PaneModel for Five {
    fn title(&self) -> &'static str {
        "Five"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        let mut rows: Vec<RowId> = ["a", "b", "c", "d", "e"].into_iter().filter(|row| view.passes([*row])).map(str::to_owned).collect();
        // A document moves the rows round, as a change of leader does.
        if facts.document.as_ref().is_some_and(|d| d.at.as_micros() % 2 == 1) {
            rows.reverse();
        }
        rows
    }

    fn sorts(&self) -> &'static [&'static str] {
        &["usual", "other"]
    }
}

impl PaneModel for Empty {
    fn title(&self) -> &'static str {
        "Empty"
    }

    fn rows(&self, _facts: &Facts, _view: &View) -> Vec<RowId> {
        Vec::new()
    }

    fn opens(&self) -> bool {
        false
    }
}

/// Where the help is opened.
const HERE: &[Scope] = &[Scope::List, Scope::Global];

fn document(at: i64) -> Box<Document> {
    let (cluster, at) = (Cluster::new("card", "/service/", std::collections::BTreeMap::new()), Time::from_micros(at));
    Box::new(Document::of(&cluster, &Tracker::default(), &Forecast::of(&cluster, at), &crate::finding::Limits::default(), "card", at))
}

fn state() -> State {
    let mut state = State::new(vec![&Five, &Empty], "card", Mode::ReadOnly(String::new()));
    update(&mut state, Msg::Document(document(0), Vec::new()));
    state
}

fn after(commands: &[CommandId]) -> State {
    let mut state = state();
    give(&mut state, commands);
    state
}

fn give(state: &mut State, commands: &[CommandId]) {
    for id in commands {
        update(state, Msg::Command(*id));
    }
}

fn type_in(state: &mut State, text: &str) {
    update(state, Msg::Text(TextEdit::Insert(text.to_owned())));
}

fn selected(state: &State) -> Option<&str> {
    state.views[0].selected.as_deref()
}

#[test]
fn moving_goes_from_row_to_row_and_stays_within() {
    let table: [(&[CommandId], &str); 8] = [
        (&[], "a"),
        (&[Down], "b"),
        (&[Down, Down, Up], "b"),
        (&[Up], "a"),
        (&[Bottom], "e"),
        (&[Bottom, Down], "e"),
        (&[Bottom, Top], "a"),
        (&[PageDown], "e"),
    ];
    for (commands, row) in table {
        assert_eq!(selected(&after(commands)), Some(row), "{commands:?}");
    }
}

#[test]
fn a_page_is_as_long_as_what_was_drawn() {
    let mut state = state();
    update(&mut state, Msg::Measured(Measured { pages: vec![3, 0], ..Measured::default() }));
    give(&mut state, &[PageDown]);
    assert_eq!(selected(&state), Some("c"), "one row of the last page stays in sight");
}

#[test]
fn the_selection_stays_with_its_row_when_rows_move() {
    let mut state = after(&[Down]);
    update(&mut state, Msg::Document(document(1), Vec::new()));
    assert_eq!(state.rows(0), ["e", "d", "c", "b", "a"]);
    assert_eq!(selected(&state), Some("b"));
    give(&mut state, &[Down]);
    assert_eq!(selected(&state), Some("a"));
}

#[test]
fn what_the_filter_hides_is_not_opened_and_not_replaced_by_another_row() {
    let mut state = after(&[Down, Filter]);
    type_in(&mut state, "c");
    give(&mut state, &[Accept, Open]);
    assert_eq!(state.overlay, None);
    assert_eq!(state.notice.as_ref().map(|n| n.text.as_str()), Some("b is hidden by the filter"));
    give(&mut state, &[Down, Open]);
    assert_eq!(state.overlay, Some(Overlay::Details { pane: 0, row: "c".to_owned(), scroll: 0 }));
}

#[test]
fn the_filter_is_typed_kept_and_cleared() {
    let mut state = after(&[Filter]);
    assert_eq!(state.scopes(), [Scope::Text, Scope::Global]);
    type_in(&mut state, "Psg1 x\ty");
    give(&mut state, &[EraseWord]);
    assert_eq!(state.views[0].filter, "Psg1 x ");
    give(&mut state, &[Accept]);
    assert_eq!((state.typing, state.views[0].filter.as_str()), (None, "Psg1 x "));
    give(&mut state, &[Back]);
    assert_eq!(state.views[0].filter, "");
    give(&mut state, &[Filter]);
    type_in(&mut state, &"long".repeat(100));
    assert_eq!(state.views[0].filter.chars().count(), 60);
    give(&mut state, &[Discard]);
    assert_eq!((state.typing, state.views[0].filter.as_str()), (None, ""));
    type_in(&mut state, "nobody types now");
    assert_eq!(state.views[0].filter, "");
}

#[test]
fn back_takes_away_one_thing_at_a_time() {
    let mut state = after(&[Zoom, Filter]);
    type_in(&mut state, "a");
    give(&mut state, &[Accept, Open]);
    assert!(state.overlay.is_some() && state.zoom);
    give(&mut state, &[Back]);
    assert!(state.overlay.is_none() && !state.views[0].filter.is_empty());
    give(&mut state, &[Back]);
    assert!(state.views[0].filter.is_empty() && state.zoom);
    give(&mut state, &[Back]);
    assert!(!state.zoom);
}

#[test]
fn the_focus_goes_round_and_by_number() {
    let table: [(&[CommandId], usize); 6] =
        [(&[PaneNext], 1), (&[PaneNext, PaneNext], 0), (&[PanePrevious], 1), (&[Pane2], 1), (&[Pane2, Pane1], 0), (&[Pane2, Pane3], 1)];
    for (commands, focus) in table {
        assert_eq!(after(commands).focus, focus, "{commands:?}");
    }
    assert_eq!(after(&[Pane3]).notice.map(|n| n.text), Some("there is no pane 3".to_owned()));
}

#[test]
fn what_cannot_be_done_says_why() {
    let table: [(&[CommandId], &str); 4] = [
        (&[Pane2, Open], "there is nothing to open here"),
        (&[Pane2, SortNext], "these rows have one order only"),
        (&[Pane2, SortReverse], "these rows have one order only"),
        (&[Open, Search], "only the help can be searched"),
    ];
    for (commands, why) in table {
        assert_eq!(after(commands).notice.map(|n| n.text), Some(why.to_owned()), "{commands:?}");
    }
}

#[test]
fn sorting_goes_through_the_columns_and_can_be_turned_round() {
    let state = after(&[SortNext, SortReverse]);
    assert_eq!((state.views[0].sort, state.views[0].reverse), (1, true));
    let state = after(&[SortNext, SortReverse, SortNext]);
    assert_eq!((state.views[0].sort, state.views[0].reverse), (0, false));
}

#[test]
fn help_is_scrolled_within_its_lines_and_searched() {
    let mut state = after(&[Help]);
    update(&mut state, Msg::Measured(Measured { pages: Vec::new(), overlay_page: 10, overlay_end: 25, columns: 80 }));
    give(&mut state, &[PageDown, Down]);
    assert_eq!(state.overlay, Some(Overlay::Help { place: HERE, query: String::new(), scroll: 10 }));
    give(&mut state, &[Bottom, Down]);
    assert_eq!(state.overlay, Some(Overlay::Help { place: HERE, query: String::new(), scroll: 25 }));
    give(&mut state, &[Search]);
    type_in(&mut state, "zoom");
    assert_eq!(state.overlay, Some(Overlay::Help { place: HERE, query: "zoom".to_owned(), scroll: 0 }));
    assert_eq!(selected(&state), Some("a"), "the panes below do not move");
}

#[test]
fn an_overlay_that_got_shorter_is_not_scrolled_past_its_end() {
    let mut state = after(&[Help]);
    update(&mut state, Msg::Measured(Measured { pages: Vec::new(), overlay_page: 10, overlay_end: 25, columns: 80 }));
    give(&mut state, &[Bottom]);
    update(&mut state, Msg::Measured(Measured { pages: Vec::new(), overlay_page: 30, overlay_end: 5, columns: 80 }));
    assert_eq!(state.overlay, Some(Overlay::Help { place: HERE, query: String::new(), scroll: 5 }));
}

#[test]
fn a_warning_stays_until_it_is_dismissed_and_is_an_event() {
    let mut state = state();
    update(&mut state, Msg::Notice(Notice { level: Level::Warning, text: "bad\u{1b}[2J file".to_owned() }));
    give(&mut state, &[Down, SortReverse, Pane2, SortNext]);
    assert_eq!(state.notice.as_ref().map(|n| n.text.as_str()), Some("bad\u{FFFD}[2J file"), "a lesser notice does not cover it");
    assert_eq!(state.facts.events.len(), 1);
    give(&mut state, &[Back]);
    assert_eq!(state.notice, None);
}

#[test]
fn the_world_is_asked_for_what_only_it_can_do() {
    let mut state = state();
    assert_eq!(update(&mut state, Msg::Command(Quit)), [Effect::Quit]);
    assert_eq!(update(&mut state, Msg::Command(Suspend)), [Effect::Suspend]);
    assert_eq!(update(&mut state, Msg::Command(Redraw)), [Effect::Redraw]);
    assert_eq!(update(&mut state, Msg::Command(Help)), []);
}

#[test]
fn leaving_leaves_what_is_looked_at_and_pgbaton_from_the_plain_view_only() {
    let mut state = after(&[Zoom, Filter]);
    type_in(&mut state, "a");
    give(&mut state, &[Accept, Open]);
    let told = |state: &State| (state.overlay.is_some(), state.view().is_some_and(|view| !view.filter.is_empty()), state.zoom);
    assert_eq!(told(&state), (true, true, true));
    for left in [(false, true, true), (false, false, true), (false, false, false)] {
        assert_eq!((update(&mut state, Msg::Command(Leave)), told(&state)), (Vec::new(), left));
    }
    assert_eq!(update(&mut state, Msg::Command(Leave)), [Effect::Quit]);
    give(&mut state, &[Zoom]);
    assert_eq!(update(&mut state, Msg::Command(Quit)), [Effect::Quit], "at once is at once");
}

#[test]
fn every_command_can_be_given_at_any_time() {
    use strum::IntoEnumIterator;
    for first in CommandId::iter() {
        for second in CommandId::iter() {
            let mut state = State::new(vec![&Five, &Empty], "card", Mode::ReadOnly(String::new()));
            give(&mut state, &[first, second]);
            let mut state = after(&[first, second, Down]);
            type_in(&mut state, "x");
        }
    }
}

#[test]
fn nobody_types_into_what_is_not_to_be_seen() {
    let mut state = after(&[Help, Search]);
    assert_eq!(state.typing, Some(Typing::Search));
    give(&mut state, &[Zoom]);
    assert_eq!((state.typing, &state.overlay), (None, &None), "the help is gone, and its search with it");
    state.themes = vec!["dark".to_owned(), "light".to_owned()];
    give(&mut state, &[Zoom, Filter, CommandId::Theme]);
    type_in(&mut state, "x");
    assert_eq!(state.typing, None);
    assert!(matches!(state.overlay, Some(Overlay::Looks(_))) && state.views[0].filter.is_empty(), "{:?}", state.views[0].filter);
}
