//! An order to a member's REST API.

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
