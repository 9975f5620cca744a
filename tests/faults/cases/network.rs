//! The network: silence instead of refusals.

use pgbaton::document::Level::{Critical, Warning};

use super::{A_REPLICA_LEADS, ETCD_LOST, LEADER_LOST, NO_KEY, PLAIN, STEPPED_DOWN, TAKEN_OVER};
use crate::bench::Bench;
use crate::case::{Case, Sign, case};

pub fn cases() -> Vec<Case> {
    vec![
        case("cut-node on the leader", PLAIN, |b| b.fault(&["cut-node", "{leader}"]))
            .shows(Critical, "leader-silent|member-down", "{leader}", Sign::AtOnce)
            .shows(Critical, "no-leader", "", NO_KEY)
            .says(A_REPLICA_LEADS, TAKEN_OVER)
            .may(LEADER_LOST)
            .may(ETCD_LOST)
            .never(&["split-brain", "quorum-lost"])
            .clear_within(45),
        case("cut-node on a replica", PLAIN, |b| b.fault(&["cut-node", "{replica}"]))
            .shows(Warning, "member-down", "{replica}", Sign::AtOnce)
            .shows(Warning, "quorum-at-risk", "", Sign::AtOnce)
            .within(6)
            .says("{leader} leads", Sign::AtOnce)
            .may(ETCD_LOST)
            .may(&["source-stale", "member-missing"])
            .never(&["split-brain", "quorum-lost"])
            .watch_on(3),
        // Without failsafe mode the leader steps down: two members call themselves leader at no time.
        case("cut-etcd on the leader, failsafe mode off", PLAIN, |b| b.fault(&["cut-etcd", "{leader}"]))
            .shows(Critical, "leader-disagreement|leader-cannot-write|no-leader|route-none", "", STEPPED_DOWN)
            .says(A_REPLICA_LEADS, TAKEN_OVER)
            .may(LEADER_LOST)
            .may(ETCD_LOST)
            .never(&["split-brain", "quorum-lost"])
            .counts_down()
            .watch_on(10)
            .clear_within(45),
        case("cut-etcd on a replica", PLAIN, |b| b.fault(&["cut-etcd", "{replica}"]))
            .says("{leader} leads", Sign::AtOnce)
            .shows(Warning, "quorum-at-risk|member-missing", "", Sign::AtOnce)
            .within(30)
            .may(ETCD_LOST)
            .may(&["member-missing", "source-stale"])
            .never(&["split-brain", "quorum-lost", "no-leader", "member-down"])
            .watch_on(3),
        case("cut-replicas on the leader", PLAIN, |b| cut_and_write(b, "{leader}"))
            // Each lacks what is written from now on.
            .shows(Warning, "replication-stalled", "{replica}", Sign::Thrown)
            .shows(Warning, "replication-stalled", "{other}", Sign::Thrown)
            .shows(
                Warning,
                "replica-not-streaming",
                "{replica}",
                Sign::Seen(|t, r| t.rest.get(&r.replica).is_some_and(|s| s.3 != "streaming")),
            )
            .says("{leader} leads", Sign::AtOnce)
            .may(&["replica-not-streaming", "lag-high", "no-candidate", "slot-retains-wal", "route-none", "upstream-unexpected"])
            .never(&["split-brain", "quorum-lost", "no-leader", "member-down", "member-missing"])
            .long(),
        case("cut-replicas on a replica", PLAIN, |b| cut_and_write(b, "{replica}"))
            // Each lacks what is written from now on.
            .shows(Warning, "replication-stalled", "{replica}", Sign::Thrown)
            .shows(
                Warning,
                "replica-not-streaming",
                "{replica}",
                Sign::Seen(|t, r| t.rest.get(&r.replica).is_some_and(|s| s.3 != "streaming")),
            )
            .says("{leader} leads", Sign::AtOnce)
            .may(&["replica-not-streaming", "lag-high", "no-candidate", "slot-retains-wal", "upstream-unexpected"])
            .never(&["split-brain", "quorum-lost", "no-leader", "member-down", "member-missing", "timeline-behind"])
            .long(),
        case("cut-console on the leader", PLAIN, |b| b.fault(&["cut-console", "{leader}"]))
            .shows(Warning, "member-down|leader-silent|source-stale", "", Sign::AtOnce)
            .may(&["member-down", "leader-silent", "source-stale", "quorum-at-risk", "etcd-member-down", "failure-domain"])
            .never(&["split-brain", "quorum-lost", "no-leader", "member-missing", "route-none", "route-wrong", "leader-disagreement"])
            .watch_on(10),
        case("cut-console on a replica", PLAIN, |b| b.fault(&["cut-console", "{replica}"]))
            .shows(Warning, "member-down|source-stale", "", Sign::AtOnce)
            .says("{leader} leads", Sign::AtOnce)
            .may(&["member-down", "source-stale", "quorum-at-risk", "etcd-member-down", "failure-domain"])
            .never(&["split-brain", "quorum-lost", "no-leader", "member-missing", "route-none", "route-wrong", "leader-disagreement"])
            .watch_on(5),
        case("slow-node on the leader, 100 ms", PLAIN, |b| b.fault(&["slow-node", "{leader}"]))
            .says("{leader} leads", Sign::Thrown)
            .may(SLOW)
            .never(&["split-brain", "quorum-lost", "no-leader", "member-missing"])
            .watch_on(8)
            .passes(),
        case("slow-node on the leader, 300 ms", PLAIN, |b| b.fault(&["slow-node", "{leader}", "--ms", "300"]))
            .says("{leader} leads", Sign::Thrown)
            .may(SLOW)
            .never(&["split-brain", "quorum-lost", "no-leader", "member-missing"])
            .watch_on(12)
            .clear_within(45)
            .passes(),
        case("slow-node on a replica, 300 ms", PLAIN, |b| b.fault(&["slow-node", "{replica}", "--ms", "300"]))
            .says("{leader} leads", Sign::Thrown)
            .may(SLOW)
            .never(&["split-brain", "quorum-lost", "no-leader", "member-missing"])
            .watch_on(10)
            .clear_within(45)
            .passes(),
        case("lossy-node on the leader, 5 %", PLAIN, |b| b.fault(&["lossy-node", "{leader}"]))
            .says("{leader} leads", Sign::Thrown)
            .may(SLOW)
            .never(&["split-brain", "quorum-lost", "no-leader", "member-missing"])
            .watch_on(12)
            .passes(),
        case("lossy-node on a replica, 5 %", PLAIN, |b| b.fault(&["lossy-node", "{replica}"]))
            .says("{leader} leads", Sign::Thrown)
            .may(SLOW)
            .never(&["split-brain", "quorum-lost", "no-leader", "member-missing"])
            .watch_on(8)
            .passes(),
    ]
}

/// Cuts a member's PostgreSQL from the others', and writes a little on the leader.
fn cut_and_write(bench: &mut Bench, member: &str) {
    bench.fault(&["cut-replicas", member]);
    bench.lab.sql(&bench.roles.leader, "CREATE TABLE cut (); DROP TABLE cut");
}

/// What a long way may bring: connections are broken off and made anew, answers are late, HAProxy's checks time out.
const SLOW: &[&str] = &[
    "member-down",
    "source-stale",
    "quorum-at-risk",
    "etcd-member-down",
    "etcd-slow",
    "etcd-member-behind",
    "route-none",
    "route-flapping",
    "routes-differ",
    "replica-not-streaming",
    "replication-stalled",
    "lag-high",
    "leader-disagreement",
    "leader-silent",
    "api-hung",
    "clock-skew",
    "no-candidate",
];
