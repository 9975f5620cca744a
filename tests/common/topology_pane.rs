//! The pane with the picture of the estate.

use pgbaton::document::{Asked, BookDoc, BookKind, DagsDoc, DagsHostDoc, DiskState, FindingDoc, JobDoc, TargetDoc};

use super::*;

pub(super) fn topology(document: Document, size: (u16, u16), ascii: bool) -> Buffer {
    let mut state = console(vec![document]);
    press(&mut state, &[CommandId::Pane0]);
    screen(&mut state, size, ascii)
}

#[test]
fn the_estate_as_a_picture() {
    for (name, document) in [("healthy", sample::healthy()), ("no-leader", sample::no_leader()), ("twelve", sample::twelve())] {
        for size in [(80, 24), (160, 48)] {
            snapshot(&format!("topology-{name}-{}x{}", size.0, size.1), &topology(document.clone(), size, false));
        }
    }
    let ascii = topology(sample::healthy(), (80, 24), true);
    assert!(text(&ascii).is_ascii());
    snapshot("topology-ascii", &ascii);
}

/// The first HAProxy writes to a replica.
fn wrong() -> Document {
    let mut document = sample::healthy();
    let route = document.routes.iter_mut().find(|route| route.kind == pgbaton::document::RouteKind::Write).expect("a route");
    (route.up, route.right) = (vec!["psg3".to_owned()], Some(false));
    document
}

#[test]
fn a_route_that_leads_elsewhere_has_a_line_of_its_own() {
    snapshot("topology-wrong-80x24", &topology(wrong(), (80, 24), false));
    let right = sample::healthy();
    let lines = |document: Document| text(&topology(document, (80, 24), false)).matches('▸').count();
    // One of them is the mark of the selected row.
    assert_eq!((lines(right), lines(wrong())), (2, 3));
}

/// What a machine says of the folder of the DAGs.
fn dags_on(name: &str, state: DiskState) -> DagsHostDoc {
    let answers = state == DiskState::Answers;
    DagsHostDoc {
        name: name.to_owned(),
        asked: Asked { age_ms: Some(400), fresh: true, error: None, error_kind: None, rtt_ms: Some(30.0) },
        state,
        error: None,
        hung_seconds: (state == DiskState::Hung).then_some(2.1),
        mounted: Some(true),
        mount: Some("/opt/airflow".to_owned()),
        mounted_from: Some("vm2:/export".to_owned()),
        fstype: Some("nfs4".to_owned()),
        options: Some("rw,hard".to_owned()),
        size_bytes: answers.then_some(100 << 30),
        available_bytes: answers.then_some(81 << 30),
        used_share: answers.then_some(0.19),
        inodes_free_share: answers.then_some(0.97),
        files: Some(41),
        newest_file: Some("charge.py".to_owned()),
        newest_changed: Some(sample::at(sample::NOW - 3 * 3600)),
        counted_at: Some(sample::at(sample::NOW - 12)),
    }
}

pub(super) fn estate(vm4: DiskState, twice: bool) -> Document {
    let same = (vm4 == DiskState::Answers).then_some(true);
    let job = JobDoc {
        dag: "charge".to_owned(),
        task: "work".to_owned(),
        run: "manual__1".to_owned(),
        map_index: -1,
        starts: 2,
        started: Some(sample::at(sample::NOW - 60)),
        ended: None,
        again: true,
        runs_in_airflow: Some(false),
    };
    let jobs = if twice { vec![job] } else { Vec::new() };
    let book = BookDoc { kind: BookKind::Ledger, whole: true, jobs: 214, unread_lines: 0, twice: jobs.clone(), open: jobs };
    let target = TargetDoc {
        name: "vm3".to_owned(),
        asked: Asked { age_ms: Some(2100), fresh: true, error: None, error_kind: None, rtt_ms: Some(34.0) },
        load_1: Some(0.4),
        cpus: Some(4),
        mount: Some("/var".to_owned()),
        available_bytes: Some(40 << 30),
        used_share: Some(0.61),
        disk_error: None,
        book: Some(book),
        book_error: None,
    };
    let dags = DagsDoc { same, hosts: vec![dags_on("vm1", DiskState::Answers), dags_on("vm4", vm4)] };
    let mut document = Document { dags: Some(dags), target: Some(target), ..sample::healthy() };
    // The rule has seen it twice as well.
    let any = sample::no_leader().findings.first().cloned().filter(|_| twice);
    document.findings.extend(any.map(|any| FindingDoc {
        code: "target-orphan".to_owned(),
        severity: Level::Warning,
        subject: None,
        ..any
    }));
    document
}

#[test]
fn the_disk_with_the_dags_and_the_target_are_in_the_picture() {
    for (name, document) in [("estate", estate(DiskState::Answers, false)), ("estate-hung", estate(DiskState::Hung, true))] {
        for size in [(80, 24), (160, 48)] {
            snapshot(&format!("topology-{name}-{}x{}", size.0, size.1), &topology(document.clone(), size, false));
        }
    }
    let mut state = console(vec![estate(DiskState::Hung, true)]);
    press(&mut state, &[CommandId::Pane0, CommandId::Bottom, CommandId::Open]);
    let target = text(&screen(&mut state, (80, 24), false));
    assert!(
        target.contains("started twice") && target.contains("charge.work manual__1") && target.contains("not running in Airflow"),
        "{target}"
    );
    // The disk on vm4, then all of it.
    press(&mut state, &[CommandId::Back, CommandId::Up, CommandId::Open]);
    let mount = text(&screen(&mut state, (80, 24), false));
    assert!(mount.contains("DAGs on vm4") && mount.contains("HUNG 2.1 s"), "{mount}");
    press(&mut state, &[CommandId::Back, CommandId::Up, CommandId::Up, CommandId::Open]);
    let dags = text(&screen(&mut state, (80, 24), false));
    assert!(dags.contains("HUNG") && dags.contains("/opt/airflow from vm2:/export") && dags.contains("charge.py"), "{dags}");
}

/// What stands before the name of a node, where it is no route that leads there.
fn sign_in(line: &str, name: &str) -> Option<char> {
    line.rsplit_once(&format!(" {name} ")).and_then(|(before, _)| before.chars().last()).filter(|sign| *sign != '→')
}

fn sign_of(document: Document, name: &str) -> String {
    let shown = text(&topology(document, (120, 40), false));
    shown.lines().skip(3).find_map(|line| sign_in(line, name)).map(String::from).unwrap_or_else(|| panic!("{shown}"))
}

#[test]
fn of_two_that_take_writes_neither_is_green_and_the_leader_stands_first() {
    let one = sample::healthy();
    assert_eq!((sign_of(one.clone(), "psg1").as_str(), sign_of(one.clone(), "psg2").as_str()), ("●", "●"));
    let mut two = one.clone();
    two.members.iter_mut().filter(|member| member.name == "psg2").for_each(|member| member.in_recovery = Some(false));
    assert_eq!((sign_of(two.clone(), "psg1").as_str(), sign_of(two, "psg2").as_str()), ("✖", "✖"));
    let mut last = one;
    last.members.rotate_left(1);
    last.members.iter_mut().for_each(|member| member.name = member.name.replace("psg1", "psg9"));
    last.routes.iter_mut().filter(|route| route.instance == "vm1").for_each(|route| route.up = vec!["psg3".to_owned()]);
    let shown = text(&topology(last, (120, 40), false));
    let row = |name: &str| shown.lines().skip(3).position(|line| sign_in(line, name).is_some()).unwrap_or_else(|| panic!("{shown}"));
    assert!(row("psg9") < row("psg3") && row("psg3") < row("psg2"), "{shown}");
}

#[test]
fn what_is_opened_is_what_is_marked() {
    let mut state = console(vec![sample::healthy()]);
    press(&mut state, &[CommandId::Pane0, CommandId::Open]);
    assert!(text(&screen(&mut state, (80, 24), false)).contains("must lead to the leader"));
    press(&mut state, &[CommandId::Back, CommandId::Bottom, CommandId::Open]);
    let etcd = text(&screen(&mut state, (80, 24), false));
    assert!(etcd.contains("follower") && etcd.contains("answers"), "{etcd}");
    press(&mut state, &[CommandId::Back, CommandId::Up, CommandId::Open]);
    assert!(text(&screen(&mut state, (80, 24), false)).contains("Replication"));
}
