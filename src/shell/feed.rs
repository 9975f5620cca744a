//! Where the picture comes from.

use std::future::Future;

use crate::app::EventLine;
use crate::document::Document;

/// Where the picture comes from: the live sources, a recording, a test.
pub trait Feed {
    /// Ends when something new is known, with what has changed by it. It is dropped and called again at any time, so it must lose nothing
    /// when it is dropped.
    fn wait(&mut self) -> impl Future<Output = Vec<EventLine>>;

    /// The picture at this moment, ages included. Called at once when the console opens, before anybody can have answered.
    fn document(&mut self) -> Document;
}
