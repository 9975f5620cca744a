//! The exact order, and what was answered.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

/// An order to a member's REST API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The member that is asked.
    pub member: String,
    /// `POST`, `PATCH`, `DELETE`.
    pub method: &'static str,
    /// Scheme, host and port, as the member's key has it, without `/patroni`.
    pub base: String,
    /// `/switchover`.
    pub path: &'static str,
    /// The body; `None`: there is none.
    pub body: Option<Value>,
    /// How long an answer is waited for. Patroni answers some orders only when they are carried out.
    #[serde(skip)]
    pub patience: Duration,
}

impl Call {
    /// An order to the API whose key says `api_url`.
    pub fn new(member: &str, api_url: &str, method: &'static str, path: &'static str) -> Self {
        let base = api_url.trim_end_matches('/').trim_end_matches("/patroni").to_owned();
        Self { member: member.to_owned(), method, base, path, body: None, patience: Duration::from_secs(15) }
    }

    /// With a body.
    #[must_use]
    pub fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// With another patience.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

/// As it goes over the line: `POST http://10.0.0.11:8008/switchover {"leader":"psg1"}`.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.base, self.path)?;
        match &self.body {
            Some(body) => write!(f, " {body}"),
            None => Ok(()),
        }
    }
}

/// What became of an order on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Nothing was sent: no connection.
    NotSent(String),
    /// It was answered: the status, and the text, cleaned and cut.
    Answered(u16, String),
    /// It was sent, in whole or in part, and no answer came.
    Lost(String),
}

impl Reply {
    /// Whether it was taken up (2xx).
    pub fn accepted(&self) -> bool {
        matches!(self, Reply::Answered(200..=299, _))
    }

    /// Whether it was turned down before anything was begun. Of Patroni's statuses 503 and 500 can come in the middle of the work.
    pub fn refused(&self) -> bool {
        matches!(self, Reply::Answered(300..=499, _))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::NotSent(why) => write!(f, "not sent: {why}"),
            // An answer to PATCH /config is the whole configuration, which says nothing here.
            Reply::Answered(status, text) if text.is_empty() || text.starts_with('{') => write!(f, "{status}"),
            Reply::Answered(status, text) => write!(f, "{status} {text}"),
            Reply::Lost(why) => write!(f, "sent, and no answer came: {why}"),
        }
    }
}
