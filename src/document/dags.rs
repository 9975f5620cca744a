//! The part on the folder of the DAGs.

use super::{DagsDoc, DagsHostDoc, DiskState, asked};
use crate::model::{Cluster, Dags, DagsDisk, DagsStatus, Observed, SourceKind, Space, Time};

/// `None`: none is configured.
pub(super) fn document(cluster: &Cluster, now: Time) -> Option<DagsDoc> {
    let dags = cluster.dags.as_ref()?;
    Some(DagsDoc { same: dags.same(now), hosts: dags.seen.iter().map(|(name, seen)| host(name, seen, now)).collect() })
}

fn host(name: &str, seen: &Observed<DagsStatus>, now: Time) -> DagsHostDoc {
    let last = seen.last();
    let state = match Dags::now(seen, now).map(|status| &status.disk) {
        Some(DagsDisk::Answers(_)) => DiskState::Answers,
        Some(DagsDisk::Hangs(_)) => DiskState::Hung,
        Some(DagsDisk::Fails(_)) => DiskState::Fails,
        None => DiskState::Unknown,
    };
    let mount = last.and_then(|status| status.mount.as_ref());
    let space = last.and_then(|status| match &status.disk {
        DagsDisk::Answers(space) => Some(space),
        _ => None,
    });
    let files = last.and_then(|status| status.files.as_ref());
    DagsHostDoc {
        name: name.to_owned(),
        asked: asked(seen, SourceKind::Dags, now),
        state,
        error: last.and_then(|status| match &status.disk {
            DagsDisk::Fails(why) => Some(why.clone()),
            _ => None,
        }),
        hung_seconds: last.and_then(|status| match &status.disk {
            DagsDisk::Hangs(span) => Some(span.as_secs_f64()),
            _ => None,
        }),
        mounted: last.and_then(DagsStatus::mounted),
        mount: mount.map(|mount| mount.at.clone()),
        mounted_from: mount.map(|mount| mount.from.clone()),
        fstype: mount.map(|mount| mount.fstype.clone()),
        options: mount.map(|mount| mount.options.clone()),
        size_bytes: space.map(|space| space.size),
        available_bytes: space.map(|space| space.available),
        used_share: space.and_then(Space::share).map(|share| 1.0 - share),
        inodes_free_share: space.and_then(Space::inode_share),
        files: files.map(|files| files.count),
        newest_file: files.and_then(|files| Some(files.newest.as_ref()?.path.clone())),
        newest_changed: files.and_then(|files| Some(files.newest.as_ref()?.changed)),
        counted_at: files.map(|files| files.at),
    }
}
