//! `haproxy-sessions`: whether sessions on the old leader are ended.

use super::{Server, not_given, ways};
use crate::doctor::judged::{Judged, Severity};
use crate::doctor::{Case, Judgement};
use crate::model::{RouteKind, listed};

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "haproxy-sessions",
    why: "A session that stands on the old leader goes on there when it is a replica again: it reads what is old and cannot write, until `timeout server`. \
          Measured: still there when the probe ended after 27 s, and after a frozen leader 65 s until it thawed.",
    cites: &["sessions-on-old-leader"],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let mut all = case.cite(JUDGEMENT.cites);
    if case.cluster.haproxies.is_empty() {
        all.push(Judged::does_not_apply("no HAProxy is configured"));
        return all;
    }
    let (ways, open) = ways(case, &[RouteKind::Write]);
    all.extend(open);
    all.extend(ways.iter().map(|way| {
        if let Some(open) = not_given(case, way, "what it does with the sessions of a server that goes down") {
            return open;
        }
        let Some((file, backend)) = way.file else { return Judged::not_known("its configuration is not known").of(way.name()) };
        let without: Vec<&Server> = backend.servers.iter().filter(|server| !server.ends_sessions).collect();
        let says =
            |server: &Server, value| file.says(way.route.instance, server.line, &format!("server {} on-marked-down", server.name), value);
        if without.is_empty() {
            let evidence = backend.servers.iter().map(|server| says(server, "shutdown-sessions"));
            return Judged::holds("sessions end with their server").of(way.name()).by(evidence);
        }
        let names: Vec<&str> = without.iter().map(|server| server.name.as_str()).collect();
        let sentence = format!("sessions stay on {} after it has lost the leadership", listed(&names));
        let judged = Judged::hurts(Severity::Warning, sentence).of(way.name()).by(without.iter().map(|server| says(server, "not set")));
        judged.change(file.place(backend.default_server.unwrap_or(backend.line)), "default-server ... on-marked-down shutdown-sessions")
    }));
    all
}
