//! What an etcd error means, as a sentence.
//!
//! `etcd_client::Error` has no `source()` of its own, so the chain is walked from the gRPC status it holds: below that lie the HTTP/2
//! connection's errors, and at the bottom what our own connector said.

use std::error::Error as StdError;
use std::io;

use etcd_client::Error;
use tonic::{Code, Status};

use super::Endpoint;
use super::first_words::Reason;
use crate::model::{ErrorKind, SourceError};
use crate::source::dial::named;
use crate::source::tls;

/// What was asked, by whom and of whom.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub endpoint: &'a Endpoint,
    pub user: Option<&'a str>,
    /// The keys that were to be read; `None`: the request is about none.
    pub prefix: Option<&'a str>,
    /// What the connection itself has seen.
    pub reason: &'a Reason,
}

/// The sentence for an error.
pub(super) fn explain(error: &Error, asked: Asked<'_>) -> SourceError {
    let error = match error {
        Error::GRpcStatus(status) => explain_status(status, asked),
        Error::TransportError(error) => from_chain(error, asked).unwrap_or_else(|| other(&error.to_string(), asked)),
        Error::IoError(error) => from_chain(error, asked).unwrap_or_else(|| other(&error.to_string(), asked)),
        error => other(&error.to_string(), asked),
    };
    match (error.kind, asked.reason.get()) {
        (ErrorKind::Broken | ErrorKind::Malformed | ErrorKind::Other, Some(seen)) => seen,
        _ => error,
    }
}

/// The sentence for the reason with which etcd ended a watch; it arrives as text only.
pub(super) fn explain_reason(reason: &str, asked: Asked<'_>) -> SourceError {
    by_message(reason, asked).unwrap_or_else(|| {
        let why = if reason.is_empty() { "without a reason" } else { reason };
        named(asked.endpoint.authority(), SourceError::new(ErrorKind::Unavailable, format!("etcd ended the watch: {why}")))
    })
}

/// Whether etcd says that it has no authentication, so that no user is needed.
pub(super) fn is_auth_off(error: &Error) -> bool {
    matches!(error, Error::GRpcStatus(status) if status.message().contains("authentication is not enabled"))
}

fn explain_status(status: &Status, asked: Asked<'_>) -> SourceError {
    if let Some(error) = by_message(status.message(), asked) {
        return error;
    }
    if let Some(error) = from_chain(status, asked) {
        return error;
    }
    let at = |kind, message: &str| named(asked.endpoint.authority(), SourceError::new(kind, message));
    match status.code() {
        Code::DeadlineExceeded => at(ErrorKind::Timeout, &format!("etcd gave no answer in time ({})", status.message())),
        // The HTTP/2 client's word for a connection that went while a request waited for it.
        Code::Cancelled => at(ErrorKind::Broken, &format!("the connection broke off: {}", status.message())),
        Code::Unavailable | Code::ResourceExhausted | Code::Aborted => {
            at(ErrorKind::Unavailable, &format!("etcd cannot answer: {}", status.message()))
        }
        Code::PermissionDenied => denied(asked),
        Code::Unauthenticated => at(ErrorKind::Auth, &format!("etcd does not accept the login: {}", status.message())),
        Code::Unimplemented | Code::OutOfRange | Code::Internal => at(ErrorKind::Malformed, &status_text(status)),
        _ => at(ErrorKind::Other, &status_text(status)),
    }
}

fn status_text(status: &Status) -> String {
    format!("etcd answers {:?}: {}", status.code(), status.message())
}

/// etcd's own messages (`api/v3rpc/rpctypes/error.go`). Its codes are coarse and differ between calls; the texts are its contract.
fn by_message(message: &str, asked: Asked<'_>) -> Option<SourceError> {
    let at = |kind, text: String| Some(named(asked.endpoint.authority(), SourceError::new(kind, text)));
    let has = |part: &str| message.contains(part);
    if has("authentication failed") {
        let user = asked.user.unwrap_or_default();
        return at(ErrorKind::Auth, format!("etcd does not accept the user {user:?} with this password"));
    }
    if has("user name is empty") {
        return at(ErrorKind::Auth, "etcd demands a user and a password".to_owned())
            .map(|e| if asked.user.is_none() { e.with_hint("give etcd's username and password") } else { e });
    }
    if has("permission denied") {
        return Some(denied(asked));
    }
    if has("invalid auth token") || has("revision of auth store is old") {
        return at(ErrorKind::Auth, "etcd no longer accepts the login's token".to_owned());
    }
    if has("no leader") {
        return at(ErrorKind::Unavailable, "etcd has no leader: its quorum is lost".to_owned());
    }
    if has("leader changed") || has("not leader") {
        return at(ErrorKind::Unavailable, "etcd is changing its leader".to_owned());
    }
    // The server's own limits, reached when it cannot find a majority.
    if has("request timed out") || has("context deadline exceeded") {
        return at(ErrorKind::Unavailable, "etcd found no majority in time".to_owned());
    }
    if has("message length too large") {
        return at(ErrorKind::Malformed, format!("etcd's answer is too large: {message}"));
    }
    None
}

fn denied(asked: Asked<'_>) -> SourceError {
    let who = asked.user.map_or("without a user nobody".to_owned(), |user| format!("the etcd user {user:?}"));
    let what = asked.prefix.map_or("ask this".to_owned(), |prefix| format!("read {prefix}"));
    named(asked.endpoint.authority(), SourceError::new(ErrorKind::Denied, format!("{who} may not {what}")))
        .with_hint("grant the user a role that may read it")
}

/// What lies below: our connector's sentence, a TLS error, a broken connection, or something that is not HTTP/2.
fn from_chain(error: &(dyn StdError + 'static), asked: Asked<'_>) -> Option<SourceError> {
    let mut text = String::new();
    let mut cause = Some(error);
    while let Some(this) = cause {
        if let Some(ours) = this.downcast_ref::<SourceError>() {
            return Some(ours.clone());
        }
        if let Some(io) = this.downcast_ref::<io::Error>() {
            return Some(named(asked.endpoint.authority(), tls::explain(io).unwrap_or_else(|| broken(io, asked.endpoint))));
        }
        text = this.to_string();
        cause = this.source();
    }
    if let Some(found) = tls::explain(error) {
        return Some(named(asked.endpoint.authority(), found));
    }
    let lower = text.to_ascii_lowercase();
    if ["http2", "h2 ", "frame", "protocol", "invalid compression flag"].iter().any(|part| lower.contains(part)) {
        return Some(named(asked.endpoint.authority(), not_etcd(asked.endpoint)));
    }
    None
}

pub(super) fn broken(error: &io::Error, endpoint: &Endpoint) -> SourceError {
    let demand = "does it demand a client certificate?";
    // With TLS 1.3 the server refuses a client only after the handshake; the HTTP/2 library passes that on as text.
    if let Some((_, alert)) = error.to_string().split_once("received fatal alert: ") {
        return match alert {
            "CertificateExpired" => SourceError::new(ErrorKind::Tls, "the server says that our certificate has expired"),
            "UnknownCA" => SourceError::new(ErrorKind::Tls, "the server does not know the CA of our certificate"),
            _ => SourceError::new(ErrorKind::Tls, format!("the server refused us after the TLS handshake: {alert}")).with_hint(demand),
        };
    }
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof if endpoint.tls() => {
            SourceError::new(ErrorKind::Broken, format!("the connection broke off: {error}")).with_hint(demand)
        }
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => not_etcd(endpoint),
        _ => SourceError::new(ErrorKind::Broken, format!("the connection broke off: {error}")),
    }
}

pub(super) fn not_etcd(endpoint: &Endpoint) -> SourceError {
    let hint = if endpoint.tls() { "is it etcd's client port?" } else { "is it etcd's client port? is it https instead of http?" };
    SourceError::new(ErrorKind::Malformed, "what answers there does not speak etcd's protocol").with_hint(hint)
}

fn other(text: &str, asked: Asked<'_>) -> SourceError {
    named(asked.endpoint.authority(), SourceError::new(ErrorKind::Other, text))
}
