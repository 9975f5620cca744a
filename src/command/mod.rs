//! What can be asked for, and with which keys.
//!
//! Every command stands once in [`COMMANDS`]; the keymap, the help and the checks of user files follow from it. Handlers get command ids,
//! never keys.

mod catalogue;
mod chord;
mod keymap;
mod layer;
mod library;
mod resolver;
mod trie;

pub use catalogue::{COMMANDS, Command, CommandId, Danger, Scope};
pub use chord::{BadChord, Chord, chord_of, parse_sequence, sequence_text};
pub use keymap::{Binding, Keymap};
pub use library::{Keymaps, UnknownKeymap};
pub use resolver::{Resolved, Resolver};
