//! The living picture, begun with what this machine has written down of the cluster.

use std::time::Duration;

use super::remembered::{self, Kept};
use crate::action::{Audit, last_pause};
use crate::config::Profile;
use crate::live::Live;
use crate::model::{Change, FrozenPools, PauseNote, Time};
use crate::permit::Policy;
use crate::source::Clock;

/// Starts the sources of a profile whose scope is set. Must be called within a tokio runtime.
pub fn start(profile: Profile, clock: Clock) -> Live {
    let mut live = Live::start(profile, clock);
    let scope = live.cluster().scope.clone();
    live.hear_audit(pause_note(&scope));
    live.hear_frozen(frozen(&scope));
    if let Some(memory) = remembered::read(&scope) {
        live.hear_rescue(memory);
    }
    live
}

/// The audit of this machine, for reading; an error is a sentence.
pub fn audit() -> Result<Audit, String> {
    Audit::place(&Policy::of_machine().unwrap_or_default().audit).map_err(|why| why.to_string())
}

/// Who has paused the cluster. An audit that is not there, or that this user may not read, knows nothing of it: `pgbaton audit` says why.
fn pause_note(scope: &str) -> Option<PauseNote> {
    last_pause(&audit().ok()?.read().ok()?.0, scope)
}

/// Which pools were frozen from here, as far as this user may know.
fn frozen(scope: &str) -> Vec<FrozenPools> {
    audit().and_then(|audit| audit.frozen(scope).map_err(|why| why.to_string())).unwrap_or_default()
}

/// Follows what another of us, or this one, writes down of a cluster while its picture lives.
#[derive(Debug, Default)]
pub struct Follow {
    paused: bool,
    /// When it was last read what is frozen.
    read: Option<Time>,
    /// What was last written down of what Airflow runs.
    kept: Kept,
}

/// How often it is read what is frozen, at most.
const PACE: Duration = Duration::from_secs(1);

impl Follow {
    /// Reads again what may have changed; what that brings, or `None` where nothing has.
    pub fn follow(&mut self, live: &mut Live) -> Option<Vec<Change>> {
        let scope = live.cluster().scope.clone();
        let paused = live.cluster().pause.since().is_some();
        let pause = (std::mem::replace(&mut self.paused, paused) != paused).then(|| live.hear_audit(pause_note(&scope)));
        let now = live.now();
        let due = live.cluster().airflow.is_some() && self.read.is_none_or(|at| now.since(at) >= PACE);
        self.read = if due { Some(now) } else { self.read };
        if due {
            self.kept.keep(live.cluster());
        }
        let frozen = due.then(|| frozen(&scope)).filter(|frozen| *frozen != live.cluster().frozen);
        let frozen = frozen.map(|frozen| live.hear_frozen(frozen));
        (pause.is_some() || frozen.is_some()).then(|| pause.into_iter().chain(frozen).flatten().collect())
    }
}
