//! `member-missing`: a member's key in etcd is gone.

use super::{Evidence, Finding, Part};
use crate::model::{Cluster, Level, Time};

pub(super) fn check(cluster: &Cluster, now: Time) -> Vec<Finding> {
    let missing = cluster.members.values().filter(|m| !m.present);
    missing
        .map(|member| {
            let alive = match (member.rest_now(now).is_some(), member.writable(now)) {
                (_, Some(true)) => ", yet its PostgreSQL accepts writes",
                (_, Some(false)) => ", yet its PostgreSQL answers",
                (true, None) => ", yet its Patroni answers",
                (false, None) => "",
            };
            let part = Part::of(cluster, &member.name, now);
            let critical = part != Part::Follower || member.writable(now) == Some(true);
            let severity = if critical { Level::Critical } else { Level::Warning };
            let sentence = match member.key {
                Some(_) => format!("{} is missing: its key in etcd is gone{alive}", part.call(&member.name)),
                None => format!("{} is a server of HAProxy's, but has no key in etcd{alive}", member.name),
            };
            let gone = member.missing_since.map(|at| format!("gone since {at}")).unwrap_or_else(|| "gone".to_owned());
            Finding::new("member-missing", severity, sentence)
                .about(&member.name)
                .because([Evidence::dcs(cluster, &format!("members/{}", member.name), gone)])
                .because(Evidence::errors(member))
        })
        .collect()
}
