//! The machine behind the screen: a [`State`], messages, and what is to be done about them.
//!
//! [`update`] is pure: no input or output, no clock, no keys. Time comes in with messages, commands come as ids, and what has to be done in
//! the world goes out as [`Effect`]s.

mod act;
mod arrangement;
mod audited;
mod book;
mod choice;
mod copied;
mod editor;
mod events;
mod examination;
mod history;
mod log_commands;
mod logs;
mod look;
mod order;
mod outage;
mod palette;
mod pane;
mod possible;
mod question;
mod recall;
mod state;
mod travel;
mod typing;
mod update;

pub use act::{Ask, Asked, CourseSheet, Dialog, PlanSheet};
pub use arrangement::Arrangement;
pub use audited::Audited;
pub use book::{Book, Opened, Opening};
pub use choice::{Choice, ChoiceRow};
pub use copied::Copied;
pub use editor::{Editor, Field};
pub use events::{EventLine, EventLog};
pub use examination::Examination;
pub use history::{LagHistory, Point, SPAN};
pub use log_commands::UNMASK;
pub use logs::{Logs, Narrow, Reading, key_of};
pub use look::{Choosing, Looks};
pub use outage::Outage;
pub use palette::Palette;
pub use pane::{Facts, PaneModel, RowId, View};
pub use possible::why_not;
pub use question::{Question, Wanted, source};
pub use recall::{Recalled, leads_to_runs, recalled};
pub use state::{Measured, Mode, Notice, Overlay, Scene, State, Typing};
pub use typing::Held;
pub use update::{Effect, Msg, TextEdit, update};
