//! The part on certificates.

use super::{CertificateDoc, millis};
use crate::model::{Cluster, Time};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

pub(super) fn document(cluster: &Cluster, now: Time) -> Vec<CertificateDoc> {
    let seen = cluster.certificates.iter().filter_map(|(source, seen)| Some((source, seen, seen.last()?)));
    seen.map(|(source, seen, certificate)| CertificateDoc {
        source: source.kind.to_string(),
        target: source.target.clone(),
        ours: certificate.ours,
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.clone(),
        not_after: certificate.not_after,
        days_left: certificate.not_after.as_micros().saturating_sub(now.as_micros()).div_euclid(DAY),
        age_ms: seen.age(now).map(millis),
    })
    .collect()
}
