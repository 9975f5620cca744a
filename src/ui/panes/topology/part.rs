//! What can be selected in the picture, and opened.

use super::{cluster, routes};
use crate::app::{RowId, View};
use crate::document::{Document, MemberDoc, RouteDoc};

/// A part of the estate.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'d> {
    Route(&'d RouteDoc),
    Node(&'d MemberDoc),
    Etcd,
    Airflow,
    Programs,
    Pools,
    Rabbitmq,
    /// A node of RabbitMQ.
    Rabbit(&'d str),
    Queue(&'d str),
    Dags,
    /// The disk with the DAGs on a machine.
    Mount(&'d str),
    Target,
}

impl Part<'_> {
    pub(super) fn id(&self) -> RowId {
        match self {
            Self::Route(route) => format!("route {}", routes::id(route)),
            Self::Node(member) => format!("node {}", member.name),
            Self::Rabbit(name) => format!("rabbit {name}"),
            Self::Queue(name) => format!("queue {name}"),
            Self::Mount(name) => format!("mount {name}"),
            Self::Etcd => "etcd".to_owned(),
            Self::Airflow => "airflow".to_owned(),
            Self::Programs => "programs".to_owned(),
            Self::Pools => "pools".to_owned(),
            Self::Rabbitmq => "rabbitmq".to_owned(),
            Self::Dags => "dags".to_owned(),
            Self::Target => "target".to_owned(),
        }
    }
}

/// All that there are, in the order in which they are gone through.
pub(super) fn parts(document: &Document) -> Vec<Part<'_>> {
    let routes = routes::shown(document, &View::default()).into_iter().map(Part::Route);
    let mut all: Vec<Part<'_>> = routes.chain(cluster::nodes(document).into_iter().map(Part::Node)).collect();
    all.push(Part::Etcd);
    if let Some(airflow) = &document.airflow {
        all.push(Part::Airflow);
        if airflow.metadata.is_some() {
            all.extend([Part::Programs, Part::Pools]);
        }
    }
    if let Some(rabbitmq) = &document.rabbitmq {
        all.push(Part::Rabbitmq);
        all.extend(rabbitmq.nodes.iter().map(|node| Part::Rabbit(&node.name)));
        all.extend(rabbitmq.queues.iter().flatten().map(|queue| Part::Queue(&queue.name)));
    }
    if let Some(dags) = &document.dags {
        all.push(Part::Dags);
        all.extend(dags.hosts.iter().map(|host| Part::Mount(&host.name)));
    }
    all.extend(document.target.as_ref().map(|_| Part::Target));
    all
}
