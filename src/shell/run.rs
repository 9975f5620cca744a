//! The loop.

mod lend;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::time::Duration;

use anyhow::Context;
use crossterm::event::{Event, EventStream, KeyEventKind};
use crossterm::terminal::size;
use tokio::time::{Instant, sleep_until};

use super::attention::{self, Attention};
use super::hangup::Hangup;
use super::pace::{News, Pace};
use super::signals::{Caught, Signals, can_stop};
use super::terminal::{Terminal, drop_unsent};
use super::writer::Writer;
use super::{Feed, Keys, Options, Stock, panics, screen::Screen};
use crate::app::{Asked, Effect, EventLine, Msg, Notice, State, TextEdit, update};
use crate::command::{Keymap, Resolved, Resolver, chord_of};
use crate::document::Level;
use crate::theme::Theme;
use crate::ui::{Look, models};

/// What has changed is news and does not wait that long.
const NEWS: Duration = Duration::from_millis(50);
/// In the first second every source answers for the first time, and nobody wants to wait for the whole picture.
const OPENING: (Duration, Duration) = (Duration::from_secs(1), Duration::from_millis(20));
/// For how long what the nodes log may be taken in at once: in a flood a key waits for no more. What is left waits at the nodes.
const LOGS: Duration = Duration::from_millis(40);
/// Ages and countdowns.
const TICK: Duration = Duration::from_secs(1);
/// A key that comes later than this after the one before, while nothing else was waiting to be read, was pressed and not pasted with it. Nobody
/// reads what Enter does and presses it faster.
const REST: Duration = Duration::from_millis(100);
/// How long the last frame may take when we leave.
const PARTING: Duration = Duration::from_millis(1500);

/// How the console ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By its own command.
    Quit,
    /// By a signal of this number; a terminal that went away counts as SIGHUP.
    Signal(i32),
}

impl Exit {
    /// The exit code: 0, or 128 and the number of the signal, as shells tell it (SIGHUP 129, SIGINT 130, SIGTERM 143).
    pub fn code(self) -> u8 {
        match self {
            Exit::Quit => 0,
            Exit::Signal(number) => u8::try_from(128 + number).unwrap_or(u8::MAX),
        }
    }
}

/// Opens the console and ends with it. To be called from the thread that started the runtime (in `block_on`): a panic there gives the terminal
/// back and ends the program, a panic anywhere else becomes a line on the screen.
pub async fn run(options: Options, feed: impl Feed) -> anyhow::Result<Exit> {
    let signals = Signals::listen().context("cannot listen to signals")?;
    let terminal = Terminal::take(options.attention.title)?;
    panics::install();
    let mut console = Console::open(options, feed)?;
    let result = console.live(signals, &terminal).await;
    if !console.writer.settle(PARTING).await {
        drop_unsent();
    }
    drop(terminal);
    for text in panics::take() {
        eprintln!("pgbaton: {text}");
    }
    result
}

pub(super) struct Console<F> {
    feed: F,
    pub(super) state: State,
    pub(super) theme: Theme,
    pub(super) stock: Stock,
    pub(super) keymap: Keymap,
    pub(super) keys: Keys,
    ascii: bool,
    pub(super) attention: Attention,
    pub(super) clipboard: &'static str,
    /// What the terminal is sent beside the next picture.
    pub(super) aside: String,
    /// The window's title, when it is ours.
    titled: String,
    /// When the one who looks was last called.
    pub(super) called: Option<Instant>,
    resolver: Resolver,
    screen: Screen,
    writer: Writer,
    /// Changes that are not drawn yet.
    news: Vec<EventLine>,
    /// When the picture is to be made anew; `None`: it is as it should be.
    due: Option<Instant>,
    /// Whether the screen has to be drawn whatever the data does.
    dirty: bool,
    /// When the console was opened.
    opened: Instant,
    /// When the picture was last made.
    made: Instant,
    /// When the last key is so long ago that it was no part of a paste; `None`: nobody waits for that.
    rest: Option<Instant>,
    /// When data may be drawn again.
    pace: Pace,
}

/// What the loop does next.
enum Next {
    Stay,
    Leave(Exit),
    Stop,
    Edit(Asked),
}

impl<F: Feed> Console<F> {
    fn open(options: Options, feed: F) -> anyhow::Result<Self> {
        let mut state = State::new(models(), options.cluster, options.mode);
        state.label = options.label;
        state.arrangement = options.arrangement;
        state.theme = options.theme.name().to_owned();
        state.themes = options.stock.names();
        state.keymap = options.keymap_name;
        state.keymaps = options.keys.names();
        state.folder = std::env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default();
        let screen = Screen::new(size().context("cannot ask the terminal for its size")?, options.synchronized)?;
        let mut console = Self {
            feed,
            state,
            theme: options.theme,
            stock: options.stock,
            keymap: options.keymap,
            keys: options.keys,
            ascii: options.ascii,
            attention: options.attention,
            clipboard: options.clipboard,
            aside: String::new(),
            titled: String::new(),
            called: None,
            resolver: Resolver::default(),
            screen,
            writer: Writer::to_stdout().context("cannot write to the terminal")?,
            news: Vec::new(),
            due: None,
            dirty: true,
            opened: Instant::now(),
            made: Instant::now(),
            rest: None,
            pace: Pace::new(Instant::now()),
        };
        console.make()?;
        for text in options.notices {
            update(&mut console.state, Msg::Notice(Notice { level: Level::Warning, text }));
        }
        Ok(console)
    }

    async fn live(&mut self, mut signals: Signals, terminal: &Terminal) -> anyhow::Result<Exit> {
        let mut keys = EventStream::new();
        let hangup = Hangup::watch().context("cannot watch the terminal")?;
        let mut tick = Instant::now() + TICK;
        self.draw()?;
        panics::on_purpose();
        // Runs and their runbooks are files to be read: not before there is something to look at.
        let left = self.feed.left();
        self.dirty |= !left.is_empty();
        update(&mut self.state, Msg::Left(left));
        loop {
            let due = self.due.unwrap_or_else(|| Instant::now() + TICK);
            // Whoever opens it waits for the picture, on the slowest line as well.
            let opening = self.opened.elapsed() < OPENING.0;
            let news = match self.news.as_slice() {
                [] => News::Values,
                news if news.iter().any(EventLine::is_of_leader) => News::Leader,
                _ => News::Event,
            };
            let due = if opening { due } else { self.pace.from(due, news) };
            // Counted from when there is nothing else to do: what drawing takes is no rest.
            if !self.state.answered() {
                self.rest = None;
            } else if self.rest.is_none() {
                self.rest = Some(Instant::now() + REST);
            }
            let rest = self.rest.unwrap_or(due);
            let next = tokio::select! {
                biased;
                caught = signals.next() => match caught {
                    Caught::End(number) => Next::Leave(Exit::Signal(number)),
                    Caught::Stop => Next::Stop,
                    Caught::Continue => {
                        // Somebody stopped us without asking, and a shell may have set up the terminal for itself meanwhile.
                        terminal.lend();
                        terminal.retake()?;
                        self.redraw()?;
                        Next::Stay
                    }
                },
                () = hangup.wait() => Next::Leave(Exit::Signal(1)),
                event = poll_fn(|cx| hangup.poll_next(&mut keys, cx)) => match event {
                    Some(Ok(event)) => self.event(event)?,
                    // The terminal is gone.
                    Some(Err(_)) | None => Next::Leave(Exit::Signal(1)),
                },
                written = self.writer.written() => match written {
                    Ok(took) => {
                        self.pace.accepted(took);
                        Next::Stay
                    }
                    Err(_) => Next::Leave(Exit::Signal(1)),
                },
                () = panics::news() => {
                    for text in panics::take() {
                        update(&mut self.state, Msg::Notice(Notice { level: Level::Critical, text }));
                    }
                    self.dirty = true;
                    Next::Stay
                }
                news = self.feed.wait() => {
                    self.heard(news);
                    // However long the line keeps the next picture back.
                    let effects = self.listen();
                    self.perform(effects)?
                }
                () = sleep_until(due), if self.due.is_some() && !self.writer.busy() => {
                    self.make()?;
                    Next::Stay
                }
                () = sleep_until(rest), if self.rest.is_some() => {
                    self.rest = None;
                    let effects = update(&mut self.state, Msg::Rested);
                    self.dirty = true;
                    self.perform(effects)?
                }
                () = sleep_until(tick) => {
                    tick += TICK;
                    if tick < Instant::now() {
                        tick = Instant::now() + TICK;
                    }
                    self.due.get_or_insert(Instant::now());
                    Next::Stay
                }
            };
            match next {
                Next::Leave(exit) => return Ok(exit),
                Next::Stop => self.stop(&mut signals, terminal).await?,
                Next::Edit(asked) => {
                    // Else what is typed into the editor would be read here.
                    drop(keys);
                    let left = self.edit(asked, &mut signals, terminal, &hangup).await?;
                    keys = EventStream::new();
                    if let Some(exit) = left {
                        return Ok(exit);
                    }
                }
                Next::Stay => {}
            }
            self.draw()?;
        }
    }

    /// New observations are in; the picture is made when it is time.
    fn heard(&mut self, news: Vec<EventLine>) {
        let wait = match news.is_empty() {
            _ if self.opened.elapsed() < OPENING.0 => OPENING.1,
            true => self.pace.usual(),
            false => NEWS,
        };
        self.news.extend(news);
        let due = (self.made + wait).max(Instant::now());
        self.due = Some(self.due.map_or(due, |old| old.min(due)));
    }

    fn make(&mut self) -> anyhow::Result<()> {
        self.due = None;
        self.made = Instant::now();
        let document = Box::new(self.feed.document());
        let mut effects = update(&mut self.state, Msg::Document(document, std::mem::take(&mut self.news)));
        if let Some(audit) = self.feed.audit() {
            effects.extend(update(&mut self.state, Msg::Audit(audit)));
        }
        if let Some(course) = self.feed.course() {
            effects.extend(update(&mut self.state, Msg::Course(course)));
        }
        effects.extend(self.listen());
        if let Some((asked, rows)) = self.feed.listed() {
            effects.extend(update(&mut self.state, Msg::Listed(asked, rows)));
        }
        if let Some(told) = self.feed.examined() {
            effects.extend(update(&mut self.state, Msg::Examined(told.map(Box::new))));
        }
        self.dirty = true;
        // Nothing of that leaves, or lends the terminal.
        self.perform(effects).map(drop)
    }

    /// Takes in what the nodes log.
    fn listen(&mut self) -> Vec<Effect> {
        let (begun, mut effects) = (Instant::now(), Vec::new());
        loop {
            let heard = self.feed.logs();
            if heard.is_empty() {
                break;
            }
            effects.extend(update(&mut self.state, Msg::Heard(heard)));
            if begun.elapsed() > LOGS {
                break;
            }
        }
        effects
    }

    fn event(&mut self, event: Event) -> anyhow::Result<Next> {
        self.dirty = true;
        self.rest = None;
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                let effects = match self.resolver.press(chord_of(&key), self.state.scopes(), &self.keymap) {
                    Resolved::Command(id) => update(&mut self.state, Msg::Command(id)),
                    Resolved::Typed(c) => update(&mut self.state, Msg::Text(TextEdit::Insert(c.to_string()))),
                    Resolved::Pending(keys) => update(&mut self.state, Msg::Pending(Some(keys))),
                    Resolved::Nothing(_) => update(&mut self.state, Msg::Pending(None)),
                };
                let next = self.perform(effects)?;
                // What the key brings onto the screen must not stand beside ages of some time ago, however long the line keeps data back.
                if self.made.elapsed() >= TICK {
                    self.make()?;
                }
                return Ok(next);
            }
            Event::Paste(text) if self.state.typing.is_some() => drop(update(&mut self.state, Msg::Text(TextEdit::Paste(text)))),
            Event::Paste(_) => {
                let text = "pasted text is not taken for keys; it was ignored".to_owned();
                update(&mut self.state, Msg::Notice(Notice { level: Level::Ok, text }));
            }
            Event::Resize(..) => self.redraw()?,
            _ => {}
        }
        Ok(Next::Stay)
    }

    /// Does what the machine wants done; what comes of it goes back into the machine.
    fn perform(&mut self, effects: Vec<Effect>) -> anyhow::Result<Next> {
        let mut ahead: VecDeque<Effect> = effects.into();
        while let Some(effect) = ahead.pop_front() {
            let came = match effect {
                Effect::Quit => return Ok(Next::Leave(Exit::Quit)),
                Effect::Suspend => return Ok(Next::Stop),
                Effect::Edit(asked) => return Ok(Next::Edit(asked)),
                Effect::Redraw => {
                    self.redraw()?;
                    continue;
                }
                Effect::Abandon => {
                    self.feed.abandon();
                    continue;
                }
                Effect::Theme(name) => {
                    self.wear(&name);
                    continue;
                }
                Effect::Copy(what) => {
                    self.copy(&what);
                    continue;
                }
                Effect::Alert(sentence) => {
                    self.call(&sentence);
                    continue;
                }
                Effect::Keymap(name) => {
                    self.take_keys(&name);
                    continue;
                }
                Effect::SaveLog(place, text) => {
                    self.save_log(&place, &text);
                    continue;
                }
                Effect::ReadLogs => Msg::Reading(self.feed.read_logs()),
                Effect::Plan(asked) => Msg::Planned(self.feed.plan(&asked)),
                Effect::Confirm(answer) => Msg::Begun(self.feed.confirm(&answer)),
                Effect::List(asked) => match self.feed.list(&asked) {
                    Ok(()) => continue,
                    Err(why) => Msg::Listed(asked, Err(why)),
                },
                Effect::Examine => match self.feed.examine() {
                    Ok(()) => continue,
                    Err(why) => Msg::Examined(Err(why)),
                },
                Effect::ShowConfig => Msg::Shown(self.feed.configuration()),
                Effect::ListBooks => Msg::Books(self.feed.books()),
                Effect::FindLeft => Msg::Left(self.feed.left()),
                Effect::OpenBook(opening) => Msg::Opened(self.feed.open_book(&opening).map(Box::new)),
                Effect::Keep(run) => match self.feed.keep(&run) {
                    Ok(()) => continue,
                    Err(why) => {
                        // What is not on the disk must not have been done.
                        ahead.clear();
                        Msg::NotKept(why)
                    }
                },
                Effect::PlanAction(words) => Msg::PlannedNext(self.feed.plan_action(&words)),
                Effect::PlanNext => Msg::PlannedNext(self.feed.plan_next()),
            };
            ahead.extend(update(&mut self.state, came));
        }
        Ok(Next::Stay)
    }

    fn redraw(&mut self) -> anyhow::Result<()> {
        self.titled.clear();
        self.screen.reset(size().context("cannot ask the terminal for its size")?);
        self.dirty = true;
        Ok(())
    }

    /// Draws when there is something to draw and the last frame is out; otherwise it is drawn when that is.
    fn draw(&mut self) -> anyhow::Result<()> {
        if !self.dirty || self.writer.busy() {
            return Ok(());
        }
        let look = Look { theme: &self.theme, keymap: &self.keymap, ascii: self.ascii };
        if self.attention.title {
            let title = attention::title(&self.state);
            if title != self.titled {
                self.aside.push_str(&attention::titled(&title));
                self.titled = title;
            }
        }
        let aside = std::mem::take(&mut self.aside);
        let (measured, sent) = self.screen.draw(&self.state, &look, &aside, &mut self.writer).context("cannot write to the terminal")?;
        self.pace.sent(sent, Instant::now());
        update(&mut self.state, Msg::Measured(measured));
        self.dirty = false;
        Ok(())
    }

    async fn stop(&mut self, signals: &mut Signals, terminal: &Terminal) -> anyhow::Result<()> {
        if !can_stop() {
            let text = "there is no shell that could call pgbaton back; it goes on".to_owned();
            update(&mut self.state, Msg::Notice(Notice { level: Level::Ok, text }));
            self.dirty = true;
            return Ok(());
        }
        if !self.writer.settle(PARTING).await {
            drop_unsent();
        }
        terminal.lend();
        signals.stop().await.context("cannot stop")?;
        terminal.retake()?;
        self.redraw()?;
        self.due = Some(Instant::now());
        Ok(())
    }
}
