//! What this machine remembers of pools that it has frozen: on the disk before the order goes out, and until they have their slots again.
//!
//! It is a file beside the audit that is only added to, as the audit is: what of a line a full disk has left is no line, and then nothing was sent.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::audit::Begun;
use super::{Audit, AuditError, Operation, Outcome, Reply, Situation};
use crate::model::{FrozenPools, Time};

/// The file's name in the audit's folder.
const NAME: &str = "pools.jsonl";

/// A line: the last one of a cluster counts.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// Patroni's scope.
    cluster: String,
    /// Its system identifier.
    system: Option<String>,
    /// The pools; `null`: they have their slots again.
    frozen: Option<FrozenPools>,
}

/// What an action does to what is remembered.
#[derive(Debug)]
pub(super) enum Memory {
    /// Nothing.
    Apart,
    /// Something is remembered for it that is of no use if nothing was sent.
    Frozen {
        /// What was remembered before.
        before: Option<Box<FrozenPools>>,
        /// What is remembered.
        now: Box<FrozenPools>,
        system: Option<String>,
    },
    /// Once it is done, it is forgotten.
    Thawed { system: Option<String> },
}

impl Memory {
    /// Remembers what is to be remembered of an action that has begun and whose order was not sent yet.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub(super) fn begin(
        audit: &Audit,
        begun: &Begun,
        operation: &dyn Operation,
        s: &Situation<'_>,
        who: (Time, &str),
    ) -> Result<Self, AuditError> {
        let system = s.cluster.dcs.keys.initialize.clone();
        if operation.forgets() {
            return Ok(Memory::Thawed { system: s.cluster.frozen_pools().and_then(|frozen| frozen.system.clone()) });
        }
        if operation.remembers(s, None, who).is_none() {
            return Ok(Memory::Apart);
        }
        // Another of us may have frozen since the picture was made.
        let before = audit.frozen(begun.cluster())?.into_iter().find(|frozen| frozen.system == system);
        let Some(now) = operation.remembers(s, before.as_ref(), who) else { return Ok(Memory::Apart) };
        audit.remember(begun, system.as_deref(), Some(&now))?;
        Ok(Memory::Frozen { before: before.map(Box::new), now: Box::new(now), system })
    }

    /// Makes what is remembered as it was, as nothing is sent.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn take_back(&self, audit: &Audit, begun: &Begun) -> Result<(), AuditError> {
        match self {
            Memory::Frozen { before, system, .. } => audit.remember(begun, system.as_deref(), before.as_deref()),
            Memory::Apart | Memory::Thawed { .. } => Ok(()),
        }
    }

    /// Takes in how it has ended.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn end(&self, audit: &Audit, begun: &Begun, outcome: Outcome, reply: Option<&Reply>) -> Result<(), AuditError> {
        match self {
            Memory::Frozen { .. } if outcome == Outcome::Refused || matches!(reply, Some(Reply::NotSent(_))) => {
                self.take_back(audit, begun)
            }
            // Its end was told, so that nothing of it comes later.
            Memory::Frozen { now, system, .. } if matches!(reply, Some(Reply::Taken(_) | Reply::Failed(_))) => {
                audit.remember(begun, system.as_deref(), Some(&FrozenPools { ended: true, ..FrozenPools::clone(now) }))
            }
            Memory::Thawed { system } if outcome == Outcome::Done => audit.remember(begun, system.as_deref(), None),
            _ => Ok(()),
        }
    }
}

impl Audit {
    fn pools(&self) -> PathBuf {
        self.folder().join(NAME)
    }

    /// The pools of clusters of this scope that are frozen still, by what is remembered.
    ///
    /// # Errors
    /// The file cannot be read; one that is not there is an empty one.
    pub fn frozen(&self, cluster: &str) -> Result<Vec<FrozenPools>, AuditError> {
        let path = self.pools();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(why) => return Err(AuditError::File { path, why }),
        };
        let mut last: BTreeMap<Option<String>, Option<FrozenPools>> = BTreeMap::new();
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(|why| AuditError::File { path: path.clone(), why })?;
            if let Ok(Line { cluster: of, system, frozen }) = serde_json::from_slice(&line)
                && of == cluster
            {
                last.insert(system, frozen);
            }
        }
        Ok(last.into_values().flatten().collect())
    }

    /// Remembers that pools are about to be frozen, or with `None` that they have their slots again. The cluster is held meanwhile.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn remember(&self, begun: &Begun, system: Option<&str>, frozen: Option<&FrozenPools>) -> Result<(), AuditError> {
        let path = self.pools();
        let failed = |why: std::io::Error| AuditError::File { path: path.clone(), why };
        let line = Line { cluster: begun.cluster().to_owned(), system: system.map(str::to_owned), frozen: frozen.cloned() };
        let line = serde_json::to_string(&line).map_err(|why| failed(why.into()))? + "\n";
        self.write_to(&path, line.as_bytes())?;
        // A file that was just made is found after a crash only if its folder is on the disk too.
        File::open(self.folder()).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use super::*;
    use crate::action::entry::Event;
    use crate::permit::AuditPolicy;

    fn frozen(system: &str, slots: i64) -> FrozenPools {
        FrozenPools {
            at: Time::from_micros(0),
            ordered: Time::from_micros(0),
            ended: false,
            by: "anna".to_owned(),
            run: None,
            reason: None,
            system: Some(system.to_owned()),
            slots: BTreeMap::from([("default_pool".to_owned(), slots)]),
        }
    }

    #[test]
    fn what_was_written_last_of_a_cluster_counts_and_half_a_line_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let audit = Audit::place(&AuditPolicy { dir: Some(folder.path().to_owned()), ..AuditPolicy::default() }).expect("a place");
        let begun = |cluster: &str| {
            let held = audit.hold(cluster).expect("held");
            audit.begin(held, Time::from_micros(0), "freeze", Event::end(Outcome::Unknown, String::new())).expect("begun")
        };
        let (card, other) = (begun("card"), begun("other"));
        assert_eq!(audit.frozen("card").expect("read"), []);
        audit.remember(&card, Some("1"), Some(&frozen("1", 128))).expect("written");
        audit.remember(&other, Some("1"), Some(&frozen("1", 7))).expect("written");
        // Another cluster of this scope.
        audit.remember(&card, Some("2"), Some(&frozen("2", 5))).expect("written");
        audit.remember(&card, Some("2"), None).expect("written");
        OpenOptions::new().append(true).open(audit.pools()).expect("the file").write_all(b"{\"cluster\":\"card\",\"sys").expect("written");
        assert_eq!(audit.frozen("card").expect("read"), [frozen("1", 128)]);
        audit.remember(&card, Some("1"), None).expect("written");
        assert_eq!(audit.frozen("card").expect("read"), [], "it is a line of its own");
        assert_eq!(audit.frozen("other").expect("read"), [frozen("1", 7)]);
    }

    #[test]
    fn it_is_forgotten_when_it_is_done_and_when_nothing_was_sent() {
        let folder = tempfile::tempdir().expect("a folder");
        let audit = Audit::place(&AuditPolicy { dir: Some(folder.path().to_owned()), ..AuditPolicy::default() }).expect("a place");
        let held = audit.hold("card").expect("held");
        let begun = audit.begin(held, Time::from_micros(0), "freeze", Event::end(Outcome::Unknown, String::new())).expect("begun");
        let system = || Some("1".to_owned());
        let after = |memory: Memory, outcome, reply: Option<Reply>| {
            audit.remember(&begun, Some("1"), Some(&frozen("1", 128))).expect("written");
            memory.end(&audit, &begun, outcome, reply.as_ref()).expect("written");
            audit.frozen("card").expect("read").pop().map(|frozen| (frozen.slots["default_pool"], frozen.ended))
        };
        let freeze = |before: Option<FrozenPools>| Memory::Frozen {
            before: before.map(Box::new),
            now: Box::new(frozen("1", 128)),
            system: system(),
        };
        let thaw = || Memory::Thawed { system: system() };
        let (taken, failed, lost) = (Reply::Taken("x".into()), Reply::Failed("x".into()), Reply::Lost("x".into()));
        assert_eq!(after(freeze(None), Outcome::Done, Some(taken.clone())), Some((128, true)));
        assert_eq!(after(freeze(None), Outcome::Failed, Some(failed.clone())), Some((128, true)), "some of it may have been done");
        assert_eq!(after(freeze(None), Outcome::Unknown, Some(lost)), Some((128, false)), "it may still be carried out");
        assert_eq!(after(freeze(None), Outcome::Unknown, None), Some((128, false)));
        assert_eq!(after(freeze(None), Outcome::Failed, Some(Reply::NotSent("x".into()))), None);
        assert_eq!(after(freeze(Some(frozen("1", 3))), Outcome::Refused, Some(Reply::Refused("x".into()))), Some((3, false)));
        assert_eq!(after(thaw(), Outcome::Done, Some(taken)), None);
        assert_eq!(after(thaw(), Outcome::Failed, Some(failed)), Some((128, false)));
        assert_eq!(after(Memory::Apart, Outcome::Done, None), Some((128, false)));
    }
}
