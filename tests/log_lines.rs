//! Lines of real programs, as a switchover of a practice cluster has left them in the files of three nodes and a HAProxy.

#[path = "common/log_files.rs"]
mod log_files;

use log_files::heard;
use pgbaton::finding;
use pgbaton::log::{Heard, Key, Log, Program, Severity, Stream, known, known_lines};

/// Where a line stands that has this text.
fn place(log: &Log, node: &str, program: Program, text: &str) -> Key {
    let first = log.first().expect("there are lines");
    let found =
        log.from(first).find(|(_, entry)| entry.stream.node == node && entry.stream.program == program && entry.text.contains(text));
    found.unwrap_or_else(|| panic!("{node} {program} has no {text:?}")).0
}

#[test]
fn a_switchover_is_told_in_the_order_in_which_it_happened() {
    let mut log = Log::default();
    log.take(heard());
    let steps = [
        ("psg1", Program::Patroni, "received switchover request"),
        ("psg1", Program::Patroni, "Demoting self (graceful)"),
        ("psg1", Program::Postgres, "received fast shutdown request"),
        ("psg3", Program::Postgres, "replication terminated by primary server"),
        ("psg1", Program::Postgres, "database system is shut down"),
        ("psg3", Program::Patroni, "switchover: to psg2, i am psg3"),
        ("psg1", Program::Patroni, "Leader key released"),
        ("psg2", Program::Patroni, "promoted self to leader"),
        ("psg2", Program::Postgres, "received promote request"),
        ("psg2", Program::Postgres, "selected new timeline ID: 2"),
        ("psg2", Program::Postgres, "database system is ready to accept connections"),
        ("psg3", Program::Postgres, "started streaming WAL from primary"),
        ("psg1", Program::Postgres, "started streaming WAL from primary"),
        ("psg1", Program::Patroni, "no action. I am (psg1), a secondary, and following a leader (psg2)"),
    ];
    let places = steps.map(|(node, program, text)| place(&log, node, program, text));
    assert!(places.is_sorted(), "{places:#?}");
    assert_eq!(log.kept(), log.taken());
    assert_eq!(log.dropped().lines, 0);
}

#[test]
fn the_order_in_which_the_streams_are_heard_makes_no_difference() {
    let all = |log: &Log| -> Vec<String> {
        let first = log.first().expect("there are lines");
        log.from(first).filter(|(_, entry)| !entry.guessed).map(|(_, entry)| format!("{} {}", entry.stream.node, entry.text)).collect()
    };
    let mut at_once = Log::default();
    at_once.take(heard());
    // Line by line, a stream's in its order, the streams in turns.
    let mut streams: Vec<(Stream, Vec<Heard>)> = Vec::new();
    for line in heard() {
        match streams.iter_mut().find(|(stream, _)| *stream == line.stream) {
            Some((_, lines)) => lines.push(line),
            None => streams.push((line.stream.clone(), vec![line])),
        }
    }
    let mut in_turns = Log::default();
    let mut turns: Vec<_> = streams.into_iter().rev().map(|(_, lines)| lines.into_iter()).collect();
    while turns.iter().any(|lines| lines.len() > 0) {
        turns.iter_mut().filter_map(Iterator::next).for_each(|line| in_turns.take(vec![line]));
    }
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!((at_once.taken(), at_once.kept()), (in_turns.taken(), in_turns.kept()));
    // Lines of one millisecond come as they are heard; all others have one order.
    assert_eq!(sorted(all(&at_once)), sorted(all(&in_turns)));
    for log in [&at_once, &in_turns] {
        let first = log.first().expect("there are lines");
        assert!(log.from(first).map(|(_, entry)| entry.when).is_sorted());
    }
}

#[test]
fn every_real_line_has_a_level_and_what_belongs_together_stays_so() {
    let mut log = Log::default();
    log.take(heard());
    let first = log.first().expect("there are lines");
    let unknown: Vec<&str> = log.from(first).filter(|(_, e)| e.level == Severity::Unknown).map(|(_, e)| e.text.as_str()).collect();
    assert_eq!(unknown, [] as [&str; 0]);
    let ended = log.get(place(&log, "psg3", Program::Postgres, "replication terminated")).expect("it is there");
    assert_eq!(ended.more.iter().map(|part| part.label).collect::<Vec<_>>(), ["DETAIL"]);
    let beats = log.get(place(&log, "psg2", Program::Patroni, "following a leader (psg1)")).expect("it is there");
    assert!(beats.again.is_some_and(|again| again.times == 4 && again.last > beats.when), "{beats:?}");
}

/// Lines as the programs write them, each with a word of what is said of it.
const KNOWN: &[(Program, &str, &str)] = &[
    (Program::Patroni, "promoted self to leader by acquiring session lock", "took the leader key"),
    (Program::Patroni, "manual failover: demoting myself", "cleanly"),
    (Program::Patroni, "switchover: demote in progress", "cleanly"),
    (Program::Patroni, "Leader key released", "given the leader key back"),
    (Program::Patroni, "demoted self because DCS is not accessible and I was a leader", "cannot reach etcd"),
    (Program::Patroni, "demoted self because failed to update leader lock in DCS", "could not renew"),
    (Program::Patroni, "demoting self because I do not have the lock and I was a leader", "leads no more"),
    (Program::Patroni, "continue to run as a leader because failsafe mode is enabled and all members are accessible", "goes on"),
    (Program::Patroni, "Loop time exceeded, rescheduling immediately.", "One turn"),
    (Program::Patroni, "My timeline 3 is behind last known cluster timeline 4", "has not followed"),
    (Program::Patroni, "Primary (psg1) is still alive", "still answers"),
    (Program::Patroni, "running pg_rewind from psg2", "made to fit"),
    (Program::Patroni, "pg_rewind exit code=1", "has failed"),
    (Program::Patroni, "PAUSE: no action. I am (psg1), the leader with the lock", "nothing to do"),
    (Program::Patroni, "no action. I am (psg1), the leader with the lock", "this member leads"),
    (Program::Patroni, "Error communicating with PostgreSQL. Will try again later", "cannot ask"),
    (Program::Postgres, "requested WAL segment 000000010000000000000003 has already been removed", "has no more"),
    (
        Program::Postgres,
        "could not receive data from WAL stream: ERROR:  requested WAL segment 000000010000000000000003 has already been removed",
        "has no more",
    ),
    (Program::Postgres, "replication slot \"psg2\" does not exist", "slot that is not there"),
    (Program::Postgres, "terminating connection due to unexpected postmaster exit", "first process is gone"),
    (Program::Postgres, "server process (PID 7) was terminated by signal 9: Killed", "by a signal"),
    (Program::Postgres, "selected new timeline ID: 2", "new timeline begins"),
    (Program::Postgres, "requested timeline 2 is not a child of this server's history", "never had"),
    (Program::Postgres, "archive command failed with exit code 1", "archived"),
    (Program::Postgres, "could not write to file \"base/1\": No space left on device", "disk is full"),
    (Program::Postgres, "sorry, too many clients already", "connections are taken"),
    (Program::Postgres, "no pg_hba.conf entry for replication connection from host \"10.0.0.1\"", "refused"),
    (Program::Etcd, "317dc460c8b9cd8b stepped down to follower since quorum is not active", "majority"),
    (Program::Etcd, "317dc460c8b9cd8b no leader at term 39; dropping index reading msg", "no leader"),
    (Program::Etcd, "317dc460c8b9cd8b is starting a new election at term 39", "election"),
    (Program::Etcd, "317dc460c8b9cd8b became leader at term 40", "new leader"),
    (Program::Etcd, "apply request took too long  took=1.2s", "slow"),
    (Program::Etcd, "lost TCP streaming connection with remote peer  stream-reader-type=x", "lost another"),
    (Program::Etcd, "alarm raised  alarm=NOSPACE", "full"),
    (Program::Haproxy, "proxy pg_write has no server available!", "No server"),
    (Program::Haproxy, "proxy 'pg_write' has no server available!", "No server"),
    (Program::Haproxy, "Server pg_write/psg1 is DOWN. 2 active and 0 backup servers left.", "taken out"),
    (Program::Haproxy, "Server pg_write/psg1 is UP. 2 active and 0 backup servers online.", "used again"),
    (
        Program::Haproxy,
        "Health check for server pg_write/psg1 failed, reason: Layer7 wrong status, code: 503, info: \"Service Unavailable\"",
        "not with 200",
    ),
    (
        Program::Haproxy,
        "Health check for server pg_read/psg1 failed, reason: Layer7 timeout, check duration: 2000ms",
        "did not answer in time",
    ),
    (Program::Haproxy, "10.0.0.9:1 [26/Nov/2026:23:55:11.813] pg_write pg_write/<NOSRV> -1/-1/0 0 SC 2/2/1/0/2 0/0", "refused"),
    (
        Program::Haproxy,
        "10.0.0.9:1 [26/Nov/2026:23:55:11.813] pg_write pg_write/psg1 1/-1/2003 0 SC 2/2/1/0/2 0/0",
        "connection to the server failed",
    ),
    (Program::Haproxy, "10.0.0.9:1 [26/Nov/2026:23:55:13.814] pg_write pg_write/psg1 1/2005/2005 0 D- 2/2/1/0/2 0/0", "HAProxy itself"),
];

#[test]
fn the_lines_that_matter_are_explained() {
    for (program, line, word) in KNOWN {
        let known = known(*program, line).unwrap_or_else(|| panic!("{program}: {line}"));
        assert!(known.what.contains(word), "{line}: {}", known.what);
    }
    for (program, line) in [
        (Program::Patroni, "Got response from psg2 http://10.0.0.12:8008/patroni: {}"),
        (Program::Postgres, "checkpoint starting: time"),
        (Program::Etcd, "set initial cluster version"),
        (Program::Haproxy, "10.0.0.9:1 [26/Nov/2026:23:55:13.814] pg_write pg_write/psg1 1/0/2005 99 -- 2/2/1/0/2 0/0"),
    ] {
        assert_eq!(known(program, line), None, "{line}");
    }
}

#[test]
fn each_explanation_is_whole_and_names_a_finding_that_there_is() {
    for line in Program::ALL.into_iter().flat_map(known_lines) {
        for text in [line.what, line.why, line.next] {
            assert!(text.ends_with('.') && text.len() > 10, "{}: {text}", line.pattern);
        }
        if let Some(code) = line.finding {
            assert!(finding::explanation(code).is_some(), "{}: there is no finding {code}", line.pattern);
        }
    }
}
