//! Why a server could not be asked, as a sentence.

use std::error::Error as StdError;
use std::io;

use http::StatusCode;

use crate::model::{ErrorKind, SourceError};
use crate::source::dial::named;
use crate::source::tls;

/// The sentence for an error on an open connection: TLS's, the network's, or HTTP's own.
pub(super) fn explain(error: &hyper::Error, authority: &str, https: bool) -> SourceError {
    named(authority, tls::explain(error).unwrap_or_else(|| unexplained(error, https)))
}

fn unexplained(error: &hyper::Error, https: bool) -> SourceError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(this) = cause {
        if let Some(io) = this.downcast_ref::<io::Error>() {
            let broken = SourceError::new(ErrorKind::Broken, format!("the connection broke off: {io}"));
            return if https { broken.with_hint("does it demand a client certificate?") } else { broken };
        }
        cause = this.source();
    }
    if error.is_parse() {
        let other = SourceError::new(ErrorKind::Malformed, format!("what answers there does not speak HTTP: {error}"));
        return if https { other } else { other.with_hint("is it https instead of http?") };
    }
    SourceError::new(ErrorKind::Broken, format!("the answer breaks off: {error}"))
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
