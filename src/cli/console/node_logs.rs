//! The nodes' logs in the console: read from the moment on at which somebody looks at them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::Profile;
use crate::live::Live;
use crate::log::Heard;
use crate::source::Targets;
use crate::source::ssh::{Chosen, Hearing, Logs, Wanted};

/// How far back reading begins: what led to what one sees now.
const BEFORE: Duration = Duration::from_secs(60 * 60);

/// The same for a file, bytes before its end.
const BACK: u64 = 256 * 1024;

/// How many lines are handed over at once. The console takes as many such parts as it has time for before it looks for a key again.
const AT_ONCE: usize = 500;

/// The logs of all nodes.
pub(super) struct NodeLogs {
    profile: Profile,
    reading: Option<(Logs, Hearing)>,
    /// What was heard and is not handed over yet.
    heard: VecDeque<Heard>,
}

impl NodeLogs {
    /// Nothing is read yet.
    pub fn new(profile: Profile) -> Self {
        Self { profile, reading: None, heard: VecDeque::new() }
    }

    /// Begins to read, if that has not begun.
    pub fn read(&mut self, live: &Live) {
        if self.reading.is_none() {
            let wanted = Wanted { on: true, since: live.now().before(BEFORE), back: BACK };
            self.reading = Some(Logs::new(self.profile.clone(), live.clock(), wanted, Chosen::default(), live.connections()));
        }
        self.follow(live);
    }

    /// Whether anybody is read.
    pub fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// Reads the members too that have come since.
    pub fn follow(&mut self, live: &Live) {
        if let Some((logs, _)) = &mut self.reading {
            logs.follow(&Targets::of(live.cluster(), &[]).members);
        }
    }

    /// Whether something was heard. What is not taken stays with the nodes.
    pub fn arrived(&mut self) -> bool {
        if let Some((_, hearing)) = &mut self.reading {
            while self.heard.len() < AT_ONCE
                && let Some(batch) = hearing.try_next()
            {
                self.heard.extend(batch);
            }
        }
        !self.heard.is_empty()
    }

    /// The next part of what was heard.
    pub fn take(&mut self) -> Vec<Heard> {
        self.arrived();
        self.heard.drain(..self.heard.len().min(AT_ONCE)).collect()
    }

    /// Whether more was heard than was taken at once.
    pub fn is_behind(&self) -> bool {
        !self.heard.is_empty()
    }
}
