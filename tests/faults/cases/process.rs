//! Something is killed, frozen or stopped.

use pgbaton::document::Level::{Critical, Warning};

use super::{A_REPLICA_LEADS, ETCD_LOST, LEADER_LOST, NO_KEY, PLAIN, TAKEN_OVER, TWO_PRIMARIES};
use crate::case::{Case, Sign, case};

pub fn cases() -> Vec<Case> {
    vec![
        case("nothing at all", PLAIN, |_| ()).core().says("{leader} leads · healthy", Sign::AtOnce).watch_on(5).passes(),
        case("kill-postgres on the leader", PLAIN, |b| b.fault(&["kill-postgres", "{leader}"]))
            .core()
            .shows(Critical, "member-down|leader-cannot-write", "{leader}", Sign::AtOnce)
            .may(LEADER_LOST)
            .never(&["split-brain", "quorum-lost", "member-missing", "no-leader"])
            .passes(),
        case("kill-postgres on a replica", PLAIN, |b| b.fault(&["kill-postgres", "{replica}"]))
            .shows(Warning, "member-down|source-stale|replica-not-streaming|postgres-started", "", Sign::AtOnce)
            .says("{leader} leads", Sign::AtOnce)
            .may(&["member-down", "source-stale", "replica-not-streaming", "lag-high", "stuck"])
            .never(&["split-brain", "quorum-lost", "no-leader", "member-missing", "leader-disagreement"])
            .passes(),
        // Nobody stops the old PostgreSQL: this is how two primaries come about.
        case("kill-patroni on the leader", PLAIN, |b| b.fault(&["kill-patroni", "{leader}"]))
            .core()
            .shows(Critical, "leader-silent|member-down", "{leader}", Sign::AtOnce)
            .within(2)
            .shows(Critical, "split-brain", "", TWO_PRIMARIES)
            .within(2)
            .says("both accept writes", TWO_PRIMARIES)
            .within(2)
            .may(LEADER_LOST)
            .never(&["quorum-lost"]),
        case("kill-patroni on a replica", PLAIN, |b| b.fault(&["kill-patroni", "{replica}"]))
            .shows(Warning, "member-down", "{replica}", Sign::AtOnce)
            .says("{leader} leads", Sign::AtOnce)
            .may(&["member-missing"])
            .never(&["split-brain", "quorum-lost", "no-leader", "leader-disagreement"])
            .watch_on(3),
        case("kill -9 of Patroni and PostgreSQL of the leader", PLAIN, |b| {
            b.fault(&["kill-patroni", "{leader}"]);
            b.fault(&["kill-postgres", "{leader}"]);
        })
        .shows(Critical, "leader-silent|member-down", "{leader}", Sign::AtOnce)
        .within(2)
        .says(A_REPLICA_LEADS, TAKEN_OVER)
        .may(LEADER_LOST)
        .never(&["split-brain", "quorum-lost"]),
        case("freeze-postgres on the leader", PLAIN, |b| b.fault(&["freeze-postgres", "{leader}"]))
            .shows(Critical, "leader-silent|member-down|leader-cannot-write", "{leader}", Sign::AtOnce)
            .says(A_REPLICA_LEADS, TAKEN_OVER)
            .may(LEADER_LOST)
            .never(&["split-brain", "quorum-lost"])
            .clear_within(45),
        case("freeze-postgres on a replica", PLAIN, |b| b.fault(&["freeze-postgres", "{replica}"]))
            .shows(Warning, "member-down|source-stale|api-hung", "", Sign::AtOnce)
            .says("{leader} leads", Sign::AtOnce)
            .may(&["member-down", "member-missing", "source-stale", "lag-high", "replica-not-streaming", "api-hung"])
            .never(&["split-brain", "quorum-lost", "no-leader"])
            .watch_on(5),
        case("freeze-patroni on the leader", PLAIN, |b| b.fault(&["freeze-patroni", "{leader}"]))
            .core()
            .shows(Critical, "leader-silent|member-down|api-hung", "{leader}", Sign::AtOnce)
            .shows(Critical, "split-brain", "", TWO_PRIMARIES)
            .within(2)
            .may(LEADER_LOST)
            .may(&["api-hung"])
            .never(&["quorum-lost"])
            .long(),
        case("freeze-patroni on a replica", PLAIN, |b| b.fault(&["freeze-patroni", "{replica}"]))
            .shows(Warning, "member-down|api-hung", "{replica}", Sign::AtOnce)
            .says("{leader} leads", Sign::AtOnce)
            .may(&["member-missing", "member-down", "api-hung"])
            .never(&["split-brain", "quorum-lost", "no-leader", "leader-disagreement"])
            .watch_on(3),
        case("freeze-etcd on the leader's node", PLAIN, |b| b.fault(&["freeze-etcd", "{leader}"]))
            .shows(Warning, "quorum-at-risk", "", Sign::AtOnce)
            .within(6)
            .says("{leader} leads", Sign::AtOnce)
            .may(ETCD_LOST)
            .may(LEADER_LOST)
            .never(&["split-brain", "quorum-lost"])
            .watch_on(5),
        case("freeze-etcd on a replica's node", PLAIN, |b| b.fault(&["freeze-etcd", "{replica}"]))
            .shows(Warning, "quorum-at-risk", "", Sign::AtOnce)
            .within(6)
            .says("{leader} leads", Sign::AtOnce)
            .may(ETCD_LOST)
            .may(&["source-stale"])
            .never(&["split-brain", "quorum-lost", "no-leader"])
            .watch_on(5),
        case("stop-etcd on the leader's node", PLAIN, |b| b.fault(&["stop-etcd", "{leader}"]))
            .shows(Warning, "quorum-at-risk", "", Sign::AtOnce)
            .says("{leader} leads", Sign::AtOnce)
            .may(ETCD_LOST)
            .may(&["source-stale"])
            .never(&["split-brain", "quorum-lost", "no-leader"])
            .watch_on(3),
        case("stop-etcd on a replica's node", PLAIN, |b| b.fault(&["stop-etcd", "{replica}"]))
            .shows(Warning, "quorum-at-risk", "", Sign::AtOnce)
            .says("{leader} leads", Sign::AtOnce)
            .may(ETCD_LOST)
            .may(&["source-stale"])
            .never(&["split-brain", "quorum-lost", "no-leader"])
            .watch_on(3),
        case("stop-node on the leader", PLAIN, |b| b.fault(&["stop-node", "{leader}"]))
            .shows(Critical, "leader-silent|member-down", "{leader}", Sign::AtOnce)
            .within(2)
            .shows(Warning, "quorum-at-risk", "", Sign::AtOnce)
            .says(A_REPLICA_LEADS, TAKEN_OVER)
            .counts_down()
            .may(LEADER_LOST)
            .may(ETCD_LOST)
            .never(&["split-brain", "quorum-lost"]),
        case("stop-node on a replica", PLAIN, |b| b.fault(&["stop-node", "{replica}"]))
            .core()
            .shows(Warning, "member-down", "{replica}", Sign::AtOnce)
            .shows(Warning, "quorum-at-risk", "", Sign::AtOnce)
            .says("{leader} leads", Sign::AtOnce)
            .may(ETCD_LOST)
            .may(&["source-stale", "member-missing"])
            .never(&["split-brain", "no-leader", "quorum-lost"]),
        case("stop-node on both replicas", PLAIN, |b| b.fault(&["stop-node", "{replica}", "{other}"]))
            .shows(Warning, "member-down", "{replica}", Sign::AtOnce)
            .shows(Warning, "member-down", "{other}", Sign::AtOnce)
            .shows(Critical, "quorum-lost", "", Sign::AtOnce)
            .may(LEADER_LOST)
            .may(ETCD_LOST)
            .never(&["split-brain"])
            .clear_within(45),
        case("freeze-node on the leader", PLAIN, |b| b.fault(&["freeze-node", "{leader}"]))
            .shows(Critical, "leader-silent|member-down", "{leader}", Sign::AtOnce)
            .shows(Critical, "no-leader", "", NO_KEY)
            .says(A_REPLICA_LEADS, TAKEN_OVER)
            .may(LEADER_LOST)
            .may(ETCD_LOST)
            .never(&["quorum-lost"])
            .clear_within(45),
        case("freeze-node on a replica", PLAIN, |b| b.fault(&["freeze-node", "{replica}"]))
            .shows(Warning, "member-down|api-hung", "{replica}", Sign::AtOnce)
            .says("{leader} leads", Sign::AtOnce)
            .may(ETCD_LOST)
            .may(&["source-stale", "member-missing", "lag-high", "replica-not-streaming", "member-down", "no-leader"])
            .never(&["split-brain", "quorum-lost"])
            .watch_on(5),
    ]
}
