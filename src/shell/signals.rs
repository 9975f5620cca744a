//! Signals.

use std::io;

use nix::unistd::{getpid, getppid, getsid};
use rustix::process::{Signal as Number, kill_current_process_group};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A signal that the loop has to see to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caught {
    /// Leave; the number of the signal.
    End(i32),
    /// Stop (SIGTSTP from outside; Ctrl-Z is a key).
    Stop,
    /// Go on, after a stop that we did not see coming.
    Continue,
}

/// The signals that are listened to.
pub(super) struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    quit: Signal,
    stop: Signal,
    go_on: Signal,
}

impl Signals {
    /// Listens.
    pub(super) fn listen() -> io::Result<Self> {
        let kind = |number: Number| signal(SignalKind::from_raw(number.as_raw()));
        Ok(Self {
            terminate: kind(Number::TERM)?,
            hang_up: kind(Number::HUP)?,
            interrupt: kind(Number::INT)?,
            quit: kind(Number::QUIT)?,
            stop: kind(Number::TSTP)?,
            go_on: kind(Number::CONT)?,
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Caught {
        tokio::select! {
            _ = self.terminate.recv() => Caught::End(Number::TERM.as_raw()),
            _ = self.hang_up.recv() => Caught::End(Number::HUP.as_raw()),
            _ = self.interrupt.recv() => Caught::End(Number::INT.as_raw()),
            _ = self.quit.recv() => Caught::End(Number::QUIT.as_raw()),
            _ = self.stop.recv() => Caught::Stop,
            _ = self.go_on.recv() => Caught::Continue,
        }
    }

    /// Stops the whole job, as Ctrl-Z does, and ends when somebody has told it to go on.
    ///
    /// The order to go on is waited for: with several threads the stop may take hold only after the call that asks for it has returned.
    pub(super) async fn stop(&mut self) -> io::Result<()> {
        kill_current_process_group(Number::STOP)?;
        self.go_on.recv().await;
        Ok(())
    }
}

/// Whether there is a shell that can call a stopped job back. Without one (first process of its session, as with `ssh host pgbaton`), a stop
/// would be for ever. A session or a parent outside of the PID namespace has number 0, and no shell there can be told from none.
pub(super) fn can_stop() -> bool {
    let outside = |number: nix::unistd::Pid| number.as_raw() == 0;
    let (Ok(session), parent) = (getsid(None), getppid()) else { return false };
    if session == getpid() || outside(session) || outside(parent) {
        return false;
    }
    getsid(Some(parent)) == Ok(session)
}
