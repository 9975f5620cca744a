//! The living picture, begun with what this machine has written down of the cluster.

use crate::action::{Audit, last_pause};
use crate::config::Profile;
use crate::live::Live;
use crate::model::PauseNote;
use crate::permit::Policy;
use crate::source::Clock;

/// Starts the sources of a profile whose scope is set. Must be called within a tokio runtime.
pub fn start(profile: Profile, clock: Clock) -> Live {
    let mut live = Live::start(profile, clock);
    let note = audit().ok().and_then(|audit| pause_note(&audit, &live.cluster().scope));
    live.hear_audit(note);
    live
}

/// The audit of this machine, for reading; an error is a sentence.
pub fn audit() -> Result<Audit, String> {
    Audit::place(&Policy::of_machine().unwrap_or_default().audit).map_err(|why| why.to_string())
}

/// Who has paused the cluster. An audit that is not there, or that this user may not read, knows nothing of it: `pgbaton audit` says why.
pub fn pause_note(audit: &Audit, scope: &str) -> Option<PauseNote> {
    last_pause(&audit.read().ok()?.0, scope)
}
