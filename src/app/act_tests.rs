//! The dialog: what is asked for, what answers it, and what does not.

#[cfg(test)]
#[path = "hands_tests.rs"]
mod hands;

use super::*;
use crate::app::{Facts, Measured, Msg, PaneModel, RowId, TextEdit, View, update};
use crate::finding::{Forecast, Tracker};
use crate::model::Cluster;

/// A pane of members.
struct Members;

impl PaneModel for Members {
    fn title(&self) -> &'static str {
        "Members"
    }

    fn rows(&self, _: &Facts, view: &View) -> Vec<RowId> {
        ["psg1", "psg2"].into_iter().filter(|row| view.passes([*row])).map(str::to_owned).collect()
    }

    fn rows_are_members(&self) -> bool {
        true
    }
}

/// A pane of something else.
struct Others;

impl PaneModel for Others {
    fn title(&self) -> &'static str {
        "Others"
    }

    fn rows(&self, _: &Facts, _: &View) -> Vec<RowId> {
        vec!["psg1".to_owned()]
    }
}

fn console(mode: Mode) -> State {
    let mut state = State::new(vec![&Members, &Others], "card", mode);
    let (cluster, at) = (Cluster::new("card", "/service/", std::collections::BTreeMap::new()), Time::from_micros(0));
    let document = crate::document::Document::of(
        &cluster,
        &Tracker::default(),
        &Forecast::of(&cluster, at),
        &crate::finding::Limits::default(),
        "card",
        at,
    );
    update(&mut state, Msg::Document(Box::new(document), Vec::new()));
    state
}

fn press(state: &mut State, command: CommandId) -> Vec<Effect> {
    update(state, Msg::Command(command))
}

fn type_in(state: &mut State, text: &str) {
    update(state, Msg::Text(TextEdit::Insert(text.to_owned())));
}

/// Nothing is pressed for a while, and the screen says so.
fn rest(state: &mut State) {
    update(state, Msg::Rested);
    update(state, Msg::Measured(Measured::default()));
}

fn sheet(word: &str) -> PlanSheet {
    PlanSheet {
        sentence: "switchover from psg1 to psg2".to_owned(),
        cluster: "card".to_owned(),
        target: Some("psg2 on 10.0.0.12, replica".to_owned()),
        checks: vec![(Light::Green, "leader".to_owned(), "psg1 leads".to_owned())],
        effects: Vec::new(),
        order: "POST http://10.0.0.11:8008/switchover".to_owned(),
        patronictl: None,
        ask: Ok(Ask { word: word.to_owned(), overridden: Vec::new() }),
    }
}

/// An operator's console with a plan that was drawn.
fn asked(word: &str) -> State {
    let mut state = console(Mode::Operator);
    update(&mut state, Msg::Planned(Ok(sheet(word))));
    update(&mut state, Msg::Measured(Measured::default()));
    state
}

fn course(outcome: Option<Outcome>) -> CourseSheet {
    CourseSheet {
        sentence: "switchover from psg1 to psg2".to_owned(),
        asked: Time::from_micros(0),
        phases: Vec::new(),
        now: "asked, no answer yet".to_owned(),
        notes: Vec::new(),
        outcome: outcome.map(|outcome| (outcome, "so it is".to_owned())),
        moved_to: None,
        away: None,
        over: outcome.is_some(),
    }
}

fn notice(state: &State) -> &str {
    state.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

/// The commands that would change something.
const ACTS: [CommandId; 25] = [
    CommandId::Switchover,
    CommandId::SwitchoverAt,
    CommandId::Failover,
    CommandId::Restart,
    CommandId::RestartAt,
    CommandId::RestartPending,
    CommandId::RestartRolling,
    CommandId::Reload,
    CommandId::Reinit,
    CommandId::Checkpoint,
    CommandId::ResumeReplay,
    CommandId::DropSlot,
    CommandId::Terminate,
    CommandId::FlushRestart,
    CommandId::Pause,
    CommandId::Resume,
    CommandId::FlushSwitchover,
    CommandId::SetProxy,
    CommandId::EditConfig,
    CommandId::UndoConfig,
    CommandId::DemoteCluster,
    CommandId::PromoteCluster,
    CommandId::Remove,
    CommandId::Freeze,
    CommandId::Thaw,
];

#[test]
fn these_are_all_commands_that_are_not_harmless() {
    use crate::command::{COMMANDS, Danger};
    let dangerous: Vec<CommandId> = COMMANDS.iter().filter(|c| c.danger != Danger::Harmless).map(|c| c.id).collect();
    assert_eq!(dangerous, ACTS);
}

#[test]
fn a_read_only_session_asks_for_nothing_and_says_why() {
    for command in ACTS {
        let mut state = console(Mode::ReadOnly("this session was started with --read-only".to_owned()));
        assert_eq!(press(&mut state, command), []);
        assert!(notice(&state).ends_with("read-only session: this session was started with --read-only"), "{}", notice(&state));
        assert_eq!(state.overlay, None);
    }
}

#[test]
fn the_selected_member_is_meant_and_no_other() {
    let mut state = console(Mode::Operator);
    press(&mut state, CommandId::Down);
    let asked = Asked { command: CommandId::Restart, member: Some("psg2".to_owned()), given: Vec::new() };
    assert_eq!(press(&mut state, CommandId::Restart), [Effect::Plan(asked)]);
    let asked = Asked { command: CommandId::Resume, member: None, given: Vec::new() };
    assert_eq!(press(&mut state, CommandId::Resume), [Effect::Plan(asked)]);
    // Hidden by the filter: nobody looks at it.
    state.views[0].filter = "psg1".to_owned();
    assert_eq!(press(&mut state, CommandId::Restart), []);
    assert_eq!(notice(&state), "select a member first, in the Members pane");
    // A row of another pane is no member, whatever its name.
    state.views[0].filter.clear();
    press(&mut state, CommandId::Pane2);
    press(&mut state, CommandId::Down);
    assert_eq!(press(&mut state, CommandId::Restart), []);
}

#[test]
fn only_the_word_typed_in_full_confirms() {
    let mut state = asked("card");
    type_in(&mut state, "car");
    assert_eq!(press(&mut state, CommandId::Accept), []);
    assert_eq!(notice(&state), "type card to do it");
    type_in(&mut state, "d");
    rest(&mut state);
    assert_eq!(press(&mut state, CommandId::Accept), [Effect::Confirm("card".to_owned())]);
    assert_eq!((&state.overlay, state.typing), (&None, None));
}

#[test]
fn enter_on_nothing_cancels_and_so_does_back() {
    for command in [CommandId::Accept, CommandId::Discard, CommandId::Back] {
        let mut state = asked("card");
        assert_eq!(press(&mut state, command), [Effect::Abandon]);
        assert_eq!((&state.overlay, state.typing, notice(&state)), (&None, None, "cancelled; nothing was done"));
    }
}

#[test]
fn what_was_typed_before_the_dialog_was_drawn_counts_for_nothing() {
    let mut state = console(Mode::Operator);
    update(&mut state, Msg::Planned(Ok(sheet("y"))));
    type_in(&mut state, "y");
    assert_eq!(press(&mut state, CommandId::Accept), []);
    update(&mut state, Msg::Measured(Measured::default()));
    assert_eq!(press(&mut state, CommandId::Accept), [Effect::Abandon], "nothing was typed into it");
}

#[test]
fn pasted_text_confirms_nothing() {
    let mut state = asked("card");
    update(&mut state, Msg::Text(TextEdit::Paste("card".to_owned())));
    assert_eq!(notice(&state), "pasted text confirms nothing; type the word");
    assert_eq!(press(&mut state, CommandId::Accept), [Effect::Abandon]);
}

#[test]
fn what_is_refused_cannot_be_typed_away() {
    let mut state = console(Mode::Operator);
    update(&mut state, Msg::Planned(Ok(PlanSheet { ask: Err("nobody leads".to_owned()), ..sheet("") })));
    update(&mut state, Msg::Measured(Measured::default()));
    assert_eq!(state.typing, None);
    type_in(&mut state, "card");
    assert_eq!(press(&mut state, CommandId::Accept), []);
    assert_eq!(press(&mut state, CommandId::Back), [Effect::Abandon]);
}

#[test]
fn while_a_plan_waits_the_keys_below_do_nothing() {
    use strum::IntoEnumIterator;
    for command in CommandId::iter() {
        let mut state = asked("card");
        type_in(&mut state, "card");
        rest(&mut state);
        for effect in press(&mut state, command) {
            let own = matches!(effect, Effect::Quit | Effect::Suspend | Effect::Redraw | Effect::Abandon);
            assert!(own || (command == CommandId::Accept && effect == Effect::Confirm("card".to_owned())), "{command}: {effect:?}");
        }
    }
}

#[test]
fn one_thing_at_a_time() {
    let mut state = console(Mode::Operator);
    update(&mut state, Msg::Begun(Ok(course(None))));
    press(&mut state, CommandId::Back);
    assert_eq!(press(&mut state, CommandId::Resume), []);
    assert_eq!(notice(&state), "another action is under way");
    // Once the outcome is known, what follows is only watched.
    update(&mut state, Msg::Course(CourseSheet { over: false, ..course(Some(Outcome::Done)) }));
    assert_eq!(notice(&state), "switchover from psg1 to psg2: DONE: so it is");
    assert_eq!(press(&mut state, CommandId::Resume).len(), 1);
}

/// An operator's console that asks why it is to be paused.
fn why_paused() -> State {
    let mut state = console(Mode::Operator);
    assert_eq!(press(&mut state, CommandId::Pause), []);
    // Typed ahead, and meant for something else.
    type_in(&mut state, "x");
    assert_eq!(press(&mut state, CommandId::Accept), []);
    update(&mut state, Msg::Measured(Measured::default()));
    state
}

#[test]
fn a_pause_asks_for_its_reason_and_a_reminder_and_both_may_be_empty() {
    for (reason, after) in [("maintenance of the SAN", "2h"), ("", "")] {
        let mut state = why_paused();
        type_in(&mut state, reason);
        assert_eq!(press(&mut state, CommandId::Accept), []);
        update(&mut state, Msg::Measured(Measured::default()));
        type_in(&mut state, "soon");
        assert_eq!(press(&mut state, CommandId::Accept), []);
        assert!(notice(&state).starts_with("a time is a number with one of the units"), "{}", notice(&state));
        press(&mut state, CommandId::EraseStart);
        type_in(&mut state, after);
        let asked = Asked { command: CommandId::Pause, member: None, given: vec![reason.to_owned(), after.to_owned()] };
        assert_eq!(press(&mut state, CommandId::Accept), [Effect::Plan(asked)]);
        assert_eq!((&state.overlay, state.typing), (&None, None));
    }
}

#[test]
fn a_time_is_asked_for_until_it_is_one() {
    let mut state = console(Mode::Operator);
    state.now = Time::parse("2026-11-24T12:00:00Z");
    press(&mut state, CommandId::RestartAt);
    update(&mut state, Msg::Measured(Measured::default()));
    type_in(&mut state, "2026-11-24 11:00+00:00");
    assert_eq!(press(&mut state, CommandId::Accept), []);
    assert_eq!(notice(&state), "2026-11-24 11:00 UTC is past");
    press(&mut state, CommandId::EraseStart);
    type_in(&mut state, "2026-11-24 13:00+00:00");
    let given = vec!["2026-11-24T13:00:00.000Z".to_owned()];
    let asked = Asked { command: CommandId::RestartAt, member: Some("psg1".to_owned()), given };
    assert_eq!(press(&mut state, CommandId::Accept), [Effect::Plan(asked)]);
    // Enter on nothing cancels.
    press(&mut state, CommandId::RestartAt);
    update(&mut state, Msg::Measured(Measured::default()));
    assert_eq!(press(&mut state, CommandId::Accept), [Effect::Abandon]);
}

fn rows(ids: &[&str]) -> Vec<ChoiceRow> {
    ids.iter().map(|id| ChoiceRow { id: (*id).to_owned(), cells: vec![(*id).to_owned()] }).collect()
}

#[test]
fn a_row_is_chosen_once_the_list_was_seen() {
    let mut state = console(Mode::Operator);
    let effects = press(&mut state, CommandId::Terminate);
    let [Effect::List(asked)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(asked.member.as_deref(), Some("psg1"));
    update(&mut state, Msg::Listed(asked.clone(), Ok(rows(&["7 1", "8 2", "9 3"]))));
    assert_eq!(press(&mut state, CommandId::Choose), [], "nobody has seen it yet");
    update(&mut state, Msg::Measured(Measured::default()));
    press(&mut state, CommandId::Down);
    press(&mut state, CommandId::Bottom);
    press(&mut state, CommandId::Up);
    let chosen = Asked { given: vec!["8 2".to_owned()], ..asked.clone() };
    assert_eq!(press(&mut state, CommandId::Choose), [Effect::Plan(chosen)]);
    assert_eq!(state.overlay, None);
}

#[test]
fn a_list_that_comes_late_or_empty_opens_nothing() {
    let mut state = console(Mode::Operator);
    let asked = Asked { command: CommandId::Terminate, member: Some("psg1".to_owned()), given: Vec::new() };
    update(&mut state, Msg::Listed(asked.clone(), Ok(Vec::new())));
    assert!(notice(&state).starts_with("no session on psg1 stands in the way"), "{}", notice(&state));
    update(&mut state, Msg::Listed(asked.clone(), Err("psg1 does not answer".to_owned())));
    assert_eq!((notice(&state), &state.overlay), ("psg1 does not answer", &None));
    press(&mut state, CommandId::Filter);
    update(&mut state, Msg::Listed(asked, Ok(rows(&["7 1"]))));
    assert_eq!(state.overlay, None, "what is typed is meant for the filter");
}

#[test]
fn a_choice_is_cancelled_like_a_plan_and_nothing_below_is_done() {
    use strum::IntoEnumIterator;
    let asked = Asked { command: CommandId::Terminate, member: Some("psg1".to_owned()), given: Vec::new() };
    for command in CommandId::iter().filter(|command| *command != CommandId::Choose) {
        let mut state = console(Mode::Operator);
        update(&mut state, Msg::Listed(asked.clone(), Ok(rows(&["7 1"]))));
        update(&mut state, Msg::Measured(Measured::default()));
        let effects = press(&mut state, command);
        let own = |effect: &Effect| matches!(effect, Effect::Quit | Effect::Suspend | Effect::Redraw | Effect::Abandon);
        assert!(effects.iter().all(own), "{command}: {effects:?}");
        assert_eq!(effects == [Effect::Abandon], state.overlay.is_none(), "{command}");
    }
}

#[test]
fn what_is_edited_or_restarted_in_turn_needs_no_member_and_what_is_not_known_gives_no_list() {
    let mut state = console(Mode::Operator);
    press(&mut state, CommandId::Pane2);
    let asked = |command: CommandId| Asked { command, member: None, given: Vec::new() };
    assert_eq!(press(&mut state, CommandId::EditConfig), [Effect::Edit(asked(CommandId::EditConfig))]);
    for command in [CommandId::RestartRolling, CommandId::RestartPending] {
        assert_eq!(press(&mut state, command), [Effect::Plan(asked(command))]);
    }
    assert_eq!(press(&mut state, CommandId::SetProxy), []);
    assert_eq!(notice(&state), "no HAProxy tells its servers");
    press(&mut state, CommandId::Pane1);
    assert_eq!(press(&mut state, CommandId::DropSlot), []);
    assert_eq!(notice(&state), "the slots of psg1 are not known: its PostgreSQL does not answer");
}

#[test]
fn the_configuration_is_shown_to_who_may_only_read() {
    let mut state = console(Mode::ReadOnly("so it is".to_owned()));
    assert_eq!(press(&mut state, CommandId::ShowConfig), [Effect::ShowConfig]);
    update(&mut state, Msg::Shown(Ok(("Configuration of card".to_owned(), vec!["ttl: 30".to_owned()]))));
    assert!(matches!(&state.overlay, Some(Overlay::Text { lines, .. }) if lines == &["ttl: 30"]));
}

#[test]
fn a_question_is_cancelled_like_a_plan() {
    use strum::IntoEnumIterator;
    for command in [CommandId::Discard, CommandId::Back] {
        let mut state = why_paused();
        assert_eq!(press(&mut state, command), [Effect::Abandon]);
        assert_eq!((&state.overlay, state.typing, notice(&state)), (&None, None, "cancelled; nothing was done"));
    }
    for command in CommandId::iter().filter(|command| *command != CommandId::Accept) {
        let mut state = why_paused();
        type_in(&mut state, "y");
        let effects = press(&mut state, command);
        let own = |effect: &Effect| matches!(effect, Effect::Quit | Effect::Suspend | Effect::Redraw | Effect::Abandon);
        assert!(effects.iter().all(own), "{command}: {effects:?}");
    }
}

#[test]
fn a_bad_end_is_told_and_stays() {
    for (outcome, level) in [(Outcome::Refused, Level::Warning), (Outcome::Failed, Level::Warning), (Outcome::Unknown, Level::Critical)] {
        let mut state = console(Mode::Operator);
        update(&mut state, Msg::Begun(Ok(course(None))));
        update(&mut state, Msg::Course(course(Some(outcome))));
        assert_eq!(state.notice.as_ref().map(|notice| notice.level), Some(level));
        assert_eq!(state.facts.events.len(), 1);
        // It is told once.
        update(&mut state, Msg::Course(course(Some(outcome))));
        assert_eq!(state.facts.events.len(), 1);
    }
}

#[test]
fn leaving_in_the_middle_is_asked_twice() {
    let mut state = console(Mode::Operator);
    update(&mut state, Msg::Begun(Ok(course(None))));
    assert_eq!(press(&mut state, CommandId::Quit), []);
    assert!(notice(&state).starts_with("an action is under way; quit once more"), "{}", notice(&state));
    press(&mut state, CommandId::Down);
    assert_eq!(press(&mut state, CommandId::Quit), [], "something else was pressed in between");
    assert_eq!(press(&mut state, CommandId::Quit), [Effect::Quit]);
}

#[test]
fn an_order_that_was_refused_at_the_last_moment_says_why() {
    let mut state = console(Mode::Operator);
    update(&mut state, Msg::Begun(Err("the leader changed since the plan was made".to_owned())));
    assert_eq!(notice(&state), "REFUSED: the leader changed since the plan was made");
    assert_eq!(state.overlay, None);
}
