//! Each Patroni that is still about: healthy, a switchover by patronictl, a crash.

use pgbaton::document::Level::{Critical, Warning};

use super::{A_REPLICA_LEADS, ETCD_LOST, LEADER_LOST, LOOPBACK, PATRONI_3_0, PATRONI_3_3, PATRONI_4_0, TAKEN_OVER};
use crate::case::{Case, Sign, Variant, case};

/// patronictl takes its time before it asks.
const ASKED: Sign = Sign::Seen(|truth, _| truth.asked);

pub fn cases() -> Vec<Case> {
    [LOOPBACK, PATRONI_4_0, PATRONI_3_3, PATRONI_3_0].into_iter().flat_map(series).collect()
}

fn series(variant: &'static Variant) -> [Case; 3] {
    let switchover = case("a switchover", variant, |b| {
        let said = b.lab.tool("patronictl", &["switchover", "--force", "--candidate", &b.roles.replica]);
        assert!(said.contains("Successfully switched over"), "{said}");
    })
    .shows(Warning, "switchover", "", ASKED)
    .says("switchover from {leader} to {replica} under way", ASKED)
    .says("{replica} leads", TAKEN_OVER)
    .may(LEADER_LOST)
    .calm()
    .never(&["split-brain", "quorum-lost", "leader-silent"])
    .watch_on(5)
    .passes();
    [
        case("a healthy cluster", variant, |_| ()).says("{leader} leads · healthy", Sign::AtOnce).watch_on(5).passes(),
        // Of today's Patroni every run of all tests plays it.
        if variant == LOOPBACK { switchover.core() } else { switchover },
        case("a crash of the leader's node", variant, |b| b.fault(&["stop-node", "{leader}"]))
            .shows(Critical, "leader-silent|member-down", "{leader}", Sign::AtOnce)
            .within(2)
            .shows(Warning, "quorum-at-risk", "", Sign::AtOnce)
            .says(A_REPLICA_LEADS, TAKEN_OVER)
            .may(LEADER_LOST)
            .may(ETCD_LOST)
            .never(&["split-brain", "quorum-lost"]),
    ]
}
