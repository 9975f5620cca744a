//! `haproxy-check`: whether a backend asks Patroni who leads.

use super::{Way, not_given, ways};
use crate::doctor::judged::{Judged, Severity};
use crate::doctor::{Case, Judgement};
use crate::model::RouteKind;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "haproxy-check",
    why: "Only Patroni's role endpoints answer 200 on the leader and 503 on all others. Without a check, or with one that every member passes, sessions that write \
          go to whoever runs, before a failover and after it.",
    cites: &["route-wrong", "route-none", "routes-differ"],
    judge,
};

/// What answers 200 on the leader alone (Patroni's rest_api.rst).
const WRITE: [&str; 5] = ["/", "/primary", "/master", "/leader", "/read-write"];

/// What answers 200 on members that can be read.
const READ: [&str; 11] = [
    "/replica",
    "/read-only",
    "/sync",
    "/synchronous",
    "/read-only-sync",
    "/quorum",
    "/read-only-quorum",
    "/async",
    "/asynchronous",
    "/standby-leader",
    "/standby_leader",
];

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let mut all = case.cite(JUDGEMENT.cites);
    if case.cluster.haproxies.is_empty() {
        all.push(Judged::does_not_apply("no HAProxy is configured"));
        return all;
    }
    let (ways, open) = ways(case, &[RouteKind::Write, RouteKind::Read]);
    all.extend(open);
    all.extend(ways.iter().map(|way| unchecked(case, way).unwrap_or_else(|| asks(case, way))));
    all
}

fn severity(way: &Way<'_>) -> Severity {
    if way.route.kind == RouteKind::Write { Severity::Critical } else { Severity::Warning }
}

fn expected(way: &Way<'_>) -> (&'static [&'static str], &'static str) {
    match way.route.kind {
        RouteKind::Write => (&WRITE, "option httpchk OPTIONS /primary"),
        RouteKind::Read | RouteKind::Other => (&READ, "option httpchk OPTIONS /replica"),
    }
}

/// What HAProxy itself tells: a server without checks, or one whose check opens a connection and asks nothing.
fn unchecked(case: &Case<'_>, way: &Way<'_>) -> Option<Judged> {
    let place = match &way.file {
        Some((file, backend)) => file.place(backend.line),
        None => format!("haproxy.cfg of {}, {}", way.route.instance, way.route.backend),
    };
    let (_, line) = expected(way);
    for (server, _) in &way.route.servers {
        let check = server.check_status.as_deref().map(|status| status.trim_start_matches("* "));
        let (what, value) = match check {
            _ if server.status == "no check" => ("is not checked", server.status.as_str()),
            Some(status) if status.starts_with("L4OK") || status.starts_with("L6OK") => ("is checked by a connection only", status),
            _ => continue,
        };
        let sentence = format!("{} {what}: it is UP whatever its role", server.name);
        let evidence = way.live(case, &format!("{} {}", way.route.backend, server.name), value);
        let judged = Judged::hurts(severity(way), sentence).of(way.name()).by([evidence]);
        return Some(judged.change(place.clone(), line).change(place, format!("server {} ... check port 8008", server.name)));
    }
    None
}

fn asks(case: &Case<'_>, way: &Way<'_>) -> Judged {
    if let Some(open) = not_given(case, way, "what its checks ask for") {
        return open;
    }
    let Some((file, backend)) = way.file else { return Judged::not_known("its configuration is not known").of(way.name()) };
    let (paths, line) = expected(way);
    let proxy = way.route.instance;
    match &backend.check {
        None => {
            let said = file.says(proxy, backend.line, "option httpchk", "none");
            let judged = Judged::hurts(severity(way), "its checks only open a connection: every member passes them");
            judged.of(way.name()).by([said]).change(file.place(backend.line), line)
        }
        Some(check) => {
            let said = file.says(proxy, check.line, "option httpchk", &check.path);
            let asked = check.path.split('?').next().unwrap_or_default();
            if paths.contains(&asked) {
                return Judged::holds(format!("its checks ask for {}", check.path)).of(way.name()).by([said]);
            }
            let sentence =
                format!("its checks ask for {}, which does not tell the role that a {} backend needs", check.path, way.route.kind);
            Judged::hurts(severity(way), sentence).of(way.name()).by([said]).change(file.place(check.line), line)
        }
    }
}
