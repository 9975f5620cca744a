//! `haproxy-keepalive`: whether HAProxy notices that a client or a server has vanished.

use super::{not_given, ways};
use crate::doctor::judged::{Judged, Severity};
use crate::doctor::{Case, Judgement};
use crate::model::RouteKind;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "haproxy-keepalive",
    why: "PostgreSQL's keep-alive sees HAProxy, and not the client behind it. When a client's machine is lost, its session stays until `timeout client`, with its locks.",
    cites: &[],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    if case.cluster.haproxies.is_empty() {
        return vec![Judged::does_not_apply("no HAProxy is configured")];
    }
    let (ways, mut all) = ways(case, &[RouteKind::Write]);
    all.extend(ways.iter().map(|way| {
        if let Some(open) = not_given(case, way, "its keep-alive") {
            return open;
        }
        let Some((file, backend)) = way.file else { return Judged::not_known("its configuration is not known").of(way.name()) };
        let sides = [("clitcpka", backend.client_keepalive), ("srvtcpka", backend.server_keepalive)];
        let evidence = sides
            .map(|(option, on)| file.says(way.route.instance, backend.line, &format!("option {option}"), if on { "on" } else { "off" }));
        let off: Vec<&str> = sides.iter().filter(|(_, on)| !on).map(|(option, _)| *option).collect();
        if off.is_empty() {
            return Judged::holds("both sides of a session are kept alive, or end").of(way.name()).by(evidence);
        }
        let sentence = format!("a client or a server that vanishes is not noticed: without option {}", off.join(", "));
        let judged = Judged::hurts(Severity::Note, sentence).of(way.name()).by(evidence);
        off.iter().fold(judged, |judged, option| judged.change(file.place(backend.line), format!("option {option}")))
    }));
    all
}
