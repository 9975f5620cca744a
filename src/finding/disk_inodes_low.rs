//! `disk-inodes-low`: a file system with room for bytes has little for files.

use super::disk_low::{file_systems, holds};
use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Host, Level, SourceId, SourceKind};

/// Below this share of the limit it is critical.
const NEARLY_NONE: f64 = 0.2;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "disk-inodes-low",
        runbook: Some("disk-low"),
        fires: "on a file system under PostgreSQL's data directory, its WAL or etcd's data fewer inodes are free than the limit \
                `disk_inodes_share` (5 %) of those that there are. Critical below a fifth of that. One that makes them as they are needed is \
                never told.",
        matters: "Without an inode no file can be made, however much room there is: no WAL segment, no temporary file, no table. PostgreSQL \
                  stops as it does on a full disk, and the message in its log is the same: No space left on device.",
        next: &[
            "Find the folder with the many files: du --inodes -x on the mount point, sorted.",
            "Look at what makes them: an archive on the same disk, sessions' temporary files, mail of cron, very many tables.",
            "An ext4 gets no more inodes by itself; one that is made larger gets some with the room.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let each = |(name, host): (&String, &Host)| judge(case, name, host);
    case.cluster.hosts.iter().flat_map(each).collect()
}

fn judge(case: &Case<'_>, name: &str, host: &Host) -> Vec<Finding> {
    let Some(status) = host.status_now(case.now) else { return Vec::new() };
    let limit = case.limits.disk_inodes_share;
    let told = file_systems(&status.places).into_iter().filter_map(|(space, kinds)| {
        let share = space.inode_share().filter(|share| *share < limit)?;
        let severity = if share < limit * NEARLY_NONE { Level::Critical } else { Level::Warning };
        let (mount, free, all) = (&space.mount, space.inodes_free, space.inodes?);
        let sentence = format!("{mount} on {name}, which holds {}, has {free} inodes left ({:.1} %)", holds(&kinds), share * 100.0);
        let source = SourceId::new(SourceKind::Host, name);
        let evidence = [Evidence::new(source, "inodes free", format!("{free} of {all}"), host.seen.at())];
        Some(Finding::new("disk-inodes-low", severity, sentence).about(format!("{name} {mount}")).because(evidence))
    });
    told.collect()
}
