//! The cases, by theme.

mod access;
mod keys;
mod network;
mod process;
mod proxy;
mod quorum;
mod versions;
mod wal;

use crate::case::{Case, Roles, Sign, Variant};
use crate::witness::Truth;

/// Three nodes, each in a network namespace of its own.
pub const PLAIN: &Variant = &Variant { name: "plain", options: &["--netns", "--ttl", "20", "--loop-wait", "2"], root: true };
/// The same with Patroni's failsafe mode.
pub const FAILSAFE: &Variant =
    &Variant { name: "failsafe", options: &["--netns", "--failsafe", "--ttl", "20", "--loop-wait", "2"], root: true };
/// Synchronous replication.
pub const SYNC: &Variant = &Variant { name: "sync", options: &["--netns", "--sync", "--ttl", "20", "--loop-wait", "2"], root: true };

/// TLS with client certificates, and users for etcd and the REST API.
pub const LOCKED: &Variant = &Variant { name: "locked", options: &["--tls", "--auth", "--ttl", "20", "--loop-wait", "2"], root: false };
/// On loopback addresses: for what changes the cluster itself.
pub const LOOPBACK: &Variant = &Variant { name: "loopback", options: &["--ttl", "20", "--loop-wait", "2"], root: false };
/// Older Patronis: `master` and `primary`, fields that are not there yet.
pub const PATRONI_4_0: &Variant =
    &Variant { name: "patroni-40", options: &["--patroni", "4.0.11", "--ttl", "20", "--loop-wait", "2"], root: false };
pub const PATRONI_3_3: &Variant =
    &Variant { name: "patroni-33", options: &["--patroni", "3.3.11", "--ttl", "20", "--loop-wait", "2"], root: false };
pub const PATRONI_3_0: &Variant =
    &Variant { name: "patroni-30", options: &["--patroni", "3.0.4", "--ttl", "20", "--loop-wait", "2"], root: false };

/// All clusters, in the order in which they are started.
pub const VARIANTS: &[&Variant] = &[PLAIN, FAILSAFE, SYNC, LOCKED, PATRONI_4_0, PATRONI_3_3, PATRONI_3_0, LOOPBACK];

/// All cases. Those of one cluster run in this order.
pub fn all() -> Vec<Case> {
    let themes = [
        process::cases(),
        wal::cases(),
        proxy::cases(),
        network::cases(),
        quorum::cases(),
        access::cases(),
        versions::cases(),
        keys::cases(),
    ];
    themes.into_iter().flatten().collect()
}

/// Two PostgreSQLs answer that they are not in recovery.
const TWO_PRIMARIES: Sign = Sign::Seen(|truth, _| truth.primaries().len() > 1);
/// The leader key is gone.
const NO_KEY: Sign = Sign::Seen(|truth, _| truth.no_key());
/// Another member than the leader holds the key and accepts writes.
const TAKEN_OVER: Sign = Sign::Seen(taken_over);
/// The leader's PostgreSQL accepts no writes any more, by its own word or by its silence.
const STEPPED_DOWN: Sign = Sign::Seen(|truth, roles| truth.recovery.get(&roles.leader) != Some(&false));
/// What is in the headline when a replica has taken over.
const A_REPLICA_LEADS: &str = "{replica} leads|{other} leads";

fn taken_over(truth: &Truth, roles: &Roles) -> bool {
    let Some(Some(holder)) = &truth.key else { return false };
    *holder != roles.leader && truth.recovery.get(holder) == Some(&false)
}

/// What follows, in this order or that, when a leader is lost and a replica takes over.
const LEADER_LOST: &[&str] = &[
    "member-down",
    "member-missing",
    "leader-silent",
    "no-leader",
    "no-candidate",
    "leader-disagreement",
    "leader-cannot-write",
    "route-none",
    "route-wrong",
    "routes-differ",
    "replica-not-streaming",
    "replication-stalled",
    "timeline-behind",
    "source-stale",
    "lag-high",
    "diverged",
    "stuck",
    "api-hung",
    "sessions-on-old-leader",
    "upstream-unexpected",
    "route-flapping",
    "restart-loop",
    "etcd-slow",
    "etcd-member-behind",
];
/// What the loss of one etcd may bring besides.
const ETCD_LOST: &[&str] = &["etcd-member-down", "quorum-at-risk", "failure-domain", "etcd-slow", "etcd-member-behind"];
