//! The runbooks that come with the program.

/// Name and text of each.
pub const BUILTIN: &[(&str, &str)] = &[
    ("planned-switchover", include_str!("../../runbooks/planned-switchover.md")),
    ("rolling-restart", include_str!("../../runbooks/rolling-restart.md")),
    ("forgotten-pause", include_str!("../../runbooks/forgotten-pause.md")),
    ("replace-replica", include_str!("../../runbooks/replace-replica.md")),
];
