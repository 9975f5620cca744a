//! The terminal, taken and given back.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use rustix::termios::{QueueSelector, tcflush};

/// Alternate screen, no cursor, pasted text marked as such (so that it is never taken for keys), all cells empty.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[0m\x1b[2J";

/// The reverse, whatever state a cut-off frame has left.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// Keeps the window's title, and puts it back, on terminals that do so.
const KEEP_TITLE: &[u8] = b"\x1b[22;2t";
const RESTORE_TITLE: &[u8] = b"\x1b[23;2t";

/// How long a terminal may take to accept the last bytes. It may be gone.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether the terminal is ours at the moment; the panic hook asks too.
static OURS: AtomicBool = AtomicBool::new(false);

/// Held while a frame is written: one that is under way must not come after what gives the terminal back.
static TURN: Mutex<()> = Mutex::new(());

/// The terminal's output for frames. As long as the terminal is not ours it takes them and shows nothing of them.
pub(super) struct Frames(pub(super) File);

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        if OURS.load(Ordering::SeqCst) { self.0.write(bytes) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether the window's title is ours, too.
static TITLED: AtomicBool = AtomicBool::new(false);

/// The terminal for as long as it lives.
pub(super) struct Terminal(());

impl Terminal {
    /// Takes the terminal; `titled`: the window's title as well.
    pub(super) fn take(titled: bool) -> anyhow::Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            bail!("the console needs a terminal; `pgbaton status` prints the same picture once");
        }
        if std::env::var("TERM").is_ok_and(|term| term == "dumb") {
            bail!("this terminal (TERM=dumb) cannot place text; `pgbaton status --watch` works on it");
        }
        TITLED.store(titled, Ordering::SeqCst);
        enter()?;
        Ok(Self(()))
    }

    /// Gives it back for a while.
    pub(super) fn lend(&self) {
        leave();
    }

    /// Takes it again.
    pub(super) fn retake(&self) -> anyhow::Result<()> {
        enter()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        leave();
    }
}

fn enter() -> anyhow::Result<()> {
    enable_raw_mode().context("cannot set up the terminal")?;
    OURS.store(true, Ordering::SeqCst);
    let mut out = io::stdout().lock();
    let keep = if TITLED.load(Ordering::SeqCst) { KEEP_TITLE } else { b"" };
    out.write_all(&[keep, ENTER].concat()).and_then(|()| out.flush()).context("cannot write to the terminal")
}

/// Gives the terminal back, if it is ours. Never blocks for long: a terminal that is gone, or that does not read, cannot keep us.
pub(super) fn leave() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let (done, wait) = sync_channel(1);
    let write = move || {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = io::stdout().lock();
        let _ = out.write_all(&leaving()).and_then(|()| out.flush());
        let _ = done.send(());
    };
    match thread::Builder::new().name("restore".to_owned()).spawn(write) {
        Ok(_) => {
            if wait.recv_timeout(PATIENCE).is_err() {
                drop_unsent();
                let _ = wait.recv_timeout(PATIENCE);
            }
        }
        // No thread to be had: a terminal that hangs is the smaller trouble than one that is left as it is.
        Err(_) => {
            let mut out = io::stdout().lock();
            let _ = out.write_all(&leaving()).and_then(|()| out.flush());
        }
    }
    let _ = disable_raw_mode();
}

fn leaving() -> Vec<u8> {
    let title = if TITLED.load(Ordering::SeqCst) { RESTORE_TITLE } else { b"" };
    [LEAVE, title].concat()
}

/// Throws away what the terminal has not taken, so that a write that hangs ends.
pub(super) fn drop_unsent() {
    let _ = tcflush(io::stdout(), QueueSelector::OFlush);
}
