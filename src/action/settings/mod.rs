//! The dynamic configuration: what an edit changes, what Patroni makes of it, and the way back.

mod change;
mod edit;
mod known;
mod merge;
mod restart;
mod rules;
mod undo;

pub use change::Change;
pub use edit::{Base, EditConfig, KeptEdit};
pub use merge::{merged, with_setting};
pub use undo::Undo;
