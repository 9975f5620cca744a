//! The question before an action.

use std::io::{BufRead, IsTerminal, Write};

use tokio::sync::oneshot;

use crate::action::{Confirm, Light, Plan};
use crate::model::clean;

/// Whether somebody is there to answer.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// One line, asked for on the terminal.
pub fn line(question: &str) -> anyhow::Result<String> {
    let mut err = std::io::stderr().lock();
    err.write_all(question.as_bytes())?;
    err.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Forgets what was typed ahead: it must answer nothing.
pub fn flush() -> anyhow::Result<()> {
    Ok(rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush)?)
}

/// Asks on the terminal; what was typed comes when it was typed. Nothing typed before the question counts.
pub fn ask(plan: &Plan) -> anyhow::Result<oneshot::Receiver<String>> {
    let mut err = std::io::stderr().lock();
    flush()?;
    let warned = if plan.light() == Light::Green { "" } else { " (there are notes above)" };
    let question = match &plan.confirm {
        Confirm::YesNo => format!("{}: do it?{warned} [y/N] ", plan.sentence),
        Confirm::Type(word) => format!("{}{warned}: to do it, type {} ", plan.sentence, clean(word)),
    };
    // In one piece: who answers may be a program, and half a question looks like a whole one.
    err.write_all(question.as_bytes())?;
    err.flush()?;
    let (tell, told) = oneshot::channel();
    // A thread of its own: a read of the terminal cannot be called off, and the process may have to end before it.
    std::thread::spawn(move || {
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).is_ok() {
            let _ = tell.send(line.trim().to_owned());
        }
    });
    Ok(told)
}
