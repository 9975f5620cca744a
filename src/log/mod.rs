//! What the nodes say: lines of programs on several machines, read, put in order and searched.
//!
//! Pure: [`Heard`] comes in from whoever reads the nodes (over SSH, from a file, in a test), and nothing in here knows of processes, files or
//! clocks. A [`Reader`] makes messages of one stream's lines.

mod entry;
mod etcd;
mod haproxy;
mod head;
mod heard;
mod mask;
mod patroni;
mod pattern;
mod postgres;
mod postgres_csv;
mod postgres_json;
mod reader;
mod severity;
mod stamp;
mod wash;

pub use entry::{Again, Entry, Kind, Part};
pub use heard::{Format, Gap, Heard, Program, Stream, What};
pub use mask::mask;
pub use pattern::Pattern;
pub use reader::{Read, Reader};
pub use severity::Severity;
