//! What the nodes tell of themselves.

use std::time::Duration;

use pgbaton::condition::Condition;
use pgbaton::document::{Level, NodeDoc};
use pgbaton::finding::Limits;
use pgbaton::model::*;
use pgbaton::runbook::{BUILTIN, facts, parse};

use crate::scenario::{Scenario, slot};

const GB: u64 = 1 << 30;

/// A file system of so many GB, of which so many are available.
fn space(device: u64, mount: &str, size: u64, available: u64) -> Space {
    let (size, available) = (size * GB, available * GB);
    Space { device, mount: mount.into(), size, free: available, available, inodes: Some(1_000_000), inodes_free: 900_000 }
}

fn place(kind: PlaceKind, space: Result<Space, String>) -> Place {
    Place { kind, path: Some(format!("/{kind}")), space }
}

/// Data and WAL on one file system.
fn one_disk(available: u64) -> HostStatus {
    let disk = || Ok(space(1, "/pg", 200, available));
    HostStatus { places: vec![place(PlaceKind::Data, disk()), place(PlaceKind::Wal, disk())], ..HostStatus::default() }
}

fn told(s: &mut Scenario, node: &str, status: HostStatus) {
    s.report(SourceId::new(SourceKind::Host, node), Fact::Host(Box::new(status)));
}

fn failed(s: &mut Scenario, node: &str) {
    s.report_failure(SourceId::new(SourceKind::Host, node), SourceError::new(ErrorKind::Refused, "ssh: connection refused by psg2"));
}

fn node(s: &Scenario) -> NodeDoc {
    s.document().nodes[0].clone()
}

#[test]
fn a_disk_is_low_by_share_and_by_bytes_together() {
    for (size, available, expected) in [
        (200, 21, None),
        (200, 19, Some(Level::Warning)),
        (200, 5, Some(Level::Critical)),
        // A large disk with 1 % left has room for days; so much is not critical.
        (20_000, 200, None),
        (20_000, 90, Some(Level::Warning)),
        (20_000, 9, Some(Level::Critical)),
        (20, 1, Some(Level::Warning)),
        (20, 0, Some(Level::Critical)),
    ] {
        let mut s = Scenario::healthy();
        told(
            &mut s,
            "psg2",
            HostStatus { places: vec![place(PlaceKind::Data, Ok(space(1, "/pg", size, available)))], ..HostStatus::default() },
        );
        s.moment();
        assert_eq!(s.finding("disk-low").map(|f| f.severity), expected, "{available} of {size} GB");
    }
}

#[test]
fn two_places_on_one_file_system_are_told_once_and_data_and_wal_apart() {
    let mut s = Scenario::healthy();
    told(&mut s, "psg2", one_disk(10));
    s.moment();
    assert_eq!(s.codes(), ["disk-low"]);
    assert_eq!(s.sentence("disk-low"), "/pg on psg2, which holds PostgreSQL's data and WAL, has 10.0 GB left (5 %)");
    let apart = vec![place(PlaceKind::Data, Ok(space(1, "/pg", 200, 100))), place(PlaceKind::Wal, Ok(space(2, "/wal", 50, 0)))];
    told(&mut s, "psg2", HostStatus { places: apart, ..HostStatus::default() });
    s.moment();
    assert_eq!(s.sentence("disk-low"), "/wal on psg2, which holds WAL, is full");
    assert_eq!(node(&s).places[0].available_share, Some(0.5));
}

#[test]
fn a_condition_does_not_take_the_last_word_of_a_silent_node_for_the_present() {
    let mut s = Scenario::healthy();
    told(&mut s, "psg2", one_disk(100));
    s.moment();
    let room = "nodes.exists(n, n.name == 'psg2' && n.places.exists(p, p.mount == '/pg' && p.available_share > 0.4))";
    let holds = |s: &Scenario| Condition::parse(room).unwrap().holds(s.document());
    assert_eq!(holds(&s), Ok(true));
    failed(&mut s, "psg2");
    s.pass(120);
    assert_eq!(node(&s).places[0].available_share, Some(0.5), "a screen shows it with its age");
    assert_eq!(holds(&s), Err("n.places is not known".to_owned()));
}

/// The runbook for the disk has its member and its file system filled in by the finding.
#[test]
fn a_finding_of_a_disk_tells_its_runbook_of_which_it_is() {
    let mut s = Scenario::healthy();
    told(&mut s, "psg2", one_disk(10));
    s.moment();
    let (_, text) = BUILTIN.iter().find(|(name, _)| *name == "disk-low").unwrap();
    let runbook = parse("disk-low", "disk-low.md", text, &|_| Ok(())).unwrap();
    let told = facts(&runbook, s.document(), None);
    assert_eq!((told.get("member").map(String::as_str), told.get("mount").map(String::as_str)), (Some("psg2"), Some("/pg")));
}

#[test]
fn roots_reserve_is_no_room_for_postgresql() {
    let mut s = Scenario::healthy();
    let reserved = Space { free: 20 * GB, ..space(1, "/pg", 200, 10) };
    told(&mut s, "psg2", HostStatus { places: vec![place(PlaceKind::Data, Ok(reserved))], ..HostStatus::default() });
    s.moment();
    assert_eq!(s.sentence("disk-low"), "/pg on psg2, which holds PostgreSQL's data, has 10.0 GB left (5 %)");
}

#[test]
fn a_slot_that_fills_the_disk_is_named_with_its_share() {
    let mut s = Scenario::healthy();
    s.limits(Limits { slot_retained_bytes: 1 << 40, ..Limits::default() });
    let keeps = |name: &str, retained: u64| Slot { retained: Some(retained), ..slot(name, "physical") };
    s.sql("psg1", |sql| sql.slots = vec![keeps("etl", 95 * GB), keeps("small", GB)]);
    told(&mut s, "psg1", one_disk(10));
    s.pass(2);
    assert_eq!(
        s.sentence("disk-low"),
        "/pg on psg1, which holds PostgreSQL's data and WAL, has 10.0 GB left (5 %); the slot etl keeps 95.0 GB of WAL there, 50 % of what is stored"
    );
    // The WAL is elsewhere.
    told(&mut s, "psg1", HostStatus { places: vec![place(PlaceKind::Data, Ok(space(1, "/pg", 200, 10)))], ..HostStatus::default() });
    s.moment();
    assert!(!s.sentence("disk-low").contains("slot"), "{}", s.sentence("disk-low"));
}

#[test]
fn a_disk_that_will_be_full_is_told_with_how_long_that_was_watched() {
    let mut s = Scenario::healthy();
    let data = |available: u64| {
        let disk = Space { available, free: available, ..space(1, "/pg", 200, 0) };
        HostStatus { places: vec![place(PlaceKind::Data, Ok(disk))], ..HostStatus::default() }
    };
    let mut available = 150 * GB;
    for _ in 0..20 {
        told(&mut s, "psg2", data(available));
        s.pass(10);
        available -= GB;
    }
    assert_eq!(s.codes(), Vec::<String>::new(), "200 s are not enough to tell");
    for _ in 0..20 {
        told(&mut s, "psg2", data(available));
        s.pass(10);
        available -= GB;
    }
    let told = s.finding("disk-low").expect("it is told").clone();
    assert_eq!(told.severity, Level::Critical, "within the hour");
    assert!(
        told.sentence.contains("GB left (5") && told.sentence.contains("it is full in 18 min if it goes on as in the last 6 min"),
        "{}",
        told.sentence
    );
    let place = &node(&s).places[0];
    let rate = place.filling_bytes_per_second.expect("a rate");
    assert!((rate - GB as f64 / 10.0).abs() < 1e6, "{rate}");
    assert!(place.full_in_seconds.is_some_and(|left| left < 1200) && place.filling_watched_seconds.is_some_and(|over| over >= 300));
}

#[test]
fn few_inodes_are_told_though_there_is_room() {
    let with = |inodes: Option<u64>, inodes_free: u64| {
        let disk = Space { inodes, inodes_free, ..space(1, "/pg", 200, 100) };
        let mut s = Scenario::healthy();
        told(&mut s, "psg2", HostStatus { places: vec![place(PlaceKind::Data, Ok(disk))], ..HostStatus::default() });
        s.moment();
        s.finding("disk-inodes-low").map(|f| (f.severity, f.sentence.clone()))
    };
    let few = "/pg on psg2, which holds PostgreSQL's data, has 40 inodes left (4.0 %)".to_owned();
    assert_eq!(with(Some(1000), 40), Some((Level::Warning, few)));
    assert_eq!(with(Some(1000), 9).map(|(severity, _)| severity), Some(Level::Critical));
    assert_eq!(with(Some(1000), 50), None);
    assert_eq!(with(None, 0), None, "it makes them as they are needed");
}

#[test]
fn what_cannot_be_read_is_not_known_and_no_finding() {
    let mut s = Scenario::healthy();
    let denied = place(PlaceKind::Wal, Err("/pg/pg_wal: Permission\u{1b} denied".into()));
    told(&mut s, "psg2", HostStatus { places: vec![denied], ..HostStatus::default() });
    s.moment();
    assert_eq!(s.codes(), Vec::<String>::new());
    let node = node(&s);
    assert_eq!((node.places[0].available_bytes, node.places[0].error.as_deref()), (None, Some("/pg/pg_wal: Permission\u{FFFD} denied")));
    assert_eq!((node.load_1, node.oom_kills_total, &node.units, &node.logins), (None, None, &None, &None));
}

#[test]
fn a_line_that_is_lost_keeps_the_facts_with_their_age_and_ends_what_was_found() {
    let mut s = Scenario::healthy();
    told(&mut s, "psg2", one_disk(10));
    s.pass(5);
    assert_eq!(s.codes(), ["disk-low"]);
    failed(&mut s, "psg2");
    s.pass(4);
    assert_eq!(s.codes(), ["source-stale"], "what is not known now is not told as if it were");
    assert_eq!(s.sentence("source-stale"), "the disks, the memory and the units of psg2 are not known: ssh: connection refused by psg2");
    let node = node(&s);
    assert_eq!((node.places[0].available_bytes, node.asked.fresh), (Some(10 * GB), false));
    assert!(node.asked.age_ms.is_some_and(|age| age >= 9000), "{node:?}");
}

#[test]
fn a_process_that_the_kernel_killed_is_told_for_an_hour() {
    let killed = |count| HostStatus { boot: Some("a".into()), oom_kills: Some(count), ..one_disk(100) };
    let mut s = Scenario::healthy();
    told(&mut s, "psg1", killed(3));
    s.pass(10);
    assert_eq!(s.codes(), Vec::<String>::new(), "nobody knows when the three were killed");
    told(&mut s, "psg1", killed(5));
    s.moment();
    assert_eq!(s.sentence("oom-killed"), "the kernel of psg1 has killed 2 processes for want of memory, just now");
    s.later(Duration::from_secs(1800));
    assert_eq!(s.sentence("oom-killed"), "the kernel of psg1 has killed 2 processes for want of memory, the last one 30 min ago");
    s.later(Duration::from_secs(1801));
    assert_eq!(s.finding("oom-killed"), None);
    // A boot begins anew.
    told(&mut s, "psg1", HostStatus { boot: Some("b".into()), ..killed(9) });
    s.moment();
    assert_eq!(s.finding("oom-killed"), None);
}

#[test]
fn a_unit_that_systemd_calls_failed_is_told() {
    let unit = |name: &str, state: &str, result: &str| Unit {
        name: name.into(),
        state: state.into(),
        sub: state.into(),
        result: result.into(),
        changed_ago: Some(Duration::from_secs(600)),
        restarts: Some(5),
    };
    let mut s = Scenario::healthy();
    let units = Some(vec![unit("patroni.service", "active", "success"), unit("etcd.service", "failed", "exit-code")]);
    told(&mut s, "psg3", HostStatus { units, ..one_disk(100) });
    s.moment();
    assert_eq!(s.codes(), ["unit-failed"]);
    assert_eq!(
        s.sentence("unit-failed"),
        "systemd on psg3 has called etcd.service failed for 10 min (exit-code), after it was started again 5 times"
    );
    told(&mut s, "psg3", one_disk(100));
    s.moment();
    assert_eq!(s.finding("unit-failed"), None);
}

#[test]
fn the_clock_of_a_node_without_a_server_is_told_by_itself() {
    let mut s = Scenario::healthy();
    for _ in 0..3 {
        let ours = Time::from_micros(1_000_000_000_000);
        let reading = ClockReading { theirs: ours.plus(Duration::from_secs(30)), ours, whole_seconds: false };
        told(&mut s, "vm1", HostStatus::default());
        s.report(SourceId::new(SourceKind::Host, "vm1"), Fact::Clock(reading));
        s.pass(10);
    }
    assert_eq!(s.codes(), ["clock-skew"]);
    assert!(s.sentence("clock-skew").starts_with("the clock of vm1 is 30.0 s ahead of ours"), "{}", s.sentence("clock-skew"));
}

#[test]
fn a_candidate_without_room_is_in_doubt() {
    let mut s = Scenario::healthy();
    told(&mut s, "psg2", one_disk(0));
    s.moment();
    let member = s.document().members.iter().find(|m| m.name == "psg2").expect("there").clone();
    assert_eq!(member.can_take_over, None);
    assert!(
        member.cannot_because.iter().any(|reason| reason.sentence == "it has no room for PostgreSQL's data"),
        "{:?}",
        member.cannot_because
    );
}
