//! A terminal that goes away: the SSH line breaks, the window is closed.
//!
//! crossterm 0.29 must not read such a terminal: its source takes the end of the file for "nothing yet" and asks again for ever, inside of one
//! poll, so that not even SIGHUP is seen any more. So it is asked here first, and a thread that nothing holds up ends the process if crossterm
//! was reading at that very moment.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::Notify;

/// How long the console may take to leave before the process is ended; longer than it waits for its last frame.
const PARTING: Duration = Duration::from_secs(4);

/// The exit code of a process that SIGHUP has ended, as shells tell it.
const HUNG_UP: i32 = 129;

/// Watches the terminal.
pub(super) struct Hangup {
    terminal: OwnedFd,
    gone: Arc<Notify>,
}

impl Hangup {
    /// Watches the terminal that is standard input.
    pub fn watch() -> io::Result<Self> {
        let terminal = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
        let (watched, gone) = (terminal.try_clone()?, Arc::new(Notify::new()));
        let tell = Arc::clone(&gone);
        thread::Builder::new().name("hangup".to_owned()).spawn(move || {
            while !hung_up(&watched, None) {}
            tell.notify_one();
            thread::sleep(PARTING);
            std::process::exit(HUNG_UP);
        })?;
        Ok(Self { terminal, gone })
    }

    /// Ends when the terminal is gone.
    pub async fn wait(&self) {
        self.gone.notified().await;
    }

    /// The next event; `None` when the terminal is gone.
    pub fn poll_next(&self, keys: &mut EventStream, cx: &mut Context<'_>) -> Poll<Option<io::Result<Event>>> {
        if hung_up(&self.terminal, Some(&Timespec::default())) { Poll::Ready(None) } else { keys.poll_next_unpin(cx) }
    }
}

/// Whether the terminal is gone, by the system; waits for that no longer than `limit`.
fn hung_up(terminal: &OwnedFd, limit: Option<&Timespec>) -> bool {
    // A hang-up is told without being asked for.
    let mut asked = [PollFd::new(terminal, PollFlags::empty())];
    match poll(&mut asked, limit) {
        Ok(_) => asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL),
        Err(_) => false,
    }
}
