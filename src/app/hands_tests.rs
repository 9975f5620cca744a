//! What confirms, and the search for a command.

use super::*;

#[test]
fn enter_confirms_only_once_the_screen_has_said_that_it_does() {
    let early = "enter came with the text, as a paste's does, and did nothing; press it again";
    // At once, as an unmarked paste does it; and after a rest of which nothing was drawn.
    for rested in [false, true] {
        let mut state = asked("card");
        type_in(&mut state, "card");
        if rested {
            update(&mut state, Msg::Rested);
        }
        for _ in 0..3 {
            assert_eq!(press(&mut state, CommandId::Accept), []);
            assert_eq!(notice(&state), early);
        }
        rest(&mut state);
        assert_eq!(press(&mut state, CommandId::Accept), [Effect::Confirm("card".to_owned())]);
    }
    // Something was pressed in between, whatever it was.
    let between: [fn(&mut State); 3] = [
        |state| drop(press(state, CommandId::Down)),
        |state| type_in(state, ""),
        |state| drop(update(state, Msg::Pending(Some("g".to_owned())))),
    ];
    for between in between {
        let mut state = asked("card");
        type_in(&mut state, "card");
        rest(&mut state);
        between(&mut state);
        update(&mut state, Msg::Measured(Measured::default()));
        assert_eq!(press(&mut state, CommandId::Accept), []);
    }
    // A rest before the word is complete is none behind it.
    let mut state = asked("card");
    type_in(&mut state, "car");
    rest(&mut state);
    type_in(&mut state, "d");
    assert_eq!(press(&mut state, CommandId::Accept), []);
}

#[test]
fn what_was_cut_out_elsewhere_is_not_put_into_an_answer() {
    let mut state = console(Mode::Operator);
    press(&mut state, CommandId::Filter);
    type_in(&mut state, "card");
    press(&mut state, CommandId::EraseStart);
    press(&mut state, CommandId::Discard);
    update(&mut state, Msg::Planned(Ok(sheet("card"))));
    update(&mut state, Msg::Measured(Measured::default()));
    for command in [CommandId::Yank, CommandId::HistoryPrevious, CommandId::HistoryNext] {
        press(&mut state, command);
        let Some(Overlay::Plan(dialog)) = &state.overlay else { panic!("no dialog") };
        assert_eq!(dialog.typed, "", "{command}");
    }
}

#[test]
fn a_command_that_is_found_runs_as_by_its_keys() {
    let asked = Asked { command: CommandId::Restart, member: Some("psg1".to_owned()), given: Vec::new() };
    for (mode, typed, effects) in [
        (Mode::Operator, "restart", vec![Effect::Plan(asked)]),
        (Mode::Operator, "quit", vec![Effect::Quit]),
        (Mode::ReadOnly("so it is".to_owned()), "restart", Vec::new()),
        (Mode::Operator, "xyzzy", Vec::new()),
    ] {
        let mut state = console(mode.clone());
        press(&mut state, CommandId::Palette);
        type_in(&mut state, typed);
        assert_eq!(press(&mut state, CommandId::Accept), effects, "{typed}");
        assert_eq!((&state.overlay, state.typing), (&None, None));
        if mode != Mode::Operator {
            assert_eq!(notice(&state), "restart: read-only session: so it is");
        }
    }
}

#[test]
fn the_search_for_a_command_lies_over_what_was_there() {
    let mut state = console(Mode::Operator);
    press(&mut state, CommandId::Help);
    let help = state.overlay.clone();
    press(&mut state, CommandId::Palette);
    press(&mut state, CommandId::HistoryNext);
    let Some(Overlay::Palette(palette)) = &state.overlay else { panic!("no palette") };
    assert_eq!(palette.selected, 1);
    press(&mut state, CommandId::Discard);
    assert_eq!((&state.overlay, state.typing), (&help, None));
    // What is meant for the help finds it, what is meant for the rows finds them.
    press(&mut state, CommandId::Palette);
    type_in(&mut state, "search");
    press(&mut state, CommandId::Accept);
    assert_eq!((&state.overlay, state.typing), (&help, Some(Typing::Search)));
    press(&mut state, CommandId::Discard);
    press(&mut state, CommandId::Palette);
    type_in(&mut state, "filter");
    press(&mut state, CommandId::Accept);
    assert_eq!((&state.overlay, state.typing), (&None, Some(Typing::Filter)));
}

#[test]
fn what_cannot_run_is_told_alike_before_and_by_its_keys() {
    use crate::app::why_not;
    use strum::IntoEnumIterator;
    for mode in [Mode::Operator, Mode::ReadOnly("so it is".to_owned())] {
        for command in CommandId::iter() {
            let mut state = console(mode.clone());
            let Some(why) = why_not(&state, command) else { continue };
            assert_eq!(press(&mut state, command), [], "{command}");
            assert!(notice(&state).ends_with(&why), "{command}: {why} / {}", notice(&state));
        }
    }
}

#[test]
fn enter_does_nothing_while_the_word_is_scrolled_out_of_sight() {
    let long = || Msg::Measured(Measured { overlay_page: 18, overlay_end: 4, ..Measured::default() });
    let mut state = asked("card");
    update(&mut state, long());
    press(&mut state, CommandId::PageDown);
    update(&mut state, long());
    // To type is to see what.
    type_in(&mut state, "card");
    assert!(matches!(&state.overlay, Some(Overlay::Plan(dialog)) if dialog.scroll == 0));
    press(&mut state, CommandId::PageDown);
    update(&mut state, long());
    update(&mut state, Msg::Rested);
    update(&mut state, long());
    assert_eq!(press(&mut state, CommandId::Accept), []);
    assert_eq!(notice(&state), "what is asked was not to be seen; it is now: press enter again");
    update(&mut state, Msg::Rested);
    update(&mut state, long());
    assert_eq!(press(&mut state, CommandId::Accept), [Effect::Confirm("card".to_owned())]);
}
