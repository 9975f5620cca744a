//! The picture of the whole estate, well and with each system broken, at three sizes.

use pgbaton::document::{AirflowDoc, AirflowHealthDoc, Asked, DiskState, FindingDoc, RouteKind};

use super::airflow_pane::busy;
use super::rabbitmq_pane;
use super::topology_pane::{estate, topology};
use super::*;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (160, 48)];

fn lost(age_ms: u64, error: &str) -> Asked {
    Asked { age_ms: Some(age_ms), fresh: false, error: Some(error.to_owned()), error_kind: None, rtt_ms: Some(3.0) }
}

/// A scheduler on vm1, a task on vm4, and all at work.
fn airflow() -> AirflowDoc {
    let mut airflow = busy();
    let endpoint = AirflowHealthDoc {
        name: "10.20.0.1:8974".to_owned(),
        asked: Asked { age_ms: Some(900), fresh: true, error: None, error_kind: None, rtt_ms: Some(2.0) },
        status: Some(200),
        programs: Vec::new(),
    };
    airflow.health = vec![endpoint];
    if let Some(metadata) = &mut airflow.metadata {
        metadata.components.iter_mut().for_each(|one| (one.heartbeat_age_ms, one.host) = (Some(2000), Some("vm1".to_owned())));
        (metadata.import_errors, metadata.import_error_files) = (0, Vec::new());
    }
    airflow
}

/// All that an estate has.
pub(super) fn whole() -> Document {
    Document { airflow: Some(airflow()), rabbitmq: Some(rabbitmq_pane::healthy()), ..estate(DiskState::Answers, false) }
}

/// What was broken, and the words that must be on every screen then.
fn broken() -> Vec<(&'static str, Document, Vec<&'static str>)> {
    let mut all = Vec::new();
    let mut case = |name: &'static str, words: &[&'static str], spoil: &dyn Fn(&mut Document)| {
        let mut document = whole();
        spoil(&mut document);
        all.push((name, document, words.to_vec()));
    };
    case("scheduler", &["scheduler SILENT", "health SILENT for 40 s"], &|document| {
        let airflow = document.airflow.as_mut().expect("Airflow");
        airflow.health[0].asked = lost(40_000, "connection refused");
        let components = &mut airflow.metadata.as_mut().expect("metadata").components;
        components.iter_mut().filter(|one| one.kind == "SchedulerJob").for_each(|one| one.heartbeat_age_ms = Some(43_000));
    });
    case("import", &["1 BROKEN:", "broken.py"], &|document| {
        let metadata = document.airflow.as_mut().and_then(|airflow| airflow.metadata.as_mut()).expect("metadata");
        (metadata.import_errors, metadata.import_error_files) = (1, vec!["/opt/airflow/dags/broken.py".to_owned()]);
    });
    case("rabbit", &["vm6 SILENT", "10 s old"], &|document| document.rabbitmq = Some(rabbitmq_pane::frozen()));
    case("disk", &["vm4 HUNG 2.1 s"], &|document| document.dags = estate(DiskState::Hung, false).dags);
    case("target", &["vm3", "DOES NOT ANSWER", "10 s old"], &|document| {
        let target = document.target.as_mut().expect("a target");
        target.asked = lost(14_000, "connection refused");
        let finding = sample::no_leader().findings.first().cloned();
        document.findings.extend(finding.map(|finding| FindingDoc {
            code: "target-unreachable".to_owned(),
            severity: Level::Warning,
            ..finding
        }));
    });
    case("haproxy", &["vm4", "10 s old"], &|document| {
        let silent = document.routes.iter_mut().filter(|route| route.instance == "vm4");
        silent.for_each(|route| (route.asked, route.right) = (lost(14_000, "connection refused"), None));
    });
    case("leader", &["no leader", "NOBODY"], &|document| {
        let lost = sample::no_leader();
        *document = Document {
            airflow: document.airflow.take(),
            rabbitmq: document.rabbitmq.take(),
            dags: document.dags.take(),
            target: document.target.take(),
            ..lost
        };
    });
    all
}

#[test]
fn the_whole_estate_is_in_the_picture() {
    for size in SIZES {
        snapshot(&format!("estate-well-{}x{}", size.0, size.1), &topology(whole(), size, false));
    }
    let ascii = text(&topology(whole(), (160, 48), true));
    // In the last line it is a key.
    assert!(ascii.is_ascii() && !ascii.lines().take(47).any(|line| line.contains('?')), "{ascii}");
}

#[test]
fn what_is_broken_is_named_on_every_screen() {
    for (name, document, words) in broken() {
        for size in SIZES {
            let picture = topology(document.clone(), size, false);
            // Names and words stand in columns of their own.
            let shown = text(&picture).split_whitespace().collect::<Vec<_>>().join(" ");
            for word in &words {
                assert!(shown.contains(word), "{name} at {size:?}: {word}\n{}", text(&picture));
            }
            snapshot(&format!("estate-{name}-{}x{}", size.0, size.1), &picture);
        }
    }
}

/// What is well has no sign of trouble, and what is broken has one beside its word.
#[test]
fn a_picture_in_which_all_is_well_has_no_sign_of_trouble() {
    for size in SIZES {
        let mut well = whole();
        // The tasks that run are a reason to wait.
        well.airflow.as_mut().expect("Airflow").quiet.verdict = pgbaton::document::Verdict::Go;
        let shown = text(&topology(well, size, false));
        for sign in ["✖", "▲", "◐", " ? "] {
            assert!(!shown.lines().take(usize::from(size.1) - 1).any(|line| line.contains(sign)), "{sign} at {size:?}\n{shown}");
        }
    }
    for (name, document, _) in broken() {
        for size in SIZES {
            let shown = text(&topology(document.clone(), size, false));
            assert!(shown.contains('✖') || shown.contains('▲') || shown.contains('◐'), "{name} at {size:?}\n{shown}");
        }
    }
}

/// The metadata cannot be read: that nobody has seen a heartbeat since is no silence of Airflow's.
#[test]
fn of_what_was_read_long_ago_nobody_is_called_silent() {
    let mut document = whole();
    let airflow = document.airflow.as_mut().expect("Airflow");
    airflow.asked = lost(90_000, "connection refused");
    airflow.metadata.as_mut().expect("metadata").components.iter_mut().for_each(|one| one.heartbeat_age_ms = Some(92_000));
    for size in SIZES {
        let shown = text(&topology(document.clone(), size, false));
        assert!(!shown.contains("SILENT") && shown.contains("1 m old") && shown.contains("◐ scheduler"), "{size:?}\n{shown}");
    }
}

#[test]
fn every_part_can_be_marked_and_opened() {
    for size in SIZES {
        let mut state = console(vec![whole()]);
        press(&mut state, &[CommandId::Pane0]);
        let marks = |state: &mut State, row: &str| {
            state.views[9].selected = Some(row.to_owned());
            text(&screen(state, size, false)).matches('▸').count()
        };
        let none = marks(&mut state, "nothing of this name");
        let rows = state.rows(9);
        assert!(
            ["pools", "programs", "rabbit vm6", "queue default", "mount vm4", "target"].iter().all(|row| rows.iter().any(|r| r == row))
        );
        for row in rows {
            assert!(marks(&mut state, &row) > none, "{row} is not marked at {size:?}\n{}", text(&screen(&mut state, size, false)));
        }
    }
}

/// Lines are drawn where something goes along, and not elsewhere.
#[test]
fn a_line_leads_where_traffic_goes() {
    let lines = |document: Document| text(&topology(document, (160, 48), false));
    let well = lines(whole());
    let row =
        |shown: &str, what: &str| shown.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}\n{shown}")).to_owned();
    assert!(row(&well, "● vm5").contains("════▸│"), "tasks that are taken: {well}");
    assert!(row(&well, "● vm1 ").contains("│◂────│"), "DAGs that are read: {well}");
    assert!(well.contains("╝") && well.contains("╠▸│") && well.contains("╚▸│"), "from Airflow to both HAProxies: {well}");
    let mut idle = whole();
    idle.rabbitmq.as_mut().and_then(|rabbitmq| rabbitmq.queues.as_mut()).expect("queues")[0].consumers = Some(0);
    idle.routes.iter_mut().filter(|route| route.kind == RouteKind::Write).for_each(|route| route.sessions = Some(0));
    idle.dags = estate(DiskState::Hung, false).dags;
    let shown = lines(idle);
    assert!(!shown.contains("════▸") && !shown.contains("╠▸") && !shown.contains('◂'), "{shown}");
    assert!(shown.contains("NO CONSUMER"), "{shown}");
}

/// Names of 30 characters, and nine nodes.
#[test]
fn long_names_and_many_nodes_do_not_break_the_picture() {
    let long = |name: &str| format!("{name}-of-the-card-processing-{}", "x".repeat(30_usize.saturating_sub(name.len() + 24)));
    let mut document = whole();
    let members: Vec<_> = (1..=9)
        .map(|n| sample::replica(&long(&format!("psg{n}")), &format!("10.20.0.{n}"), pgbaton::document::Role::Replica, n << 20))
        .collect();
    document.members = members;
    document.members[0].role = pgbaton::document::Role::Leader;
    let first = document.members[0].name.clone();
    for route in &mut document.routes {
        route.instance = long(&route.instance);
        route.up = vec![first.clone()];
    }
    let rabbitmq = document.rabbitmq.as_mut().expect("RabbitMQ");
    rabbitmq.nodes.iter_mut().for_each(|node| node.name = long(&node.name));
    rabbitmq.queues.as_mut().expect("queues")[0].name = long("default");
    document.dags.as_mut().expect("DAGs").hosts.iter_mut().for_each(|host| host.name = long(&host.name));
    document.target.as_mut().expect("a target").name = long("vm3");
    for size in SIZES {
        let picture = topology(document.clone(), size, false);
        let shown = text(&picture);
        snapshot(&format!("estate-long-{}x{}", size.0, size.1), &picture);
        // Each box that has begun ends.
        let count = |corner: char| shown.matches(corner).count();
        assert!(count('┌') == count('┐') && count('└') == count('┘') && count('┌') == count('└'), "{shown}");
    }
}
