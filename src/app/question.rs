//! What has to be said before there can be a plan: a text that is typed.

use super::act::Asked;
use crate::model::Time;

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Why it is done, for the audit; may be empty.
    Reason,
    /// When it is to be done.
    Time,
}

/// A text that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What it is needed for.
    pub asked: Asked,
    /// What it is.
    pub wanted: Wanted,
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
        Self { asked, wanted, typed: String::new(), drawn: false, scroll: 0 }
    }

    /// What was typed, as it is handed on; an error says what is wrong with it.
    ///
    /// # Errors
    /// It is no answer.
    pub fn answer(&self, now: Time) -> Result<String, String> {
        match self.wanted {
            Wanted::Reason => Ok(self.typed.trim().to_owned()),
            Wanted::Time => Time::typed(&self.typed, now).map(|time| time.to_string()),
        }
    }
}
