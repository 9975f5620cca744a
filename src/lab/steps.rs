//! A list of steps with seconds, for a person who waits: rewritten in place on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Writes a line to standard error; nobody reading it any more must not stop what is being done.
pub fn tell(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// Columns of the seconds behind a line.
const SECONDS: usize = 12;

/// Shows progress on standard error.
#[derive(Debug)]
pub struct Steps {
    tty: bool,
    begun: Instant,
    current: Option<(String, Instant)>,
}

impl Default for Steps {
    fn default() -> Self {
        Self { tty: stderr().is_terminal(), begun: Instant::now(), current: None }
    }
}

impl Steps {
    /// Begins a step; on a terminal its name is shown at once.
    pub fn begin(&mut self, what: &str) {
        self.current = Some((what.to_owned(), Instant::now()));
        self.note("");
    }

    /// Shows on a terminal what the current step waits for.
    pub fn note(&self, waiting_for: &str) {
        let Some((what, since)) = &self.current else {
            return;
        };
        if self.tty {
            let waiting = if waiting_for.is_empty() { String::new() } else { format!(" ({waiting_for})") };
            // A line that is wider than the screen would go on in the next one, and never be overwritten.
            let columns = rustix::termios::tcgetwinsize(stderr()).map_or(80, |size| usize::from(size.ws_col));
            let line: String = format!("  ..  {what}{waiting}").chars().take(columns.saturating_sub(SECONDS).clamp(10, 96)).collect();
            // Return, text, clear to the end of the line: an older, longer text leaves nothing behind.
            let _ = write!(stderr(), "\r{line:<60} {:>5.1} s\x1b[K", since.elapsed().as_secs_f32());
            let _ = stderr().flush();
        }
    }

    /// Ends the current step well; `found` says what was seen.
    pub fn done(&mut self, found: &str) {
        self.end("ok", found);
    }

    /// Ends the current step badly.
    pub fn failed(&mut self, why: &str) {
        self.end("!!", why);
    }

    fn end(&mut self, mark: &str, text: &str) {
        let Some((what, since)) = self.current.take() else {
            return;
        };
        let start = if self.tty { "\r" } else { "" };
        let end = if self.tty { "\x1b[K" } else { "" };
        let line = if text.is_empty() { what } else { format!("{what}: {text}") };
        tell(&format!("{start}  {mark}  {line:<60} {:>5.1} s{end}", since.elapsed().as_secs_f32()));
    }

    /// Time since the first step.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.begun.elapsed()
    }
}
