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

/// What is answered by whoever wants to know what is asked.
pub const HELP: &str = "?";

/// What is told then.
pub fn help(plan: &Plan, red: &[String]) -> String {
    format!("{}: what stands above is sent, once\nanything else: nothing is sent", word(plan, red))
}

/// What has to be typed.
fn word(plan: &Plan, red: &[String]) -> String {
    let word = match &plan.confirm {
        Confirm::YesNo => "y".to_owned(),
        Confirm::Type(word) => clean(word),
    };
    if red.is_empty() { word } else { format!("{INSISTS}{word}") }
}

/// What is typed before the word by whoever passes over red checks.
const INSISTS: &str = "override ";

/// The answer without the word that passes over red checks, if that was asked for: without it, it is none.
pub fn insisted<'a>(typed: &'a str, red: &[String]) -> &'a str {
    if red.is_empty() { typed } else { typed.strip_prefix(INSISTS).unwrap_or_default() }
}

/// Asks on the terminal; what was typed comes when it was typed. Nothing typed before the question counts. `red`: checks that the answer passes over.
pub fn ask(plan: &Plan, red: &[String]) -> anyhow::Result<oneshot::Receiver<String>> {
    let mut err = std::io::stderr().lock();
    flush()?;
    let warned = if plan.light() == Light::Green { "" } else { " (there are notes above)" };
    let sentence = &plan.sentence;
    let question = match &plan.confirm {
        _ if !red.is_empty() => {
            format!("{sentence} (red: {}): to do it all the same, type {} ", red.join(", "), word(plan, red))
        }
        Confirm::YesNo => format!("{sentence}: do it?{warned} [y/N] "),
        Confirm::Type(_) => format!("{sentence}{warned}: to do it, type {} ", word(plan, red)),
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
