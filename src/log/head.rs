//! What a line says of itself.

use super::Severity;
use super::stamp::Told;

/// What the beginning of a message says of itself. Its texts are as they came; the reader washes them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Head {
    /// When it was written, if it says so.
    pub at: Option<Told>,
    /// Its level.
    pub level: Option<Severity>,
    /// Its words, of several lines perhaps.
    pub text: String,
    /// Who says it within the program.
    pub origin: String,
    /// The session or process, so that `DETAIL` finds its message.
    pub session: Option<String>,
    /// What it is of the message before: `DETAIL`.
    pub label: Option<&'static str>,
    /// What belongs to it.
    pub more: Vec<(&'static str, String)>,
}

impl Head {
    /// A message with these words.
    pub(super) fn new(at: Option<Told>, level: Option<Severity>, text: impl Into<String>) -> Self {
        Self { at, level, text: text.into(), ..Self::default() }
    }

    /// Adds what belongs to it, unless that is empty.
    pub(super) fn with(&mut self, label: &'static str, text: &str) {
        if !text.is_empty() {
            self.more.push((label, text.to_owned()));
        }
    }
}
