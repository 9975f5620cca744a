//! The folder of Airflow's DAGs on the machines that mount it: what is found of it, and what is never said of it.

use std::time::Duration;

use pgbaton::document::{DiskState, Level};
use pgbaton::model::*;

use crate::scenario::Scenario;

const MOUNT: &str = "/opt/airflow";

/// A machine's answer: the folder is mounted and answers, with room, and these files.
fn good(s: &Scenario, files: &str) -> DagsStatus {
    let wanted = DagsWanted { path: "/opt/airflow/dags".into(), mount: MOUNT.into(), from: Some("vm2:/export".into()) };
    let newest = DagFile { path: "charge.py".into(), changed: Time::from_micros(0) };
    DagsStatus {
        wanted,
        mount: Some(DagsMount { at: MOUNT.into(), from: "vm2:/export".into(), fstype: "nfs4".into(), options: "rw,hard".into() }),
        disk: DagsDisk::Answers(space(500 << 30)),
        files: Some(DagFiles { at: s.now(), count: 41, newest: Some(newest), digest: files.into() }),
    }
}

/// A disk of 1000 GB.
fn space(available: u64) -> Space {
    Space { device: 7, mount: MOUNT.into(), size: 1000 << 30, free: available, available, inodes: Some(100), inodes_free: 50 }
}

fn says(s: &mut Scenario, host: &str, status: DagsStatus) {
    s.report(SourceId::new(SourceKind::Dags, host), Fact::Dags(Box::new(status)));
}

/// Both machines say the same each second, for so long.
fn both(s: &mut Scenario, seconds: u32, change: impl Fn(&Scenario, &str) -> DagsStatus) {
    for _ in 0..seconds {
        for host in ["vm1", "vm4"] {
            let status = change(s, host);
            says(s, host, status);
        }
        s.pass(1);
    }
}

#[test]
fn a_disk_that_answers_everywhere_is_nothing_to_tell() {
    let mut s = Scenario::healthy();
    both(&mut s, 3, |s, _| good(s, "a"));
    assert_eq!(s.verdict(), "healthy");
    let dags = s.document().dags.clone().unwrap();
    assert_eq!((dags.same, dags.hosts.len(), dags.hosts[0].files), (Some(true), 2, Some(41)));
    assert_eq!((dags.hosts[0].state, dags.hosts[0].mounted, dags.hosts[0].used_share), (DiskState::Answers, Some(true), Some(0.5)));
}

#[test]
fn a_disk_that_hangs_is_told_with_who_and_for_how_long() {
    let mut s = Scenario::healthy();
    both(&mut s, 1, |s, host| match host {
        "vm1" => DagsStatus { disk: DagsDisk::Hangs(Duration::from_millis(2100)), ..good(s, "a") },
        _ => good(s, "a"),
    });
    assert_eq!(s.codes(), ["dags-hung"]);
    let finding = s.finding("dags-hung").unwrap();
    assert_eq!((finding.severity, finding.sentence.as_str()), (Level::Critical, "the disk with the DAGs hangs on vm1: no answer for 2 s"));
    assert_eq!(finding.evidence[0].value, "no answer for 2.1 s");
    let host = s.document().dags.as_ref().unwrap().hosts[0].clone();
    assert_eq!(
        (host.state, host.hung_seconds, host.available_bytes),
        (DiskState::Hung, Some(2.1), None),
        "old room is not told as today's"
    );
    both(&mut s, 1, |s, _| DagsStatus { disk: DagsDisk::Fails("Stale file handle".into()), ..good(s, "a") });
    assert_eq!(s.sentence("dags-hung"), "the disk with the DAGs fails on vm1: Stale file handle and vm4: Stale file handle");
    both(&mut s, 1, |s, _| good(s, "a"));
    assert_eq!(s.finding("dags-hung"), None, "it recovers by itself");
}

/// Silence is not an answer: neither good nor bad.
#[test]
fn a_machine_that_is_not_reached_is_not_called_well_nor_hung() {
    let mut s = Scenario::healthy();
    both(&mut s, 1, |s, _| good(s, "a"));
    for _ in 0..9 {
        let status = good(&s, "a");
        says(&mut s, "vm4", status);
        s.report_failure(SourceId::new(SourceKind::Dags, "vm1"), SourceError::new(ErrorKind::Refused, "ssh: connection refused by vm1"));
        s.pass(1);
    }
    assert_eq!(s.codes(), ["source-stale"]);
    assert_eq!(s.sentence("source-stale"), "the folder of the DAGs cannot be asked for on vm1: ssh: connection refused by vm1");
    let dags = s.document().dags.clone().unwrap();
    assert_eq!((dags.same, dags.hosts[0].state), (None, DiskState::Unknown));
}

#[test]
fn what_is_mounted_otherwise_than_wanted_is_told_and_its_files_are_nobodys() {
    let mut s = Scenario::healthy();
    both(&mut s, 1, |s, host| match host {
        "vm4" => {
            let mount = DagsMount { at: "/".into(), from: "/dev/vda".into(), fstype: "ext4".into(), options: "rw".into() };
            DagsStatus { mount: Some(mount), disk: DagsDisk::Answers(space(1)), ..good(s, "other") }
        }
        _ => good(s, "a"),
    });
    assert_eq!(s.codes(), ["dags-not-mounted"], "a full disk below it is not that disk, and its files are not compared");
    let finding = s.finding("dags-not-mounted").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Critical, Some("vm4")));
    assert!(finding.sentence.starts_with("/opt/airflow is not mounted on vm4: "), "{}", finding.sentence);
    both(&mut s, 1, |s, _| {
        let mount = DagsMount { at: MOUNT.into(), from: "old:/export".into(), fstype: "nfs4".into(), options: "rw".into() };
        DagsStatus { mount: Some(mount), ..good(s, "a") }
    });
    assert!(s.sentence("dags-not-mounted").ends_with("is mounted from old:/export and not from vm2:/export"));
}

#[test]
fn files_that_differ_are_told_after_two_minutes() {
    let mut s = Scenario::healthy();
    both(&mut s, 1, |s, _| good(s, "a"));
    both(&mut s, 110, good);
    assert_eq!(s.finding("dags-differ"), None, "a client of NFS may be a minute late");
    both(&mut s, 20, good);
    let finding = s.finding("dags-differ").unwrap();
    assert_eq!(finding.severity, Level::Warning);
    assert!(
        finding.sentence.starts_with("the machines do not see the same DAGs: vm1 41 files, the newest charge.py of "),
        "{}",
        finding.sentence
    );
    both(&mut s, 1, |s, _| good(s, "a"));
    assert_eq!(s.finding("dags-differ"), None);
}

#[test]
fn little_room_and_few_inodes_are_told_once_for_all_machines() {
    let mut s = Scenario::healthy();
    let with = |room: Space| move |s: &Scenario, _: &str| DagsStatus { disk: DagsDisk::Answers(room.clone()), ..good(s, "a") };
    both(&mut s, 1, with(space(90 << 30)));
    assert_eq!(s.codes(), ["dags-disk-low"]);
    assert_eq!(s.sentence("dags-disk-low"), "the disk with the DAGs, /opt/airflow on vm1, has 90.0 GB (9 %) left");
    both(&mut s, 1, with(space(9 << 30)));
    assert_eq!(s.finding("dags-disk-low").unwrap().severity, Level::Critical);
    both(&mut s, 1, with(Space { inodes_free: 4, ..space(500 << 30) }));
    assert_eq!(s.sentence("dags-disk-low"), "the disk with the DAGs, /opt/airflow on vm1, has 4 % of its inodes left");
}
