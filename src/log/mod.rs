//! What the nodes say: lines of programs on several machines, read, put in order and searched.
//!
//! Pure: [`Heard`] comes in from whoever reads the nodes (over SSH, from a file, in a test), and nothing in here knows of processes, files or
//! clocks. A [`Reader`] makes messages of one stream's lines, a [`Merge`] holds them shortly to let them out in order, and a [`Log`] keeps the
//! newest of all streams to be looked through.

mod clocks;
mod entry;
mod etcd;
mod filter;
mod haproxy;
mod head;
mod heard;
mod known;
mod mask;
mod merge;
mod patroni;
mod pattern;
mod postgres;
mod postgres_csv;
mod postgres_json;
mod reader;
mod ring;
#[cfg(test)]
mod ring_tests;
mod severity;
mod stamp;
mod trouble;
mod wash;

pub use clocks::{Clocks, ahead_told};
pub use entry::{Again, Entry, Kind, Part};
pub use filter::Filter;
pub use heard::{Format, Gap, Heard, Program, Stream, What};
pub use known::{Known, known, known_lines};
pub use mask::{Bare, mask};
pub use merge::Merge;
pub use pattern::Pattern;
pub use reader::{Read, Reader};
pub use ring::{Dropped, Key, Log};
pub use severity::Severity;
pub use trouble::{Trouble, Troubles};
