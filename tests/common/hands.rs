//! The search for a command, the help of a place, what can follow a key, what waits to be gone on with: what they look like.

use pgbaton::app::why_not;
use pgbaton::command::{COMMANDS, Danger, Scope};
use pgbaton::runbook::Left;

use super::*;

fn type_in(state: &mut State, text: &str) {
    update(state, Msg::Text(TextEdit::Insert(text.to_owned())));
}

fn operator() -> State {
    let mut state = console(vec![sample::healthy()]);
    state.mode = Mode::Operator;
    state
}

#[test]
fn the_search_for_a_command_shows_its_keys_its_danger_and_why_not_now() {
    let mut state = operator();
    press(&mut state, &[CommandId::Palette]);
    snapshot("palette-80x24", &screen(&mut state, (80, 24), false));
    type_in(&mut state, "resta");
    press(&mut state, &[CommandId::HistoryNext]);
    snapshot("palette-search-120x40", &screen(&mut state, (120, 40), false));
    state.mode = Mode::ReadOnly("this session was started with --read-only".to_owned());
    snapshot("palette-read-only-80x24", &screen(&mut state, (80, 24), false));
    type_in(&mut state, "xyzzy");
    assert!(text(&screen(&mut state, (80, 24), false)).contains("no command is found"));
}

#[test]
fn every_command_of_the_search_can_be_selected_and_is_seen_then() {
    for size in [(80, 24), (60, 12), (120, 40)] {
        let mut state = operator();
        press(&mut state, &[CommandId::Palette]);
        let found = match &state.overlay {
            Some(Overlay::Palette(palette)) => palette.found(),
            other => panic!("{other:?}"),
        };
        for command in found {
            let shown = text(&screen(&mut state, size, false));
            let id = command.id.to_string();
            assert!(shown.lines().any(|line| line.contains("▸ ") && line.contains(&id)), "{id} at {size:?}\n{shown}");
            press(&mut state, &[CommandId::HistoryNext]);
        }
    }
}

/// What it says of each command is all there on the usual terminal, the keys of the place first.
#[test]
fn the_help_is_readable_at_80_columns_and_begins_with_the_place() {
    for (place, commands) in [(Scope::List, vec![]), (Scope::Overlay, vec![CommandId::Open]), (Scope::Text, vec![CommandId::Filter])] {
        let mut state = operator();
        press(&mut state, &commands);
        press(&mut state, &[CommandId::Help]);
        let mut all = Vec::new();
        let first = text(&screen(&mut state, (80, 24), false));
        assert!(first.contains(&format!("Here: {}", place.title())), "{first}");
        loop {
            let shown = text(&screen(&mut state, (80, 24), false));
            all.extend(shown.lines().filter_map(|line| line.strip_prefix("│ ")?.strip_suffix('│').map(|line| line.trim_end().to_owned())));
            let scrolled = match &mut state.overlay {
                Some(overlay) => overlay.scroll_mut().copied().unwrap_or_default(),
                None => panic!("the help is closed"),
            };
            if scrolled >= state.measured.overlay_end {
                break;
            }
            press(&mut state, &[CommandId::PageDown]);
        }
        let said = all.iter().map(|line| line.get(24..).unwrap_or_default().trim()).collect::<Vec<_>>().join(" ");
        for command in COMMANDS.iter().filter(|command| command.id.pane_number().is_none()) {
            assert!(said.contains(command.doc), "{}: {}\n{}", command.id, command.doc, all.join("\n"));
        }
        assert!(said.contains("Clients cannot write, or the next fault stops them, or sources disagree."), "{said}");
    }
}

#[test]
fn what_can_follow_a_key_is_shown_though_something_was_said() {
    let mut state = operator();
    let notice = pgbaton::app::Notice { level: Level::Warning, text: "something".to_owned() };
    update(&mut state, Msg::Notice(notice));
    update(&mut state, Msg::Pending(Some("g".to_owned())));
    let last = text(&screen(&mut state, (80, 24), false)).lines().last().map(str::to_owned).unwrap_or_default();
    assert!(last.contains("g first row") && last.contains("e last row"), "{last}");
    // In a pane of something else no member is selected, and it says so of what needs one.
    press(&mut state, &[CommandId::Pane5]);
    update(&mut state, Msg::Pending(Some("a".to_owned())));
    let shown = text(&screen(&mut state, (80, 24), false));
    assert!(shown.contains("select a member first, in the Members pane"), "{shown}");
    for command in COMMANDS.iter().filter(|command| command.danger > Danger::Harmless) {
        assert_eq!(why_not(&state, command.id).is_some(), command.scope == Scope::List, "{}", command.id);
    }
}

#[test]
fn the_cursor_stands_where_the_next_character_goes() {
    let mut state = operator();
    press(&mut state, &[CommandId::Filter]);
    type_in(&mut state, "psg1");
    press(&mut state, &[CommandId::CursorLeft, CommandId::WordLeft]);
    let buffer = screen(&mut state, (80, 24), false);
    let reversed = |x: u16, y: u16| buffer[(x, y)].modifier.contains(ratatui::style::Modifier::REVERSED);
    assert!(reversed(2, 23) && buffer[(2, 23)].symbol() == "p" && !reversed(3, 23), "{}", text(&buffer));
    type_in(&mut state, "x");
    assert_eq!(state.views[0].filter, "xpsg1");
}

/// A run that was left is recalled where one begins, without another key losing its place to it.
#[test]
fn a_run_that_was_left_is_recalled_beside_the_keys_and_first_in_the_search() {
    let left = |id: &str, ago: i64, unknown: bool| Left {
        id: id.to_owned(),
        runbook: "planned-switchover".to_owned(),
        title: "Planned switchover".to_owned(),
        step: (4, 9),
        next: "Hand over: switchover".to_owned(),
        since: sample::at(sample::NOW - ago),
        unknown,
        by: "ada".to_owned(),
    };
    let foot = |state: &mut State, size: (u16, u16)| text(&screen(state, size, false)).lines().last().unwrap_or_default().trim().to_owned();
    let mut state = operator();
    update(&mut state, Msg::Left(vec![left("1-2", 720, true), left("1-1", 86_400, false)]));
    assert_eq!(foot(&mut state, (80, 24)), "R run left at 4/9 (?)  ? help  tab next pane  enter details  a act  q quit");
    let sentence = "R run \"Planned switchover\" was left at step 4 of 9, 12 min ago, outcome not known, 1 more left  ? help";
    for (size, told) in [((250, 70), sentence), ((160, 48), "R run \"Planned switchover\" left at 4/9, 12 min ago (?)  ? help")] {
        let wide = foot(&mut state, size);
        assert!(wide.starts_with(told) && wide.ends_with("q quit"), "{wide}");
    }
    for columns in 80..=160 {
        let foot = foot(&mut state, (columns, 24));
        assert!(foot.ends_with("q quit"), "{columns}: {foot}");
    }
    // It is an event once, whatever comes of looking again.
    update(&mut state, Msg::Left(vec![left("1-2", 720, true)]));
    let told: Vec<&str> = state.facts.events.newest_first().map(|(_, event)| event.sentence.as_str()).collect();
    let was_left = "a run of \"Planned switchover\" was left at step 4 of 9";
    assert_eq!(told, [format!("{was_left}; what became of that step is not known").as_str(), was_left]);
    press(&mut state, &[CommandId::Palette]);
    let shown = text(&screen(&mut state, (80, 24), false));
    assert!(shown.lines().any(|line| line.contains("▸ runbooks") && line.contains("Run \"Planned switchover\" was")), "{shown}");
    press(&mut state, &[CommandId::Discard]);
    // Where the key opens the runbook of a finding it is not said that it leads to the run.
    let mut document = sample::lagging();
    document.findings[0].runbook = Some("lag".to_owned());
    update(&mut state, Msg::Document(Box::new(document), Vec::new()));
    press(&mut state, &[CommandId::Pane5]);
    assert!(foot(&mut state, (120, 40)).starts_with("run left at 4/9 (?)  ? help"), "{}", foot(&mut state, (120, 40)));
    // One that is open in this console is not left, and goes when it ends.
    update(&mut state, Msg::Left(Vec::new()));
    press(&mut state, &[CommandId::Pane1]);
    runbook(&mut state, true);
    press(&mut state, &[CommandId::Back]);
    assert!(foot(&mut state, (80, 24)).starts_with("R run at 1/2  ? help"), "{}", foot(&mut state, (80, 24)));
    state.book = None;
    assert!(foot(&mut state, (80, 24)).starts_with("? help"));
}

/// Who cannot be chosen stands below those who can, with the reason, and no key gets there.
#[test]
fn who_cannot_be_chosen_is_named_below_the_choice() {
    let mut state = operator();
    let text_of = concat!(
        "---\ntitle: Hand over\ndanger: reads\ninputs:\n  - name: whom\n    question: To whom\n    among: members\n",
        "    which: m.name == 'psg2'\n---\n# Hand over\n```pgbaton\nlook = \"well?\"\n```\n",
    );
    let runbook = parse("t", "t.md", text_of, &|_| Ok(())).expect("no mistake");
    let ours = |runbook: pgbaton::runbook::Runbook| {
        let text = serde_json::json!({
            "id": "1-2", "runbook": "t", "digest": runbook.digest(), "cluster": "card-prod", "key": "/service/card", "system": null,
            "by": "ada", "begun": sample::at(sample::NOW), "values": {}, "loops": {}, "entries": [],
        });
        Opened { runbook, run: serde_json::from_value(text).expect("a run"), kept: false }
    };
    update(&mut state, Msg::Opened(Ok(Box::new(ours(runbook)))));
    for _ in 0..2 {
        screen(&mut state, (80, 24), false);
        press(&mut state, &[CommandId::BookGo]);
        update(&mut state, Msg::Rested);
    }
    let shown = text(&screen(&mut state, (80, 24), false));
    let at = |what: &str| shown.lines().position(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}\n{shown}"));
    assert!(at("▸ psg2") < at("not psg1: not so: m.name == 'psg2'"), "{shown}");
    press(&mut state, &[CommandId::Bottom]);
    assert!(text(&screen(&mut state, (80, 24), false)).contains("▸ psg2"));
}
