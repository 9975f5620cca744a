//! By what an operation is known to be done.

use std::time::Duration;

use super::Reply;
use crate::model::{Cluster, Time};

/// A step on the way, seen by somebody else than the one who was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// What is seen: `leader key released`.
    pub name: String,
    /// When it was first seen.
    pub at: Option<Time>,
}

impl Phase {
    /// A step that was not seen yet.
    pub fn ahead(name: impl Into<String>) -> Self {
        Self { name: name.into(), at: None }
    }

    /// Sees it, once.
    pub fn see(&mut self, seen: bool, now: Time) {
        if seen && self.at.is_none() {
            self.at = Some(now);
        }
    }
}

/// How it stands with a goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Not known yet.
    Open,
    /// It is reached, by the word of the sources; a sentence.
    Reached(String),
    /// It will not be reached any more, or something else was; a sentence.
    Missed(String),
    /// It was turned down before anything was begun; a sentence.
    Refused(String),
}

/// A goal, followed over time.
pub trait Goal: std::fmt::Debug + Send {
    /// Looks at the cluster.
    fn look(&mut self, cluster: &Cluster, now: Time);

    /// Hears that something was answered.
    fn heard(&mut self, _now: Time) {}

    /// The steps, in their usual order.
    fn phases(&self) -> &[Phase];

    /// How it stands. `reply`: what was answered so far.
    fn standing(&self, cluster: &Cluster, reply: Option<&Reply>, now: Time) -> Standing;

    /// Who leads now and takes writes, where the goal is that another does: clients have to follow there.
    fn moved_to(&self) -> Option<&str> {
        None
    }

    /// How far it is, as a sentence without a full stop, where somebody counts that.
    fn progress(&self) -> Option<&str> {
        None
    }

    /// When it was last seen to be under way: while it is, the patience does not run out.
    fn at_work(&self) -> Option<Time> {
        None
    }

    /// How long the cluster is watched after the last word on the line, before the outcome is called unknown.
    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Whether there is something left to be seen after it is reached.
    fn whole(&self) -> bool {
        self.phases().iter().all(|phase| phase.at.is_some())
    }
}
