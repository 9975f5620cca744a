//! What a question can be answered with.

use super::members::{Among, members};
use crate::document::Document;

/// What an answer can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answers {
    /// Any text.
    #[default]
    Anything,
    /// One of these words.
    OneOf(Vec<String>),
    /// The name of one of these members.
    Among(Among),
}

impl Answers {
    /// What there is to choose from, as far as it is known now; `None`: any text. Members that were seen count while etcd is silent, and those
    /// that are missing do: it may be about one of them.
    pub fn choices(&self, document: &Document) -> Option<Vec<String>> {
        let seen = || document.members.iter().map(|member| member.name.clone()).collect::<Vec<_>>();
        match self {
            Self::Anything => None,
            Self::OneOf(words) => Some(words.clone()),
            Self::Among(Among::Members) => Some(seen()),
            Self::Among(among) => Some(members(*among, document).unwrap_or_else(|_| seen())),
        }
        .filter(|choices| !choices.is_empty())
    }

    /// Why this is no answer.
    pub fn refused(&self, answer: &str, document: &Document) -> Option<String> {
        if answer.is_empty() {
            return Some("nothing was answered".to_owned());
        }
        let choices = self.choices(document)?;
        (!choices.iter().any(|choice| choice == answer)).then(|| format!("{answer:?} is none of {}", choices.join(", ")))
    }
}
