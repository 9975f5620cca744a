//! What the size of the screen, the theme and the environment make of it, and what calls and copies.

use super::*;

#[test]
fn every_theme_draws_every_sample_at_every_depth() {
    let keymap = Keymap::builtin();
    for (name, _) in BUILTIN {
        for depth in [Depth::Mono, Depth::Sixteen, Depth::Indexed, Depth::TrueColor] {
            let (theme, _) = Library::default().theme(name, depth).expect(name);
            for (sample, document) in sample::all() {
                let state = console(vec![document]);
                let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 40));
                draw(&state, &Look { theme: &theme, keymap: &keymap, ascii: false }, &mut buffer);
                let fits = buffer.content.iter().all(|cell| match depth {
                    Depth::Mono => cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset,
                    Depth::Sixteen => !matches!(cell.fg, ratatui::style::Color::Rgb(..) | ratatui::style::Color::Indexed(_)),
                    Depth::Indexed => !matches!(cell.fg, ratatui::style::Color::Rgb(..)),
                    Depth::TrueColor => true,
                });
                assert!(fits, "{name} {depth} {sample}");
            }
        }
    }
}

/// What the screen has room for is used: at the two large sizes the details of the selected row stand beside the panes.
#[test]
fn a_large_screen_is_used() {
    for size in [(160, 48), (250, 70)] {
        let mut state = console(sample::history_to(&sample::healthy(), 600));
        press(&mut state, &[CommandId::Down]);
        snapshot(&format!("details-beside-{}x{}", size.0, size.1), &screen(&mut state, size, false));
    }
}

#[test]
fn the_panes_are_arranged_by_the_size_or_as_one_likes() {
    let mut state = console(vec![sample::healthy()]);
    let beside = |text: &str| text.contains("─ Details · psg1 ");
    assert!(!beside(&text(&screen(&mut state, (120, 40), false))));
    press(&mut state, &[CommandId::Layout, CommandId::Layout, CommandId::Layout]);
    let wide = text(&screen(&mut state, (120, 40), false));
    assert!(beside(&wide) && wide.contains("layout wide; --layout wide opens with it"), "{wide}");
    press(&mut state, &[CommandId::Layout]);
    let usual = text(&screen(&mut state, (120, 40), false));
    assert!(usual.contains("layout by the size of the screen") && !beside(&usual), "{usual}");
}

/// 9 and 30 members, with names that are long or wide: every row can be reached, the names' ends are seen, and the columns stay straight.
#[test]
fn many_members_scroll_and_their_columns_are_straight() {
    use unicode_width::UnicodeWidthStr;
    for (count, name) in [(9, "card-prod-postgres-in-a-far-away-place-"), (30, "card-prod-postgres-"), (30, "決済データベース-")] {
        let mut document = sample::healthy();
        document.members = (0..count).map(|n| sample::replica(&format!("{name}{n:02}"), "10.0.0.9", doc_role(4), 7)).collect();
        for size in [(80, 24), (120, 40), (160, 48), (250, 70)] {
            let mut state = console(vec![document.clone()]);
            screen(&mut state, size, false);
            press(&mut state, &[CommandId::Bottom]);
            let shown = text(&screen(&mut state, size, false));
            let last = format!("{:02}", count - 1);
            let rows: Vec<&str> =
                shown.lines().skip_while(|line| !line.contains("1 Members")).skip(2).take_while(|line| line.contains("replica")).collect();
            assert!(rows.iter().any(|row| row.starts_with("▸ ") && row.contains(&last)), "{size:?}\n{shown}");
            let at = |row: &str| row.split("replica").next().map(UnicodeWidthStr::width);
            assert!(rows.iter().all(|row| at(row) == at(rows[0])), "{size:?}\n{shown}");
            assert!(rows.len() >= 3, "{size:?}\n{shown}");
        }
    }
}

/// Whatever opens has a mark before it is opened.
#[test]
fn the_row_that_enter_opens_is_marked() {
    let mut state = console(vec![sample::lagging()]);
    for pane in [CommandId::Pane2, CommandId::Pane3, CommandId::Pane4, CommandId::Pane5, CommandId::Pane6, CommandId::Pane1] {
        press(&mut state, &[pane]);
        let shown = text(&screen(&mut state, (120, 40), false));
        assert_eq!(shown.matches('▸').count(), 1, "{pane}\n{shown}");
    }
    press(&mut state, &[CommandId::Pane6, CommandId::Down]);
    let shown = text(&screen(&mut state, (120, 40), false));
    let events: Vec<&str> = shown.lines().skip_while(|line| !line.contains("6 Events")).skip(1).collect();
    assert!(!events[0].contains('▸') && events[1].contains('▸'), "{shown}");
}

#[test]
fn who_takes_over_is_told_in_full_while_all_is_well() {
    let shown = text(&screen(&mut console(vec![sample::healthy()]), (80, 24), false));
    assert!(shown.contains("● healthy   if psg1 died now: psg2, no acknowledged commit lost"), "{shown}");
    let mut document = sample::healthy();
    document.forecast.leader = Some("card-prod-postgres-01".to_owned());
    document.forecast.sentence = "card-prod-postgres-02 or card-prod-postgres-03, under 64 kB lost".to_owned();
    let long = text(&screen(&mut console(vec![document]), (80, 24), false));
    let told: String = long.lines().skip(2).take(2).map(str::trim).collect::<Vec<_>>().join(" ");
    assert!(told.contains("if card-prod-postgres-01 died now: card-prod-postgres-02 or card-prod-postgres-03, under 64 kB lost"), "{long}");
}

/// Where there is room the forecast goes on below; where there is none it is told in fewer words. On the smallest screen nothing is taken for it.
#[test]
fn a_forecast_that_is_longer_than_the_first_line_is_not_cut() {
    let head = |document: Document, size: (u16, u16)| {
        let shown = text(&screen(&mut console(vec![document]), size, false));
        let lines = shown.lines().take_while(|line| !line.contains("1 Members")).map(|line| line.trim_end().to_owned());
        lines.collect::<Vec<String>>()
    };
    let told = |lines: &[String]| lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let large = head(sample::paused(), (120, 40));
    assert_eq!(large.len(), 4, "{large:#?}");
    assert!(large[0].contains("if psg1 died now: nobody can take over: the cluster is  PAUSED "), "{large:#?}");
    assert_eq!((large[1].trim(), large[1].find("paused")), ("paused", large[0].find("if psg1")), "below its beginning");
    let flat = head(sample::paused(), (120, 24));
    assert!(flat.len() == 3 && flat[0].contains("next: nobody can take over: the cluster is paused "), "{flat:#?}");
    let small = head(sample::paused(), (80, 24));
    assert!(
        small.len() == 3 && told(&small).contains("paused: Patroni will not act on its own; nobody takes over if psg1 dies"),
        "{small:#?}"
    );
    // What fits nowhere ends with a mark, and who takes over stands before it.
    let mut document = sample::healthy();
    document.forecast.sentence = format!("psg2, no acknowledged commit lost; {}", "psg3 has 12 s to replay first; ".repeat(9));
    let long = head(document, (120, 40));
    assert!(long[0].contains("next: psg2, no acknowledged commit lost") && long[1].ends_with(" …"), "{long:#?}");
}

#[test]
fn what_there_is_to_say_is_not_cut() {
    let mut state = console(vec![sample::healthy()]);
    let said = "an action is under way; quit once more to leave it: what was asked for goes on, and the audit has no outcome of it";
    let notice = pgbaton::app::Notice { level: Level::Warning, text: said.to_owned() };
    update(&mut state, Msg::Notice(notice));
    let shown = text(&screen(&mut state, (80, 24), false));
    let foot: Vec<&str> = shown.lines().rev().take(2).map(str::trim).collect();
    assert!(format!("{} {}", foot[1], foot[0]).starts_with(said) && foot[0].ends_with("esc dismisses"), "{shown}");
}

#[test]
fn a_theme_is_seen_before_it_is_chosen_and_can_be_taken_back() {
    use pgbaton::app::Effect;
    let mut state = console(vec![sample::healthy()]);
    state.themes = ["dark", "light", "nord"].map(str::to_owned).to_vec();
    state.theme = "light".to_owned();
    press(&mut state, &[CommandId::Theme]);
    snapshot("themes", &screen(&mut state, (80, 24), false));
    let theme = |name: &str| vec![Effect::Theme(name.to_owned())];
    assert_eq!(update(&mut state, Msg::Command(CommandId::Down)), theme("nord"));
    assert_eq!(update(&mut state, Msg::Command(CommandId::Down)), []);
    assert_eq!(update(&mut state, Msg::Command(CommandId::Back)), theme("light"));
    assert_eq!((state.overlay.clone(), state.theme.as_str()), (None, "light"));
    press(&mut state, &[CommandId::Theme, CommandId::Up, CommandId::Choose]);
    assert_eq!((state.overlay.clone(), state.theme.as_str()), (None, "dark"));
}

/// The titles of the routes' columns, at whatever place they have.
fn routes_head(shown: &str) -> String {
    let head = shown.lines().find(|line| line.contains("HAProxy  Route")).unwrap_or_default();
    head.split("HAProxy").nth(1).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_columns_of_the_routes_stay_when_what_stands_in_them_changes() {
    for size in [(80, 24), (120, 40), (160, 48), (250, 70)] {
        let head = |status: &str| {
            let mut document = sample::healthy();
            for route in &mut document.routes {
                route.backend = route.kind.to_string();
                route.servers.iter_mut().filter(|server| !server.up).for_each(|server| {
                    (server.status, server.check) = (status.to_owned(), None);
                });
            }
            routes_head(&text(&screen(&mut console(vec![document]), size, false)))
        };
        let first = head("DOWN");
        assert!(first.starts_with("Route Leads to Sessions Answer"), "{first}");
        for status in ["", "UP", "MAINT", "DOWN 1/2 (by somebody who has a long reason)"] {
            assert_eq!(head(status), first, "{size:?} {status}");
        }
    }
}

#[test]
fn a_server_that_has_to_be_down_is_told_by_its_part() {
    let shown = |change: &dyn Fn(&mut Document)| {
        let mut document = sample::healthy();
        change(&mut document);
        let mut state = console(vec![document]);
        press(&mut state, &[CommandId::Pane4, CommandId::Zoom]);
        text(&screen(&mut state, (160, 24), false))
    };
    let calm = shown(&|_| {});
    assert!(calm.contains("psg1 UP · psg2 stands by · psg3 stands by") && calm.contains("psg1 leads · psg2 UP · psg3 UP"), "{calm}");
    assert!(!calm.contains("DOWN"), "{calm}");
    // Whose Patroni does not answer, or who fails the checks in another way, is down.
    let silent = shown(&|document| document.members.iter_mut().filter(|one| one.name == "psg2").for_each(|one| one.rest.fresh = false));
    assert!(silent.contains("psg1 UP · psg2 DOWN · psg3 stands by"), "{silent}");
    let refused = shown(&|document| {
        let servers = document.routes.iter_mut().flat_map(|route| route.servers.iter_mut());
        servers.filter(|server| server.name == "psg3" && !server.up).for_each(|server| server.check = Some("L4CON".to_owned()));
    });
    assert!(refused.contains("psg1 UP · psg2 stands by · psg3 DOWN"), "{refused}");
}

#[test]
fn a_keymap_is_chosen_from_a_list_and_counts_only_then() {
    use pgbaton::app::Effect;
    let mut state = console(vec![sample::healthy()]);
    press(&mut state, &[CommandId::Keymap]);
    assert_eq!(state.notice.as_ref().map(|notice| notice.text.as_str()), Some("there is no other keymap here"));
    state.keymaps = ["default", "vim", "emacs"].map(str::to_owned).to_vec();
    state.keymap = "vim".to_owned();
    press(&mut state, &[CommandId::Keymap]);
    snapshot("keymaps", &screen(&mut state, (80, 24), false));
    assert_eq!(update(&mut state, Msg::Command(CommandId::Down)), [], "the keys by which one chooses stay what they are");
    assert_eq!(update(&mut state, Msg::Command(CommandId::Back)), []);
    assert_eq!((state.overlay.clone(), state.keymap.as_str()), (None, "vim"));
    press(&mut state, &[CommandId::Keymap, CommandId::Down]);
    assert_eq!(update(&mut state, Msg::Command(CommandId::Choose)), [Effect::Keymap("emacs".to_owned())]);
    assert_eq!((state.overlay.clone(), state.keymap.as_str()), (None, "emacs"));
    let said = state.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default();
    assert_eq!(said, "keymap emacs; --keymap emacs or PGBATON_KEYMAP=emacs opens with it");
    // It is found like any other command.
    press(&mut state, &[CommandId::Palette]);
    update(&mut state, Msg::Text(TextEdit::Insert("keymap".to_owned())));
    assert!(text(&screen(&mut state, (80, 24), false)).contains("keymap"), "by the palette");
}

/// The label stands wherever something is looked at or confirmed, as a word, and in the cluster's colour.
#[test]
fn the_clusters_environment_is_told_everywhere() {
    let looks =
        |color| pgbaton::shell::Appearance { color: Some(color), label: Some("PROD"), depth: Some(Depth::TrueColor), ..Default::default() };
    let options = pgbaton::shell::Options::new("card-prod", Mode::Operator, &looks("#ff0000"), |_| None).expect("options");
    assert_eq!(options.label.as_deref(), Some("PROD"));
    let overlays: [&[CommandId]; 6] =
        [&[], &[CommandId::Help], &[CommandId::Open], &[CommandId::Pause], &[CommandId::SetProxy], &[CommandId::Theme]];
    for commands in overlays {
        for planned in [false, true] {
            let mut state = console(vec![sample::healthy()]);
            (state.mode, state.label) = (Mode::Operator, options.label.clone());
            (state.themes, state.theme) = (vec!["dark".to_owned()], "dark".to_owned());
            press(&mut state, commands);
            if planned {
                update(&mut state, Msg::Planned(Ok(plan())));
            }
            let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
            draw(&state, &Look { theme: &options.theme, keymap: &options.keymap, ascii: false }, &mut buffer);
            let shown = text(&buffer);
            let lines: Vec<&str> = shown.lines().collect();
            assert!(lines[0].starts_with(" pgbaton   PROD  card-prod "), "{shown}");
            let dialogs = lines.iter().skip(1).filter(|line| line.contains(" PROD ─╮")).count();
            assert_eq!(dialogs, usize::from(state.overlay.is_some()), "{commands:?} {planned}\n{shown}");
            let red = buffer.content.iter().filter(|cell| cell.fg == ratatui::style::Color::Rgb(255, 0, 0)).count();
            assert!(red >= " PROD card-prod".len(), "{red} cells are red");
        }
    }
}

/// One call for a leader's change or something critical, none for the rest.
#[test]
fn what_happens_calls_once_and_only_when_it_matters() {
    use pgbaton::app::Effect;
    let mut state = console(vec![sample::healthy()]);
    let mut happen = |events: &[(Level, &str, &str)]| {
        let lines = events.iter().map(|(level, code, text)| EventLine::new(sample::at(sample::NOW), *level, *code, *text)).collect();
        update(&mut state, Msg::Document(Box::new(sample::healthy()), lines))
    };
    assert_eq!(happen(&[]), []);
    assert_eq!(happen(&[(Level::Warning, "finding-raised", "psg3 is 64 MB behind")]), []);
    let changed = (Level::Ok, "leader-changed", "psg2 leads instead of psg1");
    assert_eq!(happen(&[changed]), [Effect::Alert(changed.2.to_owned())]);
    let broken = (Level::Critical, "finding-raised", "nobody leads");
    assert_eq!(happen(&[broken, changed]), [Effect::Alert("nobody leads".to_owned())]);
}

/// What is copied is what is shown, without what only the screen needs.
#[test]
fn a_value_a_row_the_evidence_and_the_command_line_can_be_copied() {
    use pgbaton::app::Effect;
    use pgbaton::ui::copied;
    let (theme, _) = Library::default().theme("dark", Depth::TrueColor).expect("the theme");
    let keymap = Keymap::builtin();
    let look = Look { theme: &theme, keymap: &keymap, ascii: false };
    let copy = |state: &mut State, id: CommandId| match update(state, Msg::Command(id)).as_slice() {
        [Effect::Copy(what)] => copied(state, &look, what),
        other => Err(format!("{other:?}")),
    };
    let mut state = console(vec![sample::lagging()]);
    press(&mut state, &[CommandId::Bottom]);
    assert_eq!(copy(&mut state, CommandId::CopyValue).as_deref(), Ok("psg3"));
    let row = copy(&mut state, CommandId::CopyRow).expect("a row");
    assert!(row.starts_with("psg3  replica  streaming  7  695 kB  64 MB  12 s  no"), "{row}");
    press(&mut state, &[CommandId::Pane5]);
    let evidence = copy(&mut state, CommandId::CopyDetails).expect("a finding");
    assert!(evidence.starts_with("lag-high\n\n") && evidence.contains("\nEvidence\n"), "{evidence}");
    assert!(evidence.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(copy(&mut state, CommandId::CopyCommand).is_err());
    assert!(state.notice.as_ref().is_some_and(|notice| notice.text.contains("a plan has a command line")));
    state.mode = Mode::Operator;
    update(&mut state, Msg::Planned(Ok(plan())));
    screen(&mut state, (80, 24), false);
    assert_eq!(copy(&mut state, CommandId::CopyCommand).ok(), plan().patronictl);
}

/// A finding of which not all lines have room says so, and one that is whole does not; in ASCII by dots.
#[test]
fn a_finding_that_is_cut_says_so() {
    let mut document = sample::lagging();
    document.findings.truncate(1);
    document.findings[0].sentence = "psg3 is 64 MB behind, and so on; ".repeat(20);
    for (ascii, mark) in [(false, "…"), (true, "...")] {
        let shown = text(&screen(&mut console(vec![document.clone()]), (80, 24), ascii));
        let lines: Vec<&str> = shown.lines().skip_while(|line| !line.contains("5 Findings")).collect();
        let last = lines.iter().position(|line| line.contains("6 Events")).map_or(lines[lines.len() - 2], |at| lines[at - 1]);
        assert!(last.trim_end().ends_with(mark), "{shown}");
    }
    let whole = text(&screen(&mut console(vec![sample::lagging()]), (80, 24), false));
    assert!(!whole.contains('…'), "{whole}");
}

/// Beside a source of many letters a value would be a column of syllables: then the source stands below it.
#[test]
fn a_value_of_the_evidence_keeps_room_beside_a_long_source() {
    let mut document = sample::lagging();
    document.findings.truncate(1);
    let evidence = &mut document.findings[0].evidence;
    evidence.truncate(1);
    evidence[0].value = "67108864 bytes behind, of which 712000 B were not received".to_owned();
    evidence[0].source = "sql card-prod-postgres-in-a-far-away-place-01".to_owned();
    let mut state = console(vec![document]);
    press(&mut state, &[CommandId::Pane5, CommandId::Open]);
    let shown = text(&screen(&mut state, (80, 24), false));
    assert!(shown.contains("67108864 bytes behind, of which 712000 B were not"), "{shown}");
    assert!(
        shown.lines().any(|line| line.trim_end_matches(" │").ends_with("far-away-place-01, 10 s ago")
            || line.trim_end_matches(" │").ends_with("far-away-place-01")),
        "{shown}"
    );
}
