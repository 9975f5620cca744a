//! Why another member leads, as far as the evidence goes.

use serde::{Deserialize, Serialize};

use super::{SourceKind, Time};

/// Something that was seen once: who said what, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// When it was seen here; `None`: before we looked.
    pub at: Option<Time>,
    /// Who said it: `etcd`, `rest psg1`.
    pub source: String,
    /// What it is: `leader key`, `role`, `silent since then`.
    pub what: String,
    /// What it says.
    pub value: String,
}

/// Why the leader key has another holder. A cause is named only on evidence of its own; silence of one source is no evidence for another's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cause {
    /// Somebody asked for it: the key `failover` was there just before, and was due.
    AskedFor {
        /// From whom the leader key was to be taken, if that was said.
        from: Option<String>,
        /// Who was to take it, if that was said.
        to: Option<String>,
        /// For when it was scheduled, if it was.
        scheduled_at: Option<Time>,
    },
    /// The leader fell silent, and its key was gone after that.
    Crash {
        /// Who.
        leader: String,
        /// What of it was silent by then, the first one first.
        silent: Vec<Silence>,
        /// Whether its lease was seen to run out: the key of the member went in the same revision of etcd as the leader's.
        lease_ran_out: bool,
    },
    /// etcd had no quorum, so that nobody could renew the lease.
    QuorumLost {
        /// Who held the key.
        leader: String,
        /// For how long that lasted, seconds.
        seconds: Option<f64>,
    },
    /// The lease ran out although the leader's Patroni answered us: it did not reach etcd, or did not come round to it.
    NotRenewed {
        /// Who.
        leader: String,
    },
    /// The leader deleted its key itself: its Patroni or its PostgreSQL was stopped, or it could not lead.
    Released {
        /// Who.
        leader: String,
    },
    /// Nothing that was seen says why.
    #[default]
    Unknown,
}

/// A source of the old leader that gave no answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Which one: its REST API, its PostgreSQL, the etcd member on its host.
    pub source: SourceKind,
    /// For how long it had been silent when another led, seconds.
    pub seconds: f64,
}
