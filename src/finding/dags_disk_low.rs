//! `dags-disk-low`: the disk with Airflow's DAGs has little room or few inodes left.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Dags, DagsDisk, DagsStatus, Level, SourceId, SourceKind, Space, size};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "dags-disk-low",
        runbook: None,
        fires: "on the disk with Airflow's DAGs less is available than both the limit `disk_low_share` (10 %) of what it can hold and the limit \
                `disk_low_bytes` (100 GB), or less than `disk_inodes_share` (5 %) of its inodes is free. Critical below both \
                `disk_critical_share` (3 %) and `disk_critical_bytes` (10 GB). Looked at where it is mounted as it shall be.",
        matters: "A deployment that runs out of room leaves half a DAG behind, which Airflow reads as a DAG with a mistake; and logs that are \
                  kept on the same disk fail the tasks that write them.",
        next: &[
            "See on the file server what fills it: du -xh, old logs, __pycache__.",
            "Make room before the next deployment; a volume can grow.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    // All machines see the same disk: the first that tells of it speaks for it.
    let hosts = case.cluster.dags.iter().flat_map(|dags| &dags.seen);
    let told = hosts.filter_map(|(host, seen)| Some((host, seen, Dags::now(seen, case.now).filter(|s| s.mounted() == Some(true))?)));
    let found = told.filter_map(|(host, seen, status)| {
        let space = room(status)?;
        let (severity, what) = judge(case, space)?;
        let sentence = format!("the disk with the DAGs, {} on {host}, has {what} left", space.mount);
        let said = format!("{} bytes of {}, {} inodes", space.available, space.size, space.inodes_free);
        let evidence = Evidence::new(SourceId::new(SourceKind::Dags, host), "available", said, seen.at());
        Some(Finding::new("dags-disk-low", severity, sentence).because([evidence]))
    });
    found.take(1).collect()
}

fn room(status: &DagsStatus) -> Option<&Space> {
    match &status.disk {
        DagsDisk::Answers(space) => Some(space),
        _ => None,
    }
}

fn judge(case: &Case<'_>, space: &Space) -> Option<(Level, String)> {
    let limits = case.limits;
    let below = |part: f64, bytes: u64| space.share().is_some_and(|share| share < part) && space.available < bytes;
    let room = || format!("{} ({:.0} %)", size(space.available), space.share().unwrap_or_default() * 100.0);
    match () {
        () if below(limits.disk_critical_share, limits.disk_critical_bytes) => Some((Level::Critical, room())),
        () if below(limits.disk_low_share, limits.disk_low_bytes) => Some((Level::Warning, room())),
        () => {
            let share = space.inode_share().filter(|share| *share < limits.disk_inodes_share)?;
            Some((Level::Warning, format!("{:.0} % of its inodes", share * 100.0)))
        }
    }
}
