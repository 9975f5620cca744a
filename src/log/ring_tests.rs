//! The ring as a whole: what goes in comes out in order, and what does not is counted.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{ClockSkew, ErrorKind, SourceError, Time};

fn at(seconds: f64) -> Time {
    Time::from_micros(1_795_735_000_000_000 + (seconds * 1e6) as i64)
}

fn stream(node: &str, program: Program) -> Stream {
    Stream { node: node.to_owned(), program }
}

fn heard(node: &str, program: Program, seconds: f64, what: What) -> Heard {
    Heard { stream: stream(node, program), at: at(seconds), what }
}

fn line(node: &str, program: Program, seconds: f64, text: &str) -> Heard {
    heard(node, program, seconds, What::Line { bytes: text.as_bytes().to_vec(), stamp: None, cut: 0 })
}

fn open(node: &str, program: Program, format: Format) -> Heard {
    heard(node, program, 0.0, What::Open { format, file: "/var/log/x".to_owned() })
}

fn patroni(node: &str) -> Heard {
    open(node, Program::Patroni, Format::Patroni { utc_offset: Some(0) })
}

/// Patroni's line, written at this second.
fn said(node: &str, written: f64, heard: f64, text: &str) -> Heard {
    let time = at(written).to_string().replace('T', " ").replace('Z', "").replace('.', ",");
    line(node, Program::Patroni, heard, &format!("{time} INFO: {text}"))
}

fn all(log: &Log) -> Vec<String> {
    let Some(first) = log.first() else { return Vec::new() };
    log.from(first).map(|(_, entry)| format!("{} {}", entry.stream.node, entry.text)).collect()
}

#[test]
fn lines_of_several_nodes_stand_in_the_order_in_which_they_were_written() {
    let mut log = Log::default();
    log.take(vec![patroni("a"), said("a", 1.0, 5.0, "one"), said("a", 3.0, 5.0, "three"), said("a", 5.0, 5.0, "five")]);
    log.take(vec![patroni("b"), said("b", 2.0, 6.0, "two"), said("b", 4.0, 6.0, "four"), said("b", 6.0, 6.0, "six")]);
    assert_eq!(all(&log), ["a one", "b two", "a three", "b four", "a five", "b six"]);
    let middle = log.from((at(3.0), 0)).next().map(|(key, _)| key).expect("there are some");
    assert_eq!(log.before(middle).map(|(_, entry)| entry.text.as_str()).collect::<Vec<_>>(), ["two", "one"]);
    assert_eq!((log.taken(), log.kept()), (6, 6));
}

#[test]
fn a_clock_that_is_ahead_is_reckoned_with() {
    let mut log = Log::default();
    log.hear_clock("b", ClockSkew { least: 2_999_000, most: 3_001_000 });
    log.take(vec![patroni("a"), said("a", 1.0, 5.0, "cause"), patroni("b"), said("b", 4.5, 5.0, "effect"), said("a", 2.0, 5.0, "later")]);
    assert_eq!(all(&log), ["a cause", "b effect", "a later"]);
    let effect = log.from((at(1.2), 0)).next().map(|(_, entry)| (entry.at, entry.when));
    assert_eq!(effect, Some((at(4.5), at(1.5))), "its own time is told too");
}

#[test]
fn a_heartbeat_is_told_once_with_how_often_and_another_sentence_ends_it() {
    let mut log = Log::default();
    log.take(vec![patroni("a")]);
    let beat = "no action. I am (a), a secondary, and following a leader (b)";
    for n in 0..312 {
        log.take(vec![said("a", f64::from(n) * 10.0, 4000.0, "Lock owner: b; I am a"), said("a", f64::from(n) * 10.0, 4000.0, beat)]);
    }
    let again =
        |log: &Log| log.from((at(-9.0), 0)).map(|(_, entry)| entry.again.map(|again| (again.times, again.last))).collect::<Vec<_>>();
    assert_eq!(again(&log), [Some((312, at(3110.0))), Some((312, at(3110.0)))]);
    log.take(vec![
        said("a", 3120.0, 4000.0, "Lock owner: None; I am a"),
        said("a", 3121.0, 4000.0, "promoted self to leader by acquiring session lock"),
    ]);
    log.take(vec![said("a", 3130.0, 4000.0, beat), said("a", 3140.0, 4000.0, beat)]);
    let texts: Vec<String> = all(&log).into_iter().map(|text| text.chars().take(20).collect()).collect();
    assert_eq!(
        texts,
        ["a Lock owner: b; I a", "a no action. I am (a", "a Lock owner: None; ", "a promoted self to l", "a no action. I am (a"]
    );
    assert_eq!((log.taken(), log.kept()), (312 * 2 + 4, 312 * 2 + 4), "all of them are counted");
}

/// Patroni's line of this level, written at this second, and the lines that belong to it.
fn complains(written: f64, level: &str, text: &str, trace: &[&str]) -> Vec<Heard> {
    let time = at(written).to_string().replace('T', " ").replace('Z', "").replace('.', ",");
    let head = line("a", Program::Patroni, 4000.0, &format!("{time} {level}: {text}"));
    std::iter::once(head).chain(trace.iter().map(|text| line("a", Program::Patroni, 4000.0, text))).collect()
}

const SEEKS: &str = "establishing a new patroni heartbeat connection to postgres";
const TRACE: [&str; 3] = ["Traceback (most recent call last):", "  File \"api.py\", line 1553, in query", "psycopg.OperationalError: x"];

/// What is shown: the text, how often, and how many lines belong to it.
fn counted(log: &Log) -> Vec<(String, u64, usize)> {
    let of = |entry: &Entry| (entry.text.clone(), entry.again.map_or(1, |again| again.times), entry.more.len());
    log.from((at(-9.0), 0)).map(|(_, entry)| of(entry)).collect()
}

#[test]
fn complaints_that_come_in_turns_are_told_once_each_and_the_heartbeat_beside_them() {
    let mut log = Log::default();
    log.take(vec![patroni("a")]);
    for n in 0..100 {
        let second = f64::from(n);
        let mut batch = complains(second, "INFO", SEEKS, &[]);
        batch.extend(complains(second + 0.1, "ERROR", "get_postgresql_status", &TRACE));
        if n % 10 == 0 {
            batch.extend(complains(second + 0.2, "INFO", "Lock owner: a; I am a", &[]));
            batch.extend(complains(second + 0.3, "WARNING", "Retry got exception: connection problems", &[]));
        }
        // Wherever the batches end.
        let rest = batch.split_off(usize::try_from(n).expect("small") % batch.len());
        log.take(batch);
        log.take(rest);
        assert_eq!(log.taken(), log.kept(), "after {n}");
    }
    let expected = [
        (SEEKS, 100, 0),
        ("get_postgresql_status", 100, 3),
        ("Lock owner: a; I am a", 10, 0),
        ("Retry got exception: connection problems", 10, 0),
    ];
    assert_eq!(counted(&log), expected.map(|(text, times, more)| (text.to_owned(), times, more)));
    let saved: Vec<String> = log.from((at(-9.0), 0)).map(|(_, entry)| entry.plain()).collect();
    assert!(saved[1].contains(&format!("(x 100, until {})", at(99.1))) && saved[1].contains(TRACE[2]), "{}", saved[1]);
    // Something else is said: what comes after it stands behind it.
    log.take(complains(100.0, "INFO", "starting primary after failure", &[]));
    log.take(complains(100.1, "ERROR", "get_postgresql_status", &TRACE));
    log.take(complains(101.1, "ERROR", "get_postgresql_status", &TRACE));
    assert_eq!(counted(&log)[5..], [("get_postgresql_status".to_owned(), 2, 3)]);
    // What was not said for long is told where it is said.
    log.take(complains(132.0, "ERROR", "get_postgresql_status", &TRACE));
    assert_eq!(counted(&log)[6..], [("get_postgresql_status".to_owned(), 1, 3)]);
}

/// The same first line with other lines below it is another complaint, and keeps every line.
#[test]
fn a_complaint_that_goes_on_otherwise_is_one_of_its_own() {
    let other = [TRACE[0], TRACE[1], "psycopg.OperationalError: y"];
    let longer = [TRACE[0], TRACE[1], TRACE[2], "  and more"];
    let said: [&[&str]; 10] = [&TRACE, &TRACE, &other, &TRACE, &TRACE[..2], &longer, &other, &TRACE[..2], &longer, &[]];
    for batch in 1..9 {
        let mut log = Log::default();
        log.take(vec![patroni("a")]);
        let all: Vec<Heard> =
            said.iter().zip(0..).flat_map(|(trace, n)| complains(f64::from(n), "ERROR", "get_postgresql_status", trace)).collect();
        let count = all.len() as u64;
        let mut all = all.into_iter();
        loop {
            let some: Vec<Heard> = all.by_ref().take(batch).collect();
            if some.is_empty() {
                break;
            }
            log.take(some);
            assert_eq!(log.taken(), log.kept());
        }
        log.take(complains(11.0, "INFO", "no more", &[]));
        let told: Vec<(u64, usize)> = counted(&log).into_iter().map(|(_, times, more)| (times, more)).collect();
        assert_eq!(told, [(3, 3), (2, 3), (2, 2), (2, 4), (1, 0), (1, 0)], "{batch} lines at once");
        let kept: Vec<&str> = log.from((at(-9.0), 0)).filter_map(|(_, entry)| entry.more.last().map(|part| part.text.as_str())).collect();
        assert_eq!(kept, [TRACE[2], other[2], TRACE[1], longer[3]]);
        assert_eq!((log.taken(), log.kept()), (count + 1, count + 1));
    }
}

#[test]
fn a_stack_trace_stays_with_its_error_and_details_with_their_message() {
    let mut log = Log::default();
    log.take(vec![patroni("a"), said("a", 1.0, 1.0, "x")]);
    let time = at(2.0).to_string().replace('T', " ").replace('Z', "").replace('.', ",");
    log.take(vec![line("a", Program::Patroni, 2.0, &format!("{time} ERROR: get_postgresql_status"))]);
    log.take(vec![
        line("a", Program::Patroni, 2.0, "Traceback (most recent call last):"),
        line("a", Program::Patroni, 9.0, "  File \"api.py\""),
    ]);
    let format = Format::PostgresStderr { prefix: "%m [%p] ".to_owned(), utc_offset: Some(0) };
    let stamp = at(3.0).to_string().replace('T', " ").replace('Z', " UTC");
    log.take(vec![open("a", Program::Postgres, format)]);
    for text in ["[7] ERROR:  one", "[7] DETAIL:  why", "[8] LOG:  other", "[7] STATEMENT:  select"] {
        log.take(vec![line("a", Program::Postgres, 3.0, &format!("{stamp} {text}"))]);
    }
    log.take(vec![line("a", Program::Postgres, 3.0, "\tfrom cards")]);
    let told: Vec<(String, Vec<String>)> = log
        .from((at(1.5), 0))
        .map(|(_, entry)| (entry.text.clone(), entry.more.iter().map(|part| format!("{}|{}", part.label, part.text)).collect()))
        .collect();
    let more = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        told,
        [
            ("get_postgresql_status".to_owned(), more(&["|Traceback (most recent call last):", "|  File \"api.py\""])),
            ("one".to_owned(), more(&["DETAIL|why"])),
            ("other".to_owned(), Vec::new()),
            // Another session's came between: it stands alone rather than with the wrong one.
            ("STATEMENT: select".to_owned(), more(&["|    from cards"])),
        ]
    );
    assert_eq!((log.taken(), log.kept()), (9, 9));
}

#[test]
fn a_line_without_a_time_has_that_of_the_line_before_or_of_its_coming() {
    let mut log = Log::default();
    let down = "Server pg_write/psg1 is DOWN. 2 active and 0 backup servers left.";
    let link = "10.0.0.9:4358 [26/Nov/2026:23:16:40.000] pg_write pg_write/psg1 1/0/0 4109 -- 2/1/0/0/0 0/0";
    let lines = [(100.0, link), (100.1, down), (200.0, "[NOTICE]   (7) : New worker (8) forked")];
    log.take(vec![open("vm1", Program::Haproxy, Format::Haproxy { utc_offset: Some(0) })]);
    log.take(lines.into_iter().map(|(heard, text)| line("vm1", Program::Haproxy, heard, text)).collect());
    let times: Vec<(String, bool)> = log.from((at(-9.0), 0)).map(|(_, entry)| (entry.at.to_string(), entry.guessed)).collect();
    let expected = [("2026-11-26T23:16:40.000Z", false), ("2026-11-26T23:16:40.000Z", true), (&at(200.0).to_string(), true)];
    assert_eq!(times, expected.map(|(at, guessed)| (at.to_owned(), guessed)));
}

#[test]
fn what_stands_first_in_a_file_was_not_written_when_it_was_heard() {
    let mut log = Log::default();
    let link = "10.0.0.9:4358 [26/Nov/2026:23:16:41.000] pg_write pg_write/psg1 1/0/0 4109 -- 2/1/0/0/0 0/0";
    log.take(vec![open("vm1", Program::Haproxy, Format::Haproxy { utc_offset: Some(0) }), patroni("a"), said("a", 2.0, 900.0, "later")]);
    let lines = ["[NOTICE]   (7) : New worker (8) forked", "[NOTICE]   (7) : Loading success.", link];
    log.take(lines.into_iter().map(|text| line("vm1", Program::Haproxy, 900.0, text)).collect());
    assert_eq!(all(&log).last().map(String::as_str), Some("a later"), "{:?}", all(&log));
    log.take(vec![line("vm1", Program::Haproxy, 905.0, lines[0])]);
    assert_eq!(all(&log).last().map(String::as_str), Some("vm1 New worker (8) forked"), "what comes alone was written when it came");
    assert_eq!((log.taken(), log.kept()), (5, 5));
}

#[test]
fn what_is_missing_is_marked_where_it_is_missing() {
    let mut log = Log::default();
    log.take(vec![patroni("a"), said("a", 1.0, 1.0, "one")]);
    let gap = Gap::Unread { from: at(1.0), to: at(9.0), why: "rotated\u{1b}[2J away".to_owned() };
    log.take(vec![heard("a", Program::Patroni, 9.0, What::Gap(gap)), said("a", 9.0, 9.0, "two")]);
    log.take(vec![heard("a", Program::Patroni, 10.0, What::Gap(Gap::Dropped { lines: 77, bytes: 1000 }))]);
    let refused = || heard("a", Program::Patroni, 11.0, What::Failed(SourceError::new(ErrorKind::Refused, "refused")));
    log.take(vec![refused(), refused(), refused()]);
    let kinds: Vec<(Kind, u64)> =
        log.from((at(-9.0), 0)).map(|(_, entry)| (entry.kind, entry.again.map_or(1, |again| again.times))).collect();
    assert_eq!(kinds, [(Kind::Line, 1), (Kind::Gap, 1), (Kind::Line, 1), (Kind::Gap, 1), (Kind::Failed, 3)]);
    assert!(all(&log)[1].contains("rotated\u{FFFD}[2J away"), "{:?}", all(&log));
    assert_eq!((log.taken(), log.kept(), log.dropped().unread), (2, 2, 77));
}

#[test]
fn the_oldest_go_when_there_is_no_room_and_are_counted() {
    let mut log = Log::with_room(1000, 1 << 20);
    log.take(vec![patroni("a")]);
    for batch in 0..11 {
        log.take((0..100).map(|n| said("a", f64::from(batch * 100 + n) / 100.0, 9999.0, &format!("line {n}"))).collect());
    }
    assert_eq!((log.len(), log.dropped().lines, log.taken()), (1000, 100, 1100));
    log.take((0..300).map(|n| said("a", f64::from(n) + 200.0, 9999.0, &"x ".repeat(3000))).collect());
    assert!(log.bytes() <= 1 << 20 && log.len() > 100, "{} {}", log.bytes(), log.len());
    assert_eq!(log.kept() + log.dropped().lines, log.taken());
    // What is older than all that is kept is let go at once.
    log.take((0..1000).map(|n| said("a", f64::from(n) + 500.0, 9999.0, "y")).collect());
    let dropped = log.dropped().lines;
    log.take(vec![patroni("b"), said("b", 1.0, 9999.0, "of old")]);
    assert!(log.dropped().lines == dropped + 1 && !all(&log).contains(&"b of old".to_owned()));
}

#[test]
fn a_filter_and_a_count_follow_what_comes() {
    let mut log = Log::default();
    log.set_filter(Filter::parse("cards").expect("a filter"));
    log.take(vec![patroni("a"), said("a", 1.0, 1.0, "cards"), said("a", 2.0, 2.0, "other")]);
    assert_eq!((log.shown(), all(&log)), (1, vec!["a cards".to_owned()]));
    log.take(vec![line("a", Program::Patroni, 2.0, "  select cards")]);
    assert_eq!(log.shown(), 2, "a line that belongs to a message counts for it");
    log.set_filter(Filter::default());
    assert_eq!(log.shown(), 2);
    log.set_filter(Filter::parse("-node:a").expect("a filter"));
    assert_eq!((log.shown(), log.first(), log.last()), (0, None, None));
}

/// Whatever of it is printed or written as JSON, the secret is not in it.
#[test]
fn secrets_are_shown_only_while_that_is_asked_for() {
    let mut log = Log::default();
    log.set_filter(Filter::parse("S3cret").expect("a filter"));
    log.take(vec![patroni("a"), said("a", 1.0, 1.0, "conninfo password=S3cret1"), line("a", Program::Patroni, 1.0, "  token=S3cret2")]);
    assert_eq!((log.len(), log.shown()), (1, 0), "what is masked cannot be looked for");
    log.set_filter(Filter::default());
    let told = |log: &Log| log.from((at(-9.0), 0)).map(|(_, entry)| log.seen(entry).plain()).collect::<Vec<_>>().join("\n");
    let masked = told(&log);
    assert!(masked.contains("password=***") && masked.contains("token=***") && !masked.contains("S3cret"), "{masked}");
    for (_, entry) in log.from((at(-9.0), 0)) {
        let leaks = format!("{entry:?} {} {log:?}", serde_json::to_string(entry).expect("JSON"));
        assert!(!leaks.contains("S3cret"), "{leaks}");
    }
    log.set_filter(Filter::parse("S3cret").expect("a filter"));
    log.set_unmasked(true);
    assert_eq!(log.shown(), 1);
    let bare = told(&log);
    assert!(bare.contains("password=S3cret1") && bare.contains("token=S3cret2"), "{bare}");
    log.set_unmasked(false);
    assert_eq!((log.shown(), told(&log)), (0, String::new()));
    log.set_filter(Filter::default());
    assert_eq!(told(&log), masked);
}

#[test]
fn what_is_kept_aside_is_bounded_and_counted_too() {
    let mut log = Log::default();
    let long = format!("password=S3cret {}", "x".repeat(20_000));
    log.take(vec![patroni("a"), said("a", 1.0, 1.0, &long)]);
    let (key, entry) = log.from((at(-9.0), 0)).next().expect("a line");
    let bare = entry.unmasked();
    assert_eq!(bare.text.len() as u64 + bare.cut, long.len() as u64);
    assert!(log.bytes() >= entry.text.len() + bare.text.len() && log.get(key).is_some());
}

#[test]
fn a_time_of_which_nobody_knows_the_zone_is_told_so_and_not_taken_for_greenwich() {
    let mut log = Log::default();
    log.take(vec![open("a", Program::Patroni, Format::Patroni { utc_offset: None })]);
    log.take(vec![said("a", 1.0, 3607.0, "one"), said("a", 1.5, 3607.5, "two")]);
    let stamped = What::Line { bytes: b"2026-11-26 23:38:40,003 INFO: three".to_vec(), stamp: Some(at(3608.0)), cut: 0 };
    log.take(vec![
        heard("a", Program::Patroni, 3609.0, stamped),
        line("a", Program::Patroni, 3610.0, "2026-11-27T01:16:50+01:00 INFO: four"),
    ]);
    let told: Vec<(String, Time, bool)> = log.from((at(-9.0), 0)).map(|(_, entry)| (entry.text.clone(), entry.at, entry.guessed)).collect();
    let note = "the node tells no time zone (date +%z), and the times of these lines name none: they stand where they were heard";
    let zoned = Time::parse("2026-11-27T00:16:50Z").expect("a time");
    let expected = [
        (note, at(3607.0), false),
        ("one", at(3607.0), true),
        ("two", at(3607.5), true),
        ("three", at(3608.0), false),
        ("four", zoned, false),
    ];
    assert_eq!(told, expected.map(|(text, at, guessed)| (text.to_owned(), at, guessed)));
    assert_eq!((log.taken(), log.kept()), (4, 4));
}

fn formats() -> impl Strategy<Value = Format> {
    prop_oneof![
        Just(Format::Patroni { utc_offset: Some(3600) }),
        "[%a-zA-Z0-9 \\[\\]@-]{0,12}".prop_map(|prefix| Format::PostgresStderr { prefix, utc_offset: None }),
        Just(Format::PostgresStderr { prefix: "%m [%p] %q%u@%d/%a ".to_owned(), utc_offset: Some(0) }),
        Just(Format::PostgresCsv { utc_offset: Some(0) }),
        Just(Format::PostgresJson { utc_offset: Some(0) }),
        Just(Format::Etcd { utc_offset: Some(0) }),
        Just(Format::Haproxy { utc_offset: Some(-3600) }),
    ]
}

/// Bytes of any kind, and lines that are nearly right.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let real = prop::sample::select(vec![
        "2026-11-26 23:38:40,003 INFO: no action. I am (a), a secondary, and following a leader (b)",
        "2026-11-26 23:39:56.015 UTC [7] app@card/psql ERROR:  password='x",
        "2026-11-26 23:39:56.015 UTC [7] app@card/psql DETAIL:  y",
        "2026-11-26 23:39:56.015 UTC,\"app\",\"card\",7,\"h\",6.1,3,\"SELECT\",2026-11-26 23:00:00 UTC,4/5,0,ERROR,42P01,\"a \"\"b",
        "{\"level\":\"warn\",\"ts\":\"2026-11-26T23:38:37.169Z\",\"caller\":\"x\",\"msg\":\"y\",\"took\":\"1s\"}",
        "2026-11-26 23:39:16.479457 W | etcdserver: no leader",
        "10.0.0.9:4358 [26/Nov/2026:23:38:44.613] w w/<NOSRV> -1/-1/0 0 SC 2/1/0/0/0 0/0",
        "[WARNING] 329/233841 (2010) : Server is DOWN",
        "Nov 26 23:38:41 vm1 haproxy[7]: x",
        "\tselect 1",
        "",
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        (real.clone(), prop::collection::vec(any::<u8>(), 0..6), any::<prop::sample::Index>()).prop_map(|(text, junk, place)| {
            let mut bytes = text.as_bytes().to_vec();
            let place = place.index(bytes.len() + 1);
            bytes.splice(place..place, junk);
            bytes
        }),
        real.prop_map(|text| text.as_bytes().to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn whatever_comes_nothing_panics_nothing_moves_a_cursor_and_no_line_is_lost(
        formats in prop::collection::vec(formats(), 3),
        lines in prop::collection::vec((0..3usize, lines(), 0..5u64, prop::option::of(0..9i64)), 0..60),
        sizes in prop::collection::vec(1..9usize, 1..9),
        unmasked in any::<bool>(),
    ) {
        let mut log = Log::default();
        log.set_unmasked(unmasked);
        let nodes = ["a", "b", "c"];
        for (node, format) in nodes.iter().zip(formats) {
            log.take(vec![open(node, Program::Postgres, format)]);
        }
        let count = lines.len() as u64;
        let mut heard = lines.into_iter().enumerate().map(|(n, (node, bytes, cut, stamp))| {
            let stamp = stamp.map(|seconds| at(seconds as f64));
            heard(nodes[node], Program::Postgres, n as f64 / 7.0, What::Line { bytes, stamp, cut })
        });
        for size in sizes.iter().cycle() {
            let batch: Vec<Heard> = heard.by_ref().take(*size).collect();
            if batch.is_empty() {
                break;
            }
            log.take(batch);
        }
        // A record that has not ended is told as it is when reading begins anew.
        for node in nodes {
            log.take(vec![open(node, Program::Postgres, Format::Etcd { utc_offset: Some(0) })]);
        }
        prop_assert_eq!((log.taken(), log.kept() + log.dropped().lines), (count, count));
        let mut places: BTreeMap<String, Vec<Time>> = BTreeMap::new();
        let Some(first) = log.first() else { return Ok(()) };
        for (_, entry) in log.from(first) {
            let entry = log.seen(entry);
            places.entry("all".to_owned()).or_default().push(entry.when);
            for text in entry.texts() {
                prop_assert!(text.chars().all(|c| !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c)), "{:?}", text);
            }
            prop_assert!(!entry.plain().chars().any(|c| c.is_control() && c != '\n'));
        }
        prop_assert!(places.values().all(|times| times.is_sorted()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn whatever_is_complained_of_in_whatever_turns_is_counted_and_each_line_of_it_is_there(
        said in prop::collection::vec((0..2usize, prop::collection::vec(0..2usize, 0..4), 0..40u32), 0..40),
        batch in 1..9usize,
        room in prop::option::of(1..9usize),
    ) {
        const FIRST: [&str; 2] = ["get_postgresql_status", "Retry got exception: connection problems"];
        let mut log = room.map_or_else(Log::default, |room| Log::with_room(room, 1 << 20));
        log.take(vec![patroni("a")]);
        let mut second = 0.0;
        let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut all: Vec<Heard> = Vec::new();
        for (first, trace, later) in &said {
            let trace: Vec<&str> = trace.iter().map(|part| TRACE[*part]).collect();
            second += f64::from(*later);
            all.extend(complains(second, "ERROR", FIRST[*first], &trace));
            told.push((FIRST[*first], trace));
        }
        all.extend(complains(second + 1.0, "INFO", "no more", &[]));
        let count = all.len() as u64;
        let mut all = all.into_iter();
        while log.taken() < count {
            log.take(all.by_ref().take(batch).collect());
            prop_assert_eq!(log.taken(), log.kept() + log.dropped().lines);
        }
        if room.is_none() {
            let times: u64 = counted(&log).iter().map(|(_, times, _)| times).sum();
            prop_assert_eq!(times, said.len() as u64 + 1);
            for (text, trace) in told {
                let is = |entry: &Entry| entry.text == text && entry.more.iter().map(|part| part.text.as_str()).eq(trace.iter().copied());
                prop_assert!(log.from((at(-9.0), 0)).any(|(_, entry)| is(entry)), "{} {:?}", text, trace);
            }
        }
    }
}
