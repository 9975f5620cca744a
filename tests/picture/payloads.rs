//! Captured answers of real clusters: Patroni 4.1.5 and 3.0.2, etcd 3.4.23.

use std::fs;
use std::path::{Path, PathBuf};

use pgbaton::document::{Document, Role};
use pgbaton::live::Picture;
use pgbaton::model::*;
use serde_json::Value;

fn captured(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn patroni(name: &str) -> PatroniStatus {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads/patroni").join(name);
    PatroniStatus::from_json(&fs::read(path).unwrap()).unwrap()
}

/// The keys of an answer of etcd's JSON gateway to a range request.
fn keys(name: &str) -> Vec<DcsKey> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads/dcs").join(name);
    let answer: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let number = |kv: &Value, field: &str| kv.get(field).and_then(Value::as_i64).unwrap_or(0);
    let key = |kv: &Value| DcsKey {
        key: base64(kv["key"].as_str().unwrap()).strip_prefix("/service/psg/").unwrap().to_owned(),
        value: base64(kv["value"].as_str().unwrap()),
        create_revision: number(kv, "create_revision"),
        mod_revision: number(kv, "mod_revision"),
        lease: number(kv, "lease"),
    };
    answer["kvs"].as_array().unwrap().iter().map(key).collect()
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0u32, 0);
    for digit in text.bytes().filter(|b| *b != b'=') {
        bits = bits << 6 | u32::try_from(DIGITS.iter().position(|d| *d == digit).unwrap()).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xFF) as u8);
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn document(name: &str) -> Document {
    let now = Time::parse("2026-11-24T02:00:00Z").unwrap();
    let mut picture = Picture::new("psg", Cluster::new("psg", "/service/", Default::default()));
    let fact = Fact::DcsListed { revision: 200, consistency: Consistency::Linearizable, keys: keys(name) };
    let outcome = Outcome::Heard(Box::new(fact));
    picture.apply(vec![Observation { source: SourceId::new(SourceKind::Dcs, "psg"), at: now, rtt: None, outcome }]);
    picture.document(now)
}

/// The name of each file is `role-state.hash.json`.
#[test]
fn every_shape_of_patronis_answer_is_understood() {
    let mut seen = 0;
    for path in captured("patroni") {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let status = PatroniStatus::from_json(&fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let Some((role, state)) =
            name.split('.').next().unwrap().split_once('-').filter(|_| name.matches('.').count() == 2 && !name.starts_with("debian"))
        else {
            continue;
        };
        seen += 1;
        assert_eq!((status.role.as_deref(), status.state.0.as_str()), (Some(role), state), "{name}");
        assert_eq!(status.says_it_leads(), role == "primary", "{name}");
        assert_eq!(status.state.serves(), state == "running", "{name}");
        assert_eq!((status.scope.as_deref(), status.version.as_deref()), (Some("psg"), Some("4.1.5")), "{name}");
        assert_eq!(status.location.is_some(), role == "primary" && matches!(state, "running" | "starting"), "{name}");
        assert_eq!(status.replayed.is_some(), role == "replica", "{name}");
        assert!(status.dcs_last_seen.is_some(), "{name}");
    }
    assert!(seen >= 20, "only {seen} shapes were read");
}

#[test]
fn a_replica_whose_receiver_began_behind_its_replay() {
    let status = patroni("replica-running.8e868c.json");
    assert_eq!((status.received, status.replayed), (Some(Lsn(706_215_936)), Some(Lsn(713_000_808))));
    assert_eq!(status.wal_held(), Some(Lsn(713_000_808)));
}

#[test]
fn what_patroni_tells_only_sometimes() {
    let stopped = patroni("demoted-stopped.9c7dd2.json");
    assert_eq!((stopped.timeline, stopped.server_version, stopped.replayed, stopped.cluster_unlocked), (None, None, None, true));
    assert!(patroni("primary-running.f72aea.json").failsafe_active);
    assert!(patroni("paused-replica.json").paused && patroni("paused-leader.json").paused);
    assert!(!patroni("sync-leader.json").paused);
    assert_eq!(patroni("scheduled-replica.json").scheduled_restart, Time::parse("2026-11-24T06:55:00Z"));
    assert!(patroni("sync-quorum-replica.json").quorum_standby);
    assert_eq!(patroni("replica-running.11ef7b.json").tells_replication_state(), Some(true));
    let old = patroni("debian-3.0.2-leader.json");
    assert_eq!((old.role.as_deref(), old.says_it_leads(), old.name.as_deref()), (Some("master"), true, None));
    assert_eq!(patroni("debian-3.0.2-replica.json").tells_replication_state(), Some(false));
}

#[test]
fn the_keys_of_each_captured_cluster_are_understood() {
    for path in captured("dcs") {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let leader = if name.starts_with("debian") { "psg1" } else { "psg3" };
        let document = document(&name);
        assert_eq!(document.cluster.leader.as_deref(), Some(leader), "{name}");
        assert_eq!(document.cluster.ttl, Some(30), "{name}");
        assert_eq!(document.cluster.paused, Some(name.starts_with("paused")), "{name}");
        assert_eq!(document.members.len(), 3, "{name}");
        assert!(document.members.iter().all(|m| m.present && m.host.is_some() && m.api_url.is_some()), "{name}");
        assert!(document.findings.iter().all(|f| f.code != "dcs-value-bad"), "{name}: {:?}", document.findings);
        assert_eq!(serde_json::from_str::<Document>(&serde_json::to_string(&document).unwrap()).unwrap(), document, "{name}");
    }
}

#[test]
fn what_a_captured_cluster_is_set_to() {
    let sync = document("sync.json");
    assert_eq!((sync.cluster.synchronous_mode.as_deref(), sync.cluster.sync_standbys.as_slice()), (Some("on"), &["psg2".to_owned()][..]));
    let roles = |d: &Document| d.members.iter().map(|m| m.role).collect::<Vec<_>>();
    assert_eq!(roles(&sync), [Role::Replica, Role::SyncStandby, Role::Leader]);
    assert_eq!(roles(&document("sync-strict-2.json")), [Role::SyncStandby, Role::SyncStandby, Role::Leader]);
    assert_eq!(roles(&document("sync-quorum.json")), [Role::QuorumStandby, Role::QuorumStandby, Role::Leader]);
    assert_eq!(roles(&document("debian-3.0.2.json")), [Role::Leader, Role::Replica, Role::Replica]);
    let scheduled = document("scheduled.json");
    let asked = scheduled.cluster.scheduled_switchover.as_ref().unwrap();
    assert_eq!((asked.from.as_deref(), asked.to.as_deref(), asked.at), (Some("psg3"), None, Time::parse("2026-11-24T07:55:00Z")));
    assert_eq!(scheduled.members[0].scheduled_restart, Time::parse("2026-11-24T06:55:00Z"));
    assert_eq!(scheduled.cluster.leader_since, Time::parse("2026-11-24T01:53:10.621264Z"));
    assert_eq!(document("healthy.json").cluster.scheduled_switchover, None, "{{}} is no request");
}
