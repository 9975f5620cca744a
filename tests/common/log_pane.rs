//! The pane of logs: what it shows of a real switchover, and what its keys do.

use std::time::Duration;

use pgbaton::app::{Copied, Effect, Narrow, Reading};
use pgbaton::log::{Format, Gap, Heard, Program, Stream, What};
use pgbaton::model::{ErrorKind, SourceError, Time};

use super::*;
use crate::log_files::heard;

/// The console in its logs, a minute after the switchover.
fn logs() -> State {
    let mut state = console(vec![sample::healthy()]);
    let effects = update(&mut state, Msg::Command(CommandId::Pane8));
    assert_eq!(effects, [Effect::ReadLogs], "who opens them has them read");
    update(&mut state, Msg::Tick(Time::parse("2026-11-26T23:56:20Z").expect("a time")));
    update(&mut state, Msg::Heard(heard()));
    screen(&mut state, (80, 24), false);
    state
}

fn typed(state: &mut State, command: CommandId, text: &str) {
    press(state, &[command]);
    update(state, Msg::Text(TextEdit::Insert(text.to_owned())));
    press(state, &[CommandId::Accept]);
    screen(state, (80, 24), false);
}

/// The text of the line one is at.
fn here(state: &State) -> String {
    state.facts.logs.here().map(|(_, entry)| format!("{} {}", entry.stream.node, entry.text)).unwrap_or_default()
}

fn said(state: &State) -> &str {
    state.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

#[test]
fn a_switchover_in_one_view() {
    for size in [(80, 24), (120, 40)] {
        let mut state = logs();
        typed(&mut state, CommandId::Filter, "-stats/ -establishing");
        typed(&mut state, CommandId::LogTime, "2026-11-26 23:55:12.753Z");
        typed(&mut state, CommandId::LogSearch, "psg2");
        press(&mut state, &[CommandId::LogMark]);
        state.notice = None;
        screen(&mut state, size, false);
        snapshot(&format!("logs-{}x{}", size.0, size.1), &screen(&mut state, size, false));
    }
}

#[test]
fn a_line_is_explained() {
    let mut state = logs();
    typed(&mut state, CommandId::LogSearch, "replication terminated");
    press(&mut state, &[CommandId::Open]);
    snapshot("logs-explained", &screen(&mut state, (80, 40), false));
    press(&mut state, &[CommandId::Back]);
    assert_eq!(state.overlay, None);
}

#[test]
fn who_follows_sees_the_newest_and_who_does_not_stays_where_he_is() {
    let mut state = logs();
    let line = |second: u32, text: &str| {
        let bytes = format!("2026-11-26 23:56:{second:02},000 INFO: {text}").into_bytes();
        let stream = Stream { node: "psg1".to_owned(), program: Program::Patroni };
        Heard { stream, at: Time::parse("2026-11-26T23:56:30Z").expect("a time"), what: What::Line { bytes, stamp: None, cut: 0 } }
    };
    update(&mut state, Msg::Heard(vec![line(1, "one")]));
    assert_eq!(here(&state), "psg1 one");
    press(&mut state, &[CommandId::LogFollow]);
    let before = text(&screen(&mut state, (80, 24), false));
    update(&mut state, Msg::Heard(vec![line(2, "two"), line(3, "three")]));
    let after = text(&screen(&mut state, (80, 24), false));
    assert_eq!(here(&state), "psg1 one");
    let lines = |text: &str| text.lines().skip(4).take(18).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&before), lines(&after), "what one reads does not move");
    assert!(after.contains("paused, 2 new below"), "{after}");
    press(&mut state, &[CommandId::Bottom]);
    assert_eq!(here(&state), "psg1 three");
    press(&mut state, &[CommandId::Up, CommandId::Up]);
    assert_eq!(here(&state), "psg1 one");
    press(&mut state, &[CommandId::Top, CommandId::PageDown]);
    assert!(!state.facts.logs.follows() && state.facts.logs.log().first() != state.facts.logs.at);
    press(&mut state, &[CommandId::LogFollow]);
    assert_eq!(here(&state), "psg1 three");
}

#[test]
fn what_is_searched_for_is_found_above_and_below() {
    let mut state = logs();
    typed(&mut state, CommandId::LogSearch, "/timeline (ID: )?2/");
    let last = here(&state);
    press(&mut state, &[CommandId::LogPrevious]);
    let before = here(&state);
    assert_ne!(last, before);
    press(&mut state, &[CommandId::LogNext]);
    assert_eq!(here(&state), last);
    press(&mut state, &[CommandId::LogNext]);
    assert_eq!(said(&state), "nothing below has /timeline (ID: )?2/");
    typed(&mut state, CommandId::LogSearch, "");
    typed(&mut state, CommandId::LogSearch, "xyzzy");
    assert_eq!(said(&state), "no line has xyzzy");
    press(&mut state, &[CommandId::LogSearch, CommandId::EraseStart]);
    update(&mut state, Msg::Text(TextEdit::Insert("/(".to_owned())));
    press(&mut state, &[CommandId::Accept]);
    assert!(said(&state).contains("no regular expression"), "{}", said(&state));
}

#[test]
fn a_filter_that_makes_no_sense_leaves_the_one_before() {
    let mut state = logs();
    typed(&mut state, CommandId::Filter, "node:psg3");
    let shown = state.facts.logs.log().shown();
    assert!(shown > 0 && shown < state.facts.logs.log().len());
    press(&mut state, &[CommandId::Filter]);
    update(&mut state, Msg::Text(TextEdit::Insert(" program:oracle".to_owned())));
    assert_eq!(state.facts.logs.log().shown(), shown);
    let drawn = text(&screen(&mut state, (80, 24), false));
    assert!(drawn.contains("the filter does not count: there is no program \"oracle\""), "{drawn}");
    press(&mut state, &[CommandId::Discard]);
    assert_eq!(state.facts.logs.log().shown(), state.facts.logs.log().len());
}

#[test]
fn one_key_shows_one_node_one_program_or_what_is_bad() {
    let mut state = logs();
    typed(&mut state, CommandId::LogSearch, "promoted self");
    press(&mut state, &[CommandId::LogNode, CommandId::LogProgram]);
    assert_eq!(state.facts.logs.narrow, Narrow { node: Some("psg2".to_owned()), program: Some(Program::Patroni), least: None });
    let log = state.facts.logs.log();
    assert!(log.from(log.first().expect("lines")).all(|(_, e)| e.stream.node == "psg2" && e.stream.program == Program::Patroni));
    press(&mut state, &[CommandId::LogNode, CommandId::LogProgram, CommandId::LogLevel]);
    let log = state.facts.logs.log();
    assert!(log.from(log.first().expect("lines")).all(|(_, e)| e.level >= pgbaton::log::Severity::Warning));
    press(&mut state, &[CommandId::LogLevel, CommandId::LogLevel]);
    assert_eq!(state.facts.logs.narrow, Narrow::default());
    assert_eq!(state.facts.logs.log().shown(), state.facts.logs.log().len());
    // What leaves pgbaton in the end leaves that first.
    press(&mut state, &[CommandId::LogNode]);
    for left in [(true, false), (true, true)] {
        assert_eq!(update(&mut state, Msg::Command(CommandId::Leave)), []);
        assert_eq!((state.facts.logs.query.is_empty(), state.facts.logs.narrow == Narrow::default()), left);
    }
}

#[test]
fn from_an_event_to_the_lines_around_it_and_from_line_to_event() {
    let mut state = logs();
    let document = state.facts.document.clone().expect("a document");
    let at = |text: &str| Time::parse(text).expect("a time");
    let events = vec![
        EventLine::new(at("2026-11-26T23:55:12.760Z"), Level::Critical, "leader-lost", "nobody leads"),
        EventLine::new(at("2026-11-26T23:55:12.930Z"), Level::Ok, "leader-changed", "psg2 leads instead of psg1"),
    ];
    update(&mut state, Msg::Document(document, events));
    typed(&mut state, CommandId::Filter, "node:psg3");
    press(&mut state, &[CommandId::LogsAround]);
    assert_eq!(said(&state), "select an event first, in the Events pane");
    press(&mut state, &[CommandId::Pane6, CommandId::Down, CommandId::Up, CommandId::LogsAround]);
    assert_eq!(state.panes[state.focus].title(), "Logs");
    assert_eq!(here(&state), "psg2 received promote request");
    assert_eq!(said(&state), "the lines around it, of all nodes and programs");
    assert_eq!(state.facts.logs.log().shown(), state.facts.logs.log().len(), "a filter does not hide them");
    press(&mut state, &[CommandId::LogEventBefore]);
    assert_eq!(said(&state), "nobody leads");
    press(&mut state, &[CommandId::LogEventBefore]);
    assert_eq!(said(&state), "no event was seen before this line");
    press(&mut state, &[CommandId::LogEventNext]);
    assert_eq!(said(&state), "nobody leads");
}

/// The nodes are read for the first time by that: their lines come when one is there already.
#[test]
fn from_an_event_to_lines_that_nobody_has_read_yet() {
    let at = |text: &str| Time::parse(text).expect("a time");
    let mut state = console(vec![sample::healthy()]);
    let document = state.facts.document.clone().expect("a document");
    update(&mut state, Msg::Tick(at("2026-11-26T23:56:20Z")));
    let event = EventLine::new(at("2026-11-26T23:55:12.930Z"), Level::Ok, "leader-changed", "psg2 leads instead of psg1");
    update(&mut state, Msg::Document(document, vec![event]));
    update(&mut state, Msg::Tick(at("2026-11-26T23:56:20Z")));
    press(&mut state, &[CommandId::Pane6]);
    assert_eq!(update(&mut state, Msg::Command(CommandId::LogsAround)), [Effect::ReadLogs]);
    assert!(said(&state).starts_with("the lines around ") && said(&state).ends_with(" come as the nodes are read"), "{}", said(&state));
    // In several batches, as the nodes answer.
    let lines = heard();
    for batch in lines.chunks(lines.len().div_ceil(3)) {
        update(&mut state, Msg::Heard(batch.to_vec()));
    }
    assert_eq!((here(&state).as_str(), said(&state)), ("psg2 received promote request", "the lines around it, of all nodes and programs"));
    // Who goes on from there is not taken back.
    press(&mut state, &[CommandId::Bottom]);
    update(&mut state, Msg::Heard(Vec::new()));
    assert!(state.facts.logs.follows());
    // It has the screen for itself, and is left as what lies on top is.
    press(&mut state, &[CommandId::Leave]);
    assert_eq!(state.panes[state.focus].title(), "Events");
    assert_eq!(update(&mut state, Msg::Command(CommandId::Leave)), [Effect::Quit]);
}

#[test]
fn a_mark_is_found_again_and_what_is_shown_is_saved_and_copied() {
    let mut state = logs();
    press(&mut state, &[CommandId::LogMarkNext]);
    assert_eq!(said(&state), "no line is marked");
    typed(&mut state, CommandId::LogSearch, "promoted self");
    press(&mut state, &[CommandId::LogMark, CommandId::Top, CommandId::LogMarkNext]);
    assert!(here(&state).starts_with("psg2 promoted self"));
    // Only the marked line looks marked.
    let shown = screen(&mut state, (120, 40), false);
    let grounds = (0..shown.area.height).filter(|y| shown[(2, *y)].bg != shown[(0, 0)].bg || shown[(2, *y)].symbol() == "┃").count();
    assert_eq!(grounds, 1, "{}", text(&shown));
    let effects = update(&mut state, Msg::Command(CommandId::CopyRow));
    let line = "2026-11-26T23:55:12.924Z psg2 patroni info: promoted self to leader by acquiring session lock";
    assert_eq!(effects, [Effect::Copy(Copied::Lines(line.to_owned()))]);
    press(&mut state, &[CommandId::Open, CommandId::Down]);
    let effects = update(&mut state, Msg::Command(CommandId::CopyRow));
    assert_eq!(effects, [Effect::Copy(Copied::Lines(line.to_owned()))], "what is open is copied");
    press(&mut state, &[CommandId::Back]);
    typed(&mut state, CommandId::Filter, "/new timeline|terminated by primary/");
    let saved = saved(&mut state);
    assert!(saved.contains("psg2 postgres info: selected new timeline ID: 2\n"), "{saved}");
    assert!(saved.contains("psg3 postgres info: replication terminated by primary server\n    DETAIL: End of WAL"), "{saved}");
}

/// What is saved to the place that is proposed.
fn saved(state: &mut State) -> String {
    assert_eq!(update(state, Msg::Command(CommandId::LogSave)), [], "it asks where first");
    let mut effects = update(state, Msg::Command(CommandId::Accept));
    match effects.pop() {
        Some(Effect::SaveLog(_, saved)) if effects.is_empty() => saved,
        other => panic!("{other:?} {effects:?}"),
    }
}

#[test]
fn where_lines_are_saved_is_asked_and_a_place_is_proposed() {
    let mut state = logs();
    state.folder = "/home/anna/".to_owned();
    press(&mut state, &[CommandId::LogSave]);
    let proposed = "/home/anna/pgbaton-card-prod-20";
    let shown = text(&screen(&mut state, (160, 48), false));
    let foot = shown.lines().last().unwrap_or_default();
    assert!(foot.starts_with(&format!(" save to {proposed}")) && foot.contains(".log") && foot.contains("enter saves"), "{shown}");
    // Where there is less room the end is shown, with the cursor.
    let shown = text(&screen(&mut state, (80, 24), false));
    let foot = shown.lines().last().unwrap_or_default();
    assert!(foot.starts_with(" save to …") && foot.contains(".log    ") && foot.contains("card-prod-20"), "{shown}");
    // It is a text like others: what stands there is changed, and another place is saved to.
    press(&mut state, &[CommandId::EraseStart]);
    update(&mut state, Msg::Text(TextEdit::Insert("~/psg2.log".to_owned())));
    let effects = update(&mut state, Msg::Command(CommandId::Accept));
    assert!(matches!(&effects[..], [Effect::SaveLog(place, _)] if place == "~/psg2.log"), "{effects:?}");
    assert_eq!(state.typing, None);
    // What was saved to comes back by the history; who leaves has saved nothing.
    press(&mut state, &[CommandId::LogSave, CommandId::HistoryPrevious]);
    let shown = text(&screen(&mut state, (160, 48), false));
    assert!(shown.lines().last().is_some_and(|foot| foot.starts_with(" save to ~/psg2.log")), "{shown}");
    assert_eq!(update(&mut state, Msg::Command(CommandId::Discard)), []);
    press(&mut state, &[CommandId::LogSave, CommandId::EraseStart]);
    assert_eq!(update(&mut state, Msg::Command(CommandId::Accept)), []);
    assert_eq!(said(&state), "nothing was saved: no file was named");
}

#[test]
fn why_there_is_nothing_and_what_is_missing_is_said() {
    let mut state = console(vec![sample::healthy()]);
    press(&mut state, &[CommandId::Pane8]);
    assert!(text(&screen(&mut state, (80, 24), false)).contains("nothing was heard yet"));
    update(&mut state, Msg::Reading(Err("no node can be reached by ssh".to_owned())));
    assert!(matches!(state.facts.logs.reading, Reading::Refused(_)));
    assert!(text(&screen(&mut state, (80, 24), false)).contains("no node can be reached by ssh"));
    let stream = Stream { node: "psg1".to_owned(), program: Program::Etcd };
    let at = Time::parse("2026-11-26T23:55:12Z").expect("a time");
    let of = |what: What| Heard { stream: stream.clone(), at, what };
    let gap = Gap::Unread { from: at, to: at, why: "rotated away".to_owned() };
    let open = What::Open { format: Format::Etcd { utc_offset: Some(0) }, file: "etcd".to_owned() };
    update(&mut state, Msg::Heard(vec![of(open), of(What::Gap(gap)), of(What::Gap(Gap::Dropped { lines: 7, bytes: 70 }))]));
    let drawn = text(&screen(&mut state, (80, 24), false));
    assert!(drawn.contains("lines are missing from") && drawn.contains("7 never read"), "{drawn}");
}

#[test]
fn what_may_not_be_read_says_when_it_is_tried_again_until_it_is_read() {
    let mut state = logs();
    let at = Time::parse("2026-11-26T23:56:20Z").expect("a time");
    let of = |program: Program, at: Time, what: What| Heard { stream: Stream { node: "psg3".to_owned(), program }, at, what };
    let denied = || What::Failed(SourceError::new(ErrorKind::Denied, "/var/log/x may not be read"));
    let tried = |at: Time| What::Tried { next: at.plus(Duration::from_secs(20)) };
    let both = [Program::Patroni, Program::Postgres];
    update(&mut state, Msg::Heard(both.iter().flat_map(|program| [of(*program, at, denied()), of(*program, at, tried(at))]).collect()));
    let later = |state: &mut State, seconds: u64| {
        update(state, Msg::Tick(at.plus(Duration::from_secs(seconds))));
        text(&screen(state, (80, 24), false))
    };
    for (seconds, words) in [
        (5, "psg3 patroni, postgres refused 5 s ago; tried again in 15 s"),
        (25, "psg3 patroni, postgres refused 25 s ago; being tried again"),
    ] {
        let drawn = later(&mut state, seconds);
        assert!(drawn.contains(words), "{words}: {drawn}");
    }
    let messages = state.facts.logs.log().len();
    let again = at.plus(Duration::from_secs(25));
    update(&mut state, Msg::Heard(both.iter().map(|program| of(*program, again, tried(again))).collect()));
    assert_eq!(state.facts.logs.log().len(), messages, "a try that changes nothing is no message");
    assert!(later(&mut state, 30).contains("psg3 patroni, postgres refused 5 s ago; tried again in 15 s"));
    let open = || What::Open { format: Format::Patroni { utc_offset: Some(0) }, file: "/var/log/x".to_owned() };
    update(&mut state, Msg::Heard(vec![of(Program::Patroni, again, open())]));
    assert!(later(&mut state, 31).contains("psg3 postgres refused"));
    update(&mut state, Msg::Heard(vec![of(Program::Postgres, again, open())]));
    assert!(!later(&mut state, 32).contains("refused 7 s"));
    let gone = SourceError::new(ErrorKind::Refused, "connection refused by psg3");
    update(&mut state, Msg::Heard(vec![of(Program::Etcd, again, What::Failed(gone))]));
    assert!(later(&mut state, 35).contains("psg3 etcd not read, tried 10 s ago"));
}

#[test]
fn a_clock_that_is_ahead_is_told() {
    let mut document = sample::healthy();
    let name = document.members[0].name.clone();
    // Of 3.2 s to 3.3 s one cannot know whether there is a difference; of 120 ms to 4 ms one does.
    for (ms, within, told) in [(3200.0, 3300.0, None), (120.0, 4.0, Some("0.1 s ahead")), (-20.0, 4.0, Some("20 ms behind"))] {
        (document.members[0].clock_skew_ms, document.members[0].clock_skew_within_ms) = (Some(ms), Some(within));
        let mut state = console(vec![document.clone()]);
        press(&mut state, &[CommandId::Pane8]);
        update(&mut state, Msg::Heard(heard()));
        let drawn = text(&screen(&mut state, (80, 24), false));
        match told {
            Some(told) => assert!(drawn.contains(&format!("{name}'s clock is {told}: reckoned with in the order")), "{drawn}"),
            None => assert!(!drawn.contains("reckoned with"), "{drawn}"),
        }
        let wrote = |state: &State| {
            state.facts.logs.log().from((Time::from_micros(0), 0)).find(|(_, e)| e.stream.node == name).map(|(_, e)| (e.at, e.when))
        };
        let (at, when) = wrote(&state).expect("a line");
        assert_eq!(at.as_micros() - when.as_micros(), if told.is_some() { (ms * 1000.0) as i64 } else { 0 });
    }
}

#[test]
fn secrets_are_shown_after_a_typed_word_and_until_the_pane_is_left() {
    let mut state = logs();
    state.mode = Mode::ReadOnly("no policy".to_owned());
    let stream = Stream { node: "psg1".to_owned(), program: Program::Patroni };
    let bytes = b"2026-11-26 23:56:19,000 INFO: conninfo host=psg2 password=S3cret".to_vec();
    let at = Time::parse("2026-11-26T23:56:20Z").expect("a time");
    update(&mut state, Msg::Heard(vec![Heard { stream, at, what: What::Line { bytes, stamp: None, cut: 0 } }]));
    let masked = text(&screen(&mut state, (80, 24), false));
    assert!(masked.contains("password=***") && !masked.contains("unmasked"), "{masked}");
    // Neither the key alone, nor another word, nor a paste.
    press(&mut state, &[CommandId::LogUnmask]);
    assert!(text(&screen(&mut state, (80, 24), false)).contains("type unmask:"));
    update(&mut state, Msg::Text(TextEdit::Paste("unmask".to_owned())));
    press(&mut state, &[CommandId::Accept]);
    assert_eq!(said(&state), "secrets stay masked: the word was not unmask");
    typed(&mut state, CommandId::LogUnmask, "unmas");
    assert!(!text(&screen(&mut state, (80, 24), false)).contains("S3cret"));
    typed(&mut state, CommandId::LogUnmask, "unmask");
    for size in [(80, 24), (120, 40), (60, 12)] {
        let bare = text(&screen(&mut state, size, false));
        assert!(bare.contains("unmasked") && bare.contains("secrets are shown"), "{bare}");
        assert!(size.0 < 80 || bare.contains("password=S3cret"), "{bare}");
    }
    let effects = update(&mut state, Msg::Command(CommandId::CopyValue));
    assert_eq!(effects, [Effect::Copy(Copied::Text("conninfo host=psg2 password=S3cret".to_owned()))]);
    let bare = saved(&mut state);
    assert!(bare.starts_with("(unmasked: secrets stand in it") && bare.contains("password=S3cret"), "{bare}");
    typed(&mut state, CommandId::LogSearch, "S3cret");
    assert_eq!(here(&state), "psg1 conninfo host=psg2 password=***", "what is handed on stays masked");
    press(&mut state, &[CommandId::Open]);
    assert!(text(&screen(&mut state, (80, 40), false)).contains("password=S3cret"));
    press(&mut state, &[CommandId::Back, CommandId::Back]);
    // One key masks them at once, and so does every way out of the pane.
    let ways: [&[CommandId]; 4] =
        [&[CommandId::LogUnmask], &[CommandId::PaneNext, CommandId::Pane8], &[CommandId::Pane1, CommandId::Pane8], &[CommandId::Suspend]];
    for way in ways {
        if !state.facts.logs.log().is_unmasked() {
            typed(&mut state, CommandId::LogUnmask, "unmask");
        }
        assert!(text(&screen(&mut state, (80, 24), false)).contains("S3cret"), "{way:?}");
        press(&mut state, way);
        let after = text(&screen(&mut state, (80, 24), false));
        assert!(after.contains("password=***") && !after.contains("S3cret") && !after.contains("unmasked"), "{way:?}: {after}");
    }
    let masked = saved(&mut state);
    assert!(!masked.contains("S3cret") && !masked.contains("unmasked"), "{masked}");
}
