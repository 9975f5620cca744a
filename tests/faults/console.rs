//! The console as a person has it: in a terminal, a key pressed now and then, and how long the screen takes to answer.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::pty::Pty;

const SIZE: (u16, u16) = (160, 48);
/// A key is pressed this often.
const EVERY: Duration = Duration::from_millis(300);

/// A console under test.
pub struct Console {
    took: Arc<Mutex<Vec<(Instant, Duration)>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Console {
    pub fn start(config: &Path) -> Self {
        let home = tempfile::tempdir().unwrap();
        let args = ["-c", config.to_str().unwrap()];
        let env = [("HOME", home.path().to_str().unwrap())];
        let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &args, &env, SIZE);
        let took: Arc<Mutex<Vec<(Instant, Duration)>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (kept, ended) = (Arc::clone(&took), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let _home = home;
            pty.until("the first frame", |screen| screen.contents().contains("━ 1 Members"));
            while !ended.load(Ordering::Relaxed) {
                for (key, pane) in [("\t", "━ 2 Lag"), ("\x1b[Z", "━ 1 Members")] {
                    let pressed = Instant::now();
                    pty.press(key);
                    let answered = pty.until(pane, |screen| screen.contents().contains(pane));
                    kept.lock().unwrap().push((pressed, answered));
                    // The stretch between two keys of a person; nothing is waited for.
                    std::thread::sleep(EVERY);
                }
            }
            pty.press("q");
            assert_eq!(pty.end(), 0);
        });
        Self { took, stop, thread: Some(thread) }
    }

    /// How long each key since a moment took; empties what is before.
    pub fn since(&self, moment: Instant) -> Vec<Duration> {
        let mut took = self.took.lock().unwrap();
        took.retain(|(at, _)| *at >= moment);
        took.iter().map(|(_, took)| *took).collect()
    }

    /// Whether it still answers: a console that does not answer a key within the patience of the terminal has ended the thread.
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| !t.is_finished())
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its panic, if it had one, was reported by the case during which it came.
            let _ = thread.join();
        }
    }
}
