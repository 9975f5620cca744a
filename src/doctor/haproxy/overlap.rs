//! `haproxy-two-leaders`: whether the old leader is DOWN before the new one is UP.

use std::time::Duration;

use super::{Backend, ProxyFile, Server, Way, not_given, ways};
use crate::doctor::judged::{Judged, Severity};
use crate::doctor::{Case, Judgement};
use crate::finding::Evidence;
use crate::model::RouteKind;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "haproxy-two-leaders",
    why: "While two servers of the write backend are UP, every second new session ends on the old leader, which only reads: Airflow's scheduler and workers fail \
          with errors of a read-only transaction. Measured with the file that Patroni's documents show: 2 to 3 seconds at a switchover.",
    cites: &[],
    judge,
};

/// What the practice cluster runs with: rising takes as long as falling at least, and a dead server is left within two seconds.
const LINE: &str = "default-server inter 1s fastinter 500ms downinter 1s fall 2 rise 4 on-marked-down shutdown-sessions";

fn judge(case: &Case<'_>) -> Vec<Judged> {
    if case.cluster.haproxies.is_empty() {
        return vec![Judged::does_not_apply("no HAProxy is configured")];
    }
    let (ways, mut all) = ways(case, &[RouteKind::Write]);
    all.extend(ways.iter().map(|way| {
        if way.route.servers.len() < 2 {
            return Judged::does_not_apply("it has one server only").of(way.name());
        }
        match (&way.file, not_given(case, way, "how often it checks")) {
            (Some((file, backend)), None) => by_file(case, way, file, backend),
            (_, Some(open)) => by_counts(case, way).unwrap_or(open),
            (None, None) => Judged::not_known("its configuration is not known").of(way.name()),
        }
    }));
    all
}

/// The pair of servers that is UP together for longest.
fn worst(backend: &Backend) -> Option<(&Server, &Server, Duration, Duration)> {
    let pairs = backend.servers.iter().flat_map(|old| backend.servers.iter().map(move |new| (old, new)));
    let others = pairs.filter(|(old, new)| old.name != new.name && old.checked && new.checked);
    let overlaps = others.map(|(old, new)| {
        let (most, mean) = old.timing.overlap(&new.timing);
        (old, new, most, mean)
    });
    overlaps.max_by_key(|(.., most, mean)| (*most, *mean))
}

fn by_file(case: &Case<'_>, way: &Way<'_>, file: &ProxyFile, backend: &Backend) -> Judged {
    let proxy = way.route.instance;
    let Some((old, new, most, mean)) = worst(backend) else {
        return Judged::not_known(format!("{}: fewer than two of its servers are checked", file.place(backend.line))).of(way.name());
    };
    let lines = [old, new].map(|server| file.says(proxy, server.line, &format!("server {}", server.name), told(server)));
    let evidence = lines.into_iter().chain(counts(case, way)).collect::<Vec<_>>();
    if most.is_zero() {
        let (down, up) = (old.timing.down().most, new.timing.up());
        let sentence = format!(
            "by {} an old leader is DOWN within {} s, and a new one UP after {} to {} s",
            file.path,
            seconds(down),
            seconds(up.least),
            seconds(up.most)
        );
        return Judged::holds(sentence).of(way.name()).by(evidence);
    }
    let sentence = format!(
        "after a switchover the old leader and the new one are both UP for up to {} s, {} s on average, less the time that the promotion takes",
        seconds(most),
        seconds(mean)
    );
    let place = file.place(backend.default_server.unwrap_or(backend.line));
    Judged::hurts(Severity::Warning, sentence).of(way.name()).by(evidence).change(place, LINE)
}

/// What can be said without the file: HAProxy itself tells how many checks it takes, and not how far apart they are. When no more of them bring a
/// server up than take one down, the two overlap whatever the times are, as the first bad check comes up to `inter` late.
fn by_counts(case: &Case<'_>, way: &Way<'_>) -> Option<Judged> {
    let servers = &way.route.servers;
    let rise = servers.iter().filter_map(|(server, _)| server.rise).min()?;
    let fall = servers.iter().filter_map(|(server, _)| server.fall).max()?;
    if rise > fall {
        return None;
    }
    let proxy = way.route.instance;
    let by_file = match case.survey.proxies.get(proxy) {
        None => format!("its file tells (--haproxy-config {proxy}=haproxy.cfg, or a table [ssh])"),
        Some(Ok(_)) => "the file that it runs with would tell".to_owned(),
        Some(Err(why)) => format!("its file would tell: {why}"),
    };
    let sentence = format!(
        "after a switchover the old leader and the new one are both UP for a while: {rise} good checks bring a server up and {fall} bad ones take it down; \
         for how long, {by_file}"
    );
    let place = format!("haproxy.cfg of {}, {}", way.route.instance, way.route.backend);
    Some(Judged::hurts(Severity::Warning, sentence).of(way.name()).by(counts(case, way)).change(place, LINE))
}

/// What HAProxy itself tells of its checks.
fn counts(case: &Case<'_>, way: &Way<'_>) -> Vec<Evidence> {
    let told = way.route.servers.iter().filter_map(|(server, _)| {
        let value = format!("rise {} fall {}", server.rise?, server.fall?);
        Some(way.live(case, &format!("{} {}", way.route.backend, server.name), value))
    });
    told.collect()
}

fn told(server: &Server) -> String {
    let timing = &server.timing;
    let part = |name: &str, span: Option<Duration>| span.map(|span| format!(" {name} {} s", seconds(span))).unwrap_or_default();
    format!(
        "inter {} s{}{} fall {} rise {}",
        seconds(timing.inter),
        part("fastinter", timing.fastinter),
        part("downinter", timing.downinter),
        timing.fall,
        timing.rise
    )
}

/// `3`, `0.5`.
fn seconds(span: Duration) -> String {
    span.as_secs_f64().to_string()
}
