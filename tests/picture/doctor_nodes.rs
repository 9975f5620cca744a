//! What the doctor says by what is read on the nodes: how etcd chooses its leader, and each member's watchdog.

use std::time::Duration;

use pgbaton::doctor::{HarmDoc, Report, Severity};
use pgbaton::model::{ElectionTimes, Time, WatchdogBlock, WatchdogMode, WatchdogSeen};
use serde_json::json;

use crate::doctor::{Estate, good};

const NODES: [&str; 3] = ["psg1", "psg2", "psg3"];

/// The estate with these election timeouts, milliseconds; 0: not seen.
fn elections(timeouts: [u64; 3]) -> Estate {
    let mut estate = good();
    let now = estate.scenario.now();
    for (node, ms) in NODES.into_iter().zip(timeouts) {
        let times = ElectionTimes { election: Duration::from_millis(ms), by: "its command line".to_owned(), heartbeat: None };
        let read = if ms > 0 { Ok((times, now)) } else { Err("its environment may be seen by its own user only".to_owned()) };
        estate.survey.elections.insert(node.to_owned(), read);
    }
    estate
}

fn hurts<'r>(report: &'r Report, code: &str) -> Vec<&'r HarmDoc> {
    report.hurts.iter().filter(|harm| harm.code == code).collect()
}

/// Of a judgement each subject of which it is not known, and why.
fn open<'r>(report: &'r Report, code: &str) -> Vec<(Option<&'r str>, &'r str)> {
    let open = report.not_known.iter().filter(|open| open.code == code);
    open.map(|open| (open.subject.as_deref(), open.because.as_str())).collect()
}

fn holds(report: &Report, code: &str) -> bool {
    report.holds.iter().any(|held| held.code == code)
}

#[test]
fn an_election_of_etcd_must_be_over_before_patroni_gives_up() {
    const CODE: &str = "etcd-election";
    let report = elections([1000; 3]).report();
    assert_eq!((hurts(&report, CODE).len(), open(&report, CODE).len()), (0, 0), "{report:#?}");
    let held = report.holds.iter().find(|held| held.code == CODE).expect("it holds");
    assert!(held.sentence.contains("for up to 2 s"), "{}", held.sentence);
    let told: Vec<&str> = held.evidence.iter().map(|e| e.source.as_str()).collect();
    assert_eq!(told, ["host psg1", "host psg2", "host psg3"]);
    assert!(held.evidence.iter().all(|e| e.value == "1000 ms" && e.age_ms == Some(0)), "{:#?}", held.evidence);

    // retry_timeout is 10 s.
    let report = elections([5000; 3]).report();
    let [harm] = hurts(&report, CODE)[..] else { panic!("{report:#?}") };
    assert!(harm.severity == Severity::Warning && harm.sentence.contains("up to 10 s"), "{harm:#?}");
    assert!(harm.change[0].line.contains("--election-timeout=1000"));
    assert!(hurts(&elections([4999; 3]).report(), CODE).is_empty());

    let report = elections([1000, 2000, 1000]).report();
    let [harm] = hurts(&report, CODE)[..] else { panic!("{report:#?}") };
    assert!(harm.severity == Severity::Note && harm.sentence.contains("different times") && harm.evidence.len() == 3, "{harm:#?}");
}

#[test]
fn an_election_that_is_not_seen_of_all_is_not_called_well() {
    const CODE: &str = "etcd-election";
    let report = elections([1000, 0, 1000]).report();
    let [(Some("psg2"), why)] = open(&report, CODE)[..] else { panic!("{report:#?}") };
    assert!(why.contains("may be seen by its own user only") && !holds(&report, CODE), "{why}");
    // One of etcd's members runs where nobody has looked.
    let mut estate = elections([1000; 3]);
    estate.survey.elections.remove("psg3");
    let report = estate.report();
    let [(None, why)] = open(&report, CODE)[..] else { panic!("{report:#?}") };
    assert!(why.contains("etcd has 3 voting members, and the hosts of 2 are known") && !holds(&report, CODE), "{why}");
}

/// The estate with this watchdog on each node, spoilt on one.
fn watchdogs(spoil: impl Fn(&str, &mut WatchdogSeen)) -> Estate {
    let mut estate = good();
    for node in NODES {
        let mut seen = WatchdogSeen {
            file: "/etc/patroni/patroni.yml".to_owned(),
            block: Some(WatchdogBlock { mode: WatchdogMode::Required, ..WatchdogBlock::default() }),
            newer: false,
            devices: vec!["/dev/watchdog".to_owned()],
            active: Some(node == "psg1"),
        };
        spoil(node, &mut seen);
        estate.survey.watchdogs.insert(node.to_owned(), Ok((seen, Time::from_micros(0))));
    }
    estate
}

fn mode(mode: WatchdogMode) -> Option<WatchdogBlock> {
    Some(WatchdogBlock { mode, ..WatchdogBlock::default() })
}

#[test]
fn only_a_required_watchdog_that_does_not_fail_is_called_well() {
    const CODE: &str = "watchdog";
    let report = watchdogs(|_, _| {}).report();
    assert_eq!((hurts(&report, CODE).len(), open(&report, CODE).len()), (0, 0), "{report:#?}");
    assert_eq!(report.holds.iter().filter(|held| held.code == CODE).count(), 3);

    // psg2 has been told to do without, psg3 has no device, and the leader does not hold its own.
    let report = watchdogs(|node, seen| match node {
        "psg1" => (seen.block, seen.active) = (mode(WatchdogMode::Automatic), Some(false)),
        "psg2" => seen.block = mode(WatchdogMode::Off),
        _ => (seen.block, seen.devices) = (None, Vec::new()),
    })
    .report();
    let told: Vec<_> = hurts(&report, CODE).iter().map(|harm| (harm.subject.as_deref(), harm.severity, harm.sentence.as_str())).collect();
    assert_eq!(
        told,
        [
            (
                Some("psg1"),
                Severity::Warning,
                "psg1 leads, and nobody holds its watchdog: Patroni could not, and with mode automatic it leads without"
            ),
            (Some("psg2"), Severity::Note, "psg2 has no watchdog: it is switched off"),
            (Some("psg3"), Severity::Note, "psg3 has no watchdog: there is no /dev/watchdog, and with mode automatic Patroni does without"),
        ]
    );
    assert!(
        hurts(&report, CODE)
            .iter()
            .all(|harm| harm.change.iter().any(|change| change.line.starts_with("mode: required  # once the device works")))
    );
    assert!(!holds(&report, CODE));

    // What Patroni itself says goes first.
    let mut estate = watchdogs(|_, _| {});
    estate.scenario.patroni("psg2", json!({"watchdog_failed": true})).pass(1);
    let report = estate.report();
    let [harm] = hurts(&report, CODE)[..] else { panic!("{report:#?}") };
    assert_eq!((harm.subject.as_deref(), harm.finding.as_deref()), (Some("psg2"), Some("watchdog-off")));
}

#[test]
fn a_watchdog_of_which_nobody_tells_whether_it_works_is_not_known() {
    let why = |estate: Estate| {
        let report = estate.report();
        assert!(
            hurts(&report, "watchdog").is_empty()
                && !report.holds.iter().any(|h| h.code == "watchdog" && h.subject.as_deref() == Some("psg2"))
        );
        let open = open(&report, "watchdog");
        open.iter().find(|(subject, _)| *subject == Some("psg2")).unwrap_or_else(|| panic!("{report:#?}")).1.to_owned()
    };
    let of_psg2 = |spoil: fn(&mut WatchdogSeen)| {
        watchdogs(move |node, seen| {
            if node == "psg2" {
                spoil(seen);
            }
        })
    };
    assert!(why(of_psg2(|seen| seen.block = mode(WatchdogMode::Automatic))).contains("told by nobody before psg2 leads"));
    assert!(why(of_psg2(|seen| seen.newer = true)).contains("was changed after Patroni was started"));
    let elsewhere = |seen: &mut WatchdogSeen| {
        seen.block = Some(WatchdogBlock { mode: WatchdogMode::Automatic, device: "/dev/ipmi".to_owned() });
    };
    assert!(why(of_psg2(elsewhere)).contains("whether /dev/ipmi works is not seen"));
    let mut estate = watchdogs(|_, _| {});
    estate.survey.watchdogs.insert("psg2".to_owned(), Err("/p.yml cannot be read by this login".to_owned()));
    assert!(why(estate).contains("/p.yml cannot be read by this login"));
}

/// A file that says nothing of it leaves it to the dynamic configuration, and one that does goes before it.
#[test]
fn the_members_own_file_goes_before_the_dynamic_configuration() {
    let report = |own: Option<WatchdogBlock>| {
        let mut estate = watchdogs(|_, seen| seen.block.clone_from(&own));
        estate.scenario.merge("config", json!({"watchdog": {"mode": "off"}})).pass(1);
        estate.report()
    };
    let off = report(None);
    assert_eq!(hurts(&off, "watchdog").len(), 3, "{off:#?}");
    assert!(hurts(&off, "watchdog")[0].evidence[0].what.contains("the dynamic configuration"));
    assert!(holds(&report(mode(WatchdogMode::Required)), "watchdog"));
}
