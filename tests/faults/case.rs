//! What a case of the matrix is made of.

use std::time::Duration;

use pgbaton::document::Level;

use crate::bench::Bench;
use crate::witness::Truth;

/// The practice cluster that a case needs. Cases with the same one share it, one after the other.
#[derive(Debug, PartialEq, Eq)]
pub struct Variant {
    pub name: &'static str,
    /// Options of `pgbaton lab up`.
    pub options: &'static [&'static str],
    /// It needs root, for namespaces.
    pub root: bool,
}

/// Who was who when the fault was thrown.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    pub leader: String,
    /// The first replica, and the others' first.
    pub replica: String,
    pub other: String,
}

impl Roles {
    /// Puts names in the place of `{leader}`, `{replica}` and `{other}`.
    pub fn fill(&self, text: &str) -> String {
        text.replace("{leader}", &self.leader).replace("{replica}", &self.replica).replace("{other}", &self.other)
    }
}

/// From when on a finding could be known, by somebody who knows nothing of pgbaton: the witness.
#[derive(Clone, Copy)]
pub enum Sign {
    /// As soon as the fault begins to be thrown.
    AtOnce,
    /// When throwing it is done: some faults wait until their effect is there.
    Thrown,
    /// When the witness has seen this.
    Seen(fn(&Truth, &Roles) -> bool),
}

/// Something that must be shown.
pub struct Expected {
    /// Codes of a finding, of which one is enough: `member-down|leader-silent`. Empty: the headline is meant.
    pub codes: &'static str,
    /// What the headline must contain (`leads · verdict`), as [`Roles::fill`] takes it, of which one is enough. Empty: a finding is meant.
    pub text: &'static str,
    /// What it is about, as [`Roles::fill`] takes it; empty: whatever.
    pub about: &'static str,
    /// At least as bad as this.
    pub level: Level,
    pub sign: Sign,
    pub within: Duration,
}

/// What is done to the cluster.
pub type Act = fn(&mut Bench);

/// One fault with everything that must follow.
pub struct Case {
    pub name: &'static str,
    pub variant: &'static Variant,
    pub act: Act,
    pub cure: Act,
    pub expected: Vec<Expected>,
    /// Codes that may be there too, being true as well.
    pub allowed: Vec<&'static str>,
    /// Codes that would be a lie.
    pub never: Vec<&'static str>,
    /// How long to go on watching after everything was shown.
    pub watch_on: Duration,
    /// How soon everything must be clear after the cure.
    pub clear_within: Duration,
    /// The watcher is started anew for the end: what it knows of before is right, and does not go away.
    pub fresh_eyes: bool,
    /// The lease must be seen to run out: counted down below 5 s before the key goes.
    pub counts_down: bool,
    /// Nothing critical may be shown: what happens was asked for.
    pub calm: bool,
    /// It heals by itself: the picture may be clear before the cure.
    pub passes: bool,
    /// One of those that every run of all tests plays.
    pub core: bool,
    /// Only with `PGBATON_FAULTS=all` or by name.
    pub long: bool,
    /// Whether this machine has what the case needs beside the lab.
    pub possible: fn() -> bool,
}

/// A case by its name, on a cluster; the rest is said by the methods.
pub fn case(name: &'static str, variant: &'static Variant, act: Act) -> Case {
    Case {
        name,
        variant,
        act,
        cure: |bench| bench.heal(),
        expected: Vec::new(),
        allowed: Vec::new(),
        never: Vec::new(),
        watch_on: Duration::ZERO,
        clear_within: Duration::from_secs(30),
        fresh_eyes: false,
        counts_down: false,
        calm: false,
        passes: false,
        core: false,
        long: false,
        possible: || true,
    }
}

/// How soon what could be known must be shown.
pub const WITHIN: Duration = Duration::from_secs(5);

impl Case {
    /// A finding that must come, by default within [`WITHIN`].
    pub fn shows(mut self, level: Level, codes: &'static str, about: &'static str, sign: Sign) -> Self {
        self.expected.push(Expected { codes, text: "", about, level, sign, within: WITHIN });
        self
    }

    /// Words that must come in the headline, by default within [`WITHIN`].
    pub fn says(mut self, text: &'static str, sign: Sign) -> Self {
        self.expected.push(Expected { codes: "", text, about: "", level: Level::Ok, sign, within: WITHIN });
        self
    }

    /// Another limit for the last thing that must be shown, seconds.
    pub fn within(mut self, seconds: u64) -> Self {
        if let Some(last) = self.expected.last_mut() {
            last.within = Duration::from_secs(seconds);
        }
        self
    }

    pub fn may(mut self, codes: &[&'static str]) -> Self {
        self.allowed.extend(codes);
        self
    }

    pub fn never(mut self, codes: &[&'static str]) -> Self {
        self.never.extend(codes);
        self
    }

    pub fn watch_on(mut self, seconds: u64) -> Self {
        self.watch_on = Duration::from_secs(seconds);
        self
    }

    pub fn cure(mut self, cure: Act) -> Self {
        self.cure = cure;
        self
    }

    pub fn clear_within(mut self, seconds: u64) -> Self {
        self.clear_within = Duration::from_secs(seconds);
        self
    }

    pub fn fresh_eyes(mut self) -> Self {
        self.fresh_eyes = true;
        self
    }

    pub fn counts_down(mut self) -> Self {
        self.counts_down = true;
        self
    }

    pub fn calm(mut self) -> Self {
        self.calm = true;
        self
    }

    pub fn passes(mut self) -> Self {
        self.passes = true;
        self
    }

    pub fn core(mut self) -> Self {
        self.core = true;
        self
    }

    pub fn long(mut self) -> Self {
        self.long = true;
        self
    }

    pub fn needs(mut self, possible: fn() -> bool) -> Self {
        self.possible = possible;
        self
    }
}
