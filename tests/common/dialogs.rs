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
        notes: Vec::new(),
        outcome: None,
        moved_to: None,
        away: Some("writes were away for 2.1 s on vm1, not known on vm4".to_owned()),
        over: false,
    };
    update(&mut state, Msg::Begun(Ok(course)));
    snapshot("course", &screen(&mut state, (80, 24), false));
}

/// DONE is Patroni's word; whether clients are there too is told beside it, for as long as one looks, by what the HAProxies say.
#[test]
fn a_switchover_that_clients_have_not_followed_is_not_told_as_done_for_them() {
    let mut document = sample::healthy();
    document.cluster.leader = Some("psg2".to_owned());
    for route in document.routes.iter_mut().filter(|route| route.kind == RouteKind::Write) {
        route.up.clear();
    }
    let mut state = console(vec![document.clone()]);
    state.mode = Mode::Operator;
    let step = |name: &str, after: Option<u64>| (name.to_owned(), after.map(std::time::Duration::from_millis));
    let course = CourseSheet {
        sentence: "switchover from psg1 to psg2".to_owned(),
        asked: document.at,
        phases: vec![step("accepts writes (SQL)", Some(2600)), step("routes moved", None), step("psg1 follows", None)],
        now: String::new(),
        notes: Vec::new(),
        outcome: None,
        moved_to: None,
        away: None,
        over: false,
    };
    update(&mut state, Msg::Begun(Ok(course.clone())));
    let outcome = Some((Outcome::Done, "psg2 leads and accepts writes".to_owned()));
    let done = CourseSheet { outcome, moved_to: Some("psg2".to_owned()), ..course };
    update(&mut state, Msg::Course(done.clone()));
    let shown = text(&screen(&mut state, (120, 40), false));
    assert!(shown.contains("DONE     for Patroni, not yet for clients: psg2 leads and accepts writes"), "{shown}");
    assert!(shown.contains("routes   no write route leads to psg2 alone: vm1 to nobody, vm4 to nobody"), "{shown}");
    assert!(shown.contains("not yet  psg1 follows; still watched"), "the routes have a line of their own: {shown}");
    snapshot("course-clients-away", &screen(&mut state, (80, 24), false));
    // The watching of the action has an end; the line of the routes has none.
    update(&mut state, Msg::Course(CourseSheet { over: true, ..done }));
    for route in document.routes.iter_mut().filter(|route| route.kind == RouteKind::Write && route.instance == "vm1") {
        route.up = vec!["psg2".to_owned()];
    }
    update(&mut state, Msg::Document(Box::new(document.clone()), Vec::new()));
    let shown = text(&screen(&mut state, (120, 40), false));
    assert!(shown.contains("not yet for clients") && shown.contains("not every write route leads to psg2 alone: vm4 to nobody"), "{shown}");
    for route in document.routes.iter_mut().filter(|route| route.kind == RouteKind::Write) {
        route.up = vec!["psg2".to_owned()];
    }
    update(&mut state, Msg::Document(Box::new(document.clone()), Vec::new()));
    let shown = text(&screen(&mut state, (120, 40), false));
    assert!(shown.contains("DONE     psg2 leads and accepts writes"), "{shown}");
    assert!(shown.contains("routes   every write route leads to psg2: vm1, vm4"), "{shown}");
    // What an HAProxy said long ago is no word of now.
    document.routes.iter_mut().filter(|route| route.instance == "vm4").for_each(|route| route.asked.fresh = false);
    update(&mut state, Msg::Document(Box::new(document), Vec::new()));
    let shown = text(&screen(&mut state, (120, 40), false));
    assert!(shown.contains("routes   whether clients get to psg2 by vm4 is not known: no current answer"), "{shown}");
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
