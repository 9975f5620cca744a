//! `certificate-expiring`: a certificate that was shown to us, or our own, ends soon or has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, listed, spoken};
use crate::model::{Certificate, Level, SourceId, SourceKind, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "certificate-expiring",
        runbook: Some("certificate-renewal"),
        fires: "a certificate that etcd, a REST API, a PostgreSQL or an HAProxy has shown us within the last hour, or our own client certificate, \
                ends within the limit `certificate_left` (21 d); critical from 3 d on, unless it is our own. Of a chain the one counts that ends first. Servers \
                whose connection is not encrypted have shown none.",
        matters: "From that moment on whoever verifies it refuses the connection: Patroni loses etcd and steps down, replicas lose their leader, HAProxy's checks fail. It happens everywhere at once, as certificates are mostly made on the same day.",
        next: &[
            "Have a new certificate signed, and put it where the old one lies.",
            "etcd reads it at the next handshake by itself; PostgreSQL and Patroni after a reload; HAProxy after a reload.",
            "See here that the new one is shown. Do not forget the certificates that one node shows to another (etcd's peers, client certificates of Patroni), which pgbaton does not see.",
        ],
    }],
};

/// From here on it is critical.
const CRITICAL: Duration = Duration::from_secs(3 * 24 * 3600);

/// A certificate that ends soon, and who showed it when.
struct Shown<'a> {
    source: &'a SourceId,
    certificate: &'a Certificate,
    at: Option<Time>,
}

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, limits, .. } = *case;
    // One certificate may serve several, and those of one name that end together are renewed together: it is one finding.
    let mut ending: BTreeMap<(String, &str), Vec<Shown<'_>>> = BTreeMap::new();
    for (source, seen, certificate) in cluster.certificates_now(now) {
        if certificate.left(now).map_or(true, |left| left < limits.certificate_left) {
            let same = ending.entry((certificate.not_after.minute(), &certificate.subject)).or_default();
            same.push(Shown { source, certificate, at: seen.at() });
        }
    }
    ending.values().filter_map(|same| finding(same, now)).collect()
}

fn finding(same: &[Shown<'_>], now: Time) -> Option<Finding> {
    let certificate = same.first()?.certificate;
    let mut who: Vec<String> = same.iter().map(|shown| shown_by(shown.source, shown.certificate)).collect();
    who.dedup();
    let (subject, until) = (&certificate.subject, certificate.not_after.minute());
    let (near, when) = match certificate.left(now) {
        Ok(left) => (left < CRITICAL, format!("ends in {}", spoken(left))),
        Err(past) => (true, format!("ended {} ago", spoken(past))),
    };
    // Without ours we see nothing any more, and the cluster goes on.
    let severity = if near && same.iter().any(|shown| !shown.certificate.ours) { Level::Critical } else { Level::Warning };
    // A certificate may name its hosts and nothing else.
    let name = if subject.is_empty() { String::new() } else { format!("{subject} ") };
    let whose =
        if certificate.ours && who.len() == 1 { format!("our certificate {name}in ") } else { format!("the certificate {name}of ") };
    let sentence = format!("{whose}{} {when} ({until})", listed(&who));
    let evidence = same.iter().map(|Shown { source, certificate, at }| {
        let what = if certificate.ours { "our certificate" } else { "certificate shown" };
        let value = format!("{}, by {}, until {}", certificate.subject, certificate.issuer, certificate.not_after.minute());
        Evidence::new((*source).clone(), what, value, *at)
    });
    Some(Finding::new("certificate-expiring", severity, sentence).about(format!("{name}until {until}")).because(evidence))
}

/// Whose it is, in a sentence.
fn shown_by(source: &SourceId, certificate: &Certificate) -> String {
    let target = &source.target;
    if certificate.ours {
        return target.clone();
    }
    match source.kind {
        SourceKind::Rest => format!("the REST API of {target}"),
        SourceKind::Sql => format!("PostgreSQL on {target}"),
        SourceKind::Haproxy => format!("the stats page of {target}"),
        SourceKind::Etcd | SourceKind::Dcs | SourceKind::Lease => {
            format!("etcd at {}", target.split_once("://").map_or(target.as_str(), |(_, host)| host))
        }
        SourceKind::AirflowHealth => format!("Airflow at {target}"),
        SourceKind::Rabbitmq => format!("RabbitMQ's management API on {target}"),
        SourceKind::Airflow | SourceKind::Dags | SourceKind::Target | SourceKind::Host | SourceKind::Audit => target.clone(),
    }
}
