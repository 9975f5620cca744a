//! An order to etcd.

use std::fmt;

use serde::Serialize;

use super::settings::Change;

/// An order to etcd, carried out in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum DcsOrder {
    /// Writes a key, if nobody has written it since it was read.
    Put {
        /// The whole key.
        key: String,
        /// The revision at which it was last written when it was read.
        revision: i64,
        /// The value.
        #[serde(skip)]
        value: String,
        /// What is different in it, without what may be a secret.
        changes: Vec<Change>,
    },
    /// Deletes all keys of a cluster, if the leader key is what it was.
    Delete {
        /// What they begin with.
        prefix: String,
        /// The revision at which the leader key was last taken; 0: there is none.
        leader_revision: i64,
    },
}

impl DcsOrder {
    /// A key that it is about, or the beginning of all of them.
    pub fn about(&self) -> &str {
        match self {
            DcsOrder::Put { key, .. } => key,
            DcsOrder::Delete { prefix, .. } => prefix,
        }
    }
}

/// `etcd: put /service/psg/config (512 bytes) if its mod_revision is 81`.
impl fmt::Display for DcsOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DcsOrder::Put { key, revision, value, .. } => {
                write!(f, "etcd: put {key} ({} bytes) if its mod_revision is {revision}", value.len())
            }
            DcsOrder::Delete { prefix, leader_revision: 0 } => write!(f, "etcd: delete {prefix}* if there is no {prefix}leader"),
            DcsOrder::Delete { prefix, leader_revision } => {
                write!(f, "etcd: delete {prefix}* if the create_revision of {prefix}leader is {leader_revision}")
            }
        }
    }
}
