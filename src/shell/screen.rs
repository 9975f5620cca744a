//! The screen: what the terminal shows, and how to get from there to what it shall show.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::time::Instant;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::encode::{Order, difference};
use super::writer::Writer;
use crate::app::{Measured, Scene, State};
use crate::ui::{Look, draw};

const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";
const CLEAR: &str = "\x1b[0m\x1b[2J";

/// What the terminal shows.
pub(super) struct Screen {
    shown: Buffer,
    next: Buffer,
    scene: Scene,
    /// Whether nothing is known of what the terminal shows.
    blank: bool,
    synchronized: bool,
    trace: Option<Trace>,
}

/// Bytes of each frame, for tests and measurements: a line `milliseconds-since-start bytes` for each.
struct Trace {
    file: File,
    begun: Instant,
}

impl Screen {
    /// An empty screen of this size.
    pub(super) fn new(size: (u16, u16), synchronized: bool) -> io::Result<Self> {
        let trace = match std::env::var_os("PGBATON_TRACE_BYTES") {
            Some(path) => Some(Trace { file: OpenOptions::new().create(true).append(true).open(path)?, begun: Instant::now() }),
            None => None,
        };
        let area = area(size);
        Ok(Self { shown: Buffer::empty(area), next: Buffer::empty(area), scene: Scene::default(), blank: true, synchronized, trace })
    }

    /// The terminal has another size, or shows who knows what: everything is to be drawn anew.
    pub(super) fn reset(&mut self, size: (u16, u16)) {
        let area = area(size);
        self.shown = Buffer::empty(area);
        self.next = Buffer::empty(area);
        self.blank = true;
    }

    /// Draws the state; sends a frame when something differs, and tells how many bytes that were. Only while the writer is not busy.
    ///
    /// `aside` is what the terminal is sent beside the picture: the bell, a title.
    pub(super) fn draw(&mut self, state: &State, look: &Look<'_>, aside: &str, writer: &mut Writer) -> io::Result<(Measured, usize)> {
        let measured = draw(state, look, &mut self.next);
        let scene = state.scene();
        let order = if self.blank || scene != self.scene { Order::Any } else { Order::Reading };
        let changes = difference(&self.shown, &self.next, order);
        if changes.is_empty() && aside.is_empty() && !self.blank {
            return Ok((measured, 0));
        }
        let mut frame = String::with_capacity(changes.len() + 32);
        if self.synchronized {
            frame.push_str(BEGIN);
        }
        if self.blank {
            frame.push_str(CLEAR);
        }
        frame.push_str(&changes);
        if self.synchronized {
            frame.push_str(END);
        }
        frame.push_str(aside);
        if let Some(trace) = &mut self.trace {
            writeln!(trace.file, "{} {}", trace.begun.elapsed().as_millis(), frame.len())?;
        }
        let sent = frame.len();
        writer.send(frame.into_bytes())?;
        (self.blank, self.scene) = (false, scene);
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok((measured, sent))
    }
}

/// Some terminals say 0x0 before they know.
fn area((width, height): (u16, u16)) -> Rect {
    if width == 0 || height == 0 { Rect::new(0, 0, 80, 24) } else { Rect::new(0, 0, width, height) }
}
