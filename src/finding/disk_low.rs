//! `disk-low`: a file system that holds PostgreSQL's data, its WAL or etcd's data has little room left, or will have none soon.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, listed, spoken};
use crate::model::{Cluster, Filling, Host, Level, Place, PlaceKind, SourceId, SourceKind, Space, SpaceTrend, Time, size};

/// Full within this time is critical, however much there is: somebody must act now. It must have been watched for a third of the time at least.
const SOON: Duration = Duration::from_secs(3600);
const TIMES_WATCHED: u32 = 3;
/// A slot that keeps less than this of what is stored is not what fills the disk.
const LEAST_SHARE_OF_A_SLOT: f64 = 0.05;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "disk-low",
        runbook: Some("disk-low"),
        fires: "on a file system under PostgreSQL's data directory, its WAL or etcd's data less is available than both the limit `disk_low_share` \
                (10 %) of what it can hold and the limit `disk_low_bytes` (100 GB); or it will be full within the limit `disk_full_within` \
                (1 day) at the rate at which it was seen to fill. Critical below both `disk_critical_share` (3 %) and `disk_critical_bytes` \
                (10 GB), and when it is full within an hour and three times as long as was watched. The rate is the median of what was seen \
                over ten minutes, an hour or a day, and is told when there became less in each quarter of that time: from five minutes on \
                for the next hour, from half an hour on for a day, from two hours on for some days.",
        matters: "A PostgreSQL that cannot write WAL stops at once, and does not start again before there is room; Patroni then fails over to a \
                  replica, whose disk is often as full. An etcd without room takes no writes, and the leader demotes itself.",
        next: &[
            "See what fills it: a slot that keeps WAL (it is named here if there is one), a failing archive, logs, temporary files.",
            "Get rid of the cause first: pgbaton runbook disk-low goes through them, with a slot slot-fills-disk, with an archive archive-failing.",
            "Never delete files in pg_wal by hand. Logs and old backups can go; a volume can grow.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let each = |(name, host): (&String, &Host)| judge(case, name, host);
    case.cluster.hosts.iter().flat_map(each).collect()
}

fn judge(case: &Case<'_>, name: &str, host: &Host) -> Vec<Finding> {
    let Some(status) = host.status_now(case.now) else { return Vec::new() };
    let told = file_systems(&status.places).into_iter().filter_map(|(space, kinds)| {
        let filling = host.trends.get(&space.device).and_then(SpaceTrend::filling);
        let severity = severity(case, space, filling.as_ref())?;
        Some(finding(case, name, host, space, &kinds, filling, severity))
    });
    told.collect()
}

/// The file systems, each with what is kept there: two places on one are told once.
pub(super) fn file_systems(places: &[Place]) -> Vec<(&Space, Vec<PlaceKind>)> {
    let mut all: Vec<(&Space, Vec<PlaceKind>)> = Vec::new();
    for place in places {
        let Ok(space) = &place.space else { continue };
        match all.iter_mut().find(|(known, _)| known.device == space.device) {
            Some((_, kinds)) => kinds.push(place.kind),
            None => all.push((space, vec![place.kind])),
        }
    }
    all
}

/// What is kept on a file system, in a sentence.
pub(super) fn holds(kinds: &[PlaceKind]) -> String {
    listed(&kinds.iter().map(|kind| kind.told()).collect::<Vec<_>>())
}

fn severity(case: &Case<'_>, space: &Space, filling: Option<&Filling>) -> Option<Level> {
    let limits = case.limits;
    let share = space.share()?;
    let below = |part: f64, bytes: u64| share < part && space.available < bytes;
    let within = |span: Duration| filling.is_some_and(|filling| filling.left <= span);
    let soon = filling.is_some_and(|filling| filling.left <= SOON.min(filling.over * TIMES_WATCHED));
    match () {
        () if below(limits.disk_critical_share, limits.disk_critical_bytes) || soon => Some(Level::Critical),
        () if below(limits.disk_low_share, limits.disk_low_bytes) || within(limits.disk_full_within) => Some(Level::Warning),
        () => None,
    }
}

fn finding(
    case: &Case<'_>,
    name: &str,
    host: &Host,
    space: &Space,
    kinds: &[PlaceKind],
    filling: Option<Filling>,
    severity: Level,
) -> Finding {
    let (at, source) = (host.seen.at(), SourceId::new(SourceKind::Host, name));
    let percent = space.share().map_or("a part not known".to_owned(), |share| format!("{:.0} %", share * 100.0));
    let mut sentence = match space.available {
        0 => format!("{} on {name}, which holds {}, is full", space.mount, holds(kinds)),
        some => format!("{} on {name}, which holds {}, has {} left ({percent})", space.mount, holds(kinds), size(some)),
    };
    if let Some(Filling { left, over, .. }) = filling.filter(|_| space.available > 0) {
        sentence += &format!("; it is full in {} if it goes on as in the last {}", spoken(left), spoken(over));
    }
    let slot = slot(case.cluster, name, space, kinds, case.now);
    if let Some((slot, retained, share)) = &slot {
        sentence += &format!("; the slot {slot} keeps {} of WAL there, {:.0} % of what is stored", size(*retained), share * 100.0);
    }
    let mut evidence = vec![
        Evidence::new(source.clone(), "available", format!("{} bytes of {}", space.available, space.size), at),
        Evidence::new(source.clone(), "holds", holds(kinds), at),
    ];
    evidence.push(match filling {
        Some(Filling { rate, over, .. }) => {
            Evidence::new(source, "fills by", format!("{rate:.0} bytes a second over {}", spoken(over)), at)
        }
        None => Evidence::new(source, "fills by", "not known yet, or not at all", at),
    });
    if let (Some((slot, retained, _)), Some(member)) = (&slot, case.cluster.members.get(name)) {
        evidence.push(Evidence::sql(member, &format!("WAL kept for {slot}"), format!("{retained} bytes")));
    }
    Finding::new("disk-low", severity, sentence).about(format!("{name} {}", space.mount)).because(evidence)
}

/// The slot that keeps the most WAL on this file system, how much, and which share of what is stored there that is, if it is worth a word.
fn slot(cluster: &Cluster, name: &str, space: &Space, kinds: &[PlaceKind], now: Time) -> Option<(String, u64, f64)> {
    let sql = cluster.members.get(name).filter(|_| kinds.contains(&PlaceKind::Wal))?.sql_now(now)?;
    let most = sql.slots.iter().filter_map(|slot| Some((slot.name.clone(), slot.retained?))).max_by_key(|(_, retained)| *retained)?;
    let stored = space.size.saturating_sub(space.free);
    let share = (stored > 0).then(|| most.1 as f64 / stored as f64).filter(|share| (LEAST_SHARE_OF_A_SLOT..=1.0).contains(share))?;
    Some((most.0, most.1, share))
}
