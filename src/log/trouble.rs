//! Which streams are not read at the moment, and when that is tried again.

use std::collections::BTreeMap;

use super::{Heard, Stream, What};
use crate::model::{ErrorKind, Time};

/// Why a stream is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// Whether the login may not read it; else it is not there, or the node cannot be reached.
    pub refused: bool,
    /// When it was tried last.
    pub tried: Time,
    /// When it is tried again; `None`: that was not told.
    pub next: Option<Time>,
}

/// The streams that are not read at the moment.
#[derive(Debug, Clone, Default)]
pub struct Troubles(BTreeMap<Stream, Trouble>);

impl Troubles {
    /// Learns of it from what was heard.
    pub(super) fn hear(&mut self, heard: &Heard) {
        match &heard.what {
            What::Failed(error) => {
                let trouble = Trouble { refused: error.kind == ErrorKind::Denied, tried: heard.at, next: None };
                self.0.insert(heard.stream.clone(), trouble);
            }
            What::Tried { next } => {
                if let Some(trouble) = self.0.get_mut(&heard.stream) {
                    (trouble.tried, trouble.next) = (heard.at, Some(*next));
                }
            }
            What::Open { .. } | What::Line { .. } if !self.0.is_empty() => drop(self.0.remove(&heard.stream)),
            What::Open { .. } | What::Line { .. } | What::Gap(_) | What::Rotated => {}
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&Stream, Trouble)> {
        self.0.iter().map(|(stream, trouble)| (stream, *trouble))
    }
}
