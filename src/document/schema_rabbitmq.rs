//! The types of the part on RabbitMQ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Asked;
pub use crate::model::RabbitmqState;

/// RabbitMQ, by the management API of each of its nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RabbitmqDoc {
    /// The virtual host that is looked at.
    pub vhost: String,
    /// The nodes that are configured, by name.
    pub nodes: Vec<RabbitmqNodeDoc>,
    /// Alarms that stand, on whatever node: while one does, nobody can publish. `null`: no node says so now.
    pub alarms: Option<Vec<RabbitmqAlarmDoc>>,
    /// The queues that matter, as the node told them that was heard last; `null`: none ever did.
    pub queues: Option<Vec<RabbitmqQueueDoc>>,
    /// How asking that node for them went.
    pub queues_asked: Asked,
    /// Which node that is; of the error, the first.
    pub queues_by: Option<String>,
    /// Queues that matter and that there are not in that list.
    pub queues_missing: Vec<String>,
    /// Tasks that run by Airflow's metadata, to compare with the unacknowledged messages; `null`: not known now.
    pub running_tasks: Option<u64>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RabbitmqNodeDoc {
    /// Its name in the configuration.
    pub name: String,
    /// RabbitMQ's name for it, `rabbit@vm5`: its own word, or of one that has never spoken what follows from the others'; `null`: not known.
    pub node: Option<String>,
    /// How it is.
    pub state: RabbitmqState,
    /// RabbitMQ's version.
    pub version: Option<String>,
    /// Nodes from which it sees itself parted, by its own word or another's; `null`: nobody says so now.
    pub partitions: Option<Vec<String>>,
    /// Memory in use.
    pub mem_used_bytes: Option<u64>,
    /// Where its memory alarm is raised.
    pub mem_limit_bytes: Option<u64>,
    /// Disk left.
    pub disk_free_bytes: Option<u64>,
    /// Where its disk alarm is raised.
    pub disk_free_limit_bytes: Option<u64>,
    /// How asking it for the alarms went, once a second.
    pub asked: Asked,
    /// How asking it for the nodes went, every three seconds; memory and disk are of there.
    pub lists_asked: Asked,
}

impl RabbitmqDoc {
    /// The nodes that are parted from others; `None`: not known of each that is not down.
    pub fn parted(&self) -> Option<Vec<&str>> {
        let from = |node: &RabbitmqNodeDoc| node.partitions.as_ref().is_some_and(|from| !from.is_empty());
        let parted: Vec<&str> = self.nodes.iter().filter(|node| from(node)).map(|node| node.name.as_str()).collect();
        let known = self.nodes.iter().all(|node| node.state == RabbitmqState::Down || node.partitions.is_some());
        (known || !parted.is_empty()).then_some(parted)
    }
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RabbitmqAlarmDoc {
    /// The node that has raised it, as the configuration calls it where that is known.
    pub node: String,
    /// `memory`, `disk`.
    pub resource: String,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RabbitmqQueueDoc {
    /// Its name.
    pub name: String,
    /// `classic`, `quorum`, `stream`.
    pub kind: String,
    /// `running`, `down`, `minority` ...
    pub state: Option<String>,
    /// Messages that wait for a consumer.
    pub ready: Option<u64>,
    /// Messages that a consumer has and has not acknowledged: tasks that run.
    pub unacknowledged: Option<u64>,
    /// Consumers.
    pub consumers: Option<u64>,
    /// The node that leads it.
    pub leader: Option<String>,
    /// The nodes that it lies on.
    pub members: Vec<String>,
    /// Those of them that have it now.
    pub online: Vec<String>,
}
