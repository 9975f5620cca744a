//! The doctor's pane: asked when one comes to it and by its key, and what it said with its age.

use pgbaton::app::Effect;
use pgbaton::doctor::{HarmDoc, HeldDoc, LineToChange, OpenDoc, Report, SCHEMA, Severity};
use pgbaton::document::EvidenceDoc;

use super::*;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (160, 48)];

fn evidence(source: &str, what: &str, value: &str, age_ms: u64) -> EvidenceDoc {
    EvidenceDoc { source: source.to_owned(), what: what.to_owned(), value: value.to_owned(), age_ms: Some(age_ms) }
}

fn harm(code: &str, severity: Severity, subject: Option<&str>, sentence: &str, change: &[(&str, &str)], seen: Vec<EvidenceDoc>) -> HarmDoc {
    let line = |(place, line): &(&str, &str)| LineToChange { place: (*place).to_owned(), line: (*line).to_owned() };
    HarmDoc {
        code: code.to_owned(),
        severity,
        subject: subject.map(str::to_owned),
        sentence: sentence.to_owned(),
        why: pgbaton::doctor::JUDGEMENTS.iter().find(|judgement| judgement.code == code).expect("a judgement").why.to_owned(),
        change: change.iter().map(line).collect(),
        finding: None,
        next: Vec::new(),
        evidence: seen,
    }
}

/// What the doctor said so many seconds ago.
fn report(ago: i64) -> Report {
    let overlap = |proxy: &str| {
        harm(
            "haproxy-two-leaders",
            Severity::Warning,
            Some(&format!("{proxy}/pg_write")),
            "after a switchover the old leader and the new one are both UP for up to 6 s, 3 s on average, less the time that the promotion takes",
            &[(
                &format!("{proxy}:/etc/haproxy/haproxy.cfg:31"),
                "default-server inter 1s fastinter 500ms downinter 1s fall 2 rise 4 on-marked-down shutdown-sessions",
            )],
            vec![
                evidence(
                    &format!("haproxy {proxy}"),
                    &format!("{proxy}:/etc/haproxy/haproxy.cfg:32 server psg1"),
                    "inter 3 s fall 3 rise 2",
                    0,
                ),
                evidence(&format!("haproxy {proxy}"), "pg_write psg1", "rise 2 fall 3", 900),
            ],
        )
    };
    let open = |code: &str, subject: Option<&str>, because: &str| OpenDoc {
        code: code.to_owned(),
        subject: subject.map(str::to_owned),
        because: because.to_owned(),
        evidence: Vec::new(),
    };
    let held = |code: &str, sentence: &str, seen: Vec<EvidenceDoc>| HeldDoc {
        code: code.to_owned(),
        subject: None,
        sentence: sentence.to_owned(),
        evidence: seen,
    };
    Report {
        schema: SCHEMA.to_owned(),
        cluster: "card-prod".to_owned(),
        at: sample::at(sample::NOW - ago),
        score: Some(57),
        hurts: vec![
            harm(
                "haproxy-check",
                Severity::Critical,
                Some("vm4/pg_write"),
                "its checks only open a connection: every member passes them",
                &[("vm4:/etc/haproxy/haproxy.cfg:28", "option httpchk OPTIONS /primary")],
                vec![evidence("haproxy vm4", "vm4:/etc/haproxy/haproxy.cfg:28 option httpchk", "none", 0)],
            ),
            overlap("vm1"),
            overlap("vm4"),
            harm(
                "watchdog",
                Severity::Note,
                Some("psg3"),
                "psg3 has no watchdog: it is switched off",
                &[("/etc/patroni/patroni.yml of psg3, watchdog", "mode: required")],
                vec![evidence("host psg3", "watchdog mode by /etc/patroni/patroni.yml", "off", 0)],
            ),
        ],
        not_known: vec![
            open(
                "haproxy-sessions",
                Some("vm1/pg_write"),
                "HAProxy does not tell what it does with the sessions of a server that goes down, and its file cannot be read: /etc/haproxy/haproxy.cfg: Permission denied",
            ),
            open(
                "etcd-election",
                Some("psg2"),
                "the election timeout of its etcd is not seen: its command line does not say its election-timeout, and its environment may be seen by its own user only",
            ),
        ],
        does_not_apply: vec![open("logical-slots", None, "there is no logical slot")],
        holds: vec![
            held(
                "patroni-timing",
                "ttl 30 s covers loop_wait 10 s and two retry_timeout of 10 s",
                vec![evidence("etcd", "ttl", "30 s", 400)],
            ),
            held("failsafe-mode", "without etcd's majority: psg1 stays the leader by failsafe mode", Vec::new()),
        ],
    }
}

/// The console in that pane, with what the doctor said so many seconds ago.
fn doctor(ago: i64) -> State {
    let mut state = console(vec![sample::healthy()]);
    press(&mut state, &[CommandId::Doctor]);
    update(&mut state, Msg::Examined(Ok(Box::new(report(ago)))));
    state
}

#[test]
fn what_the_doctor_says_at_the_usual_sizes() {
    for size in SIZES {
        snapshot(&format!("doctor-{}x{}", size.0, size.1), &screen(&mut doctor(12), size, false));
    }
    let mut state = doctor(12);
    press(&mut state, &[CommandId::Down, CommandId::Open]);
    snapshot("doctor-details-80x24", &screen(&mut state, (80, 24), false));
    snapshot("doctor-details-120x40", &screen(&mut state, (120, 40), false));
    let ascii = text(&screen(&mut doctor(12), (80, 24), true));
    assert!(ascii.is_ascii() && ascii.contains("o note"), "{ascii}");
}

/// All of it can be reached at every size: what does not fit is a page further.
#[test]
fn every_answer_of_the_doctor_can_be_marked_and_opened() {
    for size in SIZES {
        let mut state = doctor(12);
        let pane = state.focus;
        screen(&mut state, size, false);
        let rows = state.rows(pane);
        assert_eq!(rows.len(), 9);
        for row in rows {
            state.views[pane].selected = Some(row.clone());
            let shown = text(&screen(&mut state, size, false));
            assert!(shown.lines().any(|line| line.contains('▸')), "{row} at {size:?}\n{shown}");
            press(&mut state, &[CommandId::Open]);
            assert!(matches!(&state.overlay, Some(Overlay::Details { row: opened, .. }) if *opened == row), "{row}");
            let code = row.split(' ').next().unwrap_or_default().to_owned();
            let details = text(&screen(&mut state, size, false));
            assert!(details.contains(&code) && details.contains("Evidence"), "{row}\n{details}");
            press(&mut state, &[CommandId::Back]);
        }
    }
}

fn asked(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| **effect == Effect::Examine).count()
}

fn give(state: &mut State, id: CommandId) -> usize {
    asked(&update(state, Msg::Command(id)))
}

/// The time of the machine, with a new picture.
fn later(state: &mut State, seconds: i64) -> usize {
    let document = pgbaton::document::Document { at: sample::at(sample::NOW + seconds), ..sample::healthy() };
    asked(&update(state, Msg::Document(Box::new(document), Vec::new())))
        + asked(&update(state, Msg::Tick(sample::at(sample::NOW + seconds))))
}

#[test]
fn the_doctor_is_asked_by_whoever_comes_and_by_its_key_and_never_by_the_clock() {
    let mut state = console(vec![sample::healthy()]);
    assert_eq!(state.panes.len(), 11);
    let shown = |state: &mut State| text(&screen(state, (80, 24), false));
    // In a read-only session, as this one is, and only when one comes there.
    assert_eq!(later(&mut state, 1) + give(&mut state, CommandId::Pane5), 0);
    assert_eq!(give(&mut state, CommandId::Doctor), 1);
    assert!(shown(&mut state).contains("being asked: all sources"), "{}", shown(&mut state));
    // Not twice at once.
    assert_eq!(give(&mut state, CommandId::Doctor) + later(&mut state, 30), 0);
    update(&mut state, Msg::Examined(Ok(Box::new(report(-30)))));
    assert!(shown(&mut state).contains("score 57 of 100; 4 would hurt, 2 not known, 2 hold; asked"), "{}", shown(&mut state));
    // However long one looks at it; it says how old it is.
    assert_eq!((31..400).map(|second| later(&mut state, second)).sum::<usize>(), 0);
    assert!(shown(&mut state).contains("◐ score 57 of 100") && shown(&mut state).contains("asked 6 min ago"), "{}", shown(&mut state));
    assert_eq!(give(&mut state, CommandId::Doctor), 1);
    update(&mut state, Msg::Examined(Ok(Box::new(report(-399)))));
    // Who comes back soon finds what was said; who comes back later has it asked.
    assert_eq!(give(&mut state, CommandId::Back) + later(&mut state, 420) + give(&mut state, CommandId::Doctor), 0);
    assert_eq!(give(&mut state, CommandId::Back) + later(&mut state, 500), 0);
    assert_eq!(give(&mut state, CommandId::PanePrevious) + give(&mut state, CommandId::PaneNext), 0);
    assert_eq!(give(&mut state, CommandId::Doctor), 1);
}

/// Asked in vain it says so, and what it said before stands with its age.
#[test]
fn what_the_doctor_said_before_stands_with_its_age() {
    let mut state = console(vec![sample::healthy()]);
    press(&mut state, &[CommandId::Doctor]);
    let shown = |state: &mut State| text(&screen(state, (80, 24), false));
    update(&mut state, Msg::Examined(Err("the doctor cannot ask anybody here\u{1b}[2J".to_owned())));
    let vain = shown(&mut state);
    assert!(
        vain.contains("asked in vain: the doctor cannot ask anybody here") && !vain.contains('\u{1b}') && !vain.contains("score"),
        "{vain}"
    );
    update(&mut state, Msg::Examined(Ok(Box::new(report(5)))));
    assert!(!shown(&mut state).contains("in vain"));
    press(&mut state, &[CommandId::Doctor]);
    update(&mut state, Msg::Examined(Err("nobody answers".to_owned())));
    let stands = shown(&mut state);
    assert!(stands.contains("asked in vain: nobody answers") && stands.contains("score 57 of 100"), "{stands}");
}

/// A name from outside can neither move the cursor nor hide a row.
#[test]
fn what_the_doctor_was_told_by_others_reaches_the_screen_washed() {
    let mut state = console(vec![sample::healthy()]);
    press(&mut state, &[CommandId::Doctor]);
    let mut hostile = report(5);
    hostile.hurts[0].subject = Some("vm4\u{1b}[2J\u{202e}/x".to_owned());
    hostile.hurts[0].sentence = "a\nb\u{7}".to_owned();
    hostile.hurts[0].evidence[0].value = "\u{1b}]0;x\u{7}".to_owned();
    hostile.hurts[0].change[0].line = "x\u{1b}[31m".to_owned();
    update(&mut state, Msg::Examined(Ok(Box::new(hostile))));
    for commands in [&[][..], &[CommandId::Top, CommandId::Open]] {
        press(&mut state, commands);
        let picture = screen(&mut state, (120, 40), false);
        let bad = picture.content.iter().find(|cell| cell.symbol().chars().any(|c| c.is_control() || c == '\u{202e}'));
        assert!(bad.is_none(), "{bad:?}");
    }
}
