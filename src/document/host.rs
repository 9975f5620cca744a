//! The part on the nodes themselves.

use super::{LoginDoc, NodeDoc, PlaceDoc, UnitDoc, asked};
use crate::model::{ClockSkew, Cluster, Host, HostStatus, Login, Place, SourceKind, SpaceTrend, Time, Unit};

pub(super) fn document(cluster: &Cluster, now: Time) -> Vec<NodeDoc> {
    cluster.hosts.iter().map(|(name, host)| node(name, host, now)).collect()
}

fn node(name: &str, host: &Host, now: Time) -> NodeDoc {
    let nothing = HostStatus::default();
    let status = host.seen.last().unwrap_or(&nothing);
    let load = |n: usize| status.load.map(|load| load[n]);
    let clock = ClockSkew::agreed(&host.clock);
    let millis = |micros: i64| micros as f64 / 1000.0;
    NodeDoc {
        name: name.to_owned(),
        asked: asked(&host.seen, SourceKind::Host, now),
        places: status.places.iter().map(|one| place(host, one)).collect(),
        load_1: load(0),
        load_5: load(1),
        load_15: load(2),
        cpus: status.cpus,
        memory_bytes: status.memory,
        memory_available_bytes: status.memory_available,
        swap_used_bytes: status.swap_used,
        oom_kills_total: status.oom_kills,
        boot: status.boot.clone(),
        uptime_seconds: status.uptime.map(|span| span.as_secs()),
        clock_skew_ms: clock.map(|skew| millis(skew.about())),
        clock_skew_within_ms: clock.map(|skew| millis(skew.within())),
        clock_synchronized: status.synchronized,
        units: status.units.as_ref().map(|units| units.iter().map(unit).collect()),
        logins: status.logins.as_ref().map(|logins| logins.iter().map(login).collect()),
    }
}

fn place(host: &Host, place: &Place) -> PlaceDoc {
    let space = place.space.as_ref().ok();
    let filling = space.and_then(|space| host.trends.get(&space.device)).and_then(SpaceTrend::filling);
    PlaceDoc {
        kind: place.kind,
        path: place.path.clone(),
        error: place.space.as_ref().err().cloned(),
        device: space.map(|s| s.device),
        mount: space.map(|s| s.mount.clone()),
        size_bytes: space.map(|s| s.size),
        free_bytes: space.map(|s| s.free),
        available_bytes: space.map(|s| s.available),
        available_share: space.and_then(crate::model::Space::share),
        inodes: space.and_then(|s| s.inodes),
        inodes_free: space.filter(|s| s.inodes.is_some()).map(|s| s.inodes_free),
        filling_bytes_per_second: filling.map(|f| f.rate),
        full_in_seconds: filling.map(|f| f.left.as_secs()),
        filling_watched_seconds: filling.map(|f| f.over.as_secs()),
    }
}

fn unit(unit: &Unit) -> UnitDoc {
    UnitDoc {
        name: unit.name.clone(),
        state: unit.state.clone(),
        sub: unit.sub.clone(),
        result: unit.result.clone(),
        changed_seconds_ago: unit.changed_ago.map(|span| span.as_secs()),
        restarts: unit.restarts,
    }
}

fn login(login: &Login) -> LoginDoc {
    LoginDoc { user: login.user.clone(), terminal: login.terminal.clone(), from: login.from.clone(), since: login.since.clone() }
}
