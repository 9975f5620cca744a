//! Questions to the operator. Whoever ends one, by Ctrl-C or the end of input, stops the run where it is.

use std::io::{BufRead, Write};

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::cli::act::can_ask;
use crate::cli::connect::runtime;
use crate::model::{clean, washed};

/// What is answered by whoever wants to know what is asked.
const HELP: &str = "?";

/// A line from the operator; `None` where nobody can be asked. `?` is no answer: the help is told, and it is asked again.
///
/// # Errors
/// The operator wants to stop.
pub(super) fn ask(question: &str, help: &str) -> anyhow::Result<Option<String>> {
    if !can_ask() {
        return Ok(None);
    }
    loop {
        match once(question)? {
            answer if answer == HELP => help.lines().for_each(|line| println!("    {}", washed(line))),
            answer => return Ok(Some(answer)),
        }
    }
}

fn once(question: &str) -> anyhow::Result<String> {
    let answer = runtime()?.block_on(async {
        // Before the question is there: whoever sees it may press Ctrl-C at once.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let told = put(question)?;
        tokio::select! {
            told = told => anyhow::Ok(told.context("the terminal is gone")?),
            _ = interrupt.recv() => Ok(None),
        }
    })?;
    match answer {
        Some(answer) => Ok(answer),
        None => bail!("stopped; nothing was answered, and the step is as it was"),
    }
}

/// Puts the question; what is typed comes when it was typed, and nothing at the end of input.
fn put(question: &str) -> anyhow::Result<oneshot::Receiver<Option<String>>> {
    let mut err = std::io::stderr().lock();
    // What was typed before the question was there answers nothing.
    rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush)?;
    err.write_all(format!("  {} ", clean(question)).as_bytes())?;
    err.flush()?;
    let (tell, told) = oneshot::channel();
    // A thread of its own: a read of the terminal cannot be called off, and the process may have to end before it.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line).ok().filter(|bytes| *bytes > 0);
        let _ = tell.send(read.map(|_| line.trim().to_owned()));
    });
    Ok(told)
}
