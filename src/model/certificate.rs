//! A certificate: whose, and how long it is good for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Cluster, ErrorKind, Observed, SourceId, Time};

/// What was seen longer ago may have been replaced since: it is looked at again at least as often as this, once it matters.
const FRESH: Duration = Duration::from_secs(3600);

/// A certificate that was shown in a TLS handshake, or our own that the configuration names.
///
/// Of a chain it is the one that ends first: with it the whole chain is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whether it is ours. The source's target is then its file.
    pub ours: bool,
    /// Whose it is: `CN=psg1,O=Example`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Until when it is valid.
    pub not_after: Time,
}

impl Cluster {
    /// The certificates that tell of now: of sources that answer, or that fail over TLS, and our own.
    pub fn certificates_now(&self, now: Time) -> Vec<(&SourceId, &Observed<Certificate>, &Certificate)> {
        let sources = self.sources(now);
        let counts = |id: &SourceId, certificate: &Certificate| {
            certificate.ours
                || sources.iter().find(|heard| heard.source == *id).is_some_and(|heard| match heard.error {
                    None => heard.fresh(),
                    Some(error) => error.kind == ErrorKind::Tls,
                })
        };
        let fresh = self.certificates.iter().filter_map(|(id, seen)| Some((id, seen, seen.fresh(now, FRESH)?)));
        fresh.filter(|(id, _, certificate)| counts(id, certificate)).collect()
    }
}

impl Certificate {
    /// For how long it is still valid at `now`; the error is for how long it has not been.
    pub fn left(&self, now: Time) -> Result<Duration, Duration> {
        if self.not_after > now { Ok(self.not_after.since(now)) } else { Err(now.since(self.not_after)) }
    }
}
