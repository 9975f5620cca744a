//! Runbooks: Markdown files that read well anywhere, and whose steps pgbaton takes one after the other.
//!
//! A runbook begins with its front matter (YAML between lines of `---`) and goes on in prose. A fenced block of the kind `pgbaton` is a step,
//! in TOML; its title is the heading above it. What is wrong in a file is told with its line and column, and a runbook with a mistake is not
//! run: a step that was passed over in silence is the one that was needed.

mod answers;
mod builtin;
mod facts;
mod front;
mod judge;
mod left;
mod members;
mod parse;
mod place;
mod placeholder;
mod progress;
mod run;
mod step;
mod task;

pub use answers::{Answers, Choices};
pub use builtin::BUILTIN;
pub use facts::{Fact, facts, is_meant};
pub use front::{Danger, Front, Input};
pub use judge::{judged, shown};
pub use left::Left;
pub use members::{Among, Loop, etcd_answers, leader};
pub use parse::parse;
pub use place::Place;
pub use placeholder::{Values, fill, fill_condition, fill_known, words};
pub use progress::{Progress, Stage};
pub use run::{Deed, Entry, Next, Run};
pub use step::{Kind, Step};
pub use task::{Taken, Task, confirmed, task, waited, walked};

use sha2::{Digest, Sha256};

/// A runbook without a mistake.
#[derive(Debug, Clone, PartialEq)]
pub struct Runbook {
    /// Its name: the file's, without the ending.
    pub name: String,
    /// What it says of itself.
    pub front: Front,
    /// The whole file.
    pub text: String,
    /// What it says before its first part.
    pub intro: String,
    /// Its steps, in the order of the file.
    pub steps: Vec<Step>,
}

impl Runbook {
    /// What tells one text from another: a run of one is not taken up with the other.
    pub fn digest(&self) -> String {
        Sha256::digest(&self.text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The step of this id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }
}
