//! What the console looks like: every sample at the usual sizes, and no size or document that breaks it.

mod common {
    pub mod sample;
}

#[path = "common/airflow_pane.rs"]
mod airflow_pane;
#[path = "common/dialogs.rs"]
mod dialogs;
#[path = "common/doctor_pane.rs"]
mod doctor_pane;
#[path = "common/estate_pane.rs"]
mod estate_pane;
#[path = "common/estate_words.rs"]
mod estate_words;
#[path = "common/hands.rs"]
mod hands;
#[path = "common/log_files.rs"]
mod log_files;
#[path = "common/log_pane.rs"]
mod log_pane;
#[path = "common/looks.rs"]
mod looks;
#[path = "common/rabbitmq_pane.rs"]
mod rabbitmq_pane;
#[path = "common/topology_pane.rs"]
mod topology_pane;

use common::sample;
use pgbaton::action::{Entry, Light, Outcome};
use pgbaton::app::{
    Ask, Asked, Audited, ChoiceRow, CourseSheet, EventLine, Mode, Msg, Opened, Overlay, PlanSheet, State, TextEdit, update,
};
use pgbaton::command::{CommandId, Keymap};
use pgbaton::document::{Document, Level, RouteKind, ScheduledSwitchover};
use pgbaton::model::{Cause, Change, ChangeKind, Sign, Silence, SourceKind};
use pgbaton::runbook::{Run, Values, parse};
use pgbaton::theme::{BUILTIN, Depth, Library};
use pgbaton::ui::{Look, draw, models};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use strum::IntoEnumIterator;

fn screen(state: &mut State, size: (u16, u16), ascii: bool) -> Buffer {
    let (theme, _) = Library::default().theme("dark", Depth::TrueColor).expect("the theme");
    let keymap = Keymap::builtin();
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    let measured = draw(state, &Look { theme: &theme, keymap: &keymap, ascii }, &mut buffer);
    update(state, Msg::Measured(measured));
    buffer
}

fn text(buffer: &Buffer) -> String {
    pgbaton::cli::screenshot::text(buffer)
}

/// The console after these documents; the clock in the first line is left out, it is that of the machine's zone.
fn console(documents: Vec<Document>) -> State {
    let mut state = State::new(models(), "card-prod", Mode::ReadOnly(String::new()));
    for document in documents {
        update(&mut state, Msg::Document(Box::new(document), Vec::new()));
    }
    state
}

fn press(state: &mut State, commands: &[CommandId]) {
    for id in commands {
        update(state, Msg::Command(*id));
    }
}

fn snapshot(name: &str, buffer: &Buffer) {
    insta::with_settings!({ filters => vec![(r"\d\d:\d\d:\d\d", "[clock]")] }, { insta::assert_snapshot!(name, text(buffer)) });
}

#[test]
fn every_sample_at_the_usual_sizes() {
    for (name, document) in sample::all() {
        let documents = sample::history_to(&document, 600);
        for size in [(80, 24), (120, 40), (160, 48)] {
            let mut state = console(documents.clone());
            snapshot(&format!("{name}-{}x{}", size.0, size.1), &screen(&mut state, size, false));
        }
    }
}

#[test]
fn ascii_is_ascii_and_says_the_same() {
    let mut state = console(sample::history_to(&sample::no_leader(), 600));
    let buffer = screen(&mut state, (80, 24), true);
    assert!(text(&buffer).is_ascii());
    snapshot("no-leader-ascii", &buffer);
}

#[test]
fn before_the_first_document_it_says_that_nothing_is_known() {
    let mut state = State::new(models(), "card-prod", Mode::Operator);
    snapshot("no-document", &screen(&mut state, (80, 24), false));
}

#[test]
fn details_of_a_leader_with_slots() {
    let mut state = console(vec![sample::healthy()]);
    press(&mut state, &[CommandId::Open]);
    snapshot("details-leader", &screen(&mut state, (120, 60), false));
}

#[test]
fn details_of_a_member_and_of_a_finding() {
    let mut state = console(vec![sample::lagging()]);
    press(&mut state, &[CommandId::Bottom, CommandId::Open]);
    snapshot("details-member", &screen(&mut state, (120, 60), false));
    press(&mut state, &[CommandId::Back, CommandId::Pane5, CommandId::Down, CommandId::Open]);
    snapshot("details-finding", &screen(&mut state, (80, 24), false));
}

/// The newest first: a change of leader that was seen, then what Patroni's history tells of before; each opens.
#[test]
fn an_event_opens_its_evidence_and_the_history_says_where_it_is_from() {
    let sign = |at: i64, source: &str, what: &str, value: &str| Sign {
        at: Some(sample::at(sample::NOW - at)),
        source: source.to_owned(),
        what: what.to_owned(),
        value: value.to_owned(),
    };
    let kind = ChangeKind::LeaderChanged {
        from: Some("psg2".to_owned()),
        to: "psg1".to_owned(),
        timeline: Some(7),
        seconds: Some(0.1),
        cause: Cause::Crash {
            leader: "psg2".to_owned(),
            silent: vec![Silence { source: SourceKind::Rest, seconds: 32.0 }, Silence { source: SourceKind::Sql, seconds: 31.6 }],
            lease_ran_out: true,
        },
        evidence: vec![
            sign(47, "rest psg2", "silent since then", "connection refused by 10.20.0.9:8008"),
            sign(46, "sql psg2", "silent since then", "connection refused by 10.20.0.9:5432"),
            sign(15, "etcd", "leader key", "gone, in one revision with the member's own key: its lease ran out"),
            sign(15, "etcd", "leader key", "psg1"),
        ],
    };
    let change = Change { at: sample::at(sample::NOW - 15), kind };
    let mut state = console(vec![sample::healthy()]);
    let again = state.facts.document.clone().expect("a document");
    update(&mut state, Msg::Document(again, vec![EventLine::from(&change)]));
    press(&mut state, &[CommandId::Pane6, CommandId::Zoom]);
    snapshot("events", &screen(&mut state, (100, 12), false));
    press(&mut state, &[CommandId::Open]);
    snapshot("details-event", &screen(&mut state, (100, 30), false));
    press(&mut state, &[CommandId::Back, CommandId::Down, CommandId::Open]);
    snapshot("details-history", &screen(&mut state, (100, 30), false));
}

#[test]
fn whoever_has_looked_at_the_events_sees_the_next_one_after_that() {
    let mut state = console(vec![sample::healthy()]);
    let happens = |state: &mut State, n: i64| {
        let line = EventLine::new(sample::at(sample::NOW - 100 + n), Level::Ok, "route", format!("event {n}"));
        let again = state.facts.document.clone().expect("a document");
        update(state, Msg::Document(again, vec![line]));
    };
    (0..40).for_each(|n| happens(&mut state, n));
    press(&mut state, &[CommandId::Pane6, CommandId::Bottom]);
    happens(&mut state, 40);
    assert!(!text(&screen(&mut state, (80, 24), false)).contains("event 40"), "what is looked at stays where it is");
    press(&mut state, &[CommandId::Pane1]);
    happens(&mut state, 41);
    assert!(text(&screen(&mut state, (80, 24), false)).contains("event 41"), "{}", text(&screen(&mut state, (80, 24), false)));
}

#[test]
fn details_of_every_row_of_every_pane() {
    for (name, document) in sample::all() {
        let mut state = console(vec![document]);
        let event = EventLine::new(sample::at(sample::NOW), Level::Ok, "test", "something happened");
        let again = state.facts.document.clone().expect("a document");
        update(&mut state, Msg::Document(again, vec![event]));
        for pane in 0..state.panes.len() {
            for row in state.rows(pane) {
                state.overlay = Some(Overlay::Details { pane, row: row.clone(), scroll: 0 });
                let shown = text(&screen(&mut state, (100, 40), false));
                assert!(!shown.contains("it is not there any more"), "{name}: pane {pane} has no details of {row}\n{shown}");
            }
        }
    }
}

#[test]
fn help_tells_the_keys_as_they_are() {
    let mut state = console(vec![sample::healthy()]);
    press(&mut state, &[CommandId::Help]);
    snapshot("help", &screen(&mut state, (100, 60), false));
    press(&mut state, &[CommandId::Search]);
    update(&mut state, Msg::Text(TextEdit::Insert("pane".to_owned())));
    let found = text(&screen(&mut state, (100, 60), false));
    assert!(found.contains("Go to the next pane") && !found.contains("Leave pgbaton"), "{found}");
}

#[test]
fn a_pane_can_have_the_whole_screen() {
    let mut state = console(sample::history_to(&sample::lagging(), 600));
    press(&mut state, &[CommandId::Pane2, CommandId::Zoom]);
    snapshot("zoom-lag", &screen(&mut state, (100, 30), false));
}

/// What will happen by itself has its time beside it.
#[test]
fn what_is_scheduled_counts_down() {
    let mut document = sample::healthy();
    document.cluster.scheduled_switchover =
        Some(ScheduledSwitchover { from: Some("psg1".to_owned()), to: Some("psg2".to_owned()), at: Some(sample::at(sample::NOW + 725)) });
    document.members[2].scheduled_restart = Some(sample::at(sample::NOW - 1));
    let shown = text(&screen(&mut console(vec![document.clone()]), (120, 40), false));
    assert!(shown.contains("switchover to psg2 in 12 min"), "{shown}");
    assert!(shown.contains("restart is due"), "{shown}");
    let narrow = text(&screen(&mut console(vec![document]), (80, 24), false));
    assert!(narrow.contains("switchover to psg2 in 12 min"), "{narrow}");
}

/// What is not known must not look like 0, nor like nothing.
#[test]
fn unknown_is_a_question_mark() {
    let mut document = sample::healthy();
    let member = &mut document.members[1];
    (member.receive_lag_bytes, member.replay_lag_bytes, member.replay_lag_seconds) = (None, None, None);
    (member.timeline, member.state, member.last_known, member.can_take_over) = (None, None, None, None);
    let shown = text(&screen(&mut console(vec![document]), (80, 24), false));
    let row = shown.lines().find(|line| line.contains("psg2  ")).expect("its row");
    assert_eq!(row.matches('?').count(), 5, "{row}");
}

/// A fresh value has no age; an old one is never without.
#[test]
fn only_what_is_old_has_an_age() {
    let healthy = text(&screen(&mut console(vec![sample::healthy()]), (120, 40), false));
    assert!(!healthy.contains('◐'), "{healthy}");
    let stale = text(&screen(&mut console(vec![sample::stale()]), (120, 40), false));
    let row = stale.lines().find(|line| line.contains("was streaming")).expect("its row");
    assert_eq!(row.matches("◐ 45 s").count(), 2, "{row}");
}

#[test]
fn hostile_text_cannot_leave_its_cell() {
    let mut document = sample::healthy();
    document.members[1].name = "psg2\u{1b}[2J".to_owned();
    document.headline.verdict = "a\nb\u{9b}31m".to_owned();
    let buffer = screen(&mut console(vec![document]), (120, 40), false);
    let control = buffer.content.iter().flat_map(|cell| cell.symbol().chars()).find(|c| c.is_control());
    assert_eq!(control, None);
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("日本語のノード".to_owned()),
        Just("é\u{301}\u{200d}🙂".to_owned()),
        "[a-z ]{0,200}",
        "\\PC{0,20}"
    ]
}

/// A sample with some of its values replaced by the most awkward ones.
fn documents() -> impl Strategy<Value = Document> {
    let numbers = prop_oneof![Just(None), Just(Some(0u64)), Just(Some(u64::MAX)), any::<u64>().prop_map(Some)];
    (0..sample::all().len(), texts(), texts(), numbers, any::<Option<f64>>(), any::<bool>(), 0..40usize).prop_map(
        |(n, name, sentence, number, seconds, reverse, count)| {
            let (_, mut doc) = sample::all().swap_remove(n);
            doc.cluster.name = name.clone();
            doc.headline.verdict = sentence.clone();
            doc.headline.leads = name.clone();
            doc.cluster.lease_ttl_seconds = seconds;
            doc.cluster.lease_age_ms = number;
            doc.cluster.maximum_lag_on_failover = number;
            for member in &mut doc.members {
                member.replay_lag_bytes = number;
                member.replay_lag_seconds = seconds;
                member.rest.age_ms = number;
                member.rest.rtt_ms = seconds;
                member.last_known = Some(sentence.clone());
            }
            let extra = (0..count).map(|n| sample::replica(&format!("{name}{n}"), &sentence, doc_role(n), number.unwrap_or(7)));
            doc.members.extend(extra);
            for finding in &mut doc.findings {
                finding.sentence = sentence.clone();
                finding.subject = Some(name.clone());
            }
            for route in &mut doc.routes {
                route.up = vec![name.clone(), sentence.clone()];
                route.instance = name.clone();
            }
            if reverse {
                doc.members.reverse();
            }
            doc
        },
    )
}

fn doc_role(n: usize) -> pgbaton::document::Role {
    use pgbaton::document::Role::{Demoted, Leader, Primary, QuorumStandby, Replica, StandbyLeader, SyncStandby, Uninitialized, Unknown};
    [Leader, StandbyLeader, SyncStandby, QuorumStandby, Replica, Primary, Demoted, Uninitialized, Unknown][n % 9]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_document_no_size_and_no_command_breaks_it(
        document in documents(),
        width in 0..300u16,
        height in 0..100u16,
        commands in prop::collection::vec(prop::sample::select(CommandId::iter().collect::<Vec<_>>()), 0..12),
        typed in texts(),
        ascii in any::<bool>(),
    ) {
        let mut state = console(vec![document.clone(), document]);
        screen(&mut state, (width, height), ascii);
        for id in commands {
            update(&mut state, Msg::Command(id));
            update(&mut state, Msg::Text(TextEdit::Insert(typed.clone())));
            screen(&mut state, (width, height), ascii);
        }
        screen(&mut state, (height, width), ascii);
    }
}

fn plan() -> PlanSheet {
    let check = |light, id: &str, sentence: &str| (light, id.to_owned(), sentence.to_owned());
    PlanSheet {
        sentence: "switchover from psg1 to psg2".to_owned(),
        cluster: "card-prod".to_owned(),
        target: Some("psg2 on 10.0.0.12, replica".to_owned()),
        checks: vec![
            check(Light::Green, "leader", "psg1 holds the leader key and accepts writes"),
            check(Light::Green, "quorum", "etcd has its quorum: 3 members, it can lose 1"),
            check(Light::Amber, "transactions", "the oldest transaction on psg1 is 42 min old; it will be cut off"),
            check(Light::Red, "archiver", "the leader's archive_command fails: its shutdown would wait for what is not archived"),
        ],
        effects: vec!["psg1 stops and ends all its sessions; nobody can write until another has taken over".to_owned()],
        order: r#"POST http://10.0.0.11:8008/switchover {"leader":"psg1","candidate":"psg2"}"#.to_owned(),
        patronictl: Some("patronictl switchover card-prod --leader psg1 --candidate psg2 --force".to_owned()),
        ask: Ok(Ask { word: "override card-prod".to_owned(), overridden: vec!["archiver".to_owned()] }),
    }
}

#[test]
fn the_audit_has_the_screen_when_it_is_gone_to() {
    let entries: Vec<Entry> = include_str!("payloads/audit.jsonl").lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let actions = Audited::of(&entries);
    assert_eq!(actions.iter().map(|action| action.outcome.is_some()).collect::<Vec<_>>(), [true, false]);
    let mut state = console(vec![sample::healthy()]);
    press(&mut state, &[CommandId::Pane7]);
    assert!(text(&screen(&mut state, (80, 24), false)).contains("the audit was not read"));
    update(&mut state, Msg::Audit(Ok(actions)));
    snapshot("audit", &screen(&mut state, (80, 24), false));
    press(&mut state, &[CommandId::Bottom, CommandId::Open]);
    snapshot("audit-details", &screen(&mut state, (80, 24), false));
    press(&mut state, &[CommandId::Back, CommandId::Pane1]);
    assert!(!text(&screen(&mut state, (80, 24), false)).contains("Audit"), "it has no place beside the others");
}

/// A runbook that waits for something, and then acts.
fn runbook(state: &mut State, kept: bool) {
    let text = concat!(
        "---\ntitle: Hand over\ndanger: interrupts\nfindings: [lag-high]\n---\n# Hand over\nWrites stop for a moment.\n\n## Before\n",
        "All have to be near.\n",
        "```pgbaton\nid = \"near\"\nwait = \"members.all(m, m.replay_lag_bytes == 0)\"\ndeadline = \"5min\"\n```\n",
        "## The leader\n```pgbaton\nid = \"switchover\"\naction = \"switchover --candidate=psg2\"\n```\n",
    );
    let runbook = parse("hand-over", "hand-over.md", text, &|_| Ok(())).expect("no mistake");
    let at = state.now.expect("a document");
    let run = Run {
        id: "1795724781-7".to_owned(),
        runbook: "hand-over".to_owned(),
        digest: runbook.digest(),
        cluster: "card-prod".to_owned(),
        key: "/service/card".to_owned(),
        etcd: Vec::new(),
        system: None,
        by: "ada".to_owned(),
        begun: at,
        values: Values::new(),
        loops: std::collections::BTreeMap::new(),
        entries: Vec::new(),
    };
    update(state, Msg::Opened(Ok(Box::new(Opened { runbook, run, kept }))));
}

#[test]
fn a_runbook_shows_what_it_waits_for_and_what_comes_next() {
    let mut state = console(vec![sample::healthy()]);
    state.mode = Mode::Operator;
    runbook(&mut state, true);
    snapshot("runbook-waits", &screen(&mut state, (80, 24), false));
    runbook(&mut state, false);
    snapshot("runbook-offered", &screen(&mut state, (80, 24), false));
    let mut state = console(vec![sample::healthy()]);
    state.mode = Mode::ReadOnly("no policy says that ada may operate".to_owned());
    runbook(&mut state, true);
    snapshot("runbook-read-only", &screen(&mut state, (80, 24), false));
}
