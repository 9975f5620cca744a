//! The living picture, begun with what this machine has written down of the cluster.

use crate::action::{Audit, last_pause};
use crate::config::Profile;
use crate::live::Live;
use crate::model::{Change, PauseNote};
use crate::permit::Policy;
use crate::source::Clock;

/// Starts the sources of a profile whose scope is set. Must be called within a tokio runtime.
pub fn start(profile: Profile, clock: Clock) -> Live {
    let mut live = Live::start(profile, clock);
    let note = pause_note(&live.cluster().scope);
    live.hear_audit(note);
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

/// Follows the maintenance mode of a living picture: another of us can have ordered it.
#[derive(Debug, Default)]
pub struct PauseFollow {
    paused: bool,
}

impl PauseFollow {
    /// Reads the audit again if the mode has changed; what that brings, or `None` where it has not.
    pub fn follow(&mut self, live: &mut Live) -> Option<Vec<Change>> {
        let paused = live.cluster().pause.since().is_some();
        let changed = std::mem::replace(&mut self.paused, paused) != paused;
        changed.then(|| live.hear_audit(pause_note(&live.cluster().scope.clone())))
    }
}
