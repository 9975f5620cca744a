//! Documents of clusters that are not well, or not as usual.

use pgbaton::document::*;

use super::parts::*;
use super::{NOW, at, healthy};

/// The leader's node has died and nobody has taken over yet.
pub fn no_leader() -> Document {
    let mut doc = healthy();
    doc.headline = Headline {
        level: Level::Critical,
        leads: "nobody leads".to_owned(),
        verdict: "nobody leads for 4 s: psg1's lease ran out and no replica has taken the leader key; clients cannot write (and 3 more)"
            .to_owned(),
    };
    doc.forecast = forecast(None, &["psg2"], "psg2 takes over");
    doc.cluster.leader = None;
    doc.cluster.leader_since = None;
    doc.cluster.leaderless_since = Some(at(NOW - 4));
    doc.cluster.timeline = None;
    doc.cluster.lease_ttl_seconds = None;
    doc.cluster.truths = vec![truth("etcd", &[], None), truth("rest", &[], None), truth("sql", &[], None), truth("haproxy", &[], None)];
    let dead = &mut doc.members[0];
    dead.role = Role::Unknown;
    dead.can_take_over = Some(false);
    dead.cannot_because = vec![reason("missing", "is missing", "its key in etcd is gone")];
    dead.state = None;
    dead.state_since = None;
    dead.present = false;
    dead.missing_since = Some(at(NOW - 4));
    dead.last_known = Some("primary, running 34 s ago".to_owned());
    dead.timeline = None;
    dead.lsn = None;
    dead.sessions = None;
    dead.rest = lost(Some(34_000), "connection refused by 10.20.0.8:8008");
    dead.sql = lost(Some(34_500), "connection refused by 10.20.0.8:5432");
    for member in &mut doc.members[1..] {
        member.role = Role::Replica;
        member.receive_lag_bytes = None;
        member.replay_lag_bytes = None;
        member.replay_lag_seconds = None;
        member.state = Some("in archive recovery".to_owned());
    }
    doc.etcd.healthy = 2;
    doc.etcd.failure_tolerance = Some(0);
    doc.etcd.members[0].state = "unreachable".to_owned();
    doc.etcd.members[0].asked = lost(Some(33_000), "connection refused by 10.20.0.8:2379");
    for route in &mut doc.routes {
        route.up.retain(|n| n != "psg1");
        route.right = Some(route.kind == RouteKind::Read);
        route.servers[0].status = "DOWN".to_owned();
    }
    doc.findings = vec![
        finding(
            "no-leader",
            Level::Critical,
            None,
            "nobody leads for 4 s: psg1's lease ran out and no replica has taken the leader key; clients cannot write",
            NOW - 4,
        ),
        finding(
            "route-none",
            Level::Critical,
            Some("vm1 postgres_write"),
            "vm1 sends writes to nobody: none of its servers is UP",
            NOW - 29,
        ),
        finding("quorum-at-risk", Level::Warning, None, "etcd has 2 of 3 members: it cannot lose another one", NOW - 33),
        finding(
            "member-missing",
            Level::Warning,
            Some("psg1"),
            "psg1 is missing: its key in etcd went 4 s ago, it was primary and running 34 s ago",
            NOW - 4,
        ),
    ];
    doc
}

/// Two of three etcd members are gone.
pub fn quorum_lost() -> Document {
    let mut doc = healthy();
    doc.headline = Headline {
        level: Level::Critical,
        leads: "leader unknown, it was psg1".to_owned(),
        verdict: "etcd has lost its quorum: 1 of 3 members answers; the leader will step down when its lease ends".to_owned(),
    };
    doc.cluster.truths = vec![
        truth("etcd", &["psg1"], None),
        truth("rest", &["psg1"], None),
        truth("sql", &["psg1"], None),
        truth("haproxy", &["psg1"], None),
    ];
    doc.cluster.lease_age_ms = Some(17_000);
    doc.cluster.lease_ttl_seconds = Some(9.0);
    doc.cluster.dcs_age_ms = Some(17_000);
    doc.cluster.dcs_linearizable = Some(false);
    doc.cluster.dcs_error = Some("etcdserver: no leader".to_owned());
    let why = "cannot take the key without etcd's quorum";
    nobody(&mut doc, reason("no-quorum", why, &format!("it {why}")), "nobody can take over: etcd has no quorum");
    doc.etcd.quorum = Some(false);
    doc.etcd.healthy = 1;
    doc.etcd.failure_tolerance = Some(0);
    doc.etcd.leader = None;
    for member in &mut doc.etcd.members[..2] {
        member.state = "unreachable".to_owned();
        member.asked = lost(Some(16_000), "no answer within 2 s");
    }
    doc.etcd.members[2].state = "no leader".to_owned();
    doc.findings = vec![finding(
        "quorum-lost",
        Level::Critical,
        None,
        "etcd has lost its quorum: 1 of 3 members answers; the leader will step down when its lease ends",
        NOW - 16,
    )];
    doc
}

/// One replica is far behind, a setting waits for a restart.
pub fn lagging() -> Document {
    let mut doc = healthy();
    doc.headline = Headline {
        level: Level::Warning,
        leads: "psg1 leads".to_owned(),
        verdict: "psg3 is 64 MB behind (12 s): over the limit for a failover (and 1 more)".to_owned(),
    };
    let late = &mut doc.members[2];
    late.replay_lag_bytes = Some(67_108_864);
    late.replay_lag_seconds = Some(12.4);
    late.receive_lag_bytes = Some(712_000);
    late.replay_paused = Some(true);
    doc.members[1].pending_restart = Some(true);
    doc.members[1].pending_restart_reason =
        vec![PendingSetting { parameter: "max_connections".to_owned(), old: Some("100".to_owned()), new: Some("200".to_owned()) }];
    doc.nodes = vec![node("psg3")];
    doc.findings = vec![
        finding("lag-high", Level::Warning, Some("psg3"), "psg3 is 64 MB behind (12 s): over the limit for a failover", NOW - 75),
        finding("pending-restart", Level::Warning, Some("psg2"), "psg2 waits for a restart: max_connections 100 -> 200", NOW - 7200),
    ];
    doc
}

/// Maintenance mode.
pub fn paused() -> Document {
    let mut doc = healthy();
    doc.cluster.paused = Some(true);
    let why = "waits for the end of the pause";
    nobody(&mut doc, reason("paused", why, &format!("it {why}")), "nobody can take over: the cluster is paused");
    doc.headline = Headline {
        level: Level::Warning,
        leads: "psg1 leads".to_owned(),
        verdict: "paused: Patroni will not act on its own; nobody takes over if psg1 dies".to_owned(),
    };
    for member in &mut doc.members {
        member.paused = Some(true);
    }
    doc.findings =
        vec![finding("paused", Level::Warning, None, "paused: Patroni will not act on its own; nobody takes over if psg1 dies", NOW - 900)];
    doc
}

/// Two members are frozen: they are there, but nothing they say is current.
pub fn stale() -> Document {
    let mut doc = healthy();
    doc.headline =
        Headline { level: Level::Warning, leads: "psg1 leads".to_owned(), verdict: "psg2's REST API gives no answer for 47 s".to_owned() };
    let frozen = &mut doc.members[1];
    frozen.state = None;
    frozen.can_take_over = None;
    frozen.cannot_because = vec![reason("silent", "does not answer", "its Patroni does not answer us: no answer within 2 s")];
    frozen.state_since = None;
    frozen.last_known = Some("replica, streaming 47 s ago".to_owned());
    frozen.timeline = None;
    frozen.rest = lost(Some(47_000), "no answer within 2 s");
    frozen.sql = Asked { age_ms: Some(47_000), fresh: false, error: None, error_kind: None, rtt_ms: Some(1.0) };
    frozen.receive_lag_bytes = None;
    frozen.replay_lag_bytes = None;
    frozen.replay_lag_seconds = None;
    doc.routes[2].asked = lost(Some(30_000), "connection refused by 10.20.0.4:7000");
    doc.routes[2].right = None;
    doc.routes[3].asked = lost(Some(30_000), "connection refused by 10.20.0.4:7000");
    doc.routes[3].right = None;
    doc.cluster.truths[3].agrees = None;
    doc.findings = vec![
        finding("source-stale", Level::Warning, Some("rest psg2"), "psg2's REST API gives no answer for 47 s", NOW - 47),
        finding(
            "source-stale",
            Level::Warning,
            Some("haproxy vm4"),
            "HAProxy vm4 gives no answer: connection refused by 10.20.0.4:7000",
            NOW - 30,
        ),
    ];
    doc
}

/// A big cluster with long names.
pub fn twelve() -> Document {
    let mut doc = healthy();
    doc.members = (1..=12)
        .map(|n| {
            let name = format!("card-prod-postgres-{n:02}");
            let host = format!("10.20.1.{n}");
            if n == 4 {
                leader(&name, &host)
            } else {
                replica(&name, &host, if n < 4 { Role::SyncStandby } else { Role::Replica }, 1500 * n * n * n)
            }
        })
        .collect();
    doc.cluster.leader = Some("card-prod-postgres-04".to_owned());
    doc.headline.leads = "card-prod-postgres-04 leads".to_owned();
    for route in &mut doc.routes {
        route.up = if route.kind == RouteKind::Write {
            vec!["card-prod-postgres-04".to_owned()]
        } else {
            vec!["card-prod-postgres-01".to_owned(), "card-prod-postgres-02".to_owned()]
        };
    }
    doc
}

/// The first moment: nobody has answered.
pub fn nothing() -> Document {
    let mut doc = healthy();
    doc.headline = Headline { level: Level::Unknown, leads: "leader unknown".to_owned(), verdict: "asking etcd".to_owned() };
    doc.forecast = ForecastDoc { outcome: "unknown".to_owned(), ..forecast(None, &[], "not known") };
    doc.cluster = ClusterDoc {
        system_identifier: None,
        leader: None,
        leader_since: None,
        timeline: None,
        paused: None,
        lease_ttl_seconds: None,
        lease_age_ms: None,
        ttl: None,
        loop_wait: None,
        retry_timeout: None,
        maximum_lag_on_failover: None,
        synchronous_mode: None,
        failsafe_mode: None,
        sync_standbys: Vec::new(),
        postgres_version: None,
        truths: Vec::new(),
        dcs_revision: None,
        dcs_age_ms: None,
        dcs_linearizable: None,
        ..doc.cluster
    };
    doc.members.clear();
    doc.etcd = EtcdDoc { quorum: None, size: None, healthy: 0, failure_tolerance: None, leader: None, members: Vec::new() };
    doc.routes.clear();
    doc.sources.clear();
    doc
}
