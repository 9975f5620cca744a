//! The terminal is lent to an editor, and the picture lives on meanwhile.

use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal as Number, kill_process};
use tokio::time::{Instant, sleep_until};

use super::{Console, Exit, PARTING, TICK};
use crate::app::{Asked, Msg, update};
use crate::shell::Feed;
use crate::shell::editor::{Edit, Modes};
use crate::shell::hangup::Hangup;
use crate::shell::signals::{Caught, Signals, can_stop};
use crate::shell::terminal::{Terminal, drop_unsent};

/// How an editor ended.
enum Edited {
    /// By itself, with what it has left, or why there is nothing.
    Ended(Result<String, String>),
    /// We have to leave.
    Leave(Exit),
}

impl<F: Feed> Console<F> {
    /// Gives the terminal to an editor and takes it back, however that ends; then the plan of what was edited is shown.
    pub(super) async fn edit(
        &mut self,
        mut asked: Asked,
        signals: &mut Signals,
        terminal: &Terminal,
        hangup: &Hangup,
    ) -> anyhow::Result<Option<Exit>> {
        let edit = match self.feed.draft().and_then(|text| Edit::of(&text).map_err(|error| format!("{error:#}"))) {
            Ok(edit) => edit,
            Err(why) => {
                update(&mut self.state, Msg::Planned(Err(why)));
                return Ok(None);
            }
        };
        if !self.writer.settle(PARTING).await {
            drop_unsent();
        }
        terminal.lend();
        let modes = Modes::keep();
        let edited = self.edited(&edit, signals, hangup).await;
        modes.restore();
        terminal.retake()?;
        // What crossterm had read before the editor began is not meant for what is shown after it.
        while crossterm::event::poll(Duration::ZERO).unwrap_or(false) {
            let _ = crossterm::event::read();
        }
        self.redraw()?;
        self.due = Some(Instant::now());
        let text = match edited? {
            Edited::Leave(exit) => return Ok(Some(exit)),
            Edited::Ended(text) => text,
        };
        let plan = text.and_then(|text| {
            asked.given.push(text);
            self.feed.plan(&asked)
        });
        update(&mut self.state, Msg::Planned(plan));
        Ok(None)
    }

    /// Waits for the editor; the picture lives on meanwhile, and nothing of it is drawn.
    async fn edited(&mut self, edit: &Edit, signals: &mut Signals, hangup: &Hangup) -> anyhow::Result<Edited> {
        let mut editor = match edit.command().kill_on_drop(true).spawn() {
            Ok(editor) => editor,
            Err(error) => return Ok(Edited::Ended(Err(format!("no shell for the editor: {error}")))),
        };
        loop {
            let due = self.due.unwrap_or_else(|| Instant::now() + TICK);
            tokio::select! {
                status = editor.wait() => {
                    let text = status.context("the editor's end is not known").and_then(|status| edit.text(status));
                    return Ok(Edited::Ended(text.map_err(|error| format!("{error:#}"))));
                }
                caught = signals.next() => match caught {
                    // What is pressed while it has the terminal is meant for the editor.
                    Caught::End(number) if number == Number::INT.as_raw() || number == Number::QUIT.as_raw() => {}
                    Caught::End(number) => return Ok(Edited::Leave(Exit::Signal(number))),
                    Caught::Stop if can_stop() => signals.stop().await.context("cannot stop")?,
                    // It has stopped, and nobody else would have it go on.
                    Caught::Stop => {
                        if let Some(pid) = editor.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
                            let _ = kill_process(pid, Number::CONT);
                        }
                    }
                    Caught::Continue => {}
                },
                () = hangup.wait() => return Ok(Edited::Leave(Exit::Signal(1))),
                news = self.feed.wait() => self.heard(news),
                () = sleep_until(due) => self.make()?,
            }
        }
    }
}
