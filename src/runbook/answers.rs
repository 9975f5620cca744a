//! What a question can be answered with.

use super::judge::holds;
use super::members::{Among, leader, members};
use super::{Values, fill_condition};
use crate::document::{Document, MemberDoc};

/// What an answer can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answers {
    /// Any text.
    #[default]
    Anything,
    /// One of these words.
    OneOf(Vec<String>),
    /// The name of one of these members, for whom this holds; in CEL over `m`, the member, and the document.
    Among(Among, Option<String>),
}

/// What there is to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// What can be chosen.
    pub offered: Vec<String>,
    /// Who cannot be, each with why: nobody is to look for them in vain.
    pub barred: Vec<(String, String)>,
}

impl Answers {
    /// What there is to choose from, as far as it is known now; `None`: any text. Members that were seen count while etcd is silent, and those
    /// that are missing do: it may be about one of them.
    pub fn choices(&self, document: &Document) -> Option<Choices> {
        let seen = || document.members.iter().map(|member| member.name.clone()).collect::<Vec<_>>();
        let (all, which) = match self {
            Self::Anything => return None,
            Self::OneOf(words) => (words.clone(), &None),
            Self::Among(Among::Members, which) => (seen(), which),
            Self::Among(among, which) => (members(*among, document).unwrap_or_else(|_| seen()), which),
        };
        let mut choices = Choices::default();
        for choice in all {
            match which.as_deref().and_then(|which| barred(&choice, which, document)) {
                Some(why) => choices.barred.push((choice, why)),
                None => choices.offered.push(choice),
            }
        }
        Some(choices).filter(|choices| *choices != Choices::default())
    }

    /// Why this is no answer.
    pub fn refused(&self, answer: &str, document: &Document) -> Option<String> {
        let barred = || self.choices(document)?.barred.into_iter().find(|(name, _)| name == answer);
        self.strange(answer, document).or_else(|| barred().map(|(name, why)| format!("{name} cannot be chosen: {why}")))
    }

    /// Why this is none at all: whether it can be chosen now is left to the steps, which ask for it when it counts.
    pub fn strange(&self, answer: &str, document: &Document) -> Option<String> {
        if answer.is_empty() {
            return Some("nothing was answered".to_owned());
        }
        let Choices { mut offered, barred } = self.choices(document)?;
        offered.extend(barred.into_iter().map(|(name, _)| name));
        (!offered.iter().any(|choice| choice == answer)).then(|| format!("{answer:?} is none of {}", offered.join(", ")))
    }

    /// The same with these values in its condition.
    ///
    /// # Errors
    /// A value is not known; the error is a sentence.
    pub(super) fn filled(&self, values: &Values) -> Result<Self, String> {
        Ok(match self {
            Self::Among(among, Some(which)) => Self::Among(*among, Some(fill_condition(which, values)?)),
            other => other.clone(),
        })
    }
}

/// The condition on a member as one over the document; `name` is a text of CEL.
pub(super) fn of_member(name: &str, which: &str) -> String {
    format!("members.exists(m, m.name == {name} && ({which}))")
}

/// Why a member is not one of those that are meant.
fn barred(name: &str, which: &str, document: &Document) -> Option<String> {
    let why = match holds(&of_member(&serde_json::Value::from(name).to_string(), which), document) {
        Ok(true) => return None,
        Ok(false) => format!("not so: {which}"),
        Err(why) => why,
    };
    if !which.contains("can_take_over") {
        return Some(why);
    }
    // It has reasons of its own, which say more than that it is not so.
    let member: Option<&MemberDoc> = document.members.iter().find(|member| member.name == name);
    let own: Vec<&str> = member.iter().flat_map(|member| &member.cannot_because).map(|reason| reason.short.as_str()).collect();
    Some(match own.is_empty() {
        _ if leader(document) == Some(name) => "it leads".to_owned(),
        true => why,
        false => own.join("; "),
    })
}
