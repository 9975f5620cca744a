//! What a source reports.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    AirflowHealth, AirflowStatus, Certificate, ClockReading, Consistency, DagsStatus, DcsEvent, DcsKey, EtcdMembership, EtcdMetrics,
    EtcdStatus, FrozenPools, HaproxyStatus, HostStatus, PatroniStatus, PauseNote, PostgresStatus, RabbitmqAlarm, RabbitmqLists,
    RescueMemory, SourceError, SourceId, TargetStatus, Time,
};

/// One report of one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Who reports.
    pub source: SourceId,
    /// When the answer was complete.
    pub at: Time,
    /// How long the answer took; `None` for what was pushed.
    pub rtt: Option<Duration>,
    /// What was heard.
    pub outcome: Outcome,
}

/// An answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// What was heard.
    Heard(Box<Fact>),
    /// Why nothing was.
    Failed(SourceError),
}

/// The facts, one variant for each question that is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// All keys of the cluster, replacing what was known ([`SourceKind::Dcs`](super::SourceKind::Dcs)).
    DcsListed {
        /// etcd's revision of the list.
        revision: i64,
        /// Whether a majority vouches for it.
        consistency: Consistency,
        /// The keys, without the prefix `/namespace/scope/`.
        keys: Vec<DcsKey>,
    },
    /// What a watch pushed: the events of one revision or several, in order.
    DcsChanged {
        /// etcd's revision after them.
        revision: i64,
        /// The events.
        events: Vec<DcsEvent>,
    },
    /// A linearizable read found that nothing has changed since the last revision.
    DcsConfirmed {
        /// etcd's revision.
        revision: i64,
    },
    /// The lease of the leader key, `None` when there is no leader key.
    Lease(Option<Lease>),
    /// One etcd member's status.
    EtcdStatus(EtcdStatus),
    /// The etcd cluster's members and alarms, as one member tells it.
    EtcdMembership(EtcdMembership),
    /// What one etcd member counts; read less often than its status, and never missed.
    EtcdMetrics(Box<EtcdMetrics>),
    /// A member's `/patroni`.
    Patroni(Box<PatroniStatus>),
    /// A member's `/config`, which stands in for the DCS key when etcd cannot be read.
    PatroniConfig(serde_json::Value),
    /// A member's `/history`, likewise.
    PatroniHistory(serde_json::Value),
    /// A member's PostgreSQL.
    Postgres(Box<PostgresStatus>),
    /// One HAProxy's servers.
    Haproxy(HaproxyStatus),
    /// What a node says of itself.
    Host(Box<HostStatus>),
    /// What a machine says of the folder with Airflow's DAGs.
    Dags(Box<DagsStatus>),
    /// What the machine says on which its tasks work.
    Target(Box<TargetStatus>),
    /// Airflow's metadata.
    Airflow(Box<AirflowStatus>),
    /// What a health endpoint of Airflow's says.
    AirflowHealth(AirflowHealth),
    /// The alarms of RabbitMQ, as one node tells them; asked for more often than the lists, and never missed.
    RabbitmqAlarms(Vec<RabbitmqAlarm>),
    /// The lists of one node of RabbitMQ.
    RabbitmqLists(Box<RabbitmqLists>),
    /// The certificate that the source has shown, or our own one for this kind of source.
    Certificate(Box<Certificate>),
    /// What the clock of the source's host said.
    Clock(ClockReading),
    /// What the audit has of the pause, if it has something.
    PauseNote(Option<PauseNote>),
    /// Airflow's pools that were frozen from this machine, of every cluster of this scope.
    FrozenPools(Vec<FrozenPools>),
    /// What this machine remembers of what Airflow ran.
    Rescue(Box<RescueMemory>),
}

impl Fact {
    /// Whether it is what the source is there for, and not something that was noticed by the way.
    pub fn is_answer(&self) -> bool {
        !matches!(
            self,
            Fact::Certificate(_)
                | Fact::Clock(_)
                | Fact::EtcdMetrics(_)
                | Fact::PauseNote(_)
                | Fact::FrozenPools(_)
                | Fact::RabbitmqAlarms(_)
                | Fact::Rescue(_)
        )
    }
}

/// A lease (`etcdctl lease timetolive`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its id.
    pub id: i64,
    /// Seconds left; etcd gives whole seconds, and -1 when it has expired.
    pub ttl: i64,
    /// Seconds it is granted for at each renewal.
    pub granted: i64,
}
