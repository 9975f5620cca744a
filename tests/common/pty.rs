//! A program in a terminal of its own, and what is to be seen there.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::fs::{Mode, OFlags, open};
use rustix::termios::{InputModes, LocalModes, OutputModes, tcgetattr};

/// Longer than anything that works takes.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A program in a terminal.
pub struct Pty {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    pub parser: vt100::Parser,
    /// The modes that it had before the program.
    modes: Modes,
    /// How long to wait for anything before giving up.
    pub patience: Duration,
    /// All that has come so far.
    pub seen: Vec<u8>,
    /// All that was pressed so far.
    pub pressed: String,
    /// Bytes that have left the terminal so far; on a slow line they are still on their way.
    carried: Arc<AtomicUsize>,
    /// Whether a synchronized update has begun and is still to come in part: a terminal that knows them shows nothing of it yet.
    in_a_frame: bool,
}

const FRAME: &[u8] = b"\x1b[?2026h";
const FRAME_END: &[u8] = b"\x1b[?2026l";

/// A line between the terminal and whoever looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub bytes_per_second: usize,
    /// How long every byte is on its way.
    pub delay: Duration,
}

impl Line {
    /// How often it takes bytes.
    const STEP: Duration = Duration::from_millis(20);

    /// Takes from the terminal what it can carry, and no more.
    fn carry(self, mut reader: Box<dyn Read + Send>, arrived: Sender<Vec<u8>>, carried: &AtomicUsize) {
        let (send, under_way) = channel::<(Instant, Vec<u8>)>();
        thread::spawn(move || {
            for (at, bytes) in under_way {
                thread::sleep(at.saturating_duration_since(Instant::now()));
                if arrived.send(bytes).is_err() {
                    break;
                }
            }
        });
        let mut chunk = vec![0; (self.bytes_per_second as f64 * Self::STEP.as_secs_f64()) as usize];
        let mut free = Instant::now();
        while let Ok(n) = reader.read(&mut chunk) {
            carried.fetch_add(n, Ordering::SeqCst);
            // A line that had nothing to do saves nothing up; one whose thread was late does.
            free = free.max(Instant::now().checked_sub(Self::STEP * 5).unwrap_or(free))
                + Duration::from_secs_f64(n as f64 / self.bytes_per_second as f64);
            if n == 0 || send.send((free + self.delay, chunk[..n].to_vec())).is_err() {
                break;
            }
            thread::sleep(free.saturating_duration_since(Instant::now()));
        }
    }
}

/// What decides whether a terminal turns lines into commands and shows what is typed.
type Modes = (InputModes, OutputModes, LocalModes);

fn modes_of(master: &dyn MasterPty) -> Modes {
    let name = master.tty_name().expect("the terminal has a name");
    let slave = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK, Mode::empty()).expect("it opens");
    let modes = tcgetattr(slave).expect("it has modes");
    (modes.input_modes, modes.output_modes, modes.local_modes)
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a size")
}

fn parser(cols: u16, rows: u16) -> vt100::Parser {
    vt100::Parser::new(cells(rows), cells(cols), 0)
}

/// The example that runs the console on a sample, built as it is now.
pub fn console() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

/// Cargo as somebody at a shell has it. What a test is given of this package would otherwise be given to build scripts too, and those that ask for
/// it (`ring`'s does) are run anew, with all that depends on them.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for name in given_by_cargo() {
        cargo.env_remove(name);
    }
    cargo
}

/// The names of what cargo gives a test of its package.
fn given_by_cargo() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    })
}

fn build() -> PathBuf {
    let built = cargo().args(["build", "--quiet", "--example", "console_on_sample"]).status().expect("cargo runs");
    assert!(built.success(), "the example does not build");
    let target = std::env::current_exe().expect("the test knows itself");
    let profile = target.ancestors().nth(2).expect("target/debug/deps/test");
    profile.join("examples/console_on_sample")
}

impl Pty {
    /// Starts a program in a terminal of this size.
    pub fn spawn(program: &Path, args: &[&str], env: &[(&str, &str)], size: (u16, u16)) -> Self {
        Self::spawn_on(None, program, args, env, size)
    }

    /// The same at the end of a line; `None`: of one that is as fast as the machine.
    pub fn spawn_on(line: Option<Line>, program: &Path, args: &[&str], env: &[(&str, &str)], (cols, rows): (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("a pty");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env_remove("LC_ALL");
        // What would tell of the terminal that the tests are run in.
        for name in ["NO_COLOR", "COLORTERM", "SSH_CONNECTION", "SSH_TTY", "TERM_PROGRAM", "VTE_VERSION", "TMUX", "PGBATON_THEME"] {
            command.env_remove(name);
        }
        // A program that is run by cargo here must not be another one than somebody at a shell has.
        for name in given_by_cargo() {
            command.env_remove(name);
        }
        command.env("RUST_BACKTRACE", "0");
        for (name, value) in env {
            command.env(name, value);
        }
        let modes = modes_of(&*pair.master);
        let child = pair.slave.spawn_command(command).expect("it starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (send, output) = channel();
        let carried = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&carried);
        thread::spawn(move || {
            if let Some(line) = line {
                return line.carry(reader, send, &count);
            }
            let mut chunk = [0; 8192];
            while let Ok(n) = reader.read(&mut chunk) {
                count.fetch_add(n, Ordering::SeqCst);
                if n == 0 || send.send(chunk[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        let keys = pair.master.take_writer().expect("a writer");
        Self {
            master: pair.master,
            keys,
            child,
            output,
            parser: parser(cols, rows),
            modes,
            patience: DEADLINE,
            seen: Vec::new(),
            pressed: String::new(),
            carried,
            in_a_frame: false,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        // A mark may come in two parts.
        let known = self.seen.len().saturating_sub(FRAME.len() - 1);
        self.seen.extend_from_slice(bytes);
        if let Some(mark) = self.seen[known..].windows(FRAME.len()).rfind(|bytes| matches!(*bytes, FRAME | FRAME_END)) {
            self.in_a_frame = mark == FRAME;
        }
        self.parser.process(bytes);
    }

    pub fn press(&mut self, keys: &str) {
        self.pressed.push_str(keys);
        self.keys.write_all(keys.as_bytes()).expect("keys are sent");
        self.keys.flush().expect("keys are sent");
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.parser.screen_mut().set_size(cells(rows), cells(cols));
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("resized");
    }

    pub fn pid(&self) -> rustix::process::Pid {
        let pid = self.child.process_id().expect("a pid");
        rustix::process::Pid::from_raw(pid.cast_signed()).expect("a pid")
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("the signal is sent");
    }

    /// Bytes that have left the terminal so far.
    pub fn carried(&self) -> usize {
        self.carried.load(Ordering::SeqCst)
    }

    pub fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// Reads until the screen is as wanted; tells how long that took.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) -> Duration {
        let begun = Instant::now();
        loop {
            if !self.in_a_frame && wanted(self.parser.screen()) {
                return begun.elapsed();
            }
            match self.output.recv_timeout(self.patience.saturating_sub(begun.elapsed())) {
                Ok(bytes) => {
                    self.take(&bytes);
                }
                Err(RecvTimeoutError::Timeout) => panic!("{what} did not come; the screen is\n{}", self.screen()),
                Err(RecvTimeoutError::Disconnected) => panic!("{what} did not come before the end; the screen is\n{}", self.screen()),
            }
        }
    }

    /// Reads until nothing has come for so long.
    pub fn until_quiet(&mut self, span: Duration) {
        while let Ok(bytes) = self.output.recv_timeout(span) {
            self.take(&bytes);
        }
    }

    pub fn until_text(&mut self, text: &str) -> Duration {
        self.until(text, |screen| screen.contents().contains(text))
    }

    /// Waits for the end; reads what is still to come. Tells the exit code.
    pub fn end(&mut self) -> u32 {
        let begun = Instant::now();
        loop {
            match self.output.recv_timeout(self.patience.saturating_sub(begun.elapsed())) {
                Ok(bytes) => {
                    self.take(&bytes);
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it did not end; the screen is\n{}", self.screen()),
            }
        }
        self.child.wait().expect("it ended").exit_code()
    }

    /// The terminal is as a shell wants it: main screen, cursor, no mark for pasted text, no looks left over.
    pub fn assert_restored(&self) {
        self.assert_screen_restored();
        assert_eq!(modes_of(&*self.master), self.modes, "the modes are others than before");
    }

    /// The same without the modes, which a shell at its prompt sets for itself.
    pub fn assert_screen_restored(&self) {
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "still on the alternate screen");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bracketed_paste(), "pasted text is still marked");
        assert_eq!(screen.fgcolor(), vt100::Color::Default);
        assert!(!screen.bold() && !screen.inverse());
    }
}
