//! Something is killed, frozen or stopped.

use pgbaton::document::Level::{Critical, Warning};

use super::PLAIN;
use crate::case::{Case, Sign, case};

pub fn cases() -> Vec<Case> {
    vec![
        case("kill-postgres, the leader", PLAIN, |b| b.fault(&["kill-postgres", "{leader}"]))
            .shows(Critical, "member-down|source-stale", "{leader}", Sign::AtOnce)
            .may(&["leader-disagreement", "route-none", "no-leader", "replica-not-streaming"])
            .never(&["split-brain", "quorum-lost", "member-missing"])
            .passes(),
        case("kill-patroni, the leader: two primaries", PLAIN, |b| b.fault(&["kill-patroni", "{leader}"]))
            .shows(Critical, "leader-silent|member-down", "{leader}", Sign::AtOnce)
            .within(2)
            .shows(Critical, "split-brain", "", Sign::Seen(|t, _| t.primaries().len() > 1))
            .within(2)
            .headline("{leader} and {replica} both accept writes|{replica} and {leader} both accept writes|{leader} and {other} both accept writes|{other} and {leader} both accept writes")
            .may(&["member-missing", "leader-disagreement", "route-none", "route-wrong", "no-leader"])
            .never(&["quorum-lost"]),
        case("stop-node, a replica", PLAIN, |b| b.fault(&["stop-node", "{replica}"]))
            .shows(Warning, "member-down", "{replica}", Sign::AtOnce)
            .never(&["split-brain", "no-leader", "quorum-lost"]),
    ]
}
