//! The edge: the terminal, the keys, the signals, the loop.
//!
//! Rules of the wire: a key is drawn at once, data at most a few times a second; one write for each frame; no frame while the last one is
//! unsent; nothing changed, nothing sent. The terminal is put back on quit, error, panic, SIGTERM, SIGHUP, SIGINT, SIGQUIT and while stopped.

mod aside;
mod attention;
mod editor;
mod encode;
mod feed;
mod hangup;
mod options;
mod pace;
mod panics;
mod run;
mod screen;
mod signals;
mod terminal;
mod writer;

pub use attention::{Attention, Notify, Wanted, When, clipboard_of};
pub use editor::{Edit, Modes};
pub use encode::{Order, difference};
pub use feed::Feed;
pub use options::{Appearance, Keys, Options, Stock, keymaps_of, own_files, themes_of};
pub use run::{Exit, run};
