//! Panics. One on the screen's own thread gives the terminal back and ends the program; one in a task becomes a line on the screen, because
//! the program goes on.

use std::collections::VecDeque;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use tokio::sync::Notify;

use super::terminal;
use crate::model::clean;

/// How many are remembered; the first ones tell most.
const KEPT: usize = 8;

static NOTED: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
static NEWS: Notify = Notify::const_new();

fn noted() -> MutexGuard<'static, VecDeque<String>> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs the hook. The calling thread is the screen's.
pub(super) fn install() {
    let screen: ThreadId = thread::current().id();
    let before = take_hook();
    set_hook(Box::new(move |info| {
        if thread::current().id() == screen {
            terminal::leave();
            before(info);
            return;
        }
        let mut noted = noted();
        if noted.len() < KEPT {
            noted.push_back(sentence(info));
        }
        drop(noted);
        NEWS.notify_one();
    }));
}

fn sentence(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic");
    let place = info.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
    clean(&format!("internal error in a background task: {text}{place}"))
}

/// Ends when a task has panicked.
pub(super) async fn news() {
    NEWS.notified().await;
}

/// What has not been told yet.
pub(super) fn take() -> Vec<String> {
    noted().drain(..).collect()
}

/// A panic on purpose, for the tests of what a panic leaves behind: `PGBATON_TEST_PANIC=task` or `ui`.
pub(super) fn on_purpose() {
    match std::env::var("PGBATON_TEST_PANIC").as_deref() {
        Ok("task") => drop(tokio::spawn(async { panic!("on purpose, in a task") })),
        Ok("ui") => panic!("on purpose, on the screen's thread"),
        _ => {}
    }
}
