//! What the keys of a runbook's view do: what is written down, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::app::{Ask, CourseSheet, Facts, Measured, Msg, TextEdit, update};
use crate::finding::{Forecast, Tracker};
use crate::model::Cluster;
use crate::runbook::{Deed, Entry, parse};

fn document(second: i64) -> Box<Document> {
    known(second, |_| {})
}

/// The same, with this known of the cluster.
fn known(second: i64, of: impl FnOnce(&mut Document)) -> Box<Document> {
    let (cluster, at) = (Cluster::new("card", "/service/", BTreeMap::new()), moment(second));
    let mut document =
        Document::of(&cluster, &Tracker::default(), &Forecast::of(&cluster, at), &crate::finding::Limits::default(), "card", at);
    of(&mut document);
    Box::new(document)
}

fn moment(second: i64) -> Time {
    Time::from_micros(second * 1_000_000)
}

const ACTION: &str = "id = \"act\"\naction = \"resume\"";
const LOOK: &str = "id = \"look\"\nlook = \"well?\"";

/// A runbook of one action and a look, opened.
fn opened(mode: Mode) -> State {
    opened_with(&[ACTION, LOOK], mode)
}

fn opened_with(steps: &[&str], mode: Mode) -> State {
    let mut state = State::new(Vec::new(), "card", mode);
    state.facts = Facts::default();
    hears(&mut state, 0);
    opens(&mut state, steps, Vec::new());
    state
}

/// Takes up a run of these steps, of which that much was done.
fn opens(state: &mut State, steps: &[&str], entries: Vec<Entry>) {
    opens_as(state, "", steps, entries, true);
}

/// Opens a runbook of these steps that asks for this first, `kept`: a run of it that was begun.
fn opens_as(state: &mut State, inputs: &str, steps: &[&str], entries: Vec<Entry>, kept: bool) {
    let steps: String = steps.iter().map(|step| format!("```pgbaton\n{step}\n```\n")).collect();
    let text = format!("---\ntitle: t\ndanger: reads\n{inputs}---\n# T\n{steps}");
    let runbook = parse("t", "t.md", &text, &|_| Ok(())).expect("no mistake");
    let run = Run { begun: moment(0), entries, ..Run::sample(runbook.digest()) };

    update(state, Msg::Opened(Ok(Box::new(Opened { runbook, run, kept }))));
    seen(state);
}

fn hears(state: &mut State, second: i64) -> Vec<Effect> {
    update(state, Msg::Document(document(second), Vec::new()))
}

/// It is drawn, so that a key is meant for what is there.
fn seen(state: &mut State) {
    update(state, Msg::Measured(Measured::default()));
}

/// A key alone: nothing shortly before it, and nothing after it.
fn press(state: &mut State, command: CommandId) -> Vec<Effect> {
    let mut effects = update(state, Msg::Command(command));
    effects.extend(update(state, Msg::Rested));
    effects
}

fn plan() -> PlanSheet {
    PlanSheet {
        sentence: "resume".to_owned(),
        cluster: "card".to_owned(),
        target: None,
        checks: Vec::new(),
        effects: Vec::new(),
        order: String::new(),
        patronictl: None,
        ask: Ok(Ask { word: "y".to_owned(), overridden: Vec::new() }),
    }
}

fn course(outcome: Option<Outcome>) -> CourseSheet {
    CourseSheet {
        sentence: "resume".to_owned(),
        asked: moment(1),
        phases: vec![("seen".to_owned(), Some(Duration::from_secs(1)))],
        now: String::new(),
        notes: Vec::new(),
        outcome: outcome.map(|outcome| (outcome, "so it is".to_owned())),
        moved_to: None,
        away: None,
        over: outcome.is_some(),
    }
}

fn stage(state: &State) -> Option<Stage> {
    state.book.as_ref().map(|book| book.progress.stage.clone())
}

/// The deeds that an effect writes down.
fn written(effect: &Effect) -> Vec<&'static str> {
    match effect {
        Effect::Keep(run) => run.entries.iter().map(|entry| (&entry.deed).into()).collect(),
        other => panic!("{other:?}"),
    }
}

fn confirmed_plan(state: &mut State) -> Vec<Effect> {
    assert_eq!(press(state, CommandId::BookGo), [Effect::PlanAction(vec!["resume".to_owned()])]);
    assert_eq!(update(state, Msg::PlannedNext(Ok(Some(plan())))), []);
    seen(state);
    update(state, Msg::Text(TextEdit::Insert("y".to_owned())));
    update(state, Msg::Rested);
    seen(state);
    press(state, CommandId::Accept)
}

#[test]
fn a_runbook_that_is_opened_is_read_and_begins_when_that_is_said() {
    use CommandId::{BookAbort, BookAgain, BookGo, BookNo, BookNote, BookSettled, BookSkip, BookYes};
    let holds = "id = \"held\"\nrequire = \"cluster.name == 'card'\"";
    let opened = |inputs: &str| {
        let mut state = State::new(Vec::new(), "card", Mode::Operator);
        hears(&mut state, 0);
        opens_as(&mut state, inputs, &[holds, LOOK], Vec::new(), false);
        state
    };
    let mut state = opened("");
    assert_eq!((stage(&state), hears(&mut state, 5)), (Some(Stage::Offered), Vec::new()), "nothing is judged, and nothing written down");
    for key in [BookYes, BookNo, BookAgain, BookSettled, BookSkip, BookNote, BookAbort] {
        seen(&mut state);
        assert_eq!((press(&mut state, key), stage(&state), state.typing), (Vec::new(), Some(Stage::Offered), None), "{key}");
    }
    // Whoever leaves it has begun nothing, and finds the list again.
    assert_eq!(press(&mut state, CommandId::Back), []);
    assert_eq!(press(&mut state, CommandId::Runbooks), [Effect::ListBooks]);
    let mut state = opened("");
    hears(&mut state, 5);
    assert_eq!(written(&press(&mut state, BookGo)[0]), ["done"]);
    let book = state.book.as_ref().expect("it is open");
    assert!(matches!(book.progress.stage, Stage::Asks(Task::Look { .. })) && book.progress.run.begun == moment(5));
    // What it asks for first is asked then.
    let mut state = opened("inputs: [{name: who, question: Who, choices: [ada, bert]}]\n");
    assert_eq!((press(&mut state, BookGo), stage(&state)), (Vec::new(), Some(Stage::Input(0))));
}

#[test]
fn an_action_is_written_down_before_its_order_goes_out_and_again_when_its_end_is_known() {
    let mut state = opened(Mode::Operator);
    let effects = confirmed_plan(&mut state);
    assert_eq!(written(&effects[0]), ["begun"]);
    assert_eq!(effects[1..], [Effect::Confirm("y".to_owned())]);
    assert_eq!(update(&mut state, Msg::Begun(Ok(course(None)))), []);
    assert!(matches!(state.overlay, Some(Overlay::Book { .. })), "the view shows how it goes on");
    assert_eq!(update(&mut state, Msg::Course(course(Some(Outcome::Done)))), [Effect::PlanNext]);
    let effects = update(&mut state, Msg::PlannedNext(Ok(None)));
    assert_eq!(written(&effects[0]), ["begun", "done"]);
    hears(&mut state, 5);
    // What is pressed before the question is on the screen was meant for something else.
    assert_eq!(press(&mut state, CommandId::BookYes), []);
    seen(&mut state);
    assert_eq!(written(&press(&mut state, CommandId::BookYes)[0]), ["begun", "done", "done"]);
    assert_eq!(state.book.as_ref().map(|book| &book.progress.stage), Some(&Stage::Finished));
}

/// The outage is known only after the outcome, when the routes have moved: it is written down of the step all the same, once, at the run's end too.
#[test]
fn for_how_long_writes_were_away_is_written_down_with_the_run() {
    let mut state = opened(Mode::Operator);
    confirmed_plan(&mut state);
    update(&mut state, Msg::Begun(Ok(course(None))));
    let effects = update(&mut state, Msg::Course(away("writes on vm1 have been away for 1.0 s and still are", false)));
    assert_eq!(effects[0], Effect::PlanNext);
    assert_eq!(written(&effects[1]), ["begun", "measured"], "if nobody comes to write the end");
    assert_eq!(measured(&state), ["writes on vm1 have been away for 1.0 s and still are; not measured to its end"]);
    let counts_on = update(&mut state, Msg::Course(away("writes on vm1 have been away for 1.1 s and still are", false)));
    assert_eq!(counts_on, [], "not at every second");
    assert_eq!(written(&update(&mut state, Msg::PlannedNext(Ok(None)))[0]), ["begun", "measured", "done"]);
    let effects = update(&mut state, Msg::Course(away("writes were away for 1.9 s on vm1", true)));
    assert_eq!(written(&effects[0]), ["begun", "done", "measured"]);
    assert_eq!(update(&mut state, Msg::Course(away("writes were away for 1.9 s on vm1", true))), [], "once");
    assert_eq!(measured(&state), ["writes were away for 1.9 s on vm1"]);
    let Some(Entry { step, .. }) = state.book.as_ref().and_then(|book| book.progress.run.entries.last()) else { panic!("an entry") };
    assert_eq!(step.as_deref(), Some("act"), "it is of the step that is behind us");
    assert_eq!(press(&mut state, CommandId::Quit), [Effect::Quit], "nothing is open of it");
    // Another action ends the watching of this one: what was measured by then is kept.
    let mut state = opened(Mode::Operator);
    confirmed_plan(&mut state);
    update(&mut state, Msg::Begun(Ok(course(None))));
    update(&mut state, Msg::Course(away("writes on vm1 have been away for 1.0 s and still are", false)));
    update(&mut state, Msg::PlannedNext(Ok(None)));
    assert_eq!(written(&update(&mut state, Msg::Begun(Ok(course(None))))[0]), ["begun", "done", "measured"]);
    assert_eq!(measured(&state), ["writes on vm1 have been away for 1.0 s and still are; not measured to its end"]);
}

fn away(away: &str, over: bool) -> CourseSheet {
    CourseSheet { away: Some(away.to_owned()), over, ..course(Some(Outcome::Done)) }
}

/// What the run has of how long writes were away.
fn measured(state: &State) -> Vec<String> {
    state.book.as_ref().map(|book| book.progress.run.measured().map(str::to_owned).collect()).unwrap_or_default()
}

#[test]
fn whoever_leaves_while_it_is_measured_leaves_what_is_known_by_then() {
    let mut state = opened(Mode::Operator);
    confirmed_plan(&mut state);
    update(&mut state, Msg::Begun(Ok(course(None))));
    update(&mut state, Msg::Course(away("writes on vm1 have been away for 1.0 s and still are", false)));
    update(&mut state, Msg::PlannedNext(Ok(None)));
    update(&mut state, Msg::Course(away("writes were away for 1.9 s on vm1", false)));
    let effects = press(&mut state, CommandId::Quit);
    assert_eq!((written(&effects[0]), &effects[1..]), (vec!["begun", "done", "measured"], &[Effect::Quit][..]));
    assert_eq!(measured(&state), ["writes were away for 1.9 s on vm1; not measured to its end"]);
    // If that could not be written, whoever presses the key once more leaves.
    assert_eq!(press(&mut state, CommandId::Quit), [Effect::Quit]);
    // Before the outcome is known, too: the second key counts then.
    let mut state = opened(Mode::Operator);
    confirmed_plan(&mut state);
    update(&mut state, Msg::Begun(Ok(course(None))));
    update(&mut state, Msg::Course(CourseSheet { away: Some("x".to_owned()), ..course(None) }));
    assert_eq!(press(&mut state, CommandId::Quit), []);
    assert_eq!(written(&press(&mut state, CommandId::Quit)[0]), ["begun", "measured"]);
    assert_eq!(measured(&state), ["x; not measured to its end"]);
}

#[test]
fn a_plan_that_is_not_confirmed_leaves_no_trace_and_the_step_asks_again() {
    let mut state = opened(Mode::Operator);
    press(&mut state, CommandId::BookGo);
    update(&mut state, Msg::PlannedNext(Ok(Some(plan()))));
    seen(&mut state);
    assert_eq!(press(&mut state, CommandId::Discard), [Effect::Abandon]);
    assert!(matches!(state.overlay, Some(Overlay::Book { .. })));
    let book = state.book.as_ref().expect("it is open");
    assert!(matches!(book.progress.stage, Stage::Asks(Task::Act(_))) && book.progress.run.entries.is_empty());
}

/// Types a note, while whatever was on the screen goes on.
fn noted(state: &mut State, text: &str) -> Vec<Effect> {
    seen(state);
    press(state, CommandId::BookNote);
    seen(state);
    update(state, Msg::Text(TextEdit::Insert(text.to_owned())));
    press(state, CommandId::Accept)
}

#[test]
fn a_note_that_is_written_or_not_changes_nothing_of_the_action_under_way() {
    for end in [CommandId::Discard, CommandId::Back, CommandId::Accept] {
        let mut state = opened(Mode::Operator);
        confirmed_plan(&mut state);
        update(&mut state, Msg::Begun(Ok(course(None))));
        seen(&mut state);
        press(&mut state, CommandId::BookNote);
        seen(&mut state);
        assert_eq!(press(&mut state, end), [], "{end}");
        assert!(matches!(state.overlay, Some(Overlay::Book { .. })));
        assert_eq!(update(&mut state, Msg::Course(course(Some(Outcome::Done)))), [Effect::PlanNext]);
        assert_eq!(written(&update(&mut state, Msg::PlannedNext(Ok(None)))[0]), ["begun", "done"]);
    }
}

#[test]
fn an_action_is_begun_once_though_a_note_comes_between_its_parts() {
    let two_parts = || {
        let mut state = opened(Mode::Operator);
        confirmed_plan(&mut state);
        update(&mut state, Msg::Begun(Ok(course(None))));
        assert_eq!(written(&noted(&mut state, "slow")[0]), ["begun", "note"]);
        assert_eq!(update(&mut state, Msg::Course(course(Some(Outcome::Done)))), [Effect::PlanNext]);
        update(&mut state, Msg::PlannedNext(Ok(Some(plan()))));
        seen(&mut state);
        state
    };
    let mut state = two_parts();
    update(&mut state, Msg::Text(TextEdit::Insert("y".to_owned())));
    update(&mut state, Msg::Rested);
    seen(&mut state);
    assert_eq!(press(&mut state, CommandId::Accept), [Effect::Confirm("y".to_owned())]);
    let mut state = two_parts();
    let effects = press(&mut state, CommandId::Discard);
    assert_eq!(effects[0], Effect::Abandon);
    assert_eq!(written(&effects[1]), ["begun", "note", "failed"], "what was begun is not as if it had not been");
}

#[test]
fn the_plan_of_the_next_part_waits_until_no_key_is_meant_for_anything_else() {
    let under_way = || {
        let mut state = opened(Mode::Operator);
        confirmed_plan(&mut state);
        update(&mut state, Msg::Begun(Ok(course(None))));
        seen(&mut state);
        state
    };
    let part = |state: &mut State| {
        assert_eq!(update(state, Msg::Course(course(Some(Outcome::Done)))), [Effect::PlanNext]);
        assert_eq!(update(state, Msg::PlannedNext(Ok(Some(plan())))), []);
        seen(state);
    };
    // A note is being written.
    let mut state = under_way();
    press(&mut state, CommandId::BookNote);
    seen(&mut state);
    part(&mut state);
    update(&mut state, Msg::Text(TextEdit::Insert("y".to_owned())));
    assert!(matches!(&state.overlay, Some(Overlay::Question(question)) if question.typed == "y"), "{:?}", state.overlay);
    let effects = press(&mut state, CommandId::Accept);
    assert_eq!((written(&effects[0]), &effects[1..]), (vec!["begun", "note"], &[Effect::PlanNext][..]));
    update(&mut state, Msg::PlannedNext(Ok(Some(plan()))));
    assert!(matches!(&state.overlay, Some(Overlay::Plan(dialog)) if dialog.typed.is_empty()), "{:?}", state.overlay);
    // A command is searched for, the help is read, rows are filtered, the view was left.
    let elsewhere: [&[CommandId]; 4] =
        [&[CommandId::Palette], &[CommandId::Help], &[CommandId::Back, CommandId::Filter], &[CommandId::Back]];
    for commands in elsewhere {
        let mut state = under_way();
        commands.iter().for_each(|command| drop(press(&mut state, *command)));
        let before = (std::mem::discriminant(&state.overlay), state.typing);
        part(&mut state);
        assert_eq!((std::mem::discriminant(&state.overlay), state.typing), before, "{commands:?}");
        assert!(!matches!(state.overlay, Some(Overlay::Plan(_))), "{commands:?}");
        assert_eq!(hears(&mut state, 3), []);
    }
    // Nothing else is begun meanwhile, and whoever comes back to the view is asked.
    let mut state = under_way();
    press(&mut state, CommandId::Back);
    part(&mut state);
    assert_eq!(press(&mut state, CommandId::Pause), []);
    assert_eq!(state.notice.as_ref().map(|notice| notice.text.as_str()), Some("a runbook's action is under way"));
    assert_eq!(press(&mut state, CommandId::Runbooks), [Effect::PlanNext]);
}

#[test]
fn what_did_not_come_to_be_and_what_nobody_knows_are_told_apart() {
    let mut state = opened(Mode::Operator);
    confirmed_plan(&mut state);
    update(&mut state, Msg::Begun(Ok(course(None))));
    update(&mut state, Msg::Course(course(Some(Outcome::Unknown))));
    assert!(matches!(stage(&state), Some(Stage::Failed { unknown: true, .. })), "{:?}", stage(&state));
    let mut state = opened(Mode::Operator);
    confirmed_plan(&mut state);
    let effects = update(&mut state, Msg::Begun(Err("the leader changed".to_owned())));
    assert_eq!(written(&effects[0]), ["begun", "failed"]);
    assert!(matches!(stage(&state), Some(Stage::Failed { unknown: false, .. })), "{:?}", stage(&state));
}

#[test]
fn a_run_that_cannot_be_written_down_is_gone_on_with_by_nobody() {
    let mut state = opened(Mode::Operator);
    update(&mut state, Msg::NotKept("the disk is full".to_owned()));
    seen(&mut state);
    assert_eq!(press(&mut state, CommandId::BookGo), []);
    assert!(matches!(state.book.as_ref().map(|book| &book.progress.stage), Some(Stage::Reading(why)) if why.contains("the disk is full")));
}

#[test]
fn in_a_read_only_session_no_key_does_anything() {
    use CommandId::{BookAbort, BookAgain, BookGo, BookNo, BookNote, BookSettled, BookSkip, BookYes};
    for command in [BookYes, BookNo, BookAgain, BookSettled, BookSkip, BookNote, BookAbort, BookGo] {
        let mut state = opened_with(&[LOOK, ACTION], Mode::ReadOnly("no permit".to_owned()));
        let reading = Some(Stage::Reading("read-only session: no permit".to_owned()));
        assert_eq!(stage(&state), reading, "{command}");
        assert_eq!(press(&mut state, command), [], "{command}");
        assert!(matches!(state.overlay, None | Some(Overlay::Book { .. })) && state.typing.is_none(), "{command}: nothing is asked");
        assert_eq!(hears(&mut state, 9), [], "{command}");
        assert_eq!(stage(&state), reading, "{command}");
        assert!(state.book.as_ref().is_some_and(|book| book.progress.run.entries.is_empty()), "{command}");
    }
}

#[test]
fn an_action_that_was_offered_is_judged_again_before_it_is_planned() {
    let act = "id = \"act\"\naction = \"restart {cluster} {leader}\"\nonly_if = \"!cluster.paused\"";
    let led = |second: i64, leader: &'static str, paused: bool| {
        let document = known(second, |document| {
            document.cluster.leader = Some(leader.to_owned());
            document.cluster.paused = Some(paused);
            document.sources.iter_mut().filter(|source| source.name == "dcs").for_each(|source| source.fresh = true);
        });
        Msg::Document(document, Vec::new())
    };
    let offered = |leader: &str| Some(Stage::Asks(Task::Act(["restart", "card", leader].map(str::to_owned).to_vec())));
    let begin = || {
        let mut state = State::new(Vec::new(), "card", Mode::Operator);
        update(&mut state, led(0, "psg1", false));
        opens(&mut state, &[act, LOOK], Vec::new());
        assert_eq!(stage(&state), offered("psg1"));
        state
    };
    // Another one leads.
    let mut state = begin();
    update(&mut state, led(20, "psg2", false));
    assert_eq!(press(&mut state, CommandId::BookGo), []);
    assert_eq!(stage(&state), offered("psg2"), "what is on the screen now is asked for");
    assert_eq!(press(&mut state, CommandId::BookGo), [], "it was not seen yet");
    seen(&mut state);
    let words = ["restart", "card", "psg2"].map(str::to_owned).to_vec();
    assert_eq!(press(&mut state, CommandId::BookGo), [Effect::PlanAction(words)]);
    // It is not to be done any more.
    let mut state = begin();
    update(&mut state, led(20, "psg1", true));
    assert_eq!(written(&press(&mut state, CommandId::BookGo)[0]), ["skipped"]);
    // Whether it is to be done is not known any more.
    let mut state = begin();
    hears(&mut state, 20);
    assert_eq!(written(&press(&mut state, CommandId::BookGo)[0]), ["failed"]);
}

#[test]
fn a_step_is_passed_over_with_words_only() {
    let mut state = opened(Mode::Operator);
    press(&mut state, CommandId::BookSkip);
    seen(&mut state);
    assert_eq!(press(&mut state, CommandId::Accept), [], "nothing was typed");
    seen(&mut state);
    press(&mut state, CommandId::BookSkip);
    seen(&mut state);
    update(&mut state, Msg::Text(TextEdit::Insert("it is done".to_owned())));
    assert_eq!(written(&press(&mut state, CommandId::Accept)[0]), ["skipped"]);
}

#[test]
fn no_step_is_passed_over_while_it_is_not_said_whether_the_run_goes_on_at_all() {
    let mut state = State::new(Vec::new(), "card", Mode::Operator);
    hears(&mut state, 0);
    let held = Entry { at: moment(0), step: Some("held".to_owned()), each: None, deed: Deed::Done { told: String::new() } };
    opens(&mut state, &["id = \"held\"\nrequire = \"cluster.name == 'other'\"", LOOK], vec![held]);
    assert!(matches!(stage(&state), Some(Stage::Gone(_))), "{:?}", stage(&state));
    assert_eq!(press(&mut state, CommandId::BookSkip), []);
    assert_eq!((matches!(state.overlay, Some(Overlay::Book { .. })), state.typing), (true, None), "nothing is asked");
    assert!(matches!(stage(&state), Some(Stage::Gone(_))));
    assert_eq!(written(&press(&mut state, CommandId::BookYes)[0]), ["done", "note"]);
}

#[test]
fn an_answer_among_other_keys_is_none() {
    use CommandId::{BookGo, BookNo, BookSettled, BookYes, Down};
    for answer in [BookGo, BookYes, BookNo, BookSettled] {
        // The first key of a paste, one in the middle of it, and the last.
        for keys in [vec![answer, Down], vec![Down, answer, Down], vec![Down, answer]] {
            let mut state = opened(Mode::Operator);
            update(&mut state, Msg::Rested);
            for key in &keys {
                assert_eq!(update(&mut state, Msg::Command(*key)), [], "{keys:?}");
                seen(&mut state);
            }
            assert_eq!(update(&mut state, Msg::Rested), [], "{keys:?}");
        }
    }
    let mut state = opened(Mode::Operator);
    assert_eq!(update(&mut state, Msg::Command(BookGo)), [], "not before nothing follows it");
    assert_eq!(update(&mut state, Msg::Rested), [Effect::PlanAction(vec!["resume".to_owned()])]);
}

#[test]
fn an_answer_is_for_the_step_that_stood_there_when_it_was_pressed() {
    let mut state = opened(Mode::Operator);
    assert_eq!(update(&mut state, Msg::Command(CommandId::BookGo)), []);
    let book = state.book.as_mut().expect("it is open");
    book.progress.stage = Stage::Finished;
    seen(&mut state);
    assert_eq!(update(&mut state, Msg::Rested), []);
    assert!(matches!(state.overlay, Some(Overlay::Book { .. })));
}
