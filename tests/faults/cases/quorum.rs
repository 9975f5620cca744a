//! etcd without its majority, with Patroni's failsafe mode and without.

use pgbaton::document::Level::{Critical, Warning};

use super::{ETCD_LOST, FAILSAFE, LEADER_LOST, NO_KEY, PLAIN, STEPPED_DOWN};
use crate::case::{Case, Sign, case};

pub fn cases() -> Vec<Case> {
    vec![
        case("quorum lost, failsafe mode off: two etcds are killed", PLAIN, |b| b.fault(&["stop-etcd", "{replica}", "{other}"]))
            .core()
            .shows(Critical, "quorum-lost", "", Sign::AtOnce)
            .says("etcd has lost its quorum", Sign::AtOnce)
            .shows(Critical, "route-none|leader-disagreement|leader-cannot-write|quorum-lost", "", STEPPED_DOWN)
            .may(LEADER_LOST)
            .may(ETCD_LOST)
            .never(&["split-brain", "member-missing"])
            .watch_on(5)
            .clear_within(45),
        case("quorum lost, failsafe mode off: two etcds are frozen", PLAIN, |b| b.fault(&["freeze-etcd", "{replica}", "{other}"]))
            .shows(Critical, "quorum-lost", "", Sign::AtOnce)
            .within(9)
            // A leader that is stepping down would break off the cure.
            .shows(Critical, "route-none|leader-disagreement|leader-cannot-write|quorum-lost", "", STEPPED_DOWN)
            .may(LEADER_LOST)
            .may(ETCD_LOST)
            .never(&["split-brain", "member-missing"])
            .watch_on(5)
            .clear_within(45)
            .long(),
        case("quorum lost, failsafe mode off: all etcds are killed", PLAIN, |b| {
            b.fault(&["stop-etcd", "{leader}", "{replica}", "{other}"])
        })
        .shows(Critical, "quorum-lost|source-stale", "", Sign::AtOnce)
        .may(LEADER_LOST)
        .may(ETCD_LOST)
        .never(&["split-brain", "member-missing"])
        .watch_on(5)
        .clear_within(45),
        case("quorum lost, failsafe mode on: two etcds are killed", FAILSAFE, |b| b.fault(&["stop-etcd", "{replica}", "{other}"]))
            .core()
            .shows(Critical, "quorum-lost", "", Sign::AtOnce)
            .says("the leader stays as long as it reaches every member", Sign::AtOnce)
            .says("{leader} leads", Sign::AtOnce)
            .may(&["failsafe-active", "source-stale", "etcd-member-down", "quorum-at-risk", "failure-domain"])
            .never(&[
                "split-brain",
                "no-leader",
                "member-missing",
                "member-down",
                "leader-disagreement",
                "route-none",
                "leader-cannot-write",
            ])
            .watch_on(25)
            .clear_within(45),
        case("quorum lost with a node, failsafe mode on: nobody may lead", FAILSAFE, |b| {
            b.fault(&["stop-etcd", "{replica}"]);
            b.fault(&["stop-node", "{other}"]);
        })
        .shows(Critical, "quorum-lost", "", Sign::AtOnce)
        .shows(Warning, "member-down", "{other}", Sign::AtOnce)
        .shows(Critical, "quorum-lost", "", STEPPED_DOWN)
        .may(LEADER_LOST)
        .may(&["failsafe-active", "failsafe-incomplete"])
        .may(ETCD_LOST)
        .never(&["split-brain"])
        .watch_on(5)
        .clear_within(45),
        case("cut-etcd on the leader, failsafe mode on", FAILSAFE, |b| b.fault(&["cut-etcd", "{leader}"]))
            .says("{leader} leads", Sign::AtOnce)
            // Patroni tries etcd for retry_timeout (9 s) and more before it asks the members; on a loaded machine the lease ends before that, and
            // then a writer without the key and without anybody's consent is rightly critical.
            .shows(Warning, "failsafe-active", "", Sign::AtOnce)
            .within(45)
            .shows(Warning, "no-leader", "", NO_KEY)
            .says("{leader} leads in failsafe mode", NO_KEY)
            .within(15)
            .says("{leader} accepts writes without the leader key: failsafe mode holds it", NO_KEY)
            .within(15)
            .may(LEADER_LOST)
            .may(ETCD_LOST)
            // etcd elects anew when its member is back.
            .may(&["quorum-lost"])
            .never(&["split-brain"])
            .watch_on(20)
            .clear_within(45),
    ]
}
