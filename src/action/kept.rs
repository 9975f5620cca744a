//! An operation as it is written down, to be made again by another process.

use serde::{Deserialize, Serialize};

use super::settings::KeptEdit;
use super::{
    Assisted, Checkpoint, DemoteCluster, DropSlot, Failover, FlushRestart, FlushSwitchover, Freeze, Operation, Pause, PromoteCluster,
    Reinit, Reload, Remove, Restart, Resume, ResumeReplay, SetProxy, Situation, Switchover, Terminate, Thaw,
};

/// Every operation with all that was said of it.
#[derive(Debug, Clone, Serialize, Deserialize, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "do", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the operation of this name")]
pub enum Kept {
    Switchover(Switchover),
    Assisted(Assisted),
    Failover(Failover),
    Pause(Pause),
    Resume,
    Restart(Restart),
    Reload(Reload),
    Reinit(Reinit),
    FlushSwitchover,
    FlushRestart(FlushRestart),
    Checkpoint(Checkpoint),
    ResumeReplay(ResumeReplay),
    DropSlot(DropSlot),
    Terminate(Terminate),
    EditConfig(KeptEdit),
    Remove,
    DemoteCluster(DemoteCluster),
    PromoteCluster,
    Haproxy(SetProxy),
    Freeze(Freeze),
    Thaw(Thaw),
}

impl Kept {
    /// That its order shows all that it does.
    ///
    /// # Errors
    /// Something of it may be a secret; the error is a sentence.
    pub fn whole(&self) -> Result<(), String> {
        match self {
            Kept::EditConfig(edit) => edit.whole(),
            _ => Ok(()),
        }
    }

    /// The operation again.
    ///
    /// # Errors
    /// What it was made from is not there any more; the error is a sentence.
    pub fn operation(self, s: &Situation<'_>) -> Result<Box<dyn Operation>, String> {
        Ok(match self {
            Kept::Switchover(operation) => Box::new(operation),
            Kept::Assisted(operation) => Box::new(operation),
            Kept::Failover(operation) => Box::new(operation),
            Kept::Pause(operation) => Box::new(operation),
            Kept::Resume => Box::new(Resume),
            Kept::Restart(operation) => Box::new(operation),
            Kept::Reload(operation) => Box::new(operation),
            Kept::Reinit(operation) => Box::new(operation),
            Kept::FlushSwitchover => Box::new(FlushSwitchover),
            Kept::FlushRestart(operation) => Box::new(operation),
            Kept::Checkpoint(operation) => Box::new(operation),
            Kept::ResumeReplay(operation) => Box::new(operation),
            Kept::DropSlot(operation) => Box::new(operation),
            Kept::Terminate(operation) => Box::new(operation),
            Kept::EditConfig(edit) => Box::new(edit.operation(s)?),
            Kept::Remove => Box::new(Remove),
            Kept::DemoteCluster(operation) => Box::new(operation),
            Kept::PromoteCluster => Box::new(PromoteCluster),
            Kept::Haproxy(operation) => Box::new(operation),
            Kept::Freeze(operation) => Box::new(operation),
            Kept::Thaw(operation) => Box::new(operation),
        })
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantNames;

    use super::Kept;
    use crate::permit::OPERATIONS;

    #[test]
    fn the_policy_can_name_every_operation() {
        let mut names: Vec<&str> = Kept::VARIANTS.to_vec();
        // It is called a switchover.
        names.retain(|name| *name != "assisted");
        names.sort_unstable();
        assert_eq!(names, OPERATIONS);
    }
}
