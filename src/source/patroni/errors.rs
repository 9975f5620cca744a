//! Why a member's REST API could not be read, as a sentence.

use std::error::Error as StdError;
use std::io;

use reqwest::StatusCode;

use crate::model::{ErrorKind, SourceError};
use crate::source::tls;

/// The sentence for an error of the HTTP client: ours from the resolver, the network's, TLS's, or HTTP's own.
pub(super) fn explain(error: &reqwest::Error, authority: &str, https: bool) -> SourceError {
    let at = |kind, what: &str| SourceError::new(kind, format!("{authority}: {what}"));
    if let Some(found) = tls::explain(error) {
        return SourceError { message: format!("{authority}: {}", found.message), ..found };
    }
    let mut text = error.to_string();
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(this) = cause {
        if let Some(ours) = this.downcast_ref::<SourceError>() {
            return ours.clone();
        }
        if let Some(io) = this.downcast_ref::<io::Error>() {
            return match io.kind() {
                io::ErrorKind::ConnectionRefused => SourceError::new(ErrorKind::Refused, format!("connection refused by {authority}")),
                io::ErrorKind::UnexpectedEof if https => {
                    at(ErrorKind::Tls, "the server closed the connection in the TLS handshake").with_hint("is it http instead of https?")
                }
                _ => at(ErrorKind::Broken, &format!("the connection broke off: {io}")),
            };
        }
        text = this.to_string();
        cause = this.source();
    }
    if text.contains("closed before message completed") || text.contains("end of file") || error.is_body() || error.is_decode() {
        return at(ErrorKind::Broken, &format!("the answer breaks off: {text}"));
    }
    let error = at(ErrorKind::Malformed, &format!("what answers there does not speak HTTP: {text}"));
    if https { error } else { error.with_hint("is it https instead of http?") }
}

/// The sentence for an answer with a code that is not one of Patroni's.
pub(super) fn refused(status: StatusCode, path: &str, authority: &str) -> SourceError {
    let reason = status.canonical_reason().unwrap_or("no known code");
    let at = |kind| SourceError::new(kind, format!("GET {path} of {authority}: {} {reason}", status.as_u16()));
    match status.as_u16() {
        300..=399 => at(ErrorKind::Malformed).with_hint("a redirection is not followed; is this a proxy?"),
        401 => at(ErrorKind::Auth).with_hint("Patroni itself asks nobody for a password here; is this a proxy?"),
        403 => at(ErrorKind::Denied).with_hint("does Patroni demand a client certificate (verify_client)?"),
        404 => at(ErrorKind::Malformed).with_hint("is this Patroni's REST API?"),
        500..=599 => at(ErrorKind::Unavailable),
        _ => at(ErrorKind::Malformed),
    }
}
