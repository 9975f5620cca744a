//! What is asked before an action, and what is shown while it is under way.

use super::*;

#[test]
fn a_plan_shows_what_it_would_do_and_what_speaks_against_it() {
    for size in [(80, 24), (120, 40)] {
        let mut state = console(vec![sample::healthy()]);
        state.mode = Mode::Operator;
        update(&mut state, Msg::Planned(Ok(plan())));
        screen(&mut state, size, false);
        update(&mut state, Msg::Text(TextEdit::Insert("override ca".to_owned())));
        snapshot(&format!("plan-{}x{}", size.0, size.1), &screen(&mut state, size, false));
    }
}

#[test]
fn a_question_before_a_plan_says_what_it_is_for() {
    let mut state = console(vec![sample::healthy()]);
    state.mode = Mode::Operator;
    press(&mut state, &[CommandId::Pause]);
    screen(&mut state, (80, 24), false);
    let reason = "the storage behind psg2 is replaced, and nobody may take over while its volumes are moved to the new one";
    update(&mut state, Msg::Text(TextEdit::Insert(reason.to_owned())));
    snapshot("question", &screen(&mut state, (80, 24), false));
}

#[test]
fn a_plan_that_is_refused_says_why_first() {
    let mut state = console(vec![sample::healthy()]);
    state.mode = Mode::Operator;
    let why = "psg2 has nofailover: Patroni lets it take over nothing";
    update(&mut state, Msg::Planned(Ok(PlanSheet { ask: Err(why.to_owned()), ..plan() })));
    snapshot("plan-refused", &screen(&mut state, (80, 24), false));
}

#[test]
fn an_action_under_way_shows_its_steps() {
    let mut state = console(vec![sample::healthy()]);
    state.mode = Mode::Operator;
    let step = |name: &str, after: Option<u64>| (name.to_owned(), after.map(std::time::Duration::from_millis));
    let course = CourseSheet {
        sentence: "switchover from psg1 to psg2".to_owned(),
        asked: sample::healthy().at,
        phases: vec![step("leader key released", Some(2340)), step("leader key taken", Some(2600)), step("accepts writes (SQL)", None)],
        now: "UNKNOWN: sent, and no answer came: nothing within 35 s; watching the cluster".to_owned(),
        notes: vec!["writes were away for 2.1 s on vm1, not known on vm4".to_owned()],
        outcome: None,
        over: false,
    };
    update(&mut state, Msg::Begun(Ok(course)));
    snapshot("course", &screen(&mut state, (80, 24), false));
}

#[test]
fn the_beginning_of_a_sequence_shows_what_it_can_become() {
    let mut state = console(vec![sample::healthy()]);
    update(&mut state, Msg::Pending(Some("g".to_owned())));
    let few = text(&screen(&mut state, (80, 24), false));
    assert!(few.lines().last().is_some_and(|last| last.contains("g first row  e last row")), "{few}");
    update(&mut state, Msg::Pending(Some("a".to_owned())));
    state.mode = Mode::ReadOnly("this session was started with --read-only".to_owned());
    snapshot("keys-read-only", &screen(&mut state, (80, 24), false));
    state.mode = Mode::Operator;
    for size in [(80, 24), (120, 40)] {
        snapshot(&format!("keys-{}x{}", size.0, size.1), &screen(&mut state, size, false));
    }
    press(&mut state, &[CommandId::Pane5]);
    update(&mut state, Msg::Pending(Some("a".to_owned())));
    let elsewhere = text(&screen(&mut state, (80, 24), false));
    assert!(elsewhere.contains("select a member first"), "{elsewhere}");
}

#[test]
fn a_list_to_choose_from_shows_where_one_is() {
    let mut state = console(vec![sample::healthy()]);
    state.mode = Mode::Operator;
    press(&mut state, &[CommandId::SetProxy]);
    screen(&mut state, (80, 24), false);
    press(&mut state, &[CommandId::Down]);
    snapshot("choice-servers", &screen(&mut state, (80, 24), false));
    press(&mut state, &[CommandId::Choose]);
    snapshot("choice-state", &screen(&mut state, (80, 24), false));
    press(&mut state, &[CommandId::Back]);
    let asked = Asked { command: CommandId::Terminate, member: Some("psg1".to_owned()), given: Vec::new() };
    let row = |n: u32| ChoiceRow {
        id: n.to_string(),
        cells: [&n.to_string(), "card_settlement", "idle in transaction", "42 min", "41 min", "3", "cards", "10.20.0.77", "settle-batch"]
            .map(str::to_owned)
            .to_vec(),
    };
    update(&mut state, Msg::Listed(asked, Ok((4711..4761).map(row).collect())));
    screen(&mut state, (80, 24), false);
    press(&mut state, &[CommandId::Bottom]);
    snapshot("choice-sessions-80x24", &screen(&mut state, (80, 24), false));
    press(&mut state, &[CommandId::Top]);
    snapshot("choice-sessions-120x40", &screen(&mut state, (120, 40), false));
}

#[test]
fn a_time_is_shown_as_it_is_understood() {
    let mut state = console(vec![sample::healthy()]);
    state.mode = Mode::Operator;
    press(&mut state, &[CommandId::SwitchoverAt]);
    screen(&mut state, (80, 24), false);
    update(&mut state, Msg::Text(TextEdit::Insert("2099-01-01 03:00+00:00".to_owned())));
    let shown = text(&screen(&mut state, (80, 24), false));
    assert!(shown.contains("╭─ Switchover at a time · psg1 ──"), "{shown}");
    assert!(shown.contains("2099-01-01 03:00 UTC, here 2099-01-01 ") && shown.contains("enter shows the plan"), "{shown}");
    update(&mut state, Msg::Text(TextEdit::Insert("x".to_owned())));
    let shown = text(&screen(&mut state, (80, 24), false));
    assert!(shown.contains("is no time: write 03:00"), "{shown}");
}
