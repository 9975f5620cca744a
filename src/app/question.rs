//! What has to be said before there can be a plan: a text that is typed.

use super::act::Asked;
use crate::model::{Time, quantity};

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// What the question's own words ask for, in a runbook; not empty.
    Text,
    /// Why it is done, for the audit; may be empty.
    Reason,
    /// After how long somebody is to be reminded; may be empty.
    Reminder,
    /// When it is to be done.
    Time,
    /// The cluster that is to be followed: a host, or host:port.
    Source,
}

/// A text that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What it is needed for.
    pub asked: Asked,
    /// What it is.
    pub wanted: Wanted,
    /// The question, where it has words of its own.
    pub words: String,
    /// What was typed so far.
    pub typed: String,
    /// Whether it was drawn: what was typed before that was meant for something else.
    pub drawn: bool,
    /// Lines scrolled past.
    pub scroll: u16,
}

impl Question {
    /// A question that nobody has seen yet.
    pub(super) fn new(asked: Asked, wanted: Wanted) -> Self {
        Self { asked, wanted, words: String::new(), typed: String::new(), drawn: false, scroll: 0 }
    }

    /// What was typed, as it is handed on; an error says what is wrong with it.
    ///
    /// # Errors
    /// It is no answer.
    pub fn answer(&self, now: Time) -> Result<String, String> {
        match self.wanted {
            Wanted::Text if self.typed.trim().is_empty() => Err("something has to be said".to_owned()),
            Wanted::Text => Ok(self.typed.trim().to_owned()),
            Wanted::Reason => Ok(self.typed.trim().to_owned()),
            Wanted::Reminder if self.typed.trim().is_empty() => Ok(String::new()),
            Wanted::Reminder => quantity::span(&self.typed).map(|_| self.typed.trim().to_owned()).ok_or_else(|| quantity::SPAN.to_owned()),
            Wanted::Time => Time::typed(&self.typed, now).map(|time| time.to_string()),
            Wanted::Source => source(&self.typed).map(|_| self.typed.trim().to_owned()),
        }
    }
}

/// A host and, where one is said, a port: `db1`, `db1:5433`, `[fd00::1]:5433`.
///
/// # Errors
/// It is none; the error is a sentence.
pub fn source(text: &str) -> Result<(String, Option<u16>), String> {
    let text = text.trim();
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').or((!rest.is_empty()).then_some("?"))),
        None if text.matches(':').count() > 1 => (text, None),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(|port| port.parse().ok().filter(|port| *port > 0).ok_or_else(|| format!("{port:?} is no port, 1 to 65535")));
    let port = port.transpose()?;
    let fits = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '/'));
    if fits { Ok((host.to_owned(), port)) } else { Err("a host is wanted, or host:port".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::source;

    #[test]
    fn a_source_is_a_host_with_or_without_a_port() {
        for (text, host, port) in [
            ("db1", "db1", None),
            (" db1:5433 ", "db1", Some(5433)),
            ("fd00::1", "fd00::1", None),
            ("[fd00::1]:5433", "fd00::1", Some(5433)),
            ("[fd00::1]", "fd00::1", None),
        ] {
            assert_eq!(source(text), Ok((host.to_owned(), port)), "{text}");
        }
        for wrong in ["", "db1:", "db1:0", "db1:65536", "[fd00::1]5433", "a b", "a;b", ":5432"] {
            assert!(source(wrong).is_err(), "{wrong}");
        }
    }
}
