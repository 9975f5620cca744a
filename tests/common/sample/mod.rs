//! Documents as a cluster of the project's own kind gives them, in health and in trouble.

// Each of those who include this file needs a part of it.
#![allow(dead_code)]

mod parts;
mod trouble;

use pgbaton::document::*;
use pgbaton::model::{Lsn, Time};

pub use parts::replica;
use parts::*;
pub use trouble::*;

/// 2026-11-24 03:12:44 UTC.
pub const NOW: i64 = 1_795_489_964;

pub fn at(seconds: i64) -> Time {
    Time::from_micros(seconds * 1_000_000)
}

/// All is well.
pub fn healthy() -> Document {
    let truths = ["etcd", "rest", "sql", "haproxy"].map(|name| truth(name, &["psg1"], Some(true)));
    Document {
        schema: SCHEMA.to_owned(),
        at: at(NOW),
        headline: Headline { level: Level::Ok, leads: "psg1 leads".to_owned(), verdict: "healthy".to_owned() },
        cluster: ClusterDoc {
            name: "card-prod".to_owned(),
            scope: "card-prod".to_owned(),
            namespace: "/service/".to_owned(),
            system_identifier: Some("7575101238011224017".to_owned()),
            leader: Some("psg1".to_owned()),
            leader_since: Some(at(NOW - 3 * 86_400 - 4 * 3600)),
            leaderless_since: None,
            timeline: Some(7),
            paused: Some(false),
            lease_ttl_seconds: Some(27.0),
            lease_age_ms: Some(300),
            lease_renewed: Some(at(NOW - 3)),
            ttl: Some(30),
            loop_wait: Some(10),
            retry_timeout: Some(10),
            maximum_lag_on_failover: Some(1_048_576),
            synchronous_mode: Some("on".to_owned()),
            failsafe_mode: Some(false),
            sync_standbys: vec!["psg2".to_owned()],
            scheduled_switchover: None,
            postgres_version: Some("15.18".to_owned()),
            truths: truths.into(),
            dcs_revision: Some(20_114),
            dcs_age_ms: Some(300),
            dcs_linearizable: Some(true),
            dcs_error: None,
        },
        members: vec![
            leader("psg1", "10.20.0.8"),
            replica("psg2", "10.20.0.9", Role::SyncStandby, 24_576),
            MemberDoc {
                can_take_over: Some(false),
                cannot_because: vec![reason("not-sync", "is not in the synchronous set", "it is not in the synchronous set")],
                ..replica("psg3", "10.20.0.10", Role::Replica, 0)
            },
        ],
        etcd: EtcdDoc {
            quorum: Some(true),
            size: Some(3),
            healthy: 3,
            failure_tolerance: Some(1),
            leader: Some("psg2".to_owned()),
            members: vec![
                etcd("psg1", "10.20.0.8", "follower"),
                etcd("psg2", "10.20.0.9", "leader"),
                etcd("psg3", "10.20.0.10", "follower"),
            ],
        },
        airflow: None,
        rabbitmq: None,
        dags: None,
        target: None,
        rescue: None,
        routes: vec![
            route("vm1", RouteKind::Write, &["psg1"], 28),
            route("vm1", RouteKind::Read, &["psg2", "psg3"], 4),
            route("vm4", RouteKind::Write, &["psg1"], 13),
            route("vm4", RouteKind::Read, &["psg2", "psg3"], 0),
        ],
        forecast: forecast(Some("psg1"), &["psg2"], "psg2, no acknowledged commit lost"),
        findings: Vec::new(),
        history: vec![
            TimelineDoc { timeline: 6, at: None, leader: None, lsn: Lsn(0x500_0148), watched: false },
            TimelineDoc {
                timeline: 7,
                at: Some(at(NOW - 3 * 86_400 - 4 * 3600)),
                leader: Some("psg1".to_owned()),
                lsn: Lsn(0x5A0_0148),
                watched: false,
            },
        ],
        nodes: Vec::new(),
        certificates: vec![CertificateDoc {
            source: "rest".to_owned(),
            target: "psg3".to_owned(),
            ours: false,
            subject: "CN=psg3".to_owned(),
            issuer: "CN=Example CA".to_owned(),
            not_after: at(NOW + 90 * 86_400),
            days_left: 90,
            age_ms: Some(20_000),
        }],
        sources: vec![
            source("dcs", "card-prod"),
            source("rest", "psg1"),
            source("sql", "psg1"),
            source("haproxy", "vm1"),
            source("haproxy", "vm4"),
        ],
    }
}

/// Every sample, by name.
pub fn all() -> Vec<(&'static str, Document)> {
    vec![
        ("healthy", healthy()),
        ("no-leader", no_leader()),
        ("quorum-lost", quorum_lost()),
        ("lagging", lagging()),
        ("paused", paused()),
        ("stale", stale()),
        ("twelve", twelve()),
        ("nothing", nothing()),
    ]
}

/// Ten minutes that end with this document, one document for each second, so that the lag has a history.
pub fn history_to(last: &Document, seconds: i64) -> Vec<Document> {
    let last_second = last.at.as_micros() / 1_000_000;
    let mut documents: Vec<Document> = (1..seconds)
        .rev()
        .map(|back| {
            let mut doc = last.clone();
            doc.at = Time::from_micros((last_second - back) * 1_000_000);
            for (n, member) in doc.members.iter_mut().enumerate() {
                let phase = back + 37 * n as i64;
                let wave = (phase % 90 - 45).unsigned_abs() * 700;
                let peak = if phase % 210 < 12 { 600_000 + 40_000 * (phase % 12).unsigned_abs() } else { 0 };
                let grown = member
                    .replay_lag_bytes
                    .filter(|lag| *lag > 1_000_000)
                    .map_or(0, |lag| if back < 75 { lag * (75 - back).unsigned_abs() / 75 } else { 0 });
                // A gap: two minutes in which nobody said anything of the third member.
                let gap = n == 2 && (260..340).contains(&back);
                // Of whom nothing is known now nothing was heard for a while.
                let silent = member.replay_lag_bytes.is_none() && back < 45;
                let known = !gap && !silent;
                member.replay_lag_bytes = known.then_some(if phase % 3 == 0 { 0 } else { wave } + peak + grown);
            }
            doc
        })
        .collect();
    documents.push(last.clone());
    documents
}
