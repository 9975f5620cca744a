//! The runbooks that come with the program.

/// Name and text of each.
pub const BUILTIN: &[(&str, &str)] = &[
    ("planned-switchover", include_str!("../../runbooks/planned-switchover.md")),
    ("rolling-restart", include_str!("../../runbooks/rolling-restart.md")),
    ("minor-upgrade", include_str!("../../runbooks/minor-upgrade.md")),
    ("os-patching", include_str!("../../runbooks/os-patching.md")),
    ("replace-replica", include_str!("../../runbooks/replace-replica.md")),
    ("leader-down", include_str!("../../runbooks/leader-down.md")),
    ("member-down", include_str!("../../runbooks/member-down.md")),
    ("replica-not-streaming", include_str!("../../runbooks/replica-not-streaming.md")),
    ("lag-high", include_str!("../../runbooks/lag-high.md")),
    ("route-wrong", include_str!("../../runbooks/route-wrong.md")),
    ("source-stale", include_str!("../../runbooks/source-stale.md")),
    ("quorum-lost", include_str!("../../runbooks/quorum-lost.md")),
    ("etcd-member-down", include_str!("../../runbooks/etcd-member-down.md")),
    ("etcd-space", include_str!("../../runbooks/etcd-space.md")),
    ("slot-fills-disk", include_str!("../../runbooks/slot-fills-disk.md")),
    ("disk-low", include_str!("../../runbooks/disk-low.md")),
    ("archive-failing", include_str!("../../runbooks/archive-failing.md")),
    ("split-brain", include_str!("../../runbooks/split-brain.md")),
    ("failsafe", include_str!("../../runbooks/failsafe.md")),
    ("certificate-renewal", include_str!("../../runbooks/certificate-renewal.md")),
    ("forgotten-pause", include_str!("../../runbooks/forgotten-pause.md")),
    ("frozen-pools", include_str!("../../runbooks/frozen-pools.md")),
];
