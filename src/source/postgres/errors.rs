//! Failures as sentences: what of the network, of TLS, of PostgreSQL itself stands between us and an answer.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use super::target::Target;
use crate::model::{ErrorKind, SourceError};
use crate::source::tls;

/// A sentence for a failed connection or statement.
pub(super) fn explain(error: &Error, target: &Target) -> SourceError {
    if let Some(said) = error.as_db_error() {
        return explain_server(said, target);
    }
    if let Some(failed) = tls::explain(error) {
        return explain_tls(failed, target);
    }
    let cause = error.source();
    if let Some(io) = cause.and_then(|c| c.downcast_ref::<io::Error>()) {
        return match io.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => not_postgresql(target),
            _ => broken(io, target),
        };
    }
    if error.is_closed() {
        return SourceError::new(ErrorKind::Broken, format!("PostgreSQL at {target} closed the connection"));
    }
    let reason = cause.map(ToString::to_string).unwrap_or_default();
    // tokio-postgres gives these three as text only.
    match reason.as_str() {
        PASSWORD_MISSING => no_password(target, None),
        "server does not support TLS" => {
            SourceError::new(ErrorKind::Tls, format!("PostgreSQL at {target} does not offer TLS, which sslmode demands"))
                .with_hint("set ssl = on there, or another sslmode here")
        }
        "unsupported authentication method" => {
            SourceError::new(ErrorKind::Auth, format!("PostgreSQL at {target} wants a way of authentication that pgbaton does not have"))
                .with_hint("pgbaton knows scram-sha-256, md5, password, cert and trust")
        }
        "" if error.to_string().starts_with("unexpected message") => not_postgresql(target),
        "" => SourceError::new(ErrorKind::Other, format!("PostgreSQL at {target}: {error}")),
        reason if error.to_string().starts_with("error parsing") => {
            SourceError::new(ErrorKind::Malformed, format!("PostgreSQL at {target}: {reason}"))
        }
        reason => SourceError::new(ErrorKind::Other, format!("PostgreSQL at {target}: {error}: {reason}")),
    }
}

/// What tokio-postgres calls it when the server asks for a password and there is none.
const PASSWORD_MISSING: &str = "password missing";

/// Whether the server asked for a password and none was known.
pub(super) fn password_missing(error: &Error) -> bool {
    error.source().is_some_and(|cause| cause.to_string() == PASSWORD_MISSING)
}

/// A sentence for a password that is not known, with the reason if a password file could not be used.
pub(super) fn no_password(target: &Target, reason: Option<&str>) -> SourceError {
    let sentence = format!("PostgreSQL at {target} asks for the password of {:?}, and none is known", target.user);
    match reason {
        Some(reason) => SourceError::new(ErrorKind::Auth, format!("{sentence}: {reason}")),
        None => {
            let host = target.host.replace(':', "\\:");
            SourceError::new(ErrorKind::Auth, sentence)
                .with_hint(format!("add the line {host}:{}:*:{}:PASSWORD to ~/.pgpass (mode 0600)", target.port, target.user))
        }
    }
}

/// A sentence for a failed TCP connection.
pub(super) fn explain_tcp(error: &io::Error, target: &Target) -> SourceError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => SourceError::new(ErrorKind::Refused, format!("connection refused by {target}")),
        io::ErrorKind::TimedOut => SourceError::new(ErrorKind::Timeout, format!("no TCP connection to {target}: {error}")),
        _ => SourceError::new(ErrorKind::Other, format!("no TCP connection to {target}: {error}")),
    }
}

/// A sentence for a host name that cannot be resolved.
pub(super) fn explain_dns(error: &io::Error, target: &Target) -> SourceError {
    let reason = error.to_string();
    let reason = reason.strip_prefix("failed to lookup address information: ").unwrap_or(&reason);
    SourceError::new(ErrorKind::Dns, format!("the host name {:?} cannot be resolved: {reason}", target.host))
}

fn broken(error: &io::Error, target: &Target) -> SourceError {
    let sentence = match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("PostgreSQL at {target} closed the connection"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => format!("the connection to PostgreSQL at {target} broke off"),
        _ => format!("the connection to PostgreSQL at {target} broke off: {error}"),
    };
    SourceError::new(ErrorKind::Broken, sentence)
}

fn not_postgresql(target: &Target) -> SourceError {
    SourceError::new(ErrorKind::Malformed, format!("what answers at {target} does not speak PostgreSQL's protocol"))
}

fn explain_tls(failed: SourceError, target: &Target) -> SourceError {
    let sentence = SourceError::new(failed.kind, format!("TLS with PostgreSQL at {target}: {}", failed.message));
    // The general hints speak of etcd's and Patroni's settings.
    match failed.hint.as_deref() {
        Some(hint) if hint.contains("cacert") => sentence.with_hint("name the CA's file (sslrootcert)"),
        Some(hint) if hint.contains("certfile") => sentence.with_hint("name ours and its key (sslcert, sslkey)"),
        Some(hint) if hint.contains("client certificate") => sentence.with_hint("does it demand a client certificate (sslcert, sslkey)?"),
        Some(hint) if hint.contains("http") => sentence,
        Some(hint) => sentence.with_hint(hint),
        None => sentence,
    }
}

fn explain_server(said: &DbError, target: &Target) -> SourceError {
    let code = said.code();
    // With some errors the reason stands in the detail: "Consistent recovery state has not been yet reached."
    let message = match said.detail() {
        Some(detail) => format!("{}: {detail}", said.message()),
        None => said.message().to_owned(),
    };
    let user = &target.user;
    let at = |kind| SourceError::new(kind, format!("PostgreSQL at {target}: {message}"));
    if *code == SqlState::INVALID_PASSWORD {
        SourceError::new(ErrorKind::Auth, format!("PostgreSQL at {target} does not accept the password of {user:?}"))
            .with_hint(format!("check PGPASSWORD, or the line for {}:{} in ~/.pgpass", target.host, target.port))
    } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        // The name of the file stands in the message in every language.
        if message.contains("pg_hba.conf") {
            at(ErrorKind::Denied).with_hint(format!("pg_hba.conf there must let {user:?} in from this machine"))
        } else {
            at(ErrorKind::Auth)
        }
    } else if *code == SqlState::INVALID_CATALOG_NAME {
        at(ErrorKind::Config).with_hint("name a database that exists (dbname, PGDATABASE)")
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        at(ErrorKind::Denied).with_hint(format!("GRANT pg_monitor TO \"{user}\""))
    } else if *code == SqlState::TOO_MANY_CONNECTIONS {
        at(ErrorKind::Unavailable).with_hint("see max_connections, and who holds the sessions")
    } else if *code == SqlState::CANNOT_CONNECT_NOW || *code == SqlState::INSUFFICIENT_RESOURCES || *code == SqlState::OUT_OF_MEMORY {
        at(ErrorKind::Unavailable)
    } else if *code == SqlState::QUERY_CANCELED || *code == SqlState::LOCK_NOT_AVAILABLE {
        at(ErrorKind::Timeout)
    } else if ends_session(code) {
        at(ErrorKind::Broken)
    } else {
        SourceError::new(ErrorKind::Other, format!("PostgreSQL at {target}: {message} (SQLSTATE {})", code.code()))
    }
}

/// Whether the server says with this that it ends the session: shut down by its administrator, after a crash of another session, because the
/// database was dropped, or for being idle.
fn ends_session(code: &SqlState) -> bool {
    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::DATABASE_DROPPED].contains(code) || code.code() == "57P05"
}

/// Whether the server turned us away before it knew us (SQLSTATE 28000), the case in which libpq's `allow` and `prefer` try the other way.
pub(super) fn turned_away(error: &Error) -> bool {
    error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}
