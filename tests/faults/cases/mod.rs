//! The cases, by theme.

mod process;

use crate::case::{Case, Variant};

/// Three nodes, each in a network namespace of its own.
pub const PLAIN: &Variant = &Variant { name: "plain", options: &["--netns", "--ttl", "20", "--loop-wait", "2"], root: true };

/// All clusters, in the order in which they are started.
pub const VARIANTS: &[&Variant] = &[PLAIN];

/// All cases. Those of one cluster run in this order.
pub fn all() -> Vec<Case> {
    process::cases()
}
