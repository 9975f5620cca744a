//! A message as it was understood: its time, its weight, its words, and what belongs to it.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Bare, Program, Severity, Stream, haproxy, patroni};
use crate::model::Time;

/// Lines that belong to a message and are kept with it.
const LINES: usize = 200;
/// Bytes of them.
const BYTES: usize = 32 * 1024;
/// Bytes of its first line that are kept.
const FIRST: usize = 8 * 1024;

/// A line that belongs to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What PostgreSQL calls it: `DETAIL`, `HINT`, `STATEMENT`, `CONTEXT` ...; empty for a line that goes on.
    pub label: &'static str,
    /// Its words, without secrets.
    pub text: String,
    /// The same with them.
    #[serde(skip)]
    pub bare: Bare,
}

impl Part {
    /// It as a text of its own, and the same with secrets.
    pub(super) fn whole(self) -> (String, Bare) {
        let Self { label, text, bare } = self;
        match label {
            "" => (text, bare),
            label => (format!("{label}: {text}"), bare.map(|text| format!("{label}: {text}"))),
        }
    }
}

/// What a row of a log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Something that the program has said.
    Line,
    /// Lines are missing here, or may be.
    Gap,
    /// The file was replaced or emptied.
    Rotated,
    /// It cannot be read from here on.
    Failed,
    /// Something is to be known of the lines that follow.
    Note,
}

/// That the same was said again, one time after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Again {
    /// How often in all, the first time included.
    pub times: u64,
    /// The last time, by our clock as far as the difference is known.
    pub last: Time,
}

/// What is said in every turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repeat {
    /// What is the same each time.
    pub says: String,
    /// What of this turn takes the place of what was said in it before.
    pub turn: String,
    /// Whether it may have lines that belong to it, and counts as the same for a short while only.
    pub complaint: bool,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Whose it is.
    #[serde(flatten, serialize_with = "inner")]
    pub stream: Arc<Stream>,
    /// When it was written, by the clock of the node.
    pub at: Time,
    /// The same by our clock, as far as the difference is known; what messages are ordered by.
    pub when: Time,
    /// Whether the line tells no time, and `at` is that of the line before, or when it was heard.
    pub guessed: bool,
    /// When its first line was heard, by our clock.
    pub heard: Time,
    /// How much it matters, by its own word.
    pub level: Severity,
    /// What it is.
    pub kind: Kind,
    /// Its first line without time and level; washed, and without secrets.
    pub text: String,
    /// The same with them.
    #[serde(skip)]
    pub bare: Bare,
    /// Who says it within the program: a process, a session, a place in the source.
    pub origin: String,
    /// The same with secrets.
    #[serde(skip)]
    pub bare_origin: Bare,
    /// What belongs to it.
    pub more: Vec<Part>,
    /// Lines that it is made of, those included that are not kept.
    pub lines: u64,
    /// Bytes of it that are not kept.
    pub cut: u64,
    /// Whether it was said again.
    pub again: Option<Again>,
}

fn inner<S: Serializer>(stream: &Arc<Stream>, serializer: S) -> Result<S::Ok, S::Error> {
    stream.as_ref().serialize(serializer)
}

impl Entry {
    /// A message of one line, with its time yet to be told.
    pub(super) fn new(stream: &Arc<Stream>, heard: Time, level: Severity, text: String) -> Self {
        let mut entry = Self {
            stream: Arc::clone(stream),
            at: heard,
            when: heard,
            guessed: false,
            heard,
            level,
            kind: Kind::Line,
            text,
            bare: Bare::default(),
            origin: String::new(),
            bare_origin: Bare::default(),
            more: Vec::new(),
            lines: 1,
            cut: 0,
            again: None,
        };
        entry.cut += shorten(&mut entry.text, FIRST);
        entry
    }

    /// Keeps aside its first line as it stands on the node: of that the bytes are counted that are not kept.
    pub(super) fn with_bare(mut self, bare: Bare) -> Self {
        self.bare = bare;
        self.cut = shorten_bare(&mut self.bare, FIRST, self.cut);
        self
    }

    /// It with its secrets, as it stands on the node.
    pub fn unmasked(&self) -> Cow<'_, Self> {
        let bare = [&self.bare, &self.bare_origin].into_iter().chain(self.more.iter().map(|part| &part.bare));
        if bare.into_iter().all(|bare| bare.get().is_none()) {
            return Cow::Borrowed(self);
        }
        let mut open = self.clone();
        let parts = open.more.iter_mut().map(|part| (&mut part.text, &mut part.bare));
        for (text, bare) in [(&mut open.text, &mut open.bare), (&mut open.origin, &mut open.bare_origin)].into_iter().chain(parts) {
            if let Some(bare) = std::mem::take(bare).get() {
                *text = bare.to_owned();
            }
        }
        Cow::Owned(open)
    }

    /// Adds what belongs to it, as far as there is room. It says nothing of how many lines that was.
    pub(super) fn add(&mut self, part: Part) {
        let held: usize = self.more.iter().map(|part| part.text.len()).sum();
        let Some(room) = BYTES.checked_sub(held).filter(|room| *room > 0 && self.more.len() < LINES) else {
            self.cut += part.text.len() as u64;
            return;
        };
        let mut part = part;
        let cut = shorten(&mut part.text, room);
        self.cut += shorten_bare(&mut part.bare, room, cut);
        self.more.push(part);
    }

    /// Whether Patroni says it in every turn as long as nothing changes.
    pub fn is_heartbeat(&self) -> bool {
        self.stream.program == Program::Patroni && self.more.is_empty() && patroni::heartbeat(&self.text)
    }

    /// What it says over and over, if it is of that kind.
    pub(super) fn repeat(&self) -> Option<Repeat> {
        let text = || self.text.clone();
        match (self.kind, self.stream.program) {
            // The same reason again.
            (Kind::Failed, _) => Some(Repeat { says: text(), turn: "failed".to_owned(), complaint: false }),
            // `Lock owner: ...` comes beside `no action ...`, in turns.
            (Kind::Line, Program::Patroni) if self.is_heartbeat() => {
                let turn = if self.text.starts_with("Lock owner: ") { "lock" } else { "loop" };
                Some(Repeat { says: text(), turn: turn.to_owned(), complaint: false })
            }
            // While its PostgreSQL is away: at every turn of its loop, and for everybody who asks its REST API.
            (Kind::Line, Program::Patroni) if self.level >= Severity::Warning || patroni::seeks_postgres(&self.text) => {
                let says = format!("{} {} {}", self.level, self.origin, self.text);
                Some(Repeat { turn: says.clone(), says, complaint: true })
            }
            (Kind::Line, Program::Haproxy) if self.level == Severity::Info && self.more.is_empty() => {
                let says = haproxy::page_asked(&self.text)?;
                Some(Repeat { turn: says.clone(), says, complaint: false })
            }
            _ => None,
        }
    }

    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        let more: usize = self.more.iter().map(|part| part.text.len() + part.bare.len() + size_of::<Part>()).sum();
        size_of::<Self>() + self.text.len() + self.origin.len() + self.bare.len() + self.bare_origin.len() + more
    }

    /// Everything in it that can be looked for, whose it is not included.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        [self.text.as_str(), self.origin.as_str()].into_iter().chain(self.more.iter().flat_map(|part| [part.label, part.text.as_str()]))
    }

    /// It as lines of text, as it is copied and saved: time, node, program, level, words, and below what belongs to it.
    pub fn plain(&self) -> String {
        let again = self.again.map(|again| format!(" (x {}, until {})", again.times, again.last)).unwrap_or_default();
        let guess = if self.guessed { "~" } else { "" };
        let Stream { node, program } = self.stream.as_ref();
        let mut text = format!("{guess}{} {node} {program} {}: {}{again}", self.at, self.level, self.text);
        for part in &self.more {
            text.push_str("\n    ");
            if !part.label.is_empty() {
                text.push_str(part.label);
                text.push_str(": ");
            }
            text.push_str(&part.text);
        }
        if self.cut > 0 {
            text.push_str(&format!("\n    ({} bytes were not kept)", self.cut));
        }
        text
    }
}

/// The beginning of a text, at most so many bytes.
fn beginning(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Cuts a text after so many bytes; tells how many are gone.
fn shorten(text: &mut String, most: usize) -> u64 {
    let (before, kept) = (text.len(), beginning(text, most).len());
    text.truncate(kept);
    (before - kept) as u64
}

/// Cuts a text that was kept aside, likewise; `cut` is what the masked one has lost, which counts where nothing was kept aside.
fn shorten_bare(bare: &mut Bare, most: usize, cut: u64) -> u64 {
    let Some(before) = bare.get().map(str::len) else { return cut };
    *bare = std::mem::take(bare).map(|text| beginning(text, most).to_owned());
    (before - bare.len()) as u64
}
