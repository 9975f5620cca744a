//! What was heard, on its way to who reads it.

use std::time::Duration;

use tokio::sync::mpsc::Sender;

use crate::log::{Format, Heard, Stream, What};
use crate::model::SourceError;
use crate::source::Clock;

/// Nobody listens any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deaf;

/// The things heard of one stream that are not handed over yet. They outlive a lost line.
pub(super) struct Outbox {
    stream: Stream,
    clock: Clock,
    to: Sender<Vec<Heard>>,
    pending: Vec<Heard>,
    /// What was told last of its state, so that it is told once.
    open: Option<(Format, String)>,
    failed: Option<SourceError>,
}

impl Outbox {
    /// For this stream.
    pub fn new(stream: Stream, clock: Clock, to: Sender<Vec<Heard>>) -> Self {
        Self { stream, clock, to, pending: Vec::new(), open: None, failed: None }
    }

    /// Whose.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Now.
    pub fn now(&self) -> crate::model::Time {
        self.clock.now()
    }

    /// Adds what was heard just now.
    pub fn add(&mut self, what: impl IntoIterator<Item = What>) {
        let at = self.clock.now();
        let stream = &self.stream;
        self.pending.extend(what.into_iter().map(|what| Heard { stream: stream.clone(), at, what }));
    }

    /// Reading goes on, with lines written so, in this file or unit.
    pub fn opened(&mut self, format: &Format, file: &str) {
        let now = (format.clone(), file.to_owned());
        if self.open.as_ref() != Some(&now) {
            self.add([What::Open { format: now.0.clone(), file: now.1.clone() }]);
            self.open = Some(now);
        }
        self.failed = None;
    }

    /// It is not read, for this reason.
    pub fn failed(&mut self, error: SourceError) {
        if self.failed.as_ref() != Some(&error) {
            self.add([What::Failed(error.clone())]);
            self.failed = Some(error);
        }
        self.open = None;
    }

    /// It was tried, and is tried again after this.
    pub fn tried(&mut self, after: Duration) {
        self.add([What::Tried { next: self.clock.now().plus(after) }]);
    }

    /// Hands all over, and waits for room. Safe to drop while it waits.
    pub async fn flush(&mut self) -> Result<(), Deaf> {
        if self.pending.is_empty() {
            return if self.to.is_closed() { Err(Deaf) } else { Ok(()) };
        }
        let room = self.to.reserve().await.map_err(|_| Deaf)?;
        room.send(std::mem::take(&mut self.pending));
        Ok(())
    }
}
