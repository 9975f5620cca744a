//! What the nodes say: lines of programs on several machines, read, put in order and searched.
//!
//! Pure: [`Heard`] comes in from whoever reads the nodes (over SSH, from a file, in a test), and nothing in here knows of processes, files or
//! clocks.

mod heard;

pub use heard::{Format, Gap, Heard, Program, Stream, What};
