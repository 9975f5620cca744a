//! HAProxies that are wrong, silent, or of two minds.

use pgbaton::document::Level::{Critical, Warning};
use rustix::process::Signal;

use super::PLAIN;
use crate::bench::Bench;
use crate::case::{Case, Sign, case};

const NEVER: &[&str] = &["split-brain", "no-leader", "quorum-lost", "member-down", "member-missing"];

pub fn cases() -> Vec<Case> {
    vec![
        case("haproxy-stale on vm4: the HAProxies disagree", PLAIN, |b| b.fault(&["haproxy-stale", "vm4"]))
            // A reloaded HAProxy answers with servers that it has not checked yet.
            .shows(Critical, "route-wrong", "vm4 pg_write", Sign::Thrown)
            .within(8)
            .says("{leader} leads", Sign::Thrown)
            .says("vm4 sends writes to {replica}, but {leader} leads", Sign::Thrown)
            .within(8)
            .may(&["leader-disagreement", "routes-differ", "route-flapping"])
            .never(NEVER)
            .watch_on(3),
        case("haproxy-stale on both", PLAIN, |b| {
            b.fault(&["haproxy-stale", "vm1"]);
            b.fault(&["haproxy-stale", "vm4"]);
        })
        .shows(Critical, "route-wrong", "vm1 pg_write", Sign::Thrown)
        .shows(Critical, "route-wrong", "vm4 pg_write", Sign::Thrown)
        .may(&["leader-disagreement", "routes-differ", "route-flapping"])
        .never(NEVER)
        .watch_on(3),
        case("a HAProxy is killed", PLAIN, |b| signal_proxy(b, "vm1", Signal::KILL))
            .shows(Warning, "source-stale", "haproxy", Sign::AtOnce)
            .within(9)
            .says("{leader} leads", Sign::AtOnce)
            .may(&["routes-differ"])
            .never(NEVER),
        case("a HAProxy is frozen", PLAIN, |b| signal_proxy(b, "vm1", Signal::STOP))
            .shows(Warning, "source-stale", "haproxy", Sign::AtOnce)
            .within(9)
            .says("{leader} leads", Sign::AtOnce)
            .may(&["routes-differ"])
            .never(NEVER),
    ]
}

/// The master and its worker.
fn signal_proxy(bench: &mut Bench, proxy: &str, signal: Signal) {
    let folder = bench.lab.layout().node_dir(proxy);
    let all = pgbaton::lab::scan::processes(&bench.lab.layout().dir);
    let its: Vec<_> = all.into_iter().filter(|p| p.argv().join(" ").contains(&format!("{}/haproxy", folder.display()))).collect();
    assert!(!its.is_empty(), "no HAProxy runs on {proxy}");
    for process in its {
        process.signal(signal).unwrap();
    }
}
